"""The tools of `frontend/`, installed once, and a customer's page in front of the session's sandbox."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from ops.local.sandbox import Sandbox
from tests.browser import Api
from tests.cloud import ROOT
from tests.frontend.host import Host
from tests.frontend.providers import Tokens, offer
from tests.frontend.screen import Screen
from tests.peers.node import ensure_node_packages


@pytest.fixture(scope="session")
def tools() -> Path:
    """`frontend/` with what its lockfile names, and npm to run it with."""
    return ensure_node_packages(ROOT / "frontend")


@pytest.fixture
def host(sandbox: Sandbox) -> Iterator[Host]:
    """A page of this test's own, so that what its backend answers is this test's alone."""
    running = Host(sandbox.url, sandbox.api_key)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def screen(host: Host, person: BrowserContext) -> Iterator[Screen]:
    """A person on that page; no script of it may fail on the way."""
    shown = Screen(host, person)
    yield shown
    assert shown.said == []


@pytest.fixture(scope="session")
def tokens() -> Iterator[Tokens]:
    running = Tokens()
    yield running
    running.stop()


@pytest.fixture
def offered(api: Api, tokens: Tokens) -> Tokens:
    """The stage offers what is connected by forms: Weather by key, Ledger by client credentials, Atlas by either or OAuth."""
    offer(api, tokens)
    return tokens
