"""Which connections are marked after a restore, and how: beside whatever else happens to them, stopped and run again, with nothing secret told."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chalicelib.domain import lifecycle
from chalicelib.domain.schedule import Policy
from chalicelib.doors import keys
from chalicelib.doors.table import LostRace
from ops import restored
from ops.errors import StepFailed
from tests.cloud import ROOT, Stage
from tests.domain.samples import CANARY, answer
from tests.ops import hooks
from tests.ops.restorations import HOUR, NOW, Rows, run

Between = Callable[[Callable[[], object]], None]


@pytest.fixture
def rows(stage: Stage) -> Rows:
    return Rows(stage)


@pytest.fixture
def between(rows: Rows) -> Iterator[Between]:
    """Does something once, after the job has read a row and before it marks it."""
    assert rows.engine.store
    with hooks.once_before("dynamodb.UpdateItem") as act:
        yield act


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
    assert made.expires_at <= after.refresh_due_at <= datetime.now(UTC) + HOUR + restored.SKEW
    (due,) = [entry for shard in range(rows.engine.agenda.shards) for entry in rows.engine.agenda.due(shard, datetime.now(UTC) + 2 * HOUR)]
    assert due.key == keys.connection(made.owner, made.slug)


def test_what_is_due_at_once_is_spread_over_an_hour(rows: Rows) -> None:
    for number in range(20):
        rows.add(f"u{number}", expires_at=NOW - HOUR)
    run(rows.stage)
    due = sorted(entry.since for shard in range(rows.engine.agenda.shards) for entry in rows.engine.agenda.due(shard, datetime.now(UTC) + 2 * HOUR))

    assert len(due) == 20 and due[0] >= NOW and due[-1] <= datetime.now(UTC) + HOUR + restored.SKEW
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


def test_who_is_being_refreshed_is_left_alone_and_found_by_the_next_run(rows: Rows) -> None:
    made = rows.add("u")
    held = rows.engine.store.lease(made, "holder", datetime.now(UTC) + HOUR, datetime.now(UTC))
    report, listed, said = run(rows.stage)
    assert (report.marked, report.busy, listed[0]["in_doubt"]) == (0, [made.id], "busy")
    assert "again" in said[-1] and rows.unchanged(held)
    rows.engine.store.release(held, "holder", 0)

    assert run(rows.stage)[0].marked == 1


@pytest.mark.parametrize("meanwhile", ["refreshed", "leased", "probed", "disconnected", "deleted"])
def test_whoever_changes_a_row_meanwhile_wins(rows: Rows, between: Between, meanwhile: str) -> None:
    made = rows.add("u")
    store, now = rows.engine.store, datetime.now(UTC)
    key = keys.connection(made.owner, made.slug)
    acts: dict[str, Callable[[], object]] = {
        "refreshed": lambda: store.commit(lifecycle.refreshed(made, answer(), b"new", policy=Policy(), now=now)),
        "leased": lambda: store.lease(made, "holder", now + HOUR, now),
        "probed": lambda: store.lease(made, "holder", now + HOUR, now, spends=False),
        "disconnected": lambda: store.commit(lifecycle.disconnected(made, now)),
        "deleted": lambda: rows.engine.table.delete(key),
    }
    between(acts[meanwhile])
    report, _, _ = run(rows.stage, backup_of=NOW - HOUR)

    assert (report.marked, len(report.busy)) == (0, int(meanwhile in ("leased", "probed")))
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


KILLED = """
import itertools, os, sys, threading
from ops import restored
from tests.ops.hooks import clients_prepared

calls = itertools.count(1)

def hold(**_):
    if next(calls) > 12:
        print("here", flush=True)
        threading.Event().wait()

with clients_prepared(lambda client: client.meta.events.register("before-call.dynamodb.UpdateItem", hold)), open(sys.argv[1], "a") as listing:
    restored.run(os.environ, listing=listing, page=10)
"""


def test_case_61_killed_half_way_it_goes_on_where_it_was_and_nobody_is_missing_from_the_list(rows: Rows, tmp_path: Path) -> None:
    made = [rows.add(f"u{number}") for number in range(30)]
    listing = tmp_path / "affected.jsonl"
    environ = {**os.environ, **rows.stage.cloud.environ, **rows.stage.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", KILLED, str(listing)], env=environ, stdout=subprocess.PIPE, text=True) as job:
        assert job.stdout and any(line == "here\n" for line in job.stdout)
        job.kill()
    assert job.returncode == -signal.SIGKILL
    half = sum(rows.now(each).intent_attempt for each in made)
    assert 0 < half < 30 and listing.read_text()
    report, listed, said = run(rows.stage, page=10)

    assert (report.already, report.marked, len(listed)) == (half, 30 - half, 30)
    assert sum("looked at" in line for line in said) >= 3
    assert [rows.now(each).intent_attempt for each in made] == [1] * 30


def test_who_is_marked_is_listed_before_the_next_page_begins(rows: Rows, tmp_path: Path) -> None:
    """The access token may have ended: if the job is killed now, the next fetch takes the mark away."""
    for number in range(5):
        rows.add(f"u{number}")
    path, seen = tmp_path / "affected.jsonl", list[int]()
    with path.open("a") as listing:
        restored.run(rows.stage.environ, lambda _: seen.append(len(path.read_text().splitlines())), listing=listing)

    assert seen[0] == 5


def test_a_row_that_cannot_be_read_is_named_and_the_rest_is_done(rows: Rows) -> None:
    good, bad = rows.add("good"), rows.add("bad")
    rows.engine.table.note(keys.connection(bad.owner, bad.slug), {"generation": "three"}, condition="attribute_exists(pk)", values={})
    report, listed, said = run(rows.stage)

    assert (report.marked, [line["id"] for line in listed]) == (1, [good.id])
    assert len(report.unreadable) == 1 and "owner#-#bad" in report.unreadable[0] and "generation" in report.unreadable[0]
    assert any(line.startswith("UNREADABLE") for line in said)


@pytest.mark.parametrize("definition", ["{}", "not JSON"])
def test_a_provider_whose_definition_cannot_be_read_may_replace_refresh_tokens(rows: Rows, definition: str) -> None:
    registration = rows.engine.store.registration("github")
    assert registration is not None
    rows.engine.store.save_registration(replace(registration, custom_provider=definition, version=2), expected_version=1)
    rows.add("u")

    assert run(rows.stage)[0].marked == 1


def test_a_table_that_is_not_there_is_said_and_nothing_is_lost(rows: Rows) -> None:
    with pytest.raises(StepFailed, match="run it again"):
        run(rows.stage, table="standpipe-nowhere")


def test_the_list_and_what_is_said_hold_nothing_secret(rows: Rows) -> None:
    rows.add("u", sealed=CANARY.encode())
    _, listed, said = run(rows.stage)

    assert CANARY not in json.dumps([listed, said])
    assert set(listed[0]) == {"id", "provider", "user_id", "organization_id", "account", "generation", "refreshed_at", "expires_at", "in_doubt"}


def test_what_an_operator_needs_to_be_allowed(rows: Rows) -> None:
    """As docs/keys.md lists it."""
    rows.add("u")
    with hooks.actions_noted() as calls:
        run(rows.stage)

    assert calls == {"dynamodb:Scan", "dynamodb:GetItem", "dynamodb:UpdateItem"}
    page = (ROOT / "docs" / "keys.md").read_text().split("## After a restore")[1]
    assert [call for call in calls if f"`{call}`" not in page] == []
