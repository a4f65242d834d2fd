"""Everybody can use it: axe finds nothing in any state, light or dark; the keyboard is enough; it reads from right to left."""

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser import Api
from tests.frontend.host import Host
from tests.frontend.providers import ATLAS, LEDGER, WEATHER, Tokens
from tests.frontend.screen import Screen, allow

SHOWN = {"filter": f"github,slack,{WEATHER},{ATLAS}"}
MINE = "**/_widgets/DataIntegrations/mine"
THEMES = pytest.mark.parametrize("theme", ["light", "dark"])
RIGHT_TO_LEFT = {"connect": "اتصال", "connectTo": "اتصال {provider}", "stateNotConnected": "غير متصل", "title": "الحسابات المتصلة"}


def focused(page: Page) -> str:
    """What a screen reader says of the element that has the focus."""
    return str(
        page.evaluate(
            "() => { let at = document.activeElement; while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement; return at?.getAttribute('aria-label') ?? at?.textContent?.trim() ?? ''; }"
        )
    )


def tab_to(page: Page, name: str, key: str = "Tab") -> None:
    for _ in range(40):
        page.keyboard.press(key)
        if focused(page) == name:
            return
    raise AssertionError(f"the keyboard never came to {name!r}")


@THEMES
def test_axe_finds_nothing_in_the_list_and_its_dialogs(screen: Screen, offered: Tokens, api: Api, theme: str) -> None:
    user = f"axe_{theme}"
    screen.open(user, attributes={**SHOWN, "theme": theme})
    assert screen.findings() == []
    screen.connect(account="Hubot")
    screen.button("Disconnect hubot from GitHub").click()
    assert screen.findings() == []
    screen.dialog.get_by_role("button", name="Cancel").click()
    screen.button("Connect Atlas").click()
    assert screen.findings() == []
    screen.dialog.get_by_label("Client credentials").check()
    screen.dialog.get_by_role("button", name="Connect").click()
    assert screen.findings() == []
    screen.dialog.get_by_role("button", name="Cancel").click()
    window = screen.popup(screen.button("Connect Slack"))
    window.get_by_role("button", name="Allow").wait_for()
    assert screen.findings() == []
    window.close()
    api.knob("github", action="revoke_grant", account="hubot")
    api.rejected("github", user, api.token("github", user)["access_token"]["generation"])
    screen.refresh()
    expect(screen.row("github")).to_contain_text("Needs attention")
    assert screen.findings() == []


@THEMES
@pytest.mark.parametrize("state", ["loading", "empty", "error", "expired", "offline"])
def test_axe_finds_nothing_in_the_other_states(screen: Screen, state: str, theme: str) -> None:
    held: list[Route] = []
    screen.host.broken = state == "expired"
    if state != "expired":
        answers = {
            "loading": lambda route: held.append(route),
            "empty": lambda route: route.fulfill(json={"data": []}),
            "error": lambda route: route.fulfill(status=500),
            "offline": lambda route: route.abort("internetdisconnected"),
        }
        screen.page.route(MINE, answers[state])
    screen.open(f"axe_{state}", state, attributes={"theme": theme})
    assert screen.findings() == []


def test_the_keyboard_alone_connects_and_disconnects(screen: Screen) -> None:
    screen.open("keys_only", attributes={"filter": "github"})
    tab_to(screen.page, "Connect GitHub")
    with screen.page.expect_popup() as opened:
        screen.page.keyboard.press("Enter")
    window = opened.value
    window.get_by_role("button", name="Allow").wait_for()
    window.get_by_role("button", name="Allow").press("Enter")
    screen.expect_news("GitHub is connected.")
    tab_to(screen.page, "Disconnect octocat from GitHub")
    screen.page.keyboard.press("Space")
    expect(screen.dialog).to_be_visible()
    screen.page.keyboard.press("Escape")
    expect(screen.dialog).to_have_count(0)
    assert focused(screen.page) == "Disconnect octocat from GitHub"
    screen.page.keyboard.press("Enter")
    tab_to(screen.page, "Disconnect")
    screen.page.keyboard.press("Enter")
    screen.expect_news("GitHub is disconnected")
    expect(screen.button("Connect GitHub")).to_be_visible()
    assert focused(screen.page) == "GitHub"
    tab_to(screen.page, "Connect GitHub")


def test_a_dialog_keeps_the_focus_and_gives_it_back(screen: Screen, offered: Tokens) -> None:
    screen.open("keys_dialog", attributes={"filter": LEDGER})
    tab_to(screen.page, "Connect Ledger")
    screen.page.keyboard.press("Enter")
    expect(screen.page.get_by_role("dialog", name="Connect Ledger")).to_be_visible()
    seen = set()
    for _ in range(12):
        screen.page.keyboard.press("Tab")
        seen.add(focused(screen.page))
    assert "Connect Ledger" not in seen
    assert {"Close", "Cancel", "Connect", "Show Client secret"} <= seen
    screen.page.keyboard.press("Escape")
    assert focused(screen.page) == "Connect Ledger"


def test_what_happens_is_read_aloud(screen: Screen) -> None:
    """Both live regions are there before they speak; a region that comes with its words is not heard."""
    screen.open("aloud", attributes={"filter": "github"})
    regions = screen.page.get_by_role("status")
    expect(regions).to_have_count(2)
    expect(regions.first).to_have_text("Integrations: 1")
    screen.connect()
    expect(regions.nth(1)).to_contain_text("GitHub is connected.")


@pytest.mark.parametrize("attributes", [{"dir": "rtl"}, {"locale": "ar"}])
def test_it_reads_from_right_to_left(screen: Screen, offered: Tokens, attributes: dict[str, str]) -> None:
    screen.open("rtl", attributes={**SHOWN, **attributes}, messages=RIGHT_TO_LEFT)
    row = screen.row("github")
    picture, name, button = (row.locator(what).bounding_box() for what in (".picture", ".name", ".button"))
    assert picture and name and button
    assert picture["x"] > name["x"] > button["x"]
    screen.button("اتصال Weather").click()
    title, close = (screen.dialog.locator(what).bounding_box() for what in ("h2", ".dismiss"))
    assert title and close
    assert title["x"] > close["x"]
    assert screen.findings() == []


@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_needs_no_sideways_scrolling(host: Host, person: BrowserContext, offered: Tokens, width: int) -> None:
    """320 CSS pixels: WCAG 1.4.10, a page zoomed to 400 %."""
    screen = Screen(host, person)
    screen.page.set_viewport_size({"width": width, "height": 700})
    screen.open(f"phone_{width}", attributes=SHOWN)
    allow(screen.popup(screen.button("Connect GitHub")))
    screen.expect_news("GitHub is connected.")
    screen.button("Connect Atlas").click()
    expect(screen.dialog).to_be_visible()
    assert screen.page.evaluate("document.documentElement.scrollWidth") <= width
    small = screen.page.evaluate(
        "() => [...document.querySelector('standpipe-connections').shadowRoot.querySelectorAll('button, a, input:not([type=radio])')].map(each => [each.textContent, each.getBoundingClientRect()]).filter(([, box]) => box.width && (box.height < 24 || box.width < 24)).map(([text]) => text)"
    )
    assert small == []
