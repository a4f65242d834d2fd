"""The public API of connected accounts and of providers as an owner sees them: a user's, or an organization's own."""

from typing import TYPE_CHECKING

from chalice import Blueprint, Response

from chalicelib import wiring
from chalicelib.domain.errors import Unprocessable
from chalicelib.domain.models import Connection, Owner
from chalicelib.engine import accounts
from chalicelib.web import wire
from chalicelib.web.edge import Request, answer, route, unprocessable
from chalicelib.web.owners import of_organization_path, of_user_path, switch

if TYPE_CHECKING:
    from chalicelib.engine.installations import Brought, Place
    from chalicelib.web.bodies import ConnectedAccountBody
    from chalicelib.web.shapes import ConnectedAccount

accounts_api = Blueprint(__name__)
USER, ORGANIZATION = "/user_management/users/{user_id}", "/organizations/{organization_id}"
ONE = ("organization_id", "supports_multiple_connections", "connected_account_id")
ONE_OF_ORGANIZATION = ("supports_multiple_connections", "connected_account_id")
INTENT = ("connection_intent",)


@route(accounts_api, f"{USER}/connected_accounts/{{slug}}", ["GET"], returns="ConnectedAccount", query=ONE, errors=(409,))
def get_connected_account(request: Request, user_id: str, slug: str) -> Response:
    return _get(request, of_user_path(request, user_id), slug)


@route(accounts_api, f"{USER}/connected_accounts/{{slug}}", ["POST"], creates=True, body="ConnectedAccountBody", returns="ConnectedAccount", status=201, query=("organization_id",))
def create_connected_account(request: Request, user_id: str, slug: str) -> Response:
    """Takes an account over from another system, by its tokens."""
    return _create(request, of_user_path(request, user_id), slug, user_id)


@route(accounts_api, f"{USER}/connected_accounts/{{slug}}", ["PUT"], body="ConnectedAccountBody", returns="ConnectedAccount", query=ONE + INTENT)
def update_connected_account(request: Request, user_id: str, slug: str) -> Response:
    return _update(request, of_user_path(request, user_id), slug, user_id)


@route(accounts_api, f"{USER}/connected_accounts/{{slug}}", ["DELETE"], status=204, query=ONE)
def delete_connected_account(request: Request, user_id: str, slug: str) -> Response:
    """Revokes at the provider and forgets here; the header says what became of the grant there."""
    return _delete(request, of_user_path(request, user_id), slug)


@route(accounts_api, f"{ORGANIZATION}/connected_accounts/{{slug}}", ["GET"], returns="ConnectedAccount", query=ONE_OF_ORGANIZATION, errors=(409,))
def get_organization_connected_account(request: Request, organization_id: str, slug: str) -> Response:
    return _get(request, of_organization_path(request, organization_id), slug)


@route(accounts_api, f"{ORGANIZATION}/connected_accounts/{{slug}}", ["POST"], creates=True, body="ConnectedAccountBody", returns="ConnectedAccount", status=201)
def create_organization_connected_account(request: Request, organization_id: str, slug: str) -> Response:
    """As for a user; `user_id` is the member who acts."""
    return _create(request, of_organization_path(request, organization_id), slug, None)


@route(accounts_api, f"{ORGANIZATION}/connected_accounts/{{slug}}", ["PUT"], body="ConnectedAccountBody", returns="ConnectedAccount", query=ONE_OF_ORGANIZATION + INTENT)
def update_organization_connected_account(request: Request, organization_id: str, slug: str) -> Response:
    return _update(request, of_organization_path(request, organization_id), slug, None)


@route(accounts_api, f"{ORGANIZATION}/connected_accounts/{{slug}}", ["DELETE"], status=204, query=ONE_OF_ORGANIZATION)
def delete_organization_connected_account(request: Request, organization_id: str, slug: str) -> Response:
    """As for a user."""
    return _delete(request, of_organization_path(request, organization_id), slug)


@route(accounts_api, f"{USER}/data_providers", ["GET"], returns="DataProviders", query=("organization_id", "supports_multiple_connections"))
def list_data_providers(request: Request, user_id: str) -> Response:
    """Every enabled provider, with this user's accounts."""
    return _providers(request, of_user_path(request, user_id))


@route(accounts_api, f"{ORGANIZATION}/data_providers", ["GET"], returns="DataProviders", query=("supports_multiple_connections",))
def list_organization_data_providers(request: Request, organization_id: str) -> Response:
    """Every provider that organizations may share, with this organization's accounts."""
    return _providers(request, of_organization_path(request, organization_id))


def _get(request: Request, owner: Owner, slug: str) -> Response:
    store = wiring.engine().store
    connection = accounts.live_one(store, owner, slug, request.one("connected_account_id"), several=switch(request, "supports_multiple_connections"))
    return answer(_shown(connection))


def _create(request: Request, owner: Owner, slug: str, user_id: str | None) -> Response:
    body = _body(request)
    if body.connected_account_id is not None or body.connection_intent == "reauthorize":
        raise unprocessable("connected_account_id", "names an account there is; change that one with PUT.", "not_allowed")
    connection = wiring.engine().installations.bring(_place(owner, slug, body, user_id), _brought(body), replaces=False)
    return answer(_shown(connection), status=201)


def _update(request: Request, owner: Owner, slug: str, user_id: str | None) -> Response:
    from dataclasses import replace

    body = _body(request)
    if "add" in (body.connection_intent, request.one("connection_intent")):
        raise unprocessable("connection_intent", "is 'reauthorize' here; add an account with POST.", "not_allowed")
    place = replace(_place(owner, slug, body, user_id), connection_id=body.connected_account_id or request.one("connected_account_id"))
    return answer(_shown(wiring.engine().installations.update(place, _brought(body))))


def _delete(request: Request, owner: Owner, slug: str) -> Response:
    engine = wiring.engine()
    connection = accounts.live_one(engine.store, owner, slug, request.one("connected_account_id"), several=switch(request, "supports_multiple_connections"))
    revoked = engine.disconnect.disconnect(owner, slug, connection.account, seconds_left=request.seconds_left)
    return answer("", status=204, headers={"Standpipe-Revocation": revoked})


def _providers(request: Request, owner: Owner) -> Response:
    from chalicelib.web import wire_registrations

    engine, every = wiring.engine(), switch(request, "supports_multiple_connections")
    connections: dict[str, list[Connection]] = {}
    for connection in engine.store.connections(owner):
        if connection.state != "disconnected" and (every or connection.role == "compatibility"):
            connections.setdefault(connection.slug, []).append(connection)
    if owner.organization_id is None:
        known = [r for r in engine.registrations.all() if r.ownership == owner.ownership]
    else:
        known = [configured.effective for configured in engine.configurations.all(owner.organization_id, owner.ownership)]
    shown = [r for r in known if r.enabled or r.slug in connections]
    return answer({"object": "list", "data": [wire_registrations.data_provider(r, engine.registrations, connections.get(r.slug, [])) for r in shown]})


def _body(request: Request) -> "ConnectedAccountBody":
    from chalicelib.web import bodies

    return bodies.read(bodies.ConnectedAccountBody, request.json())


def _place(owner: Owner, slug: str, body: "ConnectedAccountBody", user_id: str | None) -> "Place":
    from chalicelib.engine.installations import Place

    given = body.model_fields_set
    acting = user_id or body.user_id
    if owner.user_id is None and acting is None:
        raise Unprocessable("'user_id' is required: the member who acts for the organization.", "validation_error", errors=[{"field": "user_id", "code": "required"}])
    return Place(
        owner=owner,
        slug=slug,
        add=body.connection_intent == "add",
        acting_user_id=acting,
        display_name=(body.account_display_name or "") if "account_display_name" in given else None,
        account_identifier=(body.account_identifier or "") if "account_identifier" in given else None,
    )


def _brought(body: "ConnectedAccountBody") -> "Brought":
    from chalicelib.engine.installations import Brought

    if body.state == "connected" and body.access_token is None and "access_token" in body.model_fields_set:
        raise Unprocessable("A connected account needs an 'access_token'.", "invalid_token_combination", errors=[{"field": "access_token", "code": "required"}])
    return Brought(
        access_token=body.access_token,
        refresh_token=body.refresh_token,
        expires_at=body.expires_at,
        scopes=tuple(body.scopes) if body.scopes is not None else None,
        needs_reauthorization=body.state == "needs_reauthorization",
    )


def _shown(connection: Connection) -> "ConnectedAccount":
    engine = wiring.engine()
    return wire.connected_account(connection, engine.registrations.name_of(connection.slug), wire.labels_of(engine.store, connection))
