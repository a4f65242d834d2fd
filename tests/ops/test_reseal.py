"""Case 53: a new KMS key, and everything sealed anew while the stage runs. Every row opens at every moment, whatever happens to the job."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.domain import lifecycle, settings
from chalicelib.domain.errors import Conflict, IntegrityError, StandpipeError, Unavailable
from chalicelib.domain.lifecycle import Transition
from chalicelib.domain.models import ClientSecret, Connection, Registration
from chalicelib.domain.schedule import Policy
from chalicelib.doors import keys
from chalicelib.doors.crypto import Facts, Sealer, token_facts
from chalicelib.engine.registrations import SECRET_FIELD
from chalicelib.wiring import Engine
from ops import reseal
from ops.errors import StepFailed
from tests.cloud import ROOT, Cloud, Stage
from tests.domain.samples import CANARY, answer, connection, pending
from tests.engine import scenes
from tests.engine.scenes import EXPIRED, Scene, new_owner, staged
from tests.ops.iam import calls_of
from tests.peers import Peer, start_django

NOW = datetime.now(UTC).replace(microsecond=0)
LEASE = timedelta(minutes=1)


class Change:
    """A stage whose key is changed: `before` is a function from before, `after` one that was deployed since."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.kms = stage.cloud.client("kms")
        self.former, self.current = stage.environ["STANDPIPE_KEY_ARN"], str(self.kms.create_key()["KeyMetadata"]["Arn"])
        self.environ = {**stage.environ, "STANDPIPE_KEY_ARN": self.current, "STANDPIPE_FORMER_KEY_ARNS": self.former}
        self.before, self.after = stage.engine(), Engine(settings.read(self.environ))
        self.said: list[str] = []

    def run(self, **more: Any) -> reseal.Report:
        return reseal.run(self.environ, self.said.append, **more)

    def connected(self, user: str, engine: Engine | None = None, **changes: Any) -> Connection:
        engine = engine or self.before
        made = connection(id=f"data_installation_{user}", user_id=user, organization_id=None, **changes)
        made = replace(made, sealed=engine.sealer.seal({"access_token": f"{CANARY} {user}"}, token_facts(made)))
        engine.store.commit(Transition(None, made))
        return self.row(made)

    def row(self, of: Connection) -> Connection:
        found = self.after.store.connection(of.owner, of.slug)
        assert found is not None
        return found

    def registered(self, slug: str = "acme", secrets: int = 2) -> Registration:
        made = Registration(id=f"data_integration_{slug}", slug=slug, created_at=NOW, updated_at=NOW)
        sealed = (self.before.sealer.seal({"secret": f"{CANARY} {number}"}, Facts(made.id, SECRET_FIELD)) for number in range(secrets))
        made = replace(made, client_secrets=tuple(ClientSecret(sealed=each, last_four="abcd", created_at=NOW) for each in sealed))
        self.before.store.save_registration(made, expected_version=None)
        return made

    def secrets(self, slug: str = "acme", sealer: Sealer | None = None) -> list[str]:
        found = self.after.store.registration(slug)
        assert found is not None
        return [(sealer or self.after.sealer).open(each.sealed, Facts(found.id, SECRET_FIELD))["secret"] for each in found.client_secrets]

    def opened(self, of: Connection, sealer: Sealer | None = None) -> str:
        row = self.row(of)
        return str((sealer or self.after.sealer).open(row.sealed or b"", token_facts(row))["access_token"])

    def key_of(self, of: Connection) -> str:
        return {self.former: "former", self.current: "current", None: "none"}[self.after.sealer.key_of(self.row(of).sealed or b"")]

    @property
    def without_the_former(self) -> Sealer:
        return Sealer(self.kms, self.current, self.stage.environ["STANDPIPE_STAGE"], "bound")


@pytest.fixture
def change(stage: Stage) -> Change:
    return Change(stage)


@pytest.fixture
def between(change: Change, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[], None]], None]]:
    """Does something once, after the job has read and opened a row and before it stores the new blob."""
    waiting: list[Callable[[], None]] = []
    make = Engine.client
    for engine in (change.before, change.after):  # theirs are made before, so that only the job's calls count
        assert engine.store and engine.sealer

    def meanwhile(**_: Any) -> None:
        if waiting:
            waiting.pop()()

    def client(self: Engine, service: str) -> Any:
        made = make(self, service)
        made.meta.events.register("before-call.kms.GenerateDataKey", meanwhile)
        return made

    with monkeypatch.context() as patch:
        patch.setattr(wiring.Engine, "client", client)
        yield waiting.append


def test_everything_is_sealed_with_the_current_key_afterwards(change: Change) -> None:
    made = [change.connected(f"u{number}") for number in range(3)]
    ended = change.connected("asked_again", state="needs_reauthorization", reason="refused")
    fresh = change.connected("fresh", change.after)
    change.registered()
    report = change.run()

    assert (report.resealed, report.current, report.failed, report.flows, report.queued) == (5, 1, [], 0, 0)
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
import os, sys
from ops import reseal
def say(text):
    print(text, flush=True)
    sys.stdin.readline()
reseal.run(os.environ, say, page=10)
"""


def test_killed_half_way_and_run_again_every_row_opens_throughout(change: Change) -> None:
    made = [change.connected(f"u{number}") for number in range(40)]
    change.registered()
    failures: list[str] = []
    done = threading.Event()

    def read() -> None:
        """A function of the stage, again and again."""
        while not done.is_set():
            for each in made:
                try:
                    assert change.opened(each).startswith(CANARY)
                except (AssertionError, StandpipeError) as error:
                    failures.append(f"{each.id}: {error!r}")
            assert len(change.secrets()) == 2

    reader = threading.Thread(target=read)
    reader.start()
    try:
        environ = {**os.environ, **change.stage.cloud.environ, **change.environ, "PYTHONPATH": str(ROOT)}
        with subprocess.Popen([sys.executable, "-c", KILLED], env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as job:
            assert job.stdout and "10 rows" in job.stdout.readline()
            job.kill()
        assert job.returncode == -signal.SIGKILL
        half = [change.key_of(each) for each in made]
        assert 0 < half.count("current") < len(made)
        report = change.run()
    finally:
        done.set()
        reader.join(30)

    assert failures == []
    assert report.resealed + half.count("current") in (40, 41) and report.is_done
    assert {change.key_of(each) for each in made} == {"current"}
    change.kms.disable_key(KeyId=change.former)
    assert [change.opened(each, change.without_the_former) for each in made] == [f"{CANARY} u{number}" for number in range(40)]


# together with what else happens to a row


def leased(change: Change, of: Connection, engine: Engine | None = None) -> Connection:
    now = datetime.now(UTC)
    return (engine or change.after).store.lease(change.row(of), "holder", now + LEASE, now)


def stored(engine: Engine, held: Connection) -> None:
    sealed = engine.sealer.seal({"access_token": "refreshed"}, token_facts(held, held.generation + 1))
    engine.store.commit(lifecycle.refreshed(held, answer(), sealed, policy=Policy(), now=NOW), holder="holder")


def test_a_refresh_in_flight_is_not_disturbed(change: Change) -> None:
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


def test_a_refresh_that_stores_first_wins(change: Change, between: Callable[[Callable[[], None]], None]) -> None:
    made = change.connected("u")
    held = leased(change, made)
    between(lambda: stored(change.after, held))
    report = change.run()

    row = change.row(made)
    assert (row.generation, row.lease_owner, row.intent_attempt, change.opened(made), change.key_of(made)) == (4, None, 0, "refreshed", "current")
    assert (report.resealed, report.current, report.is_done) == (0, 1, True)


def test_what_a_function_from_before_stores_meanwhile_is_sealed_anew_too(change: Change, between: Callable[[Callable[[], None]], None]) -> None:
    made = change.connected("u")
    held = leased(change, made, change.before)
    between(lambda: stored(change.before, held))
    report = change.run()

    assert (change.row(made).generation, change.opened(made), change.key_of(made)) == (4, "refreshed", "current")
    assert (report.resealed, report.is_done) == (1, True)


def test_a_connection_that_ends_meanwhile_is_not_brought_back(change: Change, between: Callable[[Callable[[], None]], None]) -> None:
    made = change.connected("u")
    between(lambda: change.after.store.commit(lifecycle.disconnected(change.row(made), NOW)))
    report = change.run()

    assert (change.row(made).state, change.row(made).sealed, report.is_done) == ("disconnected", None, True)


def test_a_row_that_is_deleted_meanwhile_stays_deleted(change: Change, between: Callable[[Callable[[], None]], None]) -> None:
    made = change.connected("u")
    key = keys.connection(made.owner, made.slug)
    between(lambda: (change.after.table.delete(key), None)[1])
    report = change.run()

    assert (change.after.table.get(key), report.is_done) == (None, True)


def test_an_administrator_who_saves_meanwhile_wins(change: Change, between: Callable[[Callable[[], None]], None]) -> None:
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


# what it cannot do, and what it says


def test_a_damaged_blob_is_named_and_the_rest_is_done(change: Change) -> None:
    good, bad, moved = (change.connected(user) for user in ("good", "bad", "moved"))
    for row, blob in ((bad, b"\x02" + bytes(100)), (moved, good.sealed)):
        change.after.table.note(keys.connection(row.owner, row.slug), {"sealed": blob}, condition="attribute_exists(pk)", values={})
    report = change.run()

    assert change.key_of(good) == "current"
    assert len(report.failed) == 2 and all(any(each.id in why for why in report.failed) for each in (bad, moved))
    assert not report.is_done and "run this again" in change.said[-1]
    assert change.row(bad).state == "connected"


def test_a_key_that_is_not_listed_is_named(change: Change) -> None:
    made = change.connected("u")
    report = reseal.run({**change.environ, "STANDPIPE_FORMER_KEY_ARNS": ""}, change.said.append)

    assert len(report.failed) == 1 and change.former in report.failed[0] and "STANDPIPE_FORMER_KEY_ARNS" in report.failed[0]
    assert change.row(made).sealed == made.sealed


def test_many_failures_are_not_all_printed(change: Change) -> None:
    for number in range(reseal.NAMED + 2):
        change.connected(f"u{number}")
    reseal.run({**change.environ, "STANDPIPE_FORMER_KEY_ARNS": ""}, change.said.append)

    assert sum(line.startswith("FAILED") for line in change.said) == reseal.NAMED + 1
    assert "and 2 more" in "\n".join(change.said)


@pytest.mark.parametrize("which", ["former", "current"])
def test_a_key_that_is_disabled_stops_it_and_nothing_is_lost(change: Change, which: str) -> None:
    made = change.connected("u")
    change.kms.disable_key(KeyId=getattr(change, which))
    with pytest.raises(StepFailed, match="DisabledException"):
        change.run()
    assert change.row(made) == made
    change.kms.enable_key(KeyId=getattr(change, which))

    assert change.run().resealed == 1


def test_a_flow_under_way_keeps_the_former_key(change: Change) -> None:
    for name, minutes in (("now", 9), ("long ago", -1)):
        change.before.store.begin(replace(pending(), id=name, sealed=change.before.sealer.seal({}, Facts(name, "pending")), expires_at=NOW + timedelta(minutes=minutes)))
    report = change.run()

    assert (report.flows, report.is_done) == (1, False)
    assert "1 people" in "\n".join(change.said)


@pytest.mark.parametrize("queue", ["RESCUE", "REVOKE"])
def test_messages_that_hold_tokens_keep_the_former_key(change: Change, queue: str) -> None:
    change.after.sqs.send_message(QueueUrl=change.environ[f"STANDPIPE_{queue}_QUEUE_URL"], MessageBody="{}")
    report = change.run()

    assert (report.queued, report.is_done) == (1, False)
    assert "Keep the former key" in change.said[-1]


def test_queues_that_may_not_be_looked_at_are_said_to_be(change: Change) -> None:
    gone = change.environ["STANDPIPE_RESCUE_QUEUE_URL"] + "-gone"
    report = reseal.run({**change.environ, "STANDPIPE_RESCUE_QUEUE_URL": gone}, change.said.append)

    assert (report.queued, report.is_done) == (None, False)
    assert "sqs:GetQueueAttributes" in "\n".join(change.said)


def test_progress_is_said_page_by_page_and_nothing_secret(change: Change) -> None:
    for number in range(25):
        change.connected(f"u{number}")
    change.run(page=10)

    progress = [line for line in change.said if "rows looked at" in line]
    assert len(progress) >= 3 and progress[0].startswith("10 rows")
    assert "25 sealed anew" in progress[-1]
    assert "may be" not in progress[0] and "disable the former key" in change.said[-1]
    assert CANARY not in "\n".join(change.said)


def test_what_an_operator_needs_to_be_allowed(change: Change, monkeypatch: pytest.MonkeyPatch) -> None:
    """As docs/keys.md lists it."""
    change.connected("u")
    change.registered()
    calls = []
    make = Engine.client

    def record(params: dict[str, Any], model: Any, **_: Any) -> None:
        service = model.service_model.service_name
        calls.extend([f"sqs:{model.name}"] if service == "sqs" else [call.action for call in calls_of(service, model.name, params)])

    def client(self: Engine, service: str) -> Any:
        made = make(self, service)
        made.meta.events.register("before-parameter-build", record)
        return made

    monkeypatch.setattr(wiring.Engine, "client", client)
    change.run()

    assert set(calls) == {"dynamodb:Scan", "dynamodb:UpdateItem", "kms:Decrypt", "kms:GenerateDataKey", "sqs:GetQueueAttributes"}
    page = (ROOT / "docs" / "keys.md").read_text()
    assert [call for call in set(calls) if f"`{call}`" not in page] == []


# at a real provider


@pytest.fixture(scope="module")
def strict_peer() -> Iterator[Peer]:
    with start_django(client_secret=scenes.UNICODE_SECRET, client_id=scenes.CLIENT_ID, redirect_uris=[scenes.CALLBACK]) as peer:
        yield peer


@pytest.fixture
def scene(cloud: Cloud, strict_peer: Peer) -> Iterator[Scene]:
    with staged(cloud.stage(), strict_peer) as scene:
        yield scene


def test_a_connection_lives_through_a_change_of_key(scene: Scene) -> None:
    owner = new_owner()
    scene.connected(owner)
    change = Change(scene.stage)
    scene.stage.environ = change.environ
    assert scene.works(scene.process().fetch(owner))
    assert change.run().resealed == 2  # the connection and its client secret
    change.kms.disable_key(KeyId=change.former)
    change.environ["STANDPIPE_FORMER_KEY_ARNS"] = ""

    assert scene.works(scene.process().fetch(owner))
    assert scene.works(scene.process(EXPIRED).fetch(owner))  # refreshed: the client secret opens as well
    assert scene.posts() == 1


def test_case_52_a_former_key_disabled_too_early_asks_nobody_to_connect_again(scene: Scene) -> None:
    owner = new_owner()
    scene.connected(owner)
    change = Change(scene.stage)
    scene.stage.environ = change.environ
    change.kms.disable_key(KeyId=change.former)
    before = scene.first.row(owner)
    for ahead in (timedelta(), EXPIRED):
        with pytest.raises(Unavailable) as caught:
            scene.process(ahead).fetch(owner)
        assert caught.value.code == "key_unavailable"

    assert replace(scene.first.row(owner), write_id=None) == replace(before, write_id=None)
    assert scene.posts() == 0
    change.kms.enable_key(KeyId=change.former)
    assert scene.works(scene.process(EXPIRED).fetch(owner))


def test_case_52_a_key_taken_off_the_list_too_early_asks_nobody_to_connect_again(scene: Scene) -> None:
    owner = new_owner()
    scene.connected(owner)
    change = Change(scene.stage)
    scene.stage.environ = {**change.environ, "STANDPIPE_FORMER_KEY_ARNS": ""}
    for ahead in (timedelta(), EXPIRED):
        with pytest.raises(IntegrityError):
            scene.process(ahead).fetch(owner)

    row = scene.first.row(owner)
    assert (row.state, row.lease_owner, row.intent_attempt, scene.posts()) == ("connected", None, 0, 0)
    scene.stage.environ = change.environ
    assert scene.works(scene.process().fetch(owner))
