"""Values and keys as the table writes them: nothing is lost in between, and nobody's key is another's."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.models import Owner
from chalicelib.domain.secret import Secret
from chalicelib.doors import keys, table
from tests.domain.samples import NOW

TEXT = st.text(max_size=20)
PLAIN = st.recursive(TEXT | st.booleans() | st.integers(-(10**30), 10**30) | st.binary(max_size=20), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3))


@given(PLAIN)
def test_a_plain_value_comes_back(value: Any) -> None:
    found = table.decode(table.encode(value))

    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [(NOW, "2026-03-01T12:00:00.000Z"), (datetime(2026, 3, 1, 13, tzinfo=timezone(timedelta(hours=1))), "2026-03-01T12:00:00.000Z")],
    ids=["UTC", "another zone"],
)
def test_times_are_written_so_that_they_sort(value: datetime, text: str) -> None:
    assert table.encode(value) == {"S": text}


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)), st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_the_table_orders_times_as_they_are(one: datetime, other: datetime) -> None:
    """Leases are compared by the table, as text."""
    first, second = sorted((one, other))

    assert table.encode(first)["S"] <= table.encode(second)["S"]


def test_true_is_not_one() -> None:
    """A bool is an int in Python."""
    assert table.encode(True) == {"BOOL": True} and table.encode(1) == {"N": "1"}


@pytest.mark.parametrize("value", [1.5, None, {1}, Secret("canary"), object(), {"a": None}], ids=["float", "none", "set", "secret", "object", "none inside"])
def test_r19_what_has_no_form_is_refused_without_being_shown(value: Any) -> None:
    with pytest.raises(TypeError) as caught:
        table.encode(value)

    assert "canary" not in str(caught.value)


OWNERS = st.builds(Owner, user_id=st.none() | st.text(max_size=8), organization_id=st.none() | st.text(max_size=8)).filter(
    lambda o: not any("\ud800" <= c <= "\udfff" for c in f"{o.user_id}{o.organization_id}")
)


@given(OWNERS, OWNERS)
def test_r25_two_owners_never_share_a_partition(one: Owner, other: Owner) -> None:
    assert (keys.owner_partition(one) == keys.owner_partition(other)) == (one == other)


LOOK_ALIKES = {
    "the separator inside": (Owner(organization_id="a#b", user_id="c"), Owner(organization_id="a", user_id="b#c")),
    "a dash and nobody": (Owner(organization_id="-", user_id="a"), Owner(user_id="a")),
    "an escaped dash": (Owner(user_id="%2D"), Owner(user_id="-")),
    "user and organization swapped": (Owner(user_id="a"), Owner(organization_id="a")),
    "nothing and empty": (Owner(user_id=""), Owner()),
    "composed and decomposed": (Owner(user_id="\u00fc"), Owner(user_id="u\u0308")),
    "case": (Owner(user_id="A"), Owner(user_id="a")),
    "a slash": (Owner(user_id="a/b"), Owner(user_id="a%2Fb")),
}


@pytest.mark.parametrize(("one", "other"), LOOK_ALIKES.values(), ids=LOOK_ALIKES)
def test_r25_owners_that_look_alike_are_apart(one: Owner, other: Owner) -> None:
    assert keys.connection(one, "acme") != keys.connection(other, "acme")


def test_r25_an_id_of_any_letters_fits_into_a_key() -> None:
    """DynamoDB's partition keys end at 2,048 bytes, sort keys at 1,024; one letter may be nine bytes when quoted."""
    long, longer = Owner(user_id="\u754c" * 255, organization_id="\u754c" * 255), Owner(user_id="\u754c" * 254 + "\u4e16", organization_id="\u754c" * 255)

    assert len(keys.connection(long, "s", "a")["pk"].encode()) <= 2048
    assert keys.connection(long, "s", "a")["pk"] != keys.connection(longer, "s", "a")["pk"]


def test_r25_a_key_begins_with_its_owner() -> None:
    assert keys.connection(Owner(user_id="u", organization_id="o"), "acme", "work") == {"pk": "owner#o#u", "sk": "connection#acme#work"}
    assert keys.connection(Owner(user_id="u"), "acme#default", "x")["sk"] != keys.connection(Owner(user_id="u"), "acme", "default#x")["sk"]


def test_a_pending_authorizations_id_is_stored_as_a_hash() -> None:
    """The id is in a link; who reads the table cannot follow it."""
    assert "secret-id" not in str(keys.pending("secret-id"))


def test_events_of_one_connection_share_a_shard_and_sort() -> None:
    made = [keys.outbox(f"event_{n}", "c1") for n in range(3)]

    assert len({key["pk"] for key in made}) == 1 and [key["sk"] for key in made] == ["event_0", "event_1", "event_2"]
