"""Domain objects as the contract's JSON. Supersets of every WorkOS SDK's version: a key the strictest one needs is always there."""

from datetime import datetime
from typing import Any

from chalicelib.domain.events import timestamp
from chalicelib.domain.lifecycle import MESSAGES
from chalicelib.domain.models import Connection
from chalicelib.engine.tokens import Inactive, Live


def time_or_none(at: datetime | None) -> str | None:
    return timestamp(at) if at else None


def token_answer(result: Live | Inactive) -> dict[str, Any]:
    """The token endpoint's body: the only place in Standpipe where an access token leaves it."""
    if isinstance(result, Inactive):
        return {"active": False, "error": result.error, "reason": result.reason, "message": result.message, **({"hint": result.hint} if result.hint else {})}
    connection, tokens = result.connection, result.tokens
    token: dict[str, Any] = {
        "object": "access_token",
        "access_token": tokens.access_token.reveal(),
        "token_type": connection.token_type,
        "expires_at": time_or_none(connection.expires_at),
        "scopes": list(connection.scopes_granted),
        "missing_scopes": connection.missing_scopes(),
        "generation": connection.generation,
        "connected_account_id": connection.id,
        "metadata": connection.metadata,
    }
    if tokens.additional:
        token["additional_tokens"] = {
            name: {"access_token": other.access_token.reveal(), "expires_at": time_or_none(other.expires_at), "scopes": list(other.scopes)} for name, other in tokens.additional.items()
        }
    return {"active": True, "access_token": token}


def connected_account(connection: Connection, provider_name: str = "") -> dict[str, Any]:
    message = MESSAGES[connection.reason].format(provider=provider_name or connection.slug) if connection.reason in MESSAGES else None
    return {
        "object": "connected_account",
        "id": connection.id,
        "connection_role": "standard",
        "account_identifier": connection.external_account_id,
        "account_display_name": connection.display_name or connection.external_name,
        "user_id": connection.user_id,
        "organization_id": connection.organization_id,
        "scopes": list(connection.scopes_granted),
        "missing_scopes": connection.missing_scopes(),
        "state": connection.state,
        "state_reason": connection.reason,
        "message": message,
        "auth_method": "oauth",
        "api_key_last_4": None,
        "client_id": None,
        "client_secret_last_4": None,
        "config": connection.config,
        "metadata": connection.metadata,
        "team": connection.external_team,
        "established_by_user_id": connection.user_id,
        "warnings": [{"code": "degraded", "message": f"{provider_name or connection.slug} has not answered for days. The connection is kept and tried again."}] if connection.degraded_since else [],
        "generation": connection.generation,
        "expires_at": time_or_none(connection.expires_at),
        "reauthorization_expected_at": time_or_none(connection.reauthorization_expected_at),
        "last_used_at": time_or_none(connection.last_used_at),
        "refreshed_at": time_or_none(connection.refreshed_at),
        "created_at": timestamp(connection.created_at),
        "updated_at": timestamp(connection.updated_at),
        "userlandUserId": connection.user_id,
        "organizationId": connection.organization_id,
        "createdAt": timestamp(connection.created_at),
        "updatedAt": timestamp(connection.updated_at),
    }
