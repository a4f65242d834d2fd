"""The dashboard in a real browser, against the deployed sandbox: everything by clicks."""

import json
from collections.abc import Callable, Iterator
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from ops import dashboard as ops_dashboard
from ops.local.sandbox import Sandbox
from tests import axe
from tests.browser import Api
from tests.peers import Peer, start_oidc
from tests.web.people import somebody

EVIL = "<img src=x onerror=alert(1)>"
PAGES = {
    "overview": "Cost of the month",
    "providers": "Catalogue",
    "providers/github": "Test this provider",
    "connections": "Connection id",
    "events": "The SNS topic",
    "events/webhooks": "endpoint",
    "keys": "Revoke",
    "audit": "Look further back",
    "settings": "End all sessions",
    "simulator": "The whole simulator",
}

Open = Callable[..., Page]


@pytest.fixture
def opened(sandbox: Sandbox, browser: Browser) -> Iterator[Open]:
    """Signs somebody in by a fresh link, in a browser of their own. A page that raises, or asks anybody else for anything, fails the test."""
    contexts: list[BrowserContext] = []
    said: list[str] = []

    def open_dashboard(*, read_only: bool = False, width: int = 1280, height: int = 860, scheme: str = "light") -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, locale="en-US", color_scheme=scheme)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("console", lambda message: said.append(message.text) if "Content Security Policy" in message.text else None)
        page.on("request", lambda request: None if request.url.startswith((sandbox.url, "data:", "about:")) else said.append(f"asked {request.url}"))
        page.on("dialog", lambda dialog: said.append("a script of somebody else ran"))
        page.goto(ops_dashboard.link(sandbox.environ, read_only=read_only))
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Overview")).to_be_visible(timeout=30_000)
        return page

    yield open_dashboard
    for context in contexts:
        context.close()
    assert said == []


def menu(page: Page, name: str) -> Locator:
    return page.get_by_role("navigation").get_by_role("link", name=name, exact=True)


def visit(page: Page, sandbox: Sandbox, path: str) -> None:
    page.goto(f"{sandbox.url}/dashboard/{path.removeprefix('overview')}")
    expect(page.get_by_text(PAGES[path]).first).to_be_visible(timeout=30_000)
    expect(page.locator(".skeleton")).to_have_count(0, timeout=30_000)


def connect(api: Api, page: Page, user: str, slug: str = "github", **more: str) -> None:
    page.goto(api.authorize(slug, user, **more)["url"])
    page.get_by_role("button", name="Continue to").click()
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("connected", timeout=30_000)


def told(page: Page) -> list[str]:
    """What a timeline says, newest first."""
    return [item.split("\n")[0] for item in page.locator("ol.timeline li").all_inner_texts()]


def test_a_link_signs_in_by_a_click_leaves_no_trace_in_the_address_and_is_good_once(sandbox: Sandbox, browser: Browser) -> None:
    link = ops_dashboard.link(sandbox.environ)
    first, second = browser.new_context(), browser.new_context()
    page = first.new_page()
    page.goto(link)
    expect(page.get_by_role("heading", name="Sign in to Standpipe")).to_be_visible(timeout=30_000)
    assert page.evaluate("location.href") == f"{sandbox.url}/dashboard/sign-in"
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible(timeout=30_000)
    (cookie,) = first.cookies()
    assert cookie["httpOnly"] and cookie["sameSite"] == "Strict"
    again = second.new_page()
    again.goto(link)
    again.get_by_role("button", name="Sign in").click()
    expect(again.get_by_role("alert")).to_contain_text("This link was used already", timeout=30_000)
    assert second.cookies() == []
    for context in (first, second):
        context.close()


def test_who_is_not_signed_in_is_told_how_to(sandbox: Sandbox, page: Page) -> None:
    page.goto(f"{sandbox.url}/dashboard/keys")
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("make dashboard")).to_be_visible()
    assert axe.findings(page) == []


@pytest.fixture
def not_enabled(api: Api) -> Iterator[None]:
    """GitHub as it is before anybody has set it up, and afterwards as the other tests want it."""
    assert api.call("PUT", "/data-integrations/github", enabled=False, scopes=["read:user"]).status_code == 200
    yield
    assert api.call("PUT", "/data-integrations/github", enabled=True, scopes=None).status_code == 200


def test_github_is_set_up_with_simulated_credentials_and_tried_by_clicks(not_enabled: None, opened: Open, api: Api) -> None:
    page = opened()
    menu(page, "Providers").click()
    page.get_by_label("Search the catalogue").fill("github")
    page.get_by_role("button", name="GitHub").click()
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_label("Simulated credentials")).to_be_checked(timeout=30_000)
    drawer.get_by_label("My own OAuth app").check()
    expect(drawer.get_by_text("/callback/data_integration_").first).to_be_visible()
    drawer.get_by_label("Simulated credentials").check()
    drawer.get_by_label("Search the scopes").fill("repositories")
    drawer.get_by_role("checkbox", name="Read and write all repositories").check()
    drawer.get_by_label("Description").fill("Your code")
    expect(drawer.get_by_role("button", name="Test this provider")).to_be_disabled()
    drawer.get_by_label("People can connect it").check()
    drawer.get_by_role("button", name="Save").click()
    expect(page.get_by_text("GitHub is saved")).to_be_visible(timeout=30_000)
    stored = api.call("GET", "/data-integrations/github").json()
    assert (stored["enabled"], set(stored["scopes"]), stored["description"]) == (True, {"read:user", "repo"}, "Your code")

    with page.context.expect_page() as window:
        drawer.get_by_role("button", name="Test this provider").click()
    consent = window.value
    consent.get_by_role("button", name="Continue to GitHub").click(timeout=30_000)
    consent.get_by_role("button", name="Allow").click(timeout=30_000)
    expect(drawer.get_by_text("GitHub works")).to_be_visible(timeout=40000)
    steps = drawer.locator("ol.trial li")
    expect(steps).to_have_count(3)
    for number, verdict in enumerate(["passed", "passed|skipped", "passed"]):
        assert steps.nth(number).get_attribute("class") in verdict.split("|")
    assert axe.findings(page) == []
    consent.close()


def test_credentials_are_removed_by_clicks_and_a_provider_is_tried_before_it_is_enabled(opened: Open, sandbox: Sandbox, api: Api) -> None:
    """Of one that nobody has connected: credentials that somebody uses stay."""
    page = opened()
    page.goto(f"{sandbox.url}/dashboard/providers/asana")
    drawer = page.get_by_role("dialog").first
    drawer.get_by_label("My own OAuth app").check(timeout=30_000)
    drawer.get_by_label("Client ID").fill("client-of-acme")
    drawer.get_by_label("Client secret").fill("a-client-secret-of-ours")
    drawer.get_by_role("button", name="Save").click()
    drawer.get_by_role("button", name="Remove credentials").click(timeout=30_000)
    page.get_by_role("dialog").last.get_by_role("button", name="Remove credentials").click()
    expect(page.get_by_text("The credentials of Asana are removed")).to_be_visible(timeout=30_000)
    expect(drawer.get_by_label("Simulated credentials")).to_be_checked()
    assert "client-of-acme" not in api.call("GET", "/data-integrations/asana").text
    assert axe.findings(page) == []

    with page.context.expect_page() as window:
        drawer.get_by_role("button", name="Test this provider").click()
    window.value.get_by_role("button", name="Continue to Asana").click(timeout=30_000)
    window.value.get_by_role("button", name="Allow").click(timeout=30_000)
    expect(drawer.get_by_text("Asana works")).to_be_visible(timeout=40000)
    assert api.call("GET", "/data-integrations/asana").json()["enabled"] is False
    window.value.close()


@pytest.fixture(scope="module")
def openid() -> Iterator[Peer]:
    with start_oidc(client_secret="secret-of-the-pages", client_id="pages", redirect_uris=["http://localhost:8000/callback/nothing"]) as peer:
        yield peer


def test_a_custom_provider_is_found_by_its_address(opened: Open, api: Api, openid: Peer) -> None:
    page = opened()
    menu(page, "Providers").click()
    page.get_by_role("button", name="Custom provider").click()
    page.get_by_label("Address of the authorization server").fill(openid.issuer)
    page.get_by_role("button", name="Look it up").click()
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_label("Token endpoint")).to_have_value(openid.token_endpoint, timeout=30_000)
    expect(drawer.get_by_label("Issuer")).to_have_value(openid.issuer)
    drawer.get_by_label("Name", exact=True).fill("House Ledger")
    expect(drawer.get_by_label("Short name")).to_have_value("house-ledger")
    drawer.get_by_label("Client ID").fill("pages")
    drawer.get_by_label("Client secret", exact=True).fill("secret-of-the-pages")
    assert axe.findings(page) == []
    drawer.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("dialog").get_by_text("/callback/data_integration_").first).to_be_visible(timeout=30_000)
    stored = api.call("GET", "/data-integrations/house-ledger").json()
    assert (stored["custom_provider"]["token_url"], stored["credentials"]["client_id"], stored["enabled"]) == (openid.token_endpoint, "pages", False)
    api.call("DELETE", "/data-integrations/house-ledger")


def test_a_connection_is_found_refreshed_and_disconnected_and_its_timeline_tells(opened: Open, api: Api, person: BrowserContext) -> None:
    user = somebody()
    connect(api, person.new_page(), user, "google")
    page = opened()
    menu(page, "Connections").click()
    page.get_by_label("User", exact=True).fill(user)
    page.get_by_role("button", name="Search").click()
    page.locator("a.row-link").click(timeout=30_000)
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Google of {user}", timeout=30_000)
    page.get_by_role("button", name="Refresh now").click()
    expect(page.get_by_text("generation 2").first).to_be_visible(timeout=30_000)
    assert told(page) == ["Refreshed", "Connected"]
    page.get_by_role("button", name="Disconnect").click()
    page.get_by_role("dialog").get_by_role("button", name="Disconnect").click()
    expect(page.locator("ol.timeline").get_by_text("Disconnected")).to_be_visible(timeout=30_000)
    assert told(page) == ["Disconnected", "Connected"]
    assert api.token("google", user)["error"] == "not_installed"
    assert axe.findings(page) == []


def test_a_key_is_made_shown_once_and_revoked_by_clicks(opened: Open, sandbox: Sandbox) -> None:
    page, name = opened(), somebody()
    menu(page, "API keys").click()
    page.get_by_role("button", name="Make a key").first.click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Make it").click()
    shown = page.get_by_role("dialog").locator(".copy code")
    expect(shown).to_contain_text("sk_", timeout=30_000)
    key = shown.inner_text()
    page.get_by_role("button", name="I have stored it").click()
    expect(page.get_by_text(name)).to_be_visible(timeout=30_000)
    assert key not in page.content()
    page.get_by_role("button", name=f"Revoke {name}").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("row", name=name).get_by_text("Revoked")).to_be_visible(timeout=30_000)


def test_a_webhook_endpoint_is_added_by_clicks(opened: Open) -> None:
    page = opened()
    menu(page, "Events").click()
    page.get_by_role("button", name="Webhooks").click()
    page.get_by_role("button", name="Add an endpoint").click(timeout=30_000)
    page.get_by_label("Address").fill("https://hooks.example.com/pages")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("dialog").get_by_text("whsec_")).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="I have stored it").click()
    expect(page.get_by_role("heading", name="https://hooks.example.com/pages")).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No webhook endpoint yet")).to_be_visible(timeout=30_000)


def test_a_revoked_session_is_over_with_the_next_click(opened: Open, sandbox: Sandbox) -> None:
    page = opened()
    ops_dashboard.revoke_all(sandbox.environ)
    menu(page, "API keys").click()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible(timeout=30_000)


def test_who_may_look_finds_nothing_to_change(opened: Open, sandbox: Sandbox) -> None:
    page = opened(read_only=True)
    for path in ("providers/github", "keys", "settings", "events/webhooks"):
        page.goto(f"{sandbox.url}/dashboard/{path}")
        expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=30_000)
        page.wait_for_load_state("networkidle")
        for name in ("Save", "Remove", "Make a key", "Revoke", "End all sessions", "Add an endpoint", "Test this provider"):
            expect(page.get_by_role("button", name=name)).to_have_count(0)


def test_nothing_that_users_or_providers_say_runs_as_a_script(opened: Open, api: Api, sandbox: Sandbox, person: BrowserContext) -> None:
    user = f"{somebody()}{EVIL}"
    connect(api, person.new_page(), user, account_display_name=EVIL, organization_id=f"org{EVIL}")
    custom = {"name": EVIL, "authorization_url": "https://id.example.com/a", "token_url": "https://id.example.com/t"}
    assert api.call("POST", "/data-integrations", provider="evil-one", description=EVIL, custom_provider=custom).status_code == 201
    page = opened()
    page.goto(f"{sandbox.url}/dashboard/keys")
    page.get_by_role("button", name="Make a key").first.click()
    page.get_by_label("Name").fill(EVIL)
    page.get_by_role("button", name="Make it").click()
    page.get_by_role("button", name="I have stored it").click(timeout=30_000)
    expect(page.get_by_text(EVIL).first).to_be_visible(timeout=30_000)
    owner = urlencode({"user_id": user, "organization_id": f"org{EVIL}"})
    for path, place in (("providers", "button.provider"), ("providers/evil-one", "dialog h2"), ("events", "td"), ("audit", "td"), (f"connections?{owner}", "td")):
        page.goto(f"{sandbox.url}/dashboard/{path}")
        expect(page.locator(place).get_by_text(EVIL).first).to_be_visible(timeout=30_000)
    page.locator("a.row-link").first.click(timeout=30_000)
    expect(page.get_by_role("heading", level=1)).to_contain_text(EVIL, timeout=30_000)
    assert page.locator("img:not([src^='/static/icon-'])").count() == 0
    api.call("DELETE", "/data-integrations/evil-one")


def test_the_dashboard_is_not_shown_in_a_frame(sandbox: Sandbox, page: Page) -> None:
    page.goto(f"{sandbox.url}/healthz")
    page.evaluate("url => new Promise(done => { const frame = document.createElement('iframe'); frame.src = url; frame.onload = done; document.body.append(frame); })", f"{sandbox.url}/dashboard")
    assert len(page.frames) == 2 and page.frames[1].locator("#dashboard").count() == 0


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_axe_finds_nothing_on_any_page(opened: Open, sandbox: Sandbox, api: Api, person: BrowserContext, look: str) -> None:
    user = somebody()
    connect(api, person.new_page(), user, "github")
    width, height = (390, 844) if look == "phone" else (1280, 860)
    page = opened(scheme="dark" if look == "dark" else "light", width=width, height=height)
    found = {}
    for path in PAGES:
        visit(page, sandbox, path)
        found[path] = axe.findings(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is wider than the screen"
    page.goto(f"{sandbox.url}/dashboard/connections?user_id={user}")
    page.locator("a.row-link").first.click(timeout=30_000)
    expect(page.get_by_text("What happened")).to_be_visible(timeout=30_000)
    found["connection"] = axe.findings(page)
    assert {path: each for path, each in found.items() if each} == {}, json.dumps(found, indent=1)


def test_everything_is_reached_by_keyboard(opened: Open) -> None:
    page = opened()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Connections")).to_be_focused(timeout=30_000)
    menu(page, "Providers").press("Enter")
    card = page.get_by_role("button", name="GitHub").first
    card.press("Enter", timeout=30_000)
    expect(page.get_by_role("dialog")).to_be_visible(timeout=30_000)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_page_whose_server_does_not_answer_says_so_and_tries_again(opened: Open, sandbox: Sandbox) -> None:
    page = opened()
    page.route("**/dashboard/api/keys", lambda route: route.abort())
    menu(page, "API keys").click()
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached", timeout=30_000)
    page.unroute("**/dashboard/api/keys")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("sk_").first).to_be_visible(timeout=30_000)
