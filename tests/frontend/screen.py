"""One person in front of the widget: what they see and click. The shadow root is open, so locators reach into it."""

from typing import Any

from playwright.sync_api import BrowserContext, Locator, Page, Response, expect

from tests import axe
from tests.frontend.host import Host


class Screen:
    def __init__(self, host: Host, person: BrowserContext) -> None:
        self.host, self.person, self.page = host, person, person.new_page()
        self.said: list[str] = []
        self.page.on("pageerror", lambda error: self.said.append(str(error)))

    def open(self, user: str, state: str = "ready", **more: Any) -> None:
        self.page.goto(self.host.address(user, **more))
        self.shows(state)

    def shows(self, state: str) -> None:
        expect(self.page.locator(f"standpipe-connections[data-state={state}]")).to_be_attached(timeout=30_000)

    @property
    def widget(self) -> Locator:
        return self.page.locator("standpipe-connections")

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name)

    def row(self, slug: str) -> Locator:
        return self.page.locator(f"[data-provider={slug}]")

    def expect_news(self, text: str) -> None:
        expect(self.page.locator("[role=status] .news")).to_contain_text(text, timeout=30_000)

    def refresh(self) -> None:
        """As the page around the widget may."""
        self.widget.evaluate("element => element.refresh()")

    def heard(self, name: str) -> list[dict[str, Any]]:
        """What the page was told by events of this name."""
        return [detail for heard, detail in self.page.evaluate("window.heard") if heard == name]

    def popup(self, button: Locator) -> Page:
        """The window a click opens."""
        with self.page.expect_popup() as opened:
            button.click()
        return opened.value

    def connect(self, provider: str = "GitHub", account: str | None = None) -> None:
        """The whole trip, in the window."""
        allow(self.popup(self.button(f"Connect {provider}")), account)
        self.expect_news(f"{provider} is connected.")

    def findings(self) -> list[str]:
        """What axe has to say of the page as it is."""
        return axe.findings(self.page)


def allow(window: Page, account: str | None = None, decision: str = "Allow") -> None:
    """At the simulated provider."""
    choice = window.get_by_role("button", name=decision)
    choice.wait_for(timeout=30_000)
    if account:
        window.get_by_text(account, exact=True).check()
    choice.click()


def widget_call(response: Response, ending: str, method: str = "POST") -> bool:
    return "/_widgets/" in response.url and response.url.endswith(ending) and response.request.method == method
