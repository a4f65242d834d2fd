"""After rows came back from a backup: connections whose refresh token may be spent are marked as in doubt, before anybody uses them.

A backup brings back refresh tokens that were replaced since. Where a provider gives each for one use, the next refresh shows it a token it
has seen already. Nothing can prevent that, but it is to happen once for each connection, when somebody needs it, and to be told as what it
is: one try, and if the provider refuses, `needs_reauthorization` with the reason `refresh_outcome_unknown`.
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal, TextIO

from chalicelib.domain import schedule
from chalicelib.domain.errors import NotFound, Unavailable
from chalicelib.domain.events import timestamp
from chalicelib.domain.models import Connection
from chalicelib.domain.schedule import Policy
from chalicelib.domain.stored import read
from chalicelib.doors import keys
from chalicelib.doors.table import Item, LostRace
from chalicelib.wiring import Engine
from ops.errors import StepFailed
from ops.keys import _engine

PAGE = 500
TRIES = 5
SPREAD = timedelta(hours=1)  # not all in the same minute: a provider that counts reuse may shut out the whole client
SKEW = timedelta(minutes=5)  # between the clock that wrote a row and the one that made the backup; marking one too many costs nothing

Mark = Literal["now", "before", "busy"]


@dataclass
class Report:
    """`marked` now, `already` in doubt before this run, `busy`: ids of those that were being refreshed, which a later run finds. `providers`
    counts the first two; every other connection of `looked_at` was left alone."""

    looked_at: int = 0
    marked: int = 0
    already: int = 0
    busy: list[str] = field(default_factory=list)
    providers: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        return f"{self.looked_at} connections looked at: {self.marked} marked as in doubt, {self.already} in doubt already, {len(self.busy)} busy"


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
    marker, report, start = _Marker(engine, backup_of), Report(), None
    try:
        while True:
            found, start = engine.agenda.page(start, page)
            for connection, _shard in found:
                mark = marker.mark(connection)
                report.looked_at += 1
                if mark is not None:
                    _count(report, connection, mark)
                    if listing is not None:
                        listing.write(json.dumps(_line(connection, mark)) + "\n")
            say(str(report))
            if start is None:
                break
    except Unavailable as error:
        raise StepFailed("Marking", f"{error.message} ({report})", "Mend the cause and run it again: it goes on with what is left.") from error
    for line in _conclusion(report, table):
        say(line)
    return report


class _Marker:
    def __init__(self, engine: Engine, backup_of: datetime | None) -> None:
        self._engine, self._backup_of = engine, backup_of
        self._rotates, self._policy = cache(self._rotates_now), cache(self._policy_now)

    def mark(self, connection: Connection) -> Mark | None:
        """Whether the connection is in doubt now, and since when; None if it is none that a backup can have harmed. Raises Unavailable."""
        for _ in range(TRIES):
            now = self._engine.now()
            if not self._may_be_spent(connection):
                return None
            if connection.lease_until is not None and connection.lease_until >= now:
                return "busy"
            if connection.intent_attempt:
                return "before"
            try:
                self._note(connection, now)
                return "now"
            except LostRace as race:
                if race.item is None:
                    return None
                connection = read(Connection, race.item)
        return "busy"

    def _may_be_spent(self, connection: Connection) -> bool:
        if connection.state != "connected" or not connection.refreshable:
            return False
        since = connection.refreshed_at or connection.connected_at or connection.created_at
        if self._backup_of is not None and since > self._backup_of + SKEW:
            return False
        return self._rotates(connection.slug)

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
        due = schedule.next_due(connection, self._policy(connection.slug), now, unchanged=True)
        if due is None:
            return {}
        return {"refresh_due_at": max(due, now + random.random() * SPREAD), "due_shard": self._engine.agenda.shard_of(connection)}

    def _policy_now(self, slug: str) -> Policy:
        return self._engine.registrations.policy(slug, self._engine.settings.idle_after)

    def _rotates_now(self, slug: str) -> bool:
        """Whether the provider may replace refresh tokens. Of one that is not known any more, nobody can say that it does not."""
        registrations = self._engine.registrations
        try:
            return registrations.provider(registrations.get(slug)).lifetimes.rotation != "none"
        except NotFound:
            return True


def _count(report: Report, connection: Connection, mark: Mark) -> None:
    if mark == "busy":
        report.busy.append(connection.id)
        return
    report.providers[connection.slug] += 1
    report.marked += mark == "now"
    report.already += mark == "before"


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
    lines = [f"{provider}: {count} in doubt" for provider, count in sorted(report.providers.items())]
    if report.busy:
        lines.append(f"{len(report.busy)} were being refreshed at that moment and are not marked. Run this again in two minutes.")
    if report.providers:
        lines.append("Each is tried once: by the next fetch that needs a new token, or by the clock after its access token has ended. What the provider refuses becomes needs_reauthorization.")
    if table:
        lines.append(f"Now copy the rows you need from {table} into the stage's table.")
    return lines
