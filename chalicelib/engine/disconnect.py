"""The disconnect trip: revoke at the provider and forget here, each reported for itself. It wins over a refresh in flight."""

from collections.abc import Callable
from datetime import datetime, timedelta

from chalicelib.domain import lifecycle
from chalicelib.domain.errors import GrantRefused, NotFound, ProviderError, StandpipeError, Unavailable
from chalicelib.domain.models import Connection, Owner
from chalicelib.domain.settings import PROVIDER_DEADLINE
from chalicelib.domain.tokens import TokenSet
from chalicelib.doors import journal
from chalicelib.doors.crypto import Sealer, token_facts
from chalicelib.doors.oauth import REVOKE_SECONDS, OAuth, Revoked
from chalicelib.doors.store import Store
from chalicelib.doors.table import LostRace, new_write_id
from chalicelib.engine.commits import Commits
from chalicelib.engine.effective import Effective
from chalicelib.engine.registrations import Registrations

REVOKE_LEASE = timedelta(seconds=30)  # a refresh to have a token to show, and the revocation
TRIES = 5


class Disconnect:
    def __init__(self, store: Store, sealer: Sealer, oauth: OAuth, registrations: Registrations, clock: Callable[[], datetime], sleep: Callable[[float], None], monotonic: Callable[[], float]) -> None:
        self._store, self._sealer, self._oauth, self._registrations, self._clock = store, sealer, oauth, registrations, clock
        self._commits = Commits(store, sleep, monotonic)

    def disconnect(self, owner: Owner, slug: str, account: str = "default", *, seconds_left: Callable[[], float]) -> Revoked:
        """What became of the grant at the provider; here it is gone. Raises NotFound, or Unavailable: then it stands here and may be repeated.

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
            revoked = self._revoke(connection, leased=leased, seconds_left=seconds_left)
            for _ in range(TRIES):
                try:
                    self._commits.commit(lifecycle.disconnected(connection, self._clock()))
                except LostRace:
                    connection = self._load(owner, slug, account)
                    # A refresh stored new tokens meanwhile; those are the ones that live at the provider now.
                    revoked = self._revoke(connection, leased=False, seconds_left=seconds_left)
                    continue
                journal.write("disconnect", outcome=revoked, connection=connection.id, provider=slug, user=owner.user_id, organization=owner.organization_id)
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

    def _revoke(self, connection: Connection, *, leased: bool, seconds_left: Callable[[], float]) -> Revoked:
        try:
            effective = self._registrations.effective(self._registrations.get(connection.slug), connection.config, connection.authority)
            tokens = TokenSet.from_payload(self._sealer.open(connection.sealed or b"", token_facts(connection)))
            if effective.provider.revocation.token == "access_token" and not connection.lives(self._clock()) and tokens.refresh_token is not None:
                renewed = self._renewed(effective, tokens) if leased and seconds_left() > REVOKE_SECONDS + PROVIDER_DEADLINE else None
                if renewed is None:
                    return "failed"
                tokens = renewed
            return effective.revoke(self._oauth, tokens, seconds_left)
        except Unavailable:
            raise
        except StandpipeError as error:
            # What cannot be read or has no registration any more cannot be revoked, and must not keep anybody from leaving.
            journal.write("disconnect_without_revocation", connection=connection.id, provider=connection.slug, cause=error.code)
            return "failed"

    def _renewed(self, effective: Effective, tokens: TokenSet) -> TokenSet | None:
        """A live access token for a provider that ends a grant only for one: to an expired one it answers "not found", and the grant lives on.

        The old tokens if the grant is dead anyway; None if that cannot be learned.
        """
        try:
            return effective.ask(lambda credentials: self._oauth.refresh(effective.provider, credentials, tokens, self._clock())).tokens
        except GrantRefused:
            return tokens
        except ProviderError:
            return None
