"""Others at the widget: markup in every name, pages that post messages, somebody else's link, somebody else's token."""

from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser import Api
from tests.frontend.host import Host
from tests.frontend.screen import Screen, allow

MINE = "**/_widgets/DataIntegrations/mine"
MARKUP = '"><img src=x onerror="window.hurt=1"><script>window.hurt=1</script>'
LINKS = ["javascript:window.hurt=1", "data:text/html,<script>window.hurt=1</script>", "vbscript:x", "//[", "blob:https://evil.test/x"]


@pytest.fixture
def evil(host: Host) -> Iterator[Host]:
    """A page of somebody else, from another origin."""
    other = Host(host.stage, host.api_key)
    other.start()
    yield other
    other.stop()


def hurt(page: Page) -> bool:
    return bool(page.evaluate("'hurt' in window"))


def test_markup_in_whatever_a_server_says_stays_text(screen: Screen) -> None:
    account = {"id": "a", "state": "needs_reauthorization", "message": MARKUP, "account_display_name": MARKUP, "account_identifier": f"{MARKUP}@x", "api_key_last_4": MARKUP, "auth_method": "api_key"}
    warned = {"id": "b", "state": "connected", "missing_scopes": [MARKUP], "warnings": [{"message": MARKUP}], "account_display_name": MARKUP}
    field = {"name": MARKUP, "label": MARKUP, "description": MARKUP, "example": MARKUP, "default": MARKUP, "pattern": MARKUP}
    row = {"id": "i", "slug": MARKUP, "name": MARKUP, "description": MARKUP, "authMethods": ["api_key", "oauth"], "apiKey": field, "configFields": [field], "connected_accounts": [account, warned]}
    screen.page.route(MINE, lambda route: route.fulfill(json={"data": [row]}))
    screen.page.route("**/_widgets/DataIntegrations/**/api-key", lambda route: route.fulfill(status=422, json={"message": MARKUP}))
    screen.open("attack_markup", messages={"title": MARKUP, "connect": MARKUP})
    expect(screen.widget.locator(".name")).to_have_text(MARKUP)
    screen.widget.locator("[data-act=connect]").click()
    screen.dialog.get_by_role("radio").first.check()
    screen.dialog.locator("[type=submit]").click()
    assert not hurt(screen.page)
    screen.widget.evaluate("(element, text) => { element.shadowRoot.querySelectorAll('input.input').forEach(input => { input.value = 'x'; }); }", MARKUP)
    assert screen.widget.evaluate("element => element.shadowRoot.querySelectorAll('img, script, iframe, object').length") == 0
    assert not hurt(screen.page)


def test_markup_stored_at_the_stage_stays_text(screen: Screen, api: Api) -> None:
    """Through the real API: an account's name, as a person may choose it."""
    screen.open("attack_stored", attributes={"filter": "github"})
    screen.connect()
    account = screen.heard("connected")[0]["connectedAccountId"]
    name = "<img src=x onerror=window.hurt=1>"
    renamed = api.call("PUT", "/user_management/users/attack_stored/connected_accounts/github?supports_multiple_connections=true&connected_account_id=" + account, account_display_name=name)
    assert renamed.status_code == 200, renamed.text
    screen.refresh()
    expect(screen.row("github")).to_contain_text(name)
    assert not hurt(screen.page)


@pytest.mark.parametrize("link", LINKS)
def test_a_picture_or_page_that_is_no_web_address_is_not_used(screen: Screen, link: str) -> None:
    screen.page.route(MINE, lambda route: route.fulfill(json={"data": [{"id": "i", "slug": "acme", "name": "Acme", "iconUrl": link, "iconDarkUrl": link}]}))
    screen.page.route("**/_widgets/DataIntegrations/acme/authorize", lambda route: route.fulfill(json={"url": link, "state": "s", "redirectToken": "r", "handoffToken": "h"}))
    screen.open("attack_links")
    expect(screen.row("acme").locator(".letter")).to_be_visible()
    window = screen.popup(screen.button("Connect Acme"))
    screen.expect_news("That did not work just now.")
    if not window.is_closed():
        window.wait_for_event("close")
    assert not hurt(screen.page)


def test_a_foreign_origin_s_messages_change_nothing(screen: Screen, evil: Host) -> None:
    """A frame that guesses everything but the window and the origin."""
    screen.open("attack_messages", attributes={"filter": "github"})
    with screen.page.expect_response("**/github/authorize") as started:
        window = screen.popup(screen.button("Connect GitHub"))
    token = started.value.json()["redirectToken"]
    window.get_by_role("button", name="Allow").wait_for()
    screen.page.evaluate(
        "([url, token]) => new Promise(done => { const frame = document.createElement('iframe'); frame.src = url; frame.onload = done; document.body.append(frame); window.token = token; })",
        [evil.address("nobody", attributes={"filter": "nothing"}), token],
    )
    frame = next(each for each in screen.page.frames if each.url.startswith(evil.url))
    for message in ({"redirectToken": token}, {"redirectToken": token, "status": "connected"}, "connected"):
        frame.evaluate("message => parent.postMessage(message, '*')", message)
    screen.refresh()
    expect(screen.button("Connect GitHub").or_(screen.row("github").get_by_text("Waiting for you…"))).to_be_visible()
    assert screen.heard("connected") == []
    allow(window)
    screen.expect_news("GitHub is connected.")


def test_the_secret_is_posted_to_the_page_s_origin_alone(screen: Screen, evil: Host) -> None:
    """A window that was sent elsewhere meanwhile hears nothing."""
    screen.person.route("**/connect/**", lambda route: route.fulfill(status=302, headers={"Location": evil.address("nobody")}))
    screen.person.add_init_script("window.overheard = []; addEventListener('message', (event) => window.overheard.push(event.data));")
    screen.open("attack_elsewhere", attributes={"filter": "github"})
    with screen.person.expect_event("response", lambda response: response.url.startswith(evil.url)):
        window = screen.popup(screen.button("Connect GitHub"))
    window.wait_for_url(f"{evil.url}/**")
    window.wait_for_function("performance.now() > 1500")
    assert window.evaluate("window.overheard") == []
    expect(screen.row("github")).to_contain_text("Waiting for you…")


def test_somebody_else_s_opener_cannot_finish_a_stolen_link(screen: Screen, evil: Host, api: Api) -> None:
    """The thief's page opens the victim's link and guesses the secret: the page does not hear it, and nothing is connected."""
    started = requests.post(
        f"{screen.host.stage}/_widgets/DataIntegrations/github/authorize",
        json={"requireHandoff": True},
        headers={"Authorization": f"Bearer {screen.host.mint('attack_link')}", "Origin": screen.host.url},
        timeout=60,
    ).json()
    page = screen.person.new_page()
    page.goto(evil.address("thief", attributes={"filter": "nothing"}))
    with page.expect_popup() as opened:
        page.evaluate("url => { window.stolen = window.open(url); }", started["url"])
    opened.value.wait_for_load_state()
    page.evaluate(
        "token => new Promise(done => { let count = 0; const timer = setInterval(() => { window.stolen.postMessage(token, '*'); if (++count === 10) { clearInterval(timer); done(); } }, 50); })",
        {"handoffToken": "guessed", "redirectToken": started["redirectToken"]},
    )
    assert "/connect/" in opened.value.url
    assert api.token("github", "attack_link")["error"] == "not_installed"


def test_the_widget_asks_nothing_of_a_page_that_frames_it(person: BrowserContext, host: Host) -> None:
    """The pages a trip leads to cannot be framed, so no click on them can be stolen."""
    screen = Screen(host, person)
    for path in ("/pipes/redirecting", "/connect/unknown.link"):
        headers = requests.get(f"{host.stage}{path}", timeout=60).headers
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    screen.page.close()


def test_a_stolen_token_reaches_nobody_else_s_accounts(screen: Screen) -> None:
    screen.open("attack_victim", attributes={"filter": "github"})
    screen.connect()
    account = screen.heard("connected")[0]["connectedAccountId"]
    thief = {"Authorization": f"Bearer {screen.host.mint('attack_thief')}"}
    answer = requests.delete(f"{screen.host.stage}/_widgets/DataIntegrations/installations/{account}", headers=thief, timeout=60)
    assert answer.status_code == 404
    screen.refresh()
    expect(screen.row("github")).to_contain_text("octocat")
