"""A stage behind the gateway, and administrators with a browser of their own."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, Locator, Page, expect

from chalicelib.doors.dashboard_rows import Role
from ops import dashboard as ops_dashboard
from ops.local.sandbox import Sandbox
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


Open = Callable[..., Page]


@pytest.fixture
def opened(sandbox: Sandbox, browser: Chromium) -> Iterator[Open]:
    """Signs somebody in by a fresh link, in a browser of their own. A page that raises, or asks anybody else for anything, fails the test."""
    contexts: list[BrowserContext] = []
    said: list[str] = []

    def open_dashboard(*, read_only: bool = False, width: int = 1280, height: int = 860, scheme: str = "light") -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, locale="en-US", reduced_motion="reduce", color_scheme=scheme)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("console", lambda message: said.append(message.text) if "Content Security Policy" in message.text else None)
        page.on("request", lambda request: None if request.url.startswith((sandbox.url, "data:", "about:")) else said.append(f"asked {request.url}"))
        page.on("dialog", lambda dialog: said.append("a script of somebody else ran"))
        page.goto(ops_dashboard.link(sandbox.environ, read_only=read_only))
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Overview")).to_be_visible(timeout=30_000)
        return page

    yield open_dashboard
    for context in contexts:
        context.close()
    assert said == []


def menu(page: Page, name: str) -> Locator:
    return page.get_by_role("navigation").get_by_role("link", name=name, exact=True)
