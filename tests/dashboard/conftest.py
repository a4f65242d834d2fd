"""A stage behind the gateway, and administrators with a browser of their own."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from chalicelib.doors.dashboard_rows import Role
from tests.web.conftest import at_django, gateway_once, open_site, site, web_django
from tests.web.gateway import Answer
from tests.web.people import Browser, Site

__all__ = ["at_django", "gateway_once", "open_site", "site", "web_django"]

ACTOR = "arn:aws:iam::000000000000:user/olga"


@dataclass
class Administrator:
    """Somebody with the dashboard open: sends what its page sends."""

    site: Site
    browser: Browser
    csrf: str = field(default="", repr=False)

    def get(self, path: str) -> Any:
        answer = self.browser("GET", f"/dashboard/api{path}")
        assert answer.status == 200, answer.text
        return answer.json()

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        sent = {"Content-Type": "application/json", "X-CSRF-Token": self.csrf, "Origin": self.site.stage.environ["STANDPIPE_URL"], **headers}
        cookie = "; ".join(f"{name}={value}" for name, value in self.browser.cookies.items())
        return self.site.gateway(method, f"/dashboard/api{path}", headers={**sent, "Cookie": cookie}, body=json.dumps(body or {}))

    def done(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.send(method, path, body)
        assert answer.status in (200, 201), answer.text
        return answer.json()


def exchange(site: Site, token: str, **headers: str) -> Answer:
    """What the sign-in page does with a link's token."""
    sent = {"Content-Type": "application/json", "Origin": site.stage.environ["STANDPIPE_URL"], **headers}
    return site.gateway("POST", "/dashboard/api/sign-in", headers=sent, body=json.dumps({"token": token}))


def cookie_of(answer: Answer) -> dict[str, str]:
    name, _, value = answer.one("set-cookie").split(";")[0].partition("=")
    return {name: value}


Enter = Callable[..., Administrator]


@pytest.fixture
def enter() -> Enter:
    """Signs somebody in to a site."""

    def entered(site: Site, role: Role = "administrator") -> Administrator:
        answer = exchange(site, site.engine.sign_in.mint(ACTOR, role))
        assert answer.status == 200, answer.text
        browser = site.browser()
        browser.cookies |= cookie_of(answer)
        administrator = Administrator(site, browser)
        administrator.csrf = administrator.get("/session")["csrf"]
        return administrator

    return entered


@pytest.fixture
def olga(site: Site, enter: Enter) -> Administrator:
    return enter(site)
