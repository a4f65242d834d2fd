"""Standpipe's events on their way to Acme's page: a queue of this process's own on the SNS topic, and plain words for each event.

Rule: what it makes it removes; what a killed one left is removed by the next on the same port. For a consumer that acts on events see examples/events.
"""

import json
import secrets
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

PROVIDERS = {"github": "GitHub", "google": "Google", "salesforce": "Salesforce", "slack": "Slack"}
# The kind of each event, how it is meant, and what it says.
WORDS = {
    "pipes.connected_account.connected": ("good", "{who} connected {provider}"),
    "pipes.connected_account.disconnected": ("quiet", "{who} disconnected {provider}"),
    "pipes.connected_account.reauthorization_needed": ("bad", "{who} has to reauthorize {provider}"),
    "pipes.connected_account.reauthorization_expected": ("warning", "{who} will have to reauthorize {provider} soon"),
    "pipes.connected_account.connection_failed": ("warning", "{who} came back from {provider} without a connection"),
    "pipes.connected_account.degraded": ("bad", "{provider} has failed for days, and {who} has no live token left"),
    "pipes.connected_account.recovered": ("good", "{provider} works again for {who}"),
    "provider.misconfigured": ("bad", "{provider} refuses Acme's own client: an operator has to act"),
    "webhook_endpoint.paused": ("bad", "A webhook endpoint was paused: an operator has to act"),
}


def in_words(told: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """An event as the page shows it. Nothing here is markup: the page sets it as text."""
    data, event = told.get("data") or {}, str(told["event"])
    user, slug = data.get("user_id"), data.get("provider_slug") or ""
    tone, words = WORDS.get(event, ("quiet", "{event}"))
    facts = [data.get("account_display_name"), user or None, data.get("organization_id")]
    return {
        "id": told["id"],
        "at": told["created_at"],
        "event": event,
        "tone": tone,
        "text": words.format(event=event, who=names.get(user or "", user or "The organization"), provider=PROVIDERS.get(slug, slug)),
        "state": data.get("state") or data.get("error_reason") or data.get("error_code") or "",
        "facts": [str(fact) for fact in facts if fact],
        "user": user,
        "organization": data.get("organization_id"),
    }


class Feed:
    """What was told so far, and everybody who waits for more. An event may come twice; its id is known then."""

    KEPT = 100

    def __init__(self) -> None:
        self._told: dict[str, dict[str, Any]] = {}
        self._changed = threading.Condition()

    def tell(self, event: dict[str, Any]) -> None:
        with self._changed:
            if event["id"] not in self._told:
                self._told[event["id"]] = event
                while len(self._told) > self.KEPT:
                    del self._told[next(iter(self._told))]
                self._changed.notify_all()

    def so_far(self) -> list[dict[str, Any]]:
        with self._changed:
            return list(self._told.values())

    def others(self, known: set[str], seconds: float) -> list[dict[str, Any]]:
        """What is not among those ids, as soon as there is something; nothing after that many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._told.keys() - known, seconds)
            return [event for id, event in self._told.items() if id not in known]


class Subscription:
    """A queue on the topic, from `start` to `stop`. AWS is reached as boto3's environment variables say."""

    def __init__(self, topic: str, name: str, heard: Callable[[dict[str, Any]], None]) -> None:
        _, self._partition, _, self._region, self._account, topic_name = topic.split(":")
        self._topic, self._heard = topic, heard
        self._prefix = f"{topic_name}-{name}-"
        # One try each: `_listen` tries again by itself, and ending must not wait for an AWS that is gone.
        config = Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 1})
        self._sns, self._sqs = boto3.client("sns", region_name=self._region, config=config), boto3.client("sqs", region_name=self._region, config=config)
        self._ending = threading.Event()
        self._queue = self._subscription = ""

    def start(self) -> None:
        self._remove_left_over()
        name = self._prefix + secrets.token_hex(4)  # a new one each time: SQS wants a minute before a name is used again
        arn = f"arn:{self._partition}:sqs:{self._region}:{self._account}:{name}"
        self._queue = self._sqs.create_queue(QueueName=name, Attributes={"MessageRetentionPeriod": "3600"})["QueueUrl"]
        allow = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn, "Condition": {"ArnEquals": {"aws:SourceArn": self._topic}}}
        self._sqs.set_queue_attributes(QueueUrl=self._queue, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [allow]})})
        self._subscription = self._sns.subscribe(TopicArn=self._topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}, ReturnSubscriptionArn=True)["SubscriptionArn"]
        threading.Thread(target=self._listen, daemon=True).start()

    def stop(self) -> bool:
        """Whether everything is removed; if AWS does not answer, the next one on this port does it."""
        self._ending.set()
        try:
            if self._subscription:
                self._sns.unsubscribe(SubscriptionArn=self._subscription)
            if self._queue:
                self._sqs.delete_queue(QueueUrl=self._queue)
        except (BotoCoreError, ClientError):
            return False
        return True

    def _listen(self) -> None:
        silent = False
        while not self._ending.is_set():
            try:
                for message in self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=10).get("Messages", []):
                    self._heard(json.loads(message["Body"]))
                    self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
                silent = False
            except (BotoCoreError, ClientError):
                if not silent and not self._ending.is_set():
                    print("No events: the sandbox does not answer. Trying until it does; after 'make clean' start this anew.", file=sys.stderr)
                silent = True
                self._ending.wait(2)

    def _remove_left_over(self) -> None:
        """Of one that was killed. Its name holds the port, which this process has now."""
        pages = self._sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=self._topic)
        for found in [each for page in pages for each in page["Subscriptions"]]:
            name = found["Endpoint"].rpartition(":")[2]
            if name.startswith(self._prefix):
                self._sns.unsubscribe(SubscriptionArn=found["SubscriptionArn"])
                with suppress(self._sqs.exceptions.QueueDoesNotExist):
                    self._sqs.delete_queue(QueueUrl=self._sqs.get_queue_url(QueueName=name)["QueueUrl"])
