"""What a test in a browser uses: an application's backend before the session's sandbox, and one headless Chromium for all of them.

Rule: the fixtures are of the whole session, because a process can hold one Playwright only.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from ops.local.sandbox import Sandbox
from tests.run import CHROMIUM

PICTURES = os.environ.get("STANDPIPE_PICTURES")
expect.set_options(timeout=30_000)  # a stage on a machine that does other work


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


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[Api]:
    backend = Api(sandbox)
    yield backend
    backend.session.close()


def warm(sandbox: Sandbox) -> None:
    """A container for each request that a page and its window make at once: starting one takes seconds where others compute as well, and widgets give a window ten."""
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: requests.get(f"{sandbox.url}/pipes/redirecting", timeout=60), range(6)))
    assert {answer.status_code for answer in answers} == {200}


@pytest.fixture(scope="session")
def warmed(sandbox: Sandbox) -> None:
    warm(sandbox)


def launch(playwright: Playwright) -> Browser:
    """A real Chromium; the calls home that a fresh one makes are off, because there is no network to make them on."""
    path = next(found for name in CHROMIUM if (found := shutil.which(name)))
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    return playwright.chromium.launch(executable_path=path, args=quiet)


@pytest.fixture(scope="session")
def browser(warmed: None) -> Iterator[Browser]:
    """One for all tests: starting it takes as long as a short test."""
    with sync_playwright() as playwright:
        chromium = launch(playwright)
        yield chromium
        chromium.close()


@pytest.fixture
def person(browser: Browser, sandbox: Sandbox) -> Iterator[BrowserContext]:
    """Somebody's browser, with no cookies yet, before a stage that is warm still: containers nobody asks for a while are ended."""
    warm(sandbox)
    context = browser.new_context(viewport={"width": 900, "height": 760}, locale="en-US", reduced_motion="reduce")
    yield context
    context.close()


def alone(page: Page) -> None:
    """Waits until every other window of this person is closed."""
    until = time.monotonic() + 30
    while len(page.context.pages) > 1:
        assert time.monotonic() < until, "a window is not closed"
        page.wait_for_timeout(50)


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
