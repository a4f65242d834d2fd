"""Events tell what became of a connection, and nothing that opens a door."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from chalicelib.domain import events
from tests.domain.samples import CANARY, NOW, connection


def told(kind: str, now: datetime = NOW, **changes: object) -> events.Event:
    before = connection(**changes)
    named = replace(before, last_event=events.new_id(now, before.last_event))
    return events.of_connection(kind, named, now, previous=before.last_event)


def test_an_event_names_its_connection_and_generation() -> None:
    event = told(events.CONNECTED)

    assert event.id.startswith("event_") and len(event.id) == 32
    assert (event.event, event.created_at, event.subject, event.generation) == ("pipes.connected_account.connected", NOW, "data_installation_01", 3)


def test_an_event_holds_no_token_not_even_a_sealed_one() -> None:
    """R19: what is published goes to subscribers of all sorts."""
    event = told(events.CONNECTED, sealed=CANARY.encode(), lease_owner=CANARY, write_id=CANARY)

    assert CANARY not in repr(event)
    assert set(event.data) == {
        "object", "id", "data_integration_id", "provider_slug", "user_id", "organization_id", "scopes", "state", "state_reason",
        "connection_role", "account_identifier", "account_display_name", "auth_method", "generation", "reauthorization_expected_at", "created_at", "updated_at",
    }  # fmt: skip


@pytest.mark.parametrize(("given", "shown"), [("Work", "Work"), (None, "Alice")], ids=["the name the app gave", "the provider's"])
def test_the_display_name(given: str | None, shown: str) -> None:
    assert told(events.CONNECTED, display_name=given).data["account_display_name"] == shown


def test_ids_of_one_millisecond_differ_and_later_ones_sort_later() -> None:
    made = [told(events.CONNECTED).id for _ in range(100)]

    assert len(set(made)) == 100
    assert max(made) < told(events.CONNECTED, NOW + timedelta(milliseconds=1)).id


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (datetime(2026, 3, 1, 12, tzinfo=UTC), "2026-03-01T12:00:00.000Z"),
        (datetime(2026, 3, 1, 12, 0, 0, 999999, tzinfo=UTC), "2026-03-01T12:00:00.999Z"),
        (datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(0))), "2026-03-01T12:00:00.000Z"),
    ],
    ids=["whole second", "microseconds are cut", "another zero offset"],
)
def test_timestamps_sort_as_text(at: datetime, text: str) -> None:
    assert events.timestamp(at) == text
