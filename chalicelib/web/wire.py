"""Domain objects as the contract's JSON. Supersets of every WorkOS SDK's version: a key the strictest one needs is always there."""

from datetime import datetime
from typing import TYPE_CHECKING

from chalicelib.domain.events import timestamp
from chalicelib.domain.lifecycle import MESSAGES
from chalicelib.domain.models import Connection
from chalicelib.doors.store import Store
from chalicelib.engine.tokens import Inactive, Live

if TYPE_CHECKING:
    from chalicelib.web import shapes


def time_or_none(at: datetime | None) -> str | None:
    return timestamp(at) if at else None


def token_answer(result: Live | Inactive) -> "shapes.TokenAnswer":
    """The token endpoint's body: the only place in Standpipe where an access token leaves it."""
    if isinstance(result, Inactive):
        return _inactive(result)
    return {"active": True, "access_token": _access_token(result)}


def _inactive(result: Inactive) -> "shapes.Inactive":
    shown: shapes.Inactive = {"active": False, "error": "not_installed" if result.error == "not_installed" else "needs_reauthorization", "reason": result.reason, "message": result.message}
    if result.hint:
        shown["hint"] = result.hint
    return shown


def _access_token(result: Live) -> "shapes.AccessToken":
    connection, tokens = result.connection, result.tokens
    token: shapes.AccessToken = {
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
    return token


def credentials_answer(result: Live | Inactive) -> "shapes.CredentialsAnswer":
    """The credentials endpoint's body: the same token, or the API key, and what the provider wants to be asked with beside it."""
    if isinstance(result, Inactive):
        return _inactive(result)
    connection, token = result.connection, _access_token(result)
    credential: shapes.ApiKeyCredential | shapes.TokenCredential
    if connection.auth_method == "api_key":
        credential = {
            "object": "credential",
            "auth_method": "api_key",
            "value": token["access_token"],
            "config": connection.config,
            "generation": connection.generation,
            "connected_account_id": connection.id,
        }
    else:
        credential = {
            "object": "credential",
            "auth_method": connection.auth_method,
            "value": token["access_token"],
            "config": connection.config,
            "generation": connection.generation,
            "connected_account_id": connection.id,
            "token_type": token["token_type"],
            "expires_at": token["expires_at"],
            "scopes": token["scopes"],
            "missing_scopes": token["missing_scopes"],
            "metadata": token["metadata"],
        }
    return {"active": True, "credential": credential}


def labels_of(store: Store, connection: Connection) -> list[str]:
    """What the owner's other accounts at the provider are called."""
    others = (each for each in store.connections(connection.owner, connection.slug) if each.id != connection.id and each.state != "disconnected")
    return [each.display_name for each in others if each.display_name]


def connected_account(connection: Connection, provider_name: str = "", other_labels: list[str] | None = None) -> "shapes.ConnectedAccount":
    """`other_labels`: what the owner's other accounts are called, where one has just been named."""
    return {
        **shown_account(connection, provider_name, other_labels),
        "metadata": connection.metadata,
        "generation": connection.generation,
        "last_used_at": time_or_none(connection.last_used_at),
        "refreshed_at": time_or_none(connection.refreshed_at),
    }


def shown_account(connection: Connection, provider_name: str = "", other_labels: list[str] | None = None) -> "shapes.ShownAccount":
    """What of it a person sees too: nothing of how it is kept."""
    is_key = connection.auth_method == "api_key"
    message = MESSAGES[connection.reason].format(provider=provider_name or connection.slug) if connection.reason in MESSAGES else None
    return {
        "object": "connected_account",
        "id": connection.id,
        "connection_role": connection.role,
        "account_identifier": connection.account_identifier or connection.external_account_id,
        "account_display_name": connection.display_name or connection.external_name,
        "user_id": connection.user_id,
        "organization_id": connection.organization_id,
        "scopes": list(connection.scopes_granted),
        "missing_scopes": connection.missing_scopes(),
        "state": connection.state,
        "state_reason": connection.reason,
        "message": message,
        "auth_method": connection.auth_method,
        "api_key_last_4": connection.secret_last_four if is_key else None,
        "client_id": connection.client_id,
        "client_secret_last_4": None if is_key else connection.secret_last_four,
        "config": connection.config,
        "team": connection.external_team,
        "established_by_user_id": connection.established_by or connection.user_id,
        "warnings": _warnings(connection, provider_name, other_labels or []),
        "handed_over_at": time_or_none(connection.handed_over_at),
        "expires_at": time_or_none(connection.expires_at),
        "reauthorization_expected_at": time_or_none(connection.reauthorization_expected_at),
        "created_at": timestamp(connection.created_at),
        "updated_at": timestamp(connection.updated_at),
        "userlandUserId": connection.user_id,
        "organizationId": connection.organization_id,
        "createdAt": timestamp(connection.created_at),
        "updatedAt": timestamp(connection.updated_at),
    }


def _warnings(connection: Connection, provider_name: str, other_labels: list[str]) -> "list[shapes.Warning]":
    found: list[shapes.Warning] = []
    if connection.degraded_since:
        found.append({"code": "degraded", "message": f"{provider_name or connection.slug} has not answered for days. The connection is kept and tried again."})
    if connection.display_name in other_labels:
        found.append({"code": "duplicate_account_display_name", "message": f"Another account of this owner is called '{connection.display_name}' too."})
    return found
