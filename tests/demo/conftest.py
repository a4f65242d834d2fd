"""The demo before the session's sandbox, and people at it who have nothing connected yet."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext

from ops.local.sandbox import Sandbox
from tests.browser import Api
from tests.demo.acme import PEOPLE, Demo, Start, Visitor


@pytest.fixture(scope="module")
def start(sandbox: Sandbox) -> Iterator[Start]:
    """Starts demos, each ended with the tests of its file."""
    running: list[Demo] = []

    def started(**more: object) -> Demo:
        running.append(Demo(sandbox.directory / "standpipe.env", **more))  # type: ignore[arg-type]
        return running[-1]

    yield started
    for demo in running:
        demo.end()


@pytest.fixture(scope="module")
def demo(start: Start) -> Demo:
    """One for the tests of a file; an event in its panel is the newest, whatever earlier tests left there."""
    return start()


@pytest.fixture
def nobody_connected(api: Api) -> None:
    """No user of Acme."""
    for user, organization in PEOPLE.items():
        api.session.delete(f"{api.sandbox.url}/user_management/users/{user}/connected_accounts/github", params={"organization_id": organization}, timeout=60)


@pytest.fixture
def visitor(nobody_connected: None, demo: Demo, person: BrowserContext) -> Iterator[Visitor]:
    """At the page; it may fail nowhere on the way, and ask nobody but Acme and Standpipe."""
    here = Visitor(demo, person)
    here.open()
    yield here
    assert here.said == []
