"""The end of a run: everything is mended, time passes, and what was promised for then is looked at."""

import json
from datetime import timedelta
from typing import Any

from chalicelib.domain import ids
from chalicelib.engine.tokens import Live
from tests.engine.scenes import REGISTRATION_ID
from tests.machine.troubles import CALM
from tests.machine.world import Violation, World

ROUNDS = 6


def settle(world: World) -> None:
    """Raises Violation."""
    world.topic(is_down=False)
    world.restart(0)
    world.change_secret(world.setting.peer.client_secret)
    world.drain()
    world.advance(timedelta(hours=9))  # the longest back-off, every lease, hold and pause
    for _ in range(ROUNDS):
        world.act(0, lambda at: at.sweep.run(lambda: 50.0))
        world.deliver(0, "refresh")
        world.drain()
        world.advance(timedelta(minutes=3))
    for owner in world.people:
        row = world.edges.row(owner)
        if row is None or row.state != "connected":
            continue
        answer = world.act(0, lambda at, owner=owner: at.fetch(owner), CALM)
        after = world.edges.row(owner)
        assert after is not None
        if after.state == "connected" and not isinstance(answer, Live):
            raise Violation(f"a connection is stuck: {answer!r}")
        if after.state == "connected" and after.refresh_due_at is None:
            raise Violation("a connection is out of the index")
    _given_up_is_gone(world)
    _everything_was_told(world)
    _nothing_secret_is_anywhere(world)


def _given_up_is_gone(world: World) -> None:
    """What a disconnect ended does not live on at the provider, unless whoever was to end it was killed, or an answer with its tokens was lost."""
    for owner, grant in world.witness.current.items():
        row = world.edges.row(owner)
        if row is None or row.state != "disconnected" or grant.abandoned or grant.lost_an_answer:
            continue
        if world.witness.works(grant.access[-1]):
            raise Violation("a grant that was given up lives on at the provider")


def _everything_was_told(world: World) -> None:
    logged: dict[str, Any] = {}
    for subject in [*world.edges.of, REGISTRATION_ID, *_flows(world)]:
        events = world.edges.log(subject)
        if [event.id for event in events] != sorted({event.id for event in events}):
            raise Violation("I4: ids that repeat, or do not sort")
        logged |= {event.id: (event.event, event.subject) for event in events}
    if any(list(world.eye.outbox_rows.waiting(shard)) for shard in range(8)):
        raise Violation("I4: an event is left in the outbox")
    texts = list(world.heard())
    world.told += texts
    heard = [json.loads(text) for text in texts]
    arrived = {event["id"]: event["event"] for event in heard}
    written = {event_id: kind for event_id, (kind, _) in logged.items()}
    if arrived != written:
        raise Violation(f"I4: in the log and not heard {written.items() - arrived.items()}, heard and not in the log {arrived.items() - written.items()}")
    last: dict[str, str] = {}
    for event_id in dict.fromkeys(event["id"] for event in heard):
        subject = logged[event_id][1]
        if event_id < last.get(subject, ""):
            raise Violation("I4: events of one connection arrived out of order")
        last[subject] = event_id


def _flows(world: World) -> list[str]:
    """Subjects of flows that ended without a connection, each told once: always if nothing broke meanwhile, and never twice."""
    for pending_id, told in world.flows.items():
        events = [event.event for event in world.edges.log(_subject(pending_id))]
        if len(events) > 1 or (told and not events):
            raise Violation(f"I4: {events} for a flow that failed")
    return [_subject(pending_id) for pending_id in world.flows]


def _subject(pending_id: str) -> str:
    return f"flow_{ids.digest(pending_id)[:26]}"


def _nothing_secret_is_anywhere(world: World) -> None:
    pages = world.eye.dynamodb.get_paginator("scan").paginate(TableName=world.stage.table)
    parts = [part for page in pages for item in page["Items"] for part in _bytes_of(item)]
    everything = {"journal": world.printed.getvalue().encode(), "queues and topic": "\n".join(world.told).encode(), "table": b"\n".join(parts)}
    for place, content in everything.items():
        for secret in world.witness.secrets:
            if secret.encode() in content or json.dumps(secret)[1:-1].encode() in content:
                raise Violation(f"I5: a secret is in the {place}")


def _bytes_of(value: Any) -> list[bytes]:
    match value:
        case dict():
            return [part for name, each in value.items() for part in (str(name).encode(), *_bytes_of(each))]
        case list():
            return [part for each in value for part in _bytes_of(each)]
        case bytes():
            return [value]
    return [str(value).encode()]
