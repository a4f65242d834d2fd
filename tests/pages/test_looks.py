"""Anybody can use the pages: on a phone, by keyboard, zoomed in, in the application's own colours; and every one is guarded by the same headers."""

import re
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests import axe
from tests.browser import Api
from tests.pages.expire import expire
from tests.pages.visit import Visit
from tests.web.conftest import OpenSite
from tests.web.people import somebody

LONG = "wwwwwwwwwwwwwwwwwwww" * 12


def focused(page: Page) -> str:
    return str(page.evaluate("() => document.activeElement.textContent.trim()"))


@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_needs_no_sideways_scrolling_whatever_the_names(visit: Visit, width: int) -> None:
    """320 CSS pixels: WCAG 1.4.10, a page zoomed to 400 %."""
    visit.page.set_viewport_size({"width": width, "height": 700})
    visit.open(visit.link(LONG, user_display_name=LONG))
    for path in (None, "/pipes/redirecting", "/outcome/wrong_browser"):
        if path:
            visit.open(path)
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width, path
        small = visit.page.evaluate(
            "() => [...document.querySelectorAll('button, a[href]')].map(each => [each.textContent, each.getBoundingClientRect()]).filter(([, box]) => box.height < 44).map(([text]) => text)"
        )
        assert small == [], path


def test_the_keyboard_alone_goes_all_the_way_and_its_place_is_seen(visit: Visit) -> None:
    visit.open(visit.link(somebody()))
    visit.page.keyboard.press("Tab")
    assert focused(visit.page) == "Continue to GitHub"
    outline = visit.page.evaluate("() => { const style = getComputedStyle(document.activeElement); return [style.outlineStyle, parseFloat(style.outlineWidth)]; }")
    assert outline == ["solid", 3]
    visit.page.keyboard.press("Enter")
    visit.page.get_by_role("button", name="Allow").press("Enter")
    visit.shows("GitHub is connected")


def test_who_wants_less_motion_gets_less(visit: Visit) -> None:
    visit.page.emulate_media(reduced_motion="reduce")
    visit.open("/pipes/redirecting")
    assert visit.page.locator(".spinner").evaluate("each => getComputedStyle(each).animationDuration") == "4s"


@pytest.mark.parametrize("color", ["#ffd400", "#0f1114"], ids=["yellow", "as dark as the ground"])
def test_an_application_in_its_own_colour_with_its_logo(browser: Browser, open_site: OpenSite, color: str) -> None:
    site = open_site(STANDPIPE_COLOR=color, STANDPIPE_LOGO="example.svg", STANDPIPE_RETURN_URLS="https://app.example/connected")
    assert site.api("POST", "/data-integrations", {"provider": "github", "enabled": True}).status == 201
    link = site.authorize(somebody(), "github", return_to="https://app.example/connected")["url"]
    with site.gateway.served() as origin:
        context = browser.new_context(viewport={"width": 900, "height": 760})
        page, said, asked = context.new_page(), [], []
        page.on("console", lambda message: said.append(message.text))
        page.on("request", lambda request: asked.append(request.url))
        for path in (urlsplit(link).path, "/pipes/redirecting"):
            page.goto(f"{origin}{path}")
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                assert axe.findings(page) == [], (path, scheme)
            assert page.locator("img.logo").evaluate("each => each.complete && each.naturalWidth > 0 && each.getBoundingClientRect().height >= 40")
        button = page.evaluate("() => getComputedStyle(document.documentElement).getPropertyValue('--accent').trim()")
        assert button == color and said == []
        pictures = {"/static/icon-github.svg", "/static/icon-github.dark.svg"}
        assert {urlsplit(url).path for url in asked if not url.startswith("data:")} == {
            urlsplit(link).path,
            "/pipes/redirecting",
            "/static/standpipe.css",
            "/static/brand.css",
            "/static/handoff.js",
        } | pictures
        context.close()


# headers, as they arrive


GUARDED = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "content-type": "text/html; charset=utf-8",
}
POLICY = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
SCRIPTED = POLICY.replace("style-src", "script-src 'self'; connect-src 'self'; style-src")


def handoff_link(api: Api) -> str:
    token = api.call("POST", "/widgets/token", user_id=somebody()).json()["token"]
    begun = requests.post(f"{api.sandbox.url}/_widgets/DataIntegrations/github/authorize", json={"requireHandoff": True}, headers={"Authorization": f"Bearer {token}"}, timeout=60)
    return str(begun.json()["url"])


def test_every_page_arrives_guarded(api: Api) -> None:
    home, link = api.sandbox.url, api.authorize("github", somebody())["url"]
    late = api.authorize("github", somebody())["url"]
    expire(api.sandbox, late)
    pages = {
        link: (200, f"{POLICY} {home}"),
        late: (400, POLICY),
        handoff_link(api): (200, SCRIPTED),
        f"{home}/pipes/redirecting": (200, SCRIPTED),
        **{f"{home}/outcome/{name}": (status, POLICY) for name, status in {"link_used": 400, "wrong_browser": 400, "unavailable": 503, "ended": 200, "nothing": 400}.items()},
    }
    for address, (status, policy) in pages.items():
        answer = requests.get(address, timeout=60)
        assert (answer.status_code, answer.headers["content-security-policy"]) == (status, policy), address
        assert {name: answer.headers[name] for name in GUARDED} == GUARDED, address
        assert not re.search(r"style=|<style|\son[a-z]+=|javascript:|<script>", answer.text), address
    forged = requests.post(link, data={"csrf": "x"}, timeout=60)
    assert (forged.status_code, forged.headers["content-security-policy"]) == (400, POLICY)


def test_what_the_pages_are_made_of_arrives_as_what_it_is(visit: Visit) -> None:
    visit.open("/pipes/redirecting")
    expect(visit.heading).to_be_visible()
    parts = {urlsplit(url).path: url for url in visit.asked if "/static/" in url}
    assert parts.keys() == {"/static/standpipe.css", "/static/brand.css", "/static/handoff.js"}
    for path, url in parts.items():
        answer = requests.get(url, timeout=60)
        assert answer.status_code == 200 and answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-type"] == ("text/javascript; charset=utf-8" if path.endswith(".js") else "text/css; charset=utf-8")
        assert answer.headers["cache-control"] == ("public, max-age=31536000, immutable" if path == "/static/brand.css" else "public, max-age=3600")
