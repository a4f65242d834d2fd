"""Whose account at the provider it is, read from where the provider's file says. Pure; ids and names only."""

import json
from base64 import urlsafe_b64decode
from typing import Any

from chalicelib.domain.tokens import ExternalIdentity
from chalicelib.providers.spec import Identity, Provider, Verify


def at(fields: Any, path: str) -> Any:
    """The value at a dotted path, or None."""
    for part in path.split("."):
        fields = fields.get(part) if isinstance(fields, dict) else None
    return fields


def of_answer(provider: Provider, fields: dict[str, Any]) -> ExternalIdentity | None:
    """From the token answer itself or its ID token; None if the provider tells it elsewhere."""
    if provider.identity.source == "token_answer":
        return of_fields(provider.identity, fields)
    if provider.identity.source == "id_token" and isinstance(fields.get("id_token"), str):
        return of_fields(provider.identity, _claims(fields["id_token"]))
    return None


def is_asked_for(provider: Provider) -> bool:
    """Whether to ask with the access token, if the answer itself did not tell."""
    return provider.identity.source in ("endpoint", "id_token")


def of_fields(paths: Identity | Verify, fields: dict[str, Any]) -> ExternalIdentity | None:
    account_id = _text(at(fields, paths.account_id)) if paths.account_id else None
    if account_id is None:
        return None
    name = next((text for path in paths.name if (text := _text(at(fields, path)))), None)
    return ExternalIdentity(account_id, name, _text(at(fields, paths.team)) if paths.team else None)


def _claims(id_token: str) -> dict[str, Any]:
    """Unverified by signature: it came from the token endpoint itself over TLS, which OpenID Connect Core 3.1.3.7 accepts in its place."""
    try:
        payload = id_token.split(".")[1]
        claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, IndexError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _text(value: Any) -> str | None:
    return str(value)[:256] if isinstance(value, (str, int)) and not isinstance(value, bool) and str(value) else None
