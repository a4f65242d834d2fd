"""What each provider really answers, through the OAuth door: exchange, refresh, refusals, identity, authorization URL, revocation.

Rule: canned bytes in, our own types out; nothing here opens a connection.
"""

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from chalicelib.domain.errors import GrantRefused, ProviderUnavailable, ProviderWeird, RegistrationRefused
from chalicelib.domain.secret import Secret
from chalicelib.domain.tokens import TokenAnswer, TokenSet
from chalicelib.doors.http import Answer
from chalicelib.doors.oauth import Credentials, OAuth
from chalicelib.providers import quirks
from chalicelib.providers.spec import Provider

from .test_conformance import API_KEY, CLIENT_CREDENTIALS, OAUTH, filled, fixture

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CLIENT = Credentials("client/1", Secret("hush"))
REDIRECT = "https://vault.example/callback/data_integration_1"
CLASSES = {"grant_dead": GrantRefused, "registration": RegistrationRefused, "transient": ProviderUnavailable, "weird": ProviderWeird}


class Canned:
    """A provider that gives the same answer to every POST that is no question of whose account it is, and the identity to that one."""

    def __init__(self, given: dict[str, Any], identity: dict[str, Any] | None = None, asked: str | None = None) -> None:
        self._given, self._identity, self._asked = given, identity or {}, asked
        self.sent: list[tuple[str, str, dict[str, str], bytes]] = []

    def send(self, method: str, url: str, *, headers: dict[str, str] | None = None, body: bytes = b"") -> Answer:
        self.sent.append((method, url, headers or {}, body))
        if method == "GET" or (url == self._asked and self._identity):
            return Answer(200, {"content-type": "application/json"}, json.dumps(self._identity).encode())
        given = self._given
        text = given["body"] if isinstance(given["body"], str) else json.dumps(given["body"])
        return Answer(given.get("status", 200), {"content-type": given.get("content_type", "application/json"), **given.get("headers", {})}, text.encode())


class Refusing(Canned):
    """The same answer to everything."""

    def send(self, method: str, url: str, *, headers: dict[str, str] | None = None, body: bytes = b"") -> Answer:
        return super().send("POST", url, headers=headers, body=body)


def cases(kind: str) -> list[Any]:
    return [pytest.param(slug, case, id=f"{slug}: {case['name']}") for slug in sorted({*OAUTH, *CLIENT_CREDENTIALS}) for case in fixture(slug).get(kind, ())]


def exchange(provider: Provider, canned: Canned) -> TokenAnswer:
    return OAuth(canned).exchange(provider, CLIENT, "code", "v" * 43, REDIRECT, NOW)  # type: ignore[arg-type]


def check(answer: TokenAnswer, expect: dict[str, Any]) -> None:
    def text(secret: Secret | None) -> str | None:
        return secret.reveal() if secret else None

    assert text(answer.tokens.access_token) == expect["access_token"]
    assert text(answer.tokens.refresh_token) == expect["refresh_token"]
    assert answer.token_life == expect["life"]
    assert (answer.expires_at - NOW).total_seconds() == expect["life"] if answer.expires_at else expect["life"] == 0
    assert (answer.refresh_expires_at - NOW).total_seconds() == expect["refresh_life"] if answer.refresh_expires_at else expect["refresh_life"] == 0
    if "scopes" in expect:
        assert answer.scopes == (tuple(expect["scopes"]) if expect["scopes"] is not None else None)
    if "additional" in expect:
        assert {name: {"access_token": text(token.access_token), "refresh_token": text(token.refresh_token)} for name, token in answer.tokens.additional.items()} == expect["additional"]
    for name, value in expect.get("metadata", {}).items():
        assert answer.metadata[name] == value
    assert "None" not in answer.metadata.values()


@pytest.mark.parametrize(("slug", "case"), cases("exchange"))
def test_exchange(slug: str, case: dict[str, Any]) -> None:
    check(exchange(filled(slug), Canned(case, fixture(slug)["identity"]["body"], filled(slug).identity.endpoint)), case["expect"])


@pytest.mark.parametrize(("slug", "case"), cases("refresh"))
def test_refresh(slug: str, case: dict[str, Any]) -> None:
    canned = Canned(case)
    check(OAuth(canned).refresh(filled(slug), CLIENT, TokenSet(Secret("at"), Secret("old")), NOW), case["expect"])  # type: ignore[arg-type]
    assert len(canned.sent) == 1


@pytest.mark.parametrize(("slug", "case"), cases("errors"))
def test_refusal(slug: str, case: dict[str, Any]) -> None:
    with pytest.raises(CLASSES[case["class"]]) as refused:
        OAuth(Canned(case)).refresh(filled(slug), CLIENT, TokenSet(Secret("at"), Secret("old")), NOW)  # type: ignore[arg-type]
    assert type(refused.value) is CLASSES[case["class"]]


@pytest.mark.parametrize("slug", OAUTH)
def test_identity(slug: str) -> None:
    told, example = fixture(slug)["identity"], fixture(slug)["exchange"][0]
    body = dict(example["body"])
    if told["from"] == "answer":
        body = told["body"]
    if told["from"] == "id_token":
        body["id_token"] = ".".join(["e30", urlsafe_b64encode(json.dumps(told["body"]).encode()).rstrip(b"=").decode(), "signature"])
    found = exchange(filled(slug), Canned({"body": body}, told["body"] if told["from"] == "endpoint" else None, filled(slug).identity.endpoint)).identity
    assert found is not None and [found.account_id, found.name, found.team] == told["expect"]


@pytest.mark.parametrize("slug", OAUTH)
def test_r02_authorization_url(slug: str) -> None:
    provider = filled(slug)
    url = OAuth(Canned({})).authorization_url(provider, CLIENT.client_id, REDIRECT, tuple(scope.name for scope in provider.scopes), "the state", "v" * 43)  # type: ignore[arg-type]
    query = parse_qs(urlsplit(url).query, strict_parsing=True)
    assert all(len(values) == 1 for values in query.values())
    assert (query["client_id"], query["redirect_uri"], query["response_type"], query["state"]) == ([CLIENT.client_id], [REDIRECT], ["code"], ["the state"])
    assert ("code_challenge" in query) == (provider.authorization.code_challenge_method == "S256")
    asked = query["scope"][0].split(provider.authorization.scope_separator) if provider.scopes else []
    asked += query[provider.authorization.user_scope_parameter][0].split(provider.authorization.scope_separator) if provider.authorization.user_scope_parameter else []
    assert set(asked) == {scope.name for scope in provider.scopes}


REVOKING = [slug for slug in OAUTH if filled(slug).revocation.endpoint]


@pytest.mark.parametrize("slug", REVOKING)
def test_revocation_request(slug: str) -> None:
    provider, canned = filled(slug), Canned({"status": 200, "body": {"ok": True}})
    assert OAuth(canned).revoke(provider, CLIENT, TokenSet(Secret("the-access"), Secret("the-refresh"))) == "revoked"  # type: ignore[arg-type]
    method, url, headers, body = canned.sent[-1]
    assert method == provider.revocation.method and "{" not in url
    assert ("client%2F1" in url) == ("{client_id}" in str(provider.revocation.endpoint))
    assert provider.revocation.token.replace("_token", "").encode() in body + headers.get("Authorization", "").encode()


@pytest.mark.parametrize("slug", REVOKING)
def test_revoking_what_is_gone_already_is_a_success(slug: str) -> None:
    provider = filled(slug)
    gone = [{"status": status, "body": {"message": "gone"}} for status in provider.revocation.gone_statuses]
    gone += [{"status": 400, "body": {"error": word}} for word in provider.revocation.gone_errors]
    for answer in gone:
        assert OAuth(Canned(answer)).revoke(provider, CLIENT, TokenSet(Secret("a"))) == "revoked"  # type: ignore[arg-type]
    assert OAuth(Canned({"status": 500, "body": ""})).revoke(provider, CLIENT, TokenSet(Secret("a"))) == "failed"  # type: ignore[arg-type]


@pytest.mark.parametrize(("slug", "case"), cases("client_credentials"))
def test_client_credentials(slug: str, case: dict[str, Any]) -> None:
    provider, canned = filled(slug), Canned(case)
    answer = OAuth(canned).client_credentials(provider, CLIENT, tuple(case.get("sent", {}).get("scope", "").split()), NOW)  # type: ignore[arg-type]
    check(answer, {"refresh_token": None, "refresh_life": 0, **case["expect"]})
    (method, url, headers, body), *_ = canned.sent
    sent = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    assert method == "POST" and "{" not in url + body.decode() and len(canned.sent) == 1
    assert ("client_secret" in sent) != headers.get("Authorization", "").startswith("Basic ")
    assert sent == case.get("sent", sent)


@pytest.mark.parametrize("slug", CLIENT_CREDENTIALS)
def test_every_refusal_of_a_client_is_told_apart(slug: str) -> None:
    for case in fixture(slug)["errors"]:
        with pytest.raises(CLASSES[case["class"]]):
            OAuth(Canned(case)).client_credentials(filled(slug), CLIENT, (), NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize("slug", API_KEY)
def test_an_api_key(slug: str) -> None:
    provider, told = filled(slug), fixture(slug)["api_key"]
    method, verify = provider.api_key, provider.api_key.verify
    assert verify is not None and method.allows(method.example) and method.example in told["keys_good"]
    assert all(method.allows(key) for key in told["keys_good"]) and not any(method.allows(key) for key in told["keys_bad"])
    key = told["keys_good"][0]
    right = Canned({"body": told["answer"]}, told["answer"])
    accepted, identity = OAuth(right).check_api_key(provider, Secret(key))  # type: ignore[arg-type]
    assert accepted is True and (identity and [identity.account_id, identity.name, identity.team]) == told["expect"]
    sent_method, url, headers, _body = right.sent[0]
    assert sent_method == verify.method and key not in url and "?" not in url and any(key in value for value in headers.values())
    assert headers[method.header] == f"{method.prefix}{key}", "what the developer is told is how the key was sent here"
    for answer, expected in [(told["refused"], False), *((other, None) for other in told["open"])]:
        assert OAuth(Refusing(answer)).check_api_key(provider, Secret(key)) == (expected, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(quirks.QUIRKS))
def test_quirks_are_pure_and_leave_an_ordinary_answer_alone(name: str) -> None:
    ordinary = {"access_token": "a", "token_type": "Bearer", "scope": "read write", "expires_in": 3600}
    before = json.dumps(ordinary)
    assert quirks.QUIRKS[name](ordinary) == ordinary and json.dumps(ordinary) == before
    assert "RFC" in (quirks.QUIRKS[name].__doc__ or "")
