"""The deployed stage as the product's backend reaches it: what is configured for an organization of this test's own, so that tests do not see each other's."""

import uuid
from typing import Any

from tests.browser import Api


class Stage:
    """Data integrations are the stage's and are made once; users and organizations are each test's own."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.user, self.organization = f"user_{uuid.uuid4().hex[:10]}", f"org_{uuid.uuid4().hex[:10]}"

    def offer(self, slug: str, methods: list[str], **more: Any) -> None:
        """The provider is configured, whether it was before or not."""
        made = self.api.call("POST", "/data-integrations", provider=slug, enabled=True, auth_methods=methods, **more)
        if made.status_code == 409:
            place = f"/data-integrations/{slug}" + ("/organization" if more.get("ownership") == "organization" else "")
            made = self.api.call("PUT", place, enabled=True, auth_methods=methods)
        assert made.status_code in (200, 201), made.text

    def account(self, slug: str) -> dict[str, Any]:
        answer = self.api.call("GET", f"/user_management/users/{self.user}/connected_accounts/{slug}?organization_id={self.organization}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def needs_its_user(self, slug: str) -> None:
        """The grant is over, and the stage has noticed."""
        answer = self.api.call("PUT", f"/user_management/users/{self.user}/connected_accounts/{slug}?organization_id={self.organization}", state="needs_reauthorization")
        assert answer.status_code == 200, answer.text
