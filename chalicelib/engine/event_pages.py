"""Pages of the event log, for who asks instead of being told. A cursor is an event's id: a place in the order of ids, whether or not that event is still kept."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.domain.events import Event, first_id
from chalicelib.doors.event_log import EventLog
from chalicelib.doors.outbox import RETENTION

# An id is made a moment before its row is there, and two clocks differ: what is younger is not answered yet, so that nothing appears behind a cursor.
SETTLE = timedelta(seconds=5)
APART = timedelta(minutes=5)  # how far an event's id may be ahead of its time: it is always after the one before it
STOP_WITH = 5.0  # seconds of the request's time left when a search ends where it is


@dataclass(frozen=True)
class Filter:
    """None = any. `since` is included, `until` is not. All of `organizations` have to be the event's."""

    types: Collection[str] | None = None
    organizations: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None

    def takes(self, event: Event) -> bool:
        return (
            (self.types is None or event.event in self.types)
            and all(event.data.get("organization_id") == organization for organization in self.organizations)
            and (self.since is None or event.created_at >= self.since)
            and (self.until is None or event.created_at < self.until)
        )


@dataclass(frozen=True)
class Page:
    """`before` and `after`: cursors of the pages around it, None where there is none."""

    events: list[Event]
    before: str | None
    after: str | None


class EventPages:
    def __init__(self, log: EventLog, clock: Callable[[], datetime]) -> None:
        self._log, self._clock = log, clock

    def page(self, wanted: Filter, *, limit: int, ascending: bool, after: str | None, before: str | None, seconds_left: Callable[[], float], settled: bool = True) -> Page:
        """The events next after a cursor in the order asked for, or the last before one; `after` and `before` exclude each other.

        `settled` False: also those that are seconds old, for a person who looks and follows no cursor towards the present.
        A search that finds little in much ends in time: its page is short, or empty, and its cursor is where it stopped.
        """
        low, high = self._ends(wanted, settled)
        if (after if ascending else before) is not None:
            low = max(low, after or before or "")
        elif (before if ascending else after) is not None:
            high = min(high, before or after or "")
        backwards = before is not None
        found, reached, stopped = list[Event](), "", False
        for event in self._log.between(low, high, forward=ascending != backwards, page_size=limit // 4 + 5):
            if seconds_left() < STOP_WITH:
                stopped = True
                break
            reached = event.id
            if wanted.takes(event):
                found.append(event)
            if len(found) > limit:
                break
        shown = found[:limit]
        further = shown[-1].id if len(found) > limit else reached or after or before if stopped else None
        if backwards:
            shown.reverse()
            return Page(shown, before=further, after=shown[-1].id if shown else None)
        return Page(shown, before=shown[0].id if after is not None and shown else None, after=further)

    def _ends(self, wanted: Filter, settled: bool) -> tuple[str, str]:
        now = self._clock()
        low, high = now - RETENTION, now - SETTLE if settled else now + APART
        if wanted.since is not None:
            low = max(low, wanted.since)
        if wanted.until is not None:
            high = min(high, wanted.until + APART)
        return first_id(low), first_id(high)
