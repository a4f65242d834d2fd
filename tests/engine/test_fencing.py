"""Two at one connection: B acts inside A's call to the provider. Whoever is newer by the person's own word stays."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from chalicelib.domain.errors import NotFound, Unavailable
from chalicelib.domain.events import timestamp
from chalicelib.domain.models import Connection, Owner
from chalicelib.engine.tokens import Inactive, Live
from tests.engine.deliveries import deliver
from tests.engine.scenes import EXPIRED, PAST_LEASE, SLUG, Scene, at_once, new_owner, outcomes, reauthorization_events
from tests.peers import faults


def meanwhile(scene: Scene, hold: faults.Fault, gate: faults.Gate, slow: Callable[[], Any], then: Callable[[], Any]) -> Any:
    """Runs `then` while `slow` is held at the gate; what `slow` came to."""
    scene.fault(hold)
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(slow)
        assert gate.reached.wait(10)
        try:
            then()
        finally:
            gate.open()
        return held.result(20)


def seen_and_held(gate: faults.Gate, seen: list[dict[str, Any]]) -> faults.Fault:
    """Holds the peer's answer, and lets the test look at it."""

    def act(x: faults.Exchange) -> None:
        answer = x.forward()
        seen.append(json.loads(answer.body))
        gate.wait(x)
        x.send(answer)

    return faults.Fault("seen_and_held", act)


def refused_late(gate: faults.Gate) -> faults.Fault:
    def act(x: faults.Exchange) -> None:
        gate.wait(x)
        x.send(faults.Answer(400, [("Content-Type", "application/json")], b'{"error":"invalid_grant"}'))

    return faults.Fault("refused_late", act)


def assert_at_rest(row: Connection, state: str, generation: int) -> None:
    assert (row.state, row.generation) == (state, generation)
    assert (row.lease_owner, row.lease_until, row.intent_attempt, row.failures) == (None, None, 0, 0)
    assert (row.failing_since, row.retry_at, row.hold_until, row.reason) == (None, None, None, None)


def test_a_disconnect_during_a_refresh_stays_and_the_fresh_token_is_revoked(strict: Scene) -> None:
    owner, gate, seen = new_owner(), faults.Gate(), list[dict[str, Any]]()
    strict.connected(owner)
    engine = strict.process(EXPIRED)
    answer = meanwhile(strict, seen_and_held(gate, seen), gate, lambda: engine.fetch(owner), lambda: strict.first.disconnect.disconnect(owner, SLUG, seconds_left=lambda: 29.0))
    assert isinstance(answer, Inactive) and answer.error == "not_installed"
    row = engine.row(owner)
    assert_at_rest(row, "disconnected", 2)
    assert row.sealed is None
    assert strict.revocations() == 1
    assert deliver(engine, "revoke") == ["revoked"]
    assert strict.revocations() == 2
    header = {"Authorization": f"Bearer {seen[0]['access_token']}"}
    assert requests.get(strict.peer.userinfo_endpoint, headers=header, timeout=10).status_code == 401


def test_a_reconnect_during_a_refresh_wins(strict: Scene) -> None:
    owner, gate = new_owner(), faults.Gate()
    made = strict.connected(owner)
    engine, other = strict.process(EXPIRED), strict.process(EXPIRED)
    answer = meanwhile(strict, faults.hold(gate), gate, lambda: engine.fetch(owner), lambda: strict.arrive(strict.leave(owner, other), other))
    row = engine.row(owner)
    assert_at_rest(row, "connected", 2)
    assert row.id == made.id
    assert isinstance(answer, Live) and answer.connection.generation == 2
    assert strict.works(answer)
    assert strict.works(strict.process(EXPIRED * 2).fetch(owner))


def fails(scene: Scene, owner: Owner) -> None:
    scene.fault(faults.status(503), times=2)
    with pytest.raises(Unavailable):
        scene.process(EXPIRED).fetch(owner)


def is_refused(scene: Scene, owner: Owner) -> None:
    scene.fault(faults.status(400, {"error": "invalid_grant"}))
    assert isinstance(scene.process(EXPIRED).fetch(owner), Inactive)


def rotates(scene: Scene, owner: Owner) -> None:
    assert scene.works(scene.process(EXPIRED).fetch(owner))


def is_killed(scene: Scene, owner: Owner) -> None:
    """What a killed refresh leaves behind: a lease and an intent."""
    engine = scene.process(EXPIRED)
    engine.store.lease(engine.row(owner), "killed", engine.now() + PAST_LEASE, engine.now())


def is_disconnected(scene: Scene, owner: Owner) -> None:
    scene.first.disconnect.disconnect(owner, SLUG, seconds_left=lambda: 29.0)


@pytest.mark.parametrize(("other", "generation"), [(fails, 2), (is_refused, 2), (is_killed, 2), (rotates, 3), (is_disconnected, 3)])
def test_whatever_a_refresh_does_during_a_reconnect_the_new_grant_stands(strict: Scene, other: Callable[[Scene, Owner], None], generation: int) -> None:
    owner, gate = new_owner(), faults.Gate()
    strict.connected(owner)
    back = strict.leave(owner)
    returned = meanwhile(strict, faults.hold(gate), gate, lambda: strict.arrive(back), lambda: other(strict, owner))
    assert returned.connection.state == "connected"
    row = strict.first.row(owner)
    assert_at_rest(row, "connected", generation)
    assert row.refresh_due_at and timestamp(row.refresh_due_at) == timestamp(returned.connection.refresh_due_at)
    assert strict.works(strict.first.fetch(owner))
    assert strict.works(strict.process(EXPIRED).fetch(owner))


def test_a_holder_that_slept_past_its_lease_does_not_overwrite(grace: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    owner, gate = new_owner(), faults.Gate()
    grace.connected(owner)
    sleeper, other = grace.process(EXPIRED), grace.process(EXPIRED + PAST_LEASE)
    got: list[Any] = []
    answer = meanwhile(grace, faults.hold(gate), gate, lambda: sleeper.fetch(owner), lambda: got.append(other.fetch(owner)))
    assert outcomes(capsys.readouterr().out) == ["success_fresh", "success_waited"]
    row = other.row(owner)
    assert_at_rest(row, "connected", 2)
    for live in (*got, answer):
        assert isinstance(live, Live) and live.connection.generation == 2
        assert grace.works(live)
    assert grace.works(grace.process(EXPIRED * 2).fetch(owner))


def test_a_holder_that_slept_while_the_lease_is_still_taken_gives_its_place_up(grace: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    owner, gate = new_owner(), faults.Gate()
    grace.connected(owner)
    sleeper, other = grace.process(EXPIRED), grace.process(EXPIRED + PAST_LEASE)
    taken: list[Connection] = []

    def take() -> None:
        taken.append(other.store.lease(other.row(owner), "other", other.now() + PAST_LEASE, other.now()))

    with pytest.raises(Unavailable):
        meanwhile(grace, faults.hold(gate), gate, lambda: sleeper.fetch(owner), take)
    assert outcomes(capsys.readouterr().out) == ["persist_failure"]
    row = other.row(owner)
    assert (row.generation, row.lease_owner, row.intent_attempt, row.sealed) == (1, "other", 2, taken[0].sealed)


def test_a_verdict_about_tokens_that_were_replaced_meanwhile_is_dropped(strict: Scene) -> None:
    owner, gate = new_owner(), faults.Gate()
    made = strict.connected(owner)
    sleeper, other = strict.process(EXPIRED), strict.process(EXPIRED + PAST_LEASE)
    got: list[Any] = []
    answer = meanwhile(strict, refused_late(gate), gate, lambda: sleeper.fetch(owner), lambda: got.append(other.fetch(owner)))
    assert isinstance(answer, Live) and answer.connection.generation == 2
    assert answer.tokens.access_token.reveal() == got[0].tokens.access_token.reveal()
    assert_at_rest(other.row(owner), "connected", 2)
    assert reauthorization_events(other, made) == []
    assert strict.works(strict.process(EXPIRED * 2).fetch(owner))


def test_a_late_refusal_does_not_end_what_another_holds_now(strict: Scene) -> None:
    owner, gate = new_owner(), faults.Gate()
    made = strict.connected(owner)
    sleeper, other = strict.process(EXPIRED), strict.process(EXPIRED + PAST_LEASE)
    with pytest.raises(Unavailable):
        meanwhile(
            strict, refused_late(gate), gate, lambda: sleeper.fetch(owner),
            lambda: other.store.lease(other.row(owner), "other", other.now() + PAST_LEASE, other.now()),
        )  # fmt: skip
    assert other.row(owner).state == "connected"
    assert reauthorization_events(other, made) == []


def test_ten_disconnects_at_once_end_it_once(strict: Scene) -> None:
    owner, engine = new_owner(), strict.first.warm()
    made = strict.connected(owner)
    results = at_once(10, lambda _n: engine.disconnect.disconnect(owner, SLUG, seconds_left=lambda: 29.0))
    assert [result for result in results if not isinstance(result, NotFound)] == ["revoked"]
    told = [event for event in engine.outbox_rows.log(made.id) if event.event.endswith(".disconnected")]
    assert len(told) == 1
    assert_at_rest(engine.row(owner), "disconnected", 2)
