"""The disconnect trip: revoke at the provider and forget here, each reported for itself. It wins over a refresh in flight."""

from collections.abc import Callable
from datetime import datetime, timedelta

from chalicelib.domain import lifecycle
from chalicelib.domain.errors import NotFound, Unavailable
from chalicelib.domain.models import COMPATIBILITY, Connection, Owner
from chalicelib.doors import journal
from chalicelib.doors.oauth import Revoked
from chalicelib.doors.store import Store
from chalicelib.doors.table import LostRace, new_write_id
from chalicelib.engine.commits import Commits
from chalicelib.engine.ending import Ending
from chalicelib.engine.keeping import Keeping

REVOKE_LEASE = timedelta(seconds=30)  # a refresh to have a token to show, and the revocation
TRIES = 5


class Disconnect:
    def __init__(self, store: Store, ending: Ending, commits: Commits, keeping: Keeping, clock: Callable[[], datetime]) -> None:
        self._store, self._ending, self._commits, self._keeping, self._clock = store, ending, commits, keeping, clock

    def disconnect(self, owner: Owner, slug: str, account: str = COMPATIBILITY, *, seconds_left: Callable[[], float]) -> Revoked:
        """What became of the grant at the provider; here it is gone. Raises NotFound, or Unavailable: then it stands here and may be repeated.

        What could not be revoked now is tried again for days by the revoke queue; the answer still says "failed", because it did.

        The lease keeps a refresh from meeting a grant that is being revoked. Where a refresh holds it, the disconnect does not wait:
        the new generation makes that refresh's store fail, and it revokes what it got.
        """
        connection = self._load(owner, slug, account)
        holder, now = new_write_id(), self._clock()
        try:
            connection = self._store.lease(connection, holder, now + REVOKE_LEASE, now, spends=False)
            leased = True
        except LostRace:
            connection, leased = self._load(owner, slug, account), False
        try:
            revoked, unended = self._ending.end(connection, may_renew=leased, seconds_left=seconds_left)
            for _ in range(TRIES):
                try:
                    self._commits.commit(lifecycle.disconnected(connection, self._clock()))
                except LostRace:
                    connection = self._load(owner, slug, account)
                    # A refresh stored new tokens meanwhile; those are the ones that live at the provider now.
                    revoked, unended = self._ending.end(connection, may_renew=False, seconds_left=seconds_left)
                    continue
                if revoked == "failed" and unended.sealed is not None:
                    self._keeping.revoke_later(unended)
                journal.count("disconnect", self._clock(), revoked, connection=connection.id, provider=slug, user=owner.user_id, organization=owner.organization_id)
                return revoked
        except Unavailable:
            if leased:
                self._give_back(connection, holder)
            raise
        raise Unavailable("The connection kept changing. Nothing was forgotten; try again.", "try_again", retry_after=1)

    def _load(self, owner: Owner, slug: str, account: str) -> Connection:
        connection = self._store.connection(owner, slug, account)
        if connection is None or connection.state == "disconnected":
            raise NotFound("There is no such connected account.", "connected_account_not_found")
        return connection

    def _give_back(self, connection: Connection, holder: str) -> None:
        try:
            self._store.release(connection, holder, connection.intent_attempt)
        except Unavailable:
            pass  # it lapses by itself
