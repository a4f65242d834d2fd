"""Events on their way out: published at once by whoever caused them, and by the sweep if that failed. At least once, under the same id.

An event is published only when the one before it, of the same connection, has left the outbox; so they go out in the order things
happened, whoever publishes. Two that publish at once repeat an event; they never overtake one.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.events import Event
from chalicelib.doors import journal, keys
from chalicelib.doors.outbox import OutboxRows
from chalicelib.doors.topic import Topic

GIVE_UP_AFTER = 5  # failures in a row: the topic or the webhook queue is down, and the next minute tries again


@dataclass(frozen=True)
class Drained:
    """What a drain did. `oldest`: when the oldest event was made that still waits."""

    published: int
    left: int
    oldest: datetime | None


class Outbox:
    """`tell` hands an event on to the stage's webhook endpoints; like the topic, it raises Unavailable if it cannot."""

    def __init__(self, rows: OutboxRows, topic: Topic, tell: Callable[[Event], None], clock: Callable[[], datetime]) -> None:
        self._rows, self._topic, self._tell, self._clock = rows, topic, tell, clock

    def publish(self, events: Iterable[Event]) -> None:
        """Right after they were stored. Never raises: what does not get out now waits for the drain."""
        for event in events:
            try:
                if event.previous is None or not self._rows.is_waiting(event.previous, event.subject):
                    self._publish(event)
            except Unavailable:
                return

    def drain(self, seconds_left: Callable[[], float]) -> Drained:
        """Everything that waits, oldest first, shard by shard; stops in time, and early if nothing gets out. Raises Unavailable if the table does not answer."""
        published, left, failures, oldest = 0, 0, 0, list[datetime]()
        for shard in range(keys.OUTBOX_SHARDS):
            held: set[str] = set()  # subjects with an event that still waits: theirs wait behind it
            for event in self._rows.waiting(shard):
                stopped = failures >= GIVE_UP_AFTER or seconds_left() <= 0
                if not stopped and event.subject not in held and not self._is_behind(event):
                    try:
                        self._publish(event)
                        published, failures = published + 1, 0
                        continue
                    except Unavailable:
                        failures += 1
                held.add(event.subject)
                left += 1
                oldest.append(event.created_at)
                if stopped:
                    break  # the first that waits is the oldest of its shard
        return Drained(published, left, min(oldest, default=None))

    def _is_behind(self, event: Event) -> bool:
        """Whether the one before it still waits: it was stored while this shard was read, or its publishing failed."""
        return event.previous is not None and self._rows.is_waiting(event.previous, event.subject)

    def _publish(self, event: Event) -> None:
        try:
            self._topic.publish(event)
            self._tell(event)
        except Unavailable as error:
            journal.count("publish", self._clock(), "failed", id=event.id, type=event.event, cause=error.code)
            raise
        # In this order: a crash between the two publishes it again, and the other way round would lose it.
        self._rows.published(event)
        late = round((self._clock() - event.created_at).total_seconds(), 3)
        journal.count("publish", self._clock(), "published", id=event.id, type=event.event, subject=event.subject, seconds_late=late)
