"""What the person's organization shares: listed where the page asks for it, and to look at only."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser import Api
from tests.frontend.screen import Screen

SLUG = "form-shared"
ATTRIBUTES = {"filter": f"github,{SLUG}", "shared": ""}


@pytest.fixture
def organization(api: Api) -> Iterator[str]:
    """One that has connected an account for its members."""
    answer = api.call("POST", "/data-integrations", provider=SLUG, ownership="organization", enabled=True, auth_methods=["api_key"], description="Maps for all.", custom_provider={"name": "Charts"})
    if answer.status_code == 409:
        answer = api.call("PUT", f"/data-integrations/{SLUG}/organization", enabled=True)
    assert answer.ok, answer.text
    secret = {"user_id": "shared_admin", "organization_id": "org_shared", "connection_owner": "organization", "secret": "key_of_all_1234567890", "account_display_name": "Charts of Acme"}
    answer = api.call("PUT", f"/data-integrations/{SLUG}/api-key", **secret)
    assert answer.status_code == 200, answer.text
    yield "org_shared"
    api.call("PUT", f"/data-integrations/{SLUG}/organization", enabled=False)


def test_what_the_organization_shares_can_be_looked_at_and_nothing_else(api: Api, screen: Screen, organization: str) -> None:
    screen.open("shared_ben", organization=organization, attributes=ATTRIBUTES)
    shown = screen.page.locator(f"[data-shared={SLUG}]")
    expect(screen.page.get_by_role("heading", name="Shared by your organization")).to_be_visible()
    expect(shown).to_contain_text("Charts of Acme")
    expect(shown.get_by_text("Available", exact=True)).to_be_visible()
    expect(shown.get_by_role("button")).to_have_count(0)
    expect(screen.button("Connect GitHub")).to_be_visible()
    assert screen.findings() == []
    answer = api.call("PUT", f"/organizations/{organization}/connected_accounts/{SLUG}", state="needs_reauthorization", user_id="shared_admin")
    assert answer.status_code == 200, answer.text
    screen.refresh()
    expect(shown.get_by_text("Needs an administrator", exact=True)).to_be_visible()
    assert screen.findings() == []


def test_without_the_attribute_it_is_neither_asked_for_nor_shown(screen: Screen, organization: str) -> None:
    asked: list[str] = []
    screen.page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/shared-connections") else None)
    screen.open("shared_ben", organization=organization, attributes={"filter": ATTRIBUTES["filter"]})
    expect(screen.page.locator(f"[data-shared={SLUG}]")).to_have_count(0)
    assert asked == []
    screen.widget.evaluate("element => { element.shared = true; }")
    expect(screen.page.locator(f"[data-shared={SLUG}]")).to_be_visible()


def test_another_organization_and_a_person_without_one_see_no_section(screen: Screen, organization: str) -> None:
    for other in ({"organization": "org_elsewhere"}, {}):
        screen.open("shared_ben", attributes=ATTRIBUTES, **other)
        expect(screen.button("Connect GitHub")).to_be_visible()
        expect(screen.page.get_by_role("heading", name="Shared by your organization")).to_have_count(0)


def test_the_search_finds_among_what_is_shared(screen: Screen, organization: str) -> None:
    rows = {"data": [{"id": f"i{number}", "slug": f"provider-{number}", "name": f"Provider {number}", "description": "Numbers"} for number in range(9)]}
    screen.page.route("**/_widgets/DataIntegrations/mine", lambda route: route.fulfill(json=rows))
    screen.open("shared_ben", organization=organization, attributes={"shared": ""})
    screen.page.get_by_role("searchbox").fill("charts")
    expect(screen.page.locator(f"[data-shared={SLUG}]")).to_be_visible()
    expect(screen.widget.locator("[data-provider]")).to_have_count(0)


def test_the_own_accounts_are_usable_when_what_is_shared_cannot_be_read(screen: Screen, organization: str) -> None:
    screen.page.route("**/shared-connections", lambda route: route.fulfill(status=500, json={"message": "no"}))
    screen.open("shared_ben", organization=organization, attributes=ATTRIBUTES)
    expect(screen.button("Connect GitHub")).to_be_visible()
    expect(screen.page.locator(f"[data-shared={SLUG}]")).to_have_count(0)
    screen.page.unroute("**/shared-connections")
    screen.refresh()
    shown = screen.page.locator(f"[data-shared={SLUG}]")
    expect(shown).to_be_visible()
    screen.page.route("**/shared-connections", lambda route: route.abort())
    with screen.page.expect_request_finished(lambda request: request.url.endswith("/mine")):
        screen.refresh()
    expect(shown).to_be_visible()
