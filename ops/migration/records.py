"""What leaves of a connection: the columns of a plain file, or WorkOS's words for them, with everything Standpipe knows beside.

Rule: this is where secrets leave their wrapper, for a part of an export that is sealed before it is written.
"""

from typing import Any

from chalicelib.domain.events import timestamp
from chalicelib.domain.models import Connection
from chalicelib.domain.secret import Secret
from chalicelib.domain.tokens import TokenSet

FORMATS = ("standpipe", "workos", "json")
Record = dict[str, Any]


def record_of(format: str, connection: Connection, tokens: TokenSet | None, *, handed_over: bool) -> Record:
    """`tokens` None: it waits for its user, and has none that anybody could use."""
    columns = _own(connection, tokens) if format == "standpipe" else _plain(connection, tokens)
    made = _workos(columns) if format == "workos" else columns
    return {**{name: value for name, value in made.items() if value not in (None, [], {})}, "handed_over": handed_over}


def _plain(connection: Connection, tokens: TokenSet | None) -> Record:
    """The columns that `--format json` reads."""
    oauth, method = connection.auth_method == "oauth", connection.auth_method
    return {
        "provider": connection.slug,
        "user_id": connection.user_id,
        "organization_id": connection.organization_id,
        "connection_owner": "organization" if connection.user_id is None else "user",
        "connected_account_id": connection.id,
        "connection_role": connection.role,
        "auth_method": method,
        "state": "connected" if tokens else "needs_reauthorization",
        "access_token": _text(tokens.access_token) if tokens and oauth else None,
        "refresh_token": _text(tokens.refresh_token) if tokens and oauth else None,
        "expires_at": timestamp(connection.expires_at) if tokens and oauth and connection.expires_at else None,
        "renewable": False if tokens and oauth and connection.expires_at and not tokens.refresh_token else None,
        "scopes": list(connection.scopes_granted),
        "api_key": _text(tokens.access_token) if tokens and method == "api_key" else None,
        "client_id": connection.client_id,
        "client_secret": _text(tokens.client_secret) if tokens and method == "client_credentials" else None,
        "account_display_name": connection.display_name,
        "account_identifier": connection.account_identifier,
        "established_by_user_id": connection.established_by if connection.user_id is None else None,
        "created_at": timestamp(connection.created_at),
        "config": connection.config,
    }


def _own(connection: Connection, tokens: TokenSet | None) -> Record:
    additional = tokens.additional if tokens else {}
    external = {"account_id": connection.external_account_id, "name": connection.external_name, "team": connection.external_team}
    return {
        **_plain(connection, tokens),
        "additional_tokens": {
            name: {
                "access_token": _text(each.access_token),
                "refresh_token": _text(each.refresh_token),
                "expires_at": timestamp(each.expires_at) if each.expires_at else None,
                "scopes": list(each.scopes),
            }
            for name, each in additional.items()
        },
        "metadata": connection.metadata,
        "external": external if any(external.values()) else None,
        "refresh_expires_at": timestamp(connection.refresh_expires_at) if tokens and connection.refresh_expires_at else None,
        "grant_expires_at": timestamp(connection.grant_expires_at) if tokens and connection.grant_expires_at else None,
    }


def _workos(columns: Record) -> Record:
    """A ConnectedAccount with its provider and its tokens in it."""
    renamed = {"provider": "provider_slug", "connected_account_id": "id"}
    return {"object": "connected_account", **{renamed.get(name, name): value for name, value in columns.items()}}


def _text(secret: Secret | None) -> str | None:
    return secret.reveal() if secret else None
