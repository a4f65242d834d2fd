"""An export: sealed to the key that was named, and with --hand-over a crash at any point leaves no grant that two systems refresh and none that nobody has."""

import io
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyrage
import pytest

from chalicelib.domain import ids, lifecycle
from chalicelib.domain.models import Connection, Owner
from chalicelib.domain.schedule import Policy
from chalicelib.domain.secret import Secret
from chalicelib.domain.tokens import AdditionalToken, TokenAnswer, TokenSet
from chalicelib.doors.crypto import token_facts
from chalicelib.wiring import Engine
from ops import exporting
from ops.errors import StepFailed
from ops.exporting import Exported, Wanted
from ops.migration import handing, keys, scanning, sealed
from ops.migration.scanning import Chosen
from ops.migration.sealed import Opened
from tests.cloud import ROOT, Cloud, Stage
from tests.ops.migrations import CANARY, bring, found, key, lines, one, opened, registered, row, tokens
from tests.ops.test_import import command


def export(engine: Engine, to: Path, *, said: list[str] | None = None, part: int = 4, **more: Any) -> Exported:
    wanted = Wanted(**{"to": to, "recipient": key(to.parent)[1], "hand_over": True, **more})
    return exporting.run(engine, wanted, (said if said is not None else []).append, part=part)


def read(file: Path) -> list[dict[str, Any]]:
    out = io.StringIO()
    count = exporting.decrypt(file, key(file.parent)[0], out)
    records = [json.loads(line) for line in out.getvalue().splitlines()]
    assert len(records) == count
    return records


def filled(stage: Stage, tmp_path: Path, count: int = 10) -> Engine:
    engine = registered(stage)
    bring(engine, lines(tmp_path / "rows.jsonl", *(row(f"u{n}") for n in range(count))))
    return engine


def renew(engine: Engine, connection: Connection, name: str, holder: str) -> None:
    """What the stage's own worker stores, of a lease that it has."""
    answer = TokenAnswer(TokenSet(Secret(f"at-{name}"), Secret(f"rt-{name}")), engine.now() + timedelta(hours=1), 3600, rotated=True)
    blob = engine.sealer.seal(answer.tokens.to_payload(), token_facts(connection, connection.generation + 1))
    engine.commits.commit(lifecycle.refreshed(connection, answer, blob, policy=Policy(), now=engine.now()), holder=holder)


def lease(engine: Engine, connection: Connection, *, until: timedelta = timedelta(minutes=1)) -> Connection:
    now = engine.now()
    return engine.store.lease(connection, "worker", now + until, now)


def at_its_sleep(engine: Engine, *works: Any) -> list[float]:
    """`works[n]` while the engine sleeps for the n-th time."""
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) <= len(works):
            works[len(slept) - 1]()

    engine.sleep = sleep  # type: ignore[method-assign]
    return slept


# the file


def test_only_the_named_key_opens_it_and_nothing_in_it_is_plain(stage: Stage, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    engine, said = filled(stage, tmp_path), list[str]()
    file = tmp_path / "out" / "all.export"
    file.parent.mkdir()
    export(engine, file, said=said, hand_over=False)

    assert CANARY.encode() not in file.read_bytes() and b"user_id" not in file.read_bytes()
    assert file.stat().st_mode & 0o077 == 0
    assert sorted(record["access_token"] for record in read(file)) == sorted(f"at-u{n}-{CANARY}" for n in range(10))
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(StepFailed, match="does not open"):
        exporting.decrypt(file, key(other)[0], io.StringIO())
    assert CANARY not in "".join([*said, *capfd.readouterr()])


def test_each_part_is_an_age_file_that_age_itself_opens(stage: Stage, tmp_path: Path) -> None:
    export(filled(stage, tmp_path), tmp_path / "all.export")
    text = (tmp_path / "all.export").read_bytes()
    blocks = [b"-----BEGIN" + block.split(b"-----END AGE ENCRYPTED FILE-----")[0] + b"-----END AGE ENCRYPTED FILE-----\n" for block in text.split(b"-----BEGIN")[1:]]
    identities = keys.identities(key(tmp_path)[0])

    assert len(blocks) == 4  # 4 + 4 + 2 connections, and the end
    assert CANARY.encode() in pyrage.decrypt(blocks[0], identities)


def test_every_kind_of_public_key_and_what_is_none(tmp_path: Path) -> None:
    private, public = key(tmp_path)
    ssh = tmp_path / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(ssh)], check=True)
    for made, opens in ((public, private), (tmp_path / "id.pub", ssh)):
        assert keys.open_(keys.seal(b"x", keys.recipients(made)), keys.identities(opens)) == b"x"
    assert private.stat().st_mode & 0o077 == 0
    (tmp_path / "empty").write_text("# nothing\n")
    (tmp_path / "odd").write_text("age1nonsense\n")
    for name, sentence in (("key.txt", "private key"), ("id", "private key"), ("empty", "holds no key"), ("odd", "no age or SSH public key"), ("absent", "No such file")):
        with pytest.raises(StepFailed, match=sentence):
            keys.recipients(tmp_path / name)
    for name in ("key.txt.pub", "empty", "absent"):
        with pytest.raises(StepFailed):
            keys.identities(tmp_path / name)
    with pytest.raises(StepFailed, match="there already"):
        keys.make(private)


def rich(engine: Engine) -> None:
    """A connection with everything there can be."""
    now = engine.now()
    made = replace(
        one(engine, "u0"), organization_id="org", user_id="rich", id="data_installation_rich", generation=7, metadata={"instance_url": "https://x.example"}, config={}, external_account_id="acct",
        external_name="Ana", external_team="T1", display_name="Work", account_identifier="a-1", refresh_expires_at=now + timedelta(days=30), grant_expires_at=now + timedelta(days=60),
        scopes_granted=("read", "write"),
    )  # fmt: skip
    held = TokenSet(Secret("at"), Secret("rt-rich"), {"user": AdditionalToken(Secret("at-2"), Secret("rt-2"), None, ("chat",))})
    engine.store.commit(lifecycle.Transition(None, replace(made, sealed=engine.sealer.seal(held.to_payload(), token_facts(made)))))


def test_everything_that_is_known_of_a_connection_arrives(cloud: Cloud, stage: Stage, tmp_path: Path) -> None:
    engine, other, owner = filled(stage, tmp_path, 1), registered(cloud.stage()), Owner(user_id="rich", organization_id="org")
    rich(engine)
    export(engine, tmp_path / "all.export")
    done = bring(other, tmp_path / "all.export", identity=key(tmp_path)[0])
    before, after = one(engine, owner), one(other, owner)

    assert done.counts == {"imported": 2, "done before": 0}
    for name in ("metadata", "external_account_id", "external_name", "external_team", "display_name", "account_identifier", "refresh_expires_at", "scopes_granted", "expires_at", "role"):
        assert getattr(after, name) == getattr(before, name), name
    assert before.grant_expires_at and after.grant_expires_at and abs(after.grant_expires_at - before.grant_expires_at) < timedelta(seconds=5)
    assert opened(other, after).to_payload() == opened(engine, before).to_payload()


@pytest.mark.parametrize("format", ["standpipe", "workos", "json"])
def test_each_format_is_read_back(cloud: Cloud, stage: Stage, tmp_path: Path, format: str) -> None:
    engine, other = registered(stage, auth_methods=("oauth", "api_key")), registered(cloud.stage(), auth_methods=("oauth", "api_key"))
    ends = {"provider": "acme", "user_id": "ends", "access_token": CANARY, "expires_at": "2031-01-01T00:00:00Z", "renewable": False}
    rows = [
        row("ana"),
        row("ana", connection_role="standard", **tokens("second")),
        row("bo", organization_id="org"),
        {"provider": "acme", "user_id": "cy", "api_key": CANARY},
        {"provider": "acme", "user_id": "di"},
        ends,
    ]
    bring(engine, lines(tmp_path / "rows.jsonl", *rows))
    export(engine, tmp_path / "all.export", format=format)
    done = bring(other, tmp_path / "all.export", identity=key(tmp_path)[0], format=None)

    assert done.counts == {"imported": 6, "done before": 0}
    for owner in (Owner(user_id="ana"), Owner(user_id="bo", organization_id="org"), Owner(user_id="cy"), Owner(user_id="di"), Owner(user_id="ends")):
        facts = [[(each.role, each.state, each.auth_method, each.expires_at, each.secret_last_four) for each in found(there, owner)] for there in (engine, other)]
        assert facts[0] == facts[1]


def test_what_is_chosen(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "PAGE", 3)
    engine = registered(stage, "acme", "other")
    bring(engine, lines(tmp_path / "rows.jsonl", *(row(f"u{n}") for n in range(9)), row("ana", organization_id="o"), row("ana", provider="other", **tokens("x"))))

    def users(name: str, **chosen: Any) -> int:
        return export(engine, tmp_path / name, chosen=Chosen(**chosen), hand_over=False).exported

    assert users("all") == 11
    assert (users("provider", provider="other"), users("organization", organization="o"), users("user", user="ana"), users("both", user="ana", organization="o"), users("none", user="eve")) == (
        1,
        1,
        1,
        1,
        0,
    )


def test_a_copy_notes_who_holds_its_tokens_and_never_takes_the_place_of_later_ones(stage: Stage, tmp_path: Path) -> None:
    engine = filled(stage, tmp_path, 1)
    connection = one(engine, "u0")
    leased = lease(engine, connection)
    renew(engine, leased, "later", "worker")
    export(engine, tmp_path / "copy.export", hand_over=False)
    assert [each.connection_id for each in engine.grants.holders(ids.digest("rt-later"))] == [connection.id]
    renew(engine, lease(engine, one(engine, "u0")), "latest", "worker")
    done = bring(engine, tmp_path / "copy.export", identity=key(tmp_path)[0], taking_over=False)

    assert done.counts == {"left": 1, "done before": 0} and opened(engine, one(engine, "u0")).access_token.reveal() == "at-latest"


# handing over


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


def test_the_command_from_a_new_key_to_reading_the_file(stage: Stage, tmp_path: Path) -> None:
    filled(stage, tmp_path, 2)
    private, file = tmp_path / "vault.key", tmp_path / "all.export"
    assert command(stage, "export", "--new-key", str(private)).returncode == 0
    made = command(stage, "export", "--stage", "t", "--to", str(file), "--recipient", f"{private}.pub", "--hand-over")
    assert made.returncode == 0 and "2 are handed over" in made.stdout
    shown = command(stage, "export", "--decrypt", str(file), "--identity", str(private))
    assert [json.loads(line)["provider"] for line in shown.stdout.splitlines()] == ["acme", "acme"]
    assert command(stage, "export", "--to", str(file)).returncode == 1
    assert CANARY not in made.stdout + made.stderr and CANARY in shown.stdout
