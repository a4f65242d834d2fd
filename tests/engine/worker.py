"""A process of its own: `python -m tests.engine.worker`, driven by lines of JSON on stdin.

First line: the job {environ, ahead, owner, work, threads, kill}. It answers "ready" once everything is built, waits for a line, does the
work in `threads` threads at once, and prints one line {"results": [...]} in which a token is only a hash. `kill` names the moment of
an AWS call at which this process sends itself SIGKILL: {"operation": "UpdateItem", "number": 2, "moment": "before-send" | "after-call"}.
"""

import hashlib
import json
import os
import signal
import sys
from datetime import timedelta
from typing import Any

from chalicelib.domain import settings
from chalicelib.domain.models import Owner
from chalicelib.engine.tokens import Live
from tests.engine.scenes import Process, at_once


def kill_at(engine: Process, *, operation: str, number: int, moment: str) -> None:
    seen = 0

    def count(**_event: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            os.kill(os.getpid(), signal.SIGKILL)

    service = {"Publish": "sns", "SendMessageBatch": "sqs"}.get(operation, "dynamodb")
    client = engine.dynamodb if service == "dynamodb" else engine.client(service)
    client.meta.events.register(f"{moment}.{service}.{operation}", count)


def told(result: Any) -> dict[str, Any]:
    if isinstance(result, Live):
        return {"token": hashlib.sha256(result.tokens.access_token.reveal().encode()).hexdigest(), "generation": result.connection.generation}
    return {"error": repr(result)}


def main() -> None:
    job = json.loads(sys.stdin.readline())
    engine = Process(settings.read(job["environ"]), timedelta(seconds=job["ahead"])).warm()
    owner = Owner(user_id=job["owner"])
    if job.get("kill"):
        kill_at(engine, **job["kill"])

    def work(_number: int) -> Any:
        if job["work"] == "message":
            return engine.worker.handle(job["message"], lambda: 120.0)
        return engine.rejected(owner, job["generation"]) if job["work"] == "rejected" else engine.fetch(owner)

    print("ready", flush=True)
    sys.stdin.readline()
    results = at_once(job.get("threads", 1), work)
    print(json.dumps({"results": [told(result) for result in results]}), flush=True)


if __name__ == "__main__":
    main()
