"""The public API of registrations: GET, POST, PUT, DELETE /data-integrations, and …/organization for those whose connections belong to organizations."""

import re
from collections.abc import Sequence
from typing import Any, TypeVar

from chalice import Blueprint, Response

from chalicelib import wiring
from chalicelib.domain.errors import Unprocessable
from chalicelib.domain.models import Connection, Owner, Ownership
from chalicelib.web.edge import Request, answer, route, unprocessable

registrations_api = Blueprint(__name__)
ORDERS = ("asc", "desc", "normal")
PAGE = ("limit", "before", "after", "order")
Row = TypeVar("Row")


@route(registrations_api, "/data-integrations", ["GET"], stage_wide=True, returns="DataIntegrationPage", query=(*PAGE, "ownership"))
def list_data_integrations(request: Request) -> Response:
    """A page of data integrations; cursors are their ids."""
    from chalicelib.web import wire_registrations

    ownership = request.one("ownership")
    if ownership not in (None, "user", "organization"):
        raise unprocessable("ownership", "is user or organization.")
    registrations = wiring.engine().registrations
    found = [r for r in registrations.all() if ownership is None or (r.ownership == "organization") == (ownership == "organization")]
    return page(request, [(r.id, r) for r in found], lambda r: wire_registrations.data_integration(r, registrations))


@route(registrations_api, "/data-integrations", ["POST"], stage_wide=True, creates=True, body="CreateDataIntegrationBody", returns="DataIntegration", status=201, errors=(404,))
def create_data_integration(request: Request) -> Response:
    """A provider is made available, with a first API key if one is given."""
    from chalicelib.web import bodies, wire_registrations

    body = bodies.read(bodies.CreateDataIntegrationBody, request.json())
    ownership: Ownership = "organization" if body.ownership == "organization" else "userland_user"
    if body.api_key is not None and (body.auth_methods is None or "api_key" not in body.auth_methods):
        raise Unprocessable("An 'api_key' goes with auth_methods ['api_key'].", "auth_method_mismatch", errors=[{"field": "api_key", "code": "not_allowed"}])
    if body.api_key is not None and ownership == "organization" and body.api_key.organization_id is None:
        raise unprocessable("api_key.organization_id", "is required: the key will be the organization's.", "required")
    engine = wiring.engine()
    created = engine.registrations.create(body.provider, wire_registrations.change(body, body.provider, None), ownership)
    installed = _installed(body.provider, ownership, body.api_key) if body.api_key is not None else None
    return answer(wire_registrations.data_integration(created, engine.registrations, installed), status=201)


def _installed(slug: str, ownership: Ownership, given: Any) -> Connection:
    """The first account; where its key is refused, nothing is kept, so that the request can be repeated."""
    try:
        return _entered(slug, ownership, given)
    except Unprocessable:
        wiring.engine().registrations.delete(slug, ownership)
        raise


def _entered(slug: str, ownership: Ownership, given: Any) -> Connection:
    from chalicelib.engine.installations import Place

    owner = Owner(organization_id=given.organization_id) if ownership == "organization" else Owner(user_id=given.user_id, organization_id=given.organization_id)
    return wiring.engine().installations.enter_api_key(Place(owner=owner, slug=slug, acting_user_id=given.user_id), given.secret, enabled_only=False)


@route(registrations_api, "/data-integrations/{slug}", ["GET"], stage_wide=True, returns="DataIntegration")
def get_data_integration(request: Request, slug: str) -> Response:
    return _get(slug, "userland_user")


@route(registrations_api, "/data-integrations/{slug}", ["PUT"], stage_wide=True, body="UpdateDataIntegrationBody", returns="DataIntegration")
def update_data_integration(request: Request, slug: str) -> Response:
    return _update(request, slug, "userland_user")


@route(registrations_api, "/data-integrations/{slug}", ["DELETE"], stage_wide=True, status=204)
def delete_data_integration(request: Request, slug: str) -> Response:
    return _delete(slug, "userland_user")


@route(registrations_api, "/data-integrations/{slug}/organization", ["GET"], stage_wide=True, returns="DataIntegration")
def get_shared_data_integration(request: Request, slug: str) -> Response:
    """The data integration whose accounts organizations share."""
    return _get(slug, "organization")


@route(registrations_api, "/data-integrations/{slug}/organization", ["PUT"], stage_wide=True, body="UpdateDataIntegrationBody", returns="DataIntegration")
def update_shared_data_integration(request: Request, slug: str) -> Response:
    return _update(request, slug, "organization")


@route(registrations_api, "/data-integrations/{slug}/organization", ["DELETE"], stage_wide=True, status=204)
def delete_shared_data_integration(request: Request, slug: str) -> Response:
    return _delete(slug, "organization")


def _get(slug: str, ownership: Ownership) -> Response:
    from chalicelib.web import wire_registrations

    registrations = wiring.engine().registrations
    return answer(wire_registrations.data_integration(registrations.get(slug, ownership), registrations))


def _update(request: Request, slug: str, ownership: Ownership) -> Response:
    from chalicelib.web import bodies, wire_registrations

    body = bodies.read(bodies.UpdateDataIntegrationBody, request.json())
    registrations = wiring.engine().registrations
    before = registrations.get(slug, ownership)
    if body.api_key is not None and body.credentials is not None:
        raise Unprocessable("'api_key' and 'credentials' exclude each other.", "validation_error", errors=[{"field": "api_key", "code": "not_allowed"}])
    if body.api_key is not None and ownership == "organization" and body.api_key.organization_id is None:
        raise unprocessable("api_key.organization_id", "is required: the key will be the organization's.", "required")
    updated = registrations.update(slug, wire_registrations.change(body, slug, registrations.provider(before)), ownership)
    installed = _entered(slug, ownership, body.api_key) if body.api_key is not None else None
    return answer(wire_registrations.data_integration(updated, registrations, installed))


def _delete(slug: str, ownership: Ownership) -> Response:
    wiring.engine().registrations.delete(slug, ownership)
    return answer("", status=204)


def page(request: Request, rows: Sequence[tuple[str, Row]], shown: Any) -> Response:
    """One page of `rows` (id and row, oldest first). asc and desc say how they are read; "normal" is desc with its cursors the other way round, as WorkOS has it."""
    limit_text, order = request.one("limit") or "10", request.one("order") or "desc"
    if not re.fullmatch(r"[1-9][0-9]?|100", limit_text):
        raise unprocessable("limit", "is a whole number from 1 to 100.")
    if order not in ORDERS:
        raise unprocessable("order", "is asc, desc or normal.")
    before, after, limit = request.one("before") or None, request.one("after") or None, int(limit_text)
    if before and after:
        raise unprocessable("before", "and 'after' exclude each other.")
    found = list(rows) if order == "asc" else list(reversed(rows))
    if order == "normal":
        before, after = after, before
    positions = {row_id: index for index, (row_id, _row) in enumerate(found)}
    for cursor in (before, after):
        if cursor is not None and cursor not in positions:
            raise unprocessable("before" if cursor == request.one("before") else "after", "is not the id of anything in this list.")
    start = positions[after] + 1 if after else max(0, positions[before] - limit) if before else 0
    end = positions[before] if before else start + limit
    chosen = found[start:end]
    ends = (chosen[0][0] if chosen and start > 0 else None, chosen[-1][0] if chosen and end < len(found) else None)
    earlier, later = reversed(ends) if order == "normal" else ends
    return answer({"object": "list", "data": [shown(row) for _id, row in chosen], "list_metadata": {"before": earlier, "after": later}})
