"""Files of WorkOS and of Nango, row by row, and files that are encrypted."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyrage
import pytest

from chalicelib.domain.models import Owner
from ops.errors import StepFailed
from ops.migration import reading
from tests.ops.imported_rows import bad, good, revealed
from tests.ops.migrations import CANARY, LATER, key, tokens

AT = datetime(2031, 1, 1, tzinfo=UTC)


# WorkOS

ACCOUNT = {
    "object": "connected_account", "id": "data_installation_01", "connection_role": "standard", "account_identifier": "acct_9", "account_display_name": "Work", "user_id": "u",
    "organization_id": None, "scopes": ["read"], "state": "connected", "created_at": LATER, "updated_at": LATER, "auth_method": "oauth", "api_key_last_4": None, "config": {},
}  # fmt: skip
ANSWER = {"object": "access_token", "access_token": f"at-u-{CANARY}", "expires_at": LATER, "scopes": ["read", "write"], "missing_scopes": []}


@pytest.mark.parametrize(
    "entry",
    [
        {**ACCOUNT, "provider_slug": "acme", **tokens("u")},
        {**ACCOUNT, "provider": "acme", "access_token": ANSWER, "refresh_token": f"rt-u-{CANARY}"},
        {"provider": "acme", "connected_account": ACCOUNT, "access_token": ANSWER, "refresh_token": f"rt-u-{CANARY}"},
        {"object": "data_provider", "slug": "acme", "connected_account": ACCOUNT, **tokens("u")},
        {"provider": "acme", "connected_account": ACCOUNT, "credential": {"object": "credential", "auth_method": "oauth", "value": f"at-u-{CANARY}", "expires_at": LATER, "scopes": ["read"], "config": {}}, "refresh_token": f"rt-u-{CANARY}"},
    ],
)  # fmt: skip
def test_a_connected_account_with_its_tokens_in_it_or_beside_it(entry: dict[str, Any]) -> None:
    row = good({"object": "list", "data": [entry], "list_metadata": {}}, "workos")

    assert (row.slug, row.owner, row.source_id, row.role, row.account_identifier, row.display_name) == ("acme", Owner(user_id="u"), "data_installation_01", "standard", "acct_9", "Work")
    assert revealed(row) == (f"at-u-{CANARY}", f"rt-u-{CANARY}")
    assert row.brought.expires_at == AT and row.brought.scopes and row.brought.scopes[0] == "read"


def test_accounts_of_workos_with_other_methods() -> None:
    base = {**ACCOUNT, "provider": "acme"}
    assert good({**base, "auth_method": "api_key", "credential": {"auth_method": "api_key", "value": CANARY, "config": {"region": "eu"}}}, "workos").brought.config == {"region": "eu"}
    client = good({**base, "auth_method": "client_credentials", "client_id": "c", "client_secret": CANARY}, "workos")
    assert (client.client_id, client.secret and client.secret.reveal()) == ("c", CANARY)
    assert good({**base, "state": "needs_reauthorization"}, "workos").state == "needs_reauthorization"
    assert good({**base, "state": "disconnected"}, "workos").disconnected
    assert bad({**base, "provider": None}, "workos").startswith("line 1: provider:")
    assert bad({**base, "access_token": "at"} | {"expires_at": LATER}, "workos").startswith("line 1: refresh_token:")


# Nango


def nango(**changes: Any) -> dict[str, Any]:
    base = {
        "id": 7, "connection_id": "c-1", "provider_config_key": "acme", "provider": "acme", "errors": [], "metadata": {"mapping": "x"}, "tags": {}, "connection_config": {"subdomain": "north", "x": 1},
        "created_at": LATER, "last_fetched_at": LATER,
        "end_user": {"id": "u", "email": "u@example.com", "display_name": "Ana", "organization": None},
        "credentials": {"type": "OAUTH2", **tokens("u"), "raw": {"access_token": CANARY, "scope": "read write", "team": {"id": "T1"}}},
    }  # fmt: skip
    return {**base, **changes}


NANGO_OWNERS = [
    ({}, Owner(user_id="u")),
    ({"end_user": {"id": "u", "organization": {"id": "o", "display_name": "O"}}}, Owner(user_id="u", organization_id="o")),
    ({"end_user": None, "tags": {"end_user_id": "t", "organization_id": "o"}}, Owner(user_id="t", organization_id="o")),
    ({"end_user": None, "tags": {"organization_id": "o"}}, Owner(organization_id="o")),
    ({"end_user": None}, Owner(user_id="c-1")),
]


@pytest.mark.parametrize(("changes", "owner"), NANGO_OWNERS)
def test_whose_a_connection_of_nango_is(changes: dict[str, Any], owner: Owner) -> None:
    assert good({"connections": [nango(**changes)]}, "nango").owner == owner


def test_a_connection_of_nango_of_each_type() -> None:
    oauth = good(nango(), "nango")
    assert (revealed(oauth), oauth.brought.scopes, oauth.source_id) == ((f"at-u-{CANARY}", f"rt-u-{CANARY}"), ("read", "write"), "c-1")
    assert (oauth.brought.config, oauth.brought.metadata["team.id"]) == ({"subdomain": "north"}, "T1")
    for name in ("apiKey", "api_key"):
        api_key = good(nango(credentials={"type": "API_KEY", name: CANARY}), "nango")
        assert (api_key.auth_method, api_key.secret and api_key.secret.reveal()) == ("api_key", CANARY)
    client = good(nango(credentials={"type": "OAUTH2_CC", "client_id": "c", "client_secret": CANARY, "token": "t", "expires_at": LATER, "raw": {}}), "nango")
    assert (client.auth_method, client.client_id) == ("client_credentials", "c")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"credentials": {"type": "BASIC", "username": "u", "password": CANARY}}, "line 1: credentials.type: 'BASIC' has no place here"),
        ({"credentials": {"type": "OAUTH1", "oauth_token": CANARY}}, "line 1: credentials.type: 'OAUTH1'"),
        ({"credentials": "x"}, "line 1: credentials: is not an object"),
        ({"credentials": {"type": "API_KEY"}}, "line 1: api_key: is required"),
        ({"provider_config_key": None}, "line 1: provider:"),
        ({"credentials": {"type": "OAUTH2", "access_token": CANARY, "expires_at": LATER}}, "line 1: refresh_token:"),
    ],
)
def test_a_connection_of_nango_that_cannot_be_one_here(changes: dict[str, Any], sentence: str) -> None:
    assert bad(nango(**changes), "nango").startswith(sentence)


def test_a_connection_of_nango_that_was_refused_and_has_no_token_waits_for_its_user() -> None:
    assert good(nango(credentials={"type": "OAUTH2"}, errors=[{"type": "auth", "log_id": "1"}]), "nango").state == "needs_reauthorization"


# encrypted


def test_any_file_may_be_encrypted_with_age(tmp_path: Path) -> None:
    private, public = key(tmp_path)
    text = "".join(json.dumps({"provider": "acme", "user_id": f"u{n}", **tokens("u")}) + "\n" for n in range(3000)).encode()
    recipient = pyrage.x25519.Recipient.from_str(public.read_text().strip())
    for armored in (False, True):
        file = tmp_path / f"rows-{armored}.age"
        file.write_bytes(pyrage.encrypt(text, [recipient], armored=armored))
        with reading.text_of(file, private) as opened:
            assert sum(1 for _ in reading.entries(opened, "json")) == 3000
    with pytest.raises(StepFailed, match="encrypted with age"), reading.text_of(file, None):
        pass


def test_an_encrypted_file_that_was_cut_off_or_is_for_another_key_is_not_taken_for_a_whole_one(tmp_path: Path) -> None:
    private, public = key(tmp_path)
    file = tmp_path / "rows.age"
    file.write_bytes(pyrage.encrypt(b'{"provider": "acme"}\n' * 20_000, [pyrage.x25519.Recipient.from_str(public.read_text().strip())])[:-90_000])
    other = tmp_path / "other"
    other.mkdir()
    for held in (private, key(other)[0]):
        with pytest.raises(StepFailed, match="Decrypting"), reading.text_of(file, held) as opened:
            list(reading.entries(opened, "json"))
