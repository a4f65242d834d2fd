"""Which endpoints an event is for: one message each into the webhook queue, from whoever publishes the event."""

from collections.abc import Callable

from chalicelib.domain.events import Event
from chalicelib.domain.webhooks import WebhookEndpoint
from chalicelib.doors.queue import Queue
from chalicelib.doors.webhooks import WebhookRows
from chalicelib.engine.webhook_messages import first_try

REMEMBERED_FOR = 30.0  # seconds: also how long a process goes on without an endpoint that was made or enabled meanwhile


class Subscriptions:
    """Remembers the endpoints for a short while: events come in bursts, and a stage without any endpoint pays one query in that time."""

    def __init__(self, rows: WebhookRows, queue: Queue, monotonic: Callable[[], float]) -> None:
        self._rows, self._queue, self._monotonic = rows, queue, monotonic
        self._known: tuple[float, list[WebhookEndpoint]] | None = None

    def tell(self, event: Event) -> None:
        """Raises Unavailable if not every endpoint is sure to be called: then the event has to be published again, and some hear of it twice."""
        messages = [first_try(endpoint.id, event) for endpoint in self._enabled() if endpoint.wants(event)]
        if messages:
            self._queue.send(*messages)

    def _enabled(self) -> list[WebhookEndpoint]:
        if self._known is None or self._monotonic() - self._known[0] >= REMEMBERED_FOR:
            self._known = (self._monotonic(), [endpoint for endpoint in self._rows.all() if endpoint.status == "enabled"])
        return self._known[1]
