"""The customer's product in front of the session's sandbox, and a person who looks at it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from ops.local.sandbox import Sandbox
from tests.browser import Api
from tests.sdk.peer import Machines
from tests.widgets.packages import bundle
from tests.widgets.product import Product
from tests.widgets.screen import Screen
from tests.widgets.stage import Stage


@pytest.fixture(scope="session")
def _bundled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("product")
    bundle(folder)
    return folder


@pytest.fixture
def product(sandbox: Sandbox, _bundled: Path) -> Iterator[Product]:
    """A product of this test's own, so that what its backend answers is this test's alone."""
    running = Product(_bundled, sandbox.url, sandbox.api_key)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def stage(api: Api) -> Iterator[Stage]:
    """The deployed stage, as the product's backend reaches it."""
    arranged = Stage(api)
    yield arranged
    arranged.tidy()


@pytest.fixture(scope="session")
def machines() -> Iterator[Machines]:
    """An authorization server that issues tokens for client credentials."""
    server = Machines()
    yield server
    server.stop()


@pytest.fixture
def screen(product: Product, person: BrowserContext) -> Iterator[Screen]:
    """One person's browser on the product's page."""
    shown = Screen(product, person)
    yield shown
    shown.record_calls()
