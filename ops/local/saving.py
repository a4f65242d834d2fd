"""Runs inside the embedded AWS: keeps its state on disk while it runs, so that a killed run loses seconds, not everything.

ministack saves at a clean end only. What it holds is copied on its event loop, where requests change it, and written beside the loop.
"""

import asyncio
import contextlib
import time
from typing import Any

from ministack import app as ministack
from ministack.core.persistence import save_state

SAVE_EVERY = 2.0
SHARE_OF_TIME = 0.05  # saving may take at most this share of the server's time, however large the tables are
# Calls that change nothing worth saving, as `X-Amz-Target` names them after the dot.
READS = {"GetItem", "Query", "Scan", "BatchGetItem", "Decrypt", "Encrypt", "GenerateDataKey", "ReceiveMessage", "GetQueueAttributes", "GetParameter", "GetParameters", "DescribeTable", "DescribeKey"}
# Written by every invocation and of no use to the next run.
NOT_SAVED = {"cloudwatch_logs", "cloudwatch", "cloudtrail"}


class Saver:
    """Marks what changed and saves it a little later."""

    def __init__(self) -> None:
        self._changed: set[str] = set()

    def watch(self, app: Any) -> Any:
        """The ASGI application, with every changing call noted."""

        async def watched(scope: dict[str, Any], receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                self._note(scope)
            await app(scope, receive, send)

        return watched

    def _note(self, scope: dict[str, Any]) -> None:
        headers = dict(scope["headers"])
        action = headers.get(b"x-amz-target", b"").decode("latin-1").rpartition(".")[2]
        signed = headers.get(b"authorization", b"").decode("latin-1")
        if action in READS or "Credential=" not in signed or scope["method"] in ("GET", "HEAD"):
            return
        parts = signed.partition("Credential=")[2].split(",")[0].split("/")
        self._changed.add(parts[3] if len(parts) > 3 else "*")

    async def run(self) -> None:
        """Until cancelled."""
        pause = SAVE_EVERY
        while True:
            await asyncio.sleep(pause)
            if self._changed:
                started = time.monotonic()
                await self.save()
                pause = max(SAVE_EVERY, (time.monotonic() - started) / SHARE_OF_TIME)

    async def save(self) -> None:
        """Only what a data call changed, if nothing but data calls were made; else everything.

        The queues always: a topic that delivers and a function that takes a message change them without a call.
        """
        changed, self._changed = self._changed, set()
        services = {name: state for name, state in ministack._build_persistence_save_dict().items() if name not in NOT_SAVED}
        data_only = {"dynamodb", "sqs", "sns", "ssm"}
        chosen = {name: state for name, state in services.items() if name in changed | {"sqs"}} if changed <= data_only else services
        for name, state in chosen.items():
            with contextlib.suppress(Exception):  # a dictionary that a background thread changed meanwhile: the next round has it
                copy = state()
                if copy is not None:
                    await asyncio.to_thread(save_state, name, copy)
