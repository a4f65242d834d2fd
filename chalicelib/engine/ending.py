"""A grant ended at its provider, by whatever the provider wants to be shown for it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.errors import GrantRefused, ProviderError, StandpipeError, Unavailable
from chalicelib.domain.models import Connection
from chalicelib.domain.settings import PROVIDER_DEADLINE
from chalicelib.domain.tokens import TokenAnswer, TokenSet
from chalicelib.doors import journal
from chalicelib.doors.crypto import Sealer, token_facts
from chalicelib.doors.oauth import REVOKE_SECONDS, OAuth, Revoked
from chalicelib.engine.effective import Effective
from chalicelib.engine.registrations import Registrations


class Ending:
    def __init__(self, sealer: Sealer, oauth: OAuth, registrations: Registrations, clock: Callable[[], datetime]) -> None:
        self._sealer, self._oauth, self._registrations, self._clock = sealer, oauth, registrations, clock

    def end(self, connection: Connection, *, may_renew: bool, seconds_left: Callable[[], float]) -> tuple[Revoked, Connection]:
        """What became of the grant, and the connection with the tokens that end it if that has to be tried again.

        `may_renew`: nobody else can be spending the refresh token. Raises Unavailable if the tokens cannot be opened now.
        """
        if connection.sealed is None or connection.handed_over_at is not None or connection.auth_method == "api_key":
            return "unsupported", connection  # there is nothing to show, another system lives on it, or only its owner can withdraw it
        try:
            effective = self._registrations.effective_of(connection)
            tokens = TokenSet.from_payload(self._sealer.open(connection.sealed, token_facts(connection)))
            if effective.provider.revocation.token == "access_token" and not connection.lives(self._clock()) and tokens.refresh_token is not None:
                # To an expired token such a provider answers "not found", and the grant lives on.
                if not may_renew or seconds_left() <= REVOKE_SECONDS + PROVIDER_DEADLINE:
                    return "failed", connection
                renewed = self._renewed(effective, tokens)
                if renewed is None:
                    return "failed", connection
                if isinstance(renewed, TokenAnswer):
                    tokens = renewed.tokens
                    connection = self._with(connection, renewed)
            return effective.acting_for(connection, tokens).revoke(self._oauth, tokens, seconds_left), connection
        except Unavailable:
            raise
        except StandpipeError as error:
            # What cannot be read or has no registration any more cannot be revoked, and must not keep anybody from leaving.
            journal.write("disconnect_without_revocation", connection=connection.id, provider=connection.slug, cause=error.code)
            return "failed", replace(connection, sealed=None)

    def _renewed(self, effective: Effective, tokens: TokenSet) -> TokenAnswer | GrantRefused | None:
        """A live access token; the refusal if the grant is dead anyway; None if that cannot be learned."""
        try:
            return effective.ask(lambda credentials: self._oauth.refresh(effective.provider, credentials, tokens, self._clock()))
        except GrantRefused as refusal:
            return refusal
        except ProviderError:
            return None

    def _with(self, connection: Connection, renewed: TokenAnswer) -> Connection:
        facts = token_facts(connection, connection.generation + 1)
        try:
            sealed = self._sealer.seal(renewed.tokens.to_payload(), facts)
        except Unavailable:
            return replace(connection, sealed=None)  # they end with this call, or are left to expire
        return replace(connection, generation=facts.generation, sealed=sealed, expires_at=renewed.expires_at)
