"""The dashboard in a real browser, against the deployed sandbox: everything by clicks."""

import json
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from ops import dashboard as ops_dashboard
from ops.local.sandbox import Sandbox
from tests import axe
from tests.browser import Api
from tests.dashboard.conftest import Open, menu
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
