"""Each recipe for ending a grant, byte for byte, and what counts as ended."""

from base64 import b64encode, urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.domain.secret import Secret
from chalicelib.domain.tokens import TokenSet
from chalicelib.doors.oauth import Credentials, OAuth
from chalicelib.providers.spec import Provider
from tests.doors.peer import Peer, peer
from tests.doors.posting import client
from tests.doors.rows import provider

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLIENT = Credentials("client", Secret("s3cret"))
BOTH, ACCESS_ONLY = TokenSet(Secret("at"), Secret("rt")), TokenSet(Secret("at"))
BASIC = "Basic " + b64encode(b"client:s3cret").decode()


def row(there: Peer, at_token: dict[str, Any] | None = None, /, **revocation: Any) -> Provider:
    return provider(there.origin, token=at_token or {}, revocation=revocation)


RECIPES: dict[str, tuple[dict[str, Any], dict[str, Any], TokenSet, str, str | None, bytes]] = {
    "rfc7009": ({}, {}, BOTH, "POST /revoke", None, b"token=rt&token_type_hint=refresh_token&client_id=client&client_secret=s3cret"),
    "rfc7009 with Basic": ({"authentication": "client_secret_basic"}, {}, BOTH, "POST /revoke", BASIC, b"token=rt&token_type_hint=refresh_token"),
    "rfc7009 of the access token": ({}, {"token": "access_token"}, BOTH, "POST /revoke", None, b"token=at&token_type_hint=access_token&client_id=client&client_secret=s3cret"),
    "rfc7009 where there is only that": ({}, {}, ACCESS_ONLY, "POST /revoke", None, b"token=at&token_type_hint=access_token&client_id=client&client_secret=s3cret"),
    "rfc7009 without client authentication": ({}, {"client_authentication": False}, BOTH, "POST /revoke", None, b"token=rt&token_type_hint=refresh_token"),
    "bearer": ({}, {"recipe": "bearer"}, BOTH, "POST /revoke", "Bearer at", b""),
    "basic_json": ({}, {"recipe": "basic_json", "method": "DELETE"}, BOTH, "DELETE /revoke", BASIC, b'{"access_token": "at"}'),
}


@pytest.mark.parametrize(("token", "revocation", "tokens", "line", "authorization", "body"), RECIPES.values(), ids=RECIPES)
def test_a_revocation_as_it_goes_over_the_wire(token: dict[str, Any], revocation: dict[str, Any], tokens: TokenSet, line: str, authorization: str | None, body: bytes) -> None:
    with peer((200, {})) as there:
        assert there.oauth.revoke(row(there, token, **revocation), CLIENT, tokens) == "revoked"

        assert (there.heads[0][0], there.header("Authorization"), there.bodies) == (f"{line} HTTP/1.1", authorization, [body])


def test_a_client_id_in_the_path_is_percent_encoded() -> None:
    with peer((204, {})) as there:
        there.oauth.revoke(row(there, recipe="basic_json", endpoint=f"{there.origin}/apps/{{client_id}}/grant"), Credentials("a/../b?c", Secret("s")), BOTH)

        assert there.heads[0][0] == "POST /apps/a%2F..%2Fb%3Fc/grant HTTP/1.1"


OUTCOMES: dict[str, tuple[dict[str, Any], tuple[int, Any] | None, str]] = {
    "200": ({}, (200, {}), "revoked"),
    "200 with nothing": ({}, (200, b""), "revoked"),
    "200 with a page": ({}, (200, b"<html><body>down</body></html>"), "failed"),
    "200 and a word": ({}, (200, {"ok": True, "revoked": True}), "revoked"),
    "200 that says no": ({}, (200, {"ok": False, "error": "not_authed"}), "failed"),
    "200 with an error": ({}, (200, {"error": "invalid_client"}), "failed"),
    "302": ({}, (302, {}), "failed"),
    "400": ({}, (400, {"error": "unsupported_token_type"}), "failed"),
    "401": ({}, (401, {}), "failed"),
    "503": ({}, (503, {}), "failed"),
    "no answer": ({}, None, "failed"),
    "404 is gone": ({"gone_statuses": (404,)}, (404, {}), "revoked"),
    "404 is not gone": ({}, (404, {}), "failed"),
    "its word for gone": ({"gone_errors": ("token_revoked",)}, (200, {"ok": False, "error": "token_revoked"}), "revoked"),
    "its word for gone, as a message": ({"gone_errors": ("no such token",)}, (400, {"message": "no such token"}), "revoked"),
}


@pytest.mark.parametrize(("revocation", "answer", "outcome"), OUTCOMES.values(), ids=OUTCOMES)
def test_what_counts_as_ended(revocation: dict[str, Any], answer: tuple[int, Any] | None, outcome: str) -> None:
    with peer(answer) as there:
        assert there.oauth.revoke(row(there, **revocation), CLIENT, BOTH) == outcome


def test_a_provider_without_revocation_is_said_to_be_one() -> None:
    assert OAuth(client()).revoke(provider(revocation={"recipe": "none", "endpoint": None}), CLIENT, BOTH) == "unsupported"


def test_r30_a_token_is_not_sent_to_a_forbidden_host() -> None:
    with peer() as there:
        forbidden = there.origin.replace("localhost", "127.0.0.1")

        assert there.oauth.revoke(row(there, endpoint=f"{forbidden}/revoke"), CLIENT, BOTH) == "failed"
        assert there.bodies == []


ACCEPTED: dict[str, tuple[tuple[int, Any] | None, bool | None]] = {
    "200": ((200, {"id": 1}), True),
    "401": ((401, {}), False),
    "200 that says the token is dead": ((200, {"ok": False, "error": "token_revoked"}), False),
    "200 that says the provider is in trouble": ((200, {"ok": False, "error": "internal_error"}), None),
    "403 may be a missing scope": ((403, {}), None),
    "429": ((429, {}), None),
    "500": ((500, {}), None),
    "302": ((302, {}), None),
    "no answer": (None, None),
}


@pytest.mark.parametrize(("answer", "accepted"), ACCEPTED.values(), ids=ACCEPTED)
def test_only_a_plain_no_says_that_a_token_is_dead(answer: tuple[int, Any] | None, accepted: bool | None) -> None:
    with peer(answer) as there:
        asked = provider(there.origin, identity={"source": "endpoint", "endpoint": f"{there.origin}/me", "account_id": "id"}, errors={"token_revoked": "grant_dead"})

        assert there.oauth.still_accepted(asked, Secret("at")) is accepted
        assert (there.heads[0][0], there.header("Authorization")) == ("GET /me HTTP/1.1", "Bearer at")


def test_without_an_endpoint_nothing_can_be_told() -> None:
    assert OAuth(client()).still_accepted(provider(), Secret("at")) is None


IDENTITIES: dict[str, tuple[Any, tuple[str | None, str | None, str | None] | None]] = {
    "all of it": ((200, {"user": {"id": 7, "email": "", "login": "alice"}, "team": {"id": "T"}}), ("7", "alice", "T")),
    "no team": ((200, {"user": {"id": "u"}}), ("u", None, None)),
    "no id": ((200, {"user": {"login": "alice"}}), None),
    "a list": ((200, [1]), None),
    "refused": ((401, {}), None),
    "lost": (None, None),
}


@pytest.mark.parametrize(("answer", "expected"), IDENTITIES.values(), ids=IDENTITIES)
def test_whose_account_it_is_never_costs_the_connection(answer: Any, expected: tuple[str | None, ...] | None) -> None:
    with peer((200, {"access_token": "at"}), answer) as there:
        asked = provider(there.origin, identity={"source": "endpoint", "endpoint": f"{there.origin}/me", "account_id": "user.id", "name": ("user.email", "user.login"), "team": "team.id"})
        found = there.oauth.exchange(asked, CLIENT, "c", "v" * 43, "r", NOW).identity

    assert (found and (found.account_id, found.name, found.team)) == expected


CLAIMS: dict[str, tuple[str, str | None]] = {
    "claims": ("e30." + urlsafe_b64encode(b'{"sub":"u1"}').decode().rstrip("=") + ".sig", "u1"),
    "no dots": ("e30", None),
    "not base64": ("e30.\u00fc.sig", None),
    "not JSON": ("e30.e30x.sig", None),
    "not an object": ("e30.W10.sig", None),
}


@pytest.mark.parametrize(("id_token", "account"), CLAIMS.values(), ids=CLAIMS)
def test_an_id_token_is_read_where_the_row_says_and_junk_is_nobody(id_token: str, account: str | None) -> None:
    with peer((200, {"access_token": "at", "id_token": id_token})) as there:
        asked = provider(there.origin, identity={"source": "id_token", "account_id": "sub"})
        found = there.oauth.exchange(asked, CLIENT, "c", "v" * 43, "r", NOW).identity

    assert (found.account_id if found else None) == account
