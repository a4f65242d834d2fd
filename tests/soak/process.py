"""A process that does what Lambda would: `python -m tests.soak.process`, told on standard input which stage, and whether it sweeps or works. It is meant to be killed."""

import json
import sys
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain import settings
from chalicelib.domain.errors import StandpipeError
from tests.engine.deliveries import URLS
from tests.engine.scenes import Process

SWEEP_EVERY = 3.0
VISIBLE_AGAIN = 20  # seconds: what a killed worker had in its hands comes back
WORK_SECONDS = 120.0


def work(engine: Process) -> None:
    handlers = {"refresh": engine.worker.handle, "rescue": engine.rescue.handle, "revoke": engine.revocations.handle}
    while True:
        had = [handle_one(engine, str(getattr(engine.settings, URLS[queue])), handle) for queue, handle in handlers.items()]
        if not any(had):
            time.sleep(0.1)


def handle_one(engine: Process, url: str, handle: Any) -> bool:
    """One message of a queue; what is not handled comes back by itself."""
    try:
        messages = engine.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1, VisibilityTimeout=VISIBLE_AGAIN).get("Messages", [])
        for message in messages:
            handle(json.loads(message["Body"]), lambda: WORK_SECONDS)
            engine.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    except (StandpipeError, ClientError, BotoCoreError):
        return True
    return bool(messages)


def sweep(engine: Process) -> None:
    while True:
        began = time.monotonic()
        try:
            engine.sweep.run(lambda: 50.0)
        except (StandpipeError, ClientError, BotoCoreError):
            pass
        time.sleep(max(0.0, SWEEP_EVERY - (time.monotonic() - began)))


def main() -> None:
    job = json.loads(sys.stdin.readline())
    engine = Process(settings.read(job["environ"]), endpoint=job["endpoint"]).warm()
    print(json.dumps({"event": "began"}), flush=True)
    (sweep if job["role"] == "sweep" else work)(engine)


if __name__ == "__main__":
    main()
