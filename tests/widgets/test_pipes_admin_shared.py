"""<PipesAdmin enableSharedConnections>: the accounts that an organization owns and shares with its members."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.widgets.product import MANAGE, View
from tests.widgets.screen import Screen
from tests.widgets.stage import CLIENT, GITHUB, SECRET, Stage

AUTHORIZE = "POST /_widgets/DataIntegrations/{}/organization/authorize"
CONFIGURE = "PUT /_widgets/DataIntegrations/{}/organization/configuration"


@pytest.fixture
def view(stage: Stage) -> View:
    return View(widget="pipes-admin", user=stage.new("admin"), organization=stage.new("org"), organization_name="Initech", scopes=(MANAGE,), shared=True)


def card(screen: Screen, row: str, which: int = 0) -> Locator:
    """The row among the shared connections, or in the last list, the provider settings."""
    return screen.page.locator(".woswidgets-card-list").nth(which).locator(".woswidgets-card-list-item", has=screen.page.get_by_text(row, exact=True))


def test_an_administrator_connects_reauthorizes_and_disconnects_for_everybody(screen: Screen, stage: Stage, view: View) -> None:
    organization, member = str(view.organization), stage.new("user")
    stage.offer(GITHUB, "oauth", ownership="organization")
    kept = screen.keep_back("/_widgets/DataIntegrations/organization")
    screen.open(view)
    screen.shows("PipesAdmin, shared: loading", "Shared connections", "Google Drive", "Provider settings", "What members of this organization can connect to, and with which scopes.")
    kept[0].continue_()
    github = card(screen, "GitHub")
    screen.shows("PipesAdmin, shared: not connected", "Accounts Initech owns and shares with everyone.", "Connect")
    github.get_by_role("button", name="Connect").click()
    screen.shows("PipesAdmin, shared: connect dialog", "Acme uses WorkOS to connect to GitHub.")
    popup = screen.connect(screen.button("Connect"), "hubot")
    expect(popup.get_by_role("heading", level=1)).to_have_text("GitHub is connected")
    popup.close()
    assert screen.bodies(AUTHORIZE) == [{"config": {}}]
    screen.come_back()
    screen.shows("PipesAdmin, shared: connected by OAuth", "Connected via OAuth", "More actions", within=github)
    before = stage.token(GITHUB, member, organization, connection_owner="organization")
    assert before["active"] and stage.works_at_github(before["access_token"]["access_token"])
    assert stage.token(GITHUB, member, organization)["error"] == "not_installed", "it is nobody's own"
    github.get_by_title("More actions").click()
    screen.shows("PipesAdmin, shared: what can be done with it", "Reauthorize", "Configure", "Disconnect")
    screen.choose("Reauthorize")
    screen.button("Cancel").click()

    stage.mark_shared(GITHUB, organization, str(view.user))
    screen.come_back()
    screen.shows("PipesAdmin, shared: needs attention", "Needs attention", "Reauthorize", within=github)
    github.get_by_role("button", name="Reauthorize").click()
    screen.connect(screen.button("Connect"), "hubot").close()
    screen.come_back()
    expect(github.get_by_text("Connected via OAuth")).to_be_visible()
    after = stage.token(GITHUB, member, organization, connection_owner="organization")["access_token"]
    assert after["connected_account_id"] == before["access_token"]["connected_account_id"]

    github.get_by_title("More actions").click()
    screen.choose("Disconnect")
    screen.shows(
        "PipesAdmin, shared: disconnect dialog", "Disconnect shared connection",
        "Are you sure you want to disconnect the GitHub account your organization shares with everyone? Members will lose access to it.", "Cancel", "Disconnect",
    )  # fmt: skip
    screen.page.route(re.compile("/organization/installations/"), lambda route: route.abort(), times=1)
    screen.button("Disconnect").click()
    screen.shows("PipesAdmin, shared: disconnecting fails", "An error occurred while disconnecting this connection. Please refresh the page and try again.")
    screen.button("Disconnect").click()
    expect(github.get_by_role("button", name="Connect")).to_be_visible()
    assert stage.token(GITHUB, member, organization, connection_owner="organization")["error"] == "not_installed"
    assert not stage.works_at_github(after["access_token"])


def test_an_api_key_for_everybody(screen: Screen, stage: Stage, view: View) -> None:
    organization = str(view.organization)
    stage.offer("stripe", "api_key", ownership="organization")
    screen.open(view)
    stripe = card(screen, "Stripe")
    field = screen.page.get_by_placeholder("Enter your API key")
    stripe.get_by_role("button", name="Connect").click()
    field.fill("rk_test_12345678901234567890AaAa")
    screen.button("Connect").click()
    screen.shows("PipesAdmin, shared: connected by API key", "Connected via API key", within=stripe)
    stripe.get_by_title("More actions").click()
    screen.choose("Rotate API key")
    screen.shows("PipesAdmin, shared: rotate an API key", "Rotate API key for Stripe", "••••AaAa", "Rotate")
    field.fill("rk_test_12345678901234567890BbBb")
    screen.button("Rotate").click()
    expect(screen.page.get_by_role("dialog")).to_have_count(0)
    stage.mark_shared("stripe", organization, view.user)
    screen.come_back()
    screen.shows("PipesAdmin, shared: the API key stopped working", "Needs attention", "Update API key", within=stripe)
    stripe.get_by_role("button", name="Update API key").click()
    field.fill("rk_test_12345678901234567890CcCc")
    screen.button("Connect").click()
    expect(stripe.get_by_text("Connected via API key")).to_be_visible()
    member = stage.new("user")
    assert stage.credentials("stripe", member, organization, connection_owner="organization")["credential"]["value"] == "rk_test_12345678901234567890CcCc"


def test_client_credentials_for_everybody(screen: Screen, stage: Stage, view: View) -> None:
    organization = str(view.organization)
    stage.offer("zendesk", "client_credentials", ownership="organization")
    screen.open(view)
    zendesk, dialog = card(screen, "Zendesk"), screen.page.get_by_role("dialog")
    zendesk.get_by_role("button", name="Connect").click()
    dialog.get_by_label("Client ID").fill(stage.new("client"))
    dialog.get_by_label("Client secret").fill("secret-of-initech-1234")
    dialog.get_by_label("Zendesk subdomain").fill("initech")
    screen.button("Connect").click()
    screen.shows("PipesAdmin, shared: connected by client credentials", "Connected via client credentials", within=zendesk)
    zendesk.get_by_title("More actions").click()
    screen.shows("PipesAdmin, shared: client credentials", "Update client credentials", "Configure", "Disconnect")
    screen.choose("Update client credentials")
    screen.change_secret("1234", "secret-of-initech-5678")
    screen.button("Save").click()
    expect(dialog).to_have_count(0)
    assert stage.token("zendesk", stage.new("user"), organization, connection_owner="organization")["active"]


def test_the_organizations_own_client_makes_a_provider_connectable(screen: Screen, stage: Stage, view: View) -> None:
    stage.provider("Acme Shared", "oauth", ownership="organization", scopes=["notes.read"], credentials={"type": "organization"})
    screen.open(view)
    row, dialog = card(screen, "Acme Shared"), screen.page.get_by_role("dialog")
    screen.shows("PipesAdmin, shared: needs the organization's OAuth client", "Enter your organization's OAuth client to make this connectable.", "Configure", within=row)
    expect(row.get_by_role("button")).to_have_count(1)
    row.get_by_role("button", name="Configure").click()
    dialog.get_by_placeholder("Enter your Acme Shared Client ID").fill(CLIENT)
    dialog.get_by_placeholder("Enter your Acme Shared Client Secret").fill(SECRET)
    screen.button("Next").click()
    screen.button("Save").click()
    row.get_by_role("button", name="Connect").click()
    popup = screen.connect(screen.button("Connect"), "octocat")
    expect(popup.get_by_role("heading", level=1)).to_have_text("Acme Shared is connected")
    screen.come_back()
    expect(row.get_by_text("Connected via OAuth")).to_be_visible()


def test_what_is_off_says_who_turned_it_off(screen: Screen, stage: Stage, view: View) -> None:
    slug = stage.provider("Acme Switched", "api_key", ownership="organization")
    own = stage.provider("Acme Waiting", "oauth", scopes=["notes.read"], credentials={"type": "organization"})
    screen.open(view)
    screen.shows("PipesAdmin, shared: members wait for the organization's client", "Not configured", within=card(screen, "Acme Waiting", -1))
    row = card(screen, "Acme Switched")
    row.get_by_title("More actions").click()
    screen.choose("Configure")
    screen.page.get_by_role("switch", name="Enable").click()
    screen.button("Save").click()
    screen.shows("PipesAdmin, shared: off for the organization", "Disabled for your organization", within=row)
    assert screen.bodies(CONFIGURE) == [{"enabled": False}]
    expect(row.get_by_role("button", name="Connect")).to_have_count(0)
    stage.switch(slug, False, "organization")
    screen.come_back()
    screen.shows("PipesAdmin, shared: off by the developer", "Disabled by developer", within=row)
    stage.configure(str(view.organization), own, enabled=False)
    screen.come_back()
    screen.shows("PipesAdmin, shared: members' provider is off", "Disabled for your organization", within=card(screen, "Acme Waiting", -1))


def test_members_settings_are_usable_when_the_shared_ones_cannot_be_read(screen: Screen, stage: Stage, view: View) -> None:
    screen.page.route(re.compile("/DataIntegrations/organization$"), lambda route: route.abort())
    screen.open(view)
    expect(screen.page.get_by_text("Provider settings")).to_be_visible()
    expect(screen.page.get_by_text("Shared connections")).to_have_count(0)
    expect(screen.row("GitHub").get_by_role("button", name="Configure")).to_be_visible()
