"""The disconnect trip: revoke at the provider and forget here, each reported for itself. It wins over a refresh in flight."""

from collections.abc import Callable
from datetime import datetime, timedelta

from chalicelib.domain import lifecycle
from chalicelib.domain.errors import IntegrityError, NotFound, ProviderError, StandpipeError, Unavailable
from chalicelib.domain.models import Connection, Owner
from chalicelib.domain.tokens import TokenSet
from chalicelib.doors import journal
from chalicelib.doors.crypto import Sealer, token_facts
from chalicelib.doors.oauth import OAuth, Revoked
from chalicelib.doors.store import Store
from chalicelib.doors.table import LostRace, new_write_id
from chalicelib.engine.registrations import Effective, Registrations

REVOKE_LEASE = timedelta(seconds=30)  # a refresh to have a token to show, and the revocation
TRIES = 5


class Disconnect:
    def __init__(self, store: Store, sealer: Sealer, oauth: OAuth, registrations: Registrations, clock: Callable[[], datetime]) -> None:
        self._store, self._sealer, self._oauth, self._registrations, self._clock = store, sealer, oauth, registrations, clock

    def disconnect(self, owner: Owner, slug: str, account: str = "default") -> Revoked:
        """What became of the grant at the provider; here it is gone in any case. Raises NotFound, or Unavailable with nothing changed.

        The lease keeps a refresh from meeting a grant that is being revoked. Where a refresh holds it, the disconnect does not wait:
        the new generation makes that refresh's store fail, and it revokes what it got.
        """
        connection = self._load(owner, slug, account)
        now = self._clock()
        try:
            connection = self._store.lease(connection, new_write_id(), now + REVOKE_LEASE, now)
            leased = True
        except LostRace:
            connection, leased = self._load(owner, slug, account), False
        revoked = self._revoke(connection, leased=leased)
        for _ in range(TRIES):
            try:
                self._store.commit(lifecycle.disconnected(connection, self._clock()))
            except LostRace:
                connection = self._load(owner, slug, account)
                # A refresh stored new tokens meanwhile; those are the ones that live at the provider now.
                revoked = self._revoke(connection, leased=False)
                continue
            journal.write("disconnect", outcome=revoked, connection=connection.id, provider=slug, user=owner.user_id, organization=owner.organization_id)
            return revoked
        raise Unavailable("The connection kept changing. Nothing was forgotten; try again.", "try_again", retry_after=1)

    def _load(self, owner: Owner, slug: str, account: str) -> Connection:
        connection = self._store.connection(owner, slug, account)
        if connection is None or connection.state == "disconnected":
            raise NotFound("There is no such connected account.", "connected_account_not_found")
        return connection

    def _revoke(self, connection: Connection, *, leased: bool) -> Revoked:
        try:
            effective = self._registrations.effective(self._registrations.get(connection.slug), connection.config, connection.authority)
            tokens = TokenSet.from_payload(self._sealer.open(connection.sealed or b"", token_facts(connection)))
            if leased and effective.provider.revocation.token == "access_token" and not connection.lives(self._clock()):
                tokens = self._renewed(effective, tokens)
            return effective.revoke(self._oauth, tokens)
        except Unavailable:
            raise
        except (IntegrityError, StandpipeError) as error:
            # What cannot be read or has no registration any more cannot be revoked, and must not keep anybody from leaving.
            journal.write("disconnect_without_revocation", connection=connection.id, provider=connection.slug, cause=error.code)
            return "failed"

    def _renewed(self, effective: Effective, tokens: TokenSet) -> TokenSet:
        """A live access token for a provider that ends a grant only for one; to an expired one it answers "not found", and the grant lives on."""
        if tokens.refresh_token is None:
            return tokens
        try:
            return effective.ask(lambda credentials: self._oauth.refresh(effective.provider, credentials, tokens, self._clock())).tokens
        except ProviderError:
            return tokens
