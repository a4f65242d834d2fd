"""Identifiers: shape, order, randomness."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain import ids
from tests.domain.samples import NOW

TIMES = st.datetimes(datetime(1970, 1, 2), datetime(9999, 1, 1), timezones=st.just(UTC))
CLOCKS = TIMES


@given(TIMES)
def test_a_ulid_has_the_shape_the_specification_gives_it(at: datetime) -> None:
    assert re.fullmatch(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", ids.ulid(at))


@given(TIMES, TIMES)
def test_ulids_sort_by_time(one: datetime, other: datetime) -> None:
    first, second = sorted((one, other))
    if int(first.timestamp() * 1000) < int(second.timestamp() * 1000):
        assert ids.ulid(first) < ids.ulid(second)


def test_a_ulid_tells_its_millisecond() -> None:
    """github.com/ulid/spec's own example."""
    assert ids.ulid(datetime.fromtimestamp(1469918176.385, UTC))[:10] == "01ARYZ6S41"
    assert ids.ulid(NOW)[:10] == ids.ulid(NOW + timedelta(microseconds=999))[:10] < ids.ulid(NOW + timedelta(milliseconds=1))[:10]


@given(CLOCKS, CLOCKS)
def test_what_is_written_after_another_sorts_after_it_whatever_two_clocks_say(now: datetime, earlier: datetime) -> None:
    last = ids.ulid(earlier)

    assert ids.ulid_after(now, last) > last


@pytest.mark.parametrize(
    ("later", "milliseconds"), [(timedelta(hours=-1), 1), (timedelta(), 1), (timedelta(milliseconds=1), 1), (timedelta(milliseconds=2), 2)], ids=["an hour back", "the same", "next", "later"]
)
def test_a_clock_that_is_ahead_is_believed_and_any_other_gives_the_next_millisecond(later: timedelta, milliseconds: int) -> None:
    """Not the clock's own time again, or a run of such ids would creep into the future faster than it must."""
    assert ids.ulid_after(NOW + later, ids.ulid(NOW))[:10] == ids.ulid(NOW + timedelta(milliseconds=milliseconds))[:10]


def test_the_first_of_a_chain_is_of_its_own_time() -> None:
    assert ids.ulid_after(NOW, None)[:10] == ids.ulid(NOW)[:10]


@given(st.lists(CLOCKS, min_size=1, max_size=20))
def test_a_chain_sorts_as_it_was_written(times: list[datetime]) -> None:
    made, last = [], None
    for now in times:
        last = ids.ulid_after(now, last)
        made.append(last)

    assert made == sorted(set(made))


def test_nothing_random_repeats() -> None:
    assert len({ids.ulid(NOW) for _ in range(1000)}) == 1000
    assert len({ids.random_token() for _ in range(1000)}) == 1000


def test_r01_r02_a_random_token_is_256_bits_and_fit_for_a_verifier() -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", ids.random_token())


def test_a_digest_is_sha_256_of_utf_8() -> None:
    assert ids.digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert ids.digest("ü") != ids.digest("u")


@pytest.mark.parametrize(
    ("given", "stored", "same"),
    [("abc", ids.digest("abc"), True), ("abd", ids.digest("abc"), False), ("", ids.digest("abc"), False), ("abc", "", False), ("abc", "abc", False), ("é✓", ids.digest("é✓"), True)],
    ids=["same", "one letter off", "nothing given", "nothing stored", "stored in the clear", "not ASCII"],
)
def test_matches(given: str, stored: str, same: bool) -> None:
    assert ids.matches(given, stored) is same
