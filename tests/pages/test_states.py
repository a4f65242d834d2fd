"""Every page of the connect flow, reached by clicks: it says what happened and what to do, axe finds nothing on it, and nothing comes from anywhere else."""

import pytest
from playwright.sync_api import expect

from ops.local.sandbox import Sandbox
from tests.deployed import Landing
from tests.pages.expire import expire
from tests.pages.visit import Visit
from tests.web.people import somebody

AGAIN = "click Connect again"


def test_the_confirmation_says_who_connects_what_to_whom_and_what_is_asked_for(visit: Visit) -> None:
    visit.open(visit.link("user_ana", user_display_name="ana@acme.test"))
    expect(visit.heading).to_have_text("Connect your GitHub account to Acme as ana@acme.test (user_ana)?")
    expect(visit.page.get_by_text("If that is not you, close this page")).to_be_visible()
    expect(visit.page.get_by_role("heading", level=2)).to_have_text("Acme asks for")
    expect(visit.page.get_by_role("listitem").first).to_contain_text("read:user")
    expect(visit.page.get_by_text("Acme never sees your password.")).to_be_visible()
    assert visit.page.title() == "Connect GitHub · Acme" and visit.page.get_by_role("button").count() == 1
    visit.is_whole()


def test_for_an_organization_the_confirmation_names_it_and_who_acts(visit: Visit) -> None:
    made = visit.api.call("POST", "/data-integrations", provider="github", ownership="organization", enabled=True)
    assert made.status_code in (201, 409), made.text
    visit.open(visit.link("user_ana", organization_id="org_initech", connection_owner="organization"))
    expect(visit.heading).to_have_text("Connect your GitHub account to Acme for the organization org_initech?")
    expect(visit.page.get_by_text("Every member of the organization will be able to use it. You do this as user_ana.")).to_be_visible()
    visit.is_whole()


def test_done(visit: Visit) -> None:
    visit.connect(user := somebody())
    visit.shows("GitHub is connected")
    expect(visit.page.get_by_text("You can close this window and go back to Acme.")).to_be_visible()
    visit.is_whole()
    assert visit.api.token("github", user)["active"] is True
    again = visit.page.reload()
    assert again is not None and again.status == 200
    visit.shows("GitHub is connected")


def test_declined_leads_back_to_the_application(visit: Visit, landing: Landing) -> None:
    user = somebody()
    visit.open(visit.link(user, return_to=landing.url))
    expect(visit.page.get_by_role("link", name="Cancel and go back to Acme")).to_have_attribute("href", landing.url)
    visit.go_on()
    visit.decide("Deny")
    visit.shows("You declined")
    expect(visit.page.get_by_text(AGAIN)).to_be_visible()
    visit.is_whole()
    visit.page.get_by_role("link", name="Back to Acme").click()
    visit.page.wait_for_url(landing.url)
    assert visit.api.token("github", user)["error"] == "not_installed"


def test_a_link_of_more_than_ten_minutes_ago_has_expired(visit: Visit, landing: Landing, sandbox: Sandbox) -> None:
    link = visit.link(somebody(), return_to=landing.url)
    expire(sandbox, link)
    answer = visit.open(link)
    visit.shows("This link has expired")
    assert answer.status == 400
    expect(visit.page.get_by_role("link", name="Back to Acme")).to_be_visible()
    visit.is_whole()


def test_one_who_waits_on_the_confirmation_for_too_long_is_told_the_same(visit: Visit, sandbox: Sandbox) -> None:
    visit.open(link := visit.link(somebody()))
    expire(sandbox, link)
    visit.go_on()
    visit.shows("This link has expired")
    expect(visit.page.get_by_text(AGAIN)).to_be_visible()


def test_one_who_waits_at_the_provider_for_too_long_is_told_the_same(visit: Visit, sandbox: Sandbox) -> None:
    visit.open(link := visit.link(user := somebody()))
    visit.go_on()
    expire(sandbox, link)
    visit.decide()
    visit.shows("This link has expired")
    assert visit.api.token("github", user)["error"] == "not_installed"


def test_a_browser_that_lost_its_cookie_is_another_browser(visit: Visit) -> None:
    visit.open(visit.link(user := somebody()))
    visit.go_on()
    visit.person.clear_cookies()
    visit.decide()
    visit.shows("Please stay in one browser")
    expect(visit.page.get_by_text("Go back to Acme in this browser and click Connect again.")).to_be_visible()
    visit.is_whole()
    assert visit.api.token("github", user)["error"] == "not_installed"


@pytest.mark.parametrize("behaviour", ["500", "malformed"])
def test_a_provider_that_is_down(visit: Visit, behaviour: str) -> None:
    visit.open(visit.link(user := somebody(), "slack"))
    visit.go_on("Slack")
    visit.api.knob("slack", behaviour=behaviour)
    try:
        visit.decide()
        visit.shows("Slack did not finish")
    finally:
        visit.api.knob("slack", action="reset")
    expect(visit.page.get_by_text(f"Wait a minute, go back to Acme and {AGAIN}.")).to_be_visible()
    visit.is_whole()
    assert visit.api.token("slack", user)["error"] == "not_installed"


def test_another_account_than_before_is_named(visit: Visit) -> None:
    visit.connect(user := somebody(), "The Octocat")
    visit.shows("GitHub is connected")
    visit.connect(user, "Hubot")
    visit.shows("That is another GitHub account")
    expect(visit.page.get_by_text("You signed in as hubot, but what Acme uses is octocat. Nothing was changed.")).to_be_visible()
    visit.is_whole()


def test_a_link_that_was_mistyped(visit: Visit) -> None:
    answer = visit.open("/connect/nothing.at-all")
    visit.shows("This link does not work")
    assert answer.status == 400
    visit.is_whole()


@pytest.mark.parametrize(
    ("name", "title"), [("unavailable", "That did not work just now"), ("ended", "Go back to Acme"), ("link_used", "This link was already used"), ("invalid_response", "That answer cannot be used")]
)
def test_what_can_be_said_without_knowing_the_flow(visit: Visit, name: str, title: str) -> None:
    visit.open(f"/outcome/{name}")
    visit.shows(title)
    visit.is_whole()


def test_the_ends_of_a_flow_are_not_told_to_who_guesses_their_names(visit: Visit) -> None:
    for name in ("declined", "other_account", "connected", "exchange_failed"):
        visit.open(f"/outcome/{name}")
        visit.shows("This link does not work")


def test_the_window_that_is_opened_first_asks_for_a_moment(visit: Visit) -> None:
    visit.open("/pipes/redirecting")
    expect(visit.heading).to_have_text("One moment, please")
    assert visit.page.title() == "One moment · Acme"
    visit.is_whole()


def test_after_fifteen_seconds_it_says_that_nothing_came(visit: Visit) -> None:
    visit.page.clock.install(time=0)
    visit.open("/pipes/redirecting")
    visit.page.clock.pause_at(14)
    expect(visit.heading).to_have_text("One moment, please")
    expect(visit.page.get_by_role("alert")).to_be_hidden()
    visit.page.clock.fast_forward(14_000)
    told = visit.page.get_by_role("alert")
    expect(told).to_contain_text("Nothing came")
    expect(told).to_contain_text("Close this window and click Connect once more.")
    expect(visit.page.get_by_text("One moment, please")).to_be_hidden()
    visit.page.clock.resume()
    visit.is_whole()


def test_the_window_whose_opener_is_silent_says_so(visit: Visit) -> None:
    answer = visit.api.call("POST", "/widgets/token", user_id=somebody())
    headers = {"Authorization": f"Bearer {answer.json()['token']}", "Content-Type": "application/json"}
    begun = visit.person.request.post(f"{visit.sandbox.url}/_widgets/DataIntegrations/github/authorize", data={"requireHandoff": True}, headers=headers).json()
    visit.page.clock.install(time=0)
    visit.open(begun["url"])
    expect(visit.heading).to_have_text("Taking you to GitHub")
    visit.page.clock.fast_forward(16_000)
    expect(visit.page.get_by_role("alert")).to_contain_text("This window lost the page that opened it. Nothing was connected.")
    expect(visit.heading).to_have_text("This did not go on")
    visit.is_whole()
