"""After rows came back from a backup: connections whose refresh token may be spent are marked as in doubt, before anybody uses them.

A backup brings back refresh tokens that were replaced since. Where a provider gives each for one use, the next refresh shows it a token it
has seen already. Nothing can prevent that, but it is to happen once for each connection, when somebody needs it, and to be told as what it
is: one try, and if the provider refuses, `needs_reauthorization` with the reason `refresh_outcome_unknown`.
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from threading import Lock
from typing import Any, Literal, TextIO

from pydantic import ValidationError

from chalicelib.domain import schedule
from chalicelib.domain.errors import NotFound, Unavailable
from chalicelib.domain.events import timestamp
from chalicelib.domain.models import Connection
from chalicelib.domain.schedule import Policy
from chalicelib.domain.stored import DamagedRow, read
from chalicelib.doors import keys
from chalicelib.doors.table import Item, LostRace
from chalicelib.providers.spec import Lifetimes
from chalicelib.wiring import Engine
from ops.errors import StepFailed
from ops.keys import _engine

PAGE = 500
THREADS = 8
TRIES = 5
NAMED = 20  # rows that cannot be read are named one by one up to here
SPREAD = timedelta(hours=1)  # not all in the same minute: a provider that counts reuse may shut out the whole client
SKEW = timedelta(minutes=5)  # between the clock that wrote a row and the one that made the backup; marking one too many costs nothing

Mark = Literal["now", "before", "busy"]


@dataclass
class Report:
    """`marked` now, `already` in doubt before this run, `busy`: ids of those that were being refreshed, which a later run finds, `unreadable`:
    rows that are no connection any more. `providers` counts the first two; every other connection of `looked_at` was left alone."""

    looked_at: int = 0
    marked: int = 0
    already: int = 0
    busy: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    providers: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        return f"{self.looked_at} connections looked at: {self.marked} marked as in doubt, {self.already} in doubt already, {len(self.busy)} busy"


@dataclass(frozen=True)
class _Looked:
    connection: Connection | None = None
    mark: Mark | None = None
    unreadable: str | None = None


def moment(text: str) -> datetime:
    """The time of a backup as AWS writes it, such as 2026-11-20T10:00:00Z. Raises ValueError without a time zone."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time zone is missing: end it with Z for UTC")
    return at


def run(environ: Mapping[str, str], say: Callable[[str], None] = print, *, table: str | None = None, backup_of: datetime | None = None, listing: TextIO | None = None, page: int = PAGE) -> Report:
    """Goes through the stage's table, or through `table`, a restored copy of it, once.

    `backup_of`: the time the backup shows; what was connected or refreshed after it did not come from it and is left alone. Each
    connection in doubt becomes a line of JSON in `listing`. Raises StepFailed where AWS does not answer; what is marked stays marked.
    """
    engine = _engine({**environ, "STANDPIPE_TABLE": table} if table else environ)
    marker, report, start = _Marker(engine, backup_of, listing), Report(), None
    try:
        with ThreadPoolExecutor(THREADS) as pool:
            while True:
                found, start = engine.table.scan(start, limit=page)
                for looked in pool.map(marker.look, [row for row in found if row["sk"].startswith("connection#")]):
                    _count(report, looked)
                say(str(report))
                if start is None:
                    break
    except Unavailable as error:
        raise StepFailed("Marking", f"{error.message} ({report})", "Mend the cause and run it again: it goes on with what is left.") from error
    for line in _conclusion(report, table):
        say(line)
    return report


class _Marker:
    def __init__(self, engine: Engine, backup_of: datetime | None, listing: TextIO | None) -> None:
        self._engine, self._backup_of, self._listing = engine, backup_of, listing
        self._lifetimes, self._lock = cache(self._lifetimes_now), Lock()

    def look(self, row: Item) -> _Looked:
        """Marks a connection that may be spent, and lists it. Raises Unavailable."""
        try:
            looked = self._marked(read(Connection, row))
        except DamagedRow as error:
            return _Looked(unreadable=f"{row['pk']} {row['sk']}: {error}")
        if looked.connection is not None and looked.mark is not None and self._listing is not None:
            with self._lock:
                # At once: if this is killed, whoever is marked is listed as well.
                self._listing.write(json.dumps(_line(looked.connection, looked.mark)) + "\n")
                self._listing.flush()
        return looked

    def _marked(self, connection: Connection) -> _Looked:
        for _ in range(TRIES):
            now = self._engine.now()
            if not self._may_be_spent(connection):
                return _Looked(connection)
            if connection.lease_until is not None and connection.lease_until >= now:
                return _Looked(connection, "busy")
            if connection.intent_attempt:
                return _Looked(connection, "before")
            try:
                self._note(connection, now)
                return _Looked(connection, "now")
            except LostRace as race:
                if race.item is None:
                    return _Looked(connection)
                connection = read(Connection, race.item)
        return _Looked(connection, "busy")

    def _may_be_spent(self, connection: Connection) -> bool:
        if connection.state != "connected" or not connection.refreshable:
            return False
        since = connection.refreshed_at or connection.connected_at or connection.created_at
        if self._backup_of is not None and since > self._backup_of + SKEW:
            return False
        lifetimes = self._lifetimes(connection.slug)
        return lifetimes is None or lifetimes.rotation != "none"

    def _note(self, connection: Connection, now: datetime) -> None:
        """A note, because somebody else's write may be under way; and only while nobody is at it."""
        self._engine.table.note(
            keys.connection(connection.owner, connection.slug, connection.account),
            {"intent_attempt": 1, **self._due(connection, now)},
            condition="generation = :generation AND #state = :connected AND intent_attempt = :none AND (attribute_not_exists(lease_until) OR lease_until < :now)",
            values={"generation": connection.generation, "connected": "connected", "none": 0, "now": now},
        )

    def _due(self, connection: Connection, now: datetime) -> Item:
        """When the clock asks for it: while the access token lives there is nothing to win by it, and all of them at once would look like an attack."""
        lifetimes = self._lifetimes(connection.slug)
        policy = Policy(lifetimes.refresh_token_idle if lifetimes else 0, self._engine.settings.idle_after)
        due = schedule.next_due(connection, policy, now, unchanged=True)
        if due is None:
            return {}
        return {"refresh_due_at": max(due, now + random.random() * SPREAD), "due_shard": self._engine.agenda.shard_of(connection)}

    def _lifetimes_now(self, slug: str) -> Lifetimes | None:
        """Of a provider that is not known any more, or whose definition cannot be read, nobody can say that it does not replace refresh tokens."""
        registrations = self._engine.registrations
        try:
            return registrations.provider(registrations.get(slug)).lifetimes
        except (NotFound, DamagedRow, ValidationError):
            return None


def _count(report: Report, looked: _Looked) -> None:
    if looked.connection is None:
        report.unreadable.append(looked.unreadable or "")
        return
    report.looked_at += 1
    if looked.mark == "busy":
        report.busy.append(looked.connection.id)
    elif looked.mark is not None:
        report.providers[looked.connection.slug] += 1
        report.marked += looked.mark == "now"
        report.already += looked.mark == "before"


def _line(connection: Connection, mark: Mark) -> dict[str, Any]:
    """Whom it concerns: enough to write to them, and nothing secret."""
    times = {"refreshed_at": connection.refreshed_at, "expires_at": connection.expires_at}
    return {
        "id": connection.id,
        "provider": connection.slug,
        "user_id": connection.user_id,
        "organization_id": connection.organization_id,
        "account": connection.account,
        "generation": connection.generation,
        **{name: timestamp(at) if at else None for name, at in times.items()},
        "in_doubt": mark,
    }


def _conclusion(report: Report, table: str | None) -> list[str]:
    lines = [f"UNREADABLE  {which}" for which in report.unreadable[:NAMED]]
    if len(report.unreadable) > NAMED:
        lines.append(f"UNREADABLE  … and {len(report.unreadable) - NAMED} more")
    lines += [f"{provider}: {count} in doubt" for provider, count in sorted(report.providers.items())]
    if report.busy:
        lines.append(f"{len(report.busy)} were being refreshed at that moment and are not marked. Run this again in two minutes.")
    if report.providers:
        lines.append("Each is tried once: by the next fetch that needs a new token, or by the clock after its access token has ended. What the provider refuses becomes needs_reauthorization.")
    if table:
        lines.append(f"Now copy the rows you need from {table} into the stage's table.")
    return lines
