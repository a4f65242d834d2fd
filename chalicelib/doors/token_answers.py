"""A token endpoint's good answer as our own type: what providers leave out, write otherwise or get wrong is made good here. Pure."""

import re
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.secret import Secret
from chalicelib.domain.tokens import AdditionalToken, TokenAnswer, TokenSet
from chalicelib.doors import identity
from chalicelib.providers.spec import Provider

MAX_LIFE = 10 * 365 * 86400


def of_fields(provider: Provider, fields: dict[str, Any], now: datetime, assumed_life: int) -> TokenAnswer:
    """The answer as our own type. `assumed_life`: of an access token whose answer does not tell, in seconds; 0 = it does not end."""
    life = _seconds(fields.get("expires_in")) or assumed_life
    refresh_life = _seconds(fields.get(provider.lifetimes.refresh_expires_in_field)) if provider.lifetimes.refresh_expires_in_field else 0
    if not refresh_life and fields.get("refresh_token"):  # one that is kept goes on with the life it has
        refresh_life = provider.lifetimes.refresh_token
    additional = {name: _additional(token, now) for name, token in fields.get("additional_tokens", {}).items()}
    scopes = _scopes(fields.get("scope"))
    if scopes is not None and additional:
        scopes = tuple(dict.fromkeys([*scopes, *(scope for token in additional.values() for scope in token.scopes)]))
    return TokenAnswer(
        tokens=TokenSet(Secret(fields["access_token"]), _secret(fields.get("refresh_token")), additional),
        expires_at=now + timedelta(seconds=life) if life else None,
        token_life=life,
        refresh_expires_at=now + timedelta(seconds=refresh_life) if refresh_life else None,
        scopes=scopes,
        token_type=str(fields.get("token_type") or "bearer").lower()[:32],
        metadata={name: str(value)[:2048] for name, path in provider.metadata.items() if (value := identity.at(fields, path)) not in (None, "")},
    )


def _additional(token: dict[str, Any], now: datetime) -> AdditionalToken:
    life = _seconds(token.get("expires_in"))
    return AdditionalToken(Secret(token["access_token"]), _secret(token.get("refresh_token")), now + timedelta(seconds=life) if life else None, _scopes(token.get("scope")) or ())


def _seconds(value: Any) -> int:
    """`expires_in` as providers send it: absent, null, text, a float, nonsense. 0 = says nothing; a life of zero would be asked for again at once."""
    try:
        seconds = 0.0 if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return 0
    return int(min(seconds, MAX_LIFE)) if seconds > 0 else 0


def _scopes(value: Any) -> tuple[str, ...] | None:
    if isinstance(value, list):
        value = " ".join(str(part) for part in value)
    if not isinstance(value, str):
        return None
    return tuple(dict.fromkeys(part for part in re.split(r"[\s,]+", value) if part))


def _secret(value: Any) -> Secret | None:
    return Secret(value) if isinstance(value, str) and value else None
