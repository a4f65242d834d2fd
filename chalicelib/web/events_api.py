"""GET /events: the events of the last thirty days, for who asks."""

import re
from datetime import datetime

from chalice import Blueprint, Response

from chalicelib import wiring
from chalicelib.domain.events import TYPES, envelope, told_at
from chalicelib.web.edge import Request, answer, route, unprocessable

events_api = Blueprint(__name__)


@route(events_api, "/events", ["GET"], returns="EventPage", query=("events", "after", "before", "limit", "order", "range_start", "range_end", "organization_id"), errors=(422,))
def list_events(request: Request) -> Response:
    """A page of events, oldest first unless asked otherwise; cursors are event ids, also of events that are not kept any more."""
    from chalicelib.engine.event_pages import Filter

    after, before = (_event_id(request, name) for name in ("after", "before"))
    if after and before:
        raise unprocessable("before", "and 'after' exclude each other.")
    order = request.one("order") or "asc"
    if order not in ("asc", "desc"):
        raise unprocessable("order", "is asc or desc.")
    organizations = tuple(each for each in {request.organization_id, request.one("organization_id") or None} if each is not None)
    wanted = Filter(_types(request), organizations, _time(request, "range_start"), _time(request, "range_end"))
    page = wiring.engine().event_pages.page(wanted, limit=limit_of(request), ascending=order == "asc", after=after, before=before, seconds_left=request.seconds_left)
    return answer({"object": "list", "data": [envelope(event) for event in page.events], "list_metadata": {"before": page.before, "after": page.after}})


def limit_of(request: Request) -> int:
    """From 1 to 100, 10 if it is not given. Raises Unprocessable."""
    text = request.one("limit") or "10"
    if not re.fullmatch(r"[1-9][0-9]?|100", text):
        raise unprocessable("limit", "is a whole number from 1 to 100.")
    return int(text)


def _types(request: Request) -> frozenset[str] | None:
    """Separated by commas, as WorkOS's clients send them, or given several times."""
    asked = [name for value in [*request.query.get("events", []), *request.query.get("events[]", [])] for name in value.split(",") if name]
    for name in asked:
        if name not in TYPES:
            raise unprocessable("events", f"names no type of event there is: '{name[:100]}'.", "unknown_event")
    return frozenset(asked) or None


def _event_id(request: Request, name: str) -> str | None:
    value = request.one(name)
    if not value:
        return None
    try:
        told_at(value)
    except ValueError:
        raise unprocessable(name, "is not the id of an event.") from None
    return value


def _time(request: Request, name: str) -> datetime | None:
    value = request.one(name)
    if not value:
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise unprocessable(name, "is a time in ISO 8601 with its zone, such as 2026-03-01T12:00:00.000Z.")
    return at
