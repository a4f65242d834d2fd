"""Messages to SQS and events to SNS, as they arrive; and what is taken for not sent."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config

from chalicelib.domain import events
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.events import Event
from chalicelib.doors.queue import MAX_BODY, Queue, TooLarge
from chalicelib.doors.topic import Topic
from tests.cloud import REGION, Cloud, Stage, free_port
from tests.domain.samples import NOW, connection, pending
from tests.doors.stored import refused

CALLS = "SendMessageBatch"


class Wire:
    """The client of a queue or a topic, with the operations it really sent."""

    def __init__(self, cloud: Cloud, service: str) -> None:
        self.client = cloud.client_of_its_own(service)
        self.sent: list[str] = []
        self.client.meta.events.register(f"before-call.{service}", lambda model, **_more: self.sent.append(model.name))

    def answers(self, operation: str, answer: dict[str, Any]) -> None:
        """From here on, what else the service says of this operation."""
        self.client.meta.events.register(f"after-call.sqs.{operation}", lambda parsed, **_more: parsed.update(answer))


@pytest.fixture
def wire(cloud: Cloud) -> Wire:
    return Wire(cloud, "sqs")


@pytest.fixture
def url(stage: Stage) -> str:
    return stage.environ["STANDPIPE_REFRESH_QUEUE_URL"]


@pytest.fixture
def queue(wire: Wire, url: str) -> Queue:
    return Queue(wire.client, url)


def received(client: Any, url: str, **more: Any) -> list[Any]:
    found: list[Any] = []
    while batch := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=600, **more).get("Messages", []):
        found += batch
    return found


# the queue


@pytest.mark.parametrize(("number", "calls"), [(0, 0), (1, 1), (10, 1), (11, 2), (20, 2), (21, 3)])
def test_messages_go_ten_a_call_and_all_arrive(wire: Wire, queue: Queue, url: str, number: int, calls: int) -> None:
    queue.send(*({"number": n} for n in range(number)))

    assert wire.sent.count(CALLS) == calls
    assert sorted(json.loads(message["Body"])["number"] for message in received(wire.client, url)) == list(range(number))


def test_a_message_arrives_to_the_last_character(wire: Wire, queue: Queue, url: str) -> None:
    body = {"text": 'ü✓ vault:special +/%&="<>', "list": [1, None, True], "nested": {"a": {"b": []}}}
    queue.send(body)

    (message,) = received(wire.client, url)
    assert json.loads(message["Body"]) == body


def sized(size: int) -> dict[str, str]:
    return {"x": "a" * (size - len('{"x":""}'))}


def test_the_largest_message_is_taken_and_one_byte_more_is_refused_before_anything_is_sent(wire: Wire, queue: Queue, url: str) -> None:
    queue.send(sized(MAX_BODY))
    sent = len(wire.sent)
    with pytest.raises(TooLarge):
        queue.send({"small": 1}, sized(MAX_BODY + 1))

    assert len(wire.sent) == sent and len(received(wire.client, url)) == 1


def test_a_message_the_queue_did_not_take_is_unavailable_though_others_were_taken(wire: Wire, queue: Queue) -> None:
    """SQS answers 200 to a batch of which it took only a part."""
    wire.answers(CALLS, {"Failed": [{"Id": "0", "Code": "InternalError", "SenderFault": False, "Message": "canary-Zx81"}]})

    with pytest.raises(Unavailable, match="InternalError") as caught:
        queue.send({"a": 1}, {"b": 2})
    assert caught.value.code == "queue_unavailable" and "canary" not in str(caught.value)


def test_what_follows_a_message_that_was_not_taken_is_not_sent(wire: Wire, queue: Queue) -> None:
    wire.answers(CALLS, {"Failed": [{"Id": "0", "Code": "InternalError", "SenderFault": False}]})
    with pytest.raises(Unavailable):
        queue.send(*({"number": n} for n in range(30)))

    assert wire.sent.count(CALLS) == 1


def test_depth_is_everything_that_waits_is_handled_or_is_put_off(wire: Wire, queue: Queue, url: str) -> None:
    depths = [queue.depth()]
    queue.send(*({"number": n} for n in range(5)))
    depths.append(queue.depth())
    (held,) = wire.client.receive_message(QueueUrl=url, MaxNumberOfMessages=1, VisibilityTimeout=600)["Messages"]
    wire.client.send_message(QueueUrl=url, MessageBody="{}", DelaySeconds=600)
    depths.append(queue.depth())
    wire.client.delete_message(QueueUrl=url, ReceiptHandle=held["ReceiptHandle"])
    depths.append(queue.depth())

    assert depths == [0, 5, 6, 5]


def test_a_message_that_is_put_off_is_queued_and_not_yet_seen(wire: Wire, queue: Queue, url: str) -> None:
    queue.send(*({"number": n} for n in range(11)), delay=900)

    assert (queue.depth(), received(wire.client, url)) == (11, [])


ACTS: dict[str, Callable[[Queue], object]] = {"send": lambda q: q.send({"a": 1}), "depth": lambda q: q.depth()}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_a_queue_that_is_not_there_or_does_not_answer_is_unavailable(wire: Wire, url: str, act: Callable[[Queue], object]) -> None:
    nobody = boto3.client("sqs", endpoint_url=f"http://127.0.0.1:{free_port()}", region_name=REGION, config=Config(retries={"total_max_attempts": 1}))
    for queue in (Queue(wire.client, url + "-not-there"), Queue(nobody, url)):
        with pytest.raises(Unavailable) as caught:
            act(queue)
        assert caught.value.code == "queue_unavailable"


# the topic

ACCOUNT = refused(connection()).events[0]
NOBODYS = refused(connection(organization_id=None)).events[0]
FLOW = events.of_failed_flow(pending(), "authorization_declined", "The person declined.", "access_denied", "ü✓", NOW)
MISCONFIGURED = events.of_misconfiguration("data_integration_01", "acme", "invalid_client", NOW, last=None)


class Subscriber:
    """A queue at the topic, with raw delivery: the body is the message, the attributes are the message's."""

    def __init__(self, stage: Stage, policy: dict[str, list[str]] | None = None) -> None:
        self._sqs = stage.cloud.client("sqs")
        self._url = self._sqs.create_queue(QueueName=f"subscriber-{uuid.uuid4().hex[:10]}")["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        attributes = {"RawMessageDelivery": "true", **({"FilterPolicy": json.dumps(policy)} if policy else {})}
        stage.cloud.client("sns").subscribe(TopicArn=stage.environ["STANDPIPE_TOPIC_ARN"], Protocol="sqs", Endpoint=arn, Attributes=attributes)

    def heard(self) -> list[tuple[dict[str, Any], dict[str, str]]]:
        found = received(self._sqs, self._url, MessageAttributeNames=["All"])
        return [(json.loads(each["Body"]), {name: value["StringValue"] for name, value in each.get("MessageAttributes", {}).items()}) for each in found]


@pytest.fixture
def topic(stage: Stage) -> Topic:
    return Topic(stage.cloud.client("sns"), stage.environ["STANDPIPE_TOPIC_ARN"])


@pytest.mark.parametrize("event", [ACCOUNT, NOBODYS, FLOW, MISCONFIGURED], ids=["account", "of nobody's organization", "failed flow", "misconfigured"])
def test_an_event_arrives_as_its_envelope_with_what_may_be_filtered_by(stage: Stage, topic: Topic, event: Event) -> None:
    subscriber = Subscriber(stage)
    topic.publish(event)

    assert subscriber.heard() == [(events.envelope(event), events.attributes(event))]


POLICIES = {
    "one type": ({"event": [events.REAUTHORIZATION_NEEDED]}, [ACCOUNT, NOBODYS]),
    "one provider": ({"provider": ["acme"]}, [ACCOUNT, NOBODYS, FLOW, MISCONFIGURED]),
    "another provider": ({"provider": ["globex"]}, []),
    "one organization": ({"organization_id": ["org_1"]}, [ACCOUNT, FLOW]),
    "two at once": ({"organization_id": ["org_1"], "event": [events.CONNECTION_FAILED]}, [FLOW]),
}


@pytest.mark.parametrize(("policy", "expected"), POLICIES.values(), ids=POLICIES)
def test_a_subscription_hears_what_its_policy_lets_through(stage: Stage, topic: Topic, policy: dict[str, list[str]], expected: list[Event]) -> None:
    subscriber = Subscriber(stage, policy)
    for event in (ACCOUNT, NOBODYS, FLOW, MISCONFIGURED):
        topic.publish(event)

    assert sorted(body["id"] for body, _ in subscriber.heard()) == sorted(event.id for event in expected)


def test_a_topic_that_is_not_there_or_does_not_answer_is_unavailable(stage: Stage) -> None:
    arn = stage.environ["STANDPIPE_TOPIC_ARN"]
    nobody = boto3.client("sns", endpoint_url=f"http://127.0.0.1:{free_port()}", region_name=REGION, config=Config(retries={"total_max_attempts": 1}))
    for topic in (Topic(stage.cloud.client("sns"), f"{arn}-not-there"), Topic(nobody, arn)):
        with pytest.raises(Unavailable) as caught:
            topic.publish(ACCOUNT)
        assert caught.value.code == "topic_unavailable"
