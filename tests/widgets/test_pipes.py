"""<Pipes>: what a person sees of their own connections, and OAuth by the popup with its handoff."""

import re

from playwright.sync_api import expect

from tests.browser import alone
from tests.widgets.product import View
from tests.widgets.screen import Screen
from tests.widgets.stage import GITHUB, Stage

MINE = "GET /_widgets/DataIntegrations/mine"
AUTHORIZE = "POST /_widgets/DataIntegrations/{}/authorize"


def connected(screen: Screen, view: View, name: str = "GitHub", account: str = "octocat") -> None:
    """The product's page, with the person's account connected."""
    screen.open(view)
    screen.row(name).get_by_role("button", name="Connect").click()
    screen.connect(screen.button("Connect"), account).close()
    screen.come_back()
    expect(screen.row(name).get_by_text("Connected", exact=True)).to_be_visible()


def test_rows_are_bars_until_the_stage_answers(screen: Screen, stage: Stage) -> None:
    kept = screen.keep_back("/_widgets/DataIntegrations/mine")
    screen.open(View(user=stage.new("user")), state="loading")
    expect(screen.page.locator(".woswidgets-card-list-item")).to_have_count(6)
    screen.shows("Pipes: loading", "Google Drive", "Connect", within=screen.page.locator(".rt-Skeleton"))
    kept[0].continue_()
    expect(screen.widget("resolved")).to_be_visible()


def test_an_organization_that_turned_everything_off_has_nothing_to_connect(screen: Screen, stage: Stage) -> None:
    organization = stage.new("org")
    stage.close_everything(organization)
    screen.open(View(user=stage.new("user"), organization=organization))
    screen.shows("Pipes: nothing is available", "No integrations are available yet.")


def test_the_product_may_show_some_of_them(screen: Screen, stage: Stage) -> None:
    user = stage.new("user")
    for kind, wanted in (("slugs", GITHUB), ("types", GITHUB), ("predicate", GITHUB)):
        screen.open(View(user=user, filter=kind, slugs=(wanted,)))  # type: ignore[arg-type]
        expect(screen.page.locator(".woswidgets-card-list-item")).to_have_count(1)
        screen.shows("Pipes: filtered by the product", "GitHub")
    stage.provider("Acme Keys", "api_key")
    screen.open(View(user=user, filter="methods", slugs=("api_key",)))
    expect(screen.row("GitHub")).to_have_count(0)
    expect(screen.row("Acme Keys")).to_be_visible()
    screen.open(View(user=user, filter="slugs", slugs=("nothing",)))
    screen.shows("Pipes: everything is filtered away", "No integrations to show.")


def test_a_person_connects_by_the_popup_and_its_handoff(screen: Screen, stage: Stage) -> None:
    user = stage.new("user")
    screen.open(View(user=user))
    screen.shows("Pipes: not connected", "Not connected", "Connect", within=screen.row("GitHub"))
    screen.row("GitHub").get_by_role("button", name="Connect").click()
    screen.shows(
        "Pipes: connect dialog", "Acme uses WorkOS to connect to GitHub.", "You'll be redirected to sign in with GitHub.", "Authorize access to connect your account.",
        "Your credentials remain secure.", "WorkOS never sees your credentials.", "Cancel", "Connect",
    )  # fmt: skip
    screen.button("Cancel").click()
    expect(screen.page.get_by_role("dialog")).to_have_count(0)
    screen.row("GitHub").get_by_role("button", name="Connect").click()
    popup = screen.connect(screen.button("Connect"), "octocat")
    expect(popup.get_by_role("heading", level=1)).to_have_text("GitHub is connected")
    assert screen.bodies(AUTHORIZE) == [{"requireHandoff": True, "config": {}}]
    screen.come_back()
    screen.shows("Pipes: connected", "Connected", "Disconnect", within=screen.row("GitHub"))
    answer = stage.token(GITHUB, user)
    assert answer["active"] and stage.works_at_github(answer["access_token"]["access_token"])


def test_what_is_connected_belongs_to_the_organization_of_the_token_too(screen: Screen, stage: Stage) -> None:
    user, organization = stage.new("user"), stage.new("org")
    connected(screen, View(user=user, organization=organization), account="hubot")
    assert stage.token(GITHUB, user, organization)["active"]
    assert stage.token(GITHUB, user)["error"] == "not_installed"
    screen.open(View(user=user))
    expect(screen.row("GitHub").get_by_text("Not connected")).to_be_visible()


def test_declining_connects_nothing(screen: Screen, stage: Stage) -> None:
    screen.open(View(user=stage.new("user")))
    screen.row("GitHub").get_by_role("button", name="Connect").click()
    popup = screen.connect(screen.button("Connect"), "octocat", decision="Deny")
    expect(popup.get_by_role("heading", level=1)).to_have_text("You declined")
    screen.come_back()
    expect(screen.row("GitHub").get_by_text("Not connected")).to_be_visible()


def test_a_grant_that_the_person_revoked_is_reauthorized_from_the_menu(screen: Screen, stage: Stage) -> None:
    user = stage.new("user")
    view = View(user=user)
    connected(screen, view, account="hubot")
    before = stage.token(GITHUB, user)["access_token"]
    stage.api.knob(GITHUB, action="revoke_grant", account="hubot")
    assert stage.api.rejected(GITHUB, user, before["generation"])["error"] == "needs_reauthorization"
    screen.open(view)
    screen.row("GitHub").get_by_role("button").click()
    screen.shows("Pipes: requires reauthorization", "Requires reauthorization", "Pipe actions", "Reauthorize", "Disconnect account")
    screen.connect(screen.page.get_by_role("menuitem", name="Reauthorize"), "hubot").close()
    assert screen.bodies(AUTHORIZE)[-1] == {"requireHandoff": True}
    screen.come_back()
    expect(screen.row("GitHub").get_by_text("Connected", exact=True)).to_be_visible()
    after = stage.token(GITHUB, user)["access_token"]
    assert after["connected_account_id"] == before["connected_account_id"] and after["generation"] > before["generation"]


def test_disconnecting_is_asked_for_once_more(screen: Screen, stage: Stage) -> None:
    user = stage.new("user")
    connected(screen, View(user=user))
    token = stage.token(GITHUB, user)["access_token"]["access_token"]
    screen.row("GitHub").get_by_role("button", name="Disconnect").click()
    screen.shows("Pipes: disconnect dialog", "Disconnect account", "Are you sure you want to disconnect your GitHub account?", "Cancel", "Disconnect")
    screen.button("Cancel").click()
    assert stage.token(GITHUB, user)["active"]
    screen.row("GitHub").get_by_role("button", name="Disconnect").click()
    screen.page.route(re.compile("/installations/"), lambda route: route.abort(), times=1)
    screen.button("Disconnect").click()
    screen.shows("Pipes: disconnecting fails", "An error occurred while disconnecting your account. Please refresh the page and try again.")
    screen.button("Disconnect").click()
    expect(screen.row("GitHub").get_by_text("Not connected")).to_be_visible()
    assert stage.token(GITHUB, user)["error"] == "not_installed"
    assert not stage.works_at_github(token)


def test_what_was_turned_off_can_still_be_disconnected(screen: Screen, stage: Stage) -> None:
    user, organization = stage.new("user"), stage.new("org")
    view = View(user=user, organization=organization)
    connected(screen, view)
    stage.configure(organization, GITHUB, enabled=False)
    screen.open(view)
    screen.row("GitHub").get_by_role("button", name="Disconnect").click()
    screen.button("Disconnect").click()
    expect(screen.row("GitHub")).to_have_count(0)


def test_the_stage_says_in_the_dialog_why_it_does_not_connect(screen: Screen, stage: Stage) -> None:
    user, organization = stage.new("user"), stage.new("org")
    screen.open(View(user=user, organization=organization))
    screen.row("GitHub").get_by_role("button", name="Connect").click()
    stage.configure(organization, GITHUB, enabled=False)
    with screen.page.expect_response(re.compile("/github/authorize$")) as answered:
        screen.button("Connect").click()
    message = answered.value.json()["message"]
    expect(screen.page.get_by_role("dialog").get_by_role("alert")).to_have_text(message)
    alone(screen.page)  # the popup is closed again
    stage.configure(organization, GITHUB, enabled=True)
    screen.page.route(re.compile("/github/authorize$"), lambda route: route.abort(), times=1)
    screen.button("Connect").click()
    screen.shows("Pipes: connecting fails", "We couldn't start the connection. Please try again.")
    screen.connect(screen.button("Connect"), "octocat")


def test_a_link_that_was_passed_on_goes_no_further(screen: Screen, stage: Stage) -> None:
    """Whoever has the popup's address alone gets nowhere near the provider (security rule R3)."""
    screen.open(View(user=stage.new("user")))
    screen.row("GitHub").get_by_role("button", name="Connect").click()
    screen.person.route(f"{stage.url}/connect/*", lambda route: None)  # the person's own popup never gets there first
    with screen.page.expect_response(re.compile("/github/authorize$")) as answered:
        screen.button("Connect").click()
    link = answered.value.json()["url"]
    other = screen.person.browser.new_context()  # type: ignore[union-attr]
    stranger = other.new_page()
    stranger.clock.install()
    stranger.goto(link)
    stranger.clock.fast_forward(16_000)
    expect(stranger.get_by_role("alert")).to_contain_text("lost the page that opened it")
    assert "/simulator/" not in stranger.url
    other.close()
