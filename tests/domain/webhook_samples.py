"""A webhook endpoint, and events for it."""

from datetime import datetime
from typing import Any

from chalicelib.domain import events
from chalicelib.domain.events import Event
from chalicelib.domain.stored import read
from chalicelib.domain.webhooks import WebhookEndpoint
from tests.domain.samples import HOUR, NOW


def endpoint(**changes: Any) -> WebhookEndpoint:
    """One that wants everything and is well."""
    made = {
        "id": "webhook_endpoint_01",
        "url": "https://hooks.example.com/path?key=of-the-receiver",
        "events": events.TYPES,
        "sealed": b"blob",
        "last_four": "abcd",
        "created_at": NOW - HOUR,
        "updated_at": NOW - HOUR,
    }
    return read(WebhookEndpoint, {**made, **changes})


def event(now: datetime = NOW, kind: str = events.CONNECTED, organization_id: str | None = "org_1", subject: str = "data_installation_01") -> Event:
    """Of an account, with a new id."""
    data = {"object": "connected_account", "id": subject, "provider_slug": "acme", "user_id": "user_1", "organization_id": organization_id, "state": "connected", "scopes": ["read"]}
    data |= {"data_integration_id": "data_integration_01", "created_at": events.timestamp(now), "updated_at": events.timestamp(now)}
    return Event(id=events.new_id(now, None), event=kind, created_at=now, subject=subject, generation=1, data=data)
