"""Case 61, R29: rows come back from a backup with refresh tokens that were spent since. One try each, told as what it is, and a list of whom it concerns."""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.domain import lifecycle
from chalicelib.domain.lifecycle import Transition
from chalicelib.domain.models import Connection, Registration
from chalicelib.domain.schedule import Policy
from chalicelib.doors import keys
from chalicelib.doors.table import LostRace
from chalicelib.engine.tokens import Inactive, Live
from chalicelib.wiring import Engine
from ops import restored
from ops.errors import StepFailed
from tests.cloud import ROOT, Cloud, Stage
from tests.domain.samples import CANARY, answer, connection
from tests.engine import scenes
from tests.engine.deliveries import deliver
from tests.engine.scenes import EXPIRED, SLUG, Scene, new_owner, reauthorization_events, staged
from tests.ops.iam import calls_of
from tests.peers import Peer, start_django

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
ONE_CLIENT = {"client_id": scenes.CLIENT_ID, "redirect_uris": [scenes.CALLBACK]}


@pytest.fixture(scope="module")
def strict_peer() -> Iterator[Peer]:
    with start_django(client_secret=scenes.UNICODE_SECRET, **ONE_CLIENT) as peer:
        yield peer


@pytest.fixture(scope="module")
def plain_peer() -> Iterator[Peer]:
    with start_django(client_secret=scenes.UNICODE_SECRET, rotate=False, reuse_protection=False, **ONE_CLIENT) as peer:
        yield peer


@pytest.fixture
def strict(cloud: Cloud, strict_peer: Peer) -> Iterator[Scene]:
    with staged(cloud.stage(), strict_peer) as scene:
        yield scene


@pytest.fixture
def plain(cloud: Cloud, plain_peer: Peer) -> Iterator[Scene]:
    """At a provider whose refresh tokens stay the same, and whose file says so."""
    with staged(cloud.stage(), plain_peer) as scene:
        scene.change_provider(lifetimes={"rotation": "none"})
        yield scene


def run(stage: Stage, **more: Any) -> tuple[restored.Report, list[dict[str, Any]], list[str]]:
    listing, said = io.StringIO(), list[str]()
    report = restored.run(stage.environ, said.append, listing=listing, **more)
    return report, [json.loads(line) for line in listing.getvalue().splitlines()], said


class Backup:
    """A row as it was, put over what became of it: three refreshes later."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.owner = scene, new_owner()
        self.made = scene.connected(self.owner)
        self.client, self.table = scene.stage.cloud.client("dynamodb"), scene.stage.table
        key = {name: {"S": value} for name, value in keys.connection(self.owner, SLUG).items()}
        self.row = self.client.get_item(TableName=self.table, Key=key)["Item"]
        for generation in (1, 2, 3):
            assert scene.works(scene.first.rejected(self.owner, generation))
        assert scene.first.row(self.owner).generation == 4
        self.posts = scene.posts()

    def put(self, table: str | None = None) -> None:
        self.client.put_item(TableName=table or self.table, Item=self.row)

    def posts_since(self) -> int:
        return self.scene.posts() - self.posts

    def assert_told_once(self) -> None:
        row = self.scene.first.row(self.owner)
        assert (row.state, row.reason, row.generation) == ("needs_reauthorization", "refresh_outcome_unknown", 1)
        assert isinstance(self.scene.process(EXPIRED).fetch(self.owner), Inactive)
        assert self.posts_since() == 1
        assert len(reauthorization_events(self.scene.first, self.made)) == 1


def test_r29_a_spent_token_is_tried_once_and_told_as_an_unknown_outcome(strict: Scene) -> None:
    backup = Backup(strict)
    backup.put()
    report, listed, said = run(strict.stage)

    assert (report.looked_at, report.marked, report.providers) == (1, 1, {SLUG: 1})
    assert [(line["id"], line["user_id"], line["provider"], line["generation"]) for line in listed] == [(backup.made.id, backup.owner.user_id, SLUG, 1)]
    assert f"{SLUG}: 1 in doubt" in said
    fetched = strict.process(EXPIRED).fetch(backup.owner)
    assert isinstance(fetched, Inactive) and fetched.reason == "refresh_outcome_unknown"
    backup.assert_told_once()
    assert strict.connected(backup.owner).state == "connected"


def test_r29_the_clock_does_not_ask_before_its_time_and_then_once(strict: Scene) -> None:
    backup = Backup(strict)
    backup.put()
    run(strict.stage)
    for early in (timedelta(minutes=50), timedelta(minutes=59)):
        engine = strict.process(early)  # the margin of the sweep is long past
        engine.sweep.run(lambda: 60.0)
        deliver(engine, "refresh")
    assert backup.posts_since() == 0
    assert isinstance(strict.process(timedelta(minutes=50)).fetch(backup.owner), Live)  # no alarm while the restored access token lives
    assert backup.posts_since() == 0
    engine = strict.process(EXPIRED + HOUR)
    engine.sweep.run(lambda: 60.0)
    deliver(engine, "refresh")

    backup.assert_told_once()


def test_r29_marked_in_the_restored_table_it_is_in_doubt_from_the_first_moment(strict: Scene) -> None:
    backup = Backup(strict)
    copy = strict.stage.cloud.stage().table
    everything = backup.client.scan(TableName=backup.table)["Items"]
    for row in everything:
        backup.client.put_item(TableName=copy, Item=row)
    backup.put(copy)
    report, _, said = run(strict.stage, table=copy)

    assert report.marked == 1 and copy in said[-1]
    assert strict.first.row(backup.owner).intent_attempt == 0  # the live one is not touched
    (row,) = [row for row in backup.client.scan(TableName=copy)["Items"] if row["sk"]["S"].startswith("connection#")]
    backup.client.put_item(TableName=backup.table, Item=row)
    assert isinstance(strict.process(EXPIRED).fetch(backup.owner), Inactive)
    backup.assert_told_once()


def test_r29_a_token_that_was_not_spent_after_all_loses_nothing(strict: Scene) -> None:
    owner = new_owner()
    made = strict.connected(owner)
    assert run(strict.stage)[0].marked == 1
    live = strict.process(EXPIRED).fetch(owner)

    assert strict.works(live)
    row = strict.first.row(owner)
    assert (row.state, row.generation, row.intent_attempt, strict.posts()) == ("connected", 2, 0, 1)
    assert reauthorization_events(strict.first, made) == []


def test_r29_where_refresh_tokens_are_not_replaced_nothing_is_in_doubt(plain: Scene) -> None:
    backup = Backup(plain)
    backup.put()
    report, listed, _ = run(plain.stage)

    assert (report.looked_at, report.marked, report.already, listed) == (1, 0, 0, [])
    assert plain.works(plain.process(EXPIRED).fetch(backup.owner))
    assert plain.first.row(backup.owner).state == "connected"
    assert reauthorization_events(plain.first, backup.made) == []


# which rows


class Rows:
    """Connections of a stage that no provider has to be asked for."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.engine = stage, stage.engine()
        for slug in ("github", "google"):
            self.engine.store.save_registration(Registration(id=f"data_integration_{slug}", slug=slug, created_at=NOW, updated_at=NOW), expected_version=None)

    def add(self, name: str, **changes: Any) -> Connection:
        times = {"created_at": NOW - 3 * HOUR, "connected_at": NOW - 3 * HOUR, "refreshed_at": NOW - 2 * HOUR, "updated_at": NOW - 2 * HOUR, "expires_at": NOW + HOUR}
        made = connection(**{"id": name, "user_id": name, "organization_id": None, "slug": "github", "refresh_due_at": NOW - HOUR, **times, **changes})
        self.engine.store.commit(Transition(None, made))
        return self.now(made)

    def now(self, of: Connection) -> Connection:
        found = self.engine.store.connection(of.owner, of.slug, of.account)
        assert found is not None
        return found

    def unchanged(self, of: Connection) -> bool:
        return asdict(self.now(of)) == asdict(of)


@pytest.fixture
def rows(stage: Stage) -> Rows:
    return Rows(stage)


def test_only_what_can_have_been_spent_is_marked(rows: Rows) -> None:
    spent = [rows.add("refreshed"), rows.add("failing", failures=2, retry_at=NOW - HOUR, failing_since=NOW - HOUR), rows.add("lapsed", lease_owner="gone", lease_until=NOW - HOUR)]
    spent.append(rows.add("unknown provider", slug="no-longer-there"))
    whole = [
        rows.add("steady", slug="google"),
        rows.add("without", refreshable=False),
        rows.add("ended", state="needs_reauthorization", reason="refused"),
        rows.add("gone", state="disconnected"),
    ]
    report, listed, _ = run(rows.stage)

    assert {line["id"] for line in listed} == {each.id for each in spent}
    assert (report.looked_at, report.marked, dict(report.providers)) == (8, 4, {"github": 3, "no-longer-there": 1})
    assert [rows.now(each).intent_attempt for each in spent] == [1] * 4
    assert all(map(rows.unchanged, whole))


def test_nothing_but_the_doubt_and_its_time_changes(rows: Rows) -> None:
    made = rows.add("u")
    run(rows.stage)
    after = rows.now(made)

    assert {name for name, value in asdict(after).items() if value != asdict(made)[name]} == {"intent_attempt", "refresh_due_at"}
    assert made.expires_at is not None and after.refresh_due_at is not None
    assert made.expires_at <= after.refresh_due_at <= NOW + HOUR + restored.SKEW
    (due,) = [entry for shard in range(rows.engine.agenda.shards) for entry in rows.engine.agenda.due(shard, NOW + 2 * HOUR)]
    assert due.key == keys.connection(made.owner, made.slug)


def test_what_is_due_at_once_is_spread_over_an_hour(rows: Rows) -> None:
    for number in range(20):
        rows.add(f"u{number}", expires_at=NOW - HOUR)
    run(rows.stage)
    due = sorted(entry.since for shard in range(rows.engine.agenda.shards) for entry in rows.engine.agenda.due(shard, NOW + 2 * HOUR))

    assert len(due) == 20 and due[0] >= NOW and due[-1] <= NOW + HOUR + restored.SKEW
    assert due[-1] - due[0] > HOUR / 4


def test_a_refresh_token_that_would_die_of_disuse_is_not_put_off_past_that(rows: Rows) -> None:
    lasting = rows.add("lasting", expires_at=NOW + timedelta(days=90), refreshed_at=NOW - timedelta(days=7), refresh_expires_at=NOW + timedelta(days=13))
    run(rows.stage)

    due = rows.now(lasting).refresh_due_at
    assert due is not None and NOW + timedelta(days=7) < due < NOW + timedelta(days=9)


def test_what_was_refreshed_after_the_backup_did_not_come_from_it(rows: Rows) -> None:
    old, new = rows.add("old"), rows.add("new", refreshed_at=NOW)
    report, listed, _ = run(rows.stage, backup_of=NOW - HOUR)

    assert [line["id"] for line in listed] == [old.id] and report.looked_at == 2
    assert rows.unchanged(new)


def test_a_time_without_a_zone_is_refused() -> None:
    assert restored.moment("2026-11-20T10:00:00Z") == datetime(2026, 11, 20, 10, tzinfo=UTC)
    for text in ("2026-11-20T10:00:00", "yesterday"):
        with pytest.raises(ValueError):
            restored.moment(text)


# beside what else happens


def test_who_is_being_refreshed_is_left_alone_and_found_by_the_next_run(rows: Rows) -> None:
    made = rows.add("u")
    held = rows.engine.store.lease(made, "holder", datetime.now(UTC) + HOUR, datetime.now(UTC))
    report, listed, said = run(rows.stage)
    assert (report.marked, report.busy, listed[0]["in_doubt"]) == (0, [made.id], "busy")
    assert "again" in said[-1] and rows.unchanged(held)
    rows.engine.store.release(held, "holder", 0)

    assert run(rows.stage)[0].marked == 1


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[], None]], None]]:
    """Does something once, after the job has read a row and before it marks it."""
    waiting: list[Callable[[], None]] = []
    make = Engine.client

    def meanwhile(**_: Any) -> None:
        if waiting:
            waiting.pop()()

    def client(self: Engine, service: str) -> Any:
        made = make(self, service)
        made.meta.events.register("before-call.dynamodb.UpdateItem", meanwhile)
        return made

    with monkeypatch.context() as patch:
        patch.setattr(wiring.Engine, "client", client)
        yield waiting.append


@pytest.mark.parametrize("meanwhile", ["refreshed", "leased", "disconnected", "deleted"])
def test_whoever_changes_a_row_meanwhile_wins(rows: Rows, between: Callable[[Callable[[], None]], None], meanwhile: str) -> None:
    made = rows.add("u")
    store, now = rows.engine.store, datetime.now(UTC)
    key = keys.connection(made.owner, made.slug)
    acts: dict[str, Callable[[], object]] = {
        "refreshed": lambda: store.commit(lifecycle.refreshed(made, answer(), b"new", policy=Policy(), now=now)),
        "leased": lambda: store.lease(made, "holder", now + HOUR, now),
        "disconnected": lambda: store.commit(lifecycle.disconnected(made, now)),
        "deleted": lambda: rows.engine.table.delete(key),
    }
    between(lambda: (acts[meanwhile](), None)[1])
    report, _, _ = run(rows.stage, backup_of=NOW - HOUR)

    assert (report.marked, len(report.busy)) == (0, int(meanwhile == "leased"))
    row = rows.engine.table.get(key)
    if meanwhile == "deleted":
        assert row is None
    else:
        assert row is not None and row["intent_attempt"] == int(meanwhile == "leased")


def test_a_mark_does_not_disturb_who_has_just_read_the_row(rows: Rows) -> None:
    """A fetch that read it before takes no lease on what it read, and finds the doubt when it reads again."""
    made = rows.add("u")
    run(rows.stage)
    now = datetime.now(UTC)
    with pytest.raises(LostRace):
        rows.engine.store.lease(made, "holder", now + HOUR, now)
    held = rows.engine.store.lease(rows.now(made), "holder", now + HOUR, now)

    assert held.intent_attempt == 2


def test_run_again_it_marks_nothing_and_lists_everybody(rows: Rows) -> None:
    made = [rows.add(f"u{number}") for number in range(3)]
    run(rows.stage)
    before = [rows.now(each) for each in made]
    report, listed, _ = run(rows.stage)

    assert (report.marked, report.already, report.providers) == (0, 3, {"github": 3})
    assert {line["id"] for line in listed} == {each.id for each in made} and {line["in_doubt"] for line in listed} == {"before"}
    assert all(map(rows.unchanged, before))


def test_stopped_half_way_it_goes_on_where_it_was(rows: Rows) -> None:
    made = [rows.add(f"u{number}") for number in range(30)]

    def stop(text: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restored.run(rows.stage.environ, stop, page=10)
    half = sum(rows.now(each).intent_attempt for each in made)
    assert 0 < half < 30
    report, listed, said = run(rows.stage, page=10)

    assert (report.already, report.marked, len(listed)) == (half, 30 - half, 30)
    assert sum("looked at" in line for line in said) >= 3
    assert [rows.now(each).intent_attempt for each in made] == [1] * 30


def test_a_table_that_is_not_there_is_said_and_nothing_is_lost(rows: Rows) -> None:
    with pytest.raises(StepFailed, match="run it again"):
        run(rows.stage, table="standpipe-nowhere")


def test_the_list_and_what_is_said_hold_nothing_secret(rows: Rows) -> None:
    rows.add("u", sealed=CANARY.encode())
    _, listed, said = run(rows.stage)

    assert CANARY not in json.dumps([listed, said])
    assert set(listed[0]) == {"id", "provider", "user_id", "organization_id", "account", "generation", "refreshed_at", "expires_at", "in_doubt"}


def test_what_an_operator_needs_to_be_allowed(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    """As docs/keys.md lists it."""
    rows.add("u")
    calls: list[str] = []
    make = Engine.client

    def record(params: dict[str, Any], model: Any, **_: Any) -> None:
        calls.extend(call.action for call in calls_of(model.service_model.service_name, model.name, params))

    def client(self: Engine, service: str) -> Any:
        made = make(self, service)
        made.meta.events.register("before-parameter-build", record)
        return made

    monkeypatch.setattr(wiring.Engine, "client", client)
    run(rows.stage)

    assert set(calls) == {"dynamodb:Scan", "dynamodb:GetItem", "dynamodb:UpdateItem"}
    page = (ROOT / "docs" / "keys.md").read_text().split("## After a restore")[1]
    assert [call for call in set(calls) if f"`{call}`" not in page] == []
