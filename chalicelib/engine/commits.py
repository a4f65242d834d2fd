"""Storing with patience: what was learned from a provider, or done there, is not lost to a table that hesitates. What was stored is told at once."""

import random
from collections.abc import Callable

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.lifecycle import Transition
from chalicelib.domain.settings import STORE_BUDGET
from chalicelib.doors.store import Store
from chalicelib.doors.table import new_write_id
from chalicelib.engine.outbox import Outbox


class OutcomeUnknown(Unavailable):
    """Neither the write nor the question whether it was applied got an answer."""


class Commits:
    """`sleep` and `monotonic` are arguments, so that waiting can be tested without waiting."""

    def __init__(self, store: Store, outbox: Outbox, sleep: Callable[[float], None], monotonic: Callable[[], float]) -> None:
        self._store, self._outbox, self._sleep, self._monotonic = store, outbox, sleep, monotonic

    def commit(self, transition: Transition, *, holder: str | None = None, seconds: float = STORE_BUDGET) -> None:
        """Stores it, and publishes its events. Raises LostRace or, in the end, Unavailable if it is not stored, OutcomeUnknown if that cannot be learned.

        One and the same write is repeated for up to `seconds`. Every try carries the same write id, so one that was applied without an
        answer is recognised by the next; after the last, the row itself is asked.
        """
        write_id, until = new_write_id(), self._monotonic() + seconds
        while True:
            try:
                self._store.commit(transition, holder=holder, write_id=write_id)
                break
            except Unavailable:
                if self._monotonic() > until:
                    if self._is_stored(transition, write_id):
                        break
                    raise
                self._sleep(random.uniform(0.05, 0.3))
        self._outbox.publish(transition.events)

    def _is_stored(self, transition: Transition, write_id: str) -> bool:
        after = transition.after
        try:
            stored = self._store.connection(after.owner, after.slug, after.account)
        except Unavailable as error:
            raise OutcomeUnknown(error.message, error.code) from None
        return stored is not None and stored.write_id == write_id
