"""<Pipes>: API keys, client credentials, several methods at one provider, and what a provider has to know beforehand."""

import re
import uuid

import pytest
from playwright.sync_api import expect

from tests.widgets.product import View
from tests.widgets.screen import Screen
from tests.widgets.stage import Stage

AUTHORIZE = "POST /_widgets/DataIntegrations/{}/authorize"
CREDENTIALS = "PUT /_widgets/DataIntegrations/{}/client-credentials"


@pytest.fixture
def view(stage: Stage) -> View:
    return View(user=stage.new("user"), organization=stage.new("org"))


def of(view: View) -> dict[str, str]:
    return {"organization_id": str(view.organization)}


def test_an_api_key_is_entered_rotated_and_updated(screen: Screen, stage: Stage, view: View) -> None:
    stage.offer("openai", "api_key")
    screen.open(view)
    row = screen.row("OpenAI")
    row.get_by_role("button", name="Connect").click()
    screen.shows("Pipes: enter an API key", "Connect OpenAI with API key", "API key", "Enter your API key", "Cancel", "Connect")
    field = screen.page.get_by_role("dialog").get_by_role("textbox").or_(screen.page.get_by_placeholder("Enter your API key")).first
    assert field.get_attribute("type") == "password"
    field.fill("sk-refused-00000000000000000000")
    screen.button("Connect").click()
    expect(screen.page.get_by_role("alert")).to_contain_text("OpenAI does not accept this API key")
    screen.page.route(re.compile("/api-key$"), lambda route: route.abort(), times=1)
    field.fill("sk-proj-00000000000000000000AbCd")
    screen.button("Connect").click()
    screen.shows("Pipes: a secret cannot be sent", "An error occurred. Please check the value and try again.")
    screen.button("Connect").click()
    expect(row.get_by_text("Connected", exact=True)).to_be_visible()
    assert stage.account("openai", view.user, **of(view))["api_key_last_4"] == "AbCd"

    row.get_by_role("button").click()
    screen.shows("Pipes: connected by API key", "Connected", "Pipe actions", "Rotate API key", "Disconnect account")
    screen.choose("Rotate API key")
    screen.shows("Pipes: rotate an API key", "Rotate API key for OpenAI", "Current API key", "••••AbCd", "New API key", "Cancel", "Rotate")
    field.fill("sk-proj-00000000000000000000EfGh")
    screen.button("Rotate").click()
    expect(screen.page.get_by_role("dialog")).to_have_count(0)
    assert stage.credentials("openai", view.user, view.organization)["credential"]["value"] == "sk-proj-00000000000000000000EfGh"

    stage.mark("openai", view.user, **of(view))
    screen.come_back()
    row.get_by_role("button").click()
    screen.shows("Pipes: the API key stopped working", "Requires reauthorization", "Update API key", "Disconnect account")
    screen.choose("Update API key")
    screen.shows("Pipes: update an API key", "Connect OpenAI with API key")
    field.fill("sk-proj-00000000000000000000IjKl")
    screen.button("Connect").click()
    expect(row.get_by_text("Connected", exact=True)).to_be_visible()
    assert stage.credentials("openai", view.user, view.organization)["credential"]["value"] == "sk-proj-00000000000000000000IjKl"


def test_client_credentials_are_entered_and_updated(screen: Screen, stage: Stage, view: View) -> None:
    stage.offer("zendesk", "client_credentials")
    screen.open(view)
    row = screen.row("Zendesk")
    row.get_by_role("button", name="Connect").click()
    dialog = screen.page.get_by_role("dialog")
    screen.shows(
        "Pipes: enter client credentials", "Connect Zendesk with client credentials", "Client ID", "Enter your client ID", "Client secret", "Enter your client secret",
        "Zendesk subdomain", "Cancel", "Connect",
    )  # fmt: skip
    client, subdomain = f"client-{uuid.uuid4().hex[:8]}", f"acme-{uuid.uuid4().hex[:8]}"
    dialog.get_by_label("Client ID").fill(client)
    dialog.get_by_label("Client secret").fill("a-refused-secret-1234")
    dialog.get_by_label("Zendesk subdomain").fill(subdomain)
    screen.button("Connect").click()
    expect(screen.page.get_by_role("alert")).to_contain_text("does not accept these client credentials")
    dialog.get_by_label("Client secret").fill("the-secret-of-acme-9876")
    screen.button("Connect").click()
    expect(row.get_by_text("Connected", exact=True)).to_be_visible()
    account = stage.account("zendesk", view.user, **of(view))
    assert (account["client_id"], account["client_secret_last_4"], account["config"]) == (client, "9876", {"subdomain": subdomain})
    first = stage.token("zendesk", view.user, view.organization)
    assert first["active"] and first["access_token"]["expires_at"]

    row.get_by_role("button").click()
    screen.shows("Pipes: connected by client credentials", "Connected", "Pipe actions", "Update client credentials", "Disconnect account")
    screen.choose("Update client credentials")
    screen.shows("Pipes: update client credentials", "Update client credentials for Zendesk", "Enter the client secret again to save any changes.", "Cancel", "Save")
    expect(dialog.get_by_label("Client ID")).to_have_value(client)
    expect(dialog.get_by_label("Zendesk subdomain")).to_have_value(subdomain)
    screen.change_secret("9876", "another-secret-of-acme-5432")
    screen.button("Save").click()
    expect(dialog).to_have_count(0)
    assert screen.bodies(CREDENTIALS)[-1] == {"client_id": client, "client_secret": "another-secret-of-acme-5432"}
    account = stage.account("zendesk", view.user, **of(view))
    assert (account["client_secret_last_4"], account["config"]) == ("5432", {"subdomain": subdomain})

    stage.mark("zendesk", view.user, **of(view))
    screen.come_back()
    row.get_by_role("button").click()
    screen.shows("Pipes: the client credentials stopped working", "Requires reauthorization", "Update client credentials", "Disconnect account")
    screen.choose("Update client credentials")
    screen.change_secret("5432", "a-third-secret-of-acme-1111")
    dialog.get_by_label("Zendesk subdomain").fill(f"{subdomain}-eu")
    screen.button("Save").click()
    expect(row.get_by_text("Connected", exact=True)).to_be_visible()
    assert stage.account("zendesk", view.user, **of(view))["config"] == {"subdomain": f"{subdomain}-eu"}


def test_a_provider_is_told_first_which_tenant_it_is(screen: Screen, stage: Stage, view: View) -> None:
    stage.offer("zendesk", "oauth", "client_credentials")
    screen.open(view)
    row = screen.row("Zendesk")
    row.get_by_role("button", name="Connect").click()
    screen.shows("Pipes: several methods", "Sign in with OAuth", "Enter client credentials")
    screen.choose("Sign in with OAuth")
    dialog = screen.page.get_by_role("dialog")
    screen.shows("Pipes: config field", "Zendesk subdomain", "What stands before .zendesk.com in the address of the Zendesk account", "acme", "Cancel", "Next")
    expect(screen.button("Next")).to_be_disabled()
    dialog.get_by_label("Zendesk subdomain").fill("evil.example/")
    screen.button("Next").click()
    screen.shows("Pipes: config field of another form", "Enter a valid value.")
    dialog.get_by_label("Zendesk subdomain").fill("acme-two")
    screen.button("Next").click()
    screen.button("Back").click()
    screen.shows("Pipes: config field once more", "Zendesk subdomain", "Next")
    screen.button("Next").click()
    screen.shows("Pipes: connect dialog after the config fields", "Back", "Connect")
    screen.connect(screen.button("Connect"), "ada").close()
    assert screen.bodies(AUTHORIZE) == [{"requireHandoff": True, "config": {"subdomain": "acme-two"}}]
    screen.come_back()
    expect(row.get_by_text("Connected", exact=True)).to_be_visible()
    assert stage.account("zendesk", view.user, **of(view))["config"] == {"subdomain": "acme-two"}

    stage.mark("zendesk", view.user, **of(view))
    screen.come_back()
    row.get_by_role("button").click()
    screen.choose("Reauthorize")
    dialog.get_by_label("Zendesk subdomain").fill("acme-three")
    screen.button("Next").click()
    screen.connect(screen.button("Connect"), "ada").close()
    screen.come_back()
    expect(row.get_by_text("Connected", exact=True)).to_be_visible()
    assert stage.account("zendesk", view.user, **of(view))["config"] == {"subdomain": "acme-three"}


def test_what_is_pinned_is_not_asked(screen: Screen, stage: Stage, view: View) -> None:
    stage.offer("zendesk", "oauth")
    stage.configure(str(view.organization), "zendesk", config={"subdomain": "acme-pinned"})
    screen.open(view)
    screen.row("Zendesk").get_by_role("button", name="Connect").click()
    screen.shows("Pipes: pinned config", "You'll be redirected to sign in with Zendesk.")
    screen.connect(screen.button("Connect"), "ada").close()
    assert stage.account("zendesk", view.user, **of(view))["config"] == {"subdomain": "acme-pinned"}


def test_a_field_with_a_default_may_be_left_blank(screen: Screen, stage: Stage, view: View) -> None:
    screen.open(view)
    screen.row("Salesforce").get_by_role("button", name="Connect").click()
    screen.shows("Pipes: config field with a default", "Defaults to login.salesforce.com when left blank.", "login.salesforce.com")
    screen.button("Next").click()
    screen.connect(screen.button("Connect"), "ada").close()
    screen.come_back()
    expect(screen.row("Salesforce").get_by_text("Connected", exact=True)).to_be_visible()


def test_an_api_key_beside_oauth(screen: Screen, stage: Stage, view: View) -> None:
    stage.offer("linear", "oauth", "api_key")
    screen.open(view)
    screen.row("Linear").get_by_role("button", name="Connect").click()
    screen.shows("Pipes: OAuth or an API key", "Sign in with OAuth", "Enter API key")
    screen.choose("Enter API key")
    screen.page.get_by_placeholder("Enter your API key").fill(f"lin_api_{uuid.uuid4().hex}{uuid.uuid4().hex[:8]}")
    screen.button("Connect").click()
    expect(screen.row("Linear").get_by_text("Connected", exact=True)).to_be_visible()
    assert stage.account("linear", view.user, **of(view))["auth_method"] == "api_key"
