"""Figures for the dashboard's overview, kept by those who come by anyway: the worker counts what came of each message, the repair pass counts connections."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.models import Connection
from chalicelib.doors.agenda import RepairProgress
from chalicelib.doors.figures import Counts, Figures, add

# What a worker says became of a connection -> the line of the chart it is in; what is not named here did not ask a provider.
OUTCOMES = {
    "refreshed": ("success_fresh", "success_retry_after_lost", "success_rescued"),
    "failed": ("persist_failure", "lease_timeout", "transient_5xx", "transient_network", "rate_limited", "provider_weird", "not_spent"),
    "misconfigured": ("client_error",),
    "ended": ("refused_expected", "lost_outcome_unknown", "ended"),
}
_LINE = {outcome: line for line, outcomes in OUTCOMES.items() for outcome in outcomes}
SHOWN_HOURS = 24 * 7


class RefreshCounts:
    def __init__(self, figures: Figures, clock: Callable[[], datetime]) -> None:
        self._figures, self._clock = figures, clock

    def note(self, slug: str, done: dict[str, int]) -> None:
        """Counts one message of the worker. Never raises."""
        lines: dict[str, int] = {}
        for outcome, count in done.items():
            if line := _LINE.get(outcome):
                lines[line] = lines.get(line, 0) + count
        if lines:
            self._figures.count(slug, lines, self._clock())

    def shown(self, hours: int) -> list[dict[str, Any]]:
        """The last `hours` hours, oldest first and none left out: `{"at", "providers": {slug: {line: count}}}`."""
        now = self._clock().replace(minute=0, second=0, microsecond=0)
        first = now - timedelta(hours=hours - 1)
        counted: dict[datetime, Counts] = {}
        day = first.replace(hour=0)
        while day <= now:
            for hour, slug, lines in self._figures.day(day):
                add(counted.setdefault(day.replace(hour=hour), {}), {slug: lines})
            day += timedelta(days=1)
        return [{"at": at, "providers": counted.get(at, {})} for at in (first + timedelta(hours=number) for number in range(hours))]


class Census:
    """Counts the connections a repair pass looks at. A stretch is kept before the pass notes that it got so far, so one that is repeated counts once."""

    def __init__(self, figures: Figures, idle_after: timedelta | None, clock: Callable[[], datetime]) -> None:
        self._figures, self._idle_after, self._clock = figures, idle_after, clock
        self._counts: Counts = {}
        self._start = 0

    def begin(self, progress: RepairProgress) -> None:
        self._counts, self._start = {}, progress.looked_at

    def see(self, connection: Connection) -> None:
        add(self._counts, {connection.slug: counted(connection, self._idle_after, self._clock())})

    def keep(self, progress: RepairProgress) -> None:
        """Before `progress` is noted. Never raises: a pass that repairs must not stop over a count."""
        try:
            self._figures.keep_part(progress.began_at, self._start, self._counts)
            if progress.cursor is None:
                self._figures.close_census(progress.began_at, self._clock())
        except Unavailable:
            pass
        self.begin(progress)


def counted(connection: Connection, idle_after: timedelta | None, now: datetime) -> dict[str, int]:
    """What one connection adds to the counts of its provider."""
    if connection.state == "disconnected":
        return {"disconnected": 1}
    found: dict[str, int] = {connection.state: 1}
    if connection.state == "connected":
        used = connection.last_used_at or connection.connected_at or connection.created_at
        if idle_after is not None and used + idle_after <= now:
            found["idle"] = 1
        if connection.misconfigured:
            found["misconfigured"] = 1
        elif connection.failures:
            found["failing"] = 1
        if connection.degraded_since is not None:
            found["degraded"] = 1
    return found
