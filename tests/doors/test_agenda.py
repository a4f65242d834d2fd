"""What the clock works by, in a real table: who is due and in which order, and what only one of several processes may have."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain import circuit as circuits
from chalicelib.domain import lifecycle
from chalicelib.domain.circuit import Circuit, Tally
from chalicelib.domain.models import Connection
from chalicelib.domain.schedule import Policy
from chalicelib.doors import keys
from chalicelib.doors.agenda import Agenda, Due, Progress, RepairProgress
from chalicelib.doors.outbox import OutboxRows
from chalicelib.doors.store import Store
from chalicelib.doors.table import LostRace, Table
from tests.cloud import Stage
from tests.domain.samples import CANARY, HOUR, NOW, connection, pending
from tests.doors.stored import LEASE, REGISTRATION, now_in, refreshed, refused, saved

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.fixture
def table(stage: Stage) -> Table:
    return stage.engine().table


@pytest.fixture
def agenda(table: Table) -> Agenda:
    return Agenda(table, 16)


@pytest.fixture
def store(table: Table) -> Store:
    return Store(table, 16)


def made(store: Store, user: str, **changes: Any) -> Connection:
    row = connection(id=f"data_installation_{user}", user_id=user, **changes)
    store.commit(lifecycle.Transition(None, row))
    return row


def found(agenda: Agenda, *when: Any) -> list[Due]:
    return [entry for shard in range(agenda.shards) for entry in agenda.due(shard, *when)]


# the due index


def test_the_longest_due_comes_first(table: Table) -> None:
    one = Agenda(table, 1)
    for user, minutes in (("b", 2), ("c", 1), ("a", 3)):
        made(Store(table, 1), user, refresh_due_at=NOW - minutes * MINUTE)

    assert [(entry.key["pk"], entry.slug, entry.since) for entry in one.due(0, NOW)] == [
        ("owner#org_1#a", "acme", NOW - 3 * MINUTE), ("owner#org_1#b", "acme", NOW - 2 * MINUTE), ("owner#org_1#c", "acme", NOW - MINUTE),
    ]  # fmt: skip


DUE_BY = {
    "1 ms after its time": (timedelta(milliseconds=-1), None, True),
    "at its time": (timedelta(), None, True),
    "1 ms before its time": (timedelta(milliseconds=1), None, False),
    "since its time": (-HOUR, -HOUR, True),
    "since 1 ms before": (-HOUR, -HOUR - timedelta(milliseconds=1), True),
    "since 1 ms after": (-HOUR, -HOUR + timedelta(milliseconds=1), False),
}


@pytest.mark.parametrize(("due", "since", "is_found"), DUE_BY.values(), ids=DUE_BY)
def test_what_is_due_between_two_times(agenda: Agenda, store: Store, due: timedelta, since: timedelta | None, is_found: bool) -> None:
    made(store, "a", refresh_due_at=NOW + due)

    assert len(found(agenda, NOW, None if since is None else NOW + since)) == is_found


def test_everybody_is_in_one_shard_and_a_shard_holds_only_its_own(agenda: Agenda, store: Store) -> None:
    rows = [made(store, f"u{n}", refresh_due_at=NOW) for n in range(12)]

    per_shard = {shard: {entry.key["pk"] for entry in agenda.due(shard, NOW)} for shard in range(16)}
    for row in rows:
        assert [keys.due_partition(shard) for shard, there in per_shard.items() if keys.owner_partition(row.owner) in there] == [agenda.shard_of(row)]
    assert sum(map(len, per_shard.values())) == 12 and sum(map(bool, per_shard.values())) > 1


def test_shards_may_grow_and_who_was_in_an_old_one_is_found(table: Table) -> None:
    rows = {made(Store(table, 2), f"u{n}", refresh_due_at=NOW).id for n in range(6)}
    grown = Agenda(table, 16)

    assert len(found(grown, NOW)) == len(rows)


def test_an_entry_tells_where_the_row_is_and_nothing_secret(agenda: Agenda, store: Store, table: Table) -> None:
    row = saved(store, refresh_due_at=NOW, sealed=CANARY.encode(), slug="acme")

    (entry,) = found(agenda, NOW)
    assert store.connection_at(entry.key) == row and CANARY not in repr(entry)
    (indexed,) = table.query("due_shard = :shard", {"shard": agenda.shard_of(row)}, index="due")
    assert "sealed" not in indexed


# circuits

FAILED = Tally(failures=1, last_error="http_503")


def after(circuit: Circuit, *tallies: Tally) -> Circuit:
    for tally in tallies:
        circuit, _ = circuits.after(circuit, tally, "data_integration_01", 4, NOW)
    return circuit


def plain(circuit: Circuit) -> Circuit:
    return replace(circuit, write_id=None)


def test_a_provider_that_was_never_in_trouble_has_a_closed_circuit_and_no_row(agenda: Agenda) -> None:
    assert agenda.circuit("acme") == Circuit(slug="acme") and agenda.circuits() == {}


def test_a_circuit_comes_back_as_it_was_and_what_is_over_is_taken_away(agenda: Agenda) -> None:
    full = Circuit(
        slug="acme", registration_id="r", failures=5, refusals=3, open_until=NOW, paused_until=NOW, narrowed_to=2, misconfigured_since=NOW, last_error="ü", last_event="event_1", version=1,
    )  # fmt: skip
    agenda.save_circuit(full)
    was = agenda.circuit("acme")
    over = after(was, Tally(successes=1))
    agenda.save_circuit(over)

    assert plain(was) == full and plain(agenda.circuit("acme")) == plain(over)
    assert (over.open_until, over.misconfigured_since, over.last_error, over.narrowed_to) == (None, None, None, 3)


def test_circuits_of_all_providers_are_read_at_once(agenda: Agenda) -> None:
    for slug in ("acme", "globex"):
        agenda.save_circuit(after(Circuit(slug=slug), FAILED))

    assert {slug: each.failures for slug, each in agenda.circuits().items()} == {"acme": 1, "globex": 1}


@pytest.mark.parametrize("version", [0, 1], ids=["the first", "a later one"])
def test_of_two_that_tell_of_the_same_circuit_one_loses_and_its_event_with_it(agenda: Agenda, table: Table, version: int) -> None:
    if version:
        agenda.save_circuit(after(Circuit(slug="acme"), FAILED))
    seen = agenda.circuit("acme")
    agenda.save_circuit(after(seen, FAILED))
    late, events = circuits.after(seen, Tally(refusals=3, last_error="invalid_client"), "data_integration_01", 4, NOW)
    with pytest.raises(LostRace):
        agenda.save_circuit(late, events)

    assert (agenda.circuit("acme").failures, agenda.circuit("acme").version) == (version + 1, version + 1)
    assert len(events) == 1 and OutboxRows(table).log("data_integration_01") == []


def test_a_circuit_and_its_event_are_one_write(agenda: Agenda, table: Table) -> None:
    opened, events = circuits.after(Circuit(slug="acme"), Tally(refusals=3), "data_integration_01", 4, NOW)
    agenda.save_circuit(opened, events)

    assert [each.id for each in OutboxRows(table).log("data_integration_01")] == [agenda.circuit("acme").last_event]


def test_one_of_eight_claims_the_probe(agenda: Agenda) -> None:
    agenda.save_circuit(replace(after(Circuit(slug="acme"), *[FAILED] * 5), version=1))
    seen = agenda.circuit("acme")

    def claim(_number: int) -> bool:
        try:
            agenda.save_circuit(circuits.probing(seen, NOW + MINUTE))
        except LostRace:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(claim, range(8))) == 1


def test_a_registration_that_was_changed_begins_anew(agenda: Agenda) -> None:
    agenda.save_circuit(after(Circuit(slug="acme"), FAILED))
    agenda.close_circuit("acme")
    agenda.close_circuit("acme")
    agenda.save_circuit(after(agenda.circuit("acme"), FAILED))

    assert (agenda.circuit("acme").version, agenda.circuit("acme").failures) == (1, 1)


# slots


def test_a_slot_is_one_messages_until_it_leaves_or_it_lapses(agenda: Agenda) -> None:
    until = NOW + MINUTE
    taken = [agenda.take_slot("acme", 0, "a", NOW, until), agenda.take_slot("acme", 0, "b", NOW, until), agenda.take_slot("acme", 1, "b", NOW, until), agenda.take_slot("globex", 0, "b", NOW, until)]
    at_its_end = agenda.take_slot("acme", 0, "b", until, until + MINUTE)
    lapsed = agenda.take_slot("acme", 0, "b", until + SECOND, until + MINUTE)

    assert (taken, at_its_end, lapsed) == ([True, False, True, True], False, True)


def test_only_who_holds_a_slot_leaves_it(agenda: Agenda) -> None:
    agenda.take_slot("acme", 0, "a", NOW, NOW + MINUTE)
    agenda.leave_slot("acme", 0, "b")
    held = agenda.take_slot("acme", 0, "b", NOW, NOW + MINUTE)
    agenda.leave_slot("acme", 0, "a")
    agenda.leave_slot("acme", 0, "a")

    assert (held, agenda.take_slot("acme", 0, "b", NOW, NOW + MINUTE)) == (False, True)


def test_one_of_eight_takes_a_slot(agenda: Agenda) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda n: agenda.take_slot("acme", 0, f"w{n}", NOW, NOW + MINUTE), range(8))) == 1


# how far each pass got


def test_progress_is_where_the_last_one_left_it(agenda: Agenda) -> None:
    swept = [Progress(swept_until=NOW, looked_back_at=NOW - MINUTE), Progress(swept_until=NOW + MINUTE)]
    repaired = [RepairProgress(began_at=NOW, cursor={"pk": "a", "sk": "b"}, looked_at=7, repaired=1), RepairProgress(began_at=NOW)]
    before = (agenda.progress(), agenda.repair_progress())
    seen = []
    for sweep, repair in zip(swept, repaired, strict=True):
        agenda.note_progress(sweep)
        agenda.note_repair_progress(repair)
        seen.append((agenda.progress(), agenda.repair_progress()))

    assert before == (Progress(), None) and seen == list(zip(swept, repaired, strict=True))


# what the index lost


def pages(agenda: Agenda, limit: int) -> list[tuple[str, str | None]]:
    rows, start = [], None
    while True:
        page, start = agenda.page(start, limit)
        assert len(page) <= limit
        rows += [(row.user_id or "", shard) for row, shard in page]
        if start is None:
            return sorted(rows)


def test_every_connection_is_on_one_page_and_nothing_else_is(agenda: Agenda, store: Store) -> None:
    made(store, "due", refresh_due_at=NOW)
    made(store, "rests")
    made(store, "gone", state="disconnected")
    store.begin(pending())
    store.save_registration(REGISTRATION, expected_version=None)

    shard = keys.due_shard("data_installation_due", 16)
    assert pages(agenda, 1) == pages(agenda, 100) == [("due", shard), ("gone", None), ("rests", None)]


def test_a_row_that_cannot_be_read_is_named_and_does_not_hide_the_others(agenda: Agenda, store: Store, table: Table, capsys: pytest.CaptureFixture[str]) -> None:
    row = made(store, "damaged")
    made(store, "whole")
    table.note(keys.connection(row.owner, "acme"), {"expires_at": CANARY}, condition="attribute_exists(pk)", values={})

    assert pages(agenda, 100) == [("whole", None)]
    assert "Connection.expires_at cannot be read" in (written := capsys.readouterr().out) and CANARY not in written


LOST: dict[str, Callable[[Store, Connection], object]] = {
    "a refresh": lambda s, c: s.commit(refreshed(c)),
    "a verdict": lambda s, c: s.commit(refused(c)),
    "a disconnect": lambda s, c: s.commit(lifecycle.disconnected(c, NOW)),
    "a failure": lambda s, c: s.commit(lifecycle.failed(s.lease(c, "w", NOW + LEASE, NOW), "x", in_doubt=False, retry_after=None, now=NOW), holder="w"),
    "another time": lambda s, c: s.commit(lifecycle.rested(c, Policy(), NOW)),
}


@pytest.mark.parametrize("meanwhile", LOST.values(), ids=LOST)
@pytest.mark.parametrize("due", [None, NOW - 9 * HOUR], ids=["lost", "with a wrong time"])
def test_putting_it_back_loses_to_whoever_changed_it_meanwhile(agenda: Agenda, store: Store, meanwhile: Callable[[Store, Connection], object], due: Any) -> None:
    seen = saved(store, refresh_due_at=due)
    meanwhile(store, seen)
    there = now_in(store)

    assert agenda.reindex(seen, NOW) is False and now_in(store) == there


@pytest.mark.parametrize("due", [None, NOW - 9 * HOUR], ids=["lost", "with a wrong time"])
def test_what_the_index_lost_is_put_back_without_disturbing_a_lease(agenda: Agenda, store: Store, due: Any) -> None:
    seen = saved(store, refresh_due_at=due)
    leased = store.lease(seen, "w1", NOW + LEASE, NOW)

    assert agenda.reindex(seen, NOW) is True
    assert [entry.since for entry in found(agenda, NOW)] == [NOW] and now_in(store) == replace(leased, refresh_due_at=NOW)
    store.commit(refreshed(leased), holder="w1")
