"""What is connected by a form: keys, client credentials, config fields; and the choice between methods."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser import Api
from tests.frontend.providers import ATLAS, LEDGER, WEATHER, Tokens
from tests.frontend.screen import Screen, allow

KEY = "wx-key-0123456789-tail"


@pytest.fixture
def form(screen: Screen, offered: Tokens) -> Iterator[Screen]:
    yield screen


def test_a_key_is_entered_updated_and_forgotten(form: Screen, api: Api) -> None:
    form.open("form_key", attributes={"filter": WEATHER})
    form.button("Connect Weather").click()
    field = form.dialog.get_by_label("API key", exact=True)
    expect(field).to_be_focused()
    expect(field).to_have_attribute("type", "password")
    form.dialog.get_by_role("button", name="Show API key").click()
    expect(field).to_have_attribute("type", "text")
    field.fill(KEY)
    field.press("Enter")
    form.expect_news("Weather is connected.")
    expect(form.row(WEATHER)).to_contain_text("API key ending in tail")
    credential = api.call("POST", f"/data-integrations/{WEATHER}/credentials", user_id="form_key").json()["credential"]
    assert (credential["auth_method"], credential["value"]) == ("api_key", KEY)
    assert KEY not in form.page.content()
    assert KEY not in form.widget.evaluate("element => element.shadowRoot.innerHTML")
    assert KEY not in str(form.page.evaluate("window.heard"))

    form.row(WEATHER).get_by_role("button", name="Update key").click()
    form.dialog.get_by_label("API key", exact=True).fill("wx-key-9876543210-next")
    form.dialog.get_by_role("button", name="Save").click()
    form.expect_news("Weather is up to date.")
    expect(form.row(WEATHER)).to_contain_text("API key ending in next")
    assert form.heard("connected")[1]["connectedAccountId"] == form.heard("connected")[0]["connectedAccountId"]

    form.button("Disconnect API key from Weather").click()
    expect(form.dialog).to_contain_text("The key itself stays valid until you delete it at Weather.")
    form.dialog.get_by_role("button", name="Disconnect").click()
    form.expect_news("Weather is disconnected here, and what was stored is deleted.")
    assert form.heard("disconnected")[0]["revocation"] == "unsupported"


def test_a_second_key_has_a_name_of_its_own(form: Screen) -> None:
    form.open("form_second", attributes={"filter": WEATHER})
    for button, name in (("Connect Weather", None), ("Add account: Weather", "Weather of the Berlin office")):
        form.button(button).click()
        form.dialog.get_by_label("API key", exact=True).fill(KEY)
        if name:
            form.dialog.get_by_label("Name of this account").fill(name)
        form.dialog.get_by_role("button", name="Connect").click()
        form.expect_news("Weather is connected.")
        expect(form.dialog).to_have_count(0)
    expect(form.row(WEATHER).locator("[data-account-row]")).to_have_count(2)
    expect(form.row(WEATHER)).to_contain_text("Weather of the Berlin office")


def test_client_credentials_are_tried_before_they_are_kept(form: Screen, api: Api) -> None:
    form.open("form_client", attributes={"filter": LEDGER})
    form.button("Connect Ledger").click()
    form.dialog.get_by_label("Client ID").fill("ledger")
    secret = form.dialog.get_by_label("Client secret", exact=True)
    secret.fill("wrong-horse")
    secret.press("Enter")
    expect(form.dialog).to_contain_text("Ledger")
    expect(form.dialog.get_by_label("Client ID")).to_have_attribute("aria-invalid", "true")
    assert api.token(LEDGER, "form_client")["active"] is False
    secret.fill("correct-horse")
    secret.press("Enter")
    form.expect_news("Ledger is connected.")
    expect(form.row(LEDGER)).to_contain_text("Client secret ending in orse")
    assert api.token(LEDGER, "form_client")["active"] is True


def test_what_is_missing_is_said_at_its_field(form: Screen) -> None:
    form.open("form_missing", attributes={"filter": LEDGER})
    form.button("Connect Ledger").click()
    form.dialog.get_by_role("button", name="Connect").click()
    field = form.dialog.get_by_label("Client ID")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description("Enter a value.")


def test_config_fields_are_checked_and_sent(form: Screen, api: Api) -> None:
    """The catalogue's own pattern, example and default."""
    form.open("form_config", attributes={"filter": "salesforce"})
    form.button("Connect Salesforce").click()
    host = form.dialog.get_by_label("Salesforce host")
    expect(host).to_have_value("login.salesforce.com")
    host.fill("evil.test")
    form.dialog.get_by_role("button", name="Continue to Salesforce").click()
    expect(host).to_have_accessible_description(re.compile(r"It should look like acme\.my\.salesforce\.com"))
    host.fill("test.salesforce.com")
    allow(form.popup(form.dialog.get_by_role("button", name="Continue to Salesforce")))
    form.expect_news("Salesforce is connected.")
    account = api.call("GET", "/user_management/users/form_config/connected_accounts/salesforce").json()
    assert account["config"]["hostname"] == "test.salesforce.com"


def test_a_provider_with_several_methods_asks_which(form: Screen, api: Api) -> None:
    form.open("form_methods", attributes={"filter": ATLAS})
    form.button("Connect Atlas").click()
    expect(form.dialog.get_by_role("radio")).to_have_count(3)
    expect(form.dialog.get_by_role("button", name="Continue to Atlas")).to_be_visible()
    form.dialog.get_by_label("Client credentials").check()
    expect(form.dialog.get_by_label("Client ID")).to_be_visible()
    form.dialog.get_by_role("radio", name="API key").check()
    expect(form.dialog.get_by_label("Client ID")).to_have_count(0)
    form.dialog.get_by_role("textbox", name="API key").fill(KEY)
    form.dialog.get_by_role("button", name="Connect").click()
    form.expect_news("Atlas is connected.")
    credential = api.call("POST", f"/data-integrations/{ATLAS}/credentials", user_id="form_methods").json()["credential"]
    assert credential["auth_method"] == "api_key"


def test_without_a_network_the_form_stays_and_can_be_sent_again(form: Screen) -> None:
    form.open("form_offline", attributes={"filter": WEATHER})
    form.button("Connect Weather").click()
    field = form.dialog.get_by_label("API key", exact=True)
    field.fill(KEY)
    form.person.set_offline(True)
    field.press("Enter")
    expect(form.dialog.get_by_role("alert")).to_have_text("You are offline. Try again when you are back.")
    form.person.set_offline(False)
    field.press("Enter")
    form.expect_news("Weather is connected.")


def test_the_page_s_colours_are_the_widget_s_whatever_the_page_calls_its_own(form: Screen) -> None:
    form.open("form_colours", attributes={"filter": WEATHER})
    form.widget.evaluate("element => { document.documentElement.style.setProperty('--accent', 'rgb(1, 2, 3)'); element.style.setProperty('--standpipe-accent', 'var(--accent)'); }")
    form.button("Connect Weather").click()
    expect(form.dialog.get_by_role("button", name="Connect", exact=True)).to_have_css("background-color", "rgb(1, 2, 3)")
