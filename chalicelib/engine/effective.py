"""What a flow or a refresh really uses: the provider with its endpoints filled in, and our credentials there."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from chalicelib.domain import ids
from chalicelib.domain.errors import GrantRefused, RegistrationRefused
from chalicelib.domain.models import Authority, Connection, Registration
from chalicelib.domain.tokens import TokenAnswer, TokenSet
from chalicelib.doors.oauth import Credentials, OAuth, Revoked
from chalicelib.providers.spec import Provider

Answered = TypeVar("Answered")


@dataclass(frozen=True)
class Effective:
    """What a flow or a refresh really uses: the provider with its endpoints filled in, and our credentials, newest first, opened once."""

    registration: Registration
    provider: Provider
    authority: Authority
    client_id: str
    redirect_uri: str
    credentials: Callable[[], list[Credentials]]

    def ask(self, request: Callable[[Credentials], Answered]) -> Answered:
        """`request` with the newest client secret, or, where the provider does not know that one, with the one before it. Raises a ProviderError."""
        *newer, oldest = self.credentials()
        for each in newer:
            try:
                return request(each)
            except RegistrationRefused:
                continue  # who was not recognised has spent nothing
        return request(oldest)

    def renew(self, oauth: OAuth, connection: Connection, tokens: TokenSet, now: datetime) -> TokenAnswer:
        """New tokens, by the refresh token or by the connection's own client. Raises a ProviderError."""
        if connection.auth_method != "client_credentials":
            return self.ask(lambda credentials: oauth.refresh(self.provider, credentials, tokens, now))
        try:
            return oauth.client_credentials(self.provider, Credentials(connection.client_id or "", tokens.client_secret), connection.scopes_requested, now).keeping(tokens)
        except RegistrationRefused as error:
            if error.provider_code not in ("invalid_client", "unauthorized_client", "http_401"):
                raise
            # The client is the owner's, so whoever entered it has to act, and no operator.
            raise GrantRefused(error.detail, provider_code=error.provider_code) from None

    def acting_for(self, connection: Connection, tokens: TokenSet) -> "Effective":
        """With the connection's own client, where it has one."""
        if connection.auth_method != "client_credentials":
            return self
        return replace(self, client_id=connection.client_id or "", credentials=lambda: [Credentials(connection.client_id or "", tokens.client_secret)])

    def revoke(self, oauth: OAuth, tokens: TokenSet, seconds_left: Callable[[], float]) -> Revoked:
        """What became of the grant. The older client secret is tried only where the provider asks for one, and nothing is begun that would not end in time."""
        recipe = self.provider.revocation
        known = self.credentials() if recipe.recipe == "basic_json" or recipe.client_authentication else self.credentials()[:1]
        for each in known:
            answer = oauth.revoke(self.provider, each, tokens, seconds_left)
            if answer != "failed":
                return answer
        return "failed"

    @property
    def fingerprint(self) -> str:
        """Changes whenever a code or a secret would go anywhere else."""
        return ids.digest(json.dumps([self.provider.endpoints(), self.provider.authorization.issuer, self.provider.token.authentication, self.client_id, self.authority], sort_keys=True))
