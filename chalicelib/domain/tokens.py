"""Tokens in the clear, for as short as they are needed: what a provider answered, and what is sealed of it."""

from dataclasses import dataclass, field
from datetime import datetime
from hmac import compare_digest
from typing import Any

from chalicelib.domain.secret import Secret


@dataclass(frozen=True)
class AdditionalToken:
    """A second token of the same grant (Slack's user token beside the bot's)."""

    access_token: Secret
    refresh_token: Secret | None = None
    expires_at: datetime | None = None
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TokenSet:
    """What is sealed: all tokens of one generation."""

    access_token: Secret
    refresh_token: Secret | None = None
    additional: dict[str, AdditionalToken] = field(default_factory=dict)
    client_secret: Secret | None = None
    """Of a client_credentials connection: what its next token is fetched with, sealed in the place of a refresh token."""

    def to_payload(self) -> dict[str, Any]:
        """Plain values, to be sealed and nothing else."""
        return {
            "access_token": self.access_token.reveal(),
            "refresh_token": self.refresh_token.reveal() if self.refresh_token else None,
            "additional": {
                name: {
                    "access_token": token.access_token.reveal(),
                    "refresh_token": token.refresh_token.reveal() if token.refresh_token else None,
                    "expires_at": token.expires_at.isoformat() if token.expires_at else None,
                    "scopes": list(token.scopes),
                }
                for name, token in self.additional.items()
            },
            **({"client_secret": self.client_secret.reveal()} if self.client_secret else {}),
        }

    @classmethod
    def from_payload(cls, payload: dict[str, Any]) -> "TokenSet":
        def secret(value: str | None) -> Secret | None:
            return Secret(value) if value else None

        return cls(
            access_token=Secret(payload["access_token"]),
            refresh_token=secret(payload.get("refresh_token")),
            additional={
                name: AdditionalToken(
                    access_token=Secret(token["access_token"]),
                    refresh_token=secret(token.get("refresh_token")),
                    expires_at=datetime.fromisoformat(token["expires_at"]) if token.get("expires_at") else None,
                    scopes=tuple(token.get("scopes", ())),
                )
                for name, token in payload.get("additional", {}).items()
            },
            client_secret=secret(payload.get("client_secret")),
        )


@dataclass(frozen=True)
class ExternalIdentity:
    """Whose account at the provider: ids and names the provider told, not verified by anything else."""

    account_id: str | None = None
    name: str | None = None
    team: str | None = None


@dataclass(frozen=True)
class TokenAnswer:
    """A token endpoint's good answer, made sane. `scopes` None = unchanged (RFC 6749 5.1)."""

    tokens: TokenSet
    expires_at: datetime | None
    token_life: int
    refresh_expires_at: datetime | None = None
    scopes: tuple[str, ...] | None = None
    token_type: str = "bearer"
    metadata: dict[str, str] = field(default_factory=dict)
    identity: ExternalIdentity | None = None
    problems: tuple[str, ...] = ()
    """Additional tokens that could not be refreshed, as `name: code`."""
    rotated: bool = False
    """The answer to a refresh brought a refresh token."""

    def brought_nothing_new(self, old: TokenSet) -> bool:
        """Whether the access token is the one it was: some providers answer the same until it ends."""
        return compare_digest(self.tokens.access_token.reveal().encode(), old.access_token.reveal().encode())

    def keeping(self, old: TokenSet) -> "TokenAnswer":
        """With the old refresh token and additional tokens where the answer has none: absent, null and "" mean keep (RFC 6749 6)."""
        merged = TokenSet(
            access_token=self.tokens.access_token,
            refresh_token=self.tokens.refresh_token or old.refresh_token,
            additional={**old.additional, **self.tokens.additional},
            client_secret=self.tokens.client_secret or old.client_secret,
        )
        return TokenAnswer(**{**self.__dict__, "tokens": merged, "rotated": self.tokens.refresh_token is not None})
