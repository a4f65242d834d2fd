"""The dashboard's events: the log, the webhook endpoints with their deliveries, and sending again what was missed."""

from typing import Any

from chalice import Response

from chalicelib import wiring
from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.events import TYPES, timestamp, told_at
from chalicelib.engine.dashboard_sign_in import Visitor
from chalicelib.web.dashboard_edge import answer, change, look
from chalicelib.web.edge import Request, unprocessable

PAGE = 50


@look("/events")
def dashboard_events(request: Request, visitor: Visitor) -> Response:
    """Newest first; `type`, `organization_id`; `cursor` is the id of the last event shown."""
    from chalicelib.engine.event_pages import Filter
    from chalicelib.web import dashboard_wire

    kind, cursor = request.one("type") or None, request.one("cursor") or None
    if kind is not None and kind not in TYPES:
        raise unprocessable("type", "names no type of event there is.")
    _check_event_id(cursor)
    organization = request.one("organization_id")
    wanted = Filter({kind} if kind else None, (organization,) if organization else ())
    page = wiring.engine().event_pages.page(wanted, limit=PAGE, ascending=False, after=cursor, before=None, seconds_left=request.seconds_left, settled=False)
    return answer({"events": [dashboard_wire.event(each) for each in page.events], "cursor": page.after, "types": list(TYPES), "topic_arn": wiring.engine().settings.topic_arn})


@look("/webhooks")
def dashboard_webhooks(request: Request, visitor: Visitor) -> Response:
    return answer({"endpoints": [_endpoint(each) for each in wiring.engine().webhooks.all(_caller(visitor))], "types": list(TYPES)})


@change("/webhooks", ["POST"])
def dashboard_create_webhook(request: Request, visitor: Visitor) -> Response:
    """`{url, events}`; the answer holds the secret its calls are signed with, this once."""
    given = request.json()
    url = given.get("url")
    if not isinstance(url, str):
        raise unprocessable("url", "is required.")
    endpoint, secret = wiring.engine().webhooks.create(url.strip(), _types(given.get("events")), _caller(visitor))
    return answer({"endpoint": _endpoint(endpoint), "secret": secret.reveal()}, status=201)


@change("/webhooks/{endpoint_id}", ["PUT"])
def dashboard_change_webhook(request: Request, visitor: Visitor, endpoint_id: str) -> Response:
    """`{url, events, status}`, each where it is to change."""
    from chalicelib.engine.webhooks import Change

    given = request.json()
    url, status = given.get("url"), given.get("status")
    if not (url is None or isinstance(url, str)) or status not in (None, "enabled", "disabled"):
        raise InvalidRequest("'url' is a text, 'status' enabled or disabled.")
    wanted = Change(url, _types(given["events"]) if "events" in given else None, status)
    return answer({"endpoint": _endpoint(wiring.engine().webhooks.update(endpoint_id, wanted, _caller(visitor)))})


@change("/webhooks/{endpoint_id}", ["DELETE"])
def dashboard_delete_webhook(request: Request, visitor: Visitor, endpoint_id: str) -> Response:
    wiring.engine().webhooks.delete(endpoint_id, _caller(visitor))
    return answer({"deleted": True})


@change("/webhooks/{endpoint_id}/replay", ["POST"])
def dashboard_replay(request: Request, visitor: Visitor, endpoint_id: str) -> Response:
    """`{after}`: everything told after that event is sent again; without it, what the endpoint missed."""
    after = request.json().get("after") or None
    if after is not None and not isinstance(after, str):
        raise InvalidRequest("'after' is the id of an event.")
    _check_event_id(after)
    since, until = wiring.engine().webhooks.replay(endpoint_id, after, _caller(visitor))
    return answer({"after": since, "until": timestamp(until)})


@look("/webhooks/{endpoint_id}/deliveries")
def dashboard_deliveries(request: Request, visitor: Visitor, endpoint_id: str) -> Response:
    cursor = request.one("cursor") or None
    if cursor is not None and len(cursor) > 64:
        raise InvalidRequest("This list has changed since; begin it again.", "invalid_cursor")
    found, more = wiring.engine().webhooks.deliveries(endpoint_id, _caller(visitor), limit=PAGE, after=cursor)
    shown = [
        {
            "id": each.id, "event_id": each.event_id, "event": each.event, "attempt": each.attempt, "outcome": each.outcome, "status": each.status, "error": each.error,
            "milliseconds": each.milliseconds, "at": timestamp(each.at), "next_at": timestamp(each.next_at) if each.next_at else None,
        }
        for each in found
    ]  # fmt: skip
    return answer({"deliveries": shown, "cursor": found[-1].id if more else None})


def _caller(visitor: Visitor) -> Any:
    from chalicelib.engine.webhooks import Caller

    return Caller(visitor.actor)


def _types(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list) or not given or any(name not in TYPES for name in given):
        raise unprocessable("events", "is a list of the types of event it wants.")
    return tuple(dict.fromkeys(given))


def _check_event_id(unverified: str | None) -> None:
    if unverified is not None:
        try:
            told_at(unverified)
        except ValueError:
            raise InvalidRequest("That is not the id of an event.", "invalid_cursor") from None


def _endpoint(endpoint: Any) -> dict[str, Any]:
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "events": list(endpoint.events),
        "organization_id": endpoint.organization_id,
        "status": endpoint.status,
        "reason": endpoint.reason,
        "secret_last_four": endpoint.last_four,
        "failing_since": timestamp(endpoint.failing_since) if endpoint.failing_since else None,
        "missed_since": timestamp(endpoint.missed_since) if endpoint.missed_since else None,
        "created_at": timestamp(endpoint.created_at),
    }
