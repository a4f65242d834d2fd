"""When to refresh, at the edges of every number."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain import schedule
from chalicelib.domain.schedule import Policy
from tests.domain.samples import HOUR, NOW, connection

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)

MARGINS = {
    "no life at all": (0, 0),
    "one second": (1, 0.5),
    "two minutes: half": (120, 60),
    "ten minutes: half is just the floor": (600, 300),
    "1 s more: the floor": (601, 300),
    "25 minutes: a fifth is just the floor": (1500, 300),
    "1 s more: a fifth": (1505, 301),
    "an hour": (3600, 720),
    "a day": (86400, 17280),
}


@pytest.mark.parametrize(("life", "seconds"), MARGINS.values(), ids=MARGINS)
def test_margin(life: int, seconds: float) -> None:
    assert schedule.margin(life) == timedelta(seconds=seconds)


# life -> seconds after NOW at which it is due without jitter, None = the sweep leaves it to the fetch; the token was issued at NOW.
DUE = {
    "1 s": (1, None),
    "exactly two sweeps": (120, None),
    "1 s more than two sweeps": (121, 60.5),
    "ten minutes": (600, 300),
    "an hour": (3600, 2880),
}


@pytest.mark.parametrize(("life", "due"), DUE.values(), ids=DUE)
def test_due_before_the_token_ends(life: int, due: float | None) -> None:
    fresh = connection(token_life=life, expires_at=NOW + timedelta(seconds=life))

    found = schedule.next_due(fresh, Policy(), NOW, jitter=0)
    assert found == (None if due is None else NOW + timedelta(seconds=due))


def test_jitter_spreads_over_a_tenth_of_the_margin() -> None:
    fresh = connection(token_life=3600, expires_at=NOW + HOUR)

    latest, earliest = (schedule.next_due(fresh, Policy(), NOW, jitter=jitter) for jitter in (0.0, 1.0))
    assert latest is not None and earliest is not None and latest - earliest == timedelta(seconds=72)


NEVER = {
    "needs a person": {"state": "needs_reauthorization"},
    "is gone": {"state": "disconnected"},
    "has neither refresh token nor end": {"refreshable": False, "expires_at": None},
    "does not expire and has no idle limit": {"expires_at": None, "token_life": 0},
}


@pytest.mark.parametrize("changes", NEVER.values(), ids=NEVER)
def test_never_due(changes: dict[str, object]) -> None:
    assert schedule.next_due(connection(**changes), Policy(), NOW) is None


def test_nothing_but_a_connected_one_is_due_even_while_failing() -> None:
    failing = {"failures": 3, "retry_at": NOW + MINUTE}

    assert schedule.next_due(connection(**failing), Policy(), NOW) == NOW + MINUTE
    assert schedule.next_due(connection(**failing, state="needs_reauthorization"), Policy(), NOW) is None


# (idle limit, expires in, refreshed ago) -> due in
IDLE = {
    "a quarter before the idle limit": (60 * DAY, None, timedelta(), 45 * DAY),
    "counted from the last refresh": (60 * DAY, None, 10 * DAY, 35 * DAY),
    "already past three quarters: now": (60 * DAY, None, 50 * DAY, timedelta()),
    "the token ends sooner": (60 * DAY, HOUR, timedelta(), 48 * MINUTE),
    "the idle limit ends sooner than the token": (DAY, 10 * DAY, timedelta(), 18 * HOUR),
    "a token too short to sweep is kept alive all the same": (60 * DAY, 2 * MINUTE, timedelta(), 45 * DAY),
}


@pytest.mark.parametrize(("idle", "expires_in", "refreshed_ago", "due_in"), IDLE.values(), ids=IDLE)
def test_keep_alive(idle: timedelta, expires_in: timedelta | None, refreshed_ago: timedelta, due_in: timedelta) -> None:
    life = int(expires_in.total_seconds()) if expires_in else 0
    held = connection(token_life=life, expires_at=NOW + expires_in if expires_in else None, refreshed_at=NOW - refreshed_ago)

    assert schedule.next_due(held, Policy(int(idle.total_seconds())), NOW, jitter=0) == NOW + due_in


def test_due_is_never_in_the_past() -> None:
    late = connection(token_life=3600, expires_at=NOW - HOUR)

    assert schedule.next_due(late, Policy(), NOW) == NOW


BACK_OFFS = {
    "first": (1, None, 60),
    "second": (2, None, 120),
    "last step": (10, None, 21600),
    "beyond the last step": (99, None, 21600),
    "Retry-After shorter than the step": (3, 10, 300),
    "Retry-After exactly the step": (3, 300, 300),
    "Retry-After 1 s longer": (3, 301, 301),
    "Retry-After of a year is cut to the last step": (1, 365 * 86400, 21600),
    "Retry-After 0": (1, 0, 60),
}


@pytest.mark.parametrize(("failures", "retry_after", "seconds"), BACK_OFFS.values(), ids=BACK_OFFS)
def test_back_off(failures: int, retry_after: int | None, seconds: int) -> None:
    assert schedule.back_off(failures, retry_after=retry_after, jitter=0) == timedelta(seconds=seconds)


def test_back_off_spreads_by_a_fifth_and_only_grows() -> None:
    assert schedule.back_off(1, jitter=1) == timedelta(seconds=72)
    assert list(schedule.BACK_OFF) == sorted(schedule.BACK_OFF)


@given(life=st.integers(121, 10 * 365 * 86400), jitter=st.floats(0, 1))
def test_a_swept_token_is_due_in_time_and_not_at_once(life: int, jitter: float) -> None:
    """Due at once after a refresh would be a hot loop; due after the end would be a gap."""
    fresh = connection(token_life=life, expires_at=NOW + timedelta(seconds=life))

    due = schedule.next_due(fresh, Policy(), NOW, jitter=jitter)
    assert due is not None and NOW + timedelta(seconds=life * 0.4) <= due <= NOW + timedelta(seconds=life) - min(timedelta(seconds=life / 2), 5 * MINUTE)
