"""The customer's product in front of the session's sandbox, and a person who looks at it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, expect

from ops.local.sandbox import Sandbox
from tests.browser import Api
from tests.widgets.packages import bundle
from tests.widgets.product import Product
from tests.widgets.screen import Screen
from tests.widgets.stage import Stage

expect.set_options(timeout=30_000)  # a stage on a machine that does other work as well


@pytest.fixture(scope="session")
def _bundled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    folder = tmp_path_factory.mktemp("product")
    bundle(folder)
    yield folder


@pytest.fixture
def product(sandbox: Sandbox, _bundled: object) -> Iterator[Product]:
    """A product of this test's own, so that what its backend answers is this test's alone."""
    running = Product(_bundled, sandbox.url, sandbox.api_key)  # type: ignore[arg-type]
    running.start()
    yield running
    running.stop()


@pytest.fixture
def stage(api: Api) -> Stage:
    """The deployed stage, as the product's backend and as the administrators of its organizations reach it."""
    return Stage(api)


@pytest.fixture
def screen(product: Product, person: BrowserContext) -> Iterator[Screen]:
    """One person's browser on the product's page."""
    shown = Screen(product, person)
    yield shown
