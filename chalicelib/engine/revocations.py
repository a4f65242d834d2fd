"""Grants that nobody keeps any more, ended at the provider as soon as it answers: what lost to a disconnect, and what a disconnect could not revoke."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from chalicelib.domain.errors import StandpipeError, Unavailable
from chalicelib.domain.models import Connection
from chalicelib.doors import journal
from chalicelib.doors.store import Store
from chalicelib.engine.ending import Ending
from chalicelib.engine.keeping import Keeping, revocation_of
from chalicelib.engine.registrations import Registrations

Ended = Literal["revoked", "unsupported", "reconnected", "impossible", "renewed"]


class Revocations:
    def __init__(self, store: Store, registrations: Registrations, ending: Ending, keeping: Keeping, clock: Callable[[], datetime]) -> None:
        self._store, self._registrations, self._ending, self._keeping, self._clock = store, registrations, ending, keeping, clock

    def handle(self, message: dict[str, Any], seconds_left: Callable[[], float]) -> Ended:
        """What became of the grant. Raises Unavailable if the provider does not end it now: the queue brings it again. UnknownMessage."""
        unended = revocation_of(message)
        try:
            outcome = self._end(unended, seconds_left)
        except Unavailable:
            journal.count("revoke", self._clock(), "failed", connection=unended.id, provider=unended.slug)
            raise
        journal.count("revoke", self._clock(), outcome, connection=unended.id, provider=unended.slug)
        return outcome

    def _end(self, unended: Connection, seconds_left: Callable[[], float]) -> Ended:
        if self._ends_more_than_this(unended):
            # Revoking would also end what the same person connected since.
            current = self._store.connection(unended.owner, unended.slug, unended.account)
            if current is not None and current.state != "disconnected":
                return "reconnected"
        revoked, still = self._ending.end(unended, may_renew=True, seconds_left=seconds_left)
        if revoked != "failed":
            return revoked
        if still.sealed is None:
            return "impossible"  # its registration is gone, or the tokens are damaged: there is nothing to show to the provider
        if still.generation != unended.generation and self._keeping.revoke_later(still):
            return "renewed"  # the tokens of this message are spent; those of the next one end the grant
        raise Unavailable("The provider did not end the grant; the queue brings it again.", "not_revoked")

    def _ends_more_than_this(self, unended: Connection) -> bool:
        try:
            return self._registrations.provider(self._registrations.of(unended)).revocation.ends == "user"
        except Unavailable:
            raise
        except StandpipeError:
            return False
