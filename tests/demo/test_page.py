"""Acme's page and its three calls: whose connections are shown, who is refused, and that no text of anybody becomes markup."""

import json
import re
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import jwt
import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, expect

from tests import axe
from tests.browser import Api
from tests.demo.acme import FOLDER, SLOW, Demo, Start, Visitor
from tests.e2e.test_story import connect

EVIL = "<img src=x onerror=alert(1)>"


class Caller:
    """A browser's session without a browser: its cookie, and the token of its page."""

    def __init__(self, demo: Demo) -> None:
        self.http, self.url = requests.Session(), demo.url
        self.read()

    def read(self) -> None:
        found = re.search('name="csrf-token" content="([^"]+)"', self.http.get(self.url, timeout=30).text)
        assert found
        self.csrf = found[1]

    def post(self, path: str, csrf: str | None = None, **more: object) -> requests.Response:
        return self.http.post(self.url + path, headers={"X-CSRF-Token": self.csrf if csrf is None else csrf}, allow_redirects=False, timeout=60, **more)  # type: ignore[arg-type]


# who sees what


def test_each_user_sees_their_own_connections_and_nobody_elses(visitor: Visitor) -> None:
    visitor.connect("The Octocat")
    visitor.lists("octocat/")
    visitor.sign_in_as("Ben")
    expect(visitor.github).to_contain_text("Not connected")
    visitor.lists("GitHub is not connected.")
    visitor.connect("Hubot")
    visitor.lists("hubot/")
    expect(visitor.github).not_to_contain_text("octocat")
    expect(visitor.repositories).not_to_contain_text("octocat")
    visitor.sign_in_as("Carla")
    expect(visitor.github).to_contain_text("Not connected")
    visitor.lists("GitHub is not connected.")
    visitor.sign_in_as("Ana")
    expect(visitor.github).to_contain_text("octocat")
    expect(visitor.github).not_to_contain_text("hubot")
    visitor.lists("octocat/")
    visitor.button("Disconnect octocat from GitHub").click()
    visitor.page.get_by_role("dialog").get_by_role("button", name="Disconnect").click()
    visitor.hears("Ana disconnected GitHub", "disconnected")
    visitor.sign_in_as("Ben")
    expect(visitor.github).to_contain_text("hubot")


def test_a_page_that_is_still_open_for_somebody_else_gets_nothing_any_more(visitor: Visitor, person: BrowserContext) -> None:
    other = Visitor(visitor.demo, person)
    other.open()
    other.sign_in_as("Ben")
    visitor.lists("Your session has ended. Reload the page.")


def test_whose_token_it_is_comes_from_the_session_alone(demo: Demo) -> None:
    caller = Caller(demo)
    claims = jwt.decode(caller.post("/api/widget-token", data={"user": "user_ben", "user_id": "user_ben"}).text, options={"verify_signature": False})
    assert (claims["sub"], claims["org_id"], claims["permissions"]) == ("user_ana", "org_globex", [])
    assert caller.post("/sign-in", data={"user": "user_carla"}).status_code == 303
    caller.read()
    claims = jwt.decode(caller.post("/api/widget-token").text, options={"verify_signature": False})
    assert (claims["sub"], claims["org_id"]) == ("user_carla", "org_initech")


@pytest.mark.parametrize("path", ["/api/widget-token", "/api/repositories", "/sign-in"])
def test_without_the_sessions_own_token_nothing_is_done(demo: Demo, path: str) -> None:
    caller, stranger = Caller(demo), Caller(demo)
    for token in ("", "x", "ü", stranger.csrf):
        refused = caller.post(path, csrf=token.encode(), data={"user": "user_ben"})  # type: ignore[arg-type]
        assert (refused.status_code, refused.headers.get("Set-Cookie")) == (403, None)
    caller.http.cookies.clear()
    assert caller.post(path).status_code == 403


def test_events_are_for_who_is_signed_in(demo: Demo) -> None:
    assert requests.get(f"{demo.url}/api/events", timeout=30).status_code == 404


def test_another_name_for_this_machine_is_refused(demo: Demo) -> None:
    """A page of somebody else whose name is made to point here."""
    for method in ("GET", "POST"):
        assert requests.request(method, demo.url, headers={"Host": f"rebound.example:{demo.port}"}, timeout=30).status_code == 421
    assert requests.get(f"http://127.0.0.1:{demo.port}", timeout=30).status_code == 200


@pytest.mark.parametrize("path", ["/acme.py", "/../acme.py", "/static/acme.css", "/%2e%2e/acme.py", "/requirements.txt"])
def test_only_its_own_files_are_served(demo: Demo, path: str) -> None:
    asked = requests.Request("GET", demo.url).prepare()
    asked.url = demo.url + path  # as it is: `prepare` would tidy it
    assert requests.Session().send(asked, timeout=30).status_code == 404


def test_the_cookie_and_the_policy_are_strict(demo: Demo) -> None:
    answer = requests.get(demo.url, timeout=30)
    assert re.fullmatch(rf"acme_{demo.port}=[\w-]{{43}}; Path=/; HttpOnly; SameSite=Lax", answer.headers["Set-Cookie"])
    assert "unsafe" not in answer.headers["Content-Security-Policy"] and answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


# what people and providers call things


class OddGitHub:
    """Answers what it is told to, as a provider's API may."""

    def __init__(self) -> None:
        self.status, self.body = 200, json.dumps([{"full_name": EVIL, "private": False}])
        odd = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(odd.status)
                self.end_headers()
                self.wfile.write(odd.body.encode())

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def odd_github() -> Iterator[OddGitHub]:
    running = OddGitHub()
    yield running
    running.stop()


def test_what_users_providers_and_events_say_is_text(nobody_connected: None, api: Api, start: Start, odd_github: OddGitHub, person: BrowserContext, tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "demo")
    source = tmp_path / "demo" / "acme.py"
    named = source.read_text().replace('"Ana", "org_globex", "Globex"', f"'Ana\"{EVIL}', \"org_globex\", '\"{EVIL}'")
    assert EVIL in named
    source.write_text(named)
    visitor = Visitor(start(folder=tmp_path / "demo", GITHUB_API_URL=odd_github.url), person)
    visitor.open()
    expect(visitor.page.locator(".lead")).to_contain_text(f'Ana"{EVIL} of "{EVIL}')
    visitor.connect()
    visitor.lists(EVIL)
    connect(person.new_page(), api.authorize("github", f"user{EVIL}", account_display_name=EVIL, organization_id=f"org{EVIL}")["url"])
    visitor.hears(f"user{EVIL} connected GitHub", "connected")
    facts = visitor.page.get_by_role("log").get_by_role("listitem").first.locator(".facts span")
    expect(facts).to_have_text(["connected", EVIL, f"user{EVIL}", f"org{EVIL}"])
    expect(visitor.page.locator("img[src=x]")).to_have_count(0)
    assert visitor.said == []


def test_a_provider_that_fails_is_told_in_words(nobody_connected: None, start: Start, odd_github: OddGitHub, person: BrowserContext) -> None:
    visitor = Visitor(start(GITHUB_API_URL=odd_github.url), person)
    visitor.open()
    visitor.connect()
    for odd_github.status in (503, 403):
        visitor.lists(f"GitHub answered {odd_github.status}. Try again in a moment.")
    odd_github.status, odd_github.body = 200, "<h1>Maintenance</h1>"
    visitor.lists("GitHub answered with something that is no list. Try again in a moment.")
    odd_github.status, odd_github.body = 200, "[]"
    visitor.lists("This account has no repositories.")
    odd_github.stop()
    visitor.lists("GitHub does not answer. Try again in a moment.")


# how it looks


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_axe_finds_nothing(nobody_connected: None, demo: Demo, browser: Browser, look: str) -> None:
    size = {"width": 390, "height": 844} if look == "phone" else {"width": 1280, "height": 860}
    context = browser.new_context(viewport=size, color_scheme="dark" if look == "dark" else "light", locale="en-US")  # type: ignore[arg-type]
    visitor = Visitor(demo, context)
    visitor.open()
    found = {"empty": axe.findings(visitor.page)}
    visitor.lists("GitHub is not connected.")
    visitor.connect()
    visitor.hears("Ana connected GitHub", "connected")
    found["told"] = axe.findings(visitor.page)
    visitor.lists("octocat/")
    found["listed"] = axe.findings(visitor.page)
    assert visitor.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()
    assert found == {"empty": [], "told": [], "listed": []}
    assert visitor.said == []


def test_everything_is_reached_by_keyboard(visitor: Visitor) -> None:
    for name in ("Ana", "Ben"):
        visitor.page.keyboard.press("Tab")
        expect(visitor.button(name)).to_be_focused()
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.get_by_text("Ben of Globex")).to_be_visible(timeout=SLOW)
    visitor.ready()
    visitor.button("List my repositories").press("Enter")
    expect(visitor.repositories).to_contain_text("GitHub is not connected.", timeout=SLOW)
    expect(visitor.button("List my repositories")).to_be_focused()
