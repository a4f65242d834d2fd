"""A write whose answer got lost after it was applied: botocore asks again, and the second answer must not look like a lost race."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest

from chalicelib.domain.models import ApiKey, Connection
from chalicelib.doors.outbox import OutboxRows
from chalicelib.doors.store import Store
from chalicelib.doors.table import LostRace, Table
from chalicelib.wiring.doors import AWS_CONFIG
from tests.cloud import REGION, Stage
from tests.domain.samples import HOUR, NOW, pending
from tests.doors.stored import LEASE, REGISTRATION, now_in, refreshed, refused, saved
from tests.peers import FaultProxy, faults
from tests.peers.fault_proxy import Recorded


class Way:
    """A client whose way to the table leads through a proxy that breaks the next request of an operation."""

    def __init__(self, stage: Stage) -> None:
        self._name = stage.table
        self._planned: dict[str, faults.Fault] = {}
        self.asked: list[str] = []
        self.proxy = FaultProxy(stage.cloud.endpoint, self._choose)

    def store(self) -> Store:
        client = boto3.client("dynamodb", endpoint_url=self.proxy.base_url, region_name=REGION, config=AWS_CONFIG)
        return Store(Table(client, self._name), 16)

    def breaks(self, operation: str, fault: faults.Fault) -> None:
        self._planned[operation] = fault

    def _choose(self, record: Recorded) -> faults.Fault | None:
        target = {name.lower(): value for name, value in record.headers.items()}.get("x-amz-target", "").rsplit(".", 1)[-1]
        self.asked.append(target)
        return self._planned.pop(target, None)


@pytest.fixture
def store(stage: Stage) -> Store:
    return stage.engine().store


@pytest.fixture
def way(stage: Stage) -> Iterator[Way]:
    made = Way(stage)
    with made.proxy:
        yield made


WRITES: dict[str, tuple[str, Callable[[Store, Connection], Any], Callable[[Store], bool]]] = {
    "lease": ("UpdateItem", lambda s, c: s.lease(c, "w1", NOW + LEASE, NOW), lambda s: now_in(s).lease_owner == "w1"),
    "store": ("UpdateItem", lambda s, c: s.commit(refreshed(c)), lambda s: now_in(s).generation == 4),
    "verdict": ("TransactWriteItems", lambda s, c: s.commit(refused(c)), lambda s: len(OutboxRows(s._table).log(now_in(s).id)) == 1),
    "begin": ("PutItem", lambda s, _c: s.begin(pending(id="new")), lambda s: s.pending("new") is not None),
    "advance": ("UpdateItem", lambda s, _c: s.advance(pending(), "opened", browser_digest="b"), lambda s: getattr(s.pending("pending_1"), "stage", "") == "opened"),
    "registration made": ("PutItem", lambda s, _c: s.save_registration(replace(REGISTRATION, slug="new"), expected_version=None), lambda s: s.registration("new") is not None),
    "registration changed": (
        "PutItem", lambda s, _c: s.save_registration(replace(REGISTRATION, version=2), expected_version=1), lambda s: getattr(s.registration("acme"), "version", 0) == 2,
    ),
    "touch": ("UpdateItem", lambda s, c: s.touch(c, NOW + HOUR), lambda s: now_in(s).last_used_at == NOW + HOUR),
    "key revoked": ("UpdateItem", lambda s, _c: s.revoke_api_key("01", NOW), lambda s: getattr(s.api_key("01"), "revoked_at", None) == NOW),
}  # fmt: skip
LOST = {
    "connection closed": faults.lose_answer(),
    "500 after the fact": faults.status(500, {"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": ""}, forward=True),
}


@pytest.mark.parametrize("lost", LOST.values(), ids=LOST)
@pytest.mark.parametrize(("operation", "write", "happened"), WRITES.values(), ids=WRITES)
def test_a_lost_answer_to_an_applied_write_is_a_success(
    store: Store, way: Way, operation: str, write: Callable[[Store, Connection], Any], happened: Callable[[Store], bool], lost: faults.Fault
) -> None:
    before = saved(store)
    store.begin(pending())
    store.save_registration(REGISTRATION, expected_version=None)
    store.save_api_key(ApiKey(id="01", name="ci", secret_digest="d", created_at=NOW))
    way.breaks(operation, lost)
    write(way.store(), before)

    assert way.asked == [operation] * 2 and happened(store)


def test_a_note_of_use_in_between_does_not_make_a_lost_answer_a_lost_race(store: Store, way: Way) -> None:
    """Another process's fetch may come between a write and its second try."""
    before = saved(store)

    def act(exchange: faults.Exchange) -> None:
        exchange.forward()
        store.touch(before, NOW + HOUR)
        exchange.close()

    way.breaks("UpdateItem", faults.Fault("touched", act))
    leased = way.store().lease(before, "w1", NOW + LEASE, NOW)

    assert (leased.lease_owner, leased.last_used_at) == ("w1", NOW + HOUR)


@pytest.mark.parametrize("operation", ["UpdateItem", "TransactWriteItems"])
def test_a_lost_answer_does_not_hide_that_another_was_first(store: Store, way: Way, operation: str) -> None:
    before = saved(store)
    store.commit(refreshed(before))
    way.breaks(operation, faults.lose_answer())

    with pytest.raises(LostRace):
        way.store().commit(refreshed(before) if operation == "UpdateItem" else refused(before))
    assert (now_in(store).generation, now_in(store).state) == (4, "connected")
