"""Webhooks against real receivers: at least once under one id, tried for days, paused with one event, sent again when asked."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from chalicelib.domain.errors import Conflict, Unavailable, Unprocessable
from chalicelib.domain.events import CONNECTED, DISCONNECTED, WEBHOOK_PAUSED, Event
from chalicelib.domain.webhooks import BACK_OFF, TRIES
from chalicelib.doors.webhook_calls import body_of, signature
from chalicelib.engine.keeping import UnknownMessage
from chalicelib.engine.subscriptions import REMEMBERED_FOR
from chalicelib.engine.webhook_messages import EventMessage
from chalicelib.engine.webhooks import Caller, Change
from tests.cloud import Stage
from tests.domain.samples import CANARY
from tests.domain.webhook_samples import event
from tests.doors.lines import Line
from tests.engine.deliveries import bodies
from tests.engine.hooks import DOWN, GONE, OK, OWNER, Hooked, hooked
from tests.engine.scenes import Process, at_once

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


@pytest.fixture
def scene(stage: Stage) -> Iterator[Hooked]:
    with hooked(stage) as made:
        yield made


def down(engine: Process, service: str, operation: str, *, applied: bool = False) -> list[bool]:
    """Answers nothing while the list's one entry is true; `applied`: what was asked is done all the same."""
    on = [True]

    def refuse(**_event: Any) -> None:
        if on[0]:
            raise EndpointConnectionError(endpoint_url=service)

    engine.client(service).meta.events.register(f"{'after' if applied else 'before'}-call.{service}.{operation}", refuse)
    return on


def waiting(engine: Process) -> list[Event]:
    return [each for shard in range(8) for each in engine.outbox_rows.waiting(shard)]


def paused(engine: Process) -> list[Event]:
    """Every pause that was ever told."""
    return [each for endpoint in engine.webhooks.all(OWNER) for each in engine.outbox_rows.log(endpoint.id)]


def test_an_event_arrives_signed_with_the_secret_that_was_shown_once(scene: Hooked) -> None:
    engine = scene.process()
    receiver = scene.receiver(engine)
    told = scene.tell(engine)
    assert scene.work(engine) == ["delivered"]

    head, _, body = receiver.here.requests[0].partition(b"\r\n\r\n")
    given = next(line for line in head.decode().split("\r\n") if line.lower().startswith("workos-signature: ")).split(": ", 1)[1]
    milliseconds = int(given.split(",")[0].removeprefix("t="))
    assert given == signature(receiver.secret, type(told.created_at).fromtimestamp(milliseconds / 1000, told.created_at.tzinfo), body) and body == body_of(told)
    assert abs(milliseconds / 1000 - engine.now().timestamp()) < 60
    (delivery,) = scene.deliveries(engine, receiver)
    assert (delivery.outcome, delivery.status, delivery.error, delivery.attempt, delivery.event_id, delivery.event) == ("delivered", 200, None, 1, told.id, CONNECTED)


def test_each_endpoint_gets_what_it_wants_and_nothing_else(scene: Hooked) -> None:
    engine = scene.process()
    everything, ends = scene.receiver(engine), scene.receiver(engine, events=(DISCONNECTED,))
    of_one, of_two = (scene.receiver(engine, caller=Caller("key_2", organization)) for organization in ("org_1", "org_2"))
    connected = scene.tell(engine, event(engine.now(), organization_id="org_1", subject="c1"))
    ended = scene.tell(engine, event(engine.now(), DISCONNECTED, None, "c2"))
    scene.work(engine)

    assert sorted(everything.ids) == sorted([connected.id, ended.id])
    assert (ends.ids, of_one.ids, of_two.ids) == ([ended.id], [connected.id], [])


def test_a_stage_without_endpoints_sends_nothing_and_asks_the_table_once_in_a_while(scene: Hooked) -> None:
    engine = scene.process()
    queries: list[dict[str, Any]] = []
    engine.client("dynamodb").meta.events.register("provide-client-params.dynamodb.Query", lambda params, **_: queries.append(params))
    for _ in range(3):
        scene.tell(engine)
    assert len(queries) == 1 and bodies(engine, "webhook") == [] and waiting(engine) == []


def test_an_endpoint_is_heard_of_within_half_a_minute(scene: Hooked, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, seconds = scene.process(), [0.0]
    monkeypatch.setattr(engine.subscriptions, "_monotonic", lambda: seconds[0])
    scene.tell(engine)
    receiver = scene.receiver(scene.process())
    scene.tell(engine)
    seconds[0] = REMEMBERED_FOR
    later = scene.tell(engine)
    scene.work(engine)
    assert receiver.ids == [later.id]


def test_an_event_whose_message_the_queue_does_not_take_stays_in_the_outbox(scene: Hooked) -> None:
    engine = scene.process()
    receiver = scene.receiver(engine)
    off = down(engine, "sqs", "SendMessageBatch")
    told = scene.tell(engine)
    assert [each.id for each in waiting(engine)] == [told.id]
    off[0] = False
    assert engine.outbox.drain(lambda: 50.0).published == 1
    scene.work(engine)
    assert receiver.ids == [told.id] and waiting(engine) == []


def test_a_message_whose_answer_was_lost_comes_again_under_the_same_id(scene: Hooked) -> None:
    engine = scene.process()
    receiver = scene.receiver(engine)
    off = down(engine, "sqs", "SendMessageBatch", applied=True)
    told = scene.tell(engine)
    off[0] = False
    engine.outbox.drain(lambda: 50.0)
    assert set(scene.work(engine)) == {"delivered"}
    assert len(receiver.ids) >= 2 and set(receiver.ids) == {told.id}


def test_a_crash_between_the_message_and_its_removal_from_the_outbox_repeats_it_and_loses_nothing(scene: Hooked, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = scene.process()
    receiver = scene.receiver(engine)

    def killed(_event: Event) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(engine.outbox_rows, "published", killed)
        told = scene.store(engine)
        with pytest.raises(KeyboardInterrupt):
            engine.outbox.publish([told])
    other = scene.process()
    assert [each.id for each in waiting(other)] == [told.id]
    other.outbox.drain(lambda: 50.0)
    scene.work(other)
    assert receiver.ids == [told.id, told.id] and waiting(other) == []


def test_what_fails_is_tried_again_with_growing_waits_until_it_arrives(scene: Hooked) -> None:
    engine = scene.process()
    receiver = scene.receiver(engine, DOWN, b"", DOWN, OK)
    told = scene.tell(engine)
    assert scene.work(engine) == ["failed"]
    for number in range(3):
        (message,) = bodies(engine, "webhook")
        assert (message["attempt"], message["event"]) == (number + 2, told.id)
        engine.ahead += BACK_OFF[number] * 1.2
        assert scene.work(engine) == ["failed" if number < 2 else "delivered"]
    found = scene.deliveries(engine, receiver)

    assert [(each.attempt, each.outcome, each.error) for each in found] == [(1, "failed", "http_503"), (2, "failed", "no_answer"), (3, "failed", "http_503"), (4, "delivered", None)]
    for each, wait in zip(found, BACK_OFF, strict=False):
        assert each.next_at is None or wait <= each.next_at - each.at + timedelta(seconds=1) <= wait * 1.1 + timedelta(seconds=2)
    assert receiver.ids == [told.id] * 4 and bodies(engine, "webhook") == []
    signatures = [request.partition(b"\r\n\r\n")[0] for request in receiver.here.requests]
    assert len(set(signatures)) == 4  # each of its own time
    assert scene.endpoint(engine, receiver).failing_since is None


def test_a_wait_longer_than_the_queue_knows_is_put_off_again(scene: Hooked) -> None:
    engine = scene.process()
    receiver = scene.receiver(engine)
    told = scene.tell(engine)
    engine.sqs.purge_queue(QueueUrl=engine.settings.webhook_queue_url)
    message = EventMessage(receiver.endpoint.id, told.id, told.subject, 5, engine.now() + timedelta(hours=2))
    engine.queue(engine.settings.webhook_queue_url).send(message.body())
    scene.delays.clear()
    assert scene.work(engine) == ["put_off"] and scene.delays == [900]
    engine.ahead = timedelta(hours=1, minutes=55)
    assert scene.work(engine) == ["put_off"] and 200 < scene.delays[1] <= 300
    assert receiver.ids == []
    engine.ahead = timedelta(hours=2)
    assert scene.work(engine) == ["delivered"] and receiver.ids == [told.id]
    assert [each.attempt for each in scene.deliveries(engine, receiver)] == [5]


def test_a_receiver_that_asks_for_time_is_given_it(scene: Hooked) -> None:
    engine = scene.process()
    scene.receiver(engine, b"HTTP/1.1 429 X\r\nRetry-After: 600\r\nContent-Length: 0\r\n\r\n")
    scene.tell(engine)
    scene.delays.clear()
    assert scene.work(engine) == ["failed"]
    assert 590 <= scene.delays[0] <= 600


def test_a_receiver_that_is_slow_costs_its_own_time_and_is_tried_again(scene: Hooked) -> None:
    engine = scene.process(deadline=0.5)
    slow, quick = scene.receiver(engine, Line.wait), scene.receiver(engine)
    told = scene.tell(engine)
    assert sorted(scene.work(engine)) == ["delivered", "failed"]
    assert quick.ids == [told.id] and [each.error for each in scene.deliveries(engine, slow)] == ["no_answer"]


def test_a_receiver_that_took_it_and_whose_answer_was_lost_gets_it_again_under_the_same_id(scene: Hooked) -> None:
    engine = scene.process()
    receiver = scene.receiver(engine, Line.reset, OK)
    told = scene.tell(engine)
    scene.work(engine)
    engine.ahead += MINUTE
    scene.work(engine)
    assert receiver.ids == [told.id, told.id]


def test_r31_a_redirecting_receiver_is_not_followed(scene: Hooked) -> None:
    engine = scene.process()
    target = scene.receiver(engine, events=(DISCONNECTED,))
    away = scene.receiver(engine, f"HTTP/1.1 307 X\r\nLocation: {target.endpoint.url}\r\nContent-Length: 0\r\n\r\n".encode())
    scene.tell(engine)
    assert scene.work(engine) == ["failed"]
    assert [each.error for each in scene.deliveries(engine, away)] == ["redirected"] and target.here.accepted == 0


def test_an_attempt_that_cannot_be_queued_stays_where_it_is(scene: Hooked) -> None:
    engine = scene.process()
    receiver = scene.receiver(engine, DOWN)
    told = scene.tell(engine)
    off = down(engine, "sqs", "SendMessageBatch")
    (error,) = scene.work(engine)
    assert isinstance(error, Unavailable)
    off[0] = False
    assert scene.work(engine) == ["failed"]
    assert receiver.ids == [told.id, told.id] and len(bodies(engine, "webhook")) == 1


def test_after_the_last_try_an_event_is_given_up_and_others_still_arrive(scene: Hooked) -> None:
    engine = scene.process()
    receiver = scene.receiver(engine, DOWN)
    scene.tell(engine)
    for number in range(TRIES):
        if number == TRIES - 1:
            engine.webhooks.update(receiver.endpoint.id, Change(url=receiver.endpoint.url + "2"), OWNER)  # so that it is not failing for long
            assert scene.endpoint(engine, receiver).failing_since is None
        (done,) = scene.work(engine)
        engine.ahead += (BACK_OFF[number] if number < len(BACK_OFF) else DAY) * 1.2
    assert done == "given_up" and bodies(engine, "webhook") == []
    assert [each.next_at is None for each in scene.deliveries(engine, receiver)] == [False] * (TRIES - 1) + [True]
    assert scene.endpoint(engine, receiver).status == "enabled" and paused(engine) == []


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
