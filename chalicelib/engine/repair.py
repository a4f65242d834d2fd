"""The repair pass: once a day every row is looked at, and a connection that should be in the due index and is not is put back.

An index entry can be lost by a restore, a change by hand, fewer shards than before, or a bug of ours. It goes through the table a page at
a time, remembers where it was, and goes on from there when it is woken again. What it looks at, it counts.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain import schedule
from chalicelib.domain.models import Connection
from chalicelib.domain.schedule import Policy
from chalicelib.doors import journal
from chalicelib.doors.agenda import Agenda, RepairProgress
from chalicelib.engine.dashboard_figures import Census
from chalicelib.engine.registrations import Registrations

EVERY = timedelta(days=1)
PAGE = 500
END_IN = 15.0  # seconds of the function's time left when it stops, having remembered where
PAGES_BETWEEN_NOTES = 20


class Repair:
    def __init__(self, agenda: Agenda, registrations: Registrations, census: Census, idle_after: timedelta | None, clock: Callable[[], datetime]) -> None:
        self._agenda, self._registrations, self._census, self._idle_after, self._clock = agenda, registrations, census, idle_after, clock
        self._policies: dict[str, Policy] = {}

    def run(self, seconds_left: Callable[[], float], *, anyway: bool = False) -> RepairProgress | None:
        """Goes on with a pass that is not at its end, or begins one if the last began a day ago (or `anyway`). None if there is nothing to do. Raises Unavailable."""
        now = self._clock()
        known = self._agenda.repair_progress()
        if known is None or (known.cursor is None and (anyway or known.began_at + EVERY <= now)):
            known, first = RepairProgress(began_at=now), True
        elif known.cursor is None:
            return None
        else:
            first = False
        self._policies = {}
        self._census.begin(known)
        pages = 0
        while (known.cursor is not None or first) and seconds_left() > END_IN:
            found, cursor = self._agenda.page(known.cursor, PAGE)
            repaired = sum(self._repair(connection, shard) for connection, shard in found)
            known = replace(known, cursor=cursor, looked_at=known.looked_at + len(found), repaired=known.repaired + repaired)
            first, pages = False, pages + 1
            if pages % PAGES_BETWEEN_NOTES == 0 and known.cursor is not None:
                self._census.keep(known)
                self._agenda.note_repair_progress(known)
        self._census.keep(known)
        self._agenda.note_repair_progress(known)
        units = {"repair_looked_at": "Count", "repair_repaired": "Count"}
        journal.measure("repair", self._clock(), units, repair_looked_at=known.looked_at, repair_repaired=known.repaired, finished=known.cursor is None)
        return known

    def _repair(self, connection: Connection, shard: str | None) -> bool:
        self._census.see(connection)
        if connection.state != "connected":
            return False
        now = self._clock()
        due = connection.refresh_due_at or schedule.next_due(connection, self._policy(connection.slug), now)
        if due is None or (connection.refresh_due_at is not None and shard == self._agenda.shard_of(connection)):
            return False
        if self._agenda.reindex(connection, due):
            journal.write("repaired", connection=connection.id, provider=connection.slug, due=due, was_in=shard)
            return True
        return False

    def _policy(self, slug: str) -> Policy:
        if slug not in self._policies:
            self._policies[slug] = self._registrations.policy(self._registrations.find(slug), self._idle_after)
        return self._policies[slug]
