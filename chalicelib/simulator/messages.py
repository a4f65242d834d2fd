"""Requests and answers of the simulator as plain values, so that any web floor can carry them."""

import json
from base64 import b64decode
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from chalicelib.simulator.state import State

Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class SimulatorRequest:
    """`path` is what follows `/simulator` ("" for the overview); header names are lower case; `json` is the parsed body, if it was JSON."""

    method: str
    path: str
    query: Pairs = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    form: Pairs = field(default_factory=list)
    json: Any = None

    def fields(self) -> dict[str, str]:
        """The body's fields, form or JSON; the first value of each name."""
        if isinstance(self.json, dict):
            return {name: str(value) for name, value in self.json.items() if value is not None}
        return dict(reversed(self.form))

    def basic(self) -> tuple[str, str] | None:
        """User name and password of Basic authentication (RFC 7617), as sent."""
        scheme, _, encoded = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            name, _, password = b64decode(encoded).decode().partition(":")
        except ValueError:
            return None
        return name, password

    def bearer(self) -> str | None:
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() in ("bearer", "token") and token.strip() else None


@dataclass(frozen=True)
class SimulatorResponse:
    status: int
    headers: dict[str, str]
    body: str = ""

    @property
    def location(self) -> str | None:
        return self.headers.get("Location")


@dataclass(frozen=True)
class Sandbox:
    """What every handler works with: the state, this stage's origin, and the time of the request."""

    state: State
    base_url: str
    now: datetime

    def url(self, slug: str, path: str = "") -> str:
        return f"{self.base_url}/simulator/{slug}{path}"


def json_answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> SimulatorResponse:
    return SimulatorResponse(status, {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store", **(headers or {})}, json.dumps(body))


def form_answer(body: dict[str, Any], status: int = 200) -> SimulatorResponse:
    return SimulatorResponse(status, {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8", "Cache-Control": "no-store"}, urlencode(body))


def redirect(url: str) -> SimulatorResponse:
    """303, so that a form is never sent on to the target (RFC 9700 4.12)."""
    return SimulatorResponse(303, {"Location": url, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
