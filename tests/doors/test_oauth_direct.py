"""What is fetched or checked without a person's consent: the client credentials grant and API keys, byte for byte, and what is made of the answers."""

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest

from chalicelib.domain.errors import GrantRefused, ProviderError, ProviderUnavailable, ProviderWeird, RegistrationRefused
from chalicelib.domain.secret import Secret
from chalicelib.domain.tokens import ExternalIdentity, TokenSet
from chalicelib.doors.oauth import Credentials
from chalicelib.providers.spec import Provider
from tests.doors.peer import peer
from tests.doors.rows import provider

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLIENT = Credentials("their client", Secret("their s3cret"))
KEY = Secret("k3y-of-theirs")
BASIC = "Basic " + b64encode(b"their+client:their+s3cret").decode()
RAW_BASIC = "Basic " + b64encode(b"their client:their s3cret").decode()


def row(origin: str, /, **sections: Any) -> Provider:
    return provider(origin, auth_methods=("oauth", "api_key", "client_credentials"), **sections)


# the client credentials grant

REQUESTS: dict[str, tuple[dict[str, Any], tuple[str, ...], str | None, dict[str, str]]] = {
    "as RFC 6749 4.4 says": ({}, (), None, {"grant_type": "client_credentials", "client_id": "their client", "client_secret": "their s3cret"}),
    "scopes": ({"scope_separator": ","}, ("a", "b"), None, {"grant_type": "client_credentials", "scope": "a,b", "client_id": "their client", "client_secret": "their s3cret"}),
    "scopes that are fixed there": ({"scope_parameter": ""}, ("a",), None, {"grant_type": "client_credentials", "client_id": "their client", "client_secret": "their s3cret"}),
    "Basic": ({"authentication": "client_secret_basic"}, (), BASIC, {"grant_type": "client_credentials"}),
    "Basic, raw": ({"authentication": "client_secret_basic", "urlencode_basic": False}, (), RAW_BASIC, {"grant_type": "client_credentials"}),
    "another name of the grant": (
        {"authentication": "client_secret_basic", "parameters": {"grant_type": "account_credentials", "account_id": "17"}}, (), BASIC, {"grant_type": "account_credentials", "account_id": "17"},
    ),
    "parameters do not name the client": (
        {"parameters": {"client_id": "ours", "client_secret": "ours", "audience": "api"}}, (), None,
        {"grant_type": "client_credentials", "client_id": "their client", "client_secret": "their s3cret", "audience": "api"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("method", "scopes", "authorization", "sent"), REQUESTS.values(), ids=REQUESTS)
@pytest.mark.parametrize("body", ["form", "json"])
def test_the_request(body: str, method: dict[str, Any], scopes: tuple[str, ...], authorization: str | None, sent: dict[str, str]) -> None:
    with peer((200, {"access_token": "at", "expires_in": 60})) as there:
        there.oauth.client_credentials(row(there.origin, client_credentials={"endpoint": f"{there.origin}/cc", "body": body, "headers": {"X-Version": "2"}, **method}), CLIENT, scopes, NOW)

        assert (there.heads[0][0], there.header("Authorization"), there.header("X-Version")) == ("POST /cc HTTP/1.1", authorization, "2")
        assert dict(parse_qsl(there.bodies[0].decode()) if body == "form" else json.loads(there.bodies[0])) == sent


def test_without_an_endpoint_of_its_own_it_goes_to_the_token_endpoint_in_its_own_manner() -> None:
    """How the connection's client is authenticated is the grant's word, not that of our client."""
    with peer((200, {"access_token": "at"})) as there:
        there.oauth.client_credentials(row(there.origin, token={"authentication": "client_secret_basic", "body": "json", "parameters": {"x": "y"}}), CLIENT, (), NOW)

        assert there.heads[0][0] == "POST /token HTTP/1.1" and there.header("Authorization") is None
        assert there.bodies == [b"grant_type=client_credentials&client_id=their+client&client_secret=their+s3cret"]


LIVES = {"told": ({"expires_in": 1800}, 1800), "assumed": ({}, 600), "nonsense": ({"expires_in": "soon"}, 600)}


@pytest.mark.parametrize(("fields", "seconds"), LIVES.values(), ids=LIVES)
def test_its_life_is_the_one_told_or_the_methods_own_assumption(fields: dict[str, Any], seconds: int) -> None:
    with peer((200, {"access_token": "at", **fields})) as there:
        answer = there.oauth.client_credentials(row(there.origin, client_credentials={"expires_in": 600}, lifetimes={"access_token": 99}), CLIENT, (), NOW)

    assert (answer.expires_at, answer.token_life) == (NOW + timedelta(seconds=seconds), seconds)


def test_a_token_without_an_end_does_not_expire() -> None:
    with peer((200, {"access_token": "at"})) as there:
        assert there.oauth.client_credentials(row(there.origin, lifetimes={"access_token": 99}), CLIENT, (), NOW).expires_at is None


def test_a_refresh_token_is_dropped_and_nothing_else() -> None:
    """RFC 6749 4.4.3: there should be none. Kept, it would be used in place of the client's own credentials."""
    with peer((200, {"access_token": "at", "refresh_token": "rt", "refresh_in": 9, "scope": "a b", "token_type": "Bearer", "site": "https://acme.test"})) as there:
        at = row(there.origin, lifetimes={"refresh_token": 900, "refresh_expires_in_field": "refresh_in"}, metadata={"site": "site"}, identity={"source": "token_answer", "account_id": "site"})
        answer = there.oauth.client_credentials(at, CLIENT, ("a",), NOW)

    assert answer.tokens.access_token.reveal() == "at" and answer.tokens.refresh_token is None and answer.refresh_expires_at is None
    assert (answer.scopes, answer.token_type, answer.metadata, answer.identity) == (("a", "b"), "bearer", {"site": "https://acme.test"}, ExternalIdentity("https://acme.test"))


REFUSALS: dict[str, tuple[tuple[int, Any] | None, type[ProviderError]]] = {
    "the client is unknown": ((401, {"error": "invalid_client"}), RegistrationRefused),
    "the client may not": ((400, {"error": "unauthorized_client"}), RegistrationRefused),
    "the provider's own word": ((400, {"error": "app_removed"}), GrantRefused),
    "throttled": ((429, {}), ProviderUnavailable),
    "down": ((503, b"<html>"), ProviderUnavailable),
    "lost": (None, ProviderUnavailable),
    "no token": ((200, {}), ProviderWeird),
}


@pytest.mark.parametrize(("answer", "raised"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_is_told_as_for_the_other_grants(answer: tuple[int, Any] | None, raised: type[ProviderError]) -> None:
    with peer(answer) as there, pytest.raises(raised) as refused:
        there.oauth.client_credentials(row(there.origin, errors={"app_removed": "grant_dead"}), CLIENT, (), NOW)

    assert "s3cret" not in str(refused.value) + repr(refused.value.__dict__)


def test_the_client_secret_is_sealed_with_the_token_and_kept() -> None:
    old = TokenSet(Secret("at-1"), client_secret=Secret("their s3cret"))
    payload = old.to_payload()
    assert payload["client_secret"] == "their s3cret" and "client_secret" not in TokenSet(Secret("at")).to_payload()
    opened = TokenSet.from_payload(json.loads(json.dumps(payload)))
    assert opened.client_secret is not None and opened.client_secret.reveal() == "their s3cret" and "s3cret" not in repr(opened)
    assert TokenSet.from_payload({"access_token": "at", "refresh_token": None}).client_secret is None
    with peer((200, {"access_token": "at-2"})) as there:
        kept = there.oauth.client_credentials(row(there.origin), CLIENT, (), NOW).keeping(opened)
    assert kept.tokens.access_token.reveal() == "at-2" and kept.tokens.client_secret is opened.client_secret and not kept.rotated


# API keys

SENT: dict[str, tuple[dict[str, Any], str, str]] = {
    "bearer": ({}, "Authorization", "Bearer k3y-of-theirs"),
    "as the user name": ({"send": "basic_username"}, "Authorization", "Basic " + b64encode(b"k3y-of-theirs:").decode()),
    "as the password": ({"send": "basic_password", "username": "ada@acme.test/token"}, "Authorization", "Basic " + b64encode(b"ada@acme.test/token:k3y-of-theirs").decode()),
    "in a header": ({"send": "header", "header": "X-Api-Key"}, "X-Api-Key", "k3y-of-theirs"),
    "after a word": ({"send": "header", "prefix": "Token token="}, "Authorization", "Token token=k3y-of-theirs"),
}


@pytest.mark.parametrize(("verify", "header", "value"), SENT.values(), ids=SENT)
def test_a_key_is_sent_in_a_header_and_nowhere_else(verify: dict[str, Any], header: str, value: str) -> None:
    with peer((200, {})) as there:
        assert there.oauth.check_api_key(row(there.origin, api_key={"verify": {"endpoint": f"{there.origin}/me", "headers": {"X-Version": "2"}, **verify}}), KEY) == (True, None)

        assert (there.heads[0][0], there.header(header), there.header("X-Version"), there.bodies) == ("GET /me HTTP/1.1", value, "2", [b""])
        assert "".join(there.heads[0]).count(value) == 1


def test_a_question_with_a_body() -> None:
    with peer((200, {"data": {"viewer": {"id": 7, "email": "ada@acme.test", "team": {"id": "t"}}}})) as there:
        verify = {
            "endpoint": f"{there.origin}/graphql",
            "method": "POST",
            "body": '{"query":"{viewer{id}}"}',
            "account_id": "data.viewer.id",
            "name": ["data.viewer.name", "data.viewer.email"],
            "team": "data.viewer.team.id",
        }
        assert there.oauth.check_api_key(row(there.origin, api_key={"verify": verify}), KEY) == (True, ExternalIdentity("7", "ada@acme.test", "t"))

        assert (there.heads[0][0], there.header("Content-Type"), there.bodies) == ("POST /graphql HTTP/1.1", "application/json", [b'{"query":"{viewer{id}}"}'])


ANSWERS: dict[str, tuple[dict[str, Any], tuple[int, Any] | None, bool | None]] = {
    "200": ({}, (200, {"id": 1}), True),
    "204": ({}, (204, b""), True),
    "401": ({}, (401, {}), False),
    "403": ({}, (403, {}), False),
    "403 where it is no refusal": ({"refused_statuses": [401]}, (403, {}), None),
    "404": ({}, (404, {}), None),
    "429": ({}, (429, {}), None),
    "302 to a page to sign in at": ({}, (302, b""), None),
    "503": ({}, (503, b"<html>"), None),
    "200 that says no": ({}, (200, {"ok": False, "error": "ratelimited"}), None),
    "200 with GraphQL's errors": ({}, (200, {"errors": [{"message": "no"}]}), None),
    "lost": ({}, None, None),
}


@pytest.mark.parametrize(("verify", "answer", "accepted"), ANSWERS.values(), ids=ANSWERS)
def test_only_the_providers_own_word_refuses_a_key(verify: dict[str, Any], answer: tuple[int, Any] | None, accepted: bool | None) -> None:
    with peer(answer) as there:
        assert there.oauth.check_api_key(row(there.origin, api_key={"verify": {"endpoint": f"{there.origin}/me", **verify}}), KEY) == (accepted, None)


def test_without_a_way_to_ask_it_cannot_be_told_and_nothing_is_sent() -> None:
    with peer() as there:
        assert there.oauth.check_api_key(row(there.origin), KEY) == (None, None)
        assert there.oauth.check_api_key(row(there.origin, api_key={"verify": {"endpoint": "https://169.254.169.254/me"}}), KEY) == (None, None)
        assert there.heads == []


@pytest.mark.parametrize("key", ["two\r\nX-Evil: lines", "nul\x00", "snow\u2603man"])
def test_a_key_that_does_not_fit_a_header_is_not_sent(key: str) -> None:
    with peer((200, {})) as there:
        assert there.oauth.check_api_key(row(there.origin, api_key={"verify": {"endpoint": f"{there.origin}/me"}}), Secret(key)) == (None, None)
        assert there.heads == []


# the same words where a token asks


def test_the_identity_can_be_a_question_with_a_body_and_headers() -> None:
    with peer((200, {"access_token": "at"}), (200, {"data": {"id": "7"}})) as there:
        identity = {"source": "endpoint", "endpoint": f"{there.origin}/graphql", "method": "POST", "body": "null", "headers": {"X-Version": "2"}, "account_id": "data.id"}
        answer = there.oauth.exchange(provider(there.origin, identity=identity), CLIENT, "c", "v" * 43, "https://us.test/cb", NOW)

        assert answer.identity == ExternalIdentity("7")
        assert (there.heads[1][0], there.header("X-Version", 1), there.header("Authorization", 1), there.bodies[1]) == ("POST /graphql HTTP/1.1", "2", "Bearer at", b"null")


def test_fixed_headers_go_with_every_request_to_the_token_and_revocation_endpoints() -> None:
    with peer((200, {"access_token": "at"}), (200, {"access_token": "at"}), (200, {})) as there:
        at = provider(there.origin, token={"headers": {"X-Version": "2"}})
        there.oauth.exchange(at, CLIENT, "c", "v" * 43, "https://us.test/cb", NOW)
        there.oauth.refresh(at, CLIENT, TokenSet(Secret("a"), Secret("r")), NOW)
        there.oauth.revoke(at, CLIENT, TokenSet(Secret("a"), Secret("r")))

        assert [there.header("X-Version", number) for number in range(3)] == ["2", "2", "2"]
