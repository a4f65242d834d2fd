"""Webhook endpoints, as WorkOS's clients manage them, and what is added: GET one, replay, rotate_secret, deliveries.

Departure: the secret is answered whole when it is made and by its last four characters afterwards. It is kept to sign with, not to be read.
"""

from typing import TYPE_CHECKING

from chalice import Blueprint, Response

from chalicelib import wiring
from chalicelib.domain.events import timestamp
from chalicelib.web.edge import Request, answer, route, unprocessable
from chalicelib.web.events_api import limit_of

if TYPE_CHECKING:
    from chalicelib.domain.secret import Secret
    from chalicelib.domain.webhooks import Delivery, WebhookEndpoint
    from chalicelib.engine.webhooks import Caller
    from chalicelib.web import shapes_events as shapes

webhooks_api = Blueprint(__name__)
ONE = "/webhook_endpoints/{endpoint_id}"


@route(webhooks_api, "/webhook_endpoints", ["GET"], returns="WebhookEndpointPage", query=("limit", "before", "after", "order"), errors=(422,))
def list_webhook_endpoints(request: Request) -> Response:
    """A page of endpoints, newest first unless asked otherwise; cursors are their ids."""
    limit, order, before, after = limit_of(request), request.one("order") or "desc", request.one("before"), request.one("after")
    if order not in ("asc", "desc", "normal"):
        raise unprocessable("order", "is asc, desc or normal.")
    if before and after:
        raise unprocessable("before", "and 'after' exclude each other.")
    found = wiring.engine().webhooks.all(_caller(request))
    if order != "asc":
        found.reverse()
    places = {endpoint.id: place for place, endpoint in enumerate(found)}
    cursor = before or after
    if cursor and cursor not in places:
        raise unprocessable("before" if before else "after", "is not the id of a webhook endpoint.")
    start = places[after] + 1 if after else max(0, places[before] - limit) if before else 0
    end = places[before] if before else start + limit
    page = found[start:end]
    metadata = {"before": page[0].id if page and start > 0 else None, "after": page[-1].id if page and end < len(found) else None}
    return answer({"object": "list", "data": [_endpoint(each) for each in page], "list_metadata": metadata})


@route(webhooks_api, "/webhook_endpoints", ["POST"], body="CreateWebhookEndpointBody", returns="WebhookEndpoint", status=201, creates=True, errors=(409, 422))
def create_webhook_endpoint(request: Request) -> Response:
    from chalicelib.web import bodies, webhook_bodies

    body = bodies.read(webhook_bodies.CreateWebhookEndpointBody, request.json())
    return answer(_endpoint(*wiring.engine().webhooks.create(body.endpoint_url, tuple(body.events), _caller(request))), status=201)


@route(webhooks_api, ONE, ["GET"], returns="WebhookEndpoint", errors=(404,))
def get_webhook_endpoint(request: Request, endpoint_id: str) -> Response:
    return answer(_endpoint(wiring.engine().webhooks.get(endpoint_id, _caller(request))))


@route(webhooks_api, ONE, ["PATCH"], body="UpdateWebhookEndpointBody", returns="WebhookEndpoint", errors=(404, 409, 422))
def update_webhook_endpoint(request: Request, endpoint_id: str) -> Response:
    from chalicelib.engine.webhooks import Change
    from chalicelib.web import bodies, webhook_bodies

    body = bodies.read(webhook_bodies.UpdateWebhookEndpointBody, request.json())
    change = Change(body.endpoint_url, tuple(body.events) if body.events else None, body.status)
    return answer(_endpoint(wiring.engine().webhooks.update(endpoint_id, change, _caller(request))))


@route(webhooks_api, ONE, ["DELETE"], status=204, errors=(404,))
def delete_webhook_endpoint(request: Request, endpoint_id: str) -> Response:
    wiring.engine().webhooks.delete(endpoint_id, _caller(request))
    return answer("", status=204)


@route(webhooks_api, f"{ONE}/rotate_secret", ["POST"], returns="WebhookEndpoint", creates=True, errors=(404, 409))
def rotate_webhook_secret(request: Request, endpoint_id: str) -> Response:
    return answer(_endpoint(*wiring.engine().webhooks.rotate_secret(endpoint_id, _caller(request))))


@route(webhooks_api, f"{ONE}/replay", ["POST"], body="ReplayBody", returns="WebhookReplay", status=202, creates=True, errors=(404, 409, 422))
def replay_webhook_events(request: Request, endpoint_id: str) -> Response:
    """The events are sent by the queue, not by this request."""
    from chalicelib.web import bodies, webhook_bodies

    body = bodies.read(webhook_bodies.ReplayBody, request.json())
    after, until = wiring.engine().webhooks.replay(endpoint_id, body.after, _caller(request))
    return answer({"object": "webhook_replay", "webhook_endpoint_id": endpoint_id, "after": after, "until": timestamp(until)}, status=202)


@route(webhooks_api, f"{ONE}/deliveries", ["GET"], returns="WebhookDeliveryPage", query=("limit", "after"), errors=(404, 422))
def list_webhook_deliveries(request: Request, endpoint_id: str) -> Response:
    """Newest first: each call of the last thirty days, and what came of it."""
    found, more = wiring.engine().webhooks.deliveries(endpoint_id, _caller(request), limit=limit_of(request), after=request.one("after") or None)
    return answer({"object": "list", "data": [_delivery(each) for each in found], "list_metadata": {"before": None, "after": found[-1].id if more else None}})


def _caller(request: Request) -> "Caller":
    from chalicelib.engine.webhooks import Caller

    return Caller(request.key_id or "api", request.organization_id)


def _endpoint(endpoint: "WebhookEndpoint", secret: "Secret | None" = None) -> "shapes.WebhookEndpoint":
    return {
        "object": "webhook_endpoint",
        "id": endpoint.id,
        "endpoint_url": endpoint.url,
        "secret": secret.reveal() if secret is not None else f"whsec_********{endpoint.last_four}",
        "status": endpoint.status,
        "events": list(endpoint.events),
        "organization_id": endpoint.organization_id,
        "status_reason": endpoint.reason,
        "paused_at": timestamp(endpoint.paused_at) if endpoint.paused_at else None,
        "failing_since": timestamp(endpoint.failing_since) if endpoint.failing_since else None,
        "missed_since": timestamp(endpoint.missed_since) if endpoint.missed_since else None,
        "created_at": timestamp(endpoint.created_at),
        "updated_at": timestamp(endpoint.updated_at),
    }


def _delivery(delivery: "Delivery") -> "shapes.WebhookDelivery":
    return {
        "object": "webhook_delivery",
        "id": delivery.id,
        "event_id": delivery.event_id,
        "event": delivery.event,
        "attempt": delivery.attempt,
        "outcome": delivery.outcome,
        "http_status": delivery.status,
        "error": delivery.error,
        "milliseconds": delivery.milliseconds,
        "created_at": timestamp(delivery.at),
        "next_attempt_at": timestamp(delivery.next_at) if delivery.next_at else None,
    }
