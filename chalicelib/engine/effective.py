"""What a flow or a refresh really uses: the provider with its endpoints filled in, and our credentials there."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from chalicelib.domain import ids
from chalicelib.domain.errors import RegistrationRefused
from chalicelib.domain.models import Authority, Registration
from chalicelib.domain.tokens import TokenSet
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
