"""The door to the Parameter Store: the operator's shared registrations for a sandbox, JSON with client_id and client_secret."""

import json
from collections.abc import Callable
from typing import Any

from chalicelib.domain.secret import Secret
from chalicelib.doors.oauth import Credentials

REMEMBERED_FOR = 300.0


class SharedCredentials:
    """`client` is made on first need: most stages have none."""

    def __init__(self, client: Callable[[], Any], monotonic: Callable[[], float]) -> None:
        self._make, self._monotonic = client, monotonic
        self._client: Any = None
        self._known: dict[str, tuple[float, Credentials | None]] = {}

    def of(self, slug: str) -> Credentials | None:
        known = self._known.get(slug)
        if known is not None and self._monotonic() - known[0] < REMEMBERED_FOR:
            return known[1]
        self._client = self._client or self._make()
        try:
            given = json.loads(self._client.get_parameter(Name=f"/standpipe/shared/{slug}", WithDecryption=True)["Parameter"]["Value"])
            found = Credentials(given["client_id"], Secret(given["client_secret"]))
        except self._client.exceptions.ParameterNotFound:
            found = None
        self._known[slug] = (self._monotonic(), found)
        return found
