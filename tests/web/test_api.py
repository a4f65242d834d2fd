"""The application's backend over HTTP: authorize, finish, fetch, report, look, disconnect."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from chalicelib.domain.lifecycle import Transition
from chalicelib.domain.models import Connection
from chalicelib.domain.secret import Secret
from chalicelib.engine.registrations import Change
from tests.engine.scenes import SLUG
from tests.peers import faults
from tests.web.people import RETURN_TO, Site, query_of, somebody
from tests.web.test_connect_rules import BOUND, finish, parked

TOKEN = f"/data-integrations/{SLUG}/token"
ACCOUNT_KEYS = {
    "object", "id", "connection_role", "account_identifier", "account_display_name", "user_id", "organization_id", "scopes", "state", "created_at", "updated_at", "auth_method", "api_key_last_4", "client_id",
    "client_secret_last_4", "config", "established_by_user_id", "state_reason", "warnings",
}  # fmt: skip


def path_of(user: str, **query: str) -> str:
    return f"/user_management/users/{quote(user, safe='')}/connected_accounts/{SLUG}" + ("?" + "&".join(f"{n}={v}" for n, v in query.items()) if query else "")


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status, answer.json()["code"]


def test_the_whole_life_of_a_connection(strict: Site) -> None:
    user = somebody()
    assert strict.token(user) == {"active": False, "error": "not_installed", "reason": None, "message": "Peer is not connected. Connect it to continue."}
    assert code_of(strict.account(user)) == (404, "connected_account_not_found")
    page = strict.connect(user, account_display_name="Work")
    assert page.status == 200 and "Peer is connected" in page.text

    answer = strict.token(user)
    token = answer["access_token"]
    assert answer["active"] is True and set(answer) == {"active", "access_token"}
    assert {"object", "access_token", "expires_at", "scopes", "missing_scopes", "generation", "connected_account_id", "token_type", "metadata"} <= set(token)
    assert (token["object"], token["generation"], token["missing_scopes"], token["metadata"], token["token_type"]) == ("access_token", 1, [], {}, "bearer")
    account = strict.account(user).json()
    assert set(account) >= ACCOUNT_KEYS
    assert (account["object"], account["id"], account["state"], account["state_reason"]) == ("connected_account", token["connected_account_id"], "connected", None)
    assert (account["user_id"], account["organization_id"], account["account_identifier"], account["account_display_name"]) == (user, None, user, "Work")
    assert account["id"].startswith("data_installation_") and account["scopes"] == token["scopes"]
    assert account["created_at"].endswith("Z") and len(account["created_at"]) == len("2026-01-01T00:00:00.000Z")

    gone = strict.api("DELETE", path_of(user))
    assert (gone.status, gone.body, gone.one("Standpipe-Revocation")) == (204, b"", "revoked")
    assert strict.at_peer.revocations() >= 1
    assert strict.token(user)["error"] == "not_installed"
    assert code_of(strict.api("DELETE", path_of(user))) == (404, "connected_account_not_found")
    assert code_of(strict.account(user)) == (404, "connected_account_not_found")


@pytest.mark.parametrize("user", ["user@example.com", "a b+c%20d", "päivi/ö", "用户", "a?b#c&d=e", "'\"<>", "..", "50%", "%2F"])
def test_an_id_of_the_application_is_the_same_in_a_path_as_in_a_body(site: Site, user: str) -> None:
    """The gateway hands a path on as it was sent, percent-encoded."""
    site.api("POST", "/data-integrations", {"provider": "github", "enabled": True})
    engine, now = site.engine, site.clock()
    row = Connection(id="data_installation_x", user_id=user, slug="github", registration_id="r", state="needs_reauthorization", reason="refused", created_at=now, updated_at=now)
    engine.store.commit(Transition(None, row))
    found = site.account(user, "github")
    assert found.status == 200 and found.json()["user_id"] == user
    assert site.token(user, "github")["error"] == "needs_reauthorization"
    listed = site.api("GET", f"/user_management/users/{quote(user, safe='')}/data_providers").json()["data"]
    assert listed[0]["connected_account"]["user_id"] == user


def test_min_ttl_asks_for_life_and_refreshes_only_then(strict: Site) -> None:
    strict.connected(user := somebody())
    assert strict.token(user, min_ttl=0)["access_token"]["generation"] == 1
    strict.clock.ahead = timedelta(minutes=45)
    assert strict.token(user)["access_token"]["generation"] == 1
    assert strict.token(user, min_ttl=1200)["access_token"]["generation"] == 2
    # More than the provider's tokens live is not asked for again and again.
    assert [strict.token(user, min_ttl=86400)["access_token"]["generation"] for _ in range(3)] == [2, 2, 2]
    assert strict.at_peer.posts() == 1


def test_a_rejected_token_is_refreshed_once_for_its_generation(strict: Site) -> None:
    strict.connected(user := somebody())
    first = strict.token(user)["access_token"]
    renewed = strict.api("POST", f"{TOKEN}/rejected", {"user_id": user, "generation": 1}).json()
    assert renewed["active"] is True and renewed["access_token"]["generation"] == 2
    assert renewed["access_token"]["access_token"] != first["access_token"]
    assert [strict.api("POST", f"{TOKEN}/rejected", {"user_id": user, "generation": 1}).json() for _ in range(3)] == [renewed] * 3
    assert strict.at_peer.posts() == 1
    missing = strict.api("POST", f"{TOKEN}/rejected", {"user_id": somebody(), "generation": 1})
    assert missing.status == 200 and missing.json()["error"] == "not_installed"


def test_a_grant_that_was_ended_at_the_provider_says_why(strict: Site) -> None:
    strict.connected(user := somebody())
    strict.peer.revoke_user(user)
    ended = strict.api("POST", f"{TOKEN}/rejected", {"user_id": user, "generation": 1})
    assert ended.status == 200
    body = ended.json()
    assert (body["active"], body["error"], body["reason"]) == (False, "needs_reauthorization", "refused")
    assert "Peer" in body["message"] and body["message"].endswith(".")
    assert strict.token(user) == body
    account = strict.account(user).json()
    assert (account["state"], account["state_reason"], account["message"]) == ("needs_reauthorization", "refused", body["message"])
    assert "Reconnect your Peer account" in strict.browser().get(strict.authorize(user)["url"]).text
    assert strict.connected(user)["state"] == "connected"


def test_a_provider_that_is_down_is_a_503_that_says_when_to_come_back(at_django: Site) -> None:
    at_django.connected(user := somebody())
    at_django.clock.ahead = timedelta(hours=2)
    at_django.at_peer.fault(faults.status(503), times=4)
    answer = at_django.api("POST", TOKEN, {"user_id": user})
    assert code_of(answer) == (503, "temporarily_unavailable") and int(answer.one("Retry-After")) >= 1
    assert at_django.account(user).json()["state"] == "connected"


def test_our_own_refused_credentials_are_a_conflict_nobody_reauthorizes_for(at_django: Site) -> None:
    at_django.connected(user := somebody())
    for number in (1, 2):
        at_django.api("PUT", f"/data-integrations/{SLUG}", {"credentials": {"client_secret": f"wrong-secret-number-{number}"}})
    at_django.clock.ahead = timedelta(hours=2)
    assert code_of(at_django.api("POST", TOKEN, {"user_id": user})) == (409, "provider_misconfigured")
    assert at_django.account(user).json()["state"] == "connected"


@pytest.mark.parametrize(("fault", "header"), [(None, "revoked"), (faults.status(503), "failed"), (faults.status(400, {"error": "invalid_request"}), "failed")])
def test_a_disconnect_tells_what_became_of_the_grant(at_django: Site, fault: Any, header: str) -> None:
    at_django.connected(user := somebody())
    if fault:
        at_django.at_peer.proxy.add("/o/revoke_token/", *[fault] * 4)
    gone = at_django.api("DELETE", path_of(user))
    assert (gone.status, gone.one("Standpipe-Revocation")) == (204, header)
    assert at_django.token(user)["error"] == "not_installed"


def test_a_disconnect_where_the_provider_has_no_way_is_told_as_unsupported(at_django: Site) -> None:
    peer = at_django.peer.via(at_django.at_peer.proxy.base_url)
    row = at_django.at_peer.row_of_provider()
    del row["revocation"]
    at_django.engine.registrations.update(SLUG, Change(custom_provider={**row, "revocation": {"recipe": "none", "endpoint": None}}, client_secret=Secret(peer.client_secret)))
    at_django.connected(user := somebody())
    assert at_django.api("DELETE", path_of(user)).one("Standpipe-Revocation") == "unsupported"


def test_an_account_is_asked_for_by_its_id(at_django: Site) -> None:
    made = at_django.connected(user := somebody())
    assert at_django.api("GET", path_of(user, connected_account_id=made["id"])).json() == made
    assert at_django.token(user, connected_account_id=made["id"])["active"] is True
    for method in ("GET", "DELETE"):
        assert code_of(at_django.api(method, path_of(user, connected_account_id="data_installation_other"))) == (404, "connected_account_not_found")
    assert code_of(at_django.api("POST", f"/data-integrations/{SLUG}/authorize", {"user_id": user, "connection_intent": "reauthorize", "connected_account_id": "data_installation_other"})) == (
        404,
        "connected_account_not_found",
    )
    assert at_django.authorize(user, connected_account_id=made["id"], connection_intent="reauthorize")["url"]
    assert at_django.works(user)


def test_a_user_and_the_same_user_in_an_organization_are_two_owners(at_django: Site) -> None:
    user = somebody()
    at_django.connect(user, organization_id="org_1")
    assert at_django.token(user)["active"] is False
    assert at_django.token(user, organization_id="org_1")["active"] is True
    assert at_django.account(user).status == 404
    assert at_django.api("GET", path_of(user, organization_id="org_1")).json()["organization_id"] == "org_1"
    assert at_django.api("DELETE", path_of(user, organization_id="org_2")).status == 404
    assert at_django.api("DELETE", path_of(user, organization_id="org_1")).status == 204


def test_data_providers_lists_every_enabled_provider_with_this_users_accounts(at_django: Site) -> None:
    for slug, enabled in (("github", True), ("slack", False)):
        at_django.api("POST", "/data-integrations", {"provider": slug, "enabled": enabled})
    made = at_django.connected(user := somebody())
    at_django.connected(somebody())
    listed = at_django.api("GET", f"/user_management/users/{user}/data_providers").json()
    assert set(listed) == {"object", "data"} and listed["object"] == "list"
    by_slug = {provider["slug"]: provider for provider in listed["data"]}
    assert set(by_slug) == {SLUG, "github"}
    assert by_slug[SLUG]["connected_account"] == made and by_slug[SLUG]["connected_accounts"] == [made]
    assert (by_slug["github"]["connected_account"], by_slug["github"]["connected_accounts"]) == (None, [])
    assert by_slug["github"]["credentials_type"] == by_slug["github"]["credentialsType"] == "oauth2"
    assert by_slug["github"]["ownership"] == "userland_user" and by_slug["github"]["connection_owner"] == "user"


def test_authorize_answers_a_link_and_the_state_that_will_come_back(at_django: Site) -> None:
    begun = at_django.authorize(user := somebody(), return_to=RETURN_TO)
    assert set(begun) == {"url", "state"}
    browser = at_django.browser()
    assert query_of(browser.confirm(begun["url"]))["state"] == [begun["state"]]
    refused = at_django.api("POST", f"/data-integrations/{SLUG}/authorize", {"user_id": user, "code_challenge": "c" * 43, "code_challenge_method": "S256"})
    assert code_of(refused) == (422, "return_to_required")


def test_finish_answers_the_connected_account(at_django: Site) -> None:
    connect_code, state = parked(at_django, user := somebody())
    done = finish(at_django, connect_code, state=state)
    assert done.status == 200 and set(done.json()) == {"connected_account"}
    assert done.json()["connected_account"] == at_django.account(user).json()


def test_finish_as_another_upstream_account_is_refused(at_django: Site) -> None:
    before = at_django.connected(user := somebody())
    browser = at_django.browser()
    landed = browser.arrive(browser.back_from(at_django.peer, at_django.authorize(user, **BOUND)["url"], somebody()))
    assert code_of(finish(at_django, query_of(landed.location)["connect_code"][0])) == (403, "other_account")
    assert at_django.account(user).json() == before and at_django.works(user)


def test_healthz_asks_for_no_key_and_tells_nothing(site: Site) -> None:
    answer = site.gateway("GET", "/healthz")
    assert (answer.status, answer.json()) == (200, {"status": "ok"})
