"""What the product hears of a connection: each edge once, in an order that no clock can break, and each limit before it comes."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chalicelib.domain import events, lifecycle, schedule
from chalicelib.domain.lifecycle import Transition
from chalicelib.domain.models import Connection
from chalicelib.domain.schedule import Policy
from tests.domain.samples import HOUR, NOW, answer, connection, pending

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
THREE_DAYS = timedelta(hours=72)


def failed(before: Connection, now: datetime = NOW, **how: bool) -> Transition:
    return lifecycle.failed(before, "http_503", in_doubt=False, retry_after=None, now=now, **how)


def refreshed(before: Connection, now: datetime = NOW, **how: object) -> Connection:
    return lifecycle.refreshed(before, answer(), b"blob-4", policy=Policy(), now=now, **how).after  # type: ignore[arg-type]


# degraded, recovered

DEGRADED: dict[str, tuple[dict[str, object], dict[str, bool], bool]] = {
    "1 s before three days": ({"failing_since": NOW - THREE_DAYS + SECOND}, {}, False),
    "exactly three days": ({"failing_since": NOW - THREE_DAYS}, {}, True),
    "1 s after": ({"failing_since": NOW - THREE_DAYS - SECOND}, {}, True),
    "the token ends this moment": ({"failing_since": NOW - THREE_DAYS, "expires_at": NOW}, {}, True),
    "the token lives 1 s more": ({"failing_since": NOW - THREE_DAYS, "expires_at": NOW + SECOND}, {}, False),
    "a token without an end": ({"failing_since": NOW - 90 * DAY, "expires_at": None}, {}, False),
    "told before": ({"failing_since": NOW - 90 * DAY, "degraded_since": NOW - 80 * DAY}, {}, False),
    "the first failure of all": ({"failing_since": None}, {}, False),
    "it is our own client that is refused": ({"failing_since": NOW - 90 * DAY}, {"misconfigured": True}, False),
    "answers of no known meaning": ({"failing_since": NOW - THREE_DAYS}, {"weird": True}, True),
}


@pytest.mark.parametrize(("changes", "how", "told"), DEGRADED.values(), ids=DEGRADED)
def test_three_days_of_failures_without_a_living_token_are_told_once(changes: dict[str, object], how: dict[str, bool], told: bool) -> None:
    before = connection(**{"failures": 9, "expires_at": NOW - HOUR, **changes})
    transition = failed(before, **how)

    assert [event.event for event in transition.events] == [events.DEGRADED] * told
    assert transition.after.degraded_since == (NOW if told else before.degraded_since)
    assert transition.after.state == "connected" and transition.after.refresh_due_at is not None


def test_degraded_and_recovered_are_told_once_each_however_often_it_fails_and_works() -> None:
    row, heard, now = connection(expires_at=NOW), list[str](), NOW
    for _ in range(14):
        transition = failed(row, now)
        row, heard, now = transition.after, heard + [event.event for event in transition.events], now + DAY / 2
    recovery = lifecycle.refreshed(row, answer(), b"4", policy=Policy(), now=now)
    again = lifecycle.refreshed(recovery.after, answer(), b"5", policy=Policy(), now=now)

    assert heard == [events.DEGRADED]
    assert [event.event for event in recovery.events + again.events] == [events.RECOVERED]
    assert recovery.after.degraded_since is None


def test_what_our_own_client_cost_does_not_count_towards_degraded() -> None:
    """Mended after a week, a provider's hiccup is the first failure and not the last of seven days."""
    row = connection(expires_at=NOW)
    for days in range(8):
        row = failed(row, NOW + days * DAY, misconfigured=True).after
    hiccup = failed(row, NOW + 8 * DAY)

    assert (row.failing_since, row.misconfigured, row.failures) == (None, True, 8)
    assert (hiccup.events, hiccup.after.failing_since, hiccup.after.misconfigured) == ((), NOW + 8 * DAY, False)


def test_a_refused_client_is_tried_again_soon_after_it_may_have_been_mended() -> None:
    row = failed(connection(failures=9), misconfigured=True).after

    assert row.retry_at is not None and row.retry_at <= NOW + schedule.back_off(1, jitter=1)


def test_answers_of_no_known_meaning_are_counted_in_a_row() -> None:
    row = failed(failed(connection(), weird=True).after, NOW + HOUR, weird=True).after
    other = failed(row, NOW + 2 * HOUR).after

    assert (row.weird_failures, row.weird_since) == (2, NOW)
    assert (other.weird_failures, other.weird_since, other.failures) == (0, None, 3)


# the order of what is told


def test_ids_sort_and_chain_over_a_life_whatever_the_clocks_say() -> None:
    """Several processes write one connection, and their clocks need not agree."""
    heard: list[events.Event] = []

    def then(transition: Transition) -> Connection:
        heard.extend(transition.events)
        return transition.after

    row = then(lifecycle.connected(None, pending().consent, "data_installation_01", answer(), b"1", policy=Policy(), grant_limit=3 * 86400, now=NOW))
    row = then(lifecycle.announced(row, Policy(), NOW - HOUR))
    row = then(failed(replace(row, expires_at=NOW - 9 * DAY, failing_since=NOW - 9 * DAY), NOW - 2 * HOUR))
    row = then(lifecycle.refreshed(row, answer(), b"2", policy=Policy(), now=NOW - DAY))
    row = then(lifecycle.refused(row, "refused", "invalid_grant", NOW - 2 * DAY))
    row = then(lifecycle.disconnected(row, NOW - 3 * DAY))
    row = then(lifecycle.connected(row, pending().consent, "data_installation_02", answer(), b"3", policy=Policy(), grant_limit=0, now=NOW - 4 * DAY))

    kinds = [events.CONNECTED, events.REAUTHORIZATION_EXPECTED, events.DEGRADED, events.RECOVERED, events.REAUTHORIZATION_NEEDED, events.DISCONNECTED, events.CONNECTED]
    assert [event.event for event in heard] == kinds
    told = [event.id for event in heard]
    assert told == sorted(set(told)) and row.last_event == told[-1]
    assert [event.previous for event in heard] == [None, *told[:-1]]


def test_a_connection_over_a_disconnected_one_goes_on_counting() -> None:
    gone = lifecycle.disconnected(connection(generation=6), NOW).after
    back = lifecycle.connected(gone, pending().consent, "data_installation_02", answer(), b"8", policy=Policy(), grant_limit=0, now=NOW)

    assert (gone.generation, back.after.generation, back.events[0].previous) == (7, 8, gone.last_event)
    assert back.events[0].generation == 8 and (back.after.announced_end, back.after.degraded_since, back.after.refresh_limit_fixed) == (None, None, False)


# limits


def test_an_end_is_announced_with_its_time_and_another_end_again() -> None:
    row = connection(grant_expires_at=NOW + DAY)
    first = lifecycle.announced(row, Policy(), NOW)
    moved = lifecycle.announced(replace(first.after, grant_expires_at=NOW + 2 * DAY), Policy(), NOW)

    assert (first.after.announced_end, first.events[0].data["reauthorization_expected_at"]) == (NOW + DAY, "2026-03-02T12:00:00.000Z")
    assert schedule.announce_at(first.after) is None and moved.after.announced_end == NOW + 2 * DAY
    assert moved.events[0].previous == first.events[0].id


def test_what_was_announced_stays_announced_through_refreshes() -> None:
    row = lifecycle.announced(connection(grant_expires_at=NOW + DAY), Policy(), NOW).after

    assert schedule.announce_at(refreshed(row, NOW + HOUR)) is None


def test_a_rest_changes_nothing_but_when_to_look_again() -> None:
    before = connection(refresh_due_at=NOW, last_used_at=NOW - 60 * DAY, connected_at=NOW - 60 * DAY, created_at=NOW - 60 * DAY, failures=0)
    transition = lifecycle.rested(before, Policy(90 * 86400, 30 * DAY), NOW)

    assert transition.events == () and transition.after == replace(before, refresh_due_at=NOW - HOUR + 67.5 * DAY)


# (end before, end after, minutes since the last refresh, was fixed, answer rotated) -> fixed
MONTH = 30 * DAY
LIMITS: dict[str, tuple[timedelta | None, timedelta | None, int, bool, bool, bool]] = {
    "moved as far as time went: rolls": (MONTH - HOUR, MONTH, 60, False, True, False),
    "did not move: counts down": (MONTH, MONTH, 60, False, True, True),
    "moved half as far: rolls": (MONTH - HOUR / 2, MONTH, 60, False, True, False),
    "moved a second less than half": (MONTH - HOUR / 2 + SECOND, MONTH, 60, False, True, True),
    "came nearer": (MONTH, MONTH - DAY, 60, False, True, True),
    "began to roll": (MONTH - HOUR, MONTH, 60, True, True, False),
    "told nothing, no new token": (MONTH, None, 60, False, False, True),
    "told nothing, a new token": (MONTH, None, 60, False, True, False),
    "never had an end": (None, MONTH, 60, False, True, False),
    "exactly two minutes: tells": (MONTH, MONTH, 2, False, True, True),
    "within two minutes: still not": (MONTH, MONTH, 1, False, True, False),
    "within two minutes: still is": (MONTH, MONTH, 1, True, True, True),
}


@pytest.mark.parametrize(("was", "told", "minutes", "fixed_before", "rotated", "fixed"), LIMITS.values(), ids=LIMITS)
def test_whether_a_refresh_gets_past_the_refresh_tokens_end(was: timedelta | None, told: timedelta | None, minutes: int, fixed_before: bool, rotated: bool, fixed: bool) -> None:
    before = connection(refresh_expires_at=NOW + was if was else None, refreshed_at=NOW - timedelta(minutes=minutes), refresh_limit_fixed=fixed_before)
    after = lifecycle.refreshed(before, answer(refresh_expires_at=NOW + told if told else None, rotated=rotated), b"", policy=Policy(), now=NOW).after

    assert after.refresh_limit_fixed is fixed
    assert after.reauthorization_expected_at == (after.refresh_expires_at if fixed else None)


def test_a_first_refresh_of_a_row_that_knows_no_time_says_nothing() -> None:
    before = connection(refresh_expires_at=NOW + DAY, refreshed_at=None)

    assert lifecycle.refreshed(before, answer(refresh_expires_at=NOW + DAY), b"", policy=Policy(), now=NOW).after.refresh_limit_fixed is False


# whose refresh it was


def test_only_a_refresh_that_a_fetch_asked_for_is_a_use() -> None:
    assert refreshed(connection(), used=True).last_used_at == NOW
    assert refreshed(connection(), used=False).last_used_at == NOW - HOUR


def test_the_same_token_again_keeps_the_life_it_was_issued_with() -> None:
    again, new = (refreshed(connection(token_life=7200), unchanged=unchanged) for unchanged in (True, False))

    assert (again.token_life, again.refresh_due_at) == (7200, NOW + HOUR)
    assert new.token_life == 3600 and new.refresh_due_at is not None and new.refresh_due_at < NOW + HOUR


# rescue


@pytest.mark.parametrize("generation", [3, 5], ids=["older", "of a later refresh"])
def test_only_the_very_next_generation_is_rescued(generation: int) -> None:
    renewed = {name: getattr(refreshed(connection()), name) for name in lifecycle.RENEWED}
    with pytest.raises(ValueError, match="not the next ones"):
        lifecycle.rescued(connection(), {**renewed, "generation": generation}, NOW)


@pytest.mark.parametrize("name", lifecycle.RENEWED)
def test_a_rescue_brings_everything_a_refresh_would_have(name: str) -> None:
    stored = refreshed(connection())
    rescued = lifecycle.rescued(connection(), {each: getattr(stored, each) for each in lifecycle.RENEWED}, NOW + HOUR).after

    assert getattr(rescued, name) == getattr(stored, name)
    assert replace(rescued, refresh_due_at=None) == replace(stored, refresh_due_at=None)
