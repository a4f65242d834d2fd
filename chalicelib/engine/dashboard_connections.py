"""Connections for an administrator to look at: searched by owner, organization, provider or id, a page at a time, and one with its history.

Rule: a page reads a bounded number of rows, whatever the filter leaves of them; the cursor says where to go on. Nothing that is sealed is opened.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.domain.errors import InvalidRequest, NotFound
from chalicelib.domain.events import Event
from chalicelib.domain.models import Connection, Owner
from chalicelib.domain.stored import DamagedRow
from chalicelib.doors import journal
from chalicelib.doors.dashboard_rows import Pages
from chalicelib.doors.keys import Key
from chalicelib.doors.outbox import OutboxRows
from chalicelib.doors.store import Store
from chalicelib.engine.circuits import Circuits
from chalicelib.engine.refresh import Outcome, Refresher
from chalicelib.engine.registrations import Registrations

PAGE = 25
LOOKED_AT_ONCE = 100  # rows read for one page, at ten a time: a tenth of a second
THREADS = 10
SHOWN_EVENTS = 100


@dataclass(frozen=True)
class Filter:
    user_id: str | None = None
    organization_id: str | None = None
    slug: str | None = None
    state: str | None = None

    def lets_through(self, connection: Connection) -> bool:
        wanted = ((self.user_id, connection.user_id), (self.organization_id, connection.organization_id), (self.slug, connection.slug), (self.state, connection.state))
        return all(want is None or want == have for want, have in wanted)


@dataclass(frozen=True)
class Found:
    """A page. `looked_at`: how many rows it took to find these; `cursor` None = there is nothing more."""

    connections: list[Connection]
    looked_at: int
    cursor: str | None


class DashboardConnections:
    def __init__(
        self, pages: Pages, store: Store, events: OutboxRows, registrations: Registrations, refresher: Callable[[], Refresher], circuits: Callable[[], Circuits], clock: Callable[[], datetime]
    ) -> None:
        self._pages, self._store, self._events, self._registrations = pages, store, events, registrations
        self._refresher, self._circuits, self._clock = refresher, circuits, clock

    def search(self, wanted: Filter, unverified_cursor: str | None = None) -> Found:
        """Newest first. A user's are found by its owner, an organization's and a provider's by their index. Raises InvalidRequest for a cursor that is not ours."""
        if wanted.user_id is not None:
            owned = self._store.connections(Owner(user_id=wanted.user_id, organization_id=wanted.organization_id))
            return Found([each for each in owned if wanted.lets_through(each)], len(owned), None)
        sources = self._sources(wanted)
        at, start = _read_cursor(unverified_cursor, sources)
        found: list[Connection] = []
        looked_at = 0
        while at < len(sources):
            index, name, value = sources[at]
            room = LOOKED_AT_ONCE - looked_at
            entries, more = self._pages.page(f"{name} = :value", {"value": value}, index=index, limit=min(room, PAGE if wanted.state is None else room), start=start, forward=False)
            # The organization's index holds its pending authorizations too.
            for entry, connection in self._rows([entry for entry in entries if entry["sk"].startswith("connection#")]):
                looked_at += 1
                if connection is not None and wanted.lets_through(connection):
                    found.append(connection)
                    if len(found) == PAGE:
                        return Found(found, looked_at, _cursor(at, {each: entry[each] for each in ("pk", "sk", name, "id")}))
            start = more
            if more is None:
                at += 1
            if looked_at >= LOOKED_AT_ONCE:
                break
        return Found(found, looked_at, _cursor(at, start) if at < len(sources) else None)

    def by_id(self, connection_id: str) -> Connection | None:
        """A connection that is not disconnected, by its id: one query for each registration."""
        for registration in self._registrations.all():
            entries, _ = self._pages.page("live_registration_id = :registration AND id = :id", {"registration": registration.id, "id": connection_id}, index="registration", limit=1)
            for entry in entries:
                return self._store.connection_at({"pk": entry["pk"], "sk": entry["sk"]})
        return None

    def at(self, unverified_reference: str) -> Connection:
        """By its reference. Raises NotFound."""
        connection = None
        try:
            organization, user, slug, account = json.loads(_unpack(unverified_reference))
            if all(isinstance(part, str) for part in (slug, account)) and all(part is None or isinstance(part, str) for part in (organization, user)):
                connection = self._store.connection(Owner(user_id=user, organization_id=organization), slug, account)
        except (ValueError, TypeError):
            pass
        if connection is None:
            raise NotFound("There is no such connection.", "connection_not_found")
        return connection

    def history(self, connection: Connection) -> list[Event]:
        """What the product was told of it in the last thirty days, newest first."""
        return self._events.log(connection.id)[: -SHOWN_EVENTS - 1 : -1]

    def refresh(self, connection: Connection, seconds_left: Callable[[], float]) -> Outcome:
        """Refreshes it now, due or not: the same refresh as a fetch, which waits for whoever is at it already. Raises Unavailable or IntegrityError."""
        outcome = self._refresher().refresh(connection, lambda newer: newer.generation != connection.generation, seconds_left=seconds_left, patience=3, used=True)
        self._circuits().note(connection.slug, connection.registration_id, outcome.tally)
        return outcome

    def count(self, at_most: int) -> list[Connection] | None:
        """All connections that are not disconnected, or None if there are more than so many."""
        entries: list[dict[str, Any]] = []
        for registration in self._registrations.all():
            page, more = self._pages.page("live_registration_id = :value", {"value": registration.id}, index="registration", limit=at_most + 1 - len(entries))
            entries += page
            if more is not None or len(entries) > at_most:
                return None
        return [connection for _, connection in self._rows(entries) if connection is not None]

    def _sources(self, wanted: Filter) -> list[tuple[str, str, str]]:
        """(index, its attribute, the value) to go through one after the other."""
        if wanted.organization_id is not None:
            return [("organization", "organization_id", wanted.organization_id)]
        registrations = [each for each in self._registrations.all() if wanted.slug in (None, each.slug)]
        return [("registration", "live_registration_id", registration.id) for registration in registrations]

    def _rows(self, entries: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], Connection | None]]:
        if not entries:
            return iter(())
        with ThreadPoolExecutor(min(THREADS, len(entries))) as pool:
            return iter(list(zip(entries, pool.map(lambda entry: self._row({"pk": entry["pk"], "sk": entry["sk"]}), entries), strict=True)))

    def _row(self, key: Key) -> Connection | None:
        try:
            return self._store.connection_at(key)
        except DamagedRow as error:
            journal.write("damaged_row", detail=str(error), key=key["sk"])
            return None


def reference(connection: Connection) -> str:
    """What names a connection in the dashboard's addresses: its key, so that it is found without an index."""
    return _pack(json.dumps([connection.organization_id, connection.user_id, connection.slug, connection.account], separators=(",", ":")))


def _cursor(at: int, start: dict[str, str] | None) -> str:
    return _pack(json.dumps([at, start], separators=(",", ":")))


def _read_cursor(unverified: str | None, sources: list[tuple[str, str, str]]) -> tuple[int, dict[str, str] | None]:
    if unverified is None:
        return 0, None
    try:
        at, start = json.loads(_unpack(unverified))
        _index, name, value = sources[at]
        good = at >= 0 and (start is None or (start.keys() == {"pk", "sk", name, "id"} and all(isinstance(part, str) for part in start.values()) and start[name] == value))
    except (ValueError, TypeError, IndexError, AttributeError):
        good = False
    if not good:
        raise InvalidRequest("This list has changed since; begin it again.", "invalid_cursor")
    return at, start


def _pack(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _unpack(text: str) -> str:
    return urlsafe_b64decode(text.encode("ascii", "replace") + b"=" * (-len(text) % 4)).decode()
