"""Connecting by clicks, in every way a browser leaves open: a window, a blocked one, one that cannot be reached, this tab."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, Request, Route, expect

from tests.browser import Api
from tests.deployed import Landing
from tests.frontend.host import Host
from tests.frontend.screen import Screen, allow

SHOWN = {"filter": "github,slack"}
STRICT = (
    "default-src 'none'; script-src 'self' {stage}; style-src 'self'; connect-src 'self' {stage}; img-src {images}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
BLOCKED = "window.open = () => null;"


def confirm(window: Page, provider: str = "GitHub") -> None:
    """On the page that asks, where no widget vouches for the person."""
    window.get_by_role("button", name=f"Continue to {provider}").click()
    allow(window)


def test_two_clicks_connect_an_account(api: Api, screen: Screen) -> None:
    screen.open("trip_two_clicks", attributes=SHOWN)
    window = screen.popup(screen.button("Connect GitHub"))
    expect(screen.row("github")).to_contain_text("Finish in the window that opened.")
    allow(window)
    screen.expect_news("GitHub is connected.")
    expect(screen.row("github")).to_contain_text("octocat")
    expect(screen.row("github").get_by_text("Connected", exact=True)).to_be_visible()
    assert window.is_closed()
    token = api.token("github", "trip_two_clicks")
    assert screen.heard("connected") == [{"provider": "github", "connectedAccountId": token["access_token"]["connected_account_id"], "reauthorized": False}]


def test_no_call_of_the_widget_carries_a_cookie(screen: Screen) -> None:
    """So a browser that blocks third-party cookies blocks nothing, and no other site can call in the person's name."""
    stage = screen.host.stage
    screen.person.add_cookies([{"name": "planted", "value": "1", "url": stage, "sameSite": "Lax"}])
    calls: list[Request] = []
    screen.page.on("request", lambda request: calls.append(request) if "/_widgets/" in request.url else None)
    screen.open("trip_cookies", attributes=SHOWN)
    screen.connect()
    assert len(calls) >= 3
    assert [call.url for call in calls if "cookie" in call.all_headers()] == []


def test_a_blocked_window_becomes_a_link(api: Api, screen: Screen) -> None:
    screen.page.add_init_script(BLOCKED)
    screen.open("trip_blocked", attributes=SHOWN)
    screen.button("Connect GitHub").click()
    expect(screen.dialog).to_contain_text("Your browser kept the window closed")
    with screen.person.expect_page() as opened:
        screen.dialog.get_by_role("link", name="Continue in a new tab").click()
    confirm(opened.value)
    screen.expect_news("GitHub is connected.")
    assert opened.value.evaluate("window.opener") is None
    assert api.token("github", "trip_blocked")["active"] is True


def test_a_blocked_window_may_be_left_out_for_this_tab(screen: Screen, landing: Landing) -> None:
    """The trip leads to the registered return URL, and the widget tells the result when it is seen again."""
    screen.page.add_init_script(BLOCKED)
    here = {**SHOWN, "return-to": landing.url}
    screen.open("trip_same_tab", attributes=here)
    screen.button("Connect GitHub").click()
    screen.dialog.get_by_role("button", name="Continue in this tab").click()
    screen.page.wait_for_url("**/connect/**")
    confirm(screen.page)
    screen.page.wait_for_url(f"{landing.url}**")
    screen.open("trip_same_tab", attributes=here)
    screen.expect_news("GitHub is connected.")
    screen.open("trip_same_tab", attributes=here)
    expect(screen.row("github")).to_contain_text("octocat")
    assert screen.heard("connected") == []


def test_this_tab_can_be_taken_before_the_link_is_there(screen: Screen) -> None:
    """Who is quick is not kept waiting for a link that will not be used."""
    screen.page.add_init_script(BLOCKED)
    kept: list[Route] = []
    screen.page.route("**/authorize", lambda route: kept.append(route), times=1)
    screen.open("trip_quick", attributes=SHOWN)
    screen.button("Connect GitHub").click()
    screen.dialog.get_by_role("button", name="Continue in this tab").click()
    screen.page.wait_for_url("**/connect/**")
    assert len(kept) == 1


def test_a_dialog_that_is_closed_meanwhile_keeps_the_person_here(screen: Screen) -> None:
    screen.page.add_init_script(BLOCKED)
    screen.open("trip_stays", attributes=SHOWN)
    screen.button("Connect GitHub").click()
    expect(screen.dialog.get_by_role("link", name="Continue in a new tab")).to_be_visible()
    kept: list[Route] = []
    screen.page.route("**/authorize", lambda route: kept.append(route), times=1)
    here = screen.page.url
    screen.dialog.get_by_role("button", name="Continue in this tab").click()
    expect(screen.dialog.get_by_role("button", name="Continue in this tab")).to_have_attribute("aria-disabled", "true")
    screen.dialog.get_by_role("button", name="Close").click()
    expect(screen.dialog).to_have_count(0)
    with screen.page.expect_response("**/authorize"):
        kept[0].continue_()
    screen.button("Connect GitHub").click()
    expect(screen.dialog).to_contain_text("Your browser kept the window closed")
    expect(screen.dialog.get_by_role("link", name="Continue in a new tab")).to_be_visible()
    assert screen.page.url == here


def test_a_page_that_is_no_return_url_ends_on_a_page_that_says_so(screen: Screen) -> None:
    screen.page.add_init_script(BLOCKED)
    screen.open("trip_unregistered", attributes=SHOWN)
    screen.button("Connect GitHub").click()
    screen.dialog.get_by_role("button", name="Continue in this tab").click()
    screen.page.wait_for_url("**/connect/**")
    confirm(screen.page)
    expect(screen.page.get_by_role("heading", level=1)).to_have_text("GitHub is connected")


@pytest.mark.parametrize("policy", ["same-origin", "same-origin-allow-popups"])
def test_a_page_with_coop_connects(screen: Screen, api: Api, policy: str) -> None:
    """`same-origin` cuts the window off: it becomes a link, once; after that the window itself is sent to the page that asks."""
    screen.host.headers["Cross-Origin-Opener-Policy"] = policy
    user = f"trip_coop_{policy}"
    screen.open(user, attributes=SHOWN)
    window = screen.popup(screen.button("Connect GitHub"))
    if policy == "same-origin":
        expect(screen.dialog).to_contain_text("One more click")
        with screen.person.expect_page() as opened:
            screen.dialog.get_by_role("link", name="Continue in a new tab").click()
        confirm(opened.value)
    else:
        allow(window)
    screen.expect_news("GitHub is connected.")
    assert api.token("github", user)["active"] is True
    if policy == "same-origin":
        confirm(screen.popup(screen.button("Connect Slack")), "Slack")
        screen.expect_news("Slack is connected.")


def test_the_strictest_policy_is_kept(screen: Screen) -> None:
    screen.host.headers["Content-Security-Policy"] = STRICT.format(stage=screen.host.stage, images=f"data: {screen.host.stage}")
    screen.open("trip_policy", attributes=SHOWN)
    expect(screen.row("github").locator("img")).to_have_js_property("complete", True)
    screen.connect()
    screen.button("Disconnect").click()
    screen.dialog.get_by_role("button", name="Disconnect").click()
    screen.expect_news("GitHub is disconnected")
    assert screen.page.evaluate("window.violations") == []
    assert screen.row("github").evaluate("row => getComputedStyle(row.querySelector('.head')).display") == "flex"


def test_a_policy_that_lets_no_picture_in_leaves_letters(screen: Screen) -> None:
    screen.host.headers["Content-Security-Policy"] = STRICT.format(stage=screen.host.stage, images="data:")
    screen.open("trip_no_pictures", attributes=SHOWN)
    expect(screen.row("github").locator(".letter")).to_have_text("G")
    screen.connect()


def test_declining_is_told_and_connects_nothing(api: Api, screen: Screen) -> None:
    screen.open("trip_declined", attributes=SHOWN)
    allow(screen.popup(screen.button("Connect GitHub")), decision="Deny")
    screen.expect_news("Nothing was connected: access to GitHub was declined.")
    assert screen.heard("failed") == [{"provider": "github", "reason": "declined"}]
    assert api.token("github", "trip_declined")["error"] == "not_installed"
    expect(screen.button("Connect GitHub")).to_be_enabled()


def test_a_window_that_was_closed_can_be_opened_again(screen: Screen) -> None:
    screen.open("trip_closed", attributes=SHOWN)
    window = screen.popup(screen.button("Connect GitHub"))
    window.get_by_role("button", name="Allow").wait_for()
    window.close()
    expect(screen.row("github")).to_contain_text("If you closed the window, start again.")
    screen.connect()


def test_a_window_closed_before_it_was_sent_on_becomes_a_link(screen: Screen) -> None:
    screen.open("trip_closed_early", attributes=SHOWN)
    screen.popup(screen.button("Connect GitHub")).close()
    expect(screen.dialog.get_by_role("link", name="Continue in a new tab")).to_be_visible()
    screen.dialog.get_by_role("button", name="Close").click()
    expect(screen.button("Connect GitHub")).to_be_enabled()


def test_cancelling_goes_back_to_the_beginning(screen: Screen) -> None:
    screen.open("trip_cancelled", attributes=SHOWN)
    window = screen.popup(screen.button("Connect GitHub"))
    window.get_by_role("button", name="Allow").wait_for()
    screen.button("Cancel connecting GitHub").click()
    expect(screen.button("Connect GitHub")).to_be_enabled()
    expect(screen.row("github").get_by_role("heading")).to_be_focused()
    expect(screen.row("github")).not_to_contain_text("Finish in the window")


def test_a_person_may_have_several_accounts(screen: Screen) -> None:
    screen.open("trip_several", attributes=SHOWN)
    screen.connect()
    allow(screen.popup(screen.button("Add account: GitHub")), "Hubot")
    screen.expect_news("GitHub is connected.")
    expect(screen.row("github").locator("[data-account-row]")).to_have_count(2)
    expect(screen.row("github")).to_contain_text("hubot")
    assert len({each["connectedAccountId"] for each in screen.heard("connected")}) == 2
    screen.button("Disconnect hubot from GitHub").click()
    screen.dialog.get_by_role("button", name="Disconnect").click()
    screen.expect_news("access was revoked at GitHub")
    expect(screen.row("github").locator("[data-account-row]")).to_have_count(1)
    expect(screen.row("github")).to_contain_text("octocat")


def test_a_revoked_grant_is_told_in_plain_words_and_reauthorized(api: Api, screen: Screen) -> None:
    screen.open("trip_revoked", attributes=SHOWN)
    screen.connect(account="Hubot")
    before = api.token("github", "trip_revoked")["access_token"]
    api.knob("github", action="revoke_grant", account="hubot")
    api.rejected("github", "trip_revoked", before["generation"])
    screen.refresh()
    row = screen.row("github")
    expect(row.get_by_text("Needs attention")).to_be_visible()
    expect(row).to_contain_text("GitHub")
    allow(screen.popup(screen.button("Reauthorize hubot at GitHub")), "Hubot")
    screen.expect_news("GitHub is connected again.")
    expect(row.get_by_text("Connected", exact=True)).to_be_visible()
    assert screen.heard("connected")[-1] == {"provider": "github", "connectedAccountId": before["connected_account_id"], "reauthorized": True}
    assert api.token("github", "trip_revoked")["active"] is True


def test_another_account_than_the_one_to_reauthorize_changes_nothing(api: Api, screen: Screen) -> None:
    screen.open("trip_other", attributes=SHOWN)
    screen.connect(account="Hubot")
    before = api.token("github", "trip_other")["access_token"]
    api.knob("github", action="revoke_grant", account="hubot")
    api.rejected("github", "trip_other", before["generation"])
    screen.refresh()
    allow(screen.popup(screen.button("Reauthorize hubot at GitHub")), "The Octocat")
    screen.expect_news("That is another GitHub account")
    assert api.token("github", "trip_other")["active"] is False


def test_disconnecting_asks_first_and_says_what_became_of_the_grant(api: Api, screen: Screen) -> None:
    screen.open("trip_disconnect", attributes=SHOWN)
    screen.connect()
    account = screen.heard("connected")[0]["connectedAccountId"]
    screen.button("Disconnect octocat from GitHub").click()
    expect(screen.dialog).to_contain_text("Disconnect GitHub?")
    screen.dialog.get_by_role("button", name="Cancel").click()
    expect(screen.button("Disconnect octocat from GitHub")).to_be_focused()
    assert api.token("github", "trip_disconnect")["active"] is True
    screen.button("Disconnect octocat from GitHub").click()
    screen.dialog.get_by_role("button", name="Disconnect").click()
    screen.expect_news("GitHub is disconnected, and its access was revoked at GitHub.")
    assert screen.heard("disconnected") == [{"provider": "github", "connectedAccountId": account, "revocation": "revoked"}]
    assert api.token("github", "trip_disconnect")["error"] == "not_installed"
    assert screen.widget.evaluate("element => element.shadowRoot.activeElement?.dataset.name") == "github"


def test_what_happened_in_another_window_is_seen_when_the_page_is_looked_at(host: Host, person: BrowserContext, api: Api) -> None:
    first, second = Screen(host, person), Screen(host, person)
    person.clock.install()
    first.open("trip_two_tabs", attributes=SHOWN)
    second.open("trip_two_tabs", attributes=SHOWN)
    person.clock.resume()
    second.connect()
    person.clock.fast_forward(6000)
    first.page.evaluate("dispatchEvent(new Event('focus'))")
    expect(first.row("github")).to_contain_text("octocat")
    assert urlsplit(first.page.url).path == "/app"
