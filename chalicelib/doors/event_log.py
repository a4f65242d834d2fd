"""All events of a stage for thirty days, in the order of their ids: a partition for each part of each day, read lazily and merged.

Rule: the parts of a day are asked for side by side, because a month in which little happened is some 250 queries.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from heapq import merge
from itertools import chain, islice

from chalicelib.domain import ids
from chalicelib.domain.events import Event
from chalicelib.domain.stored import DamagedRow
from chalicelib.doors import journal, keys
from chalicelib.doors.outbox import event_of
from chalicelib.doors.table import Item, Table

ONE_DAY = timedelta(days=1)


class EventLog:
    def __init__(self, table: Table) -> None:
        self._table = table

    def between(self, low: str, high: str, *, forward: bool = True, page_size: int = 100) -> Iterator[Event]:
        """Events whose ids lie between `low` and `high`, neither of them included, by id; an end is an event's id or `events.first_id`.

        Strong reads: eight queries for each day that is reached, `page_size` rows each. A row that cannot be read is said and passed over.
        """
        if low >= high:
            return
        days = _days(low, high)
        with ThreadPoolExecutor(keys.LOG_SHARDS) as pool:
            for day in days if forward else reversed(days):
                parts = pool.map(_begun, [self._part(day, shard, low, high, forward, page_size) for shard in range(keys.LOG_SHARDS)])
                for row in merge(*parts, key=lambda row: str(row["sk"]), reverse=not forward):
                    try:
                        yield event_of(row)
                    except (DamagedRow, TypeError) as error:
                        journal.write("damaged_row", detail=str(error), key=row.get("sk"))

    def _part(self, day: date, shard: int, low: str, high: str, forward: bool, page_size: int) -> Iterator[Item]:
        found = self._table.query(
            "pk = :pk AND sk BETWEEN :low AND :high", {"pk": keys.day_log_partition(day, shard), "low": low, "high": high}, forward=forward, page_size=page_size
        )  # fmt: skip
        return (row for row in found if row["sk"] not in (low, high))


def _begun(rows: Iterator[Item]) -> Iterator[Item]:
    """The same rows, with the first page of them read."""
    first = list(islice(rows, 1))
    return chain(first, rows)


def _days(low: str, high: str) -> list[date]:
    first, last = _at(low).date(), _at(high).date()
    return [first + ONE_DAY * number for number in range((last - first).days + 1)]


def _at(end: str) -> datetime:
    return ids.time_of(end.removeprefix("event_"))
