"""What each system's file says, row by row, and the sentence for what is wrong with it. No stage is needed to read."""

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.models import Owner
from ops.migration.rows import PLAIN, BadRow, Row
from tests.ops.imported_rows import bad, good, read, revealed
from tests.ops.migrations import CANARY, LATER, tokens

AT = datetime(2031, 1, 1, tzinfo=UTC)


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
