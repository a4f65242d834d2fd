"""A stage with webhook endpoints and receivers that answer as told; nothing of it waits: the queue's delays are noted and left out."""

import json
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from botocore.exceptions import EndpointConnectionError

from chalicelib.domain import settings as settings_module
from chalicelib.domain.circuit import Circuit
from chalicelib.domain.events import TYPES, Event
from chalicelib.domain.secret import Secret
from chalicelib.domain.webhooks import Delivery, WebhookEndpoint
from chalicelib.engine.webhooks import Caller
from tests.cloud import Stage
from tests.domain.webhook_samples import event
from tests.doors.lines import Act, Line, Recorder, recorder
from tests.engine.deliveries import deliver
from tests.engine.scenes import Process

OWNER = Caller("key_1")
OK, GONE, DOWN = 200, 410, 503
Answer = int | bytes | Act


@dataclass
class Receiver:
    """Somebody's server. `answers` are given in turn, the last of them for good."""

    here: Recorder
    answers: list[Answer]
    endpoint: WebhookEndpoint
    secret: Secret = field(repr=False)

    @property
    def requests(self) -> list[dict[str, Any]]:
        return [json.loads(request.partition(b"\r\n\r\n")[2]) for request in self.here.requests]

    @property
    def ids(self) -> list[str]:
        return [str(request["id"]) for request in self.requests]


@dataclass
class Hooked:
    stage: Stage
    stack: ExitStack
    processes: list[Process] = field(default_factory=list)
    delays: list[int] = field(default_factory=list)
    """Of every message into the webhook queue, as it would have been put off."""

    def process(self, ahead: timedelta = timedelta(), *, deadline: float = 2.0) -> Process:
        made = Process(settings_module.read(self.stage.environ), ahead, deadline=deadline)
        made.client("sqs").meta.events.register("provide-client-params.sqs.SendMessageBatch", self._at_once)
        self.processes.append(made)
        return made

    def _at_once(self, params: dict[str, Any], **_: Any) -> None:
        if params["QueueUrl"] == self.stage.environ["STANDPIPE_WEBHOOK_QUEUE_URL"]:
            self.delays += [entry.pop("DelaySeconds", 0) for entry in params["Entries"]]

    def receiver(self, engine: Process, *answers: Answer, events: tuple[str, ...] = TYPES, caller: Caller = OWNER) -> Receiver:
        left = list(answers) or [OK]

        def act(line: Line) -> None:
            answer = left.pop(0) if len(left) > 1 else left[0]
            if callable(answer):
                answer(line)
            else:
                line.send(answer if isinstance(answer, bytes) else f"HTTP/1.1 {answer} X\r\nContent-Length: 0\r\n\r\n".encode())

        here = self.stack.enter_context(recorder(act))
        endpoint, secret = engine.webhooks.create(f"http://localhost:{here.port}/hook", events, caller)
        return Receiver(here, left, endpoint, secret)

    def store(self, engine: Process, told: Event | None = None) -> Event:
        """An event written with the state it tells of, and not published yet."""
        told = told or event(engine.now(), subject=f"c{uuid.uuid4().hex[:8]}")
        engine.agenda.save_circuit(Circuit(slug=uuid.uuid4().hex, version=1), (told,))
        return told

    def tell(self, engine: Process, told: Event | None = None) -> Event:
        """The same, and published."""
        told = self.store(engine, told)
        engine.outbox.publish([told])
        return told

    def work(self, engine: Process, rounds: int = 1) -> list[Any]:
        """What the webhook function makes of what is in its queue, message by message."""
        return [done for _ in range(rounds) for done in deliver(engine, "webhook")]

    def endpoint(self, engine: Process, receiver: Receiver) -> WebhookEndpoint:
        return engine.webhooks.get(receiver.endpoint.id, OWNER)

    def deliveries(self, engine: Process, receiver: Receiver) -> list[Delivery]:
        """Oldest first."""
        return engine.webhooks.deliveries(receiver.endpoint.id, OWNER, limit=100, after=None)[0][::-1]


@contextmanager
def hooked(stage: Stage) -> Iterator[Hooked]:
    with ExitStack() as stack:
        scene = Hooked(stage, stack)
        yield scene
        for process in scene.processes:
            process.close()


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
