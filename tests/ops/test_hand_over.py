"""An export with --hand-over: a crash at any point leaves no grant that two systems refresh and none that nobody has."""

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain import lifecycle
from ops.errors import StepFailed
from ops.migration import handing, keys, sealed
from ops.migration.scanning import Chosen
from ops.migration.sealed import Opened
from tests.cloud import ROOT, Cloud, Stage
from tests.ops.exports import at_its_sleep, export, filled, lease, read, renew
from tests.ops.migrations import CANARY, bring, found, key, one, opened, registered


def test_what_is_handed_over_is_marked_and_in_the_file(stage: Stage, tmp_path: Path) -> None:
    engine = filled(stage, tmp_path)
    done = export(engine, tmp_path / "all.export")

    assert (done.exported, done.handed_over, done.left_out) == (10, 10, {})
    for n in range(10):
        connection = one(engine, f"u{n}")
        assert connection.handed_over_at is not None and connection.refresh_due_at is None and connection.lease_owner is None
    assert {record["user_id"]: record["refresh_token"] for record in read(tmp_path / "all.export")} == {f"u{n}": f"rt-u{n}-{CANARY}" for n in range(10)}
    assert all(record["handed_over"] for record in read(tmp_path / "all.export"))
    with pytest.raises(StepFailed, match="is complete"):
        export(engine, tmp_path / "all.export")
    again = export(engine, tmp_path / "another.export")
    assert again.exported == 0 and len(again.left_out) == 10 and "another system has it" in next(iter(again.left_out.values()))


def test_a_refresh_in_flight_is_waited_for_and_its_new_tokens_are_exported(stage: Stage, tmp_path: Path) -> None:
    engine = filled(stage, tmp_path)
    leased = lease(engine, one(engine, "u3"))
    slept = at_its_sleep(engine, lambda: renew(engine, leased, "u3-new", "worker"))
    said = list[str]()
    done = export(engine, tmp_path / "all.export", said=said)

    assert (done.exported, done.left_out, len(slept)) == (10, {}, 1)
    assert {record["user_id"]: record["refresh_token"] for record in read(tmp_path / "all.export")}["u3"] == "rt-u3-new"
    assert any(line.startswith("1 are being refreshed or changed") for line in said)


def test_what_is_in_doubt_is_left_out_and_goes_on_here(cloud: Cloud, stage: Stage, tmp_path: Path) -> None:
    engine, other = filled(stage, tmp_path), registered(cloud.stage())
    lease(engine, one(engine, "u3"), until=timedelta(seconds=-1))  # its process died while it asked
    at_its_sleep(engine)
    done = export(engine, tmp_path / "all.export")

    assert (done.exported, list(done.left_out)) == (9, [one(engine, "u3").id])
    assert "may be spent" in done.left_out[one(engine, "u3").id]
    assert one(engine, "u3").handed_over_at is None and one(engine, "u3").refresh_due_at is not None
    assert bring(other, tmp_path / "all.export", identity=key(tmp_path)[0]).counts["imported"] == 9 and found(other, "u3") == []


def test_what_was_written_and_could_not_be_marked_is_written_anew_or_not_used(cloud: Cloud, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk took longer than a lease: u1 was refreshed meanwhile, u2 disconnected, u3 refused, u4 refreshed without a known answer."""
    engine, other, append = filled(stage, tmp_path, 5), registered(cloud.stage()), sealed.Writer.append
    hours = timedelta(hours=1)

    def slow(self: sealed.Writer, records: Any) -> None:
        append(self, records)
        monkeypatch.setattr(sealed.Writer, "append", append)
        late = stage.engine()
        late.now = lambda: engine.now() + hours  # type: ignore[method-assign]
        for user in ("u1", "u3", "u4"):
            leased = lease(late, one(late, user), until=-hours if user == "u4" else timedelta(minutes=1))
            if user == "u1":
                renew(late, leased, "u1-new", "worker")
            if user == "u3":
                late.commits.commit(lifecycle.refused(leased, "refused", "invalid_grant", late.now()), holder="worker")
        late.commits.commit(lifecycle.disconnected(one(late, "u2"), late.now()))

    monkeypatch.setattr(sealed.Writer, "append", slow)
    at_its_sleep(engine)
    left = one(engine, "u4").id
    done = export(engine, tmp_path / "all.export", part=10)

    records = {record["user_id"]: record for record in read(tmp_path / "all.export")}
    assert (done.exported, sorted(records)) == (3, ["u0", "u1", "u3"])
    assert records["u1"]["refresh_token"] == "rt-u1-new" and records["u3"]["state"] == "needs_reauthorization" and "refresh_token" not in records["u3"]
    assert left in done.left_out and one(engine, "u4").handed_over_at is None
    bring(other, tmp_path / "all.export", identity=key(tmp_path)[0])
    assert [len(found(other, f"u{n}")) for n in range(5)] == [1, 1, 0, 1, 0]


KILLED = """
import json, os, signal, sys
from pathlib import Path
from ops import exporting
from ops.migration import sealed
from chalicelib.wiring import Engine
from chalicelib.domain import settings

job = json.loads(sys.argv[1])
engine = Engine(settings.read(job["environ"]))
seen = 0

def count(*args, **event):
    global seen
    seen += 1
    if seen == job["number"]:
        os.kill(os.getpid(), signal.SIGKILL)

if job["moment"].startswith("file:"):
    real = os.fsync
    def fsync(number):
        if job["moment"] == "file:before":
            count()
        real(number)
        count() if job["moment"] == "file:after" else None
    os.fsync = fsync
else:
    engine.dynamodb.meta.events.register(job["moment"], count)
wanted = exporting.Wanted(to=Path(job["file"]), recipient=Path(job["key"]), hand_over=True)
exporting.run(engine, wanted, part=4, threads=1)
"""
# A row is a read and a write to lease it, a write to note its token, and a write to mark it, four rows to a part.
MOMENTS = [("after-call.dynamodb.UpdateItem", number) for number in (1, 5, 8, 14, 18)] + [("before-send.dynamodb.UpdateItem", 5), ("after-call.dynamodb.PutItem", 6)]
MOMENTS += [("file:after", 1), ("file:before", 3), ("file:after", 3), ("file:after", 4), ("file:before", 6)]


@pytest.mark.parametrize(("moment", "number"), MOMENTS)
def test_killed_at_any_moment_no_grant_is_lost_and_none_is_refreshed_twice(cloud: Cloud, stage: Stage, tmp_path: Path, moment: str, number: int) -> None:
    engine, other, file = filled(stage, tmp_path, 9), registered(cloud.stage()), tmp_path / "all.export"
    job = json.dumps({"environ": stage.environ, "file": str(file), "key": str(key(tmp_path)[1]), "moment": moment, "number": number})
    environ = {**os.environ, **stage.cloud.environ, "PYTHONPATH": str(ROOT)}
    killed = subprocess.run([sys.executable, "-c", KILLED, job], env=environ, cwd=ROOT, capture_output=True, timeout=120)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-2000:]

    marked = {each.id for n in range(9) for each in found(engine, f"u{n}") if each.handed_over_at is not None}
    if file.exists() and file.stat().st_size and file.read_bytes().count(b"\n"):
        in_it = {record["connected_account_id"] for _, record in Opened(file, keys.identities(key(tmp_path)[0])).records()} if sealed.index(file).parts else set()
        assert marked <= in_it
    else:
        assert not marked
    if marked and not sealed.index(file).ended:
        with pytest.raises(StepFailed, match="nothing was written"):  # not before the export has come to its end
            bring(other, file, identity=key(tmp_path)[0])

    later = stage.engine()
    later.now = lambda: engine.now() + timedelta(minutes=2)  # type: ignore[method-assign]  # leases of the killed one have lapsed
    free = next((one(later, f"u{n}") for n in range(9) if one(later, f"u{n}").handed_over_at is None), None)
    if free is not None:
        renew(later, lease(later, free), "meanwhile", "worker")  # the stage does not wait for the second run
    if not (file.exists() and file.stat().st_size and sealed.index(file).ended):
        done = export(later, file)
        assert (done.exported, done.left_out) == (9, {})
    assert bring(other, file, identity=key(tmp_path)[0]).counts["imported"] == 9
    for n in range(9):
        assert one(engine, f"u{n}").handed_over_at is not None
        assert opened(other, one(other, f"u{n}")).to_payload() == opened(engine, one(engine, f"u{n}")).to_payload()


def test_a_part_that_was_cut_off_is_cut_away_and_written_again(stage: Stage, tmp_path: Path) -> None:
    engine, file = filled(stage, tmp_path), tmp_path / "all.export"
    export(engine, file)
    whole = file.read_bytes()
    handing.run(engine, "take-over", Chosen(), confirm=lambda _: True, say=lambda _: None)
    for cut in (whole.index(b"\n") + 1, whole.index(b'# {"part": 2') if b'# {"part": 2' in whole else len(whole) // 2, len(whole) // 2, len(whole) - 3):
        file.write_bytes(whole[:cut])
        done = export(engine, file)
        assert (done.exported, len(read(file))) == (10, 10)
        handing.run(engine, "take-over", Chosen(), confirm=lambda _: True, say=lambda _: None)


def test_a_file_that_was_tampered_with_is_not_read(stage: Stage, tmp_path: Path) -> None:
    export(filled(stage, tmp_path), tmp_path / "all.export")
    whole = (tmp_path / "all.export").read_bytes()
    parts = whole.split(b"# {")
    for name, text in {
        "swapped": b"# {".join([*parts[:2], parts[3], parts[2], *parts[4:]]),
        "left out": b"# {".join([*parts[:2], *parts[3:]]),
        "changed": whole.replace(b"\n", b"\nA", 4).replace(b"\nA", b"\n", 3),
    }.items():
        (tmp_path / "bad.export").write_bytes(text)
        with pytest.raises(StepFailed):
            records = read(tmp_path / "bad.export")
            raise AssertionError(f"{name}: {len(records)}")


def test_another_command_does_not_go_on_with_the_file(stage: Stage, tmp_path: Path) -> None:
    engine, file = filled(stage, tmp_path, 2), tmp_path / "all.export"
    export(engine, file)
    file.write_bytes(file.read_bytes()[:-10])
    other = tmp_path / "other"
    other.mkdir()
    for more in ({"hand_over": False}, {"chosen": Chosen(provider="acme")}, {"format": "json"}, {"recipient": key(other)[1]}):
        with pytest.raises(StepFailed, match="begun with another"):
            export(engine, file, **more)
    (tmp_path / "notes.txt").write_text("something else\n")
    with pytest.raises(StepFailed, match="no export of Standpipe"):
        export(engine, tmp_path / "notes.txt")
    assert (tmp_path / "notes.txt").read_text() == "something else\n"


def test_a_disk_that_is_full_gives_the_leases_back(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = filled(stage, tmp_path, 3)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(sealed.Writer, "append", full)
        with pytest.raises(StepFailed, match="No space left"):
            export(engine, tmp_path / "all.export")
    assert all(one(engine, f"u{n}").lease_owner is None and one(engine, f"u{n}").handed_over_at is None for n in range(3))
    assert export(engine, tmp_path / "all.export").exported == 3


def test_hand_over_waits_for_a_refresh_in_flight_and_leaves_what_is_in_doubt(stage: Stage, tmp_path: Path) -> None:
    engine = filled(stage, tmp_path, 3)
    leased = lease(engine, one(engine, "u0"))
    lease(engine, one(engine, "u1"), until=timedelta(seconds=-1))
    at_its_sleep(engine, lambda: renew(engine, leased, "new", "worker"))
    done = handing.run(engine, "hand-over", Chosen(provider="acme"), confirm=lambda _: True, say=lambda _: None)

    assert (done.found, done.changed, list(done.left)) == (3, 2, [one(engine, "u1").id])
    assert [one(engine, f"u{n}").handed_over_at is not None for n in range(3)] == [True, False, True]
