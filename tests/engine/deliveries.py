"""What SQS and Lambda do between them, step by step: messages of a stage's queue handed to the engine, gone when handled, back when not."""

import json
from collections.abc import Callable
from typing import Any

from chalicelib.engine.worker import Worked
from tests.engine.scenes import Process

WORKER_SECONDS = 120.0
URLS = {"refresh": "refresh_queue_url", "rescue": "rescue_queue_url", "revoke": "revoke_queue_url", "webhook": "webhook_queue_url"}


def url_of(engine: Process, queue: str) -> str:
    return str(getattr(engine.settings, URLS[queue]))


def waiting(engine: Process, queue: str) -> list[dict[str, Any]]:
    """Every message of a queue, received and left invisible: raw, with `Body` and `ReceiptHandle`."""
    found: list[dict[str, Any]] = []
    while batch := engine.sqs.receive_message(QueueUrl=url_of(engine, queue), MaxNumberOfMessages=10, VisibilityTimeout=600).get("Messages", []):
        found += batch
    return found


def bodies(engine: Process, queue: str) -> list[dict[str, Any]]:
    """Read, and put back at once."""
    found = waiting(engine, queue)
    for message in found:
        give_back(engine, queue, message)
    return [json.loads(message["Body"]) for message in found]


def give_back(engine: Process, queue: str, message: dict[str, Any]) -> None:
    engine.sqs.change_message_visibility(QueueUrl=url_of(engine, queue), ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)


def deliver(engine: Process, queue: str, *, seconds: float = WORKER_SECONDS) -> list[Any]:
    """Each message once; what came of it, or the error with which it went back."""
    handle: Callable[..., Any] = {
        "refresh": lambda: engine.worker.handle,
        "rescue": lambda: engine.rescue.handle,
        "revoke": lambda: engine.revocations.handle,
        "webhook": lambda: engine.deliveries.handle,
    }[queue]()
    outcomes: list[Any] = []
    for message in waiting(engine, queue):
        try:
            outcomes.append(handle(json.loads(message["Body"]), lambda: seconds))
        except Exception as error:
            outcomes.append(error)
            give_back(engine, queue, message)
        else:
            engine.sqs.delete_message(QueueUrl=url_of(engine, queue), ReceiptHandle=message["ReceiptHandle"])
    return outcomes


def sweep_and_work(engine: Process) -> dict[str, int]:
    """One sweep, and everything it sent done: what was done, counted."""
    engine.sweep.run(lambda: 50.0)
    done: dict[str, int] = {}
    for worked in deliver(engine, "refresh"):
        assert isinstance(worked, Worked), worked
        for what, number in worked.done.items():
            done[what] = done.get(what, 0) + number
    return done
