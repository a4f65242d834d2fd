"""Events: facts about a connection, written as an outbox row in the same transaction as the state they tell of. Ids and states only, never a token."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.domain import ids
from chalicelib.domain.models import Connection

CONNECTED = "pipes.connected_account.connected"
DISCONNECTED = "pipes.connected_account.disconnected"
REAUTHORIZATION_NEEDED = "pipes.connected_account.reauthorization_needed"


@dataclass(frozen=True)
class Event:
    """One event. `id` sorts by time; `subject` is the connection, `generation` its order within it."""

    id: str
    type: str
    created_at: datetime
    subject: str
    generation: int
    data: dict[str, Any]


def timestamp(at: datetime) -> str:
    """ISO 8601 with milliseconds and Z, as on the wire and in the table; sorts as text."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def of_connection(kind: str, connection: Connection, now: datetime) -> Event:
    """An event whose data is the connected account as it is after the change."""
    return Event(
        id=f"event_{ids.ulid(now)}",
        type=kind,
        created_at=now,
        subject=connection.id,
        generation=connection.generation,
        data={
            "object": "connected_account",
            "id": connection.id,
            "data_integration_id": connection.registration_id,
            "provider_slug": connection.slug,
            "user_id": connection.user_id,
            "organization_id": connection.organization_id,
            "scopes": list(connection.scopes_granted),
            "state": connection.state,
            "state_reason": connection.reason,
            "connection_role": "standard",
            "account_identifier": connection.external_account_id,
            "account_display_name": connection.display_name or connection.external_name,
            "auth_method": "oauth",
            "created_at": timestamp(connection.created_at),
            "updated_at": timestamp(connection.updated_at),
        },
    )
