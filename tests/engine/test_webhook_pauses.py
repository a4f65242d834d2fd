"""An endpoint that fails is paused with one event, and when it is enabled again it is sent what it missed if it asks for it."""

import threading
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.errors import Conflict, Unprocessable
from chalicelib.domain.events import CONNECTED, DISCONNECTED, WEBHOOK_PAUSED
from chalicelib.engine.webhooks import Change
from tests.domain.webhook_samples import event
from tests.doors.lines import Line
from tests.engine.deliveries import bodies
from tests.engine.hooks import DOWN, GONE, OK, OWNER, Hooked, down, paused, waiting
from tests.engine.scenes import Process, at_once

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def test_an_endpoint_that_fails_for_three_days_is_paused_with_one_event_for_the_others(scene: Hooked) -> None:
    engine = scene.process()
    failing, other = scene.receiver(engine, DOWN), scene.receiver(engine)
    first = scene.tell(engine)
    scene.work(engine)
    failing_since = scene.endpoint(engine, failing).failing_since
    assert failing_since is not None
    engine.ahead = 3 * DAY - MINUTE
    scene.work(engine)
    assert scene.endpoint(engine, failing).failing_since == failing_since and scene.endpoint(engine, failing).status == "enabled"
    second = scene.tell(engine)
    engine.ahead = 3 * DAY + MINUTE
    results = at_once(4, lambda _n: scene.work(scene.process(3 * DAY + MINUTE)))
    assert not [each for each in results if isinstance(each, Exception)], results

    row = scene.endpoint(engine, failing)
    assert (row.status, row.reason, row.failing_since) == ("disabled", "failing", failing_since) and row.paused_at is not None
    (told,) = paused(engine)
    assert (told.event, told.data["id"], told.data["status_reason"], told.data["last_error"]) == (WEBHOOK_PAUSED, row.id, "failing", "http_503")
    scene.work(engine, 2)
    assert sorted(other.ids) == sorted({first.id, second.id, told.id})
    assert {each["id"]: each["event"] for each in other.requests} == {first.id: CONNECTED, second.id: CONNECTED, told.id: WEBHOOK_PAUSED}
    assert told.id not in failing.ids and waiting(engine) == []


def test_a_success_in_between_begins_the_count_again(scene: Hooked) -> None:
    engine = scene.process()
    receiver = scene.receiver(engine, DOWN, OK, DOWN)
    scene.tell(engine)
    scene.work(engine)
    engine.ahead = 2 * DAY
    scene.work(engine)
    assert scene.endpoint(engine, receiver).failing_since is None
    scene.tell(engine)
    scene.work(engine)
    engine.ahead = 4 * DAY
    scene.work(engine)
    assert scene.endpoint(engine, receiver).status == "enabled"


def test_an_endpoint_that_says_it_is_gone_is_paused_at_once(scene: Hooked) -> None:
    engine = scene.process()
    gone = scene.receiver(engine, GONE)
    scene.tell(engine)
    assert scene.work(engine) == ["given_up"] and bodies(engine, "webhook") == []
    row = scene.endpoint(engine, gone)
    assert (row.status, row.reason) == ("disabled", "gone") and [each.data["last_error"] for each in paused(engine)] == ["http_410"]


def test_the_pause_and_its_event_are_one_write_and_the_event_is_told_also_if_nobody_is_left_to_publish_it(scene: Hooked) -> None:
    engine = scene.process()
    gone = scene.receiver(engine, GONE)
    scene.tell(engine)
    down(engine, "sns", "Publish")
    scene.work(engine)
    assert scene.endpoint(engine, gone).status == "disabled"
    assert [each.event for each in waiting(engine)] == [WEBHOOK_PAUSED]
    assert scene.process().outbox.drain(lambda: 50.0).published == 1


def test_a_change_at_the_moment_of_a_pause_wins(scene: Hooked, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its owner has just given it another address: what the old one did is no reason any more."""
    engine, other = scene.process(), scene.process()
    gone, new = scene.receiver(engine, GONE), scene.receiver(engine, OK, events=(DISCONNECTED,))
    told = scene.tell(engine)
    pause = engine.webhook_rows.pause

    def changed_first(*given: Any) -> bool:
        other.webhooks.update(gone.endpoint.id, Change(url=f"{new.endpoint.url}?moved"), OWNER)
        return pause(*given)

    monkeypatch.setattr(engine.webhook_rows, "pause", changed_first)
    assert scene.work(engine) == ["failed"]
    engine.ahead += MINUTE
    assert scene.work(engine) == ["delivered"] and new.ids == [told.id]
    assert scene.endpoint(engine, gone).status == "enabled" and paused(engine) == []


def replayed(scene: Hooked, engine: Process) -> None:
    """Everything a replay set in motion, to its end."""
    engine.ahead += MINUTE
    for _ in range(6):
        scene.work(engine)
    assert bodies(engine, "webhook") == []


def test_what_a_paused_endpoint_missed_is_sent_when_it_is_enabled_again_and_asks_for_it(scene: Hooked) -> None:
    engine = scene.process()
    receiver = scene.receiver(engine, GONE, OK)
    before = scene.tell(engine)
    assert scene.work(engine) == ["given_up"]
    fresh = scene.process(MINUTE)  # remembers no endpoint yet
    missed = [scene.tell(fresh) for _ in range(13)]
    assert bodies(fresh, "webhook") == []  # nothing for an endpoint that is disabled
    with pytest.raises(Conflict):
        fresh.webhooks.replay(receiver.endpoint.id, None, OWNER)
    enabled = fresh.webhooks.update(receiver.endpoint.id, Change(status="enabled"), OWNER)
    assert (enabled.status, enabled.reason, enabled.paused_at, enabled.failing_since) == ("enabled", None, None, None) and enabled.missed_since is not None
    unheard = scene.tell(fresh)  # by a process that still remembers it as disabled
    assert bodies(fresh, "webhook") == []
    fresh.webhooks.replay(receiver.endpoint.id, None, OWNER)
    replayed(scene, fresh)

    assert receiver.ids[0] == before.id and set(receiver.ids[1:]) == {before.id, *(each.id for each in missed), unheard.id}
    assert len(paused(fresh)) == 1  # told to the others and not to itself
    assert scene.endpoint(fresh, receiver).missed_since is None
    with pytest.raises(Unprocessable):
        fresh.webhooks.replay(receiver.endpoint.id, None, OWNER)


def test_a_replay_begins_after_the_event_that_is_named_and_repeats_what_arrived(scene: Hooked) -> None:
    engine = scene.process(-MINUTE)
    receiver = scene.receiver(engine, OK, events=(CONNECTED,))
    first, second = scene.tell(engine), scene.tell(engine)
    scene.tell(engine, event(engine.now(), DISCONNECTED))
    third = scene.tell(engine)
    scene.work(engine)
    assert len(receiver.ids) == 3
    ordered = sorted([first.id, second.id, third.id])
    engine.webhooks.replay(receiver.endpoint.id, ordered[0], OWNER)
    replayed(scene, engine)
    assert sorted(receiver.ids[3:]) == ordered[1:]


def test_a_replay_that_does_not_get_through_in_its_time_goes_on_with_the_next_message(scene: Hooked) -> None:
    engine = scene.process(-MINUTE)
    receiver = scene.receiver(engine)
    told = [scene.tell(engine) for _ in range(25)]
    scene.work(engine)
    received = len(receiver.ids)
    engine.webhooks.replay(receiver.endpoint.id, min(each.id for each in told), OWNER)
    engine.ahead += 2 * MINUTE
    (message,) = bodies(engine, "webhook")
    left = [24.0]

    def seconds_left() -> float:
        left[0] -= 1.0
        return left[0]

    engine.sqs.purge_queue(QueueUrl=engine.settings.webhook_queue_url)
    assert engine.deliveries.handle(message, seconds_left) == "replayed"
    (rest,) = [each for each in bodies(engine, "webhook") if "until" in each]
    assert rest["after"] == sorted(each.id for each in told)[9] and rest["until"] == message["until"]
    for _ in range(4):
        scene.work(engine)
    assert sorted(receiver.ids[received:]) == sorted(each.id for each in told)[1:]


def test_what_waits_for_an_endpoint_is_dropped_while_it_is_disabled_and_counts_as_missed(scene: Hooked) -> None:
    engine = scene.process()
    receiver = scene.receiver(engine)
    told = scene.tell(engine)
    engine.ahead = timedelta(hours=1)
    by_hand = engine.webhooks.update(receiver.endpoint.id, Change(status="disabled"), OWNER)
    assert by_hand.reason is None and by_hand.paused_at is None and by_hand.missed_since is not None and by_hand.missed_since > told.created_at
    assert scene.work(engine) == ["dropped"] and receiver.ids == []
    missed = scene.endpoint(engine, receiver).missed_since
    assert missed is not None and missed <= told.created_at
    engine.webhooks.update(receiver.endpoint.id, Change(status="enabled"), OWNER)
    engine.webhooks.replay(receiver.endpoint.id, None, OWNER)
    replayed(scene, engine)
    assert receiver.ids == [told.id] and paused(engine) == []


def test_what_waits_for_an_endpoint_that_is_deleted_or_wants_it_no_more_is_dropped(scene: Hooked) -> None:
    engine = scene.process()
    deleted, changed = scene.receiver(engine), scene.receiver(engine)
    scene.tell(engine)
    engine.webhooks.delete(deleted.endpoint.id, OWNER)
    engine.webhooks.update(changed.endpoint.id, Change(events=(DISCONNECTED,)), OWNER)
    assert scene.work(engine) == ["dropped", "dropped"] and deleted.here.accepted == changed.here.accepted == 0


def test_an_endpoint_that_is_deleted_while_it_is_called_does_not_come_back(scene: Hooked) -> None:
    engine, other = scene.process(), scene.process()
    hit = threading.Event()

    def delete(line: Line) -> None:
        other.webhooks.delete(receiver.endpoint.id, OWNER)
        hit.set()
        line.send(b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n")

    receiver = scene.receiver(engine, delete)
    scene.tell(engine)
    scene.work(engine)
    assert hit.is_set() and engine.webhooks.all(OWNER) == []
