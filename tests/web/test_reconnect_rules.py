"""Rules R14, R15 and R28: a second consent never harms the first, what was granted is told, and nobody gets another's token."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.domain.models import Owner
from chalicelib.engine.tokens import Inactive
from tests.engine.scenes import SLUG
from tests.peers import faults
from tests.web.people import RETURN_TO, Site, somebody
from tests.web.test_connect_rules import finish, parked


def test_r14_another_account_on_reconnect_is_refused_and_harms_nothing(strict: Site) -> None:
    user, other = somebody(), somebody()
    before = strict.connected(user)
    page = strict.connect(user, at=other)
    assert page.status == 409 and "another Peer account" in page.text
    assert strict.account(user).json() == before
    assert strict.works(user)
    assert strict.at_peer.revocations() == 1, "the stray grant is ended"
    # After a disconnect the other account is welcome.
    assert strict.api("DELETE", f"/user_management/users/{user}/connected_accounts/{SLUG}").status == 204
    assert strict.connected(user, at=other)["account_identifier"] == other


FAILURES: dict[str, Callable[[], Any]] = {
    "500": lambda: faults.status(500),
    "lost answer": faults.lose_answer,
    "invalid_grant": lambda: faults.status(400, {"error": "invalid_grant"}),
    "invalid_client": lambda: faults.status(401, {"error": "invalid_client"}),
    "a page": faults.not_json,
    "no token": lambda: faults.status(200, {"token_type": "Bearer"}),
    "redirect": lambda: faults.redirect("http://127.0.0.1:9/evil"),
}


@pytest.mark.parametrize("kind", FAILURES)
def test_r14_a_failed_exchange_on_reconnect_harms_nothing(at_django: Site, kind: str) -> None:
    user = somebody()
    before = at_django.connected(user)
    at_django.at_peer.fault(FAILURES[kind]())
    page = at_django.connect(user, return_to=RETURN_TO)
    assert page.status == 502 and "Peer did not finish" in page.text
    assert at_django.at_peer.proxy.pending() == 0
    assert at_django.account(user).json() == before and at_django.works(user)
    assert at_django.exchanges() == 2, "a code is never sent twice"


def test_r14_a_failed_exchange_at_finish_is_told_to_the_application(at_django: Site) -> None:
    user = somebody()
    before = at_django.connected(user)
    connect_code, _state = parked(at_django, user)
    at_django.at_peer.fault(faults.status(400, {"error": "invalid_grant", "error_description": "secret detail"}))
    refused = finish(at_django, connect_code)
    assert (refused.status, refused.json()["code"]) == (400, "authorization_code_exchange_error")
    assert "invalid_grant" in refused.json()["message"] and "secret detail" not in refused.text
    assert at_django.account(user).json() == before
    connect_code, _state = parked(at_django, user)
    assert finish(at_django, connect_code).status == 200
    assert at_django.account(user).json()["generation"] == before["generation"] + 1


def test_r14_a_reconnect_keeps_the_account_and_replaces_its_tokens(strict: Site) -> None:
    user = somebody()
    before, old = strict.connected(user), strict.token(user)["access_token"]
    after, new = strict.connected(user), strict.token(user)["access_token"]
    assert (after["id"], after["created_at"], after["generation"]) == (before["id"], before["created_at"], before["generation"] + 1)
    assert new["access_token"] != old["access_token"] and strict.works(user)


def test_r15_scopes_that_were_not_granted_are_told_everywhere(at_django: Site) -> None:
    assert at_django.api("PUT", f"/data-integrations/{SLUG}", {"scopes": ["read", "write"]}).status == 200
    user, browser = somebody(), at_django.browser()
    at_django.at_peer.fault(faults.rewrite(lambda answer: {**answer, "scope": "read"}))
    page = browser.arrive(browser.back_from(at_django.peer, at_django.authorize(user)["url"], user))
    assert "You did not allow all that Acme asked for" in page.text and "<code>write</code>" in page.text
    token = at_django.token(user)["access_token"]
    assert (token["scopes"], token["missing_scopes"]) == (["read"], ["write"])
    account = at_django.account(user).json()
    assert (account["scopes"], account["missing_scopes"]) == (["read"], ["write"])
    whole = somebody()
    at_django.connected(whole)
    assert at_django.token(whole)["access_token"]["missing_scopes"] == []


def test_r28_two_owners_of_one_provider_get_their_own_tokens(strict: Site) -> None:
    """Same slug, same process, one user id in two organizations and outside of any."""
    user, other = somebody(), somebody()
    strict.connected(user)
    strict.connected(other)
    for organization in ("org_1", "org_2"):
        strict.connect(user, organization_id=organization)
    answers = [strict.token(user), strict.token(other), strict.token(user, organization_id="org_1"), strict.token(user, organization_id="org_2")]
    tokens = [answer["access_token"]["access_token"] for answer in answers]
    assert len(set(tokens)) == 4 and len({answer["access_token"]["connected_account_id"] for answer in answers}) == 4
    assert [strict.token(user), strict.token(other)] == answers[:2]
    assert strict.token(other, organization_id="org_1") == {**strict.token(somebody()), "active": False}
    assert len(strict.connections()) == 4


def test_r28_a_disconnected_token_is_not_answered_again(strict: Site) -> None:
    user = somebody()
    strict.connected(user)
    assert strict.works(user)
    first_container = wiring.engine()
    wiring.engine.cache_clear()  # another container disconnects
    assert strict.api("DELETE", f"/user_management/users/{user}/connected_accounts/{SLUG}").one("Standpipe-Revocation") == "revoked"
    assert strict.token(user)["error"] == "not_installed"
    assert isinstance(first_container.tokens.answer(Owner(user_id=user), SLUG, min_ttl=timedelta(0), seconds_left=lambda: 29.0), Inactive)
