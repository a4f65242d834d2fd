"""One sandbox for all end-to-end tests of a session, a headless Chromium, and the page an application is returned to."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from ops.local.sandbox import Sandbox, free_port
from tests.run import CHROMIUM

PICTURES = os.environ.get("STANDPIPE_PICTURES")


class Landing:
    """The application's return URL: remembers every address it was called with."""

    def __init__(self) -> None:
        self.visits: list[str] = []
        landing = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                landing.visits.append(self.path)
                body = b"<!doctype html><title>Acme</title><h1>Back at Acme</h1>"
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://localhost:{self._server.server_address[1]}/connected"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Api:
    """The public API as an application's backend calls it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {sandbox.api_key}"

    def call(self, method: str, path: str, **body: Any) -> requests.Response:
        return self.session.request(method, self.sandbox.url + path, json=body or None, timeout=60)

    def authorize(self, slug: str, user: str, **more: Any) -> dict[str, Any]:
        answer = self.call("POST", f"/data-integrations/{slug}/authorize", user_id=user, **more)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def token(self, slug: str, user: str, **more: Any) -> dict[str, Any]:
        answer = self.call("POST", f"/data-integrations/{slug}/token", user_id=user, **more)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def rejected(self, slug: str, user: str, generation: int) -> dict[str, Any]:
        return dict(self.call("POST", f"/data-integrations/{slug}/token/rejected", user_id=user, generation=generation).json())

    def knob(self, slug: str, **body: Any) -> None:
        answer = requests.post(f"{self.sandbox.url}/simulator/{slug}/knobs", json=body, timeout=30)
        assert answer.status_code == 200, answer.text

    def hits(self, slug: str, kind: str = "refresh_token") -> int:
        return int(requests.get(f"{self.sandbox.url}/simulator/hits", timeout=30).json().get(slug, {}).get(kind, 0))


@pytest.fixture(scope="session")
def landing() -> Iterator[Landing]:
    page = Landing()
    yield page
    page.stop()


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory, landing: Landing) -> Iterator[Sandbox]:
    """A whole sandbox, deployed by a real `chalice deploy`."""
    running = Sandbox(tmp_path_factory.mktemp("sandbox"), port=free_port(), settings={"STANDPIPE_RETURN_URLS": landing.url, "STANDPIPE_LOG_LEVEL": "DEBUG"})
    with running:
        yield running


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[Api]:
    backend = Api(sandbox)
    yield backend
    backend.session.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium; the calls home that a fresh one makes are off, because there is no network to make them on."""
    path = next(found for name in CHROMIUM if (found := shutil.which(name)))
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=quiet)
        yield chromium
        chromium.close()


@pytest.fixture
def person(browser: Browser) -> Iterator[BrowserContext]:
    """Somebody's browser, with no cookies yet."""
    context = browser.new_context(viewport={"width": 900, "height": 760}, locale="en-US")
    yield context
    context.close()


@pytest.fixture
def page(person: BrowserContext) -> Page:
    return person.new_page()


@pytest.fixture
def picture() -> Callable[[Page, str], None]:
    """Keeps a screenshot under docs/pictures when STANDPIPE_PICTURES is set."""

    def keep(shown: Page, name: str) -> None:
        if PICTURES:
            Path(PICTURES).mkdir(parents=True, exist_ok=True)
            shown.screenshot(path=str(Path(PICTURES) / f"{name}.png"))

    return keep
