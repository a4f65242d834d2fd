"""What a store asks before it changes a connection: nobody's lease, failure, verdict or event is written over unseen."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain import events, lifecycle
from chalicelib.domain.lifecycle import Transition
from chalicelib.domain.models import Connection
from chalicelib.domain.schedule import Policy
from chalicelib.doors.outbox import OutboxRows
from chalicelib.doors.store import Store
from chalicelib.doors.table import LostRace
from tests.cloud import Stage
from tests.domain.samples import HOUR, NOW, connection, pending
from tests.doors.stored import LEASE, now_in, refreshed, refused, saved

DAY = timedelta(days=1)


@pytest.fixture
def store(stage: Stage) -> Store:
    return stage.engine().store


@pytest.fixture
def log(store: Store) -> OutboxRows:
    return OutboxRows(store._table)


@pytest.fixture
def due(stage: Stage) -> Callable[[], list[str]]:
    """Who is in the due index, and since when."""
    agenda = stage.engine().agenda
    return lambda: [f"{entry.slug} {entry.since:%d %H:%M}" for shard in range(agenda.shards) for entry in agenda.due(shard, NOW + 400 * DAY)]


def failed(before: Connection, in_doubt: bool = False) -> Transition:
    return lifecycle.failed(before, "http_503", in_doubt=in_doubt, retry_after=None, now=NOW)


def announced(before: Connection) -> Transition:
    return lifecycle.announced(before, Policy(), NOW)


def rested(before: Connection) -> Transition:
    return lifecycle.rested(before, Policy(), NOW)


# what changes neither tokens nor state loses to everybody

QUIET = {"announced": announced, "rested": rested}
MEANWHILE: dict[str, Callable[[Store, Connection], object]] = {
    "a lease taken": lambda s, c: s.lease(c, "w1", NOW + LEASE, NOW),
    "a failure noted": lambda s, c: s.commit(failed(s.lease(c, "w1", NOW + LEASE, NOW)), holder="w1"),
    "a refresh stored": lambda s, c: s.commit(refreshed(s.lease(c, "w1", NOW + LEASE, NOW)), holder="w1"),
    "a verdict": lambda s, c: s.commit(refused(c)),
    "a disconnect": lambda s, c: s.commit(lifecycle.disconnected(c, NOW)),
}


@pytest.mark.parametrize("quiet", QUIET.values(), ids=QUIET)
@pytest.mark.parametrize("meanwhile", MEANWHILE.values(), ids=MEANWHILE)
def test_what_only_the_clock_wants_loses_to_whatever_happened_meanwhile(
    store: Store, log: OutboxRows, quiet: Callable[[Connection], Transition], meanwhile: Callable[[Store, Connection], object]
) -> None:
    before = saved(store, grant_expires_at=NOW + HOUR, refresh_due_at=NOW)
    meanwhile(store, before)
    there, told = now_in(store), log.log(before.id)

    with pytest.raises(LostRace) as caught:
        store.commit(quiet(before))

    assert caught.value.item is not None and caught.value.item["generation"] == there.generation
    assert now_in(store) == there and log.log(before.id) == told


@pytest.mark.parametrize("quiet", QUIET.values(), ids=QUIET)
def test_a_lease_that_lapsed_and_is_still_there_as_read_is_left_there(store: Store, quiet: Callable[[Connection], Transition]) -> None:
    """The intent that goes with it says that a token may have been spent."""
    before = saved(store, grant_expires_at=NOW + HOUR, refresh_due_at=NOW, lease_owner="w0", lease_until=NOW - HOUR, intent_attempt=2)
    store.commit(quiet(before))

    after = now_in(store)
    assert (after.lease_owner, after.lease_until, after.intent_attempt, after.generation) == ("w0", NOW - HOUR, 2, 3)
    assert after.refresh_due_at != NOW


def test_a_lapsed_lease_that_another_took_over_is_not_the_one_read(store: Store) -> None:
    before = saved(store, refresh_due_at=NOW, lease_owner="w0", lease_until=NOW - HOUR, intent_attempt=1)
    store.lease(before, "w1", NOW + LEASE, NOW)

    with pytest.raises(LostRace):
        store.commit(rested(before))
    assert now_in(store).lease_owner == "w1"


def test_a_note_of_use_does_not_disturb_it(store: Store) -> None:
    before = saved(store, refresh_due_at=NOW)
    store.touch(before, NOW)
    store.commit(rested(before))

    assert now_in(store).last_used_at == NOW and now_in(store).refresh_due_at != NOW


def test_one_of_eight_announces(store: Store, log: OutboxRows) -> None:
    before = saved(store, grant_expires_at=NOW + HOUR, refresh_due_at=NOW)

    def announce(_number: int) -> bool:
        try:
            store.commit(announced(before))
        except LostRace:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(announce, range(8))) == 1
    assert [event.event for event in log.log(before.id)] == [events.REAUTHORIZATION_EXPECTED]


# events of one connection follow each other


def test_an_event_that_does_not_know_the_last_one_is_not_stored(store: Store, log: OutboxRows) -> None:
    """Its id might sort before that one's, and a subscriber would hear things in another order than they happened."""
    before = saved(store, grant_expires_at=NOW + HOUR)
    store.commit(announced(before))
    told = log.log(before.id)
    for transition in (refused(before), lifecycle.disconnected(before, NOW), refused(replace(before, last_event=events.new_id(NOW, None)))):
        with pytest.raises(LostRace):
            store.commit(transition)

    assert log.log(before.id) == told and now_in(store).state == "connected"
    store.commit(refused(now_in(store)))
    assert [event.previous for event in log.log(before.id)] == [None, told[0].id]


def test_what_has_no_event_does_not_ask_for_the_last_one(store: Store) -> None:
    leased = store.lease(saved(store, grant_expires_at=NOW + HOUR, last_event="event_1"), "w1", NOW + LEASE, NOW)
    store.commit(refreshed(replace(leased, last_event=None)), holder="w1")

    assert (now_in(store).generation, now_in(store).last_event) == (4, "event_1")


def test_a_degraded_connection_is_told_of_in_the_write_that_notes_the_failure(store: Store, log: OutboxRows) -> None:
    before = store.lease(saved(store, expires_at=NOW, failing_since=NOW - 3 * DAY, failures=30), "w1", NOW + LEASE, NOW)
    store.commit(failed(before), holder="w1")

    (event,) = log.log(before.id)
    assert (event.event, now_in(store).last_event, now_in(store).failures, now_in(store).degraded_since) == (events.DEGRADED, event.id, 31, NOW)


# a failure that was noted meanwhile is not lost


def test_a_refresh_takes_away_what_another_noted_after_it_had_read(store: Store) -> None:
    """`before` may be older than the row by a try that failed within the same generation."""
    read = saved(store, refresh_due_at=NOW)
    store.commit(failed(store.lease(read, "w0", NOW + LEASE, NOW), in_doubt=True), holder="w0")
    noted = now_in(store)
    leased = store.lease(noted, "w1", NOW + LEASE, NOW)
    store.commit(refreshed(replace(read, lease_owner="w1", lease_until=leased.lease_until, intent_attempt=leased.intent_attempt)), holder="w1")

    after = now_in(store)
    assert (noted.failures, noted.intent_attempt, leased.intent_attempt) == (1, 1, 2)
    assert (after.failures, after.failing_since, after.retry_at, after.hold_until, after.intent_attempt, after.generation) == (0, None, None, None, 0, 4)


# the due index follows the row


def test_who_is_due_is_in_the_index_and_who_is_not_is_not(store: Store, due: Callable[[], list[str]]) -> None:
    before = saved(store, refresh_due_at=NOW)
    was = due()
    store.commit(refused(before))

    assert (was, due()) == (["acme 01 12:00"], [])


def test_a_use_of_an_idle_connection_puts_it_where_the_sweep_finds_it(store: Store, due: Callable[[], list[str]]) -> None:
    before = saved(store)
    was = due()
    store.touch(before, NOW, NOW + HOUR)

    assert (was, due()) == ([], ["acme 01 13:00"])
    assert replace(now_in(store), refresh_due_at=None) == replace(before, last_used_at=NOW)


def test_a_use_that_moves_nothing_leaves_it_where_it_is(store: Store, due: Callable[[], list[str]]) -> None:
    before = saved(store, refresh_due_at=NOW)
    store.touch(before, NOW)
    store.touch(replace(before, generation=2), NOW, NOW + HOUR)

    assert due() == ["acme 01 12:00"] and now_in(store).last_used_at == NOW


# a flow that failed is told of once


def failure() -> events.Event:
    return events.of_failed_flow(pending(), "authorization_code_exchange_error", "It expired.", "invalid_grant", None, NOW)


@pytest.mark.parametrize("reached", ["taken", "finished"])
def test_a_flow_whose_code_was_taken_fails_once(store: Store, log: OutboxRows, reached: Any) -> None:
    store.begin(pending(stage=reached))
    event = failure()
    outcomes = [store.fail(pending(), event), store.fail(pending(), failure())]

    assert outcomes == [True, False] and getattr(store.pending("pending_1"), "stage", None) == "failed"
    assert [(kept.id, kept.event, kept.data["provider_error"]) for kept in log.log(event.subject)] == [(event.id, events.CONNECTION_FAILED, "invalid_grant")]


def test_one_of_eight_tells_that_a_flow_failed(store: Store, log: OutboxRows) -> None:
    store.begin(pending(stage="taken"))
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _n: store.fail(pending(), failure()), range(8))) == 1

    assert len(log.log(failure().subject)) == 1


@pytest.mark.parametrize("reached", ["started", "opened", "redirected", "parked", "failed", None])
def test_a_flow_that_has_not_come_so_far_does_not_fail(store: Store, log: OutboxRows, reached: Any) -> None:
    if reached:
        store.begin(pending(stage=reached))

    assert store.fail(pending(), failure()) is False
    assert log.log(failure().subject) == [] and getattr(store.pending("pending_1"), "stage", None) == reached


def test_a_row_found_by_its_key_is_the_owners(store: Store) -> None:
    before = saved(store)
    (entry,) = [row for row in store._table.scan(None, limit=10)[0] if row["sk"].startswith("connection#")]

    assert store.connection_at({"pk": entry["pk"], "sk": entry["sk"]}) == before
    assert store.connection_at({"pk": entry["pk"], "sk": "connection#acme#other"}) is None and connection().owner == before.owner
