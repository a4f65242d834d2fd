"""What the clock works by: the due index, the circuits of providers, the slots of messages at work, and how far each pass got."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from chalicelib.domain.circuit import Circuit
from chalicelib.domain.events import Event
from chalicelib.domain.models import Connection
from chalicelib.domain.stored import DamagedRow, read
from chalicelib.doors import journal, keys
from chalicelib.doors.keys import Key
from chalicelib.doors.outbox import rows_of
from chalicelib.doors.table import Item, LostRace, Table, new_write_id

Kept = TypeVar("Kept")


@dataclass(frozen=True)
class Due:
    """An entry of the due index: whose turn it is, and since when. A hint; the row is read again before anything is done."""

    key: Key
    since: datetime

    @property
    def slug(self) -> str:
        return keys.slug_of(self.key)


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far the sweep got. Everything that was due by `swept_until` has been sent once; `looked_back_at`: when it last began from the start."""

    swept_until: datetime | None = None
    looked_back_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class RepairProgress:
    """How far the repair pass got: `cursor` is the last key it looked at, None at its end."""

    began_at: datetime
    cursor: dict[str, str] | None = None
    looked_at: int = 0
    repaired: int = 0


class Agenda:
    """`shards`: parts of the due index. May grow from one deployment to the next, because a sweep looks at all of them."""

    def __init__(self, table: Table, shards: int) -> None:
        self._table, self.shards = table, shards

    # the due index

    def due(self, shard: int, until: datetime, since: datetime | None = None) -> Iterator[Due]:
        """What is due in a shard, longest due first; eventually consistent."""
        condition, values = "due_shard = :shard AND refresh_due_at <= :until", {"shard": keys.due_partition(shard), "until": until}
        if since is not None:
            condition, values = "due_shard = :shard AND refresh_due_at BETWEEN :since AND :until", {**values, "since": since}
        for entry in self._table.query(condition, values, index="due"):
            yield Due({"pk": entry["pk"], "sk": entry["sk"]}, datetime.fromisoformat(entry["refresh_due_at"]))

    # circuits

    def circuit(self, slug: str) -> Circuit:
        row = self._table.get(keys.circuit(slug))
        return _or(Circuit(slug=slug), row)

    def circuits(self) -> dict[str, Circuit]:
        """Of every provider that was ever in trouble."""
        found = (_or(Circuit(slug=row["sk"]), row) for row in self._table.query("pk = :pk", {"pk": keys.CIRCUITS}))
        return {circuit.slug: circuit for circuit in found}

    def save_circuit(self, circuit: Circuit, events: tuple[Event, ...] = ()) -> None:
        """Stores a circuit over the version before it, with its events. Raises LostRace."""
        fields = {name: value for name, value in asdict(circuit).items() if name not in ("slug", "write_id")}
        sets: Item = {"slug": circuit.slug, **{name: value for name, value in fields.items() if value is not None}}
        removes = tuple(name for name, value in fields.items() if value is None)
        first = circuit.version == 1
        condition = "attribute_not_exists(version)" if first else "version = :before"
        values: Item = {} if first else {"before": circuit.version - 1}
        rows = [row for event in events for row in rows_of(event)]
        self._table.update_with_rows(keys.circuit(circuit.slug), sets, removes=removes, condition=condition, values=values, rows=rows, write_id=new_write_id())

    def close_circuit(self, slug: str) -> None:
        """As if nothing had been: its registration was changed."""
        self._table.delete(keys.circuit(slug))

    # slots

    def take_slot(self, slug: str, number: int, holder: str, now: datetime, until: datetime) -> bool:
        """One of the places for messages of a provider at work; it lapses by itself."""
        sets = {"holder": holder, "until": until, "ttl": int((until + timedelta(days=1)).timestamp())}
        try:
            self._table.update(keys.slot(slug, number), sets, condition="attribute_not_exists(pk) OR #until < :now", values={"now": now}, write_id=holder)
        except LostRace:
            return False
        return True

    def leave_slot(self, slug: str, number: int, holder: str) -> None:
        try:
            self._table.delete(keys.slot(slug, number), condition="holder = :holder", values={"holder": holder})
        except LostRace:
            pass

    # what the index lost

    def page(self, start: dict[str, str] | None, limit: int) -> tuple[list[tuple[Connection, str | None]], dict[str, str] | None]:
        """Connections of one page of the table, each with the shard it is in, and where the next page begins. A row that cannot be read is left out."""
        rows, last = self._table.scan(start, limit=limit)
        found = []
        for row in rows:
            if row["sk"].startswith("connection#"):
                try:
                    found.append((read(Connection, row), row.get("due_shard")))
                except DamagedRow as error:
                    journal.write("damaged_row", detail=str(error))
        return found, last

    def shard_of(self, connection: Connection) -> str:
        return keys.due_shard(connection.id, self.shards)

    def reindex(self, connection: Connection, due_at: datetime) -> bool:
        """Puts a connection where the sweep finds it. Leaves no write id, and loses to whoever changed the row meanwhile."""
        key = keys.connection(connection.owner, connection.slug, connection.account)
        condition = "generation = :generation AND #state = :connected AND failures = :failures AND " + (
            "refresh_due_at = :due" if connection.refresh_due_at else "attribute_not_exists(refresh_due_at)"
        )
        values = {"generation": connection.generation, "connected": "connected", "failures": connection.failures, "due": connection.refresh_due_at}
        try:
            self._table.note(key, {"refresh_due_at": due_at, "due_shard": self.shard_of(connection)}, condition=condition, values={name: value for name, value in values.items() if value is not None})
        except LostRace:
            return False
        return True

    # how far each pass got

    def progress(self) -> Progress:
        return _or(Progress(), self._table.get(keys.clockwork("sweep")))

    def note_progress(self, progress: Progress) -> None:
        self._table.put(keys.clockwork("sweep"), asdict(progress))

    def repair_progress(self) -> RepairProgress | None:
        row = self._table.get(keys.clockwork("repair"))
        return read(RepairProgress, row) if row else None

    def note_repair_progress(self, progress: RepairProgress) -> None:
        self._table.put(keys.clockwork("repair"), asdict(progress))


def _or(otherwise: Kept, row: Item | None) -> Kept:
    """The row, or what stands for none. One that cannot be read is said and counts as none: what the clock remembers can be found out again, and must never stop it."""
    if row is None:
        return otherwise
    try:
        return read(type(otherwise), row)
    except DamagedRow as error:
        journal.write("damaged_row", detail=str(error), key=row.get("sk"))
        return otherwise
