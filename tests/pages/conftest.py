"""People in front of the hosted pages of the session's sandbox, a provider that means them harm, and a site of somebody else."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.browser import Api
from tests.pages.elsewhere import Elsewhere
from tests.pages.rogue import Rogue
from tests.pages.visit import Visit
from tests.web.conftest import gateway_once, open_site

__all__ = ["gateway_once", "open_site"]


@pytest.fixture
def visit(api: Api, person: BrowserContext) -> Visit:
    return Visit(api, person)


@pytest.fixture
def stranger(api: Api, browser: Browser) -> Iterator[Visit]:
    """Somebody else, in another browser."""
    context = browser.new_context(viewport={"width": 900, "height": 760}, locale="en-US", reduced_motion="reduce")
    yield Visit(api, context)
    context.close()


@pytest.fixture(scope="session")
def rogue() -> Iterator[Rogue]:
    running = Rogue()
    yield running
    running.stop()


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    running = Elsewhere()
    yield running
    running.stop()
