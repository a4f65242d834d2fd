"""The public API of accounts that are connected by a secret: PUT creates or rotates one, POST adds another."""

from typing import TYPE_CHECKING

from chalice import Blueprint, Response

from chalicelib import wiring
from chalicelib.domain.models import Connection
from chalicelib.web import wire
from chalicelib.web.edge import Request, answer, route
from chalicelib.web.owners import of_body

if TYPE_CHECKING:
    from chalicelib.engine.installations import Place
    from chalicelib.web import bodies

installations_api = Blueprint(__name__)
API_KEY, CLIENT_CREDENTIALS = "/data-integrations/{slug}/api-key", "/data-integrations/{slug}/client-credentials"


@route(installations_api, API_KEY, ["PUT"], body="PutApiKeyBody", returns="ConnectedAccount")
def put_api_key(request: Request, slug: str) -> Response:
    from chalicelib.web import bodies

    body = bodies.read(bodies.PutApiKeyBody, request.json())
    return _shown(wiring.engine().installations.enter_api_key(_place(request, slug, body, connection_id=body.connected_account_id), body.secret, body.config))


@route(installations_api, API_KEY, ["POST"], creates=True, body="AddApiKeyBody", returns="ConnectedAccount", status=201)
def add_api_key(request: Request, slug: str) -> Response:
    from chalicelib.web import bodies

    body = bodies.read(bodies.AddApiKeyBody, request.json())
    return _shown(wiring.engine().installations.enter_api_key(_place(request, slug, body, add=True), body.secret, body.config), status=201)


@route(installations_api, CLIENT_CREDENTIALS, ["PUT"], body="PutClientCredentialsBody", returns="ConnectedAccount")
def put_client_credentials(request: Request, slug: str) -> Response:
    from chalicelib.web import bodies

    body = bodies.read(bodies.PutClientCredentialsBody, request.json())
    place = _place(request, slug, body, connection_id=body.connected_account_id)
    return _shown(wiring.engine().installations.enter_client_credentials(place, body.client_id, body.client_secret, body.config))


@route(installations_api, CLIENT_CREDENTIALS, ["POST"], creates=True, body="AddClientCredentialsBody", returns="ConnectedAccount", status=201)
def add_client_credentials(request: Request, slug: str) -> Response:
    from chalicelib.web import bodies

    body = bodies.read(bodies.AddClientCredentialsBody, request.json())
    return _shown(wiring.engine().installations.enter_client_credentials(_place(request, slug, body, add=True), body.client_id, body.client_secret, body.config), status=201)


def _place(request: Request, slug: str, body: "bodies.InstallationBody", *, add: bool = False, connection_id: str | None = None) -> "Place":
    from chalicelib.engine.installations import Place

    given = body.model_fields_set
    return Place(
        owner=of_body(request, body.user_id, body.organization_id, body.connection_owner),
        slug=slug,
        add=add,
        connection_id=connection_id,
        acting_user_id=body.user_id,
        display_name=(body.account_display_name or "") if "account_display_name" in given else None,
        account_identifier=(body.account_identifier or "") if "account_identifier" in given else None,
    )


def _shown(connection: Connection, status: int = 200) -> Response:
    engine = wiring.engine()
    return answer(wire.connected_account(connection, engine.registrations.name_of(connection.slug), wire.labels_of(engine.store, connection)), status=status)
