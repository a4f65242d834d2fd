"""The deployed stage as the product's backend uses it, and what a test arranges there before a person looks.

Rule: everything is arranged over the public API or at the simulated provider, as an application or a provider would do it.
"""

import itertools
import re
import uuid
from typing import Any

import requests

from tests.browser import Api

CLIENT, SECRET = "simulated-github", "simulated-secret-github"  # what the simulated GitHub knows, for whoever brings it as a client of their own
GITHUB = "github"  # enabled in a sandbox, and simulated with the accounts octocat and hubot
_numbers = itertools.count(1)


class Stage:
    """`made`: the (slug, ownership) of what this test configured, turned off when it ends."""

    def __init__(self, api: Api) -> None:
        self.api, self.url = api, api.sandbox.url
        self.made: list[tuple[str, str]] = []

    def new(self, word: str) -> str:
        """An id that nobody else uses."""
        return f"{word}_{uuid.uuid4().hex[:12]}"

    def call(self, method: str, path: str, body: dict[str, Any] | None = None, **query: str) -> Any:
        """The API's answer, which has to be a good one."""
        answer = self.api.session.request(method, self.url + path, json=body, params=query, timeout=60)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def provider(self, name: str, *methods: str, ownership: str = "user", token_url: str | None = None, **more: Any) -> str:
        """A provider of the customer's own; returns its slug."""
        slug = f"{re.sub('[^a-z]+', '-', name.lower())}-{next(_numbers)}-{uuid.uuid4().hex[:6]}"
        endpoints = {}
        if "oauth" in methods:
            endpoints = {"authorization_url": f"{self.url}/simulator/github/login/oauth/authorize", "token_url": f"{self.url}/simulator/github/login/oauth/access_token"}
            more.setdefault("credentials", {"type": "custom", "client_id": CLIENT, "client_secret": SECRET})
        if token_url:
            endpoints["token_url"] = token_url
        body = {"provider": slug, "ownership": ownership, "enabled": True, "auth_methods": list(methods), "custom_provider": {"name": name, **endpoints}, **more}
        self.call("POST", "/data-integrations", body)
        self.made.append((slug, ownership))
        return slug

    def offer(self, slug: str, *methods: str, ownership: str = "user", **more: Any) -> None:
        """A provider of the catalogue is on, for these methods, whatever it was before."""
        body = {"enabled": True, "auth_methods": list(methods), **more}
        answer = self.api.call("POST", "/data-integrations", provider=slug, ownership=ownership, **body)
        if answer.status_code == 409:
            self.call("PUT", _place(slug, ownership), body)
        else:
            assert answer.status_code == 201, answer.text
        self.made.append((slug, ownership))

    def switch(self, slug: str, enabled: bool, ownership: str = "user") -> None:
        """What the product's developer does in the dashboard."""
        self.call("PUT", _place(slug, ownership), {"enabled": enabled})

    def configure(self, organization: str, slug: str, **settings: Any) -> Any:
        return self.call("PUT", f"/organizations/{organization}/data_integration_configurations/{slug}", settings)

    def close_everything(self, organization: str) -> None:
        """Nothing is enabled for this organization."""
        for each in self.call("GET", f"/organizations/{organization}/data_integration_configurations", ownership="user")["data"]:
            self.configure(organization, each["slug"], enabled=False)

    def token(self, slug: str, user: str, organization: str | None = None, **more: Any) -> Any:
        return self.call("POST", f"/data-integrations/{slug}/token", {"user_id": user, **({"organization_id": organization} if organization else {}), **more})

    def credentials(self, slug: str, user: str, organization: str | None = None, **more: Any) -> Any:
        return self.call("POST", f"/data-integrations/{slug}/credentials", {"user_id": user, **({"organization_id": organization} if organization else {}), **more})

    def account(self, slug: str, user: str, **query: str) -> Any:
        return self.call("GET", f"/user_management/users/{user}/connected_accounts/{slug}", **query)

    def mark(self, slug: str, user: str, **query: str) -> None:
        """The application says that the connection has to be authorized again."""
        self.call("PUT", f"/user_management/users/{user}/connected_accounts/{slug}", {"state": "needs_reauthorization"}, **query)

    def mark_shared(self, slug: str, organization: str, user: str) -> None:
        self.call("PUT", f"/organizations/{organization}/connected_accounts/{slug}", {"state": "needs_reauthorization", "user_id": user})

    def share_key(self, slug: str, organization: str, user: str, secret: str) -> None:
        """A member connects the account that all members use."""
        self.call("PUT", f"/data-integrations/{slug}/api-key", {"user_id": user, "organization_id": organization, "connection_owner": "organization", "secret": secret})

    def works_at_github(self, access_token: str) -> bool:
        return requests.get(f"{self.url}/simulator/github/user", headers={"Authorization": f"Bearer {access_token}"}, timeout=30).status_code == 200

    def tidy(self) -> None:
        for slug, ownership in self.made:
            self.switch(slug, False, ownership)


def _place(slug: str, ownership: str) -> str:
    return f"/data-integrations/{slug}{'/organization' if ownership == 'organization' else ''}"
