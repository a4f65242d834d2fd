"""The story of README.md, from a provider nobody has set up to a connection that is ended, with the mouse alone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, expect

from ops.local.sandbox import Sandbox
from tests import axe
from tests.browser import Api
from tests.demo.acme import SLOW, Administrator, Visitor, revoke_at_simulator


@pytest.fixture
def administrator(api: Api, sandbox: Sandbox, person: BrowserContext) -> Iterator[Administrator]:
    """Whatever becomes of the test, the other tests find GitHub enabled."""
    yield Administrator(sandbox, person)
    assert api.call("PUT", "/data-integrations/github", enabled=True).status_code == 200


def test_the_whole_story_with_the_mouse_alone(visitor: Visitor, administrator: Administrator) -> None:
    administrator.github(enabled=False)
    visitor.open()
    expect(visitor.page.locator("[data-provider=slack]")).to_be_visible(timeout=SLOW)
    expect(visitor.github).to_have_count(0)
    visitor.lists("GitHub is not connected.")

    administrator.github(enabled=True)
    visitor.open()
    expect(visitor.github).to_contain_text("Not connected", timeout=SLOW)

    visitor.connect("Hubot")
    visitor.hears("Ana connected GitHub", "connected")
    visitor.lists("hubot/")

    provider = visitor.follow("Play the provider")
    revoke_at_simulator(provider, "hubot")
    provider.close()
    visitor.lists("GitHub no longer accepts this connection. Reauthorize it under Connected accounts, then list again.")
    visitor.hears("Ana has to reauthorize GitHub", "reauthorization_needed")
    expect(visitor.github.get_by_text("Needs attention")).to_be_visible(timeout=SLOW)
    assert axe.findings(visitor.page) == []

    visitor.connect("Hubot", "Reauthorize hubot at GitHub", "GitHub is connected again.")
    visitor.hears("Ana connected GitHub", "connected")
    visitor.lists("hubot/")

    visitor.button("Disconnect hubot from GitHub").click()
    visitor.page.get_by_role("dialog").get_by_role("button", name="Disconnect").click()
    visitor.news("GitHub is disconnected, and its access was revoked at GitHub.")
    visitor.hears("Ana disconnected GitHub", "disconnected")
    expect(visitor.repositories).to_be_empty()
    visitor.lists("GitHub is not connected.")


def test_the_link_to_the_dashboard_says_how_to_sign_in(visitor: Visitor) -> None:
    dashboard = visitor.follow("Open the dashboard")
    expect(dashboard.get_by_role("heading", name="You are signed out")).to_be_visible(timeout=SLOW)
    expect(dashboard.get_by_text("make dashboard")).to_be_visible()
