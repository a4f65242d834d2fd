"""Webhook endpoints: who is told what over HTTP, how long a call that failed is repeated, and when an endpoint is not called any more.

Decides and does nothing. Every delivery is at least once, under the event's own id, in no promised order.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import Literal
from urllib.parse import urlsplit

from chalicelib.domain import events
from chalicelib.domain.events import Event

Status = Literal["enabled", "disabled"]
Reason = Literal["failing", "gone"]
Outcome = Literal["delivered", "failed", "given_up"]

# From one try to the next: a restart is over in seconds, an outage in hours, and whoever notices nothing for a weekend is found by the pause.
BACK_OFF = (
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    *[timedelta(hours=14)] * 4,
)
TRIES = len(BACK_OFF) + 1
SPREAD = 0.1  # of a wait, at most, on top: what failed together does not come back together
PAUSED_AFTER = timedelta(days=3)  # less than all waits together, so that the last try of an event decides at the latest
GONE = 410


@dataclass(frozen=True, kw_only=True)
class WebhookEndpoint:
    """A URL that is called with events. On the wire: webhook_endpoint."""

    id: str
    url: str
    events: tuple[str, ...]
    """The types it wants."""
    organization_id: str | None = None
    """If set, it hears of what belongs to this organization and nothing else; None = of the whole stage."""
    status: Status = "enabled"
    sealed: bytes = field(repr=False)
    """The secret its calls are signed with."""
    last_four: str = ""

    failing_since: datetime | None = None
    """When the first call failed after the last that did not."""
    failing_from: datetime | None = None
    """The time of the event that failed then."""
    reason: str | None = None
    """Why it was paused, a Reason; None if nobody but its owner disabled it."""
    paused_at: datetime | None = None
    missed_since: datetime | None = None
    """Not later than the oldest event that was not delivered because it was disabled; stays until these are sent again."""

    version: int = 1
    last_event: str | None = None
    write_id: str | None = None
    created_at: datetime
    updated_at: datetime

    @property
    def host(self) -> str:
        """All of its URL that others hear of: path and query may hold a secret of the receiver's."""
        return urlsplit(self.url).hostname or ""

    def wants(self, event: Event) -> bool:
        """Not its own pause, of which it could only hear when that is over."""
        return event.event in self.events and event.subject != self.id and (self.organization_id is None or event.data.get("organization_id") == self.organization_id)


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One call of one endpoint with one event, and what came of it."""

    id: str
    endpoint_id: str
    event_id: str
    event: str
    """The event's type."""
    attempt: int
    outcome: Outcome
    status: int | None = None
    """Of the HTTP answer, if there was one."""
    error: str | None = None
    milliseconds: int = 0
    at: datetime
    next_at: datetime | None = None


def next_try(attempt: int, now: datetime, retry_after: int | None, chance: float) -> datetime | None:
    """When an event is sent again whose try number `attempt` failed now, or None if that was the last. `chance`: from 0 to 1."""
    if attempt >= TRIES:
        return None
    wait = BACK_OFF[attempt - 1] * (1 + SPREAD * chance)
    return now + max(wait, timedelta(seconds=retry_after or 0))


def pause_of(endpoint: WebhookEndpoint, status: int | None, now: datetime) -> Reason | None:
    """Why an endpoint whose call just failed is not called any more, or None."""
    if status == GONE:
        return "gone"
    if endpoint.failing_since is not None and endpoint.failing_since + PAUSED_AFTER <= now:
        return "failing"
    return None


def seconds_until(at: datetime, now: datetime) -> int:
    return max(0, ceil((at - now).total_seconds()))


def of_pause(endpoint: WebhookEndpoint, reason: Reason, error: str, now: datetime) -> Event:
    """Nobody is told over this endpoint any more: somebody has to mend it and enable it again."""
    return Event(
        id=events.new_id(now, endpoint.last_event),
        event=events.WEBHOOK_PAUSED,
        created_at=now,
        subject=endpoint.id,
        previous=endpoint.last_event,
        data={
            "object": "webhook_endpoint",
            "id": endpoint.id,
            "organization_id": endpoint.organization_id,
            "host": endpoint.host,
            "status": "disabled",
            "status_reason": reason,
            "last_error": error,
            "failing_since": events.timestamp(endpoint.failing_since) if endpoint.failing_since else None,
            "paused_at": events.timestamp(now),
            "created_at": events.timestamp(endpoint.created_at),
        },
    )
