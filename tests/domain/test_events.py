"""Events tell what became of a connection, and nothing that opens a door."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from chalicelib.domain import events, ids, webhooks
from tests.domain.samples import CANARY, NOW, connection, pending
from tests.domain.webhook_samples import endpoint


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
        "connection_role", "account_identifier", "account_display_name", "auth_method", "api_key_last_4", "established_by_user_id", "generation", "reauthorization_expected_at", "created_at", "updated_at",
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


ACCOUNT_EVENTS = [kind for kind in events.TYPES if kind not in (events.CONNECTION_FAILED, events.MISCONFIGURED, events.WEBHOOK_PAUSED)]
FAILED_FLOW = events.of_failed_flow(pending(), "authorization_declined", "The person declined.", "access_denied", "No, thanks", NOW)
MISCONFIGURED = events.of_misconfiguration("data_integration_02", "acme", "invalid_client", NOW, last=None)
PAUSED = webhooks.of_pause(endpoint(organization_id="org_1"), "failing", "http_500", NOW)
EVERY = [*(told(kind) for kind in ACCOUNT_EVENTS), FAILED_FLOW, MISCONFIGURED, PAUSED]


def test_every_type_can_be_told_and_none_else() -> None:
    assert sorted(event.event for event in EVERY) == sorted(events.TYPES) and len(set(events.TYPES)) == 9
    assert [kind for kind in events.TYPES if not kind.startswith("pipes.connected_account.")] == ["provider.misconfigured", "webhook_endpoint.paused"]


@pytest.mark.parametrize("event", EVERY, ids=lambda event: event.event)
def test_the_envelope_is_what_a_workos_client_reads(event: events.Event) -> None:
    found = events.envelope(event)

    assert found == {"object": "event", "id": event.id, "event": event.event, "created_at": "2026-03-01T12:00:00.000Z", "data": event.data}
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize("event", EVERY, ids=lambda event: event.event)
def test_what_a_subscription_may_filter_by(event: events.Event) -> None:
    """SNS refuses an attribute without a value."""
    expected = {"event": event.event, **({} if event is PAUSED else {"provider": "acme"}), **({} if event is MISCONFIGURED else {"organization_id": "org_1"})}

    assert events.attributes(event) == expected


@pytest.mark.parametrize("event", [told(events.CONNECTED, organization_id=None), events.of_failed_flow(pending(organization_id=None), "x", "", None, None, NOW)], ids=["account", "failed flow"])
def test_who_is_in_no_organization_has_no_such_attribute(event: events.Event) -> None:
    assert events.attributes(event) == {"event": event.event, "provider": "acme"} and event.data["organization_id"] is None


def test_the_data_of_an_account_is_the_account_after_the_change() -> None:
    event = told(events.REAUTHORIZATION_NEEDED, state="needs_reauthorization", reason="refused", scopes_granted=("read", "write"), last_event="event_" + ids.ulid(NOW))

    assert event.data == {
        "object": "connected_account", "id": "data_installation_01", "data_integration_id": "data_integration_01", "provider_slug": "acme", "user_id": "user_1",
        "organization_id": "org_1", "scopes": ["read", "write"], "state": "needs_reauthorization", "state_reason": "refused", "connection_role": "compatibility",
        "account_identifier": "acct_9", "account_display_name": "Work", "auth_method": "oauth", "api_key_last_4": None, "established_by_user_id": "user_1", "generation": 3, "reauthorization_expected_at": None,
        "created_at": "2026-03-01T10:00:00.000Z", "updated_at": "2026-03-01T11:00:00.000Z",
    }  # fmt: skip
    assert event.previous is not None and event.id > event.previous


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({"grant_expires_at": NOW + timedelta(days=1)}, "2026-03-02T12:00:00.000Z"), ({"refreshable": False}, "2026-03-01T13:00:00.000Z"), ({}, None)],
    ids=["the grant ends", "its token ends and cannot be renewed", "no known end"],
)
def test_a_known_end_is_told_with_every_event(changes: dict[str, object], expected: str | None) -> None:
    assert told(events.CONNECTED, **changes).data["reauthorization_expected_at"] == expected


def test_the_data_of_a_failed_flow() -> None:
    assert FAILED_FLOW.data == {
        "object": "connection_failed", "data_integration_id": "data_integration_02", "provider_slug": "acme", "user_id": "user_1", "organization_id": "org_1",
        "error_code": "authorization_declined", "error_reason": "The person declined.", "provider_error": "access_denied", "provider_error_description": "No, thanks",
        "created_at": "2026-03-01T12:00:00.000Z",
    }  # fmt: skip
    assert (FAILED_FLOW.previous, FAILED_FLOW.generation) == (None, 0)


def test_a_failed_flow_is_told_under_a_name_that_does_not_open_it() -> None:
    """The id of a pending authorization is in a link; subscribers are of all sorts."""
    event = events.of_failed_flow(
        pending(id=CANARY, handle_digest=CANARY, state_digest=CANARY, sealed=CANARY.encode(), fingerprint=CANARY, browser_digest=CANARY, connect_code_digest=CANARY, code_challenge=CANARY),
        "x", "", None, None, NOW,
    )  # fmt: skip

    assert CANARY not in repr(event) and event.subject.startswith("flow_") and len(event.subject) == 31
    assert event.subject != FAILED_FLOW.subject


def test_a_misconfiguration_tells_of_the_registration_and_asks_no_user() -> None:
    later = events.of_misconfiguration("data_integration_02", "acme", "invalid_client", NOW - timedelta(days=1), last=MISCONFIGURED.id)

    assert (MISCONFIGURED.subject, MISCONFIGURED.data["error_code"], "user_id" in MISCONFIGURED.data) == ("data_integration_02", "invalid_client", False)
    assert later.previous == MISCONFIGURED.id < later.id


def test_an_id_counts_on_from_the_last_of_its_subject() -> None:
    first = events.new_id(NOW, None)
    second = events.new_id(NOW - timedelta(days=1), first)

    assert second > first and second.startswith("event_") and len(second) == 32
