"""What waits in the webhook queue: one event for one endpoint, or a stretch of the log that an endpoint is sent again. Ids and times only."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.domain import ids
from chalicelib.domain.events import Event, timestamp, told_at
from chalicelib.engine.keeping import UnknownMessage

VERSION = 1
LONGEST_DELAY = 900  # seconds that SQS can put off a message; what has to wait longer is put off again


@dataclass(frozen=True)
class EventMessage:
    """Try number `attempt` of an event at an endpoint, not before a time."""

    endpoint: str
    event_id: str
    subject: str
    attempt: int = 1
    not_before: datetime | None = None

    def body(self) -> dict[str, Any]:
        later = {"not_before": timestamp(self.not_before)} if self.not_before else {}
        return {"v": VERSION, "endpoint": self.endpoint, "event": self.event_id, "subject": self.subject, "attempt": self.attempt, **later}


@dataclass(frozen=True)
class ReplayMessage:
    """Everything between two ids, neither included, is sent to the endpoint again."""

    endpoint: str
    after: str
    until: str

    def body(self) -> dict[str, Any]:
        return {"v": VERSION, "endpoint": self.endpoint, "after": self.after, "until": self.until}


def first_try(endpoint_id: str, event: Event) -> dict[str, Any]:
    return EventMessage(endpoint_id, event.id, event.subject).body()


def read(body: Any) -> EventMessage | ReplayMessage:
    """Raises UnknownMessage."""
    try:
        if body["v"] != VERSION:
            raise ValueError("another version")
        if "until" in body:
            for end in (body["after"], body["until"]):
                ids.time_of(end.removeprefix("event_"))
            return ReplayMessage(str(body["endpoint"]), body["after"], body["until"])
        told_at(body["event"])
        not_before = datetime.fromisoformat(body["not_before"]) if "not_before" in body else None
        if not_before is not None and not_before.tzinfo is None:
            raise ValueError("no time of day anybody knows")
        return EventMessage(str(body["endpoint"]), body["event"], str(body["subject"]), int(body["attempt"]), not_before)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnknownMessage(f"a webhook message that cannot be read ({type(error).__name__})") from None
