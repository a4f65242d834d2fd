"""Makes the pictures of the demo under docs/pictures: `python -m tests.demo.pictures [DIR]`. Real pages before a sandbox of its own."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from ops.local.sandbox import ROOT, Sandbox, free_port
from tests import axe
from tests.browser import launch
from tests.demo.acme import Demo, Visitor, revoke_at_simulator
from tests.frontend.palette import reduced

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1240, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1240, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light", "device_scale_factor": 1.5, "has_touch": True, "is_mobile": True},
}


class Album:
    def __init__(self, out: Path, browser: Browser, demo: Demo) -> None:
        self._out, self._browser, self._demo = out, browser, demo

    @contextmanager
    def visitor(self, look: str) -> Iterator[Visitor]:
        context = self._browser.new_context(locale="en-US", **LOOKS[look])
        visitor = Visitor(self._demo, context)
        visitor.open()
        yield visitor
        context.close()

    def keep(self, visitor: Visitor, name: str) -> None:
        visitor.page.mouse.move(1, 1)
        visitor.page.evaluate("() => document.activeElement?.blur()")
        visitor.page.evaluate(axe.SETTLED)
        (self._out / f"demo-{name}.png").write_bytes(reduced(self._browser, visitor.page.screenshot(full_page=True)))


def story(album: Album) -> None:
    with album.visitor("light") as ana:
        ana.connect("The Octocat")
        ana.hears("Ana connected GitHub", "connected")
        ana.sign_in_as("Ben")
        ana.connect("Hubot")
        ana.hears("Ben connected GitHub", "connected")
        ana.sign_in_as("Ana")
        ana.lists("octocat/")
        album.keep(ana, "light")
        provider = ana.follow("Play the provider")
        revoke_at_simulator(provider, "octocat")
        provider.close()
        ana.lists("GitHub no longer accepts")
        ana.hears("Ana has to reauthorize GitHub", "reauthorization_needed")
        album.keep(ana, "attention")
    for look in ("dark", "phone"):
        with album.visitor(look) as ben:
            ben.sign_in_as("Ben")
            ben.hears("Ana has to reauthorize GitHub", "reauthorization_needed")
            ben.lists("hubot/")
            album.keep(ben, look)


def main() -> int:
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "pictures"
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, Sandbox(Path(folder), port=free_port()) as sandbox, sync_playwright() as playwright:
        browser = launch(playwright)
        demo = Demo(sandbox.directory / "standpipe.env")
        try:
            story(Album(out, browser, demo))
        finally:
            demo.end()
            browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
