"""What each system's file says, row by row, and the sentence for what is wrong with it. No stage is needed to read."""

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyrage
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.models import Owner
from ops.errors import StepFailed
from ops.migration import reading, sources
from ops.migration.rows import PLAIN, BadRow, Row, row_of
from tests.ops.migrations import CANARY, LATER, key, tokens

AT = datetime(2031, 1, 1, tzinfo=UTC)


def read(text: str, format: str = "json", **slugs: str) -> list[Row | BadRow]:
    rows: list[Row | BadRow] = []
    for where, entry in reading.entries(io.StringIO(text, newline=""), format):
        try:
            if isinstance(entry, BadRow):
                raise entry
            rows.append(row_of(where, sources.FORMATS[format](where, entry), slugs))
        except BadRow as bad:
            rows.append(bad)
    return rows


def good(text: str | dict[str, Any], format: str = "json", **slugs: str) -> Row:
    (row,) = read(text if isinstance(text, str) else json.dumps(text), format, **slugs)
    assert isinstance(row, Row), row
    return row


def bad(text: str | dict[str, Any], format: str = "json") -> str:
    rows = read(text if isinstance(text, str) else json.dumps(text), format)
    assert isinstance(rows[-1], BadRow), rows[-1]
    assert CANARY not in str(rows[-1])
    return str(rows[-1])


def revealed(row: Row) -> tuple[str | None, str | None]:
    return tuple(each.reveal() if each else None for each in (row.brought.access_token, row.brought.refresh_token))  # type: ignore[return-value]


# owners

OWNERS = [
    ({"user_id": "u"}, Owner(user_id="u"), None),
    ({"user_id": "u", "organization_id": "o"}, Owner(user_id="u", organization_id="o"), None),
    ({"user_id": "u", "organization_id": "o", "connection_owner": "user"}, Owner(user_id="u", organization_id="o"), None),
    ({"organization_id": "o"}, Owner(organization_id="o"), None),
    ({"user_id": "u", "organization_id": "o", "connection_owner": "organization"}, Owner(organization_id="o"), "u"),
    ({"organization_id": "o", "connection_owner": "organization", "established_by_user_id": "v"}, Owner(organization_id="o"), "v"),
]


@pytest.mark.parametrize(("columns", "owner", "established_by"), OWNERS)
@pytest.mark.parametrize("format", ["json", "workos"])
def test_the_three_shapes_of_an_owner(columns: dict[str, str], owner: Owner, established_by: str | None, format: str) -> None:
    row = good({"provider": "acme", **columns, **tokens("u")}, format)

    assert (row.owner, row.established_by) == (owner, established_by)


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({}, "line 1: user_id: is required, or an organization_id"),
        ({"connection_owner": "user", "organization_id": "o"}, "line 1: user_id: is required where connection_owner is 'user'"),
        ({"connection_owner": "organization", "user_id": "u"}, "line 1: organization_id: is required where"),
        ({"connection_owner": "team", "user_id": "u"}, "line 1: connection_owner:"),
        ({"user_id": "u\x00"}, "line 1: user_id:"),
        ({"user_id": "u" * 256}, "line 1: user_id:"),
    ],
)
def test_an_owner_that_is_none_is_named_by_its_field(columns: dict[str, str], sentence: str) -> None:
    assert bad({"provider": "acme", **columns, **tokens("u")}).startswith(sentence)


# plain rows

ODD = [
    ({**tokens("u"), "provider": ""}, "provider: "),
    ({"provider": "acme", "refresh_token": CANARY}, "access_token: 'refresh_token' needs an 'access_token'"),
    ({"provider": "acme", "access_token": CANARY, "expires_at": LATER}, "refresh_token: An 'access_token' that ends"),
    ({"provider": "acme", "expires_at": LATER}, "access_token: 'expires_at' needs"),
    ({"provider": "acme", "state": "connected"}, "access_token: is required where state is 'connected'"),
    ({"provider": "acme", **tokens("u"), "expires_at": "tomorrow"}, "expires_at: "),
    ({"provider": "acme", **tokens("u"), "expires_at": "2031-01-01 00:00:00"}, "expires_at: Input should have timezone info"),
    ({"provider": "acme", **tokens("u"), "scopes": 'a" b'}, "scopes.0: "),
    ({"provider": "acme", **tokens("u"), "refreshtoken": CANARY}, "there is no column 'refreshtoken'"),
    ({"provider": "acme", **tokens("u"), "state": "active"}, "state: "),
    ({"provider": "acme", "auth_method": "api_key"}, "api_key: is required"),
    ({"provider": "acme", "auth_method": "client_credentials", "client_id": "c"}, "client_secret: is required"),
    ({"provider": "acme", "client_secret": CANARY}, "client_id: is required"),
    ({"provider": "acme", **tokens("u"), "config": "subdomain=x"}, "config: is not a JSON object"),
    ({"provider": "acme", **tokens("u"), "config": {"subdomain": 3}}, "config.subdomain: "),
    ({"provider": "acme", **tokens("u"), "access_token": {"a": 1}}, "access_token: "),
]


@pytest.mark.parametrize(("columns", "sentence"), ODD)
def test_a_row_that_makes_no_connection_is_named_by_line_and_field(columns: dict[str, Any], sentence: str) -> None:
    assert bad({"user_id": "u", **columns}).startswith(f"line 1: {sentence}")


def test_a_row_of_each_method() -> None:
    oauth = good({"provider": "acme", "user_id": "u", **tokens("u"), "scopes": "read,write admin"})
    assert (oauth.auth_method, oauth.state, oauth.brought.scopes, oauth.brought.expires_at) == ("oauth", "connected", ("read", "write", "admin"), AT)
    assert revealed(oauth) == (f"at-u-{CANARY}", f"rt-u-{CANARY}")
    api_key = good({"provider": "acme", "user_id": "u", "api_key": CANARY})
    assert (api_key.auth_method, api_key.secret and api_key.secret.reveal()) == ("api_key", CANARY)
    client = good({"provider": "acme", "user_id": "u", "client_id": "c", "client_secret": CANARY, "config": {"account": "x"}})
    assert (client.auth_method, client.client_id, client.brought.config) == ("client_credentials", "c", {"account": "x"})


@pytest.mark.parametrize(
    ("columns", "state"),
    [
        ({}, "needs_reauthorization"),
        ({"access_token": CANARY}, "connected"),
        ({**tokens("u"), "state": "needs_reauthorization"}, "needs_reauthorization"),
        ({**tokens("u"), "state": "disconnected"}, "disconnected"),
    ],
)
def test_the_state_follows_from_what_there_is(columns: dict[str, str], state: str) -> None:
    assert good({"provider": "acme", "user_id": "u", **columns}).state == state


def test_a_token_that_ends_for_good_has_to_say_so() -> None:
    row = good({"provider": "acme", "user_id": "u", "access_token": CANARY, "expires_at": LATER, "renewable": False})

    assert row.brought.expires_at == AT and not row.rotates


def test_a_provider_may_have_another_name_here() -> None:
    row = good({"provider": "acme-prod", "user_id": "u", **tokens("u")}, **{"acme-prod": "acme"})

    assert (row.provider, row.slug) == ("acme-prod", "acme")


# CSV

HEADER = "provider,user_id,access_token,refresh_token,expires_at"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_of_every_dialect(end: str, delimiter: str) -> None:
    text = end.join([HEADER, "", f"acme,ana,a,r,{LATER}", f'acme,"b{"" if delimiter != "," else ","}o",a,r,{LATER}', ""]).replace(",", delimiter)
    first, second = read(text, "csv")

    assert isinstance(first, Row) and isinstance(second, Row)
    assert (first.where, first.owner, second.where) == ("line 3", Owner(user_id="ana"), "line 4")


def test_lines_of_csv_are_counted_through_cells_of_several_lines() -> None:
    rows = read(f'{HEADER},account_display_name\nacme,ana,a,r,{LATER},"two\nlines"\nacme,,a,r,{LATER},x\n', "csv")

    assert isinstance(rows[0], Row) and rows[0].display_name == "two\nlines"
    assert str(rows[1]).startswith("line 4: user_id:")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "line 1: is not a header"),
        ("a,b\n1,2\n", "line 1: is not a header"),
        ("provider,user_id,user_id\nacme,a,b\n", "line 1: user_id: is there twice"),
        (f"{HEADER}\nacme,ana\n", "line 2: has 2 cells where the header has 5"),
        (f'{HEADER}\nacme,"ana,a,r,{LATER}\n', "line 2: is no CSV"),
        ("provider,user_id,acess_token\nacme,ana,x\n", "line 2: there is no column 'acess_token'"),
    ],
)
def test_csv_that_cannot_be_read_is_said_by_line(text: str, sentence: str) -> None:
    assert bad(text, "csv").startswith(sentence)


def test_csv_config_as_columns() -> None:
    row = good("provider,user_id,api_key,config.subdomain,config.region\nacme,ana,k,north,\n", "csv")

    assert row.brought.config == {"subdomain": "north"}


CELL = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20).map(str.strip)


@given(st.lists(st.tuples(CELL.filter(bool), CELL, CELL.filter(bool)), max_size=5))
def test_csv_and_json_lines_of_the_same_rows_say_the_same(rows: list[tuple[str, str, str]]) -> None:
    names = ("user_id", "account_display_name", "access_token")
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(["provider", *names])
    writer.writerows(["acme", *each] for each in rows)
    as_json = "\n".join(json.dumps({"provider": "acme", **dict(zip(names, each, strict=True))}) for each in rows)

    def told(text: str, format: str) -> list[tuple[Any, ...]]:
        return [(r.owner, r.display_name, revealed(r)) for r in read(text, format) if isinstance(r, Row)]

    assert told(written.getvalue(), "csv") == told(as_json, "json")
    assert len(told(as_json, "json")) == len(rows)


# JSON

FORMS = {
    "lines": lambda rows: "\n".join(map(json.dumps, rows)),
    "blank lines between": lambda rows: "\n\n".join(map(json.dumps, rows)) + "\n",
    "array": json.dumps,
    "pretty array": lambda rows: json.dumps(rows, indent=2),
    "list envelope": lambda rows: json.dumps({"object": "list", "data": rows, "list_metadata": {"after": None}}, indent=1),
    "connections": lambda rows: json.dumps({"connections": rows}),
}


@pytest.mark.parametrize("form", FORMS)
def test_json_in_every_form(form: str) -> None:
    rows = [{"provider": "acme", "user_id": f"u{n}", "access_token": "x" * 40_000} for n in range(5)]

    assert [row.owner.user_id for row in read(FORMS[form](rows)) if isinstance(row, Row)] == ["u0", "u1", "u2", "u3", "u4"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("access_token=x", "line 1: is no JSON"),
        ('{"provider": "acme", "user_id": "a"}\n{"provider": "ac', "line 2: is no JSON"),
        ("[3]", "line 1: is not an object"),
        ('[\n{"provider": "acme", "user_id": "a"},\n"x"]', "line 3: is not an object"),
        ('{"data": [{"provider": "acme", "user_id": "a"}, null]}', "entry 2: is not an object"),
    ],
)
def test_json_that_cannot_be_read_is_said_by_line(text: str, sentence: str) -> None:
    assert bad(text).startswith(sentence)


@given(st.text(max_size=200))
def test_no_text_is_too_odd_to_be_answered_with_rows_or_sentences(text: str) -> None:
    for format in ("json", "csv", "workos", "nango"):
        for row in read(text, format):
            assert isinstance(row, (Row, BadRow))


NAMES = st.sampled_from(
    [
        *PLAIN,
        "config.x",
        "credentials",
        "end_user",
        "organization",
        "tags",
        "connection_id",
        "provider_config_key",
        "connection_config",
        "credential",
        "connected_account",
        "errors",
        "id",
        "type",
        "raw",
        "value",
    ]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["OAUTH2", "API_KEY", "oauth", "acme", ""]) | st.text(max_size=8)
JSONS = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=10)


@given(st.dictionaries(NAMES, JSONS, max_size=8), st.sampled_from(["json", "workos", "nango"]))
def test_no_value_is_too_odd_to_be_answered_with_a_row_or_a_sentence(entry: dict[str, Any], format: str) -> None:
    for row in read(json.dumps(entry), format):
        assert isinstance(row, (Row, BadRow))


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
