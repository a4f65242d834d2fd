"""Is a token that cannot be refreshed really dead? The application says the provider rejected it; the provider itself is asked."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta

from chalicelib.domain import lifecycle
from chalicelib.domain.errors import StandpipeError
from chalicelib.domain.models import Connection
from chalicelib.domain.tokens import TokenSet
from chalicelib.doors import journal
from chalicelib.doors.oauth import OAuth
from chalicelib.doors.store import Store
from chalicelib.doors.table import LostRace, new_write_id
from chalicelib.engine.commits import Commits
from chalicelib.engine.registrations import Registrations

PROBE_LEASE = timedelta(seconds=15)  # one call within its deadline, and the store
WAITS = 40  # about as long as the lease


class Rejections:
    def __init__(self, store: Store, oauth: OAuth, registrations: Registrations, commits: Commits, clock: Callable[[], datetime], sleep: Callable[[float], None]) -> None:
        self._store, self._oauth, self._registrations = store, oauth, registrations
        self._clock, self._sleep, self._commits = clock, sleep, commits

    def after_rejection(self, connection: Connection, tokens: TokenSet) -> Connection:
        """The connection as it is afterwards: ended if the provider refuses the token, or has no endpoint that would tell.

        Fifty reports of one generation ask the provider once: whoever has the lease asks, the others wait for what it finds.
        """
        holder = new_write_id()
        now = self._clock()
        try:
            leased = self._store.lease(connection, holder, now + PROBE_LEASE, now, spends=False)
        except LostRace:
            return self._wait(connection)
        try:
            effective = self._registrations.effective_of(leased)
        except StandpipeError:
            self._store.release(leased, holder, leased.intent_attempt)
            raise
        if leased.auth_method == "api_key":
            accepted, _identity = self._oauth.check_api_key(effective.provider, tokens.access_token)
            tells = effective.provider.api_key.verify is not None
        else:
            accepted = self._oauth.still_accepted(effective.provider, tokens.access_token)
            tells = effective.provider.identity.endpoint is not None
        journal.write("token_rejected", connection=leased.id, provider=leased.slug, generation=leased.generation, accepted=accepted)
        if accepted or (accepted is None and tells):
            self._store.release(leased, holder, leased.intent_attempt)
            return leased
        transition = lifecycle.refused(leased, "refused" if accepted is False else "rejected", "", self._clock())
        try:
            self._commits.commit(transition, holder=holder)
        except LostRace:
            return self._now(leased)
        return transition.after

    def _wait(self, connection: Connection) -> Connection:
        for _ in range(WAITS):
            newer = self._now(connection)
            if newer.lease_until is None or newer.lease_until < self._clock() or newer.generation != connection.generation:
                return newer
            self._sleep(random.uniform(0.1, 0.4))
        return self._now(connection)

    def _now(self, connection: Connection) -> Connection:
        return self._store.connection(connection.owner, connection.slug, connection.account) or connection
