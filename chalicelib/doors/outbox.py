"""Events in the table: an outbox row until somebody has published it, and for thirty days a row in the log of what it tells of and one in the log of its day.

All are written with the state they tell of.
"""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta

from chalicelib.domain.events import Event
from chalicelib.domain.stored import DamagedRow, read
from chalicelib.doors import journal, keys
from chalicelib.doors.table import Item, Table

RETENTION = timedelta(days=30)


def rows_of(event: Event) -> list[Item]:
    """What is put beside a change of state."""
    fields = asdict(event)
    fields["data"] = {name: value for name, value in event.data.items() if value is not None}
    fields["nulls"] = [name for name, value in event.data.items() if value is None]  # the table has no form for nothing, and a subscriber wants to read it
    kept = {**fields, "ttl": int((event.created_at + RETENTION).timestamp())}
    return [{**fields, **keys.outbox(event.id, event.subject)}, {**kept, **keys.event_log(event.id, event.subject)}, {**kept, **keys.day_log(event.id)}]


class OutboxRows:
    def __init__(self, table: Table) -> None:
        self._table = table

    def waiting(self, shard: int) -> Iterator[Event]:
        """Unpublished events of a shard, oldest first, as they are now (strong reads). A row that cannot be read is said and left where it is: it must not stop the others."""
        for row in self._table.query("pk = :pk", {"pk": keys.outbox_partition(shard)}):
            try:
                yield event_of(row)
            except (DamagedRow, TypeError) as error:
                journal.write("damaged_row", detail=str(error), key=row.get("sk"))

    def is_waiting(self, event_id: str, subject: str) -> bool:
        return self._table.get(keys.outbox(event_id, subject)) is not None

    def published(self, event: Event) -> None:
        """Takes it out of the outbox; twice is as once."""
        self._table.delete(keys.outbox(event.id, event.subject))

    def kept(self, event_id: str, subject: str) -> Event | None:
        """One event of the last thirty days."""
        row = self._table.get(keys.event_log(event_id, subject))
        return event_of(row) if row else None

    def log(self, subject: str) -> list[Event]:
        """What was told of one subject in the last thirty days, oldest first."""
        return [event_of(row) for row in self._table.query("pk = :pk", {"pk": keys.event_log_partition(subject)})]


def event_of(row: Item) -> Event:
    """Raises DamagedRow, or TypeError for data that is none."""
    return read(Event, {**row, "data": {**dict.fromkeys(row["nulls"]), **row["data"]}} if row.get("nulls") else row)
