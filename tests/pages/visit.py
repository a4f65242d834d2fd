"""One person in front of the hosted pages: what they see and click, and everything their browser asked for on the way."""

from typing import Any

from playwright.sync_api import BrowserContext, Locator, Response, expect

from ops.local.sandbox import Sandbox
from tests import axe
from tests.browser import Api

PARTS = {"main": 1, "h1": 1, "footer": 1}


class Visit:
    """`asked`: every address the page's browser asked for; `said`: what scripts and policies complained of."""

    def __init__(self, api: Api, person: BrowserContext) -> None:
        self.api, self.person, self.page = api, person, person.new_page()
        self.asked: list[str] = []
        self.said: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("console", lambda message: self.said.append(message.text) if "Content Security Policy" in message.text else None)
        self.page.on("dialog", lambda dialog: self.said.append("a script of somebody else ran"))

    @property
    def sandbox(self) -> Sandbox:
        return self.api.sandbox

    @property
    def heading(self) -> Locator:
        return self.page.get_by_role("heading", level=1)

    def open(self, path: str) -> Response:
        answer = self.page.goto(path if path.startswith("http") else self.sandbox.url + path)
        assert answer is not None
        return answer

    def link(self, user: str, slug: str = "github", **more: Any) -> str:
        return str(self.api.authorize(slug, user, **more)["url"])

    def go_on(self, provider: str = "GitHub") -> None:
        """From the confirmation to the provider."""
        self.page.get_by_role("button", name=f"Continue to {provider}").click()

    def decide(self, decision: str = "Allow", account: str | None = None) -> None:
        """At the simulated provider."""
        choice = self.page.get_by_role("button", name=decision, exact=True)
        choice.wait_for()
        if account:
            self.page.get_by_text(account, exact=True).check()
        choice.click()

    def connect(self, user: str, account: str | None = None, **more: Any) -> None:
        self.open(self.link(user, **more))
        self.go_on()
        self.decide(account=account)

    def shows(self, title: str) -> None:
        """The page says so, as heading and as title, and is whole."""
        expect(self.heading).to_have_text(title)
        assert self.page.title() == f"{title} · Acme"
        assert self.page.locator("html").get_attribute("lang") == "en"
        for name, count in PARTS.items():
            assert self.page.locator(name).count() == count, name

    def is_whole(self) -> None:
        """Nothing to complain of: axe finds nothing, light or dark, and nothing came from anywhere else."""
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            assert axe.findings(self.page) == [], scheme
        self.page.emulate_media(color_scheme="light")
        assert self.said == []
        assert [url for url in self.asked if not url.startswith((self.sandbox.url + "/", "data:"))] == []
