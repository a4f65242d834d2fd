"""A process killed at every step of a refresh. The next one, once the lease has lapsed, repairs what can be repaired, and tells once what cannot."""

import signal
from datetime import timedelta

import pytest

from chalicelib.engine.tokens import Inactive, Live
from tests.engine.processes import workers
from tests.engine.scenes import EXPIRED, PAST_LEASE, Scene, new_owner, reauthorization_events
from tests.peers import faults

LEASE, STORE = 1, 2  # a refresh updates the row twice: to lease it, and to store what was answered

# moment, AWS call to die at, had the provider been asked by then, was the answer stored by then
STEPS = [
    pytest.param({"operation": "UpdateItem", "number": LEASE, "moment": "before-send"}, False, False, id="before the lease"),
    pytest.param({"operation": "UpdateItem", "number": LEASE, "moment": "after-call"}, False, False, id="after the lease"),
    pytest.param({"operation": "UpdateItem", "number": STORE, "moment": "before-send"}, True, False, id="before the store"),
    pytest.param({"operation": "UpdateItem", "number": STORE, "moment": "after-call"}, True, True, id="after the store"),
]
LATER = EXPIRED + PAST_LEASE


def killed(scene: Scene, owner, job: dict) -> None:  # type: ignore[no-untyped-def, type-arg]
    with workers(scene, owner, EXPIRED, job) as (worker,):
        worker.go()
        code, results = worker.end()
    assert (code, results) == (-signal.SIGKILL, [])


@pytest.mark.parametrize(("kill", "asked", "stored"), STEPS)
def test_at_a_provider_with_a_grace_period_every_crash_is_repaired(grace: Scene, kill: dict, asked: bool, stored: bool) -> None:  # type: ignore[type-arg]
    owner = new_owner()
    made = grace.connected(owner)
    killed(grace, owner, {"kill": kill})
    assert grace.posts() == int(asked)
    engine = grace.process(LATER)
    live = engine.fetch(owner)
    assert isinstance(live, Live) and live.connection.generation == 2
    assert grace.works(live)
    assert grace.posts() == (1 if stored or not asked else 2)
    assert grace.works(grace.process(LATER * 2).fetch(owner))
    assert reauthorization_events(engine, made) == []


@pytest.mark.parametrize(("kill", "asked", "stored"), STEPS)
def test_at_a_strict_provider_only_a_lost_answer_ends_a_connection(strict: Scene, kill: dict, asked: bool, stored: bool) -> None:  # type: ignore[type-arg]
    owner = new_owner()
    made = strict.connected(owner)
    killed(strict, owner, {"kill": kill})
    engine = strict.process(LATER)
    if asked and not stored:
        assert_told_once(strict, engine, owner, made)
        return
    live = engine.fetch(owner)
    assert isinstance(live, Live) and live.connection.generation == 2
    assert strict.works(live)
    assert strict.posts() == 1
    assert strict.works(strict.process(LATER * 2).fetch(owner))
    assert reauthorization_events(engine, made) == []


def assert_told_once(scene: Scene, engine, owner, made) -> None:  # type: ignore[no-untyped-def]
    ended = engine.fetch(owner)
    assert isinstance(ended, Inactive) and ended.reason == "refresh_outcome_unknown"
    assert scene.posts() == 2
    assert isinstance(engine.fetch(owner), Inactive)
    assert scene.posts() == 2
    assert len(reauthorization_events(engine, made)) == 1
    assert scene.connected(owner).state == "connected"


@pytest.mark.parametrize("forwarded", [False, True], ids=["before send", "after send"])
def test_a_crash_during_the_providers_call(strict: Scene, forwarded: bool) -> None:
    owner, gate = new_owner(), faults.Gate()
    made = strict.connected(owner)
    strict.fault(faults.hold(gate, forward_first=forwarded) if forwarded else held_and_dropped(gate))
    with workers(strict, owner, EXPIRED, {}) as (worker,):
        worker.go()
        assert gate.reached.wait(20)
        worker.kill()
        assert worker.end()[0] == -signal.SIGKILL
        gate.open()
    engine = strict.process(LATER)
    if forwarded:
        assert_told_once(strict, engine, owner, made)
    else:
        live = engine.fetch(owner)
        assert strict.works(live) and isinstance(live, Live) and live.connection.generation == 2
        assert strict.posts(forwarded=True) == 1
        assert reauthorization_events(engine, made) == []


def held_and_dropped(gate: faults.Gate) -> faults.Fault:
    """The sender dies while its request is on the way, and the request with it."""

    def act(x: faults.Exchange) -> None:
        gate.wait(x)
        x.close()

    return faults.Fault("held_and_dropped", act)


def test_the_lease_of_a_killed_process_is_respected_until_it_lapses(strict: Scene) -> None:
    owner = new_owner()
    strict.connected(owner)
    killed(strict, owner, {"kill": {"operation": "UpdateItem", "number": LEASE, "moment": "after-call"}})
    early = strict.process(EXPIRED + timedelta(seconds=20))
    outcome = early.refresher.refresh(early.row(owner), lambda newer: newer.generation > 1, seconds_left=lambda: 29.0, patience=0.5)
    assert (outcome.bucket, outcome.connection.intent_attempt) == ("lease_timeout", 1)
    assert strict.posts() == 0


@pytest.mark.parametrize("moment", ["before-send", "after-call"])
def test_a_crash_around_the_verdict_tells_of_it_once(strict: Scene, moment: str) -> None:
    owner = new_owner()
    made = strict.connected(owner)
    strict.peer.revoke_user(owner.user_id or "")
    killed(strict, owner, {"kill": {"operation": "TransactWriteItems", "number": 1, "moment": moment}})
    engine = strict.process(LATER)
    ended = engine.fetch(owner)
    # Before the transaction nothing is known of what the provider said, so the second try cannot tell a refusal from a lost answer.
    assert isinstance(ended, Inactive) and ended.reason == ("refused" if moment == "after-call" else "refresh_outcome_unknown")
    assert strict.posts() == (1 if moment == "after-call" else 2)
    assert len(reauthorization_events(engine, made)) == 1
    row = engine.row(owner)
    assert (row.state, row.lease_owner, row.refresh_due_at, row.generation) == ("needs_reauthorization", None, None, 1)
