"""Providers set up from the dashboard: the catalogue, a custom one found by its metadata, and the trial of one."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.domain.errors import Unprocessable
from chalicelib.engine.dashboard_trial import TESTER
from chalicelib.providers import catalogue
from tests.dashboard.conftest import ACTOR, Administrator
from tests.engine.scenes import SLUG
from tests.peers import Peer, faults, start_oidc
from tests.web.people import Site, somebody

SECRET = "a-client-secret-nobody-may-see-again"


def test_the_whole_catalogue_is_listed_and_what_is_set_up_is_marked(olga: Administrator) -> None:
    olga.done("POST", "/providers/github")
    listed = {each["slug"]: each for each in olga.get("/providers")["providers"]}
    assert listed.keys() == set(catalogue.slugs())
    assert listed["github"]["registrations"][0]["enabled"] is False and listed["google"]["registrations"] == []


def test_setting_up_begins_with_a_redirect_uri_and_enables_nothing(site: Site, olga: Administrator) -> None:
    begun = olga.done("POST", "/providers/github")
    assert begun["enabled"] is False and begun["redirect_uri"] == f"http://localhost:8000/callback/{begun['id']}"
    assert any(begun["redirect_uri"] in step for step in begun["setup"])
    assert olga.done("POST", "/providers/github")["id"] == begun["id"], "again is the same one"
    assert olga.send("POST", "/providers/unheard-of").status == 404


@pytest.mark.parametrize("slug", catalogue.slugs())
def test_every_provider_of_the_catalogue_can_be_begun(olga: Administrator, slug: str) -> None:
    begun = olga.done("POST", f"/providers/{slug}")
    assert begun["slug"] == slug and begun["redirect_uri"] not in ("", None)


def test_a_client_is_stored_and_its_secret_never_shown_again(site: Site, olga: Administrator) -> None:
    olga.done("POST", "/providers/github")
    body = {"enabled": True, "scopes": ["repo"], "description": "Code", "credentials": {"type": "custom", "client_id": "ours", "client_secret": SECRET}}
    saved = olga.send("PUT", "/providers/github", body)
    assert SECRET not in saved.whole()
    given = saved.json()
    assert (given["client_id"], given["credentials"], given["enabled"], given["scopes"], given["description"]) == ("ours", "own", True, ["repo"], "Code")
    assert [each["last_four"] for each in given["secrets"]] == [SECRET[-4:]]
    assert SECRET not in repr(site.rows())
    kept = olga.done("PUT", "/providers/github", {"description": "Repositories"})
    assert kept["secrets"] == given["secrets"] and kept["scopes"] == ["repo"]


def test_wrong_fields_are_named(olga: Administrator) -> None:
    olga.done("POST", "/providers/salesforce")
    refused = olga.send("PUT", "/providers/salesforce", {"config": {"domain": "evil.example/"}})
    assert refused.status == 422 and refused.json()["errors"][0]["field"].startswith("config.")
    refused = olga.send("PUT", "/providers/salesforce", {"credentials": {"client_secret": SECRET}})
    assert refused.json()["errors"] == [{"field": "credentials.client_id", "code": "required"}]


def test_a_registration_for_organizations_lies_beside_the_one_for_users(olga: Administrator) -> None:
    of_users, of_organizations = olga.done("POST", "/providers/github"), olga.done("POST", "/providers/github?ownership=organization")
    assert of_users["redirect_uri"] != of_organizations["redirect_uri"]
    listed = {each["slug"]: each for each in olga.get("/providers")["providers"]}["github"]
    assert {each["ownership"] for each in listed["registrations"]} == {"userland_user", "organization"}
    olga.done("DELETE", "/providers/github?ownership=organization")
    assert olga.get("/providers/github")["id"] == of_users["id"]


def test_r08_moving_a_custom_providers_endpoint_asks_for_the_secret_again(olga: Administrator) -> None:
    custom = {"name": "Ours", "authorization_url": "https://id.example.com/authorize", "token_url": "https://id.example.com/token"}
    made = olga.done("PUT", "/providers/ours", {"custom_provider": custom, "credentials": {"client_id": "ours", "client_secret": SECRET}})
    assert made["custom"] and made["custom_provider"]["token_url"] == custom["token_url"]
    moved = olga.send("PUT", "/providers/ours", {"custom_provider": {**custom, "token_url": "https://evil.example.com/token"}})
    assert (moved.status, moved.json()["code"]) == (422, "client_secret_required")
    assert olga.get("/providers/ours")["custom_provider"]["token_url"] == custom["token_url"]


def test_a_provider_is_removed_and_the_administrator_is_named_for_each_change(olga: Administrator) -> None:
    olga.done("POST", "/providers/github")
    olga.done("PUT", "/providers/github", {"enabled": True})
    olga.done("DELETE", "/providers/github")
    assert [(each["action"], each["actor"]) for each in olga.get("/audit")["entries"][:3]] == [(f"data_integration.{what}", ACTOR) for what in ("deleted", "updated", "created")]


# discovery


@pytest.fixture(scope="module")
def openid() -> Any:
    with start_oidc(client_secret="oidc-secret-of-this-module", client_id="dashboard", redirect_uris=["http://localhost:8000/callback/nothing"]) as peer:
        yield peer


def test_a_real_servers_metadata_fills_in_a_custom_provider(site: Site, olga: Administrator, openid: Peer) -> None:
    found = olga.done("POST", "/discovery", {"issuer": openid.issuer})
    fields = found["fields"]
    assert (fields["authorization_url"], fields["token_url"]) == (openid.authorization_endpoint, openid.token_endpoint)
    assert (fields["revocation_url"], fields["userinfo_url"]) == (openid.revocation_endpoint, openid.userinfo_endpoint)
    assert fields["issuer"] == openid.issuer and fields["pkce_enabled"] is True and "openid" in found["scopes"]
    made = olga.done("PUT", "/providers/found", {"custom_provider": {**fields, "name": "Found"}, "scopes": ["openid"]})
    assert made["pkce"] and made["revocable"]


@pytest.mark.parametrize(
    "issuer",
    [
        "",
        "x",
        "ftp://id.example.com",
        "https://",
        "https://user@id.example.com",
        "javascript:alert(1)",
        "http://169.254.169.254/latest",
        "https://10.0.0.1",
        "http://id.example.com",
        "https://[::1]",
        "https://id.example.com\n.evil",
    ],
)
def test_discovery_asks_nobody_it_may_not_ask(olga: Administrator, issuer: str) -> None:
    refused = olga.send("POST", "/discovery", {"issuer": issuer})
    assert (refused.status, refused.json()["code"]) == (422, "discovery_failed")


def test_a_server_without_metadata_is_said_to_have_none(olga: Administrator, at_django: Site) -> None:
    for path in ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"):
        at_django.at_peer.proxy.add(path, faults.status(404))
    refused = olga.send("POST", "/discovery", {"issuer": at_django.at_peer.proxy.base_url})
    assert (refused.status, refused.json()["code"]) == (422, "discovery_failed") and "by hand" in refused.json()["message"]


@pytest.mark.parametrize("fault", [faults.not_json(), faults.huge(1_000_000), faults.redirect("http://127.0.0.1:1/"), faults.empty(), faults.lose_answer()])
def test_a_server_that_answers_nonsense_is_refused_in_words(olga: Administrator, at_django: Site, fault: faults.Fault) -> None:
    at_django.at_peer.proxy.add("/.well-known/oauth-authorization-server", fault)
    at_django.at_peer.proxy.add("/.well-known/openid-configuration", fault)
    refused = olga.send("POST", "/discovery", {"issuer": at_django.at_peer.proxy.base_url})
    assert (refused.status, refused.json()["code"]) == (422, "discovery_failed")


def discovered(site: Site, metadata: Any, issuer: str = "https://id.example.com") -> dict[str, Any]:
    """What is made of metadata that a server could answer with."""
    from chalicelib.engine.dashboard_discovery import _suggested

    return _suggested(metadata, f"{issuer}/.well-known/openid-configuration", issuer)


def test_another_issuers_metadata_does_not_set_the_issuer(site: Site) -> None:
    found = discovered(site, {"issuer": "https://other.example.com", "authorization_endpoint": "https://a", "token_endpoint": "https://b"})
    assert "issuer" not in found["fields"] and any("another issuer" in note for note in found["notes"])


@pytest.mark.parametrize("odd", [{"scopes_supported": "openid"}, {"scopes_supported": [1, {"a": 2}]}, {"token_endpoint_auth_methods_supported": None}, {"revocation_endpoint": ["x"]}, {"issuer": 7}])
def test_odd_metadata_is_passed_over(site: Site, odd: dict[str, Any]) -> None:
    found = discovered(site, {"authorization_endpoint": "https://a", "token_endpoint": "https://b", **odd})
    assert found["fields"]["token_url"] == "https://b" and found["scopes"] == []


# the trial


Tried = Callable[[], list[dict[str, Any]]]


def connect(site: Site, olga: Administrator, user: str = "olga-herself") -> None:
    """The administrator goes through the window that the trial opened."""
    url = olga.done("POST", f"/providers/{SLUG}/trial")["url"]
    browser = site.browser()
    browser.arrive(browser.back_from(site.peer, url, user))


def test_a_trial_connects_refreshes_and_revokes_and_leaves_nothing(at_django: Site, olga: Administrator) -> None:
    url = olga.done("POST", f"/providers/{SLUG}/trial")["url"]
    assert [step["verdict"] for step in olga.get(f"/providers/{SLUG}/trial")["steps"]] == ["waiting"]
    browser = at_django.browser()
    browser.arrive(browser.back_from(at_django.peer, url, "olga-herself"))
    assert [step["verdict"] for step in olga.get(f"/providers/{SLUG}/trial")["steps"]] == ["passed"]
    refreshed = olga.done("POST", f"/providers/{SLUG}/trial/refresh")["steps"]
    assert (refreshed[1]["verdict"], at_django.at_peer.posts()) == ("passed", 1)
    revoked = olga.done("POST", f"/providers/{SLUG}/trial/revoke")["steps"]
    assert [(step["name"], step["verdict"]) for step in revoked] == [("connect", "passed"), ("refresh", "passed"), ("revoke", "passed")]
    assert at_django.at_peer.revocations() == 1
    connection = at_django.engine.store.connection(TESTER, SLUG)
    assert connection is not None and connection.state == "disconnected" and connection.sealed is None
    assert olga.get(f"/providers/{SLUG}/trial")["steps"] == revoked, "it can be looked at later"


def test_a_trial_says_what_the_provider_refuses(at_django: Site, olga: Administrator) -> None:
    at_django.at_peer.fault(faults.status(401, {"error": "invalid_client"}))
    connect(at_django, olga)
    (step,) = olga.get(f"/providers/{SLUG}/trial")["steps"]
    assert step["verdict"] == "failed" and "invalid_client" in step["text"]
    assert olga.send("POST", f"/providers/{SLUG}/trial/refresh").status in (404, 409)


def test_a_trial_that_is_declined_says_so(at_django: Site, olga: Administrator) -> None:
    url = olga.done("POST", f"/providers/{SLUG}/trial")["url"]
    browser = at_django.browser()
    browser.arrive(at_django.peer.deny(browser.confirm(url)))
    (step,) = olga.get(f"/providers/{SLUG}/trial")["steps"]
    assert (step["verdict"], step["text"]) == ("failed", "Consent was declined at the provider.")


def test_a_refresh_that_fails_is_told_and_the_trial_can_still_be_ended(at_django: Site, olga: Administrator) -> None:
    connect(at_django, olga)
    at_django.at_peer.fault(faults.status(400, {"error": "invalid_grant"}))
    refreshed = olga.done("POST", f"/providers/{SLUG}/trial/refresh")["steps"]
    assert refreshed[1]["verdict"] == "failed" and "invalid_grant" in refreshed[1]["text"]
    assert [step["name"] for step in olga.done("POST", f"/providers/{SLUG}/trial/revoke")["steps"]] == ["connect", "refresh", "revoke"]


def test_steps_are_taken_in_turn(at_django: Site, olga: Administrator) -> None:
    assert olga.send("POST", f"/providers/{SLUG}/trial/refresh").status == 404
    connect(at_django, olga)
    refused = olga.send("POST", f"/providers/{SLUG}/trial/revoke")
    assert (refused.status, refused.json()["code"]) == (409, "trial_out_of_turn")
    assert olga.send("POST", f"/providers/{SLUG}/trial/nonsense").status == 404


def test_beginning_again_ends_what_an_earlier_trial_left_behind(at_django: Site, olga: Administrator) -> None:
    connect(at_django, olga)
    connect(at_django, olga)
    assert at_django.at_peer.revocations() == 1
    assert [step["verdict"] for step in olga.get(f"/providers/{SLUG}/trial")["steps"]] == ["passed"]


def test_a_provider_is_tried_before_people_may_connect_it(at_django: Site, olga: Administrator) -> None:
    olga.done("PUT", f"/providers/{SLUG}", {"enabled": False})
    connect(at_django, olga)
    assert [step["verdict"] for step in olga.get(f"/providers/{SLUG}/trial")["steps"]] == ["passed"]
    for step in ("refresh", "revoke"):
        assert olga.done("POST", f"/providers/{SLUG}/trial/{step}")["steps"][-1]["verdict"] == "passed"
    assert olga.get(f"/providers/{SLUG}")["enabled"] is False
    refused = at_django.api("POST", f"/data-integrations/{SLUG}/authorize", {"user_id": TESTER.user_id})
    assert (refused.status, refused.json()["code"]) == (422, "data_integration_disabled"), "of nobody else"


def test_a_provider_without_credentials_is_not_tried(olga: Administrator) -> None:
    olga.done("PUT", "/providers/ours", {"custom_provider": {"name": "Ours", "authorization_url": "https://id.example.com/authorize", "token_url": "https://id.example.com/token"}})
    refused = olga.send("POST", "/providers/ours/trial")
    assert (refused.status, refused.json()["code"]) == (409, "credentials_missing")


# taking a client away


def test_a_client_is_forgotten_and_the_redirect_uri_stays(site: Site, olga: Administrator) -> None:
    olga.done("POST", "/providers/github")
    before = olga.done("PUT", "/providers/github", {"enabled": True, "credentials": {"client_id": "ours", "client_secret": SECRET}})
    after = olga.done("DELETE", "/providers/github/client")
    assert (after["client_id"], after["secrets"], after["credentials"]) == (None, [], "simulator")
    assert (after["redirect_uri"], after["enabled"]) == (before["redirect_uri"], True)
    (row,) = [each for each in site.rows() if each.get("id") == before["id"]]
    assert not row.get("client_id") and not row.get("client_secrets")
    assert "data_integration.credentials_removed" in [each["action"] for each in olga.get("/audit")["entries"][:2]]
    again = olga.done("PUT", "/providers/github", {"credentials": {"client_id": "another", "client_secret": SECRET}})
    assert again["client_id"] == "another", "another client may come, as none lives on the old one"


def test_a_client_whose_grants_live_is_not_forgotten(at_django: Site, olga: Administrator) -> None:
    at_django.connected(somebody())
    refused = olga.send("DELETE", f"/providers/{SLUG}/client")
    assert (refused.status, refused.json()["code"]) == (409, "data_integration_in_use")
    assert olga.get(f"/providers/{SLUG}")["client_id"] == at_django.peer.client_id


def test_discovery_raises_for_what_is_no_address(site: Site) -> None:
    with pytest.raises(Unprocessable):
        site.engine.discovery.discover("https://id.example.com:99999")
