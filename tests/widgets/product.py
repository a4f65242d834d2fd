"""A customer's product: its page with a widget, and its backend, which gets widget tokens for the person in front of it.

It is served from another site than the stage (127.0.0.1 and localhost are two), as a customer's is.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from tests.loopback import Handler, Loopback

Tokens = Literal["string", "function"]
MANAGE = "widgets:pipes:manage"
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Acme</title><link rel="stylesheet" href="/product.css">
<body><h1>Acme</h1><div id="root"></div><script type="application/json" id="wanted">{wanted}</script><script src="/product.js"></script></body></html>"""


@dataclass(frozen=True, kw_only=True)
class View:
    """What the product shows, and to whom."""

    widget: Literal["pipes", "pipes-admin"] = "pipes"
    user: str
    organization: str | None = None
    organization_name: str | None = None
    scopes: tuple[str, ...] = ()
    shared: bool = False
    tokens: Tokens = "string"
    filter: Literal["none", "slugs", "types", "methods", "predicate"] = "none"
    slugs: tuple[str, ...] = ()
    api: str = ""
    """Where the widget is told to find the API, if not at the stage."""


@dataclass
class Product(Loopback):
    """`given`: tokens that are handed out first, in this order, whoever asks; `asked` counts what the backend was asked for."""

    folder: Path
    stage: str
    api_key: str
    given: list[str] = field(default_factory=list)
    asked: int = 0
    broken: bool = False

    def start(self) -> None:
        product = self

        class Answers(Handler):
            def do_GET(self) -> None:
                split = urlsplit(self.path)
                try:
                    status, kind, body = product.answer(split.path, parse_qs(split.query))
                except (requests.RequestException, AssertionError) as error:
                    status, kind, body = 502, "text/plain", str(error).encode()
                self.answer(status, f"{kind}; charset=utf-8", body)

        self.serve(Answers)

    def address(self, view: View) -> str:
        return f"{self.url}/app?{urlencode({'view': json.dumps(asdict(view))})}"

    def answer(self, path: str, query: dict[str, list[str]]) -> tuple[int, str, bytes]:
        if path in ("/product.js", "/product.css"):
            return 200, "text/javascript" if path.endswith("js") else "text/css", (self.folder / path[1:]).read_bytes()
        if path not in ("/app", "/token"):
            return 404, "text/plain", b""
        view = View(**json.loads(query["view"][0]))
        if path == "/token":
            if self.broken:
                return 500, "text/plain", b"The product is out of order."
            return 200, "text/plain", self.token(view).encode()
        wanted: dict[str, Any] = {**asdict(view), "api": view.api or self.stage, "token": self.token(view) if view.tokens == "string" else None}
        return 200, "text/html", PAGE.format(wanted=json.dumps(wanted).replace("<", "\\u003c")).encode()

    def token(self, view: View) -> str:
        """What the product's backend has for this person: of those given, else a new one of the stage."""
        self.asked += 1
        return self.given.pop(0) if self.given else self.mint(view)

    def mint(self, view: View, expires_in: int | None = None) -> str:
        """A token from POST /widgets/token, with the product's API key."""
        wanted = {"user_id": view.user, "organization_id": view.organization, "organization_name": view.organization_name, "scopes": list(view.scopes), "expires_in": expires_in}
        body = {name: value for name, value in wanted.items() if value}
        answer = requests.post(f"{self.stage}/widgets/token", json=body, headers={"Authorization": f"Bearer {self.api_key}"}, timeout=60)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])
