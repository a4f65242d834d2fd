"""Who holds, or once held, a refresh token, by its digest: noted where tokens come in or go out, which is where one could be held twice.

A refresh does not note what it gets: a token that was never outside cannot come in again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.domain.models import Connection
from chalicelib.doors import keys
from chalicelib.doors.keys import Key
from chalicelib.doors.table import Table

KEPT = timedelta(days=400)  # longer than refresh tokens lie about in files


@dataclass(frozen=True)
class Holder:
    """A connection that was noted for a token. `generation`: the connection's own that has it; the note is made first, so one that never came to that generation never got the token. 0 = not noted."""

    key: Key
    connection_id: str
    generation: int = 0


class Grants:
    def __init__(self, table: Table) -> None:
        self._table = table

    def claim(self, token_digest: str, holder: Connection, now: datetime) -> None:
        """Notes the holder, of the generation it has; twice is as once. Raises Unavailable."""
        place = keys.connection(holder.owner, holder.slug, holder.account)
        self._table.put(keys.grant(token_digest, holder.id), {"holder": dict(place), "generation": holder.generation, "ttl": int((now + KEPT).timestamp())})

    def holders(self, token_digest: str) -> list[Holder]:
        """Every connection that was noted for it (strong read)."""
        rows = self._table.query("pk = :pk", {"pk": keys.grant(token_digest)["pk"]})
        return [Holder(row["holder"], row["sk"], row.get("generation", 0)) for row in rows]

    def give_up(self, token_digest: str, holder: Connection) -> None:
        self._table.delete(keys.grant(token_digest, holder.id))
