"""Case 53: a new KMS key, and everything sealed anew while the stage runs. Every row opens at every moment, whatever happens to the job."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace

import pytest

from chalicelib.domain import lifecycle
from chalicelib.domain.errors import Conflict
from chalicelib.domain.models import Connection
from chalicelib.doors import keys
from tests.cloud import ROOT, Stage
from tests.domain.samples import CANARY
from tests.ops import hooks
from tests.ops.key_changes import NOW, Change, leased, stored

Between = Callable[[Callable[[], object]], None]


@pytest.fixture
def change(stage: Stage) -> Change:
    return Change(stage)


@pytest.fixture
def between(change: Change) -> Iterator[Between]:
    """Does something once, after the job has read and opened a row and before it stores the new blob."""
    with hooks.once_before("kms.GenerateDataKey") as act:
        yield act


def test_case_53_everything_is_sealed_with_the_current_key_afterwards(change: Change) -> None:
    made = [change.connected(f"u{number}") for number in range(3)]
    ended = change.connected("asked_again", state="needs_reauthorization", reason="refused")
    fresh = change.connected("fresh", change.after)
    change.registered()
    report = change.run()

    assert (report.resealed, report.current, report.failed, report.flows, report.queued, report.dead) == (5, 1, [], 0, 0, 0)
    assert report.is_done
    assert {change.key_of(each) for each in (*made, ended, fresh)} == {"current"}
    change.kms.disable_key(KeyId=change.former)
    sealer = change.without_the_former
    assert [change.opened(each, sealer) for each in made] == [f"{CANARY} u{number}" for number in range(3)]
    assert change.opened(ended, sealer) == f"{CANARY} asked_again"  # a wrong verdict can still be undone
    assert change.secrets(sealer=sealer) == [f"{CANARY} 0", f"{CANARY} 1"]


def test_nothing_but_the_blob_changes(change: Change) -> None:
    made, registered = change.connected("u"), change.registered()
    row = change.after.table.get(keys.connection(made.owner, made.slug))
    change.run()

    changed = change.after.table.get(keys.connection(made.owner, made.slug))
    assert row is not None and changed is not None and {name for name in row | changed if row.get(name) != changed.get(name)} == {"sealed"}
    after = change.after.store.registration("acme")
    assert after is not None
    blank = {"client_secrets": (), "write_id": None}
    assert replace(after, **blank) == replace(registered, **blank, version=registered.version + 1)
    assert [replace(each, sealed=b"") for each in after.client_secrets] == [replace(each, sealed=b"") for each in registered.client_secrets]


def test_a_second_run_finds_nothing_to_do(change: Change) -> None:
    made = change.connected("u")
    change.registered()
    change.run()
    blob = change.row(made).sealed
    report = change.run()

    assert (report.resealed, report.current, report.is_done) == (0, 2, True)
    assert change.row(made).sealed == blob


KILLED = """
import itertools, os, sys, threading
from ops import reseal
from tests.ops.hooks import clients_prepared

event, allowed = sys.argv[1], int(sys.argv[2])
calls = itertools.count(1)

def hold(**_):
    if next(calls) > allowed:
        print("here", flush=True)
        threading.Event().wait()

with clients_prepared(lambda client: client.meta.events.register(f"before-call.{event}", hold)):
    reseal.run(os.environ, page=10)
"""
MOMENTS = {"between two pages": ("dynamodb.Scan", 2), "with rows opened": ("kms.GenerateDataKey", 12), "with rows sealed and not stored": ("dynamodb.UpdateItem", 12)}


class Reader(threading.Thread):
    """A function of the stage, which opens everything again and again."""

    def __init__(self, change: Change, everybody: list[Connection]) -> None:
        super().__init__()
        self._change, self._everybody, self._done = change, everybody, threading.Event()
        self.failures: list[str] = []
        self.rounds = 0

    def run(self) -> None:
        while not self._done.is_set():
            self._see("the client secrets", lambda: self._change.secrets() == [f"{CANARY} 0", f"{CANARY} 1"])
            for each in self._everybody:
                self._see(each.id, lambda each=each: self._change.opened(each) == f"{CANARY} {each.user_id}")  # type: ignore[misc]
            self.rounds += 1

    def _see(self, what: str, is_right: Callable[[], bool]) -> None:
        try:
            if not is_right():
                self.failures.append(f"{what} opened as something else")
        except Exception as error:
            self.failures.append(f"{what}: {error!r}")

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self.join(30)

    def __enter__(self) -> "Reader":
        self.start()
        return self


@pytest.mark.parametrize(("event", "allowed"), MOMENTS.values(), ids=MOMENTS)
def test_case_53_killed_half_way_and_run_again_every_row_opens_throughout(change: Change, event: str, allowed: int) -> None:
    made = [change.connected(f"u{number}") for number in range(40)]
    change.registered()
    with Reader(change, made) as reader:
        environ = {**os.environ, **change.stage.cloud.environ, **change.environ, "PYTHONPATH": str(ROOT)}
        with subprocess.Popen([sys.executable, "-c", KILLED, event, str(allowed)], env=environ, stdout=subprocess.PIPE, text=True) as job:
            assert job.stdout and any(line == "here\n" for line in job.stdout)
            job.kill()
        assert job.returncode == -signal.SIGKILL
        half = [change.key_of(each) for each in made]
        assert 0 < half.count("current") < len(made)
        report = change.run()

    assert reader.failures == [] and reader.rounds
    assert report.resealed + half.count("current") in (40, 41) and report.is_done
    assert {change.key_of(each) for each in made} == {"current"}
    change.kms.disable_key(KeyId=change.former)
    assert [change.opened(each, change.without_the_former) for each in made] == [f"{CANARY} u{number}" for number in range(40)]
    assert change.secrets(sealer=change.without_the_former) == [f"{CANARY} 0", f"{CANARY} 1"]


# together with what else happens to a row


def test_case_53_a_refresh_in_flight_is_not_disturbed(change: Change) -> None:
    made = change.connected("u")
    held = leased(change, made)
    change.run()

    row = change.row(made)
    assert change.key_of(made) == "current"
    assert asdict(replace(row, sealed=held.sealed)) == asdict(held)  # lease, intent and write id as they were
    stored(change.after, held)
    assert (change.row(made).generation, change.opened(made)) == (4, "refreshed")


def test_a_refresh_that_fails_keeps_the_new_blob(change: Change) -> None:
    made = change.connected("u")
    held = leased(change, made)
    change.run()
    change.after.store.commit(lifecycle.failed(held, "http_503", in_doubt=True, retry_after=None, now=NOW), holder="holder")

    assert (change.key_of(made), change.opened(made)) == ("current", f"{CANARY} u")


def test_case_53_a_refresh_that_stores_first_wins(change: Change, between: Between) -> None:
    made = change.connected("u")
    held = leased(change, made)
    between(lambda: stored(change.after, held))
    report = change.run()

    row = change.row(made)
    assert (row.generation, row.lease_owner, row.intent_attempt, change.opened(made), change.key_of(made)) == (4, None, 0, "refreshed", "current")
    assert (report.resealed, report.current, report.is_done) == (0, 1, True)


def test_what_a_function_from_before_stores_meanwhile_is_sealed_anew_too(change: Change, between: Between) -> None:
    made = change.connected("u")
    held = leased(change, made, change.before)
    between(lambda: stored(change.before, held))
    report = change.run()

    assert (change.row(made).generation, change.opened(made), change.key_of(made)) == (4, "refreshed", "current")
    assert (report.resealed, report.is_done) == (1, True)


def test_a_connection_that_ends_meanwhile_is_not_brought_back(change: Change, between: Between) -> None:
    made = change.connected("u")
    between(lambda: change.after.store.commit(lifecycle.disconnected(change.row(made), NOW)))
    report = change.run()

    assert (change.row(made).state, change.row(made).sealed, report.is_done) == ("disconnected", None, True)


def test_a_row_that_is_deleted_meanwhile_stays_deleted(change: Change, between: Between) -> None:
    made = change.connected("u")
    key = keys.connection(made.owner, made.slug)
    between(lambda: change.after.table.delete(key))
    report = change.run()

    assert (change.after.table.get(key), report.is_done) == (None, True)


def test_an_administrator_who_saves_meanwhile_wins(change: Change, between: Between) -> None:
    registered = change.registered()
    described = replace(registered, description="theirs", version=registered.version + 1)
    between(lambda: change.after.store.save_registration(described, expected_version=registered.version))
    report = change.run()

    after = change.after.store.registration("acme")
    assert after is not None and (after.description, after.version) == ("theirs", registered.version + 2)
    assert change.secrets(sealer=change.without_the_former) == [f"{CANARY} 0", f"{CANARY} 1"]
    assert (report.resealed, report.is_done) == (1, True)


def test_an_administrator_who_read_before_cannot_put_back_the_old_blobs(change: Change) -> None:
    registered = change.registered()
    change.run()

    with pytest.raises(Conflict):
        change.after.store.save_registration(replace(registered, version=registered.version + 1), expected_version=registered.version)
