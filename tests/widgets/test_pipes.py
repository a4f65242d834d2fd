"""WorkOS's own `<Pipes>`, unmodified, in front of a deployed stage: each state, and each thing a person can do in it."""

import time

from playwright.sync_api import expect

from tests.widgets.product import View
from tests.widgets.screen import Screen
from tests.widgets.stage import Stage


def view(stage: Stage, **more: object) -> View:
    return View(user=stage.user, organization=stage.organization, organization_name="Acme Ltd", **more)  # type: ignore[arg-type]


def test_connect_in_the_popup_reauthorize_and_disconnect(stage: Stage, screen: Screen) -> None:
    stage.offer("github", ["oauth"])
    screen.open(view(stage, filter="slugs", slugs=("github",)))
    row = screen.row("GitHub")
    screen.shows("Pipes: not connected", "Not connected", within=row)
    row.get_by_role("button", name="Connect").click()
    popup = screen.connect(screen.button("Connect"), "octocat")
    expect(popup.get_by_role("heading", name="GitHub is connected")).to_be_visible()
    screen.come_back()
    screen.shows("Pipes: connected", "Connected", within=row)
    assert stage.account("github")["account_display_name"] == "octocat"

    stage.needs_its_user("github")
    screen.come_back()
    screen.shows("Pipes: requires reauthorization", "Requires reauthorization", within=row)
    row.get_by_role("button").first.click()
    with screen.person.expect_page() as opened:
        screen.choose("Reauthorize")
    again = opened.value
    again.wait_for_url("**/simulator/**")
    again.get_by_text("octocat", exact=True).first.click()
    again.get_by_role("button", name="Allow").click()
    again.wait_for_url("**/outcome/**")
    screen.come_back()
    screen.shows("Pipes: connected", "Connected", within=row)

    row.get_by_role("button", name="Disconnect").click()
    screen.button("Disconnect").click()
    screen.shows("Pipes: not connected", "Not connected", within=row)
    assert stage.api.call("GET", f"/user_management/users/{stage.user}/connected_accounts/github?organization_id={stage.organization}").status_code == 404
    screen.record_calls()


def test_an_api_key_is_entered_and_rotated(stage: Stage, screen: Screen) -> None:
    stage.offer("openai", ["api_key"])
    screen.open(view(stage, filter="slugs", slugs=("openai",)))
    row = screen.row("OpenAI")
    row.get_by_role("button", name="Connect").click()
    dialog = screen.page.get_by_role("dialog")
    dialog.get_by_role("textbox").first.fill("sk-refused-00000000000000000000")
    dialog.get_by_role("button").filter(has_text="Connect").or_(dialog.get_by_role("button").filter(has_text="Save")).first.click()
    expect(dialog.get_by_text("does not accept this API key")).to_be_visible()
    dialog.get_by_role("textbox").first.fill("sk-proj-00000000000000000000AbCd")
    dialog.get_by_role("button").filter(has_text="Connect").or_(dialog.get_by_role("button").filter(has_text="Save")).first.click()
    screen.shows("Pipes: connected by API key", "Connected", within=row)
    assert stage.account("openai")["api_key_last_4"] == "AbCd"
    screen.record_calls()


def test_nothing_to_connect(stage: Stage, screen: Screen) -> None:
    stage.offer("github", ["oauth"])
    screen.open(view(stage, filter="slugs", slugs=("nobody",)))
    screen.shows("Pipes: empty", "No integrations to show.")


def test_a_token_that_ended_is_replaced_by_the_function(stage: Stage, screen: Screen) -> None:
    stage.offer("github", ["oauth"])
    screen.product.given = ["x.eyJwZXJtaXNzaW9ucyI6W10sImV4cCI6MX0.x"]
    screen.open(view(stage, tokens="function", filter="slugs", slugs=("github",)))
    screen.shows("Pipes: not connected", "Not connected", within=screen.row("GitHub"))
    assert screen.product.asked >= 2


def test_a_token_that_ended_and_cannot_be_replaced_says_so(stage: Stage, screen: Screen) -> None:
    token = screen.product.mint(view(stage), expires_in=60)
    head, payload, signature = token.split(".")
    screen.product.given = [f"{head}.eyJwZXJtaXNzaW9ucyI6W10sImV4cCI6MX0.{signature}"] * 20
    started = time.monotonic()
    screen.open(view(stage), state="error")
    screen.shows("Pipes: session expired", "Session expired")
    assert time.monotonic() > started
