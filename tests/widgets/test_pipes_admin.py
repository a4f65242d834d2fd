"""<PipesAdmin>: what an administrator sets of what members may connect for themselves."""

import re

import pytest
from playwright.sync_api import expect

from tests.widgets.product import MANAGE, View
from tests.widgets.screen import Screen
from tests.widgets.stage import CLIENT, GITHUB, SECRET, Stage

CONFIGURE = "PUT /_widgets/DataIntegrations/{}/configuration"


@pytest.fixture
def view(stage: Stage) -> View:
    return View(widget="pipes-admin", user=stage.new("admin"), organization=stage.new("org"), scopes=(MANAGE,))


def of_organization(stage: Stage, view: View, slug: str) -> dict[str, object]:
    found = stage.call("GET", f"/organizations/{view.organization}/data_integration_configurations", ownership="user")["data"]
    return next(each for each in found if each["slug"] == slug)


def test_rows_are_bars_until_the_stage_answers(screen: Screen, stage: Stage, view: View) -> None:
    kept = screen.keep_back("/_widgets/DataIntegrations/configurations")
    screen.open(view, state="loading")
    screen.shows("PipesAdmin: loading", "Google Drive", "Configure", within=screen.page.locator(".rt-Skeleton"))
    kept[0].continue_()
    expect(screen.row("GitHub")).to_be_visible()


def test_a_provider_is_turned_off_and_on_for_the_organization(screen: Screen, stage: Stage, view: View) -> None:
    member = stage.new("user")
    screen.open(view)
    screen.shows("PipesAdmin: available", "Available", "Configure", within=screen.row("GitHub"))
    screen.row("GitHub").get_by_role("button", name="Configure").click()
    screen.shows(
        "PipesAdmin: configure", "Configure GitHub for your organization", "Enable", "Allowed scopes",
        "Selected scopes may be requested by your app. Users still authorize access during their own OAuth flow.", "Search scopes", "Cancel", "Save",
    )  # fmt: skip
    expect(screen.button("Save")).to_be_disabled()
    screen.page.get_by_role("switch", name="Enable").click()
    screen.page.route(re.compile("/configuration$"), lambda route: route.abort(), times=1)
    screen.button("Save").click()
    screen.shows("PipesAdmin: saving fails", "We couldn't save these settings. Please check the values and try again.")
    screen.button("Save").click()
    screen.shows("PipesAdmin: disabled", "Disabled", within=screen.row("GitHub"))
    assert of_organization(stage, view, GITHUB) | {"enabled": False, "scopes": None} == of_organization(stage, view, GITHUB), "scopes are still the stage's"
    assert stage.api.call("POST", f"/data-integrations/{GITHUB}/authorize", user_id=member, organization_id=view.organization).status_code == 422
    screen.row("GitHub").get_by_role("button", name="Configure").click()
    screen.page.get_by_role("switch", name="Enable").click()
    screen.button("Save").click()
    expect(screen.row("GitHub").get_by_text("Available")).to_be_visible()
    assert stage.api.call("POST", f"/data-integrations/{GITHUB}/authorize", user_id=member, organization_id=view.organization).status_code == 200


def test_the_info_sign_says_what_enable_does(screen: Screen, stage: Stage, view: View) -> None:
    screen.open(view)
    screen.row("GitHub").get_by_role("button", name="Configure").click()
    screen.page.get_by_role("dialog").locator("svg[aria-hidden=true]").first.hover()
    screen.shows("PipesAdmin: what enable does", "Allow this integration to be connected in your organization.")


def test_fewer_scopes_are_asked_for_than_the_developer_wants(screen: Screen, stage: Stage, view: View) -> None:
    slug = stage.provider("Acme Scoped", "oauth", scopes=["notes.read", "notes.write"])
    screen.open(view)
    screen.row("Acme Scoped").get_by_role("button", name="Configure").click()
    dialog = screen.page.get_by_role("dialog")
    dialog.get_by_placeholder("Search scopes").fill("nothing like it")
    screen.shows("PipesAdmin: no scope is found", "No scopes found")
    dialog.get_by_placeholder("Search scopes").fill("write")
    expect(dialog.get_by_role("checkbox")).to_have_count(1)
    dialog.get_by_role("checkbox").click()
    screen.shows("PipesAdmin: a scope is taken away", "You removed developer-configured scopes: notes.write. This may break this integration.")
    screen.button("Save").click()
    expect(dialog).to_have_count(0)
    assert screen.bodies(CONFIGURE) == [{"enabled": True, "scopes": ["notes.read"]}]
    assert of_organization(stage, view, slug)["scopes"] == ["notes.read"]
    begun = stage.call("POST", f"/data-integrations/{slug}/authorize", {"user_id": stage.new("user"), "organization_id": view.organization})
    page = screen.person.new_page()
    page.goto(begun["url"])
    expect(page.get_by_text("notes.read")).to_be_visible()
    expect(page.get_by_text("notes.write")).to_have_count(0)


def test_the_organization_brings_its_own_oauth_client(screen: Screen, stage: Stage, view: View) -> None:
    slug = stage.provider("Acme Tenants", "oauth", scopes=["notes.read"], credentials={"type": "organization"})
    screen.open(view)
    row = screen.row("Acme Tenants")
    expect(row.get_by_text("Disabled")).to_be_visible()
    row.get_by_role("button", name="Configure").click()
    dialog = screen.page.get_by_role("dialog")
    screen.shows(
        "PipesAdmin: the organization's own OAuth client", "Enable", "Redirect URI", "Copy redirect URI", "Acme Tenants Client ID", "Enter your Acme Tenants Client ID",
        "Acme Tenants Client Secret", "Enter your Acme Tenants Client Secret", "Cancel", "Next",
    )  # fmt: skip
    redirect_uri = dialog.locator(".woswidgets-copy-text__value").inner_text()
    expect(screen.button("Next")).to_be_disabled()
    dialog.get_by_placeholder("Enter your Acme Tenants Client ID").fill(CLIENT)
    dialog.get_by_placeholder("Enter your Acme Tenants Client Secret").fill(SECRET)
    screen.button("Next").click()
    screen.shows("PipesAdmin: scopes after the client", "Allowed scopes", "Back", "Save")
    screen.button("Back").click()
    screen.button("Next").click()
    screen.button("Save").click()
    expect(row.get_by_text("Available")).to_be_visible()
    assert screen.bodies(CONFIGURE)[-1] == {"enabled": True, "client_id": CLIENT, "client_secret": SECRET, "scopes": ["notes.read"]}

    row.get_by_role("button", name="Configure").click()
    expect(dialog.get_by_placeholder("Enter your Acme Tenants Client ID")).to_have_value(CLIENT)
    secret = dialog.get_by_placeholder("Enter your Acme Tenants Client Secret")
    expect(secret).to_have_value(f"••••••••••••••••{SECRET[-4:]}")
    dialog.get_by_placeholder("Enter your Acme Tenants Client ID").fill("another-client")
    screen.button("Next").click()
    screen.shows("PipesAdmin: another client needs its secret", "Enter a new Client Secret to change the Client ID.")
    dialog.get_by_placeholder("Enter your Acme Tenants Client ID").fill(CLIENT)
    screen.page.get_by_role("switch", name="Enable").click()
    screen.button("Next").click()
    screen.button("Save").click()
    expect(row.get_by_text("Disabled")).to_be_visible()
    assert screen.bodies(CONFIGURE)[-1] == {"enabled": False, "scopes": ["notes.read"]}
    stage.configure(str(view.organization), slug, enabled=True)

    begun = stage.call("POST", f"/data-integrations/{slug}/authorize", {"user_id": stage.new("user"), "organization_id": view.organization})
    page = screen.person.new_page()
    page.goto(begun["url"])
    page.get_by_role("button", name="Continue to Acme Tenants").click()
    page.wait_for_url("**/simulator/**")
    expect(page.locator("input[name=client_id]")).to_have_value(CLIENT)
    expect(page.locator("input[name=redirect_uri]")).to_have_value(redirect_uri)
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Acme Tenants is connected")


def test_a_provider_without_oauth_is_only_turned_on_and_off(screen: Screen, stage: Stage, view: View) -> None:
    stage.offer("openai", "api_key")
    screen.open(view)
    screen.row("OpenAI").get_by_role("button", name="Configure").click()
    screen.shows("PipesAdmin: an API key's provider", "Configure OpenAI for your organization", "Enable", "Save")
    expect(screen.page.get_by_text("Allowed scopes")).to_have_count(0)
    screen.page.get_by_role("switch", name="Enable").click()
    screen.button("Save").click()
    expect(screen.row("OpenAI").get_by_text("Disabled")).to_be_visible()
    assert screen.bodies(CONFIGURE) == [{"enabled": False}]


def test_what_an_administrator_sets_is_what_members_see(screen: Screen, stage: Stage, view: View) -> None:
    screen.open(view)
    screen.row("Slack").get_by_role("button", name="Configure").click()
    screen.page.get_by_role("switch", name="Enable").click()
    screen.button("Save").click()
    expect(screen.row("Slack").get_by_text("Disabled")).to_be_visible()
    screen.open(View(user=stage.new("user"), organization=view.organization))
    expect(screen.row("GitHub")).to_be_visible()
    expect(screen.row("Slack")).to_have_count(0)
    screen.open(View(user=stage.new("user"), organization=stage.new("org")))
    expect(screen.row("Slack")).to_be_visible()
