"""Events: facts told to the product, written as outbox rows in the same transaction as the state they tell of. Ids and states only, never a token."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.domain import ids
from chalicelib.domain.models import Connection, Pending

CONNECTED = "pipes.connected_account.connected"
DISCONNECTED = "pipes.connected_account.disconnected"
REAUTHORIZATION_NEEDED = "pipes.connected_account.reauthorization_needed"
CONNECTION_FAILED = "pipes.connected_account.connection_failed"
RECOVERED = "pipes.connected_account.recovered"
DEGRADED = "pipes.connected_account.degraded"
REAUTHORIZATION_EXPECTED = "pipes.connected_account.reauthorization_expected"
MISCONFIGURED = "provider.misconfigured"
WEBHOOK_PAUSED = "webhook_endpoint.paused"
TYPES = (CONNECTED, DISCONNECTED, REAUTHORIZATION_NEEDED, CONNECTION_FAILED, RECOVERED, DEGRADED, REAUTHORIZATION_EXPECTED, MISCONFIGURED, WEBHOOK_PAUSED)


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event. `subject` is what it tells of; ids of one subject sort in the order things happened, and `previous` names the one before."""

    id: str
    event: str
    created_at: datetime
    subject: str
    generation: int = 0
    previous: str | None = None
    data: dict[str, Any]


def timestamp(at: datetime) -> str:
    """ISO 8601 with milliseconds and Z, as on the wire and in the table; sorts as text."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def envelope(event: Event) -> dict[str, Any]:
    """The event as a subscriber gets it."""
    return {"object": "event", "id": event.id, "event": event.event, "created_at": timestamp(event.created_at), "data": event.data}


def attributes(event: Event) -> dict[str, str]:
    """What a subscription may filter by."""
    known = {"event": event.event, "provider": event.data.get("provider_slug"), "organization_id": event.data.get("organization_id")}
    return {name: value for name, value in known.items() if value}


def new_id(now: datetime, last: str | None) -> str:
    return f"event_{ids.ulid_after(now, last.removeprefix('event_') if last else None)}"


def told_at(event_id: str) -> datetime:
    """The time in an event's id, which is its place among all events. Raises ValueError if it is no such id."""
    if not re.fullmatch(r"event_[0-7][0-9A-HJKMNP-TV-Z]{25}", event_id):
        raise ValueError("not the id of an event")
    return ids.time_of(event_id.removeprefix("event_"))


def first_id(at: datetime) -> str:
    """What sorts before the id of every event of that millisecond or later, and after all earlier ones."""
    return f"event_{ids.ulid(at)[:10]}"


def of_connection(kind: str, connection: Connection, now: datetime, *, previous: str | None) -> Event:
    """An event whose data is the connected account as it is after the change; its id is the one the connection carries."""
    assert connection.last_event is not None
    expected = connection.reauthorization_expected_at
    return Event(
        id=connection.last_event,
        event=kind,
        created_at=now,
        subject=connection.id,
        generation=connection.generation,
        previous=previous,
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
            "connection_role": connection.role,
            "account_identifier": connection.account_identifier or connection.external_account_id,
            "account_display_name": connection.display_name or connection.external_name,
            "auth_method": connection.auth_method,
            "api_key_last_4": connection.secret_last_four if connection.auth_method == "api_key" else None,
            "established_by_user_id": connection.established_by or connection.user_id,
            "generation": connection.generation,
            "reauthorization_expected_at": timestamp(expected) if expected else None,
            "created_at": timestamp(connection.created_at),
            "updated_at": timestamp(connection.updated_at),
        },
    )


def of_failed_flow(pending: Pending, error_code: str, error_reason: str, provider_error: str | None, description: str | None, now: datetime) -> Event:
    """A person came back from the provider and no connection came of it."""
    return Event(
        id=new_id(now, None),
        event=CONNECTION_FAILED,
        created_at=now,
        subject=f"flow_{ids.digest(pending.id)[:26]}",
        data={
            "object": "connection_failed",
            "data_integration_id": pending.registration_id,
            "provider_slug": pending.slug,
            "user_id": pending.user_id,
            "organization_id": pending.organization_id,
            "error_code": error_code,
            "error_reason": error_reason,
            "provider_error": provider_error,
            "provider_error_description": description,
            "created_at": timestamp(now),
        },
    )


def of_misconfiguration(registration_id: str, slug: str, code: str, now: datetime, *, last: str | None) -> Event:
    """The provider refuses our own client: an operator has to act, and no user."""
    return Event(
        id=new_id(now, last),
        event=MISCONFIGURED,
        created_at=now,
        subject=registration_id,
        previous=last,
        data={
            "object": "provider_misconfiguration",
            "data_integration_id": registration_id,
            "provider_slug": slug,
            "error_code": code,
            "message": "The provider refuses this application's own client id, secret or scopes. No user has to act; connections are kept and go on once it is mended.",
            "created_at": timestamp(now),
        },
    )
