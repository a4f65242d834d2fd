"""Makes the pictures of the widget under docs/pictures, every state in light, dark and on a phone: `python -m tests.frontend.pictures [DIR]`.

Every one is the real page before a real sandbox of its own, but for the states a healthy stage does not give.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Route, expect, sync_playwright

from ops.local.sandbox import ROOT, Sandbox, free_port
from tests.browser import Api, launch
from tests.frontend.host import Host
from tests.frontend.palette import reduced
from tests.frontend.providers import ATLAS, LEDGER, WEATHER, Tokens, offer
from tests.frontend.screen import Screen, allow

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 800, "height": 680}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 800, "height": 680}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 740}, "color_scheme": "light", "device_scale_factor": 1.5, "has_touch": True, "is_mobile": True},
}
FEW = {"filter": f"github,slack,google,{WEATHER}"}
MINE = "**/_widgets/DataIntegrations/mine"
ARABIC = {
    "title": "الحسابات المتصلة",
    "connect": "اتصال",
    "connectTo": "اتصال {provider}",
    "stateNotConnected": "غير متصل",
    "stateConnected": "متصل",
    "disconnect": "قطع الاتصال",
    "disconnectAccount": "قطع الاتصال {account} {provider}",
    "addAccount": "إضافة حساب",
    "addAccountTo": "إضافة حساب: {provider}",
    "connectedOn": "متصل منذ {date}",
    "connectedNotice": "تم توصيل {provider}.",
}
Answer = Callable[[Route], Any]


class Album:
    def __init__(self, out: Path, look: str, browser: Browser, host: Host, api: Api) -> None:
        self.out, self.look, self._browser, self.host, self.api = out, look, browser, host, api
        self.theme = "dark" if look == "dark" else "light"

    @contextmanager
    def screen(self) -> Iterator[Screen]:
        context = self._browser.new_context(locale="en-US", **LOOKS[self.look])
        yield Screen(self.host, context)
        context.close()

    def open(self, screen: Screen, user: str, state: str = "ready", attributes: dict[str, str] | None = None, **more: Any) -> None:
        screen.open(f"{user}_{self.look}", state, attributes={**(attributes or FEW), "theme": self.theme}, **more)

    def keep(self, screen: Screen, name: str) -> None:
        screen.page.mouse.move(1, 1)
        screen.page.wait_for_function("() => [...document.querySelector('standpipe-connections').shadowRoot.querySelectorAll('img')].every(each => each.complete)")
        screen.page.evaluate(
            "() => document.querySelector('standpipe-connections').shadowRoot.getAnimations().forEach(each => { if (each.effect.getComputedTiming().iterations !== Infinity) each.finish(); })"
        )
        file = self.out / f"widget-{name}-{self.look}.png"
        file.write_bytes(reduced(self._browser, screen.page.screenshot(full_page=screen.dialog.count() == 0)))


def story(album: Album) -> None:
    """One person from nothing to several accounts, and out again."""
    with album.screen() as screen:
        album.open(screen, "story")
        album.keep(screen, "list")
        window = screen.popup(screen.button("Connect GitHub"))
        window.get_by_role("button", name="Allow").wait_for()
        album.keep(screen, "waiting")
        allow(window)
        screen.expect_news("GitHub is connected.")
        album.keep(screen, "connected")
        allow(screen.popup(screen.button("Add account: GitHub")), "Hubot")
        screen.expect_news("GitHub is connected.")
        expect(screen.row("github").locator("[data-account-row]")).to_have_count(2)
        screen.button("Connect Weather").click()
        screen.dialog.get_by_label("API key", exact=True).fill("wx-key-0123456789-4f2a")
        album.keep(screen, "key")
        screen.dialog.get_by_role("button", name="Connect").click()
        screen.expect_news("Weather is connected.")
        screen.button("Dismiss").click()
        broken = next(each for each in screen.heard("connected")[1:] if each["provider"] == "github")["connectedAccountId"]
        token = album.api.token("github", f"story_{album.look}", connected_account_id=broken)["access_token"]
        album.api.knob("github", action="revoke_grant", account="hubot")
        album.api.call("POST", "/data-integrations/github/token/rejected", user_id=f"story_{album.look}", generation=token["generation"], connected_account_id=broken)
        screen.refresh()
        expect(screen.row("github")).to_contain_text("Needs attention")
        album.keep(screen, "attention")
        screen.button("Disconnect octocat from GitHub").click()
        album.keep(screen, "disconnect")
        screen.dialog.get_by_role("button", name="Disconnect").click()
        screen.expect_news("GitHub is disconnected")
        expect(screen.row("github").locator("[data-account-row]")).to_have_count(1)
        album.keep(screen, "disconnected")


def shared(album: Album) -> None:
    """A member of an organization that shares two accounts, one of which an administrator has to look after."""
    with album.screen() as screen:
        album.open(screen, "shared", organization="org_acme", attributes={"filter": "github,google,linear,stripe", "shared": ""})
        screen.page.get_by_text("Needs an administrator").wait_for()
        album.keep(screen, "shared")


def share(api: Api) -> None:
    """What `org_acme` has connected for its members."""
    for slug, secret, name in (("stripe", "rk_test_12345678901234567890WxYz", "Acme, test mode"), ("linear", "lin_api_1234567890123456789012345678901234567890", "Acme")):
        assert api.call("POST", "/data-integrations", provider=slug, ownership="organization", enabled=True, auth_methods=["api_key"]).status_code == 201
        body = {"user_id": "admin", "organization_id": "org_acme", "connection_owner": "organization", "secret": secret, "account_display_name": name}
        answer = api.call("PUT", f"/data-integrations/{slug}/api-key", **body)
        assert answer.status_code == 200, answer.text
    api.call("PUT", "/organizations/org_acme/connected_accounts/linear", state="needs_reauthorization", user_id="admin")


def forms(album: Album) -> None:
    with album.screen() as screen:
        album.open(screen, "forms", attributes={"filter": f"{ATLAS},salesforce,{LEDGER}"})
        screen.button("Connect Atlas").click()
        album.keep(screen, "methods")
        screen.dialog.get_by_label("Client credentials").check()
        screen.dialog.get_by_role("button", name="Connect").click()
        album.keep(screen, "missing")
        screen.dialog.get_by_role("button", name="Cancel").click()
        screen.button("Connect Salesforce").click()
        album.keep(screen, "config")
        screen.dialog.get_by_role("button", name="Cancel").click()
        screen.button("Connect Ledger").click()
        screen.dialog.get_by_label("Client ID").fill("ledger")
        screen.dialog.get_by_label("Client secret", exact=True).fill("wrong")
        screen.dialog.get_by_role("button", name="Connect").click()
        expect(screen.dialog.locator("[aria-invalid]")).to_have_count(1)
        album.keep(screen, "refused")
    with album.screen() as screen:
        screen.page.add_init_script("window.open = () => null;")
        album.open(screen, "blocked")
        screen.button("Connect GitHub").click()
        screen.dialog.get_by_role("link").wait_for()
        album.keep(screen, "blocked")
    with album.screen() as screen:
        album.open(screen, "declined")
        allow(screen.popup(screen.button("Connect GitHub")), decision="Deny")
        screen.expect_news("declined")
        album.keep(screen, "declined")
    with album.screen() as screen:
        album.open(screen, "rtl", attributes={**FEW, "locale": "ar"}, messages=ARABIC, lang="ar")
        allow(screen.popup(screen.button("اتصال GitHub")))
        screen.expect_news("GitHub")
        album.keep(screen, "rtl")


def others(album: Album) -> None:
    """What a healthy stage does not show."""
    held: list[Route] = []
    dark = {name: {"iconDarkUrl": f"/static/icon-{name.lower()}.dark.svg"} for name in ("GitHub", "Notion")}
    many = {
        "data": [
            {"id": str(index), "slug": name.lower(), "name": name, "description": f"What you keep in {name}.", "iconUrl": f"/static/icon-{name.lower()}.svg", **dark.get(name, {})}
            for index, name in enumerate("Airtable Asana Box Canva Dropbox Figma GitHub Linear Notion Slack Stripe Zoom".split())
        ]
    }
    answers: dict[str, Answer] = {
        "loading": lambda route: held.append(route),
        "empty": lambda route: route.fulfill(json={"data": []}),
        "error": lambda route: route.fulfill(status=500),
        "offline": lambda route: route.abort("internetdisconnected"),
        "expired": lambda route: route.fulfill(status=403, json={"message": "The token has expired."}),
        "search": lambda route: route.fulfill(json=many),
    }
    for state, answer in answers.items():
        with album.screen() as screen:
            album.host.broken = False
            screen.page.route(MINE, answer)
            album.open(screen, "others", {"search": "ready"}.get(state, state), attributes={"filter": ""}, tokens="string")
            if state == "search":
                screen.page.get_by_role("searchbox").fill("keep in b")
            album.keep(screen, state)


def main() -> int:
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "pictures"
    out.mkdir(parents=True, exist_ok=True)
    port, tokens = free_port(), Tokens()
    settings = {"STANDPIPE_ALLOWED_PRIVATE_HOSTS": f"localhost:{port} 127.0.0.1"}
    with tempfile.TemporaryDirectory() as folder, Sandbox(Path(folder), port=port, settings=settings) as sandbox, sync_playwright() as playwright:
        browser = launch(playwright)
        api, host = Api(sandbox), Host(sandbox.url, sandbox.api_key)
        offer(api, tokens)
        share(api)
        host.start()
        for look in LOOKS:
            for part in (story, shared, forms, others):
                part(Album(out, look, browser, host, api))
                print(f"{look}: {part.__name__}", flush=True)
        host.stop()
        browser.close()
    tokens.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
