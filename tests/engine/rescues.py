"""A refresh whose answer the table does not take, and who waits for it without waiting."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import EndpointConnectionError

from tests.engine.scenes import EXPIRED, Process, Scene, new_owner


def unreachable(**_event: Any) -> None:
    raise EndpointConnectionError(endpoint_url="somewhere")


def impatient(engine: Process) -> list[float]:
    """Waits without waiting; how long it would have."""
    waited = [0.0]

    def sleep(seconds: float) -> None:
        waited[0] += seconds

    engine.sleep, engine.monotonic = sleep, lambda: waited[0]  # type: ignore[method-assign]
    return waited


def table_down_after(engine: Process, calls: int, operation: str = "UpdateItem") -> Callable[[], None]:
    """The table takes that many more calls of an operation, and then none until the returned function is called."""
    seen, over = 0, False

    def refuse(**_event: Any) -> None:
        nonlocal seen
        seen += 1
        if seen > calls and not over:
            unreachable()

    def mend() -> None:
        nonlocal over
        over = True

    engine.dynamodb.meta.events.register(f"before-call.dynamodb.{operation}", refuse)
    return mend


def rescued(scene: Scene) -> tuple[Any, Process, Any]:
    """A connection whose refresh the provider answered and the table did not take, and what the fetch got."""
    owner = new_owner()
    scene.connected(owner)
    engine = scene.process(EXPIRED)
    impatient(engine)
    table_down_after(engine, 1)
    return owner, engine, engine.fetch(owner)
