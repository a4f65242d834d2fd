"""Events in a real table: a row that waits and a row that is kept, written together and never alone."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain import events, lifecycle
from chalicelib.domain.events import Event
from chalicelib.domain.schedule import Policy
from chalicelib.doors import keys
from chalicelib.doors.outbox import OutboxRows, rows_of
from chalicelib.doors.store import Store
from chalicelib.doors.table import LostRace, Table, new_write_id
from tests.cloud import Stage
from tests.domain.samples import CANARY, HOUR, NOW, answer, connection, pending
from tests.doors.stored import refreshed, refused, saved

MISCONFIGURED = events.of_misconfiguration("data_integration_01", "acme", "invalid_client", NOW, last=None)


@pytest.fixture
def table(stage: Stage) -> Table:
    return stage.engine().table


@pytest.fixture
def rows(table: Table) -> OutboxRows:
    return OutboxRows(table)


@pytest.fixture
def store(table: Table) -> Store:
    return Store(table, 16)


def put(table: Table, *told: Event) -> None:
    for event in told:
        for row in rows_of(event):
            table.put({"pk": row["pk"], "sk": row["sk"]}, row)


def waiting(rows: OutboxRows) -> list[str]:
    return [event.id for shard in range(keys.OUTBOX_SHARDS) for event in rows.waiting(shard)]


def about(subject: str, now: Any = NOW, last: str | None = None) -> Event:
    return replace(events.of_misconfiguration(subject, "acme", "x", now, last=last), previous=last)


def test_an_event_is_a_row_that_waits_and_two_that_are_kept_for_thirty_days() -> None:
    outgoing, kept, of_the_day = rows_of(MISCONFIGURED)

    assert "ttl" not in outgoing and kept["ttl"] == of_the_day["ttl"] == int((NOW + timedelta(days=30)).timestamp())
    assert (outgoing["pk"].partition("#")[0], kept["pk"], of_the_day["pk"][:-1]) == ("outbox", "events#data_integration_01", "log#2026-03-01#")
    assert {row["sk"] for row in (outgoing, kept, of_the_day)} == {MISCONFIGURED.id}
    place = {"pk", "sk", "ttl"}
    (fields,) = {repr({name: value for name, value in row.items() if name not in place}) for row in (outgoing, kept, of_the_day)}
    assert MISCONFIGURED.id in fields


def test_the_day_of_an_event_is_that_of_its_id_and_not_of_a_clock() -> None:
    """A reader goes on from an id alone."""
    ahead = events.of_misconfiguration("data_integration_01", "acme", "x", NOW, last=events.new_id(NOW + timedelta(days=1), None))

    assert rows_of(ahead)[2]["pk"].startswith("log#2026-03-02#") and ahead.created_at == NOW


def test_events_of_one_subject_are_spread_over_the_day() -> None:
    assert len({rows_of(about("c1"))[2]["pk"] for _ in range(64)}) > 4


def test_one_event_is_found_by_its_id_and_subject(table: Table, rows: OutboxRows) -> None:
    put(table, MISCONFIGURED)

    assert rows.kept(MISCONFIGURED.id, "data_integration_01") == MISCONFIGURED
    assert rows.kept(MISCONFIGURED.id, "data_integration_02") is None and rows.kept(about("c1").id, "data_integration_01") is None


def test_an_event_comes_back_as_it_was_told(table: Table, rows: OutboxRows) -> None:
    full = replace(MISCONFIGURED, generation=7, previous="event_0", data={"text": "ü✓", "list": ["a", "b"], "number": 3, "truth": False, "empty": [], "inner": {"a": "b"}})
    put(table, full)

    (found,) = [event for shard in range(keys.OUTBOX_SHARDS) for event in rows.waiting(shard)]
    assert found == full and rows.log("data_integration_01") == [full]


def test_state_and_all_rows_are_one_write(store: Store, rows: OutboxRows) -> None:
    store.commit(refused(saved(store)))

    (kept,) = rows.log("data_installation_01")
    assert waiting(rows) == [kept.id] and rows.is_waiting(kept.id, "data_installation_01")


def test_a_write_that_loses_leaves_neither_row(store: Store, rows: OutboxRows) -> None:
    before = saved(store)
    store.commit(refreshed(before))
    with pytest.raises(LostRace):
        store.commit(refused(before))

    assert waiting(rows) == [] and rows.log("data_installation_01") == []


def test_what_was_published_waits_no_more_and_is_kept(table: Table, rows: OutboxRows) -> None:
    other = about("data_integration_02")
    put(table, MISCONFIGURED, other)
    for _ in range(2):  # a crash in between has it published again
        rows.published(MISCONFIGURED)

    assert waiting(rows) == [other.id] and rows.log("data_integration_01") == [MISCONFIGURED]
    assert (rows.is_waiting(MISCONFIGURED.id, "data_integration_01"), rows.is_waiting(other.id, "data_integration_02")) == (False, True)


def test_events_of_one_subject_wait_in_the_order_things_happened(table: Table, rows: OutboxRows) -> None:
    first = about("c1")
    second = about("c1", NOW - HOUR, first.id)
    third = about("c1", NOW - 2 * HOUR, second.id)
    put(table, third, first, second)

    assert waiting(rows) == [first.id, second.id, third.id] and rows.log("c1") == [first, second, third]


def test_an_event_waits_in_one_shard_and_subjects_are_spread(table: Table, rows: OutboxRows) -> None:
    told = [about(f"c{n}") for n in range(24)]
    put(table, *told)

    per_shard = [[event.id for event in rows.waiting(shard)] for shard in range(keys.OUTBOX_SHARDS)]
    assert sorted(id for shard in per_shard for id in shard) == sorted(event.id for event in told)
    assert sum(map(bool, per_shard)) > 1


def test_the_log_of_one_subject_holds_nobody_elses(table: Table, rows: OutboxRows) -> None:
    put(table, about("c1"), about("c1#c2"), about("c10"))

    assert [event.subject for event in rows.log("c1")] == ["c1"] and rows.log("nobody") == []


def test_the_same_event_twice_is_refused(table: Table, rows: OutboxRows) -> None:
    """Or a retried transaction under another write id would put a published event back."""
    put(table, MISCONFIGURED)
    rows.published(MISCONFIGURED)
    with pytest.raises(LostRace):
        table.update_with_rows(
            keys.circuit("acme"), {"version": 1}, removes=(), condition="attribute_not_exists(pk)", values={}, rows=rows_of(MISCONFIGURED), write_id=new_write_id()
        )  # fmt: skip

    assert waiting(rows) == [] and table.get(keys.circuit("acme")) is None


def test_r19_no_row_of_an_event_holds_a_token(store: Store, table: Table) -> None:
    first = saved(store, sealed=CANARY.encode(), user_id="user_1")
    store.commit(lifecycle.connected(first, pending(sealed=CANARY.encode()).consent, "data_installation_02", answer(), CANARY.encode(), policy=Policy(), grant_limit=0, now=NOW))

    found = [row for row in table.scan(None, limit=100)[0] if not row["sk"].startswith("connection#")]
    assert len(found) == 3 and CANARY not in repr(found) and "at-new" not in repr(found) and connection().id
