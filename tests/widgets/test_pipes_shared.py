"""<Pipes enableSharedConnections>: what the person's organization shares, above what is the person's own."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.widgets.product import View
from tests.widgets.screen import Screen
from tests.widgets.stage import GITHUB, Stage


@pytest.fixture
def view(stage: Stage) -> View:
    return View(user=stage.new("user"), organization=stage.new("org"), organization_name="Initech", shared=True)


def card(screen: Screen, row: str, which: int) -> Locator:
    """The row in the first list (the organization's) or the last (the person's own)."""
    return screen.page.locator(".woswidgets-card-list").nth(which).locator(".woswidgets-card-list-item", has=screen.page.get_by_text(row, exact=True))


def test_what_the_organization_shares_is_shown_and_cannot_be_changed(screen: Screen, stage: Stage, view: View) -> None:
    stage.offer("stripe", "api_key", ownership="organization")
    stage.share_key("stripe", str(view.organization), view.user, "rk_test_12345678901234567890WxYz")
    kept = screen.keep_back("/_widgets/DataIntegrations/shared-connections")
    screen.open(view)
    screen.shows("Pipes, shared: loading", "Shared connections", "Google Drive")
    kept[0].continue_()
    screen.shows(
        "Pipes, shared: available", "Shared connections", "Accounts Initech owns and shares with everyone.", "Available", "Your connections", "Connect your account to access these connections."
    )
    expect(card(screen, "Stripe", 0).get_by_role("button")).to_have_count(0)
    stage.mark_shared("stripe", str(view.organization), view.user)
    screen.open(View(user=stage.new("user"), organization=view.organization, shared=True))
    screen.shows("Pipes, shared: needs an administrator", "Accounts your organization owns and shares with everyone.", "Needs admin attention")
    screen.open(View(user=view.user, organization=view.organization, shared=True, filter="slugs", slugs=(GITHUB,)))
    screen.shows("Pipes, shared: everything is filtered away", "Shared connections", "No integrations to show.")
    screen.open(View(user=view.user, organization=stage.new("org"), shared=True))
    expect(screen.page.get_by_text("Your connections")).to_be_visible()
    expect(screen.page.get_by_text("Shared connections")).to_have_count(0)


def test_members_have_accounts_of_their_own_in_the_same_view(screen: Screen, stage: Stage, view: View) -> None:
    organization = {"organization_id": str(view.organization)}
    stage.offer("stripe", "api_key")
    stage.offer("zendesk", "client_credentials")
    screen.open(view)
    card(screen, "GitHub", -1).get_by_role("button", name="Connect").click()
    screen.connect(screen.button("Connect"), "hubot").close()
    screen.come_back()
    screen.shows("Pipes, shared: own OAuth", "Connected via OAuth", within=card(screen, "GitHub", -1))
    card(screen, "Stripe", -1).get_by_role("button", name="Connect").click()
    screen.page.get_by_placeholder("Enter your API key").fill("rk_test_12345678901234567890AaAa")
    screen.button("Connect").click()
    screen.shows("Pipes, shared: own API key", "Connected via API key", within=card(screen, "Stripe", -1))
    card(screen, "Zendesk", -1).get_by_role("button", name="Connect").click()
    dialog = screen.page.get_by_role("dialog")
    dialog.get_by_label("Client ID").fill(stage.new("client"))
    dialog.get_by_label("Client secret").fill("secret-of-initech-1234")
    dialog.get_by_label("Zendesk subdomain").fill("initech")
    screen.button("Connect").click()
    screen.shows("Pipes, shared: own client credentials", "Connected via client credentials", within=card(screen, "Zendesk", -1))

    for name, item in (("Stripe", "Rotate API key"), ("Zendesk", "Update client credentials")):
        card(screen, name, -1).get_by_title("Pipe actions").click()
        screen.choose(item)
        screen.button("Cancel").click()
    for slug in (GITHUB, "stripe", "zendesk"):
        stage.mark(slug, view.user, **organization)
    screen.come_back()
    screen.shows("Pipes, shared: own OAuth stopped working", "Requires reauthorization", "Reauthorize", within=card(screen, "GitHub", -1))
    screen.shows("Pipes, shared: own API key stopped working", "Update your API key", "Update key", within=card(screen, "Stripe", -1))
    screen.shows("Pipes, shared: own client credentials stopped working", "Requires reauthorization", "Update credentials", within=card(screen, "Zendesk", -1))
    card(screen, "Stripe", -1).get_by_role("button", name="Update key").click()
    screen.page.get_by_placeholder("Enter your API key").fill("rk_test_12345678901234567890BbBb")
    screen.button("Connect").click()
    expect(card(screen, "Stripe", -1).get_by_text("Connected via API key")).to_be_visible()
    card(screen, "Zendesk", -1).get_by_role("button", name="Update credentials").click()
    screen.change_secret("1234", "secret-of-initech-5678")
    screen.button("Save").click()
    expect(card(screen, "Zendesk", -1).get_by_text("Connected via client credentials")).to_be_visible()
    screen.connect(card(screen, "GitHub", -1).get_by_role("button", name="Reauthorize"), "hubot").close()
    screen.come_back()
    expect(card(screen, "GitHub", -1).get_by_text("Connected via OAuth")).to_be_visible()
    card(screen, "GitHub", -1).get_by_title("Pipe actions").click()
    screen.choose("Disconnect account")
    screen.button("Disconnect").click()
    expect(card(screen, "GitHub", -1).get_by_role("button", name="Connect")).to_be_visible()
    assert stage.token(GITHUB, view.user, view.organization)["error"] == "not_installed"


def test_the_own_connections_are_usable_when_the_shared_ones_cannot_be_read(screen: Screen, stage: Stage, view: View) -> None:
    screen.page.route(re.compile("/shared-connections$"), lambda route: route.abort())
    screen.open(view)
    expect(screen.page.get_by_text("Your connections")).to_be_visible()
    expect(screen.page.get_by_text("Shared connections")).to_have_count(0)
    expect(screen.row("GitHub").get_by_role("button", name="Connect")).to_be_visible()
