"""Which connections are meant, found page by page in a table of any size."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from chalicelib.domain.models import Connection, Owner
from chalicelib.wiring import Engine

PAGE = 500


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """None = any. With a user it is that user's connections, in that organization or in none, and no page of the table is read."""

    provider: str | None = None
    organization: str | None = None
    user: str | None = None

    def about(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}

    def fits(self, connection: Connection) -> bool:
        return self.provider in (None, connection.slug) and (self.organization in (None, connection.organization_id) or self.user is not None)


def chosen(engine: Engine, wanted: Chosen) -> Iterator[Connection]:
    """Every one that is not disconnected, as it was read; a moment later it may be otherwise. Raises Unavailable."""
    for connection in _of_user(engine, wanted) if wanted.user is not None else _all(engine):
        if connection.state != "disconnected" and wanted.fits(connection):
            yield connection


def _of_user(engine: Engine, wanted: Chosen) -> Iterator[Connection]:
    yield from engine.store.connections(Owner(user_id=wanted.user, organization_id=wanted.organization))


def _all(engine: Engine) -> Iterator[Connection]:
    start = None
    while True:
        found, start = engine.agenda.page(start, PAGE)
        yield from (connection for connection, _ in found)
        if start is None:
            return
