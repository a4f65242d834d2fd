"""The keys that sign widget tokens, sealed, in one row: the newest signs, the others still verify."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.domain.stored import read
from chalicelib.doors import keys
from chalicelib.doors.table import Item, LostRace, Table

TRIES = 5


@dataclass(frozen=True, kw_only=True)
class WidgetKey:
    id: str
    sealed: bytes = field(repr=False)
    created_at: datetime


class WidgetKeys:
    def __init__(self, table: Table) -> None:
        self._table = table

    def all(self) -> list[WidgetKey]:
        """Newest first; none before the first use."""
        return _keys(self._table.get(keys.WIDGET_KEYS))

    def first(self, key: WidgetKey) -> list[WidgetKey]:
        """Stores the first one, unless somebody else just did: what is there then."""
        try:
            self._table.put(keys.WIDGET_KEYS, _row([key]), condition="attribute_not_exists(pk)")
        except LostRace as race:
            return _keys(race.item)
        return [key]

    def replace(self, change: Callable[[list[WidgetKey]], list[WidgetKey]]) -> None:
        """`change` over what is there. Raises LostRace if others keep changing it."""
        for attempt in range(TRIES):
            row = self._table.get(keys.WIDGET_KEYS)
            try:
                if row is None:
                    self._table.put(keys.WIDGET_KEYS, _row(change([])), condition="attribute_not_exists(pk)")
                else:
                    self._table.put(keys.WIDGET_KEYS, _row(change(_keys(row))), condition="write_id = :seen", values={"seen": row["write_id"]})
                return
            except LostRace:
                if attempt == TRIES - 1:
                    raise


def _row(known: list[WidgetKey]) -> Item:
    return {"keys": [{"id": key.id, "sealed": key.sealed, "created_at": key.created_at} for key in known]}


def _keys(row: Item | None) -> list[WidgetKey]:
    return [read(WidgetKey, each) for each in row["keys"]] if row else []
