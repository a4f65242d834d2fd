"""The way to the table misbehaves: botocore repeats by itself, so a write may have happened whose answer nobody saw. It counts once."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from chalicelib.domain.errors import Unavailable
from chalicelib.engine.tokens import Inactive, Live
from tests.engine.scenes import EXPIRED, PAST_LEASE, SLUG, Process, Scene, new_owner, reauthorization_events, told
from tests.peers import FaultProxy, faults
from tests.peers.fault_proxy import Recorded

BROKEN = {
    "answer lost": faults.lose_answer(),
    "500 after the fact": faults.status(500, {"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": ""}, forward=True),
}


class WayToTheTable:
    """A proxy in front of the embedded AWS that breaks the `number`-th request of one operation."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._plan: dict[str, list[faults.Fault | None]] = {}
        self.proxy = FaultProxy(scene.stage.cloud.endpoint, self._choose)

    def breaks(self, operation: str, number: int, fault: faults.Fault) -> None:
        self._plan[operation] = [None] * (number - 1) + [fault]

    def done(self) -> bool:
        return not any(self._plan.values())

    def process(self, **more: Any) -> Process:
        return self.scene.process(endpoint=self.proxy.base_url, **more)

    def _choose(self, record: Recorded) -> faults.Fault | None:
        target = {name.lower(): value for name, value in record.headers.items()}.get("x-amz-target", "")
        planned = self._plan.get(target.rsplit(".", 1)[-1])
        return planned.pop(0) if planned else None


@pytest.fixture
def way(strict: Scene) -> Iterator[WayToTheTable]:
    made = WayToTheTable(strict)
    with made.proxy:
        yield made


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("number", [1, 2], ids=["lease", "store"])
def test_a_refresh_whose_write_was_answered_to_nobody(way: WayToTheTable, number: int, broken: str) -> None:
    scene, owner = way.scene, new_owner()
    scene.connected(owner)
    way.breaks("UpdateItem", number, BROKEN[broken])
    live = way.process(ahead=EXPIRED).fetch(owner)
    assert way.done()
    assert isinstance(live, Live) and live.connection.generation == 2
    assert scene.works(live)
    assert scene.posts() == 1
    row = scene.first.row(owner)
    assert (row.generation, row.lease_owner, row.intent_attempt) == (2, None, 0)
    assert scene.works(scene.process(EXPIRED * 2).fetch(owner))


@pytest.mark.parametrize("broken", BROKEN)
def test_a_verdict_whose_transaction_was_answered_to_nobody(way: WayToTheTable, broken: str) -> None:
    scene, owner = way.scene, new_owner()
    made = scene.connected(owner)
    scene.peer.revoke_user(owner.user_id or "")
    way.breaks("TransactWriteItems", 1, BROKEN[broken])
    ended = way.process(ahead=EXPIRED).fetch(owner)
    assert way.done()
    assert isinstance(ended, Inactive) and ended.reason == "refused"
    assert len(reauthorization_events(scene.first, made)) == 1
    assert scene.posts() == 1


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize(
    ("operation", "number"), [("PutItem", 1), ("UpdateItem", 1), ("UpdateItem", 2), ("UpdateItem", 3), ("TransactWriteItems", 1)], ids=["begun", "opened", "redirected", "taken", "connected"]
)
def test_a_connect_whose_write_was_answered_to_nobody(way: WayToTheTable, operation: str, number: int, broken: str) -> None:
    scene, owner, engine = way.scene, new_owner(), way.process()
    way.breaks(operation, number, BROKEN[broken])
    made = scene.arrive(scene.leave(owner, engine), engine).connection
    assert way.done()
    assert made is not None and made.generation == 1
    assert told(engine, made) == ["connected"]
    assert scene.posts("authorization_code") == 1
    assert scene.works(engine.fetch(owner))


def test_a_disconnect_whose_transaction_was_answered_to_nobody(way: WayToTheTable) -> None:
    scene, owner = way.scene, new_owner()
    made = scene.connected(owner)
    way.breaks("TransactWriteItems", 1, faults.lose_answer())
    assert way.process().disconnect.disconnect(owner, SLUG, seconds_left=lambda: 29.0) == "revoked"
    assert way.done()
    assert told(scene.first, made) == ["connected", "disconnected"]


def down(engine: Process, operation: str, numbers: Callable[[int], bool]) -> None:
    """The table cannot be reached for those calls of an operation for which `numbers` says so."""
    seen = 0

    def refuse(**_event: Any) -> None:
        nonlocal seen
        seen += 1
        if numbers(seen):
            raise EndpointConnectionError(endpoint_url="the table")

    engine.dynamodb.meta.events.register(f"before-call.dynamodb.{operation}", refuse)


def unreachable(**_event: Any) -> None:
    raise EndpointConnectionError(endpoint_url="the queue")


def test_an_answer_is_stored_although_the_table_is_away_for_a_moment(strict: Scene) -> None:
    owner = new_owner()
    strict.connected(owner)
    engine = strict.process(EXPIRED)
    down(engine, "UpdateItem", lambda number: 2 <= number <= 6)
    live = engine.fetch(owner)
    assert isinstance(live, Live) and live.connection.generation == 2
    assert strict.posts() == 1
    assert strict.works(strict.process(EXPIRED * 2).fetch(owner))


def test_a_verdict_is_stored_although_the_table_is_away_for_a_moment(strict: Scene) -> None:
    owner = new_owner()
    made = strict.connected(owner)
    strict.peer.revoke_user(owner.user_id or "")
    engine = strict.process(EXPIRED)
    down(engine, "TransactWriteItems", lambda number: number <= 4)
    ended = engine.fetch(owner)
    assert isinstance(ended, Inactive) and ended.reason == "refused"
    assert len(reauthorization_events(engine, made)) == 1
    assert strict.posts() == 1


def test_an_answer_that_neither_table_nor_queue_takes_is_said_aloud_and_nothing_is_pretended(grace: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    owner = new_owner()
    grace.connected(owner)
    engine, waited = grace.process(EXPIRED), [0.0]
    engine.sleep, engine.monotonic = lambda seconds: waited.append(waited[-1] + seconds), lambda: waited[-1]  # type: ignore[method-assign]
    down(engine, "UpdateItem", lambda number: number > 1)
    engine.sqs.meta.events.register("before-call.sqs.SendMessageBatch", unreachable)
    with pytest.raises(Unavailable):
        engine.fetch(owner)
    assert "persist_failure" in capsys.readouterr().out
    assert 5 <= waited[-1] < 45
    row = engine.row(owner)
    assert (row.state, row.generation, row.intent_attempt) == ("connected", 1, 1)
    live = grace.process(EXPIRED + PAST_LEASE).fetch(owner)
    assert isinstance(live, Live) and live.connection.generation == 2


def test_a_table_that_is_away_before_the_lease_costs_nothing(strict: Scene) -> None:
    owner = new_owner()
    strict.connected(owner)
    engine = strict.process(EXPIRED)
    down(engine, "UpdateItem", lambda number: number == 1)
    with pytest.raises(Unavailable) as refused:
        engine.fetch(owner)
    assert refused.value.retry_after and strict.posts() == 0
    assert strict.works(engine.fetch(owner))
