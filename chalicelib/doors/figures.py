"""Counters for people to look at: what came of the clock's refreshes, hour by hour, and how many connections there are, counted once a day.

Neither is exact to the last one and nothing is decided by them; so a count that cannot be written is let go.
"""

from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.events import timestamp
from chalicelib.doors import keys
from chalicelib.doors.dashboard_rows import Pages
from chalicelib.doors.table import Item

KEPT = timedelta(days=35)
PART_KEPT = timedelta(days=3)
Counts = dict[str, dict[str, int]]  # provider -> what -> how many


class Figures:
    def __init__(self, table: Pages) -> None:
        self._table = table

    def count(self, slug: str, outcomes: dict[str, int], now: datetime) -> None:
        """Adds what came of one message of the worker to the provider's hour.

        One write unit a message of up to twenty refreshes, which write 8 units each: 0.6 % more. A day is one partition, good for a
        thousand messages a second, which is what sixty million connections in use send; beyond that some counts are lost, and nothing else.
        """
        try:
            self._table.add(keys.outcomes(now, slug), outcomes, int((now + KEPT).timestamp()))
        except Unavailable:
            pass

    def day(self, at: datetime) -> list[tuple[int, str, dict[str, int]]]:
        """(hour, provider, outcomes) of one day, in order."""
        rows = self._table.query("pk = :pk", {"pk": keys.outcomes(at, "")["pk"]})
        return [(int(row["sk"][:2]), row["sk"][3:], {name: value for name, value in row.items() if isinstance(value, int) and name != "ttl"}) for row in rows]

    # the census

    def keep_part(self, began_at: datetime, start: int, counts: Counts) -> None:
        """What one stretch of a pass saw. Named by where it starts, so that a stretch that is done again takes its own place."""
        key = keys.census_part(timestamp(began_at), start)
        self._table.put(key, {"counts": counts, "ttl": int((began_at + PART_KEPT).timestamp())})

    def close_census(self, began_at: datetime, ended_at: datetime) -> None:
        """Adds the stretches of a pass up to what the dashboard shows until the next one."""
        total: Counts = {}
        for row in self._table.query("pk = :pk", {"pk": keys.census_part(timestamp(began_at), 0)["pk"]}):
            add(total, row["counts"])
        self._table.put(keys.clockwork("census"), {"counts": total, "began_at": began_at, "ended_at": ended_at})

    def census(self) -> Item | None:
        """`counts`, `began_at`, `ended_at` of the last whole pass."""
        row = self._table.get(keys.clockwork("census"))
        return None if row is None else {"counts": row["counts"], "began_at": row["began_at"], "ended_at": row["ended_at"]}


def add(total: Counts, more: dict[str, Any]) -> None:
    for slug, counts in more.items():
        into = total.setdefault(slug, {})
        for name, count in counts.items():
            into[name] = into.get(name, 0) + count
