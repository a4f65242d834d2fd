"""The public API of registrations: GET, POST, PUT, DELETE /data-integrations."""

import re

from chalice import Blueprint, Response

from chalicelib import wiring
from chalicelib.web.edge import Request, answer, route, unprocessable

registrations_api = Blueprint(__name__)


@route(registrations_api, "/data-integrations", ["GET"])
def list_data_integrations(request: Request) -> Response:
    """A page of data integrations; cursors are their ids."""
    from chalicelib.web import wire_registrations

    limit_text, order = request.one("limit") or "10", request.one("order") or "desc"
    if not re.fullmatch(r"[1-9][0-9]?|100", limit_text):
        raise unprocessable("limit", "is a whole number from 1 to 100.")
    if order not in ("asc", "desc", "normal"):
        raise unprocessable("order", "is asc, desc or normal.")
    before, after, limit, ownership = request.one("before"), request.one("after"), int(limit_text), request.one("ownership")
    if ownership not in (None, "user", "organization"):
        raise unprocessable("ownership", "is user or organization.")
    if before and after:
        raise unprocessable("before", "and 'after' exclude each other.")
    engine = wiring.engine()
    found = [r for r in engine.registrations.all() if ownership is None or (r.ownership == "organization") == (ownership == "organization")]
    if order != "asc":
        found.reverse()
    positions = {registration.id: index for index, registration in enumerate(found)}
    for cursor in (before, after):
        if cursor is not None and cursor not in positions:
            raise unprocessable("before" if before else "after", "is not the id of a data integration.")
    start = positions[after] + 1 if after else max(0, positions[before] - limit) if before else 0
    end = positions[before] if before else start + limit
    page = found[start:end]
    metadata = {"before": page[0].id if page and start > 0 else None, "after": page[-1].id if page and end < len(found) else None}
    return answer({"object": "list", "data": [wire_registrations.data_integration(r, engine.registrations) for r in page], "list_metadata": metadata})


@route(registrations_api, "/data-integrations", ["POST"])
def create_data_integration(request: Request) -> Response:
    from chalicelib.web import bodies, wire_registrations

    body = bodies.read(bodies.CreateDataIntegrationBody, request.json())
    registrations = wiring.engine().registrations
    created = registrations.create(body.provider, wire_registrations.change(body, body.provider, None))
    return answer(wire_registrations.data_integration(created, registrations), status=201)


@route(registrations_api, "/data-integrations/{slug}", ["GET"])
def get_data_integration(request: Request, slug: str) -> Response:
    from chalicelib.web import wire_registrations

    registrations = wiring.engine().registrations
    return answer(wire_registrations.data_integration(registrations.get(slug), registrations))


@route(registrations_api, "/data-integrations/{slug}", ["PUT"])
def update_data_integration(request: Request, slug: str) -> Response:
    from chalicelib.web import bodies, wire_registrations

    body = bodies.read(bodies.UpdateDataIntegrationBody, request.json())
    registrations = wiring.engine().registrations
    before = registrations.get(slug)
    updated = registrations.update(slug, wire_registrations.change(body, slug, registrations.provider(before)))
    return answer(wire_registrations.data_integration(updated, registrations))


@route(registrations_api, "/data-integrations/{slug}", ["DELETE"])
def delete_data_integration(request: Request, slug: str) -> Response:
    wiring.engine().registrations.delete(slug)
    return answer("", status=204)
