"""Files of other systems, and stages they go to: what is the same in every test of imports and exports."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from chalicelib.domain import lifecycle
from chalicelib.domain.models import Connection, Owner, Registration
from chalicelib.domain.schedule import Policy
from chalicelib.domain.secret import Secret
from chalicelib.domain.tokens import TokenAnswer, TokenSet
from chalicelib.doors.crypto import token_facts
from chalicelib.engine.registrations import Change
from chalicelib.wiring import Engine
from ops import importing
from ops.importing import Imported, Wanted
from ops.migration import keys
from tests.cloud import ROOT, Stage

CANARY = "canary-Zx81"  # in every secret; found anywhere it should not be, it is a leak
LATER = "2031-01-01T00:00:00Z"
CUSTOM = {
    "name": "Acme",
    "auth_methods": ["oauth", "api_key"],
    "authorization": {"endpoint": "https://acme.example/authorize"},
    "token": {"endpoint": "https://acme.example/token", "authentication": "client_secret_basic"},
}


def registered(stage: Stage, *slugs: str, **change: Any) -> Engine:
    """The stage's engine, with a provider for each slug."""
    engine = stage.engine()
    for slug in slugs or ("acme",):
        given = {"enabled": True, "custom_provider": CUSTOM, "client_id": "vault", "client_secret": Secret("s"), "scopes": ("read",)}
        engine.registrations.create(slug, Change(**{**given, **change}))
    return engine


def tokens(name: str) -> dict[str, str]:
    return {"access_token": f"at-{name}-{CANARY}", "refresh_token": f"rt-{name}-{CANARY}", "expires_at": LATER}


def row(user: str = "ana", **more: Any) -> dict[str, Any]:
    return {"provider": "acme", "user_id": user, **tokens(user), **more}


def lines(path: Path, *entries: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return path


def bring(engine: Engine, file: Path, *, taking_over: bool | None = True, format: str | None = "json", said: list[str] | None = None, **more: Any) -> Imported:
    wanted = Wanted(**{"file": file, "format": format, "taking_over": taking_over, "slugs": {}, **more})
    return importing.run(engine, wanted, (said if said is not None else []).append)


def found(engine: Engine, owner: Owner | str = "ana", slug: str = "acme") -> list[Connection]:
    owner = Owner(user_id=owner) if isinstance(owner, str) else owner
    return [each for each in engine.store.connections(owner, slug) if each.state != "disconnected"]


def one(engine: Engine, owner: Owner | str = "ana", slug: str = "acme") -> Connection:
    (connection,) = found(engine, owner, slug)
    return connection


def opened(engine: Engine, connection: Connection) -> TokenSet:
    return TokenSet.from_payload(engine.sealer.open(connection.sealed or b"", token_facts(connection)))


def everything(stage: Stage) -> list[dict[str, Any]]:
    """Every row of the stage's table."""
    return list(stage.cloud.client("dynamodb").scan(TableName=stage.table)["Items"])


def report(done: Imported) -> list[dict[str, Any]]:
    """The lines of the report that are of rows."""
    assert done.report is not None
    return [line for line in map(json.loads, done.report.read_text().splitlines()) if "row" in line]


def key(folder: Path) -> tuple[Path, Path]:
    """A private key and its public one."""
    private = folder / "key.txt"
    return private, keys.make(private) if not private.exists() else private.with_name("key.txt.pub")


def plain_files(folder: Path) -> Iterator[Path]:
    yield from (path for path in folder.rglob("*") if path.is_file())


def registration(engine: Engine, slug: str = "acme") -> Registration:
    return engine.registrations.get(slug)


def connections(stage: Stage) -> list[dict[str, Any]]:
    return [each for each in everything(stage) if each["sk"]["S"].startswith("connection#")]


def refreshed(stage: Stage, user: str = "ana") -> None:
    """As the stage's own worker would: a new generation with new tokens."""
    engine = stage.engine()
    now, connection = engine.now(), one(engine, user)
    leased = engine.store.lease(connection, "holder", now + timedelta(minutes=1), now)
    answer = TokenAnswer(TokenSet(Secret("at-new"), Secret("rt-new")), now + timedelta(hours=1), 3600, rotated=True)
    sealed = engine.sealer.seal(answer.tokens.to_payload(), token_facts(leased, leased.generation + 1))
    engine.commits.commit(lifecycle.refreshed(leased, answer, sealed, policy=Policy(), now=now), holder="holder")


def command(stage: Stage, *words: str) -> subprocess.CompletedProcess[str]:
    """As an operator runs it, with the stage's environment where a deployment would have recorded it."""
    script = "import json, sys; from ops import __main__ as m; given = json.loads(sys.argv.pop()); m._environ = lambda stage: given; m.main()"
    environ = {**os.environ, **stage.cloud.environ, "PYTHONPATH": str(ROOT)}
    given = json.dumps({**stage.environ, **stage.cloud.environ})
    return subprocess.run([sys.executable, "-c", script, *words, given], env=environ, cwd=ROOT, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
