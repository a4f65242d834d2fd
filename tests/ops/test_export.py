"""An export: sealed to the key that was named, in every format, and with everything that is known of a connection."""

import io
import json
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyrage
import pytest

from chalicelib.domain import ids, lifecycle
from chalicelib.domain.models import Owner
from chalicelib.domain.secret import Secret
from chalicelib.domain.tokens import AdditionalToken, TokenSet
from chalicelib.doors.crypto import token_facts
from chalicelib.wiring import Engine
from ops import exporting
from ops.errors import StepFailed
from ops.migration import keys, scanning
from ops.migration.scanning import Chosen
from tests.cloud import Cloud, Stage
from tests.ops.exports import export, filled, lease, read, renew
from tests.ops.migrations import CANARY, bring, command, found, key, lines, one, opened, registered, row, tokens

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
