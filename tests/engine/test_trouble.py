"""Providers in trouble, seen from the clock: one that is dead, one that throttles, one that refuses our own client. Nobody loses a grant, and no other provider waits."""

import json
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from chalicelib.domain import circuit as circuits
from chalicelib.domain.errors import Conflict, Unavailable
from chalicelib.domain.models import Owner
from chalicelib.domain.secret import Secret
from chalicelib.domain.settings import Settings
from chalicelib.engine import worker
from chalicelib.engine.registrations import Change
from chalicelib.engine.tokens import Live
from tests.engine.deliveries import deliver, sweep_and_work
from tests.engine.scenes import EXPIRED, SLUG, Process, Scene, at_once, new_owner, outcomes, told
from tests.peers import faults

MINUTE = timedelta(minutes=1)
DUE = timedelta(minutes=56)


def owners(scene: Scene, count: int) -> list[Owner]:
    found = [new_owner() for _ in range(count)]
    for owner in found:
        scene.connected(owner)
    return found


def minutes(engine: Process, count: int) -> list[dict[str, int]]:
    """The clock of so many minutes: a sweep each, and all it sent."""
    done = []
    for _ in range(count):
        done.append(sweep_and_work(engine))
        engine.ahead += MINUTE
    return done


def all_of(scene: Scene, fault: faults.Fault | None) -> None:
    """Every token request from now on."""
    scene.proxy.chooser = None if fault is None else lambda record: fault if record.path == scene.token_path else None


def test_case_25_a_provider_that_is_down_for_six_hours_costs_a_probe_a_minute_and_nobody_their_grant(strict: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    those = owners(strict, 12)
    made = [strict.first.row(owner) for owner in those]
    engine = strict.process(DUE)
    all_of(strict, faults.status(503, headers={"Retry-After": "1"}))
    minutes(engine, 1)
    first = strict.posts()
    assert first <= 12
    assert engine.circuits.of(SLUG).open_until is not None
    # A quarter of an hour of it by the minute, and a sample of the rest.
    minutes(engine, 15)
    assert strict.posts() - first <= 15
    for _ in range(6):
        engine.ahead += timedelta(minutes=54)
        minutes(engine, 3)
    assert [engine.row(owner).state for owner in those] == ["connected"] * 12
    assert strict.posts() - first <= 15 + 18
    asked = strict.posts()
    with pytest.raises(Unavailable) as refused:
        for owner in those:
            engine.fetch(owner)  # people are not kept waiting for a dead provider either: at most one probes
    assert refused.value.retry_after and strict.posts() - asked <= 1
    all_of(strict, None)
    engine.ahead += 2 * MINUTE
    assert sum(done.get("success_fresh", 0) for done in minutes(engine, 10)) >= 1
    # One step of the back-off at most: those that failed wait for theirs, and a fetch does not.
    engine.ahead += timedelta(hours=6)
    minutes(engine, 2)
    for owner in those:
        assert strict.works(engine.fetch(owner))
    assert [told(engine, connection) for connection in made] == [["connected"]] * 12
    assert "lost_outcome_unknown" not in outcomes(capsys.readouterr().out)


def test_days_of_failure_degrade_a_connection_once_and_its_recovery_is_told_once(strict: Scene) -> None:
    (owner,) = owners(strict, 1)
    made = strict.first.row(owner)
    engine = strict.process(EXPIRED)
    all_of(strict, faults.status(400, {"error": "temporarily_unavailable"}))
    for hours in range(0, 84, 6):
        engine.ahead = EXPIRED + timedelta(hours=hours)
        minutes(engine, 1)
        assert engine.row(owner).state == "connected"
    assert engine.row(owner).degraded_since is not None
    assert told(engine, made) == ["connected", "degraded"]
    all_of(strict, None)
    engine.ahead += timedelta(hours=8)
    minutes(engine, 1)
    assert told(engine, made) == ["connected", "degraded", "recovered"]
    row = engine.row(owner)
    assert (row.degraded_since, row.failing_since, row.failures) == (None, None, 0)
    assert strict.works(engine.fetch(owner))


def test_case_27_our_own_wrong_secret_is_one_alarm_and_harms_nobody(strict: Scene) -> None:
    those = owners(strict, 8)
    made = [strict.first.row(owner) for owner in those]
    engine = strict.process(DUE)
    for wrong in ("wrong one", "wrong two"):
        engine.registrations.update(SLUG, Change(client_secret=Secret(wrong)))
    minutes(engine, 5)
    circuit = engine.circuits.of(SLUG)
    assert circuit.misconfigured_since is not None and circuit.open_until is not None
    (event,) = engine.outbox_rows.log(circuit.registration_id)
    assert event.event == "provider.misconfigured" and event.data["provider_slug"] == SLUG
    asked = strict.posts()
    minutes(engine, 10)
    # Two secrets are kept while they overlap, and a probe tries both.
    assert strict.posts() - asked <= 20
    engine.ahead = EXPIRED
    with pytest.raises(Conflict) as refused:
        engine.fetch(those[0])
    assert refused.value.code == "provider_misconfigured"
    assert [engine.row(owner).state for owner in those] == ["connected"] * 8
    engine.registrations.update(SLUG, Change(client_secret=Secret(strict.peer.client_secret)))
    minutes(engine, 3)
    assert {engine.row(owner).generation for owner in those} == {2}
    assert [told(engine, connection) for connection in made] == [["connected"]] * 8
    assert engine.circuits.of(SLUG).misconfigured_since is None
    assert len(engine.outbox_rows.log(circuit.registration_id)) == 1


def test_case_27_two_secrets_overlap_while_ours_is_rotated(strict: Scene) -> None:
    those = owners(strict, 4)
    engine = strict.process(DUE)
    engine.registrations.update(SLUG, Change(client_secret=Secret("entered here before it is valid there")))
    assert minutes(engine, 1) == [{"success_fresh": 4}]
    assert {engine.row(owner).generation for owner in those} == {2}
    assert engine.outbox_rows.log(engine.registrations.get(SLUG).id) == []


def test_case_24_a_provider_that_allows_ten_at_a_time_is_asked_no_faster_and_all_get_their_turn(strict: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    those = owners(strict, 60)
    engine = strict.process(DUE)
    budget, refused_before_time = [10], []
    asked_again_at = [engine.now()]

    def limit(record: Any) -> faults.Fault | None:
        if record.path != strict.token_path:
            return None
        if budget[0] > 0:
            budget[0] -= 1
            return None
        if engine.now() < asked_again_at[0]:
            refused_before_time.append(1)
        asked_again_at[0] = engine.now() + timedelta(seconds=45)
        return faults.status(429, headers={"Retry-After": "45"})

    strict.proxy.chooser = limit
    rounds = 0
    while any(engine.row(owner).generation == 1 for owner in those):
        minutes(engine, 1)
        budget[0] = 10
        rounds += 1
        assert rounds < 40
    assert {engine.row(owner).state for owner in those} == {"connected"}
    throttled = outcomes(capsys.readouterr().out).count("rate_limited")
    # Each time the limit is met it is met by the threads of one message, not by all that wait.
    assert throttled <= 10 * rounds and strict.posts() - throttled == 60


def test_case_24_another_provider_does_not_wait_for_a_throttled_one(strict: Scene) -> None:
    owners(strict, 3)
    engine = strict.process(DUE)
    engine.agenda.save_circuit(circuits.Circuit(slug="elsewhere", paused_until=engine.now() + timedelta(hours=1), open_until=engine.now() + timedelta(hours=1), version=1))
    assert minutes(engine, 1) == [{"success_fresh": 3}]


RETRY_AFTERS = {
    "seconds": ("120", 120),
    "a date": (None, 600),
    "huge": ("99999999", 15 * 60),
    "negative": ("-5", 10),
    "junk": ("in a while", 10),
    "an infinite number": ("inf", 10),
}


@pytest.mark.parametrize(("header", "seconds"), RETRY_AFTERS.values(), ids=RETRY_AFTERS)
def test_case_26_retry_after_is_kept_in_every_form_and_within_reason(strict: Scene, header: str | None, seconds: int) -> None:
    (owner,) = owners(strict, 1)
    engine = strict.process(DUE)
    value = header or format_datetime(engine.now().replace(microsecond=0) + timedelta(seconds=seconds), usegmt=True)
    strict.fault(faults.status(429, headers={"Retry-After": value}))
    before = engine.now()
    minutes(engine, 1)
    paused = engine.circuits.of(SLUG).paused_until
    assert paused is not None and abs((paused - before).total_seconds() - seconds) < 5
    assert minutes(engine, 1) == [{}] or seconds < 60
    row = engine.row(owner)
    # A pause of seconds may be over by the second minute, on a slow machine: then it is refreshed already.
    assert row.state == "connected" and (row.generation == 2 if row.retry_at is None and seconds < 60 else row.retry_at is not None and row.retry_at <= before + timedelta(hours=7))
    engine.ahead += timedelta(hours=8)
    minutes(engine, 1)
    assert engine.row(owner).generation == 2


def test_the_number_of_messages_at_work_for_one_provider_is_capped(strict: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "COME_BACK", (0, 0))
    those = owners(strict, 3)
    engine = strict.process(DUE)
    assert engine.circuits.width == 4
    for number in range(4):
        assert engine.agenda.take_slot(SLUG, number, "another worker", engine.now(), engine.now() + MINUTE)
    engine.sweep.run(lambda: 50.0)
    results: list[Any] = []
    while batch := deliver(engine, "refresh"):
        results += batch
    # It comes back by itself as often as it may, and is then left to the sweep.
    assert {worked.skipped for worked in results} == {"crowded"} and len(results) == 1 + worker.TURNED_AWAY_AT_MOST and strict.posts() == 0
    engine.ahead += 5 * MINUTE  # the places lapse
    assert sweep_and_work(engine) == {"success_fresh": 3}
    assert {engine.row(owner).generation for owner in those} == {2}


def test_a_burst_for_one_provider_is_worked_off_without_another_sweep(strict: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "COME_BACK", (0, 0))
    monkeypatch.setattr(worker, "TURNED_AWAY_AT_MOST", 10_000)
    those = owners(strict, 24)
    scene_of_one = Process(replace(strict.first.settings, refresh_concurrency=10), DUE)
    keys = [[f"owner#-#{owner.user_id}", f"connection#{SLUG}#default"] for owner in those]
    scene_of_one.queue(scene_of_one.settings.refresh_queue_url).send(*({"v": 1, "provider": SLUG, "keys": keys[start : start + 4]} for start in range(0, 24, 4)))

    def work_until_all_are_done(_n: int) -> None:
        while {scene_of_one.row(owner).generation for owner in those} != {2}:
            assert not any(isinstance(each, Exception) for each in deliver(scene_of_one, "refresh"))

    assert at_once(3, work_until_all_are_done) == [None] * 3
    assert {scene_of_one.row(owner).generation for owner in those} == {2} and strict.posts() == 24
    scene_of_one.close()


@pytest.mark.parametrize(("concurrency", "threads", "width"), [(1, 1, 1), (10, 10, 1), (40, 10, 4), (95, 10, 9)])
def test_the_cap_is_of_calls_at_once(strict: Scene, concurrency: int, threads: int, width: int) -> None:
    settings: Settings = replace(strict.first.settings, refresh_concurrency=concurrency)
    found = Process(settings).circuits
    assert (found.threads, found.width) == (threads, width)


def test_one_tenants_dead_host_does_not_close_the_provider_to_the_others(strict: Scene) -> None:
    """A failure here and there among successes counts for nothing."""
    those = owners(strict, 6)
    engine = strict.process(DUE)
    for _ in range(8):
        strict.fault(faults.status(400, {"error": "temporarily_unavailable"}))
        engine.worker.handle({"v": 1, "provider": SLUG, "keys": [[f"owner#-#{those[0].user_id}", f"connection#{SLUG}#default"]], "generation": 1}, lambda: 120.0)
        live = engine.rejected(those[1], engine.row(those[1]).generation)
        assert isinstance(live, Live)
        engine.ahead += MINUTE
    assert engine.circuits.of(SLUG).open_until is None


def test_a_circuit_is_a_line_in_the_log_when_it_opens_and_when_it_closes(strict: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    owners(strict, 6)
    engine = strict.process(DUE)
    all_of(strict, faults.status(400, {"error": "temporarily_unavailable"}))
    minutes(engine, 1)
    all_of(strict, None)
    engine.ahead += 3 * MINUTE
    minutes(engine, 2)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"event":"circuit"' in line]
    assert [line["outcome"] for line in lines] == ["opened", "closed"]
