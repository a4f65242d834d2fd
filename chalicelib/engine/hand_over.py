"""A grant changes hands: from here to another system, and back. Of two systems that refresh one grant each spends the other's refresh token.

Held first: under a lease nothing refreshes it, so what is read then is what the other system gets. Then marked, fenced by that lease. A
refresh whose outcome nobody knows may have spent the token, so such a connection is not held at all.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.domain import lifecycle
from chalicelib.domain.errors import Conflict, NotFound
from chalicelib.domain.models import Connection
from chalicelib.domain.settings import LEASE_TTL
from chalicelib.domain.tokens import TokenSet
from chalicelib.doors.crypto import Sealer, token_facts
from chalicelib.doors.store import Store
from chalicelib.doors.table import LostRace, new_write_id
from chalicelib.engine.commits import Commits
from chalicelib.engine.installations import Installations
from chalicelib.engine.registrations import Registrations

TRIES = 3
BUSY = ("refresh_in_flight", "refresh_in_doubt", "concurrent_update")  # codes of what time mends


@dataclass(frozen=True)
class Held:
    """A connection as it was read under a lease of `holder`, its tokens opened."""

    connection: Connection
    tokens: TokenSet
    holder: str


class HandOver:
    """`idle_after`: of schedule.Policy."""

    def __init__(self, store: Store, installations: Installations, sealer: Sealer, registrations: Registrations, commits: Commits, idle_after: timedelta | None, clock: Callable[[], datetime]) -> None:
        self._store, self._installations, self._sealer, self._registrations = store, installations, sealer, registrations
        self._commits, self._idle_after, self._clock = commits, idle_after, clock

    def opened(self, connection: Connection) -> TokenSet:
        """Its tokens, for whoever takes a copy of them: the refresh tokens are noted as held here. Raises Unavailable or IntegrityError."""
        tokens = TokenSet.from_payload(self._sealer.open(connection.sealed or b"", token_facts(connection)))
        for each in (tokens.refresh_token, *(additional.refresh_token for additional in tokens.additional.values())):
            if each is not None:
                self._installations.note_holder(each, connection)
        return tokens

    def hold(self, connection: Connection) -> Held:
        """Nothing refreshes it from now on, for as long as a lease. Raises NotFound, or Conflict: one of BUSY, needs_reauthorization or handed_over; Unavailable, IntegrityError."""
        now, holder = self._clock(), new_write_id()
        newest = self._read(connection)
        _require_connected(newest)
        if newest.handed_over_at is not None:
            raise Conflict("It was handed over already.", "handed_over")
        if newest.lease_until is not None and newest.lease_until > now:
            raise Conflict("It is being refreshed at this moment.", "refresh_in_flight")
        if newest.intent_attempt:
            # Also what is in flight by another clock than ours.
            raise Conflict("A refresh of it ended without a known answer; its refresh token may be spent.", "refresh_in_doubt")
        try:
            leased = self._store.lease(newest, holder, now + LEASE_TTL, now, spends=False)
        except LostRace:
            raise Conflict("It is being refreshed at this moment.", "refresh_in_flight") from None
        try:
            return Held(leased, self.opened(leased), holder)
        except BaseException:
            self._store.release(leased, holder, leased.intent_attempt)
            raise

    def mark(self, held: Held) -> Connection:
        """The other system refreshes it from now on. Raises Conflict (concurrent_update) if anything happened to it since it was held, Unavailable."""
        transition = lifecycle.handed_over(held.connection, self._clock())
        try:
            self._commits.commit(transition, holder=held.holder)
        except LostRace:
            raise Conflict("It was changed while it was handed over.", "concurrent_update") from None
        return transition.after

    def let_go(self, held: Held) -> None:
        """As if it had not been held."""
        self._store.release(held.connection, held.holder, held.connection.intent_attempt)

    def take_over(self, connection: Connection) -> Connection:
        """The other system has let go of it: it is refreshed here again. Raises NotFound, Conflict (refresh_token_in_use, needs_reauthorization, concurrent_update), Unavailable."""
        for _ in range(TRIES):
            newest = self._read(connection)
            _require_connected(newest)
            if newest.handed_over_at is None:
                return newest
            if newest.refreshable and newest.auth_method == "oauth":
                tokens = TokenSet.from_payload(self._sealer.open(newest.sealed or b"", token_facts(newest)))
                if tokens.refresh_token is not None:
                    self._installations.refuse_second_holder(tokens.refresh_token, newest, has_it=True)
            policy = self._registrations.policy(self._registrations.find(newest.slug), self._idle_after)
            transition = lifecycle.taken_over(newest, policy, self._clock())
            try:
                self._commits.commit(transition)
            except LostRace:
                continue
            return transition.after
        raise Conflict("It kept changing; try again.", "concurrent_update")

    def _read(self, connection: Connection) -> Connection:
        newest = self._store.connection(connection.owner, connection.slug, connection.account)
        if newest is None or newest.id != connection.id or newest.state == "disconnected":
            raise NotFound("It is not there any more.", "connected_account_not_found")
        return newest


def _require_connected(connection: Connection) -> None:
    if connection.state != "connected":
        raise Conflict(f"It needs to be connected again ({connection.reason}): there is no grant to refresh.", "needs_reauthorization")
