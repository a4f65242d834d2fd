"""Webhooks against real receivers: at least once under one id, tried again for days, and given up at last."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.events import CONNECTED, DISCONNECTED, Event
from chalicelib.domain.webhooks import BACK_OFF, TRIES
from chalicelib.doors.webhook_calls import body_of, signature
from chalicelib.engine.subscriptions import REMEMBERED_FOR
from chalicelib.engine.webhook_messages import EventMessage
from chalicelib.engine.webhooks import Caller, Change
from tests.domain.webhook_samples import event
from tests.doors.lines import Line
from tests.engine.deliveries import bodies
from tests.engine.hooks import DOWN, OK, OWNER, Hooked, down, paused, waiting

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


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
