"""Tokens that were got and could not be stored, stored after all: the same conditional write, tried until the table takes it.

Only the generation is a fence here: the holder that got them has given up. Whoever holds the lease by now asks with a refresh token that
was spent; what is stored first makes the other's store fail, and these tokens are the ones the provider gave last.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from chalicelib.domain import lifecycle
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.models import Connection
from chalicelib.domain.tokens import TokenSet
from chalicelib.doors import journal
from chalicelib.doors.crypto import Sealer, token_facts
from chalicelib.doors.keys import Key
from chalicelib.doors.oauth import OAuth
from chalicelib.doors.store import Store
from chalicelib.doors.table import LostRace
from chalicelib.engine.commits import Commits
from chalicelib.engine.keeping import Keeping, rescued_of
from chalicelib.engine.registrations import Registrations

Rescued = Literal["stored", "recovered", "superseded", "dead", "gone"]
TRIES = 5
MARGIN = 5.0  # seconds of the function's time that are left when it gives up, so that it does so in order


class Rescue:
    def __init__(self, store: Store, sealer: Sealer, oauth: OAuth, registrations: Registrations, commits: Commits, keeping: Keeping, clock: Callable[[], datetime]) -> None:
        self._store, self._sealer, self._oauth, self._registrations = store, sealer, oauth, registrations
        self._commits, self._keeping, self._clock = commits, keeping, clock

    def handle(self, message: dict[str, Any], seconds_left: Callable[[], float]) -> Rescued:
        """What became of the tokens. Raises Unavailable: the queue brings them again; UnknownMessage."""
        key, connection_id, renewed = rescued_of(message)
        for _ in range(TRIES):
            outcome = self._store_once(key, connection_id, renewed, seconds_left)
            if outcome is not None:
                journal.count("rescue", self._clock(), outcome, connection=connection_id, generation=renewed["generation"])
                return outcome
        raise Unavailable("The connection kept changing; the queue brings it again.", "try_again")

    def _store_once(self, key: Key, connection_id: str, renewed: dict[str, Any], seconds_left: Callable[[], float]) -> Rescued | None:
        current = self._store.connection_at(key)
        if current is None or current.state == "disconnected" or current.id != connection_id:
            if current is not None:
                self._end(current, connection_id, renewed)
            return "gone"
        if current.generation + 1 != renewed["generation"]:
            return "superseded"  # stored at last by its own holder, or followed by a reconnect
        if current.state == "needs_reauthorization" and not self._still_works(current, renewed):
            return "dead"
        transition = lifecycle.rescued(current, renewed, self._clock())
        try:
            self._commits.commit(transition, seconds=max(1.0, seconds_left() - MARGIN))
        except LostRace:
            return None
        return "recovered" if transition.events else "stored"

    def _still_works(self, current: Connection, renewed: dict[str, Any]) -> bool:
        """Whether a verdict that fell meanwhile was only about the spent token. A strict provider has ended the whole grant when it came a second time."""
        if current.reason != "refresh_outcome_unknown":
            return False
        effective = self._registrations.effective_of(current)
        tokens = TokenSet.from_payload(self._sealer.open(renewed["sealed"], token_facts(current, renewed["generation"])))
        return self._oauth.still_accepted(effective.provider, tokens.access_token) is True

    def _end(self, current: Connection, connection_id: str, renewed: dict[str, Any]) -> None:
        """Nobody keeps them any more, so the provider should not honour them either."""
        self._keeping.revoke_later(replace(current, id=connection_id, generation=renewed["generation"], sealed=renewed["sealed"]))
