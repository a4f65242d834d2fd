"""When a person sees something: the widget's list in a customer's page, and the dashboard, in headless Chromium before a sandbox with warm containers.

Rule: the floor does the same calls without our script: a page that fetches the same two answers and shows nothing, a page of the stage with a style sheet and no application.
Sizes are what travels: gzipped.
"""

import gzip
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page, Route, sync_playwright

from ops import dashboard
from ops.local.sandbox import ROOT, Sandbox, free_port
from tests.bench.table import Row
from tests.browser import launch, warm
from tests.frontend.host import Host

ROUNDS = 7
SCRIPTS = ("standpipe-connections.js", "dashboard.js", "dashboard.css")
# Looked at before each frame, so that what is noted is when the frame could show it.
WATCH = (
    """(() => { const look = () => { const found = document.querySelector("%s"); if (found) window.shown = performance.now(); else requestAnimationFrame(look); }; requestAnimationFrame(look); })();"""
)
BARE = """addEventListener("DOMContentLoaded", async () => {
  const element = document.querySelector("standpipe-connections"), token = await element.token();
  await (await fetch("%s/_widgets/DataIntegrations/mine", { headers: { Authorization: `Bearer ${token}` } })).json();
  element.dataset.state = "ready";
});"""
FIRST_PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def measure(*, rounds: int = ROUNDS) -> tuple[list[Row], list[str]]:
    """Rows in seconds of the wall, and lines with what has no floor."""
    with tempfile.TemporaryDirectory() as folder, Sandbox(Path(folder), port=free_port(), aws_port=free_port(), say=lambda _: None) as sandbox, sync_playwright() as playwright:
        browser = launch(playwright)
        warm(sandbox)
        host = Host(sandbox.url, sandbox.api_key)
        host.start()
        try:
            widget = _widget(browser, host, rounds)
            first, overview = _dashboard(browser, sandbox, rounds)
        finally:
            host.stop()
            browser.close()
    return [widget, first], [f"dashboard, its first page shown: {median(overview) * 1000:.0f} ms", *_sizes()]


def _widget(browser: Browser, host: Host, rounds: int) -> Row:
    def bare(route: Route) -> None:
        route.fulfill(body=BARE % host.stage, content_type="text/javascript")

    ours, floor = list[float](), list[float]()
    for number in range(rounds + 1):
        for taken, script in ((ours, None), (floor, bare)) if number % 2 else ((floor, bare), (ours, None)):
            taken.append(_shown(browser, host.address("paint"), "standpipe-connections[data-state=ready]", script))
    return Row("widget, its list shown", "wall", ours[1:], floor[1:])


def _shown(browser: Browser, url: str, selector: str, script: Callable[[Route], None] | None) -> float:
    """Seconds from the navigation of a browser without a cache until it is there."""
    context = browser.new_context()
    page = context.new_page()
    if script is not None:
        page.route("**/static/standpipe-connections.js", script)
    page.add_init_script(WATCH % selector)
    page.goto(url)
    page.wait_for_function("() => window.shown")
    found = float(page.evaluate("window.shown")) / 1000
    context.close()
    return found


def _dashboard(browser: Browser, sandbox: Sandbox, rounds: int) -> tuple[Row, list[float]]:
    context = browser.new_context()
    page = context.new_page()
    page.goto(dashboard.link(sandbox.environ))
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Overview").wait_for()
    signed_in = context.storage_state()
    context.close()
    ours, floor, overview = list[float](), list[float](), list[float]()
    for _ in range(rounds + 1):
        context = browser.new_context(storage_state=signed_in)
        page = context.new_page()
        page.add_init_script(WATCH % "main h1")
        ours.append(_painted(page, f"{sandbox.url}/dashboard"))
        page.wait_for_function("() => window.shown")
        overview.append(float(page.evaluate("window.shown")) / 1000)
        context.close()
        context = browser.new_context()
        floor.append(_painted(context.new_page(), f"{sandbox.url}/pipes/redirecting"))
        context.close()
    return Row("dashboard, first contentful paint", "wall", ours[1:], floor[1:]), overview[1:]


def _painted(page: Page, url: str) -> float:
    page.goto(url)
    page.wait_for_function(FIRST_PAINT)
    return float(page.evaluate(FIRST_PAINT)) / 1000


def _sizes() -> list[str]:
    folder = ROOT / "chalicelib" / "web" / "static"
    found = {name: len(gzip.compress((folder / name).read_bytes(), 9)) for name in SCRIPTS}
    icons = [os.path.getsize(file) for file in folder.glob("icon-*.svg")]
    return [*(f"{name}: {size / 1000:.1f} kB gzipped" for name, size in found.items()), f"{len(icons)} icons: {sum(icons) / 1000:.1f} kB"]
