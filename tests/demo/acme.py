"""The demo as `make demo` starts it, and somebody in front of its page.

Rule: nothing of it is replaced. What a test wants otherwise it changes in a copy of the folder or in the environment, as whoever copies the example would.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import BrowserContext, Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from ops import dashboard
from ops.local.sandbox import Sandbox, free_port
from tests.cloud import ROOT

FOLDER = ROOT / "examples" / "demo"
SLOW = 30_000
PEOPLE = {"user_ana": "org_globex", "user_ben": "org_globex", "user_carla": "org_initech"}


class Demo:
    """The server as a process of its own, with nothing of this one's environment but what `environ` names."""

    def __init__(self, environment: Path, folder: Path = FOLDER, port: int | None = None, **environ: str) -> None:
        self.port = port or free_port()
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        command = [sys.executable, str(folder / "acme.py"), "--port", str(self.port), "--environment", str(environment)]
        self.process = subprocess.Popen(command, env={**kept, **environ}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        said = self.process.stdout.readline()  # empty if it ended instead
        self.url = said.rpartition(" ")[2].strip()
        if not self.url:
            raise AssertionError(self.process.communicate()[1])

    def end(self, number: int = signal.SIGINT) -> tuple[int, str, str]:
        """Its exit code, and what it said after it was ready."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        out, err = self.process.communicate(timeout=SLOW / 1000)
        return self.process.returncode, out, err


Start = Callable[..., Demo]


class Visitor:
    """One person at Acme. The widget's shadow root is open, so locators reach into it."""

    def __init__(self, demo: Demo, person: BrowserContext) -> None:
        self.demo, self.page = demo, person.new_page()
        self.said: list[str] = []
        """What went wrong on the page, and whom it asked that it should not."""
        known = (demo.url, "data:", "about:")
        stage: list[str] = []
        self.page.on("response", lambda answer: stage.append(answer.url.split("/static/")[0]) if "/static/standpipe" in answer.url else None)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("console", lambda message: self.said.append(message.text) if "Content Security Policy" in message.text else None)
        self.page.on("request", lambda asked: None if asked.url.startswith((*known, *stage)) or "/static/standpipe" in asked.url else self.said.append(f"asked {asked.url}"))
        self.page.on("dialog", lambda dialog: (self.said.append("a script of somebody else ran"), dialog.dismiss()))

    def open(self) -> None:
        self.page.goto(self.demo.url)
        self.ready()

    def ready(self) -> None:
        expect(self.page.locator("standpipe-connections[data-state=ready]")).to_be_attached(timeout=SLOW)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name)

    @property
    def github(self) -> Locator:
        """The provider in the widget."""
        return self.page.locator("[data-provider=github]")

    @property
    def repositories(self) -> Locator:
        return self.page.locator("#repositories")

    def sign_in_as(self, name: str) -> None:
        self.button(name).click()
        expect(self.page.get_by_text(f"{name} of ")).to_be_visible(timeout=SLOW)
        self.ready()

    def window(self, name: str) -> Page:
        """What a click on this button opens."""
        with self.page.expect_popup(timeout=SLOW) as opened:
            self.button(name).click()
        return opened.value

    def follow(self, name: str) -> Page:
        """The tab that a link opens."""
        with self.page.context.expect_page(timeout=SLOW) as opened:
            self.page.get_by_role("link", name=name).click()
        return opened.value

    def news(self, text: str) -> None:
        expect(self.page.locator("[role=status] .news")).to_contain_text(text, timeout=SLOW)

    def connect(self, account: str = "The Octocat", button: str = "Connect GitHub", news: str = "GitHub is connected.") -> None:
        window = self.window(button)
        try:
            window.get_by_role("button", name="Allow").wait_for(timeout=SLOW)
        except PlaywrightTimeout:
            # On a slow machine the window's page may take longer than the ten seconds the widget waits for it, which then offers another way.
            window.close()
            window = self.follow("Continue in a new tab")
            window.get_by_role("button", name="Continue to GitHub").click()
        window.get_by_text(account, exact=True).check()
        window.get_by_role("button", name="Allow").click()
        self.news(news)

    def lists(self, text: str) -> None:
        self.button("List my repositories").click()
        expect(self.repositories).to_contain_text(text, timeout=SLOW)

    def hears(self, text: str, event: str) -> None:
        """In the panel, newest first."""
        line = self.page.get_by_role("log").get_by_role("listitem").first
        expect(line).to_contain_text(text, timeout=SLOW)
        expect(line).to_contain_text(f"pipes.connected_account.{event}")


class Administrator:
    """Somebody in the dashboard, by the link that `make dashboard` prints."""

    def __init__(self, sandbox: Sandbox, person: BrowserContext) -> None:
        self.page = person.new_page()
        self.page.goto(dashboard.link(sandbox.environ))
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("heading", name="Overview")).to_be_visible(timeout=SLOW)

    def github(self, *, enabled: bool) -> None:
        """By the drawer, with the sandbox's own credentials."""
        self.page.get_by_role("navigation").get_by_role("link", name="Providers", exact=True).click()
        self.page.get_by_label("Search the catalogue").fill("github")
        self.page.get_by_role("button", name="GitHub").click()
        drawer = self.page.get_by_role("dialog")
        drawer.get_by_label("Simulated credentials").check()
        drawer.get_by_label("People can connect it").set_checked(enabled)
        drawer.get_by_role("button", name="Save").click()
        expect(self.page.get_by_text("GitHub is saved")).to_be_visible(timeout=SLOW)
        drawer.get_by_role("button", name="Close").last.click()


def revoke_at_simulator(page: Page, account: str) -> None:
    """The newest grant of this account, on the simulator's own page."""
    grants = page.locator("#github .grants li:not(.ended)").filter(has_text=account)
    expect(grants.first).to_be_visible(timeout=SLOW)
    before = grants.count()
    grants.first.get_by_role("button", name="Revoke").click()
    expect(grants).to_have_count(before - 1, timeout=SLOW)
