"""Exports of a small stage, read back, and what its worker does meanwhile."""

import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from chalicelib.domain import lifecycle
from chalicelib.domain.models import Connection
from chalicelib.domain.schedule import Policy
from chalicelib.domain.secret import Secret
from chalicelib.domain.tokens import TokenAnswer, TokenSet
from chalicelib.doors.crypto import token_facts
from chalicelib.wiring import Engine
from ops import exporting
from ops.exporting import Exported, Wanted
from tests.cloud import Stage
from tests.ops.migrations import bring, key, lines, registered, row


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
