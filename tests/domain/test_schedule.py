"""When to refresh, at the edges of every number."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain import lifecycle, schedule
from chalicelib.domain.models import Connection
from chalicelib.domain.schedule import Policy
from tests.domain.samples import HOUR, NOW, any_connected, connection

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


# who is in use, and when a refresh token or a grant ends

SECOND = timedelta(seconds=1)
MONTH = timedelta(days=30)

IDLENESS = {
    "1 s before the limit": ({"last_used_at": NOW - MONTH + SECOND}, MONTH, False),
    "exactly at the limit": ({"last_used_at": NOW - MONTH}, MONTH, True),
    "1 s after the limit": ({"last_used_at": NOW - MONTH - SECOND}, MONTH, True),
    "no limit: never idle": ({"last_used_at": NOW - 1000 * DAY}, None, False),
    "never fetched, but connected again within the limit": ({"last_used_at": None, "connected_at": NOW - MONTH + SECOND}, MONTH, False),
    "fetched long ago, connected again since": ({"last_used_at": NOW - 90 * DAY, "connected_at": NOW - DAY}, MONTH, False),
    "never fetched, connected before the limit": ({"last_used_at": None, "connected_at": NOW - MONTH}, MONTH, True),
    "only its birthday is known": ({"last_used_at": None, "connected_at": None}, MONTH, True),
    "a refresh is no use": ({"last_used_at": NOW - MONTH, "refreshed_at": NOW}, MONTH, True),
}


@pytest.mark.parametrize(("changes", "idle_after", "idle"), IDLENESS.values(), ids=IDLENESS)
def test_a_connection_nobody_fetched_for_so_long_is_idle(changes: dict[str, object], idle_after: timedelta | None, idle: bool) -> None:
    held = connection(**{"created_at": NOW - 100 * DAY, "connected_at": NOW - 100 * DAY, **changes})

    assert schedule.is_idle(held, Policy(idle_after=idle_after), NOW) is idle


# (idle limit at the provider, changes) -> days after NOW, None = it needs no keeping alive; refreshed at NOW
KEPT_ALIVE = {
    "no limit at all": (0, {}, None),
    "three quarters of the idle limit": (60, {}, 45.0),
    "three quarters of the refresh token's own life": (0, {"refresh_expires_at": NOW + 100 * DAY}, 75.0),
    "the sooner of the two: idle": (60, {"refresh_expires_at": NOW + 100 * DAY}, 45.0),
    "the sooner of the two: life": (60, {"refresh_expires_at": NOW + 40 * DAY}, 30.0),
    "a fixed limit no refresh gets past": (0, {"refresh_expires_at": NOW + 100 * DAY, "refresh_limit_fixed": True}, None),
    "a fixed limit and an idle one": (60, {"refresh_expires_at": NOW + 4 * DAY, "refresh_limit_fixed": True}, 45.0),
    "never refreshed: from its connecting": (60, {"refreshed_at": None, "connected_at": NOW - 10 * DAY}, 35.0),
    "neither: from its birthday": (60, {"refreshed_at": None, "connected_at": None, "created_at": NOW - 20 * DAY}, 25.0),
    "a grant's own end is none of it": (0, {"grant_expires_at": NOW + 4 * DAY}, None),
}


@pytest.mark.parametrize(("idle", "changes", "days"), KEPT_ALIVE.values(), ids=KEPT_ALIVE)
def test_a_refresh_token_is_used_a_quarter_before_it_dies_of_disuse_or_age(idle: int, changes: dict[str, object], days: float | None) -> None:
    held = connection(**{"refreshed_at": NOW, **changes})

    assert schedule.keep_alive_at(held, Policy(idle * 86400)) == (None if days is None else NOW + days * DAY)


END = NOW + 100 * DAY
# (changes, connected this long before END) -> how long before END, None = nothing to announce
ANNOUNCED = {
    "no limit": ({"grant_expires_at": None}, 100 * DAY, None),
    "a year: a week at most": ({}, 365 * DAY, 7 * DAY),
    "28 days: a quarter is just a week": ({}, 28 * DAY, 7 * DAY),
    "a second less: a quarter": ({}, 28 * DAY - 4 * SECOND, 7 * DAY - SECOND),
    "an hour: a quarter": ({}, HOUR, HOUR / 4),
    "no time at all": ({}, timedelta(), timedelta()),
    "ended before it began: not before its end": ({}, -DAY, timedelta()),
    "announced already": ({"announced_end": END}, 365 * DAY, None),
    "another end than the one announced": ({"announced_end": END - SECOND}, 365 * DAY, 7 * DAY),
    "the sooner of two limits": ({"grant_expires_at": END + DAY, "refresh_expires_at": END, "refresh_limit_fixed": True}, 365 * DAY, 7 * DAY),
    "a refresh token that rolls is no limit": ({"grant_expires_at": None, "refresh_expires_at": END}, 365 * DAY, None),
    "an access token that is refreshed is no limit": ({"grant_expires_at": None, "expires_at": END}, 365 * DAY, None),
    "an access token that cannot be refreshed": ({"grant_expires_at": None, "expires_at": END, "refreshable": False}, 365 * DAY, 7 * DAY),
    "who needs a person already needs no announcement": ({"state": "needs_reauthorization"}, 365 * DAY, None),
}


@pytest.mark.parametrize(("changes", "whole", "before"), ANNOUNCED.values(), ids=ANNOUNCED)
def test_a_known_end_is_announced_a_quarter_before_it_and_at_most_a_week(changes: dict[str, object], whole: timedelta, before: timedelta | None) -> None:
    held = connection(**{"grant_expires_at": END, "connected_at": END - whole, **changes})

    assert schedule.announce_at(held) == (None if before is None else END - before)


def test_without_a_time_of_connecting_the_whole_begins_at_the_birthday() -> None:
    assert schedule.announce_at(connection(connected_at=None, created_at=END - 4 * DAY, grant_expires_at=END)) == END - DAY


# (policy, unchanged, changes) -> time after NOW, None = never; in use, refreshed at NOW, its token ends in an hour
IN_USE, IDLE_POLICY = Policy(), Policy(60 * 86400, MONTH)
UNUSED = {"last_used_at": NOW - MONTH, "connected_at": NOW - 90 * DAY, "created_at": NOW - 90 * DAY}
NEXT: dict[str, tuple[Policy, bool, dict[str, object], timedelta | None]] = {
    "in use: before its token ends": (IN_USE, False, {}, 48 * MINUTE),
    "failing: at its next try and not before": (IN_USE, False, {"failures": 1, "retry_at": NOW + 2 * HOUR}, 2 * HOUR),
    "failing, and the time to try is over": (IN_USE, False, {"failures": 1, "retry_at": NOW - SECOND}, timedelta()),
    "failing while its end is to be announced": (IN_USE, False, {"failures": 1, "retry_at": NOW + 2 * HOUR, "grant_expires_at": NOW + HOUR, "connected_at": NOW - 3 * HOUR}, timedelta()),
    "failing beats keep-alive": (Policy(60), False, {"failures": 1, "retry_at": NOW + 2 * HOUR}, 2 * HOUR),
    "idle: its refresh token alone": (IDLE_POLICY, False, UNUSED, 45 * DAY),
    "idle with no limit at its provider": (Policy(idle_after=MONTH), False, UNUSED, None),
    "idle and its grant ends": (Policy(idle_after=MONTH), False, {**UNUSED, "grant_expires_at": NOW + 10 * DAY}, 3 * DAY),
    "1 s before it is idle": (IDLE_POLICY, False, {**UNUSED, "last_used_at": NOW - MONTH + SECOND}, 48 * MINUTE),
    "the same token again: only when it has ended": (IN_USE, True, {}, HOUR),
    "the same token again, with seconds left": (IN_USE, True, {"token_life": 3600, "expires_at": NOW + SECOND}, SECOND),
    "the same token again, of a tiny life": (IN_USE, True, {"token_life": 30, "expires_at": NOW + 30 * SECOND}, 30 * SECOND),
    "the same token again, without an end": (IN_USE, True, {"token_life": 0, "expires_at": None}, None),
    "no refresh token: announced a quarter before its end": (IN_USE, False, {"refreshable": False, "connected_at": NOW}, 45 * MINUTE),
    "no refresh token, announced: at its end": (IN_USE, False, {"refreshable": False, "announced_end": NOW + HOUR}, HOUR),
    "no refresh token and an idle limit: nothing to keep alive": (Policy(60), False, {"refreshable": False, "announced_end": NOW + HOUR}, HOUR),
    "no refresh token, no end, but a grant that ends": (IN_USE, False, {"refreshable": False, "expires_at": None, "grant_expires_at": NOW + 10 * DAY, "connected_at": NOW - 30 * DAY}, 3 * DAY),
    "no end": (IN_USE, False, {"expires_at": None, "token_life": 0}, None),
}


@pytest.mark.parametrize(("policy", "unchanged", "changes", "due"), NEXT.values(), ids=NEXT)
def test_next_due(policy: Policy, unchanged: bool, changes: dict[str, object], due: timedelta | None) -> None:
    held = connection(**{"token_life": 3600, "refreshed_at": NOW, **changes})

    assert schedule.next_due(held, policy, NOW, jitter=0, unchanged=unchanged) == (None if due is None else NOW + due)


TASKS: dict[str, tuple[Policy, dict[str, object], str | None]] = {
    "1 s before its time": (IN_USE, {"refresh_due_at": NOW + SECOND}, None),
    "at its very time": (IN_USE, {}, "refresh"),
    "1 s after its time": (IN_USE, {"refresh_due_at": NOW - SECOND}, "refresh"),
    "never due": (IN_USE, {"refresh_due_at": None}, None),
    "needs a person": (IN_USE, {"state": "needs_reauthorization"}, None),
    "disconnected": (IN_USE, {"state": "disconnected"}, None),
    "an end to announce comes first": (IN_USE, {"grant_expires_at": NOW + DAY, "connected_at": NOW - 3 * DAY}, "announce"),
    "1 s before it is to be announced": (IN_USE, {"grant_expires_at": NOW + DAY + SECOND, "connected_at": NOW - 3 * DAY + SECOND}, "refresh"),
    "announced already": (IN_USE, {"grant_expires_at": NOW + DAY, "connected_at": NOW - 3 * DAY, "announced_end": NOW + DAY}, "refresh"),
    "no refresh token, 1 s to live": (IN_USE, {"refreshable": False, "expires_at": NOW + SECOND, "announced_end": NOW + SECOND}, "rest"),
    "no refresh token, at its end": (IN_USE, {"refreshable": False, "expires_at": NOW, "announced_end": NOW}, "end"),
    "no refresh token, ended unannounced: told first": (IN_USE, {"refreshable": False, "expires_at": NOW}, "announce"),
    "no refresh token and no end": (IN_USE, {"refreshable": False, "expires_at": None}, "rest"),
    "idle, nothing to keep alive": (Policy(idle_after=MONTH), UNUSED, "rest"),
    "idle, 1 s before keep-alive": (IDLE_POLICY, {**UNUSED, "refreshed_at": NOW - 45 * DAY + SECOND}, "rest"),
    "idle, at keep-alive": (IDLE_POLICY, {**UNUSED, "refreshed_at": NOW - 45 * DAY}, "refresh"),
    "idle, but a keep-alive failed": (Policy(idle_after=MONTH), {**UNUSED, "failures": 1}, "refresh"),
    "1 s before it is idle": (Policy(idle_after=MONTH), {**UNUSED, "last_used_at": NOW - MONTH + SECOND}, "refresh"),
}  # fmt: skip


@pytest.mark.parametrize(("policy", "changes", "task"), TASKS.values(), ids=TASKS)
def test_task(policy: Policy, changes: dict[str, object], task: str | None) -> None:
    assert schedule.task(connection(**{"refresh_due_at": NOW, **changes}), policy, NOW) == task


POLICIES = st.builds(Policy, st.sampled_from([0, 60, 90 * 86400]), st.sampled_from([None, DAY, MONTH]))


@given(before=any_connected(), policy=POLICIES)
def test_who_rests_or_was_announced_is_not_due_for_that_again(before: Connection, policy: Policy) -> None:
    """Neither changes anything that ends the need, so due at once would be a hot loop."""
    match schedule.task(before, policy, NOW):
        case "rest":
            rested = lifecycle.rested(before, policy, NOW).after
            assert rested.refresh_due_at is None or rested.refresh_due_at > NOW
        case "announce":
            told = lifecycle.announced(before, policy, NOW).after
            assert schedule.announce_at(told) is None
            assert told.refresh_due_at is None or told.refresh_due_at > NOW or schedule.task(told, policy, NOW) in ("refresh", "end")


@given(before=any_connected(), policy=POLICIES, jitter=st.floats(0, 1))
def test_in_use_with_a_life_of_more_than_two_sweeps_is_due_before_it_ends(before: Connection, policy: Policy, jitter: float) -> None:
    due = schedule.next_due(before, policy, NOW, jitter=jitter)
    if before.refreshable and not before.failures and before.expires_at and before.expires_at > NOW and before.token_life > 120 and not schedule.is_idle(before, policy, NOW):
        assert due is not None and NOW <= due < before.expires_at


@given(before=any_connected(), policy=POLICIES)
def test_nothing_is_done_before_its_time(before: Connection, policy: Policy) -> None:
    assert before.refresh_due_at is not None
    assert schedule.task(before, policy, before.refresh_due_at - timedelta(milliseconds=1)) is None
