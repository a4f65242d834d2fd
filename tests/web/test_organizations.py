"""Organizations: connections that all members use, what an organization sets for itself, and a client of its own."""

from typing import Any
from urllib.parse import quote_plus

from tests.engine import scenes
from tests.engine.scenes import SLUG
from tests.web.people import Answer, Site, somebody

OURS = f"client_id={quote_plus(scenes.CLIENT_ID)}"
CONFIGURATIONS = "/organizations/org_1/data_integration_configurations"


def shared(site: Site, **more: Any) -> dict[str, Any]:
    """The same peer once more, for connections that belong to organizations."""
    row = site.api("GET", f"/data-integrations/{SLUG}").json()
    given = {
        "provider": SLUG,
        "ownership": "organization",
        "enabled": True,
        "scopes": ["read"],
        "custom_provider": {name: value for name, value in row["custom_provider"].items() if value is not None},
        "credentials": {"client_id": scenes.CLIENT_ID, "client_secret": site.peer.client_secret},
        **more,
    }
    made = site.api("POST", "/data-integrations", given)
    assert made.status == 201, made.text
    return dict(made.json())


def configure(site: Site, organization: str = "org_1", **wanted: Any) -> Answer:
    return site.api("PUT", f"/organizations/{organization}/data_integration_configurations/{SLUG}", wanted)


def test_an_organizations_account_belongs_to_no_user_and_every_member_uses_it(at_django: Site) -> None:
    shared(at_django)
    installed = at_django.api("POST", f"/organizations/org_1/connected_accounts/{SLUG}", {"access_token": "tok-1", "user_id": "admin_1"})
    assert installed.status == 201, installed.text
    account = installed.json()
    assert (account["user_id"], account["organization_id"], account["established_by_user_id"]) == (None, "org_1", "admin_1")
    for member in ("admin_1", "member_2"):
        token = at_django.token(member, organization_id="org_1", connection_owner="organization")
        assert token["active"] and token["access_token"]["connected_account_id"] == account["id"]
    assert at_django.token("member_2", organization_id="org_1")["error"] == "not_installed"
    assert at_django.token("member_2", organization_id="org_2", connection_owner="organization")["error"] == "not_installed"
    (provider,) = at_django.api("GET", "/organizations/org_1/data_providers").json()["data"]
    assert (provider["connection_owner"], provider["ownership"], provider["connected_account"]["id"]) == ("organization", "organization", account["id"])
    assert at_django.api("DELETE", f"/organizations/org_1/connected_accounts/{SLUG}").status == 204
    assert at_django.api("GET", f"/organizations/org_1/connected_accounts/{SLUG}").status == 404


def test_the_page_says_that_the_account_will_be_the_organizations(at_django: Site) -> None:
    shared(at_django)
    page = at_django.browser().get(at_django.authorize("admin_1", organization_id="org_1", connection_owner="organization")["url"])
    assert page.status == 200 and "for the organization" in page.text and "Every member of the organization" in page.text and "org_1" in page.text and "admin_1" in page.text


def test_the_users_and_the_organizations_integration_are_two(at_django: Site) -> None:
    made = shared(at_django, description="For everybody")
    assert (made["ownership"], at_django.api("GET", f"/data-integrations/{SLUG}").json()["ownership"]) == ("organization", "user")
    assert at_django.api("GET", f"/data-integrations/{SLUG}/organization").json()["id"] == made["id"]
    assert at_django.api("PUT", f"/data-integrations/{SLUG}/organization", {"enabled": False}).json()["enabled"] is False
    assert at_django.api("GET", f"/data-integrations/{SLUG}").json()["enabled"] is True
    assert [each["ownership"] for each in at_django.api("GET", "/data-integrations?ownership=organization").json()["data"]] == ["organization"]
    assert at_django.api("DELETE", f"/data-integrations/{SLUG}/organization").status == 204
    assert at_django.api("GET", f"/data-integrations/{SLUG}/organization").status == 404 and at_django.api("GET", f"/data-integrations/{SLUG}").status == 200


def test_an_organization_turns_a_provider_off_for_its_members_alone(at_django: Site) -> None:
    user = somebody()
    assert configure(at_django, enabled=False).json()["enabled"] is False
    refused = at_django.api("POST", f"/data-integrations/{SLUG}/authorize", {"user_id": user, "organization_id": "org_1"})
    assert (refused.status, refused.json()["code"]) == (422, "data_integration_disabled")
    assert at_django.authorize(user, organization_id="org_2") and at_django.authorize(user)
    assert at_django.api("GET", f"/user_management/users/{user}/data_providers?organization_id=org_1").json()["data"] == []
    assert configure(at_django, enabled=True).json()["enabled"] is True
    assert at_django.authorize(user, organization_id="org_1")


def test_an_organization_cannot_turn_on_what_the_stage_turned_off(at_django: Site) -> None:
    at_django.api("PUT", f"/data-integrations/{SLUG}", {"enabled": False})
    assert configure(at_django, enabled=True).json()["enabled"] is False
    assert at_django.api("POST", f"/data-integrations/{SLUG}/authorize", {"user_id": "u", "organization_id": "org_1"}).status == 422


def test_scopes_are_narrowed_and_inherited_again(at_django: Site) -> None:
    at_django.api("PUT", f"/data-integrations/{SLUG}", {"scopes": ["read", "write"]})
    assert configure(at_django, scopes=["read"]).json()["scopes"] == ["read"]
    user = somebody()
    at_django.connect(user, organization_id="org_1")
    assert at_django.api("GET", f"/user_management/users/{user}/connected_accounts/{SLUG}?organization_id=org_1").json()["scopes"] == ["read"]
    foreign = configure(at_django, scopes=["admin"])
    assert (foreign.status, foreign.json()["code"]) == (422, "scopes_not_configured")
    assert configure(at_django, scopes=None).json()["scopes"] == ["read", "write"]
    assert configure(at_django).status == 422


def test_an_organizations_own_client_has_its_own_redirect_uri_and_keeps_its_grants(at_django: Site) -> None:
    before = at_django.api("GET", CONFIGURATIONS).json()["data"][0]
    assert before["credentials"]["credentials_type"] == "custom"
    alone = configure(at_django, client_id="theirs")
    assert (alone.status, alone.json()["code"]) == (422, "incomplete_credentials")
    secret = "secret-of-the-organization-7788"
    own = configure(at_django, client_id="theirs", client_secret=secret)
    assert own.status == 200 and secret not in own.text
    credentials = own.json()["credentials"]
    root = at_django.api("GET", f"/data-integrations/{SLUG}").json()
    assert (credentials["credentials_type"], credentials["client_id"], credentials["client_secret_last_four"]) == ("organization", "theirs", "7788")
    assert credentials["redirect_uri"] != root["redirect_uri"] and credentials["redirect_uri"].startswith("http://localhost:8000/callback/")
    user, browser = somebody(), at_django.browser()
    gone = browser.confirm(at_django.authorize(user, organization_id="org_1")["url"])
    assert "client_id=theirs" in gone and credentials["redirect_uri"].rsplit("/", 1)[1] in gone
    assert OURS in at_django.browser().confirm(at_django.authorize(user)["url"])
    # Reset: as the stage has it.
    assert at_django.api("DELETE", f"{CONFIGURATIONS}/{SLUG}").status == 204
    assert OURS in at_django.browser().confirm(at_django.authorize(user, organization_id="org_1")["url"])


def test_a_provider_where_each_organization_brings_its_own_client(at_django: Site) -> None:
    made = shared(at_django, credentials={"type": "organization"})
    assert made["credentials"] == {"type": "organization", "client_id": None, "redacted_client_secret": None} and made["state"] == "valid"
    body = {"user_id": "admin_1", "organization_id": "org_1", "connection_owner": "organization"}
    refused = at_django.api("POST", f"/data-integrations/{SLUG}/authorize", body)
    assert (refused.status, refused.json()["code"]) == (409, "credentials_missing")
    (found,) = at_django.api("GET", f"{CONFIGURATIONS}?ownership=organization").json()["data"]
    foreseen = found["credentials"]["redirect_uri"]
    own = at_django.api("PUT", f"{CONFIGURATIONS}/{SLUG}?ownership=organization", {"client_id": "theirs", "client_secret": "s" * 30})
    assert own.status == 200 and own.json()["credentials"]["redirect_uri"] == foreseen
    assert at_django.api("POST", f"/data-integrations/{SLUG}/authorize", body).status == 200
    assert at_django.api("POST", f"/data-integrations/{SLUG}/authorize", {**body, "organization_id": "org_2"}).status == 409


def test_a_key_that_is_bound_to_an_organization_reaches_nothing_else(at_django: Site) -> None:
    _record, bound = at_django.engine.api_keys.create("of org_1", "org_1")
    user = somebody()
    at_django.connect(user, organization_id="org_1")
    at_django.connect(user)
    mine = at_django.api("POST", f"/data-integrations/{SLUG}/token", {"user_id": user}, key=bound).json()
    assert mine["access_token"]["connected_account_id"] == at_django.token(user, organization_id="org_1")["access_token"]["connected_account_id"]
    for organization in ("org_2", "org_nowhere"):
        refused = at_django.api("POST", f"/data-integrations/{SLUG}/token", {"user_id": user, "organization_id": organization}, key=bound)
        assert (refused.status, refused.json()["code"]) == (404, "organization_not_found")
        assert at_django.api("GET", f"/organizations/{organization}/data_providers", key=bound).status == 404
    for method, path in (("GET", "/data-integrations"), ("PUT", f"/data-integrations/{SLUG}"), ("DELETE", f"/data-integrations/{SLUG}")):
        refused = at_django.api(method, path, {} if method == "PUT" else None, key=bound)
        assert (refused.status, refused.json()["code"]) == (403, "organization_bound_key")
