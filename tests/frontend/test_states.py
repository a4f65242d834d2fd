"""What is shown when there is nothing to show: loading, empty, offline, a failing server, an ended session; and how it goes on."""

import re

from playwright.sync_api import Route, expect

from tests.browser import alone
from tests.frontend.screen import Screen

SHOWN = {"filter": "github,slack"}
MINE = "**/_widgets/DataIntegrations/mine"


def test_while_it_loads_its_shape_is_there(screen: Screen) -> None:
    held: list[Route] = []
    screen.page.route(MINE, lambda route: held.append(route))
    with screen.page.expect_request(MINE):
        screen.open("state_loading", "loading", attributes=SHOWN)
    expect(screen.page.get_by_role("region", name="Connected accounts")).to_have_attribute("aria-busy", "true")
    expect(screen.widget.locator(".skeleton .provider")).to_have_count(3)
    expect(screen.page.get_by_role("status").first).to_have_text("Loading your connections")
    held[0].continue_()
    screen.shows("ready")
    expect(screen.widget.locator(".skeleton")).to_have_count(0)


def test_nothing_to_connect_is_said(screen: Screen) -> None:
    screen.open("state_empty", "empty", attributes={"filter": "nothing-of-this-name"})
    expect(screen.page.get_by_role("heading", name="No integrations yet")).to_be_visible()


def test_a_failing_server_is_tried_again_and_then_told(screen: Screen) -> None:
    tries: list[str] = []

    def fail(route: Route) -> None:
        tries.append(route.request.url)
        route.fulfill(status=500, json={"message": "secret detail of ours"})

    screen.page.route(MINE, fail)
    screen.open("state_failing", "error", attributes=SHOWN)
    assert len(tries) == 3
    expect(screen.page.get_by_role("alert")).to_contain_text("Your connections could not be loaded")
    expect(screen.widget).not_to_contain_text("secret detail")
    assert screen.heard("error")[0]["kind"] == "failed"
    screen.page.unroute(MINE)
    screen.button("Try again").click()
    screen.shows("ready")


def test_a_list_that_is_there_stays_when_it_cannot_be_renewed(screen: Screen) -> None:
    screen.open("state_stale", attributes=SHOWN)
    screen.page.route(MINE, lambda route: route.fulfill(status=503, json={"message": "later"}))
    screen.refresh()
    expect(screen.widget).to_contain_text("This list could not be brought up to date just now.")
    expect(screen.row("github")).to_be_visible()
    screen.page.unroute(MINE)
    screen.button("Try again").click()
    expect(screen.widget).not_to_contain_text("could not be brought up to date")


def test_offline_is_told_and_ends_by_itself(screen: Screen) -> None:
    screen.page.route(MINE, lambda route: route.abort("internetdisconnected"))
    screen.open("state_offline", "offline", attributes=SHOWN)
    expect(screen.page.get_by_role("alert")).to_contain_text("You are offline")
    screen.page.unroute(MINE)
    screen.page.evaluate("dispatchEvent(new Event('online'))")
    screen.shows("ready")
    screen.person.set_offline(True)
    screen.refresh()
    expect(screen.widget).to_contain_text("You are offline. This is what was last known.")
    expect(screen.row("github")).to_be_visible()
    screen.button("Connect GitHub").click()
    screen.expect_news("You are offline. Try again when you are back.")
    alone(screen.page)  # a window that is being closed cannot be told that the network is back
    screen.person.set_offline(False)
    expect(screen.widget).not_to_contain_text("This is what was last known.")


def test_a_token_the_server_refuses_is_asked_for_again_once(screen: Screen) -> None:
    screen.host.given = ["not.a.token"]
    screen.open("state_renewed", attributes=SHOWN)
    assert screen.host.asked == 2
    assert screen.heard("error") == []


def test_a_token_near_its_end_is_replaced_before_it_is_used(screen: Screen) -> None:
    screen.host.expires_in = 60
    screen.page.clock.install()
    screen.open("state_near", attributes=SHOWN)
    assert screen.host.asked == 1
    screen.page.clock.fast_forward(25_000)
    screen.refresh()
    assert screen.host.asked == 1
    screen.page.clock.fast_forward(10_000)
    screen.refresh()
    assert screen.host.asked == 2
    screen.shows("ready")


def test_a_session_that_ended_says_so_and_goes_on_with_a_new_token(screen: Screen) -> None:
    screen.host.broken = True
    screen.open("state_signed_out", "expired", attributes=SHOWN)
    expect(screen.page.get_by_role("alert")).to_contain_text("Your session has expired")
    assert screen.heard("token-expired") == [{}]
    screen.host.broken = False
    screen.button("Try again").click()
    screen.shows("ready")


def test_a_single_token_that_ended_is_replaced_by_the_page(screen: Screen) -> None:
    screen.host.given = ["not.a.token"]
    screen.open("state_string", "expired", tokens="string", attributes=SHOWN)
    assert screen.heard("token-expired") == [{}]
    screen.widget.evaluate("(element, token) => { element.token = token; }", screen.host.mint("state_string"))
    screen.shows("ready")
    assert "token" not in screen.widget.evaluate("element => element.getAttributeNames()")


def test_whoever_may_not_is_told_in_the_server_s_words(screen: Screen) -> None:
    screen.host.given = ["not.a.token"] * 2
    screen.open("state_forbidden", "forbidden", attributes=SHOWN)
    expect(screen.page.get_by_role("alert")).to_contain_text("You may not see this")


def test_a_session_that_ends_in_the_middle_hides_what_was_there(screen: Screen) -> None:
    screen.open("state_middle", attributes=SHOWN)
    screen.host.broken = True
    screen.page.route("**/_widgets/**", lambda route: route.fulfill(status=403, json={"message": "The token has expired."}))
    screen.refresh()
    screen.shows("expired")
    expect(screen.row("github")).to_have_count(0)


def test_another_person_s_token_begins_anew(screen: Screen) -> None:
    screen.open("state_first", attributes=SHOWN)
    screen.connect()
    screen.widget.evaluate("(element, token) => { element.token = token; }", screen.host.mint("state_second"))
    expect(screen.button("Connect GitHub")).to_be_visible()
    expect(screen.widget).not_to_contain_text("octocat")
    expect(screen.widget).not_to_contain_text("GitHub is connected.")


def test_an_answer_for_the_one_before_is_not_shown(screen: Screen) -> None:
    """A slow answer to the first token must not appear under the second."""
    held: list[Route] = []
    screen.page.route(MINE, lambda route: held.append(route) if not held else route.continue_())
    with screen.page.expect_request(MINE):
        screen.page.goto(screen.host.address("state_slow", attributes=SHOWN))
    screen.widget.evaluate("(element, token) => { element.filter = 'slack'; element.token = token; }", screen.host.mint("state_slow"))
    screen.shows("ready")
    with screen.page.expect_response(MINE):
        held[0].fulfill(json={"data": [{"id": "x", "slug": "slack", "name": "Stale"}]})
    expect(screen.row("slack")).to_contain_text("Slack")
    expect(screen.widget).not_to_contain_text("Stale")


def test_filters_choose_and_order(screen: Screen) -> None:
    screen.open("state_filter", attributes={"filter": "slack, github"})
    assert screen.widget.locator("[data-provider]").evaluate_all("rows => rows.map(row => row.dataset.provider)") == ["slack", "github"]
    screen.widget.evaluate("element => { element.filter = (integration) => integration.name.startsWith('Git'); }")
    expect(screen.row("slack")).to_have_count(0)
    expect(screen.row("github")).to_be_visible()


def test_the_search_finds_among_many(screen: Screen) -> None:
    answer = {"data": [{"id": f"i{number}", "slug": f"provider-{number}", "name": f"Provider {number}", "description": "Numbers"} for number in range(12)]}
    screen.page.route(MINE, lambda route: route.fulfill(json=answer))
    screen.open("state_search")
    search = screen.page.get_by_role("searchbox", name="Search integrations")
    search.press_sequentially("provider 11")
    expect(screen.widget.locator("[data-provider]")).to_have_count(1)
    expect(search).to_be_focused()
    search.fill("zzz")
    expect(screen.widget).to_contain_text("Nothing matches “zzz”.")


def test_a_provider_is_shown_with_its_picture_and_without_one_with_its_letter(screen: Screen) -> None:
    screen.open("state_icons", attributes={"filter": "github,slack"})
    shown = screen.row("github").locator("img")
    expect(shown).to_have_attribute("alt", "")
    expect(shown).to_have_attribute("src", f"{screen.host.stage}/static/icon-github.svg")
    screen.page.wait_for_function("shown => shown.complete && shown.naturalWidth > 0", arg=shown.element_handle())
    expect(screen.row("slack").locator(".letter")).to_have_text("S")
    screen.page.emulate_media(color_scheme="dark")
    expect(shown).to_have_attribute("src", f"{screen.host.stage}/static/icon-github.dark.svg")


def test_a_picture_that_does_not_load_becomes_a_letter(screen: Screen) -> None:
    screen.page.route(MINE, lambda route: route.fulfill(json={"data": [{"id": "i", "slug": "acme", "name": "Acme", "iconUrl": "/static/nothing.svg"}]}))
    screen.open("state_picture")
    expect(screen.row("acme").locator(".letter")).to_have_text("A")


def test_every_word_can_be_replaced(screen: Screen) -> None:
    screen.open("state_words", attributes={**SHOWN, "locale": "de"}, messages={"connect": "Verbinden", "connectTo": "{provider} verbinden", "stateNotConnected": "Nicht verbunden"})
    expect(screen.button("GitHub verbinden")).to_have_text("Verbinden")
    expect(screen.row("github")).to_contain_text("Nicht verbunden")


def test_without_a_token_nothing_is_asked(screen: Screen) -> None:
    calls: list[str] = []
    screen.page.on("request", lambda request: calls.append(request.url) if re.search("_widgets", request.url) else None)
    screen.host.given = [""]
    screen.open("state_none", "loading", tokens="string", attributes=SHOWN)
    screen.widget.evaluate("element => { element.token = null; }")
    screen.shows("loading")
    assert calls == []
