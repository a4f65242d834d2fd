"""How long a failing endpoint is called, when it is not called any more, and what of it others hear."""

import json
from datetime import timedelta

import pytest

from chalicelib.domain import events
from chalicelib.domain.webhooks import BACK_OFF, PAUSED_AFTER, SPREAD, TRIES, next_try, of_pause, pause_of, seconds_until
from tests.domain.samples import NOW
from tests.domain.webhook_samples import endpoint, event

DAY = timedelta(days=1)


def test_waits_grow_from_seconds_to_hours_and_end_after_twelve_tries() -> None:
    waits = [next_try(attempt, NOW, None, 0.0) for attempt in range(1, TRIES + 1)]

    assert TRIES == 12 and waits[-1] is None
    assert [at - NOW for at in waits if at] == list(BACK_OFF) == sorted(BACK_OFF)
    assert (BACK_OFF[0], BACK_OFF[1], BACK_OFF[-1]) == (timedelta(seconds=10), timedelta(minutes=1), timedelta(hours=14))


def test_the_last_try_of_an_event_comes_when_a_pause_is_due_and_not_much_later() -> None:
    """Or an endpoint that hears little would never be paused."""
    whole = sum(BACK_OFF, timedelta())

    assert PAUSED_AFTER < whole < PAUSED_AFTER + timedelta(hours=6)


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_what_failed_together_comes_back_spread(chance: float) -> None:
    assert next_try(3, NOW, None, chance) == NOW + BACK_OFF[2] * (1 + SPREAD * chance)


@pytest.mark.parametrize(("asked", "waited"), [(None, 10), (3, 10), (10, 10), (120, 120), (21600, 21600)], ids=str)
def test_a_receiver_may_ask_for_more_time_and_not_for_less(asked: int | None, waited: int) -> None:
    assert next_try(1, NOW, asked, 0.0) == NOW + timedelta(seconds=waited)


def test_a_receiver_that_asks_for_more_time_gets_no_further_try() -> None:
    assert next_try(TRIES, NOW, 60, 0.0) is None


@pytest.mark.parametrize(
    ("status", "failing_for", "reason"),
    [
        (410, None, "gone"),
        (410, DAY, "gone"),
        (500, None, None),
        (500, 3 * DAY - timedelta(seconds=1), None),
        (500, 3 * DAY, "failing"),
        (None, 3 * DAY, "failing"),
        (404, 40 * DAY, "failing"),
        (301, DAY, None),
    ],
    ids=str,
)
def test_when_an_endpoint_is_paused(status: int | None, failing_for: timedelta | None, reason: str | None) -> None:
    assert pause_of(endpoint(failing_since=NOW - failing_for if failing_for is not None else None), status, NOW) == reason


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, True),
        ({"events": (events.CONNECTED,)}, True),
        ({"events": (events.DISCONNECTED,)}, False),
        ({"organization_id": "org_1"}, True),
        ({"organization_id": "org_2"}, False),
        ({"organization_id": "org_1", "events": (events.DISCONNECTED,)}, False),
    ],
    ids=str,
)
def test_which_events_an_endpoint_wants(changes: dict[str, object], wanted: bool) -> None:
    assert endpoint(**changes).wants(event()) is wanted


def test_an_endpoint_of_an_organization_hears_nothing_that_belongs_to_none() -> None:
    misconfigured = events.of_misconfiguration("data_integration_01", "acme", "invalid_client", NOW, last=None)

    assert not endpoint(organization_id="org_1").wants(event(organization_id=None))
    assert not endpoint(organization_id="org_1").wants(misconfigured) and endpoint().wants(misconfigured)


def test_an_endpoint_does_not_hear_of_its_own_pause() -> None:
    paused = of_pause(endpoint(), "gone", "http_410", NOW)

    assert not endpoint().wants(paused) and endpoint(id="webhook_endpoint_02").wants(paused)


def test_a_pause_tells_the_host_and_no_more_of_the_url() -> None:
    """The path or the query may be all that keeps strangers from the receiver."""
    paused = of_pause(endpoint(failing_since=NOW - 3 * DAY), "failing", "http_503", NOW)

    assert paused.event == "webhook_endpoint.paused" and paused.subject == "webhook_endpoint_01"
    assert paused.data == {
        "object": "webhook_endpoint", "id": "webhook_endpoint_01", "organization_id": None, "host": "hooks.example.com", "status": "disabled", "status_reason": "failing",
        "last_error": "http_503", "failing_since": "2026-02-26T12:00:00.000Z", "paused_at": "2026-03-01T12:00:00.000Z", "created_at": "2026-03-01T11:00:00.000Z",
    }  # fmt: skip
    assert "of-the-receiver" not in json.dumps(events.envelope(paused)) and "blob" not in repr(endpoint())


def test_pauses_of_one_endpoint_sort_as_they_happened() -> None:
    first = of_pause(endpoint(), "gone", "http_410", NOW)
    second = of_pause(endpoint(last_event=first.id), "gone", "http_410", NOW - DAY)  # another clock

    assert second.previous == first.id and second.id > first.id


@pytest.mark.parametrize(("ahead", "seconds"), [(timedelta(seconds=10), 10), (timedelta(milliseconds=1), 1), (timedelta(), 0), (timedelta(seconds=-5), 0)], ids=str)
def test_seconds_until_a_time_are_whole_and_never_too_few(ahead: timedelta, seconds: int) -> None:
    assert seconds_until(NOW + ahead, NOW) == seconds


def test_the_time_in_an_events_id_is_told_and_nothing_else_is_taken_for_one() -> None:
    made = event(NOW + timedelta(milliseconds=123))

    assert events.told_at(made.id) == NOW + timedelta(milliseconds=123)
    for wrong in ("", "event_", made.id[:-1], made.id + "0", made.id.lower(), "event_" + "U" * 26, "data_installation_01", made.id + "\n", "event_" + "8" * 26):
        with pytest.raises(ValueError, match="not the id"):
            events.told_at(wrong)


def test_the_first_id_of_a_time_lies_between_the_events_before_and_after() -> None:
    before, at = event(NOW - timedelta(milliseconds=1)), event(NOW)

    assert before.id < events.first_id(NOW) < at.id
