"""Standing between a command and AWS: what it asks is noted, and others have their turn between what it reads and what it writes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from chalicelib.wiring import Engine
from tests.ops.iam import calls_of


@contextmanager
def clients_prepared(prepare: Callable[[Any], None]) -> Iterator[None]:
    """Every AWS client that an engine makes meanwhile is prepared first. Those that are there already are not."""
    make = Engine.client

    def client(self: Engine, service: str) -> Any:
        made = make(self, service)
        prepare(made)
        return made

    with patch.object(Engine, "client", client):
        yield


@contextmanager
def once_before(event: str, naming: str = "") -> Iterator[Callable[[Callable[[], object]], None]]:
    """What it is given is done once, when a client is about to send an `event` whose body has that name in it."""
    waiting: list[Callable[[], object]] = []

    def act(params: dict[str, Any], **_: Any) -> None:
        if waiting and naming in str(params["body"]):
            waiting.pop()()

    with clients_prepared(lambda client: client.meta.events.register(f"before-call.{event}", act)):
        yield waiting.append


@contextmanager
def actions_noted() -> Iterator[set[str]]:
    """The IAM actions of every call."""
    noted: set[str] = set()

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        noted.update(call.action for call in calls_of(model.service_model.service_name, model.name, params))

    with clients_prepared(lambda client: client.meta.events.register("before-parameter-build", note)):
        yield noted
