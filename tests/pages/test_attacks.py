"""Others at the hosted pages: markup in whatever can be stored or said, frames, forged forms, stolen and spent links."""

from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.pages.elsewhere import Elsewhere
from tests.pages.rogue import MARKUP, NAME, SCOPES, Rogue
from tests.pages.visit import Visit
from tests.web.conftest import OpenSite
from tests.web.people import somebody

FOREIGN = '() => [...document.querySelectorAll(\'img:not([src^="/static/icon-"]), iframe, object, embed, style, base, [onclick], [onerror], script:not([src="/static/handoff.js"])\')].map(each => each.outerHTML)'


def is_text(visit: Visit, *shown: str) -> None:
    """What was said is there, letter by letter, and became nothing else."""
    body = visit.page.locator("body").inner_text()
    for text in shown:
        assert text in body, text
    assert visit.page.evaluate(FOREIGN) == [] and not visit.page.evaluate("'hurt' in window")
    assert visit.said == []


def test_markup_in_everything_an_application_stores_stays_text(visit: Visit, rogue: Rogue) -> None:
    """User id, display name, organization, label; and of a custom provider its name and its scopes."""
    slug, user = rogue.offer(visit.api), f"{somebody()}{MARKUP}"
    visit.open(visit.link(user, slug, user_display_name=MARKUP, organization_id=f"org{MARKUP}", account_display_name=MARKUP))
    is_text(visit, f"Connect your {NAME} account to Acme as {MARKUP} ({user})?", *SCOPES)
    rogue.error, rogue.account = None, "one"
    visit.go_on(NAME)
    expect(visit.heading).to_have_text(f"{NAME} is connected")
    # The provider granted less than was asked for, and its words are shown.
    is_text(visit, f"Acme can now use your {NAME} account.", ", ".join(SCOPES[1:]))


def test_markup_in_an_organization_s_id_stays_text(visit: Visit) -> None:
    visit.api.call("POST", "/data-integrations", provider="github", ownership="organization", enabled=True)
    organization = f"<script>window.hurt=1</script>{somebody()}"
    visit.open(visit.link(MARKUP, organization_id=organization, connection_owner="organization"))
    is_text(visit, f"to Acme for the organization {organization}?", f"You do this as {MARKUP}.")


def test_markup_in_a_provider_s_error_stays_text(visit: Visit, rogue: Rogue) -> None:
    slug = rogue.offer(visit.api)
    rogue.error = "server_error"
    visit.open(visit.link(somebody(), slug))
    visit.go_on(NAME)
    expect(visit.heading).to_have_text(f"{NAME} reported a problem")
    is_text(visit, f"server_error: {MARKUP}")
    rogue.error = "<script>window.hurt=1</script>"
    visit.open(visit.link(somebody(), slug))
    visit.go_on(NAME)
    expect(visit.heading).to_have_text(f"{NAME} reported a problem")
    is_text(visit, "<script>window.hurt=1</script>: ")


def test_markup_in_the_names_of_a_provider_s_accounts_stays_text(visit: Visit, rogue: Rogue) -> None:
    slug, user = rogue.offer(visit.api), somebody()
    for rogue.account in ("one", "two"):
        rogue.error = None
        visit.open(visit.link(user, slug))
        visit.go_on(NAME)
        expect(visit.heading).to_contain_text("is connected" if rogue.account == "one" else "That is another")
    is_text(visit, f"You signed in as {MARKUP} two, but what Acme uses is {MARKUP} one.")


def test_markup_in_the_application_s_name_stays_text(visit: Visit, open_site: OpenSite) -> None:
    site = open_site(STANDPIPE_APP_NAME=MARKUP)
    assert site.api("POST", "/data-integrations", {"provider": "github", "enabled": True}).status == 201
    link = site.authorize(somebody(), "github")["url"]
    with site.gateway.served() as origin:
        for path in (urlsplit(link).path, "/outcome/link_used", "/pipes/redirecting"):
            visit.open(f"{origin}{path}")
            is_text(visit, f"Connections for {MARKUP}")
            assert visit.page.title().endswith(f" · {MARKUP}")


# frames and forms


@pytest.mark.parametrize("path", ["/outcome/link_used", "/pipes/redirecting", "a link"])
def test_in_a_frame_of_another_site_there_is_nothing_to_click(visit: Visit, elsewhere: Elsewhere, path: str) -> None:
    address = visit.link(somebody()) if path == "a link" else f"{visit.sandbox.url}{path}"
    elsewhere.page = f'<iframe src="{address}"></iframe>'
    with visit.page.expect_response(address) as answered:
        visit.page.goto(elsewhere.url)
    assert answered.value.headers["x-frame-options"] == "DENY"
    (frame,) = visit.page.main_frame.child_frames
    frame.wait_for_url("chrome-error://**")  # what is there instead is the browser's own word
    assert frame.locator("button, a[href], form").count() == 0
    assert "Acme" not in frame.locator("html").inner_text()


def submitted(page: Page, site: Elsewhere, action: str, csrf: str) -> None:
    """Somebody else's page sends the confirmation, as soon as it is looked at."""
    site.page = f'<form method="post" action="{action}"><input name="csrf" value="{csrf}"></form><script>document.forms[0].submit()</script>'
    page.goto(site.url)
    page.wait_for_url(action)


def test_a_form_of_another_site_confirms_nothing(visit: Visit, elsewhere: Elsewhere) -> None:
    """Not even with the right token: the browser leaves the cookie out. The person can still go on by themselves."""
    visit.open(link := visit.link(user := somebody()))
    token = visit.page.locator("input[name=csrf]").input_value()
    for csrf in ("", token):
        submitted(visit.page, elsewhere, link, csrf)
        visit.shows("Please stay in one browser")
    visit.open(link)
    visit.go_on()
    visit.decide()
    visit.shows("GitHub is connected")
    assert visit.api.token("github", user)["active"] is True


def test_a_confirmation_from_a_browser_that_did_not_open_the_link_is_refused(visit: Visit, stranger: Visit, elsewhere: Elsewhere) -> None:
    """The thief has the link and even the page's token."""
    visit.open(link := visit.link(somebody()))
    submitted(stranger.page, elsewhere, link, visit.page.locator("input[name=csrf]").input_value())
    stranger.shows("Please stay in one browser")
    assert stranger.person.cookies(visit.sandbox.url) == []


# links


def test_a_link_that_somebody_else_opened_first_is_worth_nothing_to_its_owner(visit: Visit, stranger: Visit) -> None:
    link = visit.link(user := somebody())
    stranger.open(link)
    expect(stranger.heading).to_have_text(f"Connect your GitHub account to Acme as {user}?")
    assert visit.open(link).status == 400
    visit.shows("This link was already used")
    expect(visit.page.get_by_text("click Connect again")).to_be_visible()
    assert visit.api.token("github", user)["error"] == "not_installed"


def test_a_link_is_used_once_however_it_is_tried_again(visit: Visit) -> None:
    user = somebody()
    visit.open(link := visit.link(user))
    visit.go_on()
    visit.decide()
    visit.shows("GitHub is connected")
    before = visit.api.token("github", user)["access_token"]["generation"]
    callback = next(url for url in visit.asked if "/callback/" in url)
    for address in (link, callback):
        visit.open(address)
        visit.shows("This link was already used")
        expect(visit.page.get_by_text("A connect link works once")).to_be_visible()
    assert visit.api.token("github", user)["access_token"]["generation"] == before


def test_going_back_to_a_confirmation_that_was_given_does_not_give_it_again(visit: Visit) -> None:
    visit.open(visit.link(somebody()))
    visit.go_on()
    visit.page.get_by_role("button", name="Allow").wait_for()
    visit.page.go_back()
    visit.shows("This link was already used")


def test_an_outcome_is_told_in_full_to_its_own_browser_only(visit: Visit, stranger: Visit) -> None:
    visit.connect(somebody())
    visit.shows("GitHub is connected")
    stranger.open(visit.page.url)
    stranger.shows("This link does not work")
    cookies = {each["name"]: "x" * 43 for each in visit.person.cookies(visit.sandbox.url)}
    assert cookies and "GitHub" not in requests.get(visit.page.url, cookies=cookies, timeout=60).text
