"""What is sent to a provider, byte for byte, and what is made of its good answers."""

import json
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.errors import GrantRefused, ProviderUnavailable
from chalicelib.domain.secret import Secret
from chalicelib.domain.tokens import AdditionalToken, TokenSet
from chalicelib.doors.oauth import Credentials, OAuth, code_challenge
from chalicelib.providers.spec import RESERVED_PARAMETERS
from tests.doors.peer import peer
from tests.doors.posting import client
from tests.doors.rows import provider

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
# RFC 7636 appendix B.
VERIFIER, CHALLENGE = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
ODD = 'vault:special +/%&="ü✓'
CLIENT = Credentials("client", Secret("s3cret"))
OFFLINE = OAuth(client())


# the authorization request

NAMES = st.one_of(st.text(min_size=1, max_size=12), st.sampled_from(["State", "prompt", "access_type", "a[b]", "state ", "ｓtate"]))
VALUES = st.text(max_size=20)
QUERY = st.lists(st.tuples(st.one_of(NAMES, st.sampled_from(sorted(RESERVED_PARAMETERS))), VALUES), max_size=6)


def _encodable(pairs: Any) -> bool:
    return all(not any("\ud800" <= c <= "\udfff" for c in f"{name}{value}") for name, value in pairs)


@given(
    extra=st.dictionaries(NAMES.filter(lambda n: n not in RESERVED_PARAMETERS), VALUES, max_size=5).filter(lambda d: _encodable(d.items())),
    query=QUERY.filter(_encodable),
    scopes=st.lists(st.sampled_from(["read", "write", "a b", "x,y"]), max_size=3, unique=True),
    scope_parameter=st.sampled_from(["scope", "user_scope", "state", "client_id", "code_challenge"]),
)
def test_r09_r02_reserved_parameters_are_ours_and_once(extra: dict[str, str], query: list[tuple[str, str]], scopes: list[str], scope_parameter: str) -> None:
    """Whatever a row or its endpoint adds; and the challenge is always S256."""
    row = provider(authorization={"endpoint": f"https://provider.test/authorize?{urlencode(query)}", "parameters": extra, "scope_parameter": scope_parameter})
    url = OFFLINE.authorization_url(row, "our-client", "https://us.test/callback/1?x=y", tuple(scopes), "our-state", VERIFIER)

    sent = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    ours = {
        "response_type": "code", "client_id": "our-client", "redirect_uri": "https://us.test/callback/1?x=y", "state": "our-state",
        "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    }  # fmt: skip
    for name, value in ours.items():
        assert [v for n, v in sent if n == name] == [value]
    assert [v for n, v in sent if n == "scope"] == ([" ".join(scopes)] if scopes and scope_parameter == "scope" else [])
    assert url.startswith("https://provider.test/authorize?") and "#" not in url


@pytest.mark.parametrize("name", sorted(RESERVED_PARAMETERS))
def test_r09_a_row_that_sets_a_reserved_parameter_does_not_load(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        provider(authorization={"parameters": {name: "x"}})


def test_scopes_go_where_and_how_the_row_says() -> None:
    scopes = [{"name": "chat", "description": "bot's"}, {"name": "me", "description": "user's", "token": "user"}]
    row = provider(authorization={"scope_separator": ",", "user_scope_parameter": "user_scope"}, scopes=scopes)

    sent = dict(parse_qsl(urlsplit(OFFLINE.authorization_url(row, "c", "r", ("chat", "me", "x"), "s", VERIFIER)).query))

    assert (sent["scope"], sent["user_scope"]) == ("chat,x", "me")


def test_r02_the_challenge_is_the_one_of_the_rfc() -> None:
    assert code_challenge(VERIFIER) == CHALLENGE


def test_r02_only_a_row_that_opts_out_goes_without_a_challenge() -> None:
    url = OFFLINE.authorization_url(provider(authorization={"code_challenge_method": "none"}), "c", "r", (), "s", VERIFIER)

    assert "code_challenge" not in url and VERIFIER not in url


# the token request

BASIC = "Basic " + b64encode(b"client:s3cret").decode()
EXCHANGES: dict[str, tuple[dict[str, Any], str | None, bytes]] = {
    "post": ({}, None, f"grant_type=authorization_code&code=c%2Fo+de&redirect_uri=https%3A%2F%2Fus.test%2Fcb&code_verifier={VERIFIER}&client_id=client&client_secret=s3cret".encode()),
    "basic": ({"authentication": "client_secret_basic"}, BASIC, f"grant_type=authorization_code&code=c%2Fo+de&redirect_uri=https%3A%2F%2Fus.test%2Fcb&code_verifier={VERIFIER}".encode()),
    "none": ({"authentication": "none"}, None, f"grant_type=authorization_code&code=c%2Fo+de&redirect_uri=https%3A%2F%2Fus.test%2Fcb&code_verifier={VERIFIER}&client_id=client".encode()),
    "extra parameters": (
        {"authentication": "none", "parameters": {"audience": "api", "code": "theirs", "grant_type": "theirs", "client_id": "theirs", "code_verifier": "theirs"}}, None,
        f"audience=api&code=c%2Fo+de&grant_type=authorization_code&client_id=client&code_verifier={VERIFIER}&redirect_uri=https%3A%2F%2Fus.test%2Fcb".encode(),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("token", "authorization", "body"), EXCHANGES.values(), ids=EXCHANGES)
def test_an_exchange_as_it_goes_over_the_wire(token: dict[str, Any], authorization: str | None, body: bytes) -> None:
    with peer((200, {"access_token": "at"})) as there:
        there.oauth.exchange(provider(there.origin, token=token), CLIENT, "c/o de", VERIFIER, "https://us.test/cb", NOW)

        assert there.heads[0][0] == "POST /token HTTP/1.1"
        assert (there.header("Content-Type"), there.header("Accept"), there.header("Authorization")) == ("application/x-www-form-urlencoded", "application/json", authorization)
        assert there.bodies == [body]


def test_an_exchange_in_json() -> None:
    with peer((200, {"access_token": "at"})) as there:
        there.oauth.exchange(provider(there.origin, token={"body": "json"}), CLIENT, "c", VERIFIER, "https://us.test/cb", NOW)

        assert there.header("Content-Type") == "application/json"
        assert json.loads(there.bodies[0]) == {
            "grant_type": "authorization_code", "code": "c", "redirect_uri": "https://us.test/cb", "code_verifier": VERIFIER, "client_id": "client", "client_secret": "s3cret",
        }  # fmt: skip


def test_a_refresh_goes_to_its_own_endpoint_if_there_is_one() -> None:
    with peer((200, {"access_token": "at"})) as there:
        row = provider(there.origin, token={"refresh_endpoint": f"{there.origin}/renew", "refresh_parameters": {"scope": "all", "refresh_token": "theirs"}})
        there.oauth.refresh(row, CLIENT, TokenSet(Secret("old"), Secret(ODD)), NOW)

        assert there.heads[0][0] == "POST /renew HTTP/1.1"
        assert dict(parse_qsl(there.bodies[0].decode())) == {"grant_type": "refresh_token", "refresh_token": ODD, "scope": "all", "client_id": "client", "client_secret": "s3cret"}


@pytest.mark.parametrize("urlencoded", [True, False], ids=["as RFC 6749 2.3.1 says", "raw, for those who do not decode"])
def test_r34_basic_encodes_id_and_secret_first(urlencoded: bool) -> None:
    with peer((200, {"access_token": "at"})) as there:
        row = provider(there.origin, token={"authentication": "client_secret_basic", "urlencode_basic": urlencoded})
        there.oauth.refresh(row, Credentials(ODD, Secret(f"{ODD}!")), TokenSet(Secret("at"), Secret("rt")), NOW)

        sent = b64decode((there.header("Authorization") or "").removeprefix("Basic ")).decode()
    if urlencoded:
        first, second = sent.split(":")
        assert (unquote_plus(first), unquote_plus(second)) == (ODD, f"{ODD}!")
    else:
        assert sent == f"{ODD}:{ODD}!"


# what is made of an answer

LIVES = {
    "absent": ({}, 0),
    "a number": ({"expires_in": 3600}, 3600),
    "text": ({"expires_in": "3600"}, 3600),
    "a fraction": ({"expires_in": 3600.7}, 3600),
    "zero": ({"expires_in": 0}, 0),
    "negative": ({"expires_in": -1}, 0),
    "null": ({"expires_in": None}, 0),
    "a trillion": ({"expires_in": 1e12}, 315360000),
    "more than a float holds": ({"expires_in": 10**400}, 0),
    "words": ({"expires_in": "abc"}, 0),
    "infinite": ({"expires_in": "Infinity"}, 315360000),
    "not a number": ({"expires_in": "NaN"}, 0),
    "a list": ({"expires_in": [3600]}, 0),
    "true": ({"expires_in": True}, 0),
    "less than a second": ({"expires_in": 0.5}, 0),
}  # fmt: skip


@pytest.mark.parametrize("assumed", [0, 1800], ids=["nothing documented", "half an hour documented"])
@pytest.mark.parametrize(("fields", "life"), LIVES.values(), ids=LIVES)
def test_expires_in(fields: dict[str, Any], life: int, assumed: int) -> None:
    """A life of nothing is no information: believed, it would be asked for again at once, for ever."""
    life = life or assumed
    with peer((200, {"access_token": "at", **fields})) as there:
        answer = there.oauth.exchange(provider(there.origin, lifetimes={"access_token": assumed}), CLIENT, "c", VERIFIER, "r", NOW)

    assert (answer.token_life, answer.expires_at) == (life, NOW + timedelta(seconds=life) if life else None)


KEPT = {"absent": {}, "null": {"refresh_token": None}, "empty": {"refresh_token": ""}, "the same": {"refresh_token": "rt-old"}, "a number": {"refresh_token": 7}}


@pytest.mark.parametrize("fields", KEPT.values(), ids=KEPT)
def test_the_old_refresh_token_is_kept_where_no_new_one_came(fields: dict[str, Any]) -> None:
    with peer((200, {"access_token": "at", **fields})) as there:
        answer = there.oauth.refresh(provider(there.origin), CLIENT, TokenSet(Secret("at-old"), Secret("rt-old")), NOW)

    assert answer.tokens.refresh_token is not None and answer.tokens.refresh_token.reveal() == "rt-old"


SCOPES = {
    "absent: unchanged": ({}, None), "null: unchanged": ({"scope": None}, None), "empty: none": ({"scope": ""}, ()), "spaces": ({"scope": "a  b a"}, ("a", "b")),
    "commas": ({"scope": "a,b"}, ("a", "b")), "a list": ({"scope": ["a", "b"]}, ("a", "b")), "a number: unchanged": ({"scope": 7}, None),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "scopes"), SCOPES.values(), ids=SCOPES)
def test_r15_scopes_are_those_of_the_answer(fields: dict[str, Any], scopes: tuple[str, ...] | None) -> None:
    with peer((200, {"access_token": "at", **fields})) as there:
        assert there.oauth.exchange(provider(there.origin), CLIENT, "c", VERIFIER, "r", NOW).scopes == scopes


def test_an_answer_is_kept_to_the_last_character() -> None:
    with peer((200, {"access_token": ODD, "refresh_token": f"{ODD}2", "token_type": "BEARER"})) as there:
        answer = there.oauth.exchange(provider(there.origin), CLIENT, "c", VERIFIER, "r", NOW)

    assert (answer.tokens.to_payload()["access_token"], answer.tokens.to_payload()["refresh_token"], answer.token_type) == (ODD, f"{ODD}2", "bearer")


# two tokens of one grant

TWO = TokenSet(Secret("bot-old"), Secret("bot-r"), {"user": AdditionalToken(Secret("user-old"), Secret("user-r"), NOW, ("me",)), "still": AdditionalToken(Secret("no-refresh"))})
SECOND = {
    # A dead one is dropped; one that may come back is tried again long before the main one is due.
    "refused": ((400, {"error": "invalid_grant"}), "user: invalid_grant", None, 3600),
    "lost": (None, "user: answer_lost", "user-old", 300),
    "down": ((503, {}), "user: http_503", "user-old", 300),
    "good": ((200, {"access_token": "user-new", "refresh_token": "user-r2", "expires_in": 60}), None, "user-new", 60),
}


@pytest.mark.parametrize(("second", "problem", "user", "seconds"), SECOND.values(), ids=SECOND)
def test_the_second_token_never_costs_the_first(second: tuple[int, Any] | None, problem: str | None, user: str | None, seconds: int) -> None:
    with peer((200, {"access_token": "bot-new", "refresh_token": "bot-r2", "expires_in": 3600}), second) as there:
        answer = there.oauth.refresh(provider(there.origin), CLIENT, TWO, NOW)

        assert [dict(parse_qsl(body.decode()))["refresh_token"] for body in there.bodies] == ["bot-r", "user-r"]
    found = answer.tokens
    assert (found.access_token.reveal(), found.refresh_token.reveal() if found.refresh_token else None) == ("bot-new", "bot-r2")
    assert ({name: token.access_token.reveal() for name, token in found.additional.items()}, answer.problems) == (
        {**({"user": user} if user else {}), "still": "no-refresh"},
        (problem,) if problem else (),
    )
    assert answer.expires_at == NOW + timedelta(seconds=seconds)


def test_the_second_token_is_not_asked_for_when_the_first_is_refused() -> None:
    with peer((400, {"error": "invalid_grant"})) as there:
        with pytest.raises(GrantRefused):
            there.oauth.refresh(provider(there.origin), CLIENT, TWO, NOW)

        assert len(there.bodies) == 1


FATES = {
    "answer lost": ([None], "http://localhost:{port}", ("answer_lost", True)),
    "host not allowed": ([], "https://127.0.0.1:{port}", ("forbidden_address", False)),
}


@pytest.mark.parametrize(("answers", "origin", "fate"), FATES.values(), ids=FATES)
def test_a_call_that_came_to_nothing_says_whether_the_token_may_be_spent(answers: list[Any], origin: str, fate: tuple[str, bool]) -> None:
    with peer(*answers) as there, pytest.raises(ProviderUnavailable) as caught:
        there.oauth.refresh(provider(origin.replace("{port}", str(urlsplit(there.origin).port))), CLIENT, TWO, NOW)

    assert (caught.value.provider_code, caught.value.in_doubt) == fate


def test_a_call_that_was_never_made_spent_nothing() -> None:
    with peer() as there:
        pass

    with pytest.raises(ProviderUnavailable) as caught:
        there.oauth.refresh(provider(there.origin), CLIENT, TWO, NOW)

    assert (caught.value.provider_code, caught.value.in_doubt) == ("unreachable", False)


# the refresh token's own end, and whether an access token is taken

REFRESH_LIVES: dict[str, tuple[dict[str, Any], dict[str, Any], int | None, bool]] = {
    "the answer tells it": ({"refresh_token": "rt-2", "refresh_in": 60}, {"refresh_expires_in_field": "refresh_in", "refresh_token": 900}, 60, True),
    "told of the one that is kept": ({"refresh_in": "60"}, {"refresh_expires_in_field": "refresh_in"}, 60, False),
    "documented, and a new one came": ({"refresh_token": "rt-2"}, {"refresh_token": 900}, 900, True),
    "documented, but the old one is kept": ({}, {"refresh_token": 900}, None, False),
    "documented, but none came": ({"refresh_token": ""}, {"refresh_token": 900}, None, False),
    "nonsense instead, and a new one came": ({"refresh_token": "rt-2", "refresh_in": 0}, {"refresh_expires_in_field": "refresh_in", "refresh_token": 900}, 900, True),
    "another field is not believed": ({"refresh_token": "rt-2", "refresh_in": 60}, {}, None, True),
}


@pytest.mark.parametrize(("fields", "lifetimes", "seconds", "rotated"), REFRESH_LIVES.values(), ids=REFRESH_LIVES)
def test_when_a_refresh_token_ends(fields: dict[str, Any], lifetimes: dict[str, Any], seconds: int | None, rotated: bool) -> None:
    """One that is kept goes on with the life it has."""
    with peer((200, {"access_token": "at", **fields})) as there:
        answer = there.oauth.refresh(provider(there.origin, lifetimes=lifetimes), CLIENT, TokenSet(Secret("at-old"), Secret("rt-old")), NOW)

    assert (answer.refresh_expires_at, answer.rotated) == (NOW + timedelta(seconds=seconds) if seconds else None, rotated)


TAKEN = {"taken": ((200, {}), True), "refused": ((401, {}), False), "forbidden": ((403, {}), None), "down": ((503, {}), None), "lost": (None, None)}


@pytest.mark.parametrize(("answer", "taken"), TAKEN.values(), ids=TAKEN)
def test_only_the_provider_says_that_a_token_is_dead(answer: tuple[int, Any] | None, taken: bool | None) -> None:
    with peer(answer) as there:
        assert there.oauth.still_accepted(provider(there.origin, identity={"endpoint": f"{there.origin}/me"}), Secret("at")) is taken
        assert there.header("Authorization") == "Bearer at" and there.oauth.still_accepted(provider(there.origin), Secret("at")) is None
