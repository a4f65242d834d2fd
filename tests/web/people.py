"""Who calls Standpipe in these tests: an application's backend, and people with a browser of their own."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import requests

from chalicelib import wiring
from chalicelib.doors.table import decode_item
from tests.cloud import Stage
from tests.engine.scenes import SLUG, Scene
from tests.peers import Peer
from tests.web.gateway import Answer, Gateway

RETURN_TO = "https://app.example/connected"
VERIFIER = "the-application-keeps-this-verifier-to-itself-1234"


class Clock:
    """The time of the stage; `ahead` may be moved."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Browser:
    """A browser: keeps cookies, follows nothing by itself."""

    gateway: Gateway
    origin: str = "http://localhost:8000"
    cookies: dict[str, str] = field(default_factory=dict)

    def __call__(self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: str | None = None) -> Answer:
        target = url.removeprefix(self.origin)
        sent = [*(headers or {}).items()]
        if self.cookies:
            sent.append(("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items())))
        if body is not None:
            sent.append(("Content-Type", "application/x-www-form-urlencoded"))
        answer = self.gateway(method, target, headers=sent, body=body)
        for line in answer.headers.get("set-cookie", []):
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value
        return answer

    def get(self, url: str, **more: Any) -> Answer:
        return self("GET", url, **more)

    def confirm(self, url: str) -> str:
        """Opens the link, says yes, and returns where the browser is sent: the provider."""
        opened = self.get(url)
        if opened.status == 303:
            return opened.location
        assert opened.status == 200, opened.text
        gone = self("POST", url, body=f"csrf={csrf_of(opened)}")
        assert gone.status == 303, gone.text
        return gone.location

    def arrive(self, back: str) -> Answer:
        """Opens the redirect back and follows it as long as it stays with us: the last page, or the redirect to the application."""
        answer = self.get(back)
        while answer.status == 303 and answer.location.startswith(self.origin + "/"):
            answer = self.get(answer.location)
        return answer

    def back_from(self, peer: Peer, url: str, user: str) -> str:
        """Confirms, allows at the provider; returns the address the provider sends the browser to, not opened yet."""
        return peer.approve(self.confirm(url), user=user)


def csrf_of(page: Answer) -> str:
    return page.text.split('name="csrf" value="')[1].split('"')[0]


@dataclass
class Site:
    """A stage with an API key, and the people around it."""

    stage: Stage
    gateway: Gateway
    clock: Clock
    key: str = field(repr=False)
    scene: Scene | None = None

    @property
    def engine(self) -> wiring.Engine:
        return wiring.engine()

    @property
    def at_peer(self) -> Scene:
        assert self.scene is not None
        return self.scene

    @property
    def peer(self) -> Peer:
        return self.at_peer.peer

    def api(self, method: str, path: str, body: Any = None, *, key: str | None = None, headers: Mapping[str, str] | None = None) -> Answer:
        sent = {"Authorization": f"Bearer {self.key if key is None else key}", **(headers or {})}
        return self.gateway(method, path, headers=sent, body=body)

    def browser(self) -> Browser:
        return Browser(self.gateway, self.stage.environ["STANDPIPE_URL"])

    def authorize(self, user: str, slug: str = SLUG, **more: Any) -> dict[str, Any]:
        answer = self.api("POST", f"/data-integrations/{slug}/authorize", {"user_id": user, **more})
        assert answer.status == 200, answer.text
        return dict(answer.json())

    def token(self, user: str, slug: str = SLUG, **more: Any) -> dict[str, Any]:
        answer = self.api("POST", f"/data-integrations/{slug}/token", {"user_id": user, **more})
        assert answer.status == 200, answer.text
        return dict(answer.json())

    def account(self, user: str, slug: str = SLUG) -> Answer:
        return self.api("GET", f"/user_management/users/{quote(user, safe='')}/connected_accounts/{slug}")

    def connect(self, user: str, *, at: str | None = None, **more: Any) -> Answer:
        """The whole trip in one browser; `at` is who logs in at the provider."""
        browser = self.browser()
        return browser.arrive(browser.back_from(self.peer, self.authorize(user, **more)["url"], at or user))

    def connected(self, user: str, **more: Any) -> dict[str, Any]:
        done = self.connect(user, **more)
        assert done.status in (200, 303), done.text
        return dict(self.account(user).json())

    def works(self, user: str) -> bool:
        """Whether the provider itself takes the token that Standpipe hands out."""
        answer = self.token(user)
        assert answer["active"], answer
        header = {"Authorization": f"Bearer {answer['access_token']['access_token']}"}
        return requests.get(self.peer.userinfo_endpoint, headers=header, timeout=10).status_code == 200

    def exchanges(self) -> int:
        return self.at_peer.posts("authorization_code")

    def rows(self) -> list[dict[str, Any]]:
        """The whole table, in one order; but for the day an API key was last used, which any call may note."""
        pages = wiring.engine().dynamodb.get_paginator("scan").paginate(TableName=self.stage.table, ConsistentRead=True)
        rows = [decode_item(item) for page in pages for item in page["Items"]]
        for row in rows:
            if "secret_digest" in row:
                row.pop("last_used_at", None)
        return sorted(rows, key=lambda row: (row["pk"], row.get("sk", "")))

    def connections(self) -> list[dict[str, Any]]:
        return [row for row in self.rows() if row.get("sk", "").startswith("connection#")]


def somebody() -> str:
    """A user nobody else in the session is; also their name at the peer."""
    return f"u{uuid.uuid4().hex[:12]}"


def query_of(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query, keep_blank_values=True)


def journal(printed: str, event: str) -> list[dict[str, Any]]:
    """The lines of one event in what a process printed."""
    lines = [json.loads(line) for line in printed.splitlines() if line.startswith('{"event"')]
    return [line for line in lines if line["event"] == event]
