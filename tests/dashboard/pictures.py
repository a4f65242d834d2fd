"""The pictures of docs/dashboard.md: every page of a stage with something to show, light, dark and on a phone. `python -m tests.dashboard.pictures`."""

import os
import random
import shutil
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from chalicelib import wiring
from chalicelib.domain.events import TYPES
from chalicelib.engine.webhooks import Caller
from tests.browser import launch
from tests.cloud import CREDENTIALS, Cloud, free_port
from tests.ops.lives import Life
from tests.web.gateway import Gateway
from tests.web.people import Clock, Site

OUT = Path(__file__).resolve().parents[2] / "docs" / "pictures"
ACTOR = "arn:aws:iam::123456789012:user/olga"
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1280, "height": 860}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 860}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
}
PAGES = {
    "overview": "",
    "providers": "/providers",
    "providers-github": "/providers/github",
    "set-up": "/providers/salesforce",
    "connections": "/connections",
    "events": "/events",
    "events-webhooks": "/events/webhooks",
    "keys": "/keys",
    "audit": "/audit",
    "settings": "/settings",
    "simulator": "/simulator",
}


def lived_in(site: Site) -> None:
    """People, refreshes of a week, and somebody who has to connect again."""
    life, engine = Life(site), site.engine
    for slug in ("github", "google", "slack"):
        assert site.api("POST", "/data-integrations", {"provider": slug, "enabled": True}).status == 201
    own = {"provider": "salesforce", "credentials": {"client_id": "3MVG9pRzvMkjMb6l", "client_secret": "of-no-use-anywhere-7788"}}
    assert site.api("POST", "/data-integrations", own).status == 201
    for user in ("user_ana", "user_ben", "user_cem", "user_dora"):
        for slug in ("github", "google"):
            life.connect(user, slug)
    life.connect("user_ana", "slack")
    life.knob("google", action="revoke_grant")
    assert site.api("POST", "/data-integrations/google/token/rejected", {"user_id": "user_cem", "generation": 1}).status == 200
    chance, now = random.Random(7), datetime.now(UTC)
    for hour in range(24 * 7):
        for slug, most in (("github", 40), ("google", 60), ("slack", 15)):
            lines = {"refreshed": chance.randint(most // 2, most)}
            lines |= {"failed": chance.randint(1, 12)} if chance.random() < 0.3 else {}
            lines |= {"ended": chance.randint(1, 3)} if chance.random() < 0.2 else {}
            engine.figures.count(slug, lines, now - timedelta(hours=hour))
    engine.webhooks.create("https://hooks.acme.example/standpipe", TYPES[:3], Caller(ACTOR))
    engine.api_keys.create("billing of one customer", "org_globex", actor=ACTOR)
    engine.registrations.update("github", described(), actor=ACTOR)


def described() -> Any:
    from chalicelib.engine.registrations import Change

    return Change(description="Your repositories, for code review")


def settled(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    page.wait_for_function("!document.querySelector('.skeleton')")
    page.evaluate("() => Promise.all(document.getAnimations().filter(each => each.effect.getComputedTiming().iterations !== Infinity).map(each => each.finished))")


def picture(page: Page, name: str) -> None:
    settled(page)
    page.screenshot(path=str(OUT / f"dashboard-{name}.png"))


def signed_in(browser: Browser, site: Site, url: str, **look: Any) -> Page:
    page = browser.new_context(locale="en-US", **look).new_page()
    page.goto(f"{url}/dashboard/sign-in#{site.engine.sign_in.mint(ACTOR, 'administrator')}")
    page.get_by_role("button", name="Sign in").wait_for()
    if look == LOOKS["light"]:
        picture(page, "sign-in")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_text("Cost of the month").wait_for()
    return page


def trial(page: Page, url: str) -> None:
    """By clicks, with the window it opens."""
    page.goto(f"{url}/dashboard/providers/github")
    with page.context.expect_page() as window:
        page.get_by_role("button", name="Test this provider").click()
    window.value.get_by_role("button", name="Continue to GitHub").click()
    window.value.get_by_role("button", name="Allow").click()
    page.get_by_text("GitHub works").wait_for()
    window.value.close()
    page.get_by_text("GitHub works").scroll_into_view_if_needed()
    picture(page, "trial")


def main() -> int:
    os.environ.update(CREDENTIALS)
    folder = Path(tempfile.mkdtemp())
    cloud, port = Cloud(folder), free_port()
    os.environ["AWS_ENDPOINT_URL"] = cloud.endpoint
    stage = cloud.stage(STANDPIPE_URL=f"http://localhost:{port}", STANDPIPE_STAGE="sandbox")
    os.environ.update(stage.environ)
    wiring.engine.cache_clear()
    site = Site(stage, Gateway(), Clock(), wiring.engine().api_keys.create("production backend")[1])
    try:
        with site.gateway.served(port) as url, sync_playwright() as playwright:
            lived_in(site)
            browser = launch(playwright)
            for look, options in LOOKS.items():
                page = signed_in(browser, site, url, **options)
                for name, where in PAGES.items():
                    page.goto(f"{url}/dashboard{where}")
                    picture(page, f"{name}-{look}")
                page.goto(f"{url}/dashboard/connections?user_id=user_cem&provider=google")
                page.locator("a.row-link").click()
                page.get_by_text("What happened").wait_for()
                picture(page, f"connection-{look}")
                page.goto(f"{url}/dashboard/providers")
                page.get_by_role("button", name="Custom provider").click()
                picture(page, f"custom-provider-{look}")
                if look == "light":
                    trial(page, url)
                page.context.close()
            browser.close()
    finally:
        cloud.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"wrote {len(list(OUT.glob('dashboard-*.png')))} pictures to {OUT.name}/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
