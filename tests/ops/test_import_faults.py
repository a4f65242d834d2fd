"""An import that is throttled, left alone by the table or killed: it goes on, and nothing is lost or doubled."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.secret import Secret
from ops.migration.pace import Pace
from tests.cloud import ROOT, Stage
from tests.ops.migrations import CANARY, bring, connections, found, lines, one, opened, refreshed, registered, row, tokens


def test_a_table_that_throttles_is_waited_for(stage: Stage, tmp_path: Path) -> None:
    engine, slept = registered(stage), list[float]()
    engine.sleep = slept.append  # type: ignore[method-assign]
    engine.monotonic = lambda: sum(slept)  # type: ignore[method-assign]
    commit, left = engine.store.commit, [5]

    def throttled(*args: Any, **more: Any) -> None:
        if left[0]:
            left[0] -= 1
            raise Unavailable("The table did not answer (ThrottlingException).", "storage_unavailable")
        commit(*args, **more)

    engine.store.commit = throttled  # type: ignore[method-assign]
    done = bring(engine, lines(tmp_path / "rows.jsonl", *(row(f"u{n}") for n in range(20))))

    assert done.counts == {"imported": 20, "done before": 0} and slept and len(connections(stage)) == 20


def test_a_table_that_stays_away_fails_rows_that_the_next_run_finds(stage: Stage, tmp_path: Path) -> None:
    engine, slept = registered(stage), list[float]()
    engine.sleep = slept.append  # type: ignore[method-assign]
    engine.monotonic = lambda: sum(slept)  # type: ignore[method-assign]
    claim = engine.grants.claim

    def away(digest: str, holder: Any, now: Any) -> None:
        if holder.user_id == "bo":
            raise Unavailable("The table did not answer.", "storage_unavailable")
        claim(digest, holder, now)

    engine.grants.claim = away  # type: ignore[method-assign]
    file = lines(tmp_path / "rows.jsonl", row("ana"), row("bo"), row("cy"))
    done = bring(engine, file)
    assert done.counts == {"imported": 2, "failed": 1, "done before": 0} and not done.is_done
    engine.grants.claim = claim  # type: ignore[method-assign]

    assert bring(engine, file).counts == {"imported": 1, "done before": 2}


def test_the_pace_is_slowed_for_everybody_and_found_again() -> None:
    slept, waits = list[float](), iter([Unavailable("", retry_after=20), Unavailable("", "storage_unavailable"), None, None])
    pace = Pace(slept.append, lambda: sum(slept))

    def work() -> str:
        if (error := next(waits)) is not None:
            raise error
        return "done"

    assert pace.run(work) == pace.run(work) == "done"
    assert slept[0] == 20 and 0 < slept[1] <= 1 and len(slept) == 2


# killed


KILLED = """
import os, signal, sys
from tests.cloud import Stage
from pathlib import Path
from ops import importing
from chalicelib.wiring import Engine
from chalicelib.domain import settings
import json

job = json.loads(sys.argv[1])
engine = Engine(settings.read(job["environ"]))
seen = 0

def count(**event):
    global seen
    seen += 1
    if seen == job["number"]:
        os.kill(os.getpid(), signal.SIGKILL)

engine.dynamodb.meta.events.register(job["moment"], count)
wanted = importing.Wanted(file=Path(job["file"]), format="json", taking_over=True, slugs={})
importing.run(engine, wanted, threads=3)
"""
MOMENTS = [
    ("after-call.dynamodb.PutItem", 3),  # a token was claimed, and its connection not stored
    ("before-send.dynamodb.TransactWriteItems", 5),
    ("after-call.dynamodb.TransactWriteItems", 1),  # stored, and not written down
    ("after-call.dynamodb.TransactWriteItems", 9),
    ("after-call.dynamodb.Query", 30),
]


@pytest.mark.parametrize(("moment", "number"), MOMENTS)
def test_killed_at_any_moment_it_goes_on_and_nothing_is_lost_or_doubled(stage: Stage, tmp_path: Path, moment: str, number: int) -> None:
    engine = registered(stage)
    rows = [row(f"u{n}") for n in range(10)] + [row("multi", connected_account_id=f"acc_{n}", **tokens(f"m{n}")) for n in range(5)]
    file = lines(tmp_path / "rows.jsonl", *rows)
    job = json.dumps({"environ": stage.environ, "file": str(file), "moment": moment, "number": number})
    environ = {**os.environ, **stage.cloud.environ, "PYTHONPATH": str(ROOT)}
    killed = subprocess.run([sys.executable, "-c", KILLED, job], env=environ, cwd=ROOT, capture_output=True, timeout=120)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-2000:]
    early = {each.user_id for each in (found(engine, f"u{n}") for n in range(10)) for each in each}
    for user in sorted(filter(None, early)):
        refreshed(stage, user)  # the stage does not wait for the second run
        break
    done = bring(engine, file)

    assert done.is_done and sum(done.counts.values()) == 15
    for n in range(10):
        assert one(engine, f"u{n}").state == "connected"
    assert sorted(opened(engine, each).access_token.reveal() for each in found(engine, "multi")) == [f"at-m{n}-{CANARY}" for n in range(5)]
    assert len(connections(stage)) == 15
    for user in sorted(filter(None, early))[:1]:
        assert opened(engine, one(engine, user)).access_token.reveal() == "at-new"


def test_a_claim_whose_tokens_were_never_stored_stands_in_nobodys_way(stage: Stage, tmp_path: Path) -> None:
    engine = registered(stage)
    bring(engine, lines(tmp_path / "monday.jsonl", row()), taking_over=False)
    shadow = one(engine)
    newer = Secret(tokens("ana-2")["refresh_token"])
    engine.installations.note_holder(newer, replace(shadow, generation=shadow.generation + 1))  # and then the process was killed

    assert bring(engine, lines(tmp_path / "friday.jsonl", row(**tokens("ana-2")))).counts["replaced"] == 1
    assert opened(engine, one(engine)).access_token.reveal() == f"at-ana-2-{CANARY}"
