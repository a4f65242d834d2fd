"""Webhook secrets: each signs for its own endpoint, and none is anywhere else; and messages that nobody can read."""

import json
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.doors.webhook_calls import signature
from chalicelib.engine.keeping import UnknownMessage
from tests.domain.samples import CANARY
from tests.engine.deliveries import bodies
from tests.engine.hooks import DOWN, GONE, OWNER, Hooked

MINUTE = timedelta(minutes=1)


def test_a_new_secret_signs_the_next_call_and_the_old_one_none(scene: Hooked) -> None:
    engine = scene.process()
    receiver = scene.receiver(engine)
    scene.tell(engine)
    _, secret = engine.webhooks.rotate_secret(receiver.endpoint.id, OWNER)
    scene.work(engine)
    head, _, body = receiver.here.requests[0].partition(b"\r\n\r\n")
    given = next(line for line in head.decode().split("\r\n") if line.startswith("WorkOS-Signature: ")).split(": ", 1)[1]
    at = engine.now().fromtimestamp(int(given.split(",")[0][2:]) / 1000, engine.now().tzinfo)
    assert given == signature(secret, at, body) != signature(receiver.secret, at, body)


def test_r16_a_secret_opens_for_its_own_endpoint_only(scene: Hooked) -> None:
    from chalicelib.domain.errors import IntegrityError

    engine = scene.process()
    one, other = scene.receiver(engine), scene.receiver(engine)
    row = scene.endpoint(engine, one)
    engine.webhook_rows.change(row, type(row)(**{**{name: getattr(row, name) for name in row.__dataclass_fields__}, "sealed": scene.endpoint(engine, other).sealed}))
    scene.tell(engine)
    found = scene.work(engine)
    assert sorted(type(each).__name__ for each in found) == ["IntegrityError", "str"] and one.ids == [] and len(other.ids) == 1
    assert any(isinstance(each, IntegrityError) for each in found)


@pytest.mark.parametrize(
    "message",
    [
        {},
        [],
        None,
        "text",
        {"v": 2, "endpoint": "e", "event": "event_01KJMG3C00ABCDEFGHJKMNPQRS", "subject": "s", "attempt": 1},
        {"v": 1, "endpoint": "e", "event": "event_1", "subject": "s", "attempt": 1},
        {"v": 1, "endpoint": "e", "event": "event_01KJMG3C00ABCDEFGHJKMNPQRS", "subject": "s", "attempt": "one"},
        {"v": 1, "endpoint": "e", "event": "event_01KJMG3C00ABCDEFGHJKMNPQRS", "subject": "s", "attempt": 1, "not_before": "2026-03-01T12:00:00"},
        {"v": 1, "endpoint": "e", "after": "x", "until": "event_01KJMG3C00"},
        {"v": 1, "endpoint": "e", "until": "event_01KJMG3C00"},
    ],
    ids=str,
)
def test_a_message_that_nobody_can_read_goes_to_the_dead_letters(scene: Hooked, message: Any) -> None:
    with pytest.raises(UnknownMessage):
        scene.process().deliveries.handle(message, lambda: 50.0)


def test_r19_no_secret_is_in_the_table_the_queue_or_the_journal(scene: Hooked, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from chalicelib.domain import ids

    monkeypatch.setattr(ids, "random_token", lambda: f"{CANARY}-of-43-characters-xxxxxxxxxxxxxx")
    engine = scene.process()
    receiver = scene.receiver(engine, DOWN, GONE)
    scene.tell(engine)
    scene.work(engine)
    engine.ahead += MINUTE
    sent = json.dumps(bodies(engine, "webhook"))
    scene.work(engine)
    engine.webhooks.rotate_secret(receiver.endpoint.id, OWNER)
    rows, last = engine.table.scan(None, limit=1000)
    printed = capsys.readouterr().out

    assert last is None and len(rows) > 6 and CANARY not in repr(rows) and CANARY not in sent and CANARY not in printed
    assert '"event":"webhook"' in printed and '"event":"webhook_paused"' in printed and "/hook" not in printed
    assert CANARY not in repr(receiver.endpoint) and receiver.secret.reveal().startswith(f"whsec_{CANARY}")
