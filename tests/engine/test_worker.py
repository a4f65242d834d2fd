"""The clock's half: who is due is found, sent, and refreshed once, whatever is lost, repeated or late on the way."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from chalicelib.domain.events import timestamp
from chalicelib.domain.models import Owner
from chalicelib.engine.keeping import UnknownMessage
from chalicelib.engine.messages import RefreshMessage
from chalicelib.engine.tokens import Live
from chalicelib.engine.worker import Worked
from tests.engine.deliveries import bodies, deliver, sweep_and_work, waiting
from tests.engine.processes import workers
from tests.engine.scenes import EXPIRED, PAST_LEASE, SLUG, Process, Scene, at_once, new_owner, outcomes, told
from tests.peers import faults

SECONDS = 120.0
DUE = timedelta(minutes=56)  # inside the margin: the peers' tokens live one hour


def owners(scene: Scene, count: int) -> list[Owner]:
    found = [new_owner() for _ in range(count)]
    for owner in found:
        scene.connected(owner)
    return found


def message_of(engine: Process, *those: Owner, **more: Any) -> dict[str, Any]:
    from chalicelib.doors import keys

    return RefreshMessage(SLUG, tuple(keys.connection(owner, SLUG) for owner in those), **more).body()


def work(engine: Process, *those: Owner, seconds: float = SECONDS, **more: Any) -> Worked:
    return engine.worker.handle(message_of(engine, *those, **more), lambda: seconds)


def test_a_due_connection_is_found_sent_and_refreshed_before_anybody_asks(strict: Scene) -> None:
    here, there = owners(strict, 2)
    early, engine = strict.process(timedelta(minutes=40)), strict.process(DUE)
    assert sweep_and_work(early) == {}
    assert sweep_and_work(engine) == {"success_fresh": 2}
    for owner in (here, there):
        live = engine.fetch(owner)
        assert isinstance(live, Live) and live.connection.generation == 2 and strict.works(live)
    assert strict.posts() == 2  # the fetches found it done
    assert sweep_and_work(engine) == {}


def test_case_02_a_fetch_the_sweep_an_operator_and_a_repeated_message_make_one_call(strict: Scene) -> None:
    (owner,) = owners(strict, 1)
    engines = [strict.process(EXPIRED).warm() for _ in range(4)]
    engines[0].sweep.run(lambda: 50.0)
    jobs = [
        lambda: engines[0].fetch(owner),
        lambda: deliver(engines[1], "refresh"),
        lambda: work(engines[2], owner, generation=1),
        lambda: work(engines[3], owner),
        lambda: work(engines[3], owner),
    ]
    results = at_once(len(jobs), lambda number: jobs[number]())
    assert not any(isinstance(result, Exception) for result in results), results
    assert strict.posts() == 1
    assert strict.works(engines[0].fetch(owner)) and strict.works(strict.process(EXPIRED * 2).fetch(owner))


def test_case_03_one_message_delivered_five_times_refreshes_once(strict: Scene) -> None:
    (owner,) = owners(strict, 1)
    engine = strict.process(DUE).warm()
    results = at_once(4, lambda _n: work(engine, owner))
    done = [what for worked in results for what in worked.done]
    assert done.count("success_fresh") == 1 and set(done) <= {"success_fresh", "busy", "stale", "success_waited"}
    assert work(engine, owner).done == {"stale": 1}
    assert strict.posts() == 1


def test_case_04_sweeps_that_overlap_repeat_and_stop_half_way_lose_nothing(strict: Scene) -> None:
    those = owners(strict, 25)
    engine = strict.process(DUE).warm()
    at_once(3, lambda _n: engine.sweep.run(lambda: 50.0))
    engine.sweep.run(lambda: 5.0)  # no time: it sends what it has read and remembers nothing
    for _ in range(2):
        engine.sweep.run(lambda: 50.0)
    results = deliver(engine, "refresh")
    assert all(isinstance(worked, Worked) for worked in results), results
    assert strict.posts() == len(those)
    assert {engine.row(owner).generation for owner in those} == {2}
    assert sweep_and_work(engine) == {}


def test_a_sweep_sends_twenty_keys_a_message_and_nothing_twice_while_the_queue_is_busy(strict: Scene) -> None:
    owners(strict, 23)
    engine = strict.process(DUE)
    first = engine.sweep.run(lambda: 50.0)
    assert (first.due, first.sent, first.looked_back) == (23, 2, True)
    again = engine.sweep.run(lambda: 50.0)
    assert (again.sent, again.looked_back) == (0, False)
    assert sorted(len(body["keys"]) for body in bodies(engine, "refresh")) == [3, 20]
    # What was lost with its messages is found again when the sweep looks back.
    for message in waiting(engine, "refresh"):
        engine.sqs.delete_message(QueueUrl=engine.settings.refresh_queue_url, ReceiptHandle=message["ReceiptHandle"])
    assert sweep_and_work(engine) == {"success_fresh": 23}


def test_a_full_queue_is_not_made_fuller(strict: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    from chalicelib.engine import sweep

    owners(strict, 3)
    engine = strict.process(DUE)
    monkeypatch.setattr(sweep, "MAX_DEPTH", 1)
    engine.queue(engine.settings.refresh_queue_url).send({"v": 0})
    assert engine.sweep.run(lambda: 50.0).sent == 0
    waiting(engine, "refresh")  # in flight is in the queue too
    assert engine.sweep.run(lambda: 50.0).sent == 0


def test_one_bad_key_fails_alone(strict: Scene) -> None:
    good, damaged, gone = (*owners(strict, 2), new_owner())
    engine = strict.process(DUE)
    row = engine.row(damaged)
    from dataclasses import replace

    from chalicelib.domain.lifecycle import Transition

    engine.store.commit(Transition(row, replace(row, sealed=(row.sealed or b"")[:-1] + b"\0")))
    worked = work(engine, damaged, gone, good)
    assert worked.done == {"integrity_error": 1, "gone": 1, "success_fresh": 1}
    assert engine.row(good).generation == 2
    after = engine.row(damaged)
    # Not a verdict, and not tried again every minute either.
    assert (after.state, after.generation, after.last_error, after.intent_attempt) == ("connected", 1, "integrity_error", 0)
    assert after.refresh_due_at and after.refresh_due_at > engine.now() + timedelta(seconds=30)
    assert strict.posts() == 1


@pytest.mark.parametrize("body", [None, {}, {"v": 2, "provider": "x", "keys": []}, {"v": 1, "provider": "x", "keys": [["pending#1", "pending"]]}, {"v": 1, "provider": "x", "keys": "ab"}, [1]])
def test_case_57_a_message_nobody_can_read_goes_back_to_the_queue(strict: Scene, body: Any) -> None:
    with pytest.raises(UnknownMessage):
        strict.first.worker.handle(body, lambda: SECONDS)


def test_case_57_an_unforeseen_error_comes_back_after_every_key_had_its_turn(strict: Scene) -> None:
    first, second = owners(strict, 2)
    engine = strict.process(DUE)
    load = engine.store.connection_at

    class Broken(RuntimeError):
        pass

    def broken(key: dict[str, str]) -> Any:
        if (first.user_id or "") in key["pk"]:
            raise Broken("canary in a message")
        return load(key)

    engine.store.connection_at = broken  # type: ignore[method-assign]
    with pytest.raises(Broken):
        work(engine, first, second)
    assert engine.row(second).generation == 2
    engine.store.connection_at = load  # type: ignore[method-assign]
    assert work(engine, first, second).done == {"success_fresh": 1, "stale": 1}


def test_case_12_with_too_little_time_left_nothing_is_begun(strict: Scene) -> None:
    those = owners(strict, 3)
    engine = strict.process(EXPIRED)
    worked = work(engine, *those, seconds=20.0)
    assert (worked.done, worked.skipped, strict.posts()) == ({}, "no_time", 0)
    assert work(engine, *those).done == {"success_fresh": 3}


def test_case_11_a_worker_that_runs_out_of_time_in_the_call_leaves_a_lost_answer(grace: Scene) -> None:
    """Lambda ends the process; the message comes back after its visibility timeout."""
    (owner,) = owners(grace, 1)
    gate = faults.Gate()
    grace.fault(faults.hold(gate))
    with workers(grace, owner, DUE, {"work": "message", "message": message_of(grace.first, owner)}) as (worker,):
        worker.go()
        assert gate.reached.wait(20)
        worker.kill()
        worker.end()
        gate.open()
    assert work(grace.process(DUE), owner).done == {"busy": 1}
    assert work(grace.process(DUE + PAST_LEASE), owner).done == {"success_fresh": 1}
    assert grace.works(grace.process(EXPIRED * 2).fetch(owner))


def test_case_58_an_index_that_is_behind_costs_a_look(strict: Scene) -> None:
    (owner,) = owners(strict, 1)
    engine = strict.process(DUE)
    engine.sweep.run(lambda: 50.0)
    assert isinstance(engine.rejected(owner, 1), Live)  # refreshed by somebody else meanwhile
    (worked,) = deliver(engine, "refresh")
    assert worked.done == {"stale": 1} and strict.posts() == 1


def test_case_58_a_connection_the_index_lost_is_found_by_the_daily_pass(strict: Scene) -> None:
    lost, kept = owners(strict, 2)
    engine = strict.process(DUE)
    from chalicelib.doors import keys

    engine.table.update(keys.connection(lost, SLUG), {"note": "x"}, removes=("due_shard",), condition="attribute_exists(pk)")
    assert sweep_and_work(engine) == {"success_fresh": 1}
    progress = engine.repair.run(lambda: 800.0)
    assert progress is not None and (progress.looked_at, progress.repaired, progress.cursor) == (2, 1, None)
    assert sweep_and_work(engine) == {"success_fresh": 1}
    assert engine.repair.run(lambda: 800.0) is None  # once a day
    engine.ahead += timedelta(days=1)
    again = engine.repair.run(lambda: 800.0)
    assert again is not None and again.repaired == 0
    assert engine.row(kept).generation == 2


def test_a_repair_pass_goes_on_where_it_was(strict: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    from chalicelib.engine import repair

    monkeypatch.setattr(repair, "PAGE", 2)
    owners(strict, 5)
    engine, left = strict.process(DUE), [100.0]

    def seconds_left() -> float:
        left[0] -= 30.0
        return left[0]

    first = engine.repair.run(seconds_left)
    assert first is not None and first.cursor is not None
    last = strict.process(DUE).repair.run(lambda: 800.0)
    assert last is not None and last.cursor is None and last.looked_at == 5 and timestamp(last.began_at) == timestamp(first.began_at)


@pytest.mark.parametrize("taken", [0, 1])
def test_case_64_credentials_that_end_in_mid_run_harm_nothing(strict: Scene, taken: int) -> None:
    those = owners(strict, 3)
    engine = strict.process(DUE)

    seen = []

    def expired(**_event: Any) -> Any:
        seen.append(1)
        if len(seen) > taken:
            raise EndpointConnectionError(endpoint_url="ExpiredToken")

    engine.dynamodb.meta.events.register("before-call.dynamodb.UpdateItem", expired)
    worked = work(engine, *those)
    assert worked.skipped in ("storage_unavailable", None) and set(worked.done) <= {"storage_unavailable"}
    assert strict.posts() == 0
    assert work(strict.process(DUE), *those).done == {"success_fresh": 3}


def test_case_19_workers_whose_clocks_differ_spend_a_token_once(strict: Scene) -> None:
    (owner,) = owners(strict, 1)
    gate = faults.Gate()
    strict.fault(faults.hold(gate))
    one, other = strict.process(EXPIRED), strict.process(EXPIRED + timedelta(seconds=30))
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(work, one, owner)
        assert gate.reached.wait(10)
        assert work(other, owner).done == {"busy": 1}
        gate.open()
        assert first.result(20).done == {"success_fresh": 1}
    assert strict.posts() == 1


def test_threads_of_a_message_work_side_by_side(strict: Scene) -> None:
    those = owners(strict, 10)
    gates = [faults.Gate() for _ in those]
    strict.fault(*(faults.hold(gate) for gate in gates))
    engine = strict.process(DUE)
    together = threading.Thread(target=lambda: work(engine, *those))
    together.start()
    assert all(gate.reached.wait(20) for gate in gates)  # all ten are asked while none is answered
    for gate in gates:
        gate.open()
    together.join(30)
    assert {engine.row(owner).generation for owner in those} == {2}


def test_every_exit_is_a_line_and_a_metric(strict: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    import json

    (owner,) = owners(strict, 1)
    capsys.readouterr()
    engine = strict.process(DUE)
    sweep_and_work(engine)
    printed = capsys.readouterr().out
    assert outcomes(printed) == ["success_fresh"]
    lines = {line["event"]: line for line in map(json.loads, printed.splitlines())}
    (metric,) = lines["refresh"]["_aws"]["CloudWatchMetrics"]
    assert metric["Namespace"] == "Standpipe" and metric["Dimensions"] == [["stage", "outcome"]] and lines["refresh"][metric["Metrics"][0]["Name"]] == 1
    swept = lines["sweep"]["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    assert {each["Name"] for each in swept} == {"sweep_due", "sweep_sent", "sweep_lag", "outbox_age", "misconfigured"}
    assert told(engine, engine.row(owner)) == ["connected"]
