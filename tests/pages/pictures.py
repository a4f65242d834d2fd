"""Makes the pictures of the hosted pages under docs/pictures, each in light, dark and on a phone: `python -m tests.pages.pictures [DIR]`.

Every one is the real page before a real sandbox of its own; the last ones are of another, in an application's own colour and with its logo.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from ops.local.sandbox import ROOT, Sandbox, free_port
from tests.browser import Api, launch
from tests.frontend.palette import reduced
from tests.frontend.pictures import LOOKS
from tests.pages.expire import expire
from tests.pages.visit import Visit

BACK = "http://localhost:3000/connected"


class Album:
    def __init__(self, out: Path, look: str, browser: Browser, api: Api) -> None:
        self.out, self.look, self._browser, self.api = out, look, browser, api

    @contextmanager
    def visit(self) -> Iterator[Visit]:
        context = self._browser.new_context(locale="en-US", **{**LOOKS[self.look], **({} if self.look == "phone" else {"viewport": {"width": 640, "height": 640}})})
        yield Visit(self.api, context)
        context.close()

    def keep(self, visit: Visit, name: str) -> None:
        visit.page.mouse.move(1, 1)
        (self.out / f"page-{name}-{self.look}.png").write_bytes(reduced(self._browser, visit.page.screenshot(full_page=True)))

    def user(self, word: str) -> str:
        return f"{word}_{self.look}"


def connecting(album: Album) -> None:
    with album.visit() as visit:
        visit.open(visit.link("ana@acme.test", return_to=BACK))
        album.keep(visit, "confirm")
    with album.visit() as visit:
        visit.api.call("POST", "/data-integrations", provider="github", ownership="organization", enabled=True)
        visit.open(visit.link("ana@acme.test", organization_id="Initech", connection_owner="organization"))
        album.keep(visit, "organization")
    with album.visit() as visit:
        visit.connect(album.user("done"))
        visit.shows("GitHub is connected")
        album.keep(visit, "done")
    with album.visit() as visit:
        visit.page.clock.install()
        visit.open("/pipes/redirecting")
        album.keep(visit, "redirecting")
        visit.page.clock.fast_forward(15_000)
        visit.page.get_by_role("alert").wait_for()
        album.keep(visit, "nothing-came")


def ending(album: Album) -> None:
    with album.visit() as visit:
        visit.open(visit.link(album.user("declined"), return_to=BACK))
        visit.go_on()
        visit.decide("Deny")
        visit.shows("You declined")
        album.keep(visit, "declined")
    with album.visit() as visit:
        link = visit.link(album.user("expired"), return_to=BACK)
        expire(visit.sandbox, link)
        visit.open(link)
        album.keep(visit, "expired")
    with album.visit() as visit:
        visit.open(visit.link(album.user("browser"), return_to=BACK))
        visit.go_on()
        visit.person.clear_cookies()
        visit.decide()
        visit.shows("Please stay in one browser")
        album.keep(visit, "wrong-browser")
    with album.visit() as visit:
        visit.open(visit.link(album.user("down"), "slack", return_to=BACK))
        visit.go_on("Slack")
        visit.api.knob("slack", behaviour="500")
        visit.decide()
        visit.shows("Slack did not finish")
        visit.api.knob("slack", action="reset")
        album.keep(visit, "provider-down")
    with album.visit() as visit:
        visit.connect(album.user("other"), "The Octocat")
        visit.shows("GitHub is connected")
        visit.connect(album.user("other"), "Hubot", return_to=BACK)
        visit.shows("That is another GitHub account")
        album.keep(visit, "other-account")
    with album.visit() as visit:
        visit.open("/outcome/unavailable")
        album.keep(visit, "unavailable")


def branded(album: Album) -> None:
    with album.visit() as visit:
        visit.open(visit.link("ana@acme.test", return_to=BACK))
        album.keep(visit, "branded")
    with album.visit() as visit:
        visit.connect(album.user("branded"))
        visit.shows("GitHub is connected")
        album.keep(visit, "branded-done")


def main() -> int:
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "pictures"
    out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        for settings, parts in (({}, (connecting, ending)), ({"STANDPIPE_COLOR": "#0b6e4f", "STANDPIPE_LOGO": "example.svg"}, (branded,))):
            with tempfile.TemporaryDirectory() as folder, Sandbox(Path(folder), port=free_port(), settings=settings) as sandbox:
                for look in LOOKS:
                    for part in parts:
                        part(Album(out, look, browser, Api(sandbox)))
                        print(f"{look}: {part.__name__}", flush=True)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
