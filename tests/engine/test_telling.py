"""What the product hears: at least once, under one id, in order, and only when there is something to act on. And what ends by a limit is told before it does."""

import json
import signal
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from chalicelib.engine.tokens import Inactive, Live
from tests.engine.deliveries import deliver, sweep_and_work
from tests.engine.processes import workers
from tests.engine.scenes import EXPIRED, PAST_LEASE, SLUG, Process, Scene, new_owner, reauthorization_events, told
from tests.peers import faults

DAY = timedelta(days=1)


class Subscriber:
    """A queue at the topic."""

    def __init__(self, scene: Scene) -> None:
        cloud, topic = scene.stage.cloud, scene.stage.environ["STANDPIPE_TOPIC_ARN"]
        self._sqs = cloud.client("sqs")
        self._url = self._sqs.create_queue(QueueName=f"{scene.stage.table}-subscriber")["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        cloud.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})

    def heard(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while batch := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10, VisibilityTimeout=600).get("Messages", []):
            found += [json.loads(message["Body"]) for message in batch]
        return found


def sns_down(engine: Process, *, applied: bool = False) -> list[bool]:
    """SNS answers nothing while the list's one entry is true; `applied`: it takes the message and its answer is lost."""
    down = [True]

    def refuse(**_event: Any) -> None:
        if down[0]:
            raise EndpointConnectionError(endpoint_url="the topic")

    engine.client("sns").meta.events.register(f"{'after' if applied else 'before'}-call.sns.Publish", refuse)
    return down


def test_an_event_is_published_at_once_with_what_a_subscription_filters_by(strict: Scene) -> None:
    subscriber, owner = Subscriber(strict), new_owner()
    made = strict.connected(owner)
    (event,) = subscriber.heard()
    assert (event["object"], event["event"], event["data"]["id"], event["data"]["user_id"]) == ("event", "pipes.connected_account.connected", made.id, owner.user_id)
    assert list(strict.first.outbox_rows.waiting(0)) == []
    assert [kept.id for kept in strict.first.outbox_rows.log(made.id)] == [event["id"]]


def test_case_55_events_wait_while_the_topic_is_down_and_then_go_out_in_order(strict: Scene) -> None:
    subscriber, owner = Subscriber(strict), new_owner()
    engine = strict.process()
    down = sns_down(engine)
    made = strict.arrive(strict.leave(owner, engine), engine).connection
    assert made is not None
    engine.disconnect.disconnect(owner, SLUG, seconds_left=lambda: 29.0)
    assert subscriber.heard() == []
    swept = engine.sweep.run(lambda: 50.0)
    assert (swept.drained.published, swept.drained.left) == (0, 2) and swept.drained.oldest is not None
    down[0] = False
    assert engine.sweep.run(lambda: 50.0).drained.published == 2
    assert [event["event"].rsplit(".", 1)[1] for event in subscriber.heard()] == ["connected", "disconnected"]


def test_case_55_an_event_whose_answer_was_lost_comes_again_under_the_same_id(strict: Scene) -> None:
    subscriber, owner = Subscriber(strict), new_owner()
    engine = strict.process()
    down = sns_down(engine, applied=True)
    strict.arrive(strict.leave(owner, engine), engine)
    down[0] = False
    engine.sweep.run(lambda: 50.0)
    heard = subscriber.heard()
    assert len(heard) >= 2 and len({event["id"] for event in heard}) == 1


def test_a_later_event_does_not_overtake_one_that_waits(strict: Scene) -> None:
    subscriber, owner = Subscriber(strict), new_owner()
    engine = strict.process()
    sns_down(engine)
    strict.arrive(strict.leave(owner, engine), engine)
    strict.first.disconnect.disconnect(owner, SLUG, seconds_left=lambda: 29.0)  # its topic answers, and it waits all the same
    assert subscriber.heard() == []
    strict.first.sweep.run(lambda: 50.0)
    assert [event["event"].rsplit(".", 1)[1] for event in subscriber.heard()] == ["connected", "disconnected"]


def test_case_56_two_that_drain_at_once_repeat_an_event_at_most(strict: Scene) -> None:
    from tests.engine.scenes import at_once

    subscriber, engine = Subscriber(strict), strict.process()
    down = sns_down(engine)
    for _ in range(6):
        owner = new_owner()
        strict.arrive(strict.leave(owner, engine), engine)
    down[0] = False
    results = at_once(2, lambda _n: strict.process().outbox.drain(lambda: 50.0))
    assert not any(isinstance(result, Exception) for result in results)
    assert len({event["id"] for event in subscriber.heard()}) == 6
    assert all(not list(engine.outbox_rows.waiting(shard)) for shard in range(8))


@pytest.mark.parametrize("moment", ["before-send", "after-call"])
def test_case_10_a_crash_before_or_after_publishing_costs_a_repetition_at_most(strict: Scene, moment: str) -> None:
    subscriber, owner = Subscriber(strict), new_owner()
    made = strict.connected(owner)
    strict.peer.revoke_user(owner.user_id or "")
    with workers(strict, owner, EXPIRED, {"kill": {"operation": "Publish", "number": 1, "moment": moment}}) as (worker,):
        worker.go()
        assert worker.end()[0] == -signal.SIGKILL
    engine = strict.process(EXPIRED + PAST_LEASE)
    engine.sweep.run(lambda: 50.0)
    ids = [event["id"] for event in subscriber.heard() if event["event"].endswith("reauthorization_needed")]
    assert len(set(ids)) == 1 and len(ids) == (1 if moment == "before-send" else 2)
    assert len(reauthorization_events(engine, made)) == 1


def test_a_person_who_declines_is_an_event_and_no_connection(strict: Scene) -> None:
    subscriber, owner, engine = Subscriber(strict), new_owner(), strict.first
    from urllib.parse import parse_qs, urlsplit

    from chalicelib.engine.authorization_response import FlowError
    from tests.engine.scenes import Back

    begun = engine.connect.begin(owner, SLUG)
    handle = begun.url.rsplit("/", 1)[1]
    opened = engine.connect.open(handle, None)
    back = strict.peer.deny(engine.connect.confirm(handle, opened.browser), user=owner.user_id or "")
    with pytest.raises(FlowError):
        strict.arrive(Back(begun, opened.browser, parse_qs(urlsplit(back).query)))
    (event,) = subscriber.heard()
    assert event["event"] == "pipes.connected_account.connection_failed"
    assert (event["data"]["error_code"], event["data"]["provider_error"], event["data"]["user_id"]) == ("authorization_declined", "access_denied", owner.user_id)


def test_case_23_a_grant_revoked_at_the_provider_is_told_once_by_the_clock_alone(strict: Scene) -> None:
    subscriber, owner = Subscriber(strict), new_owner()
    made = strict.connected(owner)
    strict.peer.revoke_user(owner.user_id or "")
    engine = strict.process(timedelta(minutes=56))
    assert sweep_and_work(engine) == {"refused_expected": 1}
    posts = strict.posts()
    assert sweep_and_work(engine) == {} and isinstance(engine.fetch(owner), Inactive)
    assert strict.posts() == posts and told(engine, made) == ["connected", "reauthorization_needed"]
    assert [event["data"]["state_reason"] for event in subscriber.heard() if event["event"].endswith("needed")] == ["refused"]


def test_case_62_an_idle_connection_is_kept_alive_and_nothing_more(strict: Scene) -> None:
    owner = new_owner()
    strict.change_provider(lifetimes={"refresh_token_idle": 60 * 86400})
    strict.connected(owner)
    engine = strict.process(31 * DAY)
    assert sweep_and_work(engine) == {"rested": 1}
    assert strict.posts() == 0
    row = engine.row(owner)
    assert row.refresh_due_at is not None and abs(row.refresh_due_at - (row.connected_at or engine.now()) - 45 * DAY) < timedelta(minutes=1)
    engine.ahead = 46 * DAY
    assert sweep_and_work(engine) == {"success_fresh": 1}
    # Somebody uses it again: the clock looks after it as before.
    live = engine.fetch(owner)
    assert isinstance(live, Live)
    row = engine.row(owner)
    assert row.refresh_due_at is not None and row.refresh_due_at < engine.now() + timedelta(hours=1)


def test_case_62_a_limit_no_refresh_gets_past_is_announced_once(strict: Scene) -> None:
    owner = new_owner()
    strict.change_provider(lifetimes={"grant": 365 * 86400})
    made = strict.connected(owner)
    engine = strict.process(357 * DAY)
    sweep_and_work(engine)
    assert told(engine, made) == ["connected"]
    engine.ahead = 359 * DAY
    sweep_and_work(engine)
    sweep_and_work(engine)
    assert told(engine, made) == ["connected", "reauthorization_expected"]
    (event,) = [each for each in engine.outbox_rows.log(made.id) if each.event.endswith("expected")]
    assert event.data["reauthorization_expected_at"] and event.data["state"] == "connected"


def test_a_token_without_refresh_token_is_announced_and_then_ended_by_the_clock(no_refresh: Scene) -> None:
    owner = new_owner()
    made = no_refresh.connected(owner)
    engine = no_refresh.process(timedelta(minutes=46))
    assert sweep_and_work(engine) == {"announced": 1, "rested": 1} or told(engine, made)[-1] == "reauthorization_expected"
    engine.ahead = EXPIRED
    assert sweep_and_work(engine) == {"ended": 1}
    assert told(engine, made) == ["connected", "reauthorization_expected", "reauthorization_needed"]
    assert engine.row(owner).reason == "no_refresh_token" and no_refresh.posts() == 0


def test_case_59_rows_the_table_has_not_forgotten_yet_count_as_gone(strict: Scene) -> None:
    from chalicelib.engine.authorization_response import FlowError

    owner = new_owner()
    strict.connected(owner)
    back = strict.leave(owner)
    later = strict.process(timedelta(minutes=11))
    with pytest.raises(FlowError) as refused:
        strict.arrive(back, later)
    assert refused.value.kind == "link_expired"
    engine = strict.process(EXPIRED)
    engine.store.lease(engine.row(owner), "a holder that died", engine.now() - timedelta(seconds=1), engine.now() - timedelta(minutes=2))
    assert isinstance(engine.fetch(owner), Live)


@pytest.mark.parametrize("case", [66, 67])
def test_cases_66_and_67_a_grant_the_provider_dropped_for_another_is_refused_with_a_hint(strict: Scene, case: int) -> None:
    first, second = new_owner(), new_owner()
    strict.change_provider(lifetimes={"refused_hint": "Another connection may have taken its place."})
    one, other = strict.connected(first, user="shared"), strict.connected(second, user="other")
    strict.fault(faults.status(400, {"error": "invalid_grant"}))
    engine = strict.process(EXPIRED)
    ended = engine.fetch(first)
    assert isinstance(ended, Inactive) and (ended.reason, ended.hint) == ("refused", "Another connection may have taken its place.")
    assert strict.works(engine.fetch(second))
    assert (told(engine, one)[-1], told(engine, other)) == ("reauthorization_needed", ["connected"])


def test_case_69_more_life_than_the_provider_gives_is_answered_with_its_best(strict: Scene) -> None:
    owner = new_owner()
    strict.connected(owner)
    engine = strict.process()
    for _ in range(3):
        live = engine.fetch(owner, min_ttl=timedelta(hours=10))
        assert isinstance(live, Live) and live.connection.expires_at is not None
    assert strict.posts() <= 1
    assert deliver(engine, "refresh") == []


def test_a_topic_that_hangs_does_not_keep_the_sweep_from_sending_what_is_due(strict: Scene) -> None:
    owner = new_owner()
    engine = strict.process()
    sns_down(engine)
    strict.arrive(strict.leave(owner, engine), engine)
    engine.ahead = timedelta(minutes=56)
    left = [25.0]

    def hang(**_event: Any) -> None:
        left[0] -= 20.0

    engine.client("sns").meta.events.register_first("before-call.sns.Publish", hang)
    swept = engine.sweep.run(lambda: left[0])
    assert (swept.sent, swept.drained.left) == (1, 1) and left[0] < 25.0
