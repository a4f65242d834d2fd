"""What both widgets show when their token is not good, or the stage is not there; and how they get a new one."""

import base64
import json
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from tests.cloud import free_port
from tests.widgets.product import MANAGE, View
from tests.widgets.screen import Screen
from tests.widgets.stage import Stage

MINE = "GET /_widgets/DataIntegrations/mine"
CONFIGURATIONS = "GET /_widgets/DataIntegrations/configurations"


@pytest.fixture
def view(stage: Stage) -> View:
    return View(user=stage.new("user"), organization=stage.new("org"))


def changed(token: str, **claims: object) -> str:
    """The token with other claims under the signature it had."""
    head, body, signature = token.split(".")
    known = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    after = {name: value for name, value in {**known, **claims}.items() if value is not None}
    return f"{head}.{base64.b64encode(json.dumps(after).encode()).decode().rstrip('=')}.{signature}"


def wait_out(screen: Screen, state: str) -> None:
    """The widget's own pauses between its tries are passed by the clock of its page."""
    for _ in range(40):
        if screen.widget(state).is_visible():
            break
        screen.page.clock.run_for(1_000)
    expect(screen.widget(state)).to_be_visible()


def test_a_forged_token_is_shown_as_incorrect_permissions(screen: Screen, stage: Stage, view: View) -> None:
    screen.product.given = [changed(screen.product.mint(view), sub="somebody_else")]
    screen.open(view, state="error")
    screen.shows("Pipes: incorrect permissions", "Incorrect permissions", "Check that the correct permissions have been assigned.")
    assert set(screen.statuses(MINE)) == {403}


def test_a_token_that_ended_is_replaced_by_the_backend(screen: Screen, stage: Stage, view: View) -> None:
    """The first calls are made before the widget has any token."""
    ended = changed(screen.product.mint(view), exp=1)
    screen.product.given = [ended, ended]
    screen.open(replace(view, tokens="function"))
    screen.shows("Pipes: a token from a function", "Not connected")
    assert 403 in screen.statuses(MINE) and screen.statuses(MINE)[-1] == 200
    assert screen.product.asked >= 3


def test_a_new_token_is_asked_for_before_the_old_one_ends(screen: Screen, stage: Stage, view: View) -> None:
    screen.page.clock.install()
    screen.product.given = [screen.product.mint(view, expires_in=60)] * 4
    screen.open(replace(view, tokens="function"))
    expect(screen.row("GitHub")).to_be_visible()
    screen.product.given = []
    before = screen.product.asked
    with screen.page.expect_response("**/token?*") as renewed:
        screen.page.clock.fast_forward(31_000)
    assert renewed.value.status == 200 and screen.product.asked == before + 1
    expect(screen.row("GitHub")).to_be_visible()


def test_a_token_that_ended_and_is_not_replaced_says_so(screen: Screen, stage: Stage, view: View) -> None:
    screen.product.given = [changed(screen.product.mint(view), exp=1)]
    screen.open(view, state="error")
    screen.shows("Pipes: session expired", "Session expired", "Please reload the page to continue.")
    assert set(screen.statuses(MINE)) == {403}


def test_what_is_no_token_at_all_is_an_error_card(screen: Screen, stage: Stage, view: View) -> None:
    screen.product.given = ["not-a-token"]
    screen.open(view, state="error")
    screen.shows("Pipes: not a token", "Error fetching data")


def test_a_stage_that_is_not_there_is_tried_four_times(screen: Screen, stage: Stage, view: View) -> None:
    asked: list[str] = []
    screen.page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/mine") else None)
    screen.page.clock.install()
    screen.open(replace(view, api=f"http://localhost:{free_port()}"), state="loading")
    wait_out(screen, "error")
    screen.shows("Pipes: error fetching data", "Error fetching data", "An unexpected error occurred. Check your network connection or try refreshing the page.")
    assert len(asked) == 4


def test_whoever_may_not_manage_is_told_without_a_call(screen: Screen, stage: Stage, view: View) -> None:
    screen.open(replace(view, widget="pipes-admin"), state="error")
    screen.shows("PipesAdmin: incorrect permissions", "Incorrect permissions", "Check that the correct permissions have been assigned.")
    assert screen.calls == []


def test_the_stage_does_not_believe_permissions_that_were_written_into_a_token(screen: Screen, stage: Stage, view: View) -> None:
    screen.product.given = [changed(screen.product.mint(view), permissions=[MANAGE])]
    screen.open(replace(view, widget="pipes-admin"), state="error")
    screen.shows("PipesAdmin: permissions that are not the token's", "Incorrect permissions")
    assert set(screen.statuses(CONFIGURATIONS)) == {403}


def test_a_token_without_permissions_is_an_authorization_error(screen: Screen, stage: Stage, view: View) -> None:
    screen.page.clock.install()
    screen.product.given = [changed(screen.product.mint(view), permissions=None)]
    screen.page.goto(screen.product.address(replace(view, widget="pipes-admin")))
    wait_out(screen, "error")
    screen.shows("PipesAdmin: authorization error", "Authorization error", "You likely forgot to provide an authorization token to the widget.")


def test_an_administrators_token_that_ended_says_so(screen: Screen, stage: Stage, view: View) -> None:
    admin = replace(view, widget="pipes-admin", scopes=(MANAGE,))
    screen.product.given = [changed(screen.product.mint(admin), exp=1)]
    screen.open(admin, state="error")
    screen.shows("PipesAdmin: session expired", "Session expired", "Please reload the page to continue.")


def test_an_administrator_sees_that_the_stage_is_not_there(screen: Screen, stage: Stage, view: View) -> None:
    screen.page.clock.install()
    screen.page.goto(screen.product.address(replace(view, widget="pipes-admin", scopes=(MANAGE,), api=f"http://localhost:{free_port()}")))
    wait_out(screen, "error")
    screen.shows("PipesAdmin: error fetching data", "Error fetching data")
