"""Setting providers up in the dashboard, in a real browser against the deployed sandbox: everything by clicks."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from ops.local.sandbox import Sandbox
from tests import axe
from tests.browser import Api
from tests.dashboard.conftest import Open, menu
from tests.peers import Peer, start_oidc


@pytest.fixture
def not_enabled(api: Api) -> Iterator[None]:
    """GitHub as it is before anybody has set it up, and afterwards as the other tests want it."""
    assert api.call("PUT", "/data-integrations/github", enabled=False, scopes=["read:user"]).status_code == 200
    yield
    assert api.call("PUT", "/data-integrations/github", enabled=True, scopes=None).status_code == 200


def test_github_is_set_up_with_simulated_credentials_and_tried_by_clicks(not_enabled: None, opened: Open, api: Api) -> None:
    page = opened()
    menu(page, "Providers").click()
    page.get_by_label("Search the catalogue").fill("github")
    page.get_by_role("button", name="GitHub").click()
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_label("Simulated credentials")).to_be_checked(timeout=30_000)
    drawer.get_by_label("My own OAuth app").check()
    expect(drawer.get_by_text("/callback/data_integration_").first).to_be_visible()
    drawer.get_by_label("Simulated credentials").check()
    drawer.get_by_label("Search the scopes").fill("repositories")
    drawer.get_by_role("checkbox", name="Read and write all repositories").check()
    drawer.get_by_label("Description").fill("Your code")
    expect(drawer.get_by_role("button", name="Test this provider")).to_be_disabled()
    drawer.get_by_label("People can connect it").check()
    drawer.get_by_role("button", name="Save").click()
    expect(page.get_by_text("GitHub is saved")).to_be_visible(timeout=30_000)
    stored = api.call("GET", "/data-integrations/github").json()
    assert (stored["enabled"], set(stored["scopes"]), stored["description"]) == (True, {"read:user", "repo"}, "Your code")

    with page.context.expect_page() as window:
        drawer.get_by_role("button", name="Test this provider").click()
    consent = window.value
    consent.get_by_role("button", name="Continue to GitHub").click(timeout=30_000)
    consent.get_by_role("button", name="Allow").click(timeout=30_000)
    expect(drawer.get_by_text("GitHub works")).to_be_visible(timeout=40000)
    steps = drawer.locator("ol.trial li")
    expect(steps).to_have_count(3)
    for number, verdict in enumerate(["passed", "passed|skipped", "passed"]):
        assert steps.nth(number).get_attribute("class") in verdict.split("|")
    assert axe.findings(page) == []
    consent.close()


def test_credentials_are_removed_by_clicks_and_a_provider_is_tried_before_it_is_enabled(opened: Open, sandbox: Sandbox, api: Api) -> None:
    """Of one that nobody has connected: credentials that somebody uses stay."""
    page = opened()
    page.goto(f"{sandbox.url}/dashboard/providers/asana")
    drawer = page.get_by_role("dialog").first
    drawer.get_by_label("My own OAuth app").check(timeout=30_000)
    drawer.get_by_label("Client ID").fill("client-of-acme")
    drawer.get_by_label("Client secret").fill("a-client-secret-of-ours")
    drawer.get_by_role("button", name="Save").click()
    drawer.get_by_role("button", name="Remove credentials").click(timeout=30_000)
    page.get_by_role("dialog").last.get_by_role("button", name="Remove credentials").click()
    expect(page.get_by_text("The credentials of Asana are removed")).to_be_visible(timeout=30_000)
    expect(drawer.get_by_label("Simulated credentials")).to_be_checked()
    assert "client-of-acme" not in api.call("GET", "/data-integrations/asana").text
    assert axe.findings(page) == []

    with page.context.expect_page() as window:
        drawer.get_by_role("button", name="Test this provider").click()
    window.value.get_by_role("button", name="Continue to Asana").click(timeout=30_000)
    window.value.get_by_role("button", name="Allow").click(timeout=30_000)
    expect(drawer.get_by_text("Asana works")).to_be_visible(timeout=40000)
    assert api.call("GET", "/data-integrations/asana").json()["enabled"] is False
    window.value.close()


@pytest.fixture(scope="module")
def openid() -> Iterator[Peer]:
    with start_oidc(client_secret="secret-of-the-pages", client_id="pages", redirect_uris=["http://localhost:8000/callback/nothing"]) as peer:
        yield peer


def test_a_custom_provider_is_found_by_its_address(opened: Open, api: Api, openid: Peer) -> None:
    page = opened()
    menu(page, "Providers").click()
    page.get_by_role("button", name="Custom provider").click()
    page.get_by_label("Address of the authorization server").fill(openid.issuer)
    page.get_by_role("button", name="Look it up").click()
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_label("Token endpoint")).to_have_value(openid.token_endpoint, timeout=30_000)
    expect(drawer.get_by_label("Issuer")).to_have_value(openid.issuer)
    drawer.get_by_label("Name", exact=True).fill("House Ledger")
    expect(drawer.get_by_label("Short name")).to_have_value("house-ledger")
    drawer.get_by_label("Client ID").fill("pages")
    drawer.get_by_label("Client secret", exact=True).fill("secret-of-the-pages")
    assert axe.findings(page) == []
    drawer.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("dialog").get_by_text("/callback/data_integration_").first).to_be_visible(timeout=30_000)
    stored = api.call("GET", "/data-integrations/house-ledger").json()
    assert (stored["custom_provider"]["token_url"], stored["credentials"]["client_id"], stored["enabled"]) == (openid.token_endpoint, "pages", False)
    api.call("DELETE", "/data-integrations/house-ledger")
