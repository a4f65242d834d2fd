"""All that Acme's backend asks of Standpipe, and the file to copy: a widget token, a live access token, and what to do when there is none.

WorkOS's own client, pointed at Standpipe. Rule: whose connection it is comes from the session of whoever asks, never from what the page sends.
"""

from typing import Any

import requests
from workos import NotFoundError, WorkOSClient


class NoAccess(Exception):
    """There is no token, or GitHub does not answer. `error` is the word for programs; the text says to the user what is so and what to do."""

    def __init__(self, error: str, text: str) -> None:
        super().__init__(text)
        self.error = error


class Connections:
    """The connections of Acme's users. `github_api` is https://api.github.com with real credentials, and the simulator in a sandbox."""

    def __init__(self, standpipe: str, api_key: str, github_api: str) -> None:
        self._workos = WorkOSClient(api_key=api_key, client_id="acme", base_url=standpipe)
        self._github_api = github_api

    def widget_token(self, user_id: str, organization_id: str) -> str:
        """For `<standpipe-connections>`: an hour at most, and that one person's connections in that organization only."""
        return self._workos.widgets.create_token(user_id=user_id, organization_id=organization_id).token

    def repositories(self, user_id: str, organization_id: str) -> list[dict[str, Any]]:
        """What GitHub lists for the user. Raises NoAccess."""
        token = self._access_token(user_id, organization_id)
        answer = self._ask_github(token)
        if answer.status_code == 401:
            # The token looked alive and GitHub refused it: the user revoked it there. Standpipe asks GitHub, and renews it or knows that it has ended.
            self._rejected(user_id, organization_id, token)
            answer = self._ask_github(self._access_token(user_id, organization_id))
        if not answer.ok:
            raise NoAccess("github", f"GitHub answered {answer.status_code}. Try again in a moment.")
        try:
            return [{"name": str(each["full_name"]), "private": bool(each["private"])} for each in answer.json()]
        except (ValueError, KeyError, TypeError):
            raise NoAccess("github", "GitHub answered with something that is no list. Try again in a moment.") from None

    def _access_token(self, user_id: str, organization_id: str) -> str:
        try:
            answer = self._workos.pipes.get_access_token("github", user_id=user_id, organization_id=organization_id)
        except NotFoundError:
            raise NoAccess("not_set_up", "GitHub is not set up. An administrator does that in the dashboard.") from None
        if answer.active and answer.access_token:
            return answer.access_token.access_token
        if answer.error == "not_installed":
            raise NoAccess("not_installed", "GitHub is not connected. Connect it under Connected accounts, then list again.")
        raise NoAccess("needs_reauthorization", "GitHub no longer accepts this connection. Reauthorize it under Connected accounts, then list again.")

    def _rejected(self, user_id: str, organization_id: str, token: str) -> None:
        """Tells Standpipe which generation of the token was refused, unless it has a newer one by now. Its own routes are called as they are."""
        owner, path = {"user_id": user_id, "organization_id": organization_id}, ("data-integrations", "github", "token")
        answer = self._workos.request_raw("POST", path, body=owner)
        if answer["active"] and answer["access_token"]["access_token"] == token:
            self._workos.request_raw("POST", (*path, "rejected"), body={**owner, "generation": answer["access_token"]["generation"]})

    def _ask_github(self, token: str) -> requests.Response:
        try:
            return requests.get(f"{self._github_api}/user/repos", headers={"Authorization": f"Bearer {token}"}, timeout=30)
        except requests.RequestException:
            raise NoAccess("github", "GitHub does not answer. Try again in a moment.") from None
