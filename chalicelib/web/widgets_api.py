"""What the widget in front of one person calls. The person and the organization come from the token and from nowhere else (rules R25, R27); no answer holds a token or a secret."""

from typing import TYPE_CHECKING

from chalice import Blueprint, Response

from chalicelib import wiring
from chalicelib.domain.errors import Forbidden
from chalicelib.domain.models import Connection, Owner
from chalicelib.engine import accounts
from chalicelib.web.edge import Request, answer, route

if TYPE_CHECKING:
    from chalicelib.engine.begin import Begun
    from chalicelib.engine.installations import Place
    from chalicelib.engine.widget_tokens import WidgetToken
    from chalicelib.web import bodies

widgets_api = Blueprint(__name__)
INTEGRATIONS = "/_widgets/DataIntegrations"


def token_of(request: Request) -> "WidgetToken":
    assert request.widget is not None
    return request.widget


def person(request: Request) -> Owner:
    token = token_of(request)
    return Owner(user_id=token.user_id, organization_id=token.organization_id)


@route(widgets_api, f"{INTEGRATIONS}/mine", ["GET"], caller="widget", returns="WidgetIntegrations")
def mine(request: Request) -> Response:
    """Every provider the person can connect, and those that cannot be any more but are connected."""
    from chalicelib.web import wire_widgets

    owner, engine = person(request), wiring.engine()
    connected = by_slug(owner)
    if owner.organization_id is None:
        known = [each for each in engine.registrations.all() if each.ownership == "userland_user"]
    else:
        known = [each.effective for each in engine.configurations.all(owner.organization_id, "userland_user")]
    shown = [each for each in known if each.slug in connected or wire_widgets.can_connect(each, engine.registrations)]
    return answer({"data": [wire_widgets.integration(each, engine.registrations, connected.get(each.slug, [])) for each in shown]})


@route(widgets_api, "/_widgets/settings", ["GET"], caller="widget", returns="WidgetSettings")
def widget_settings(request: Request) -> Response:
    settings = wiring.engine().settings
    logos = dict.fromkeys(("logoLightPath", "logoDarkPath", "logoLightIconPath", "logoDarkIconPath"))
    return answer({"object": "settings", "authkitOrigin": settings.url, "teamName": settings.app_name, **logos})


@route(widgets_api, "/_widgets/UserManagement/organizations", ["GET"], caller="widget", returns="WidgetOrganizations")
def widget_organizations(request: Request) -> Response:
    """The organization the token is for, by the name it was given there."""
    token = token_of(request)
    found = [{"id": token.organization_id, "name": token.organization_name, "current": True, "favicon": None}] if token.organization_id else []
    return answer({"data": found})


@route(widgets_api, f"{INTEGRATIONS}/shared-connections", ["GET"], caller="widget", returns="WidgetSharedConnections")
def shared_connections(request: Request) -> Response:
    """What the person's organization has connected for all of its members."""
    from chalicelib.web import wire_widgets

    organization, engine = token_of(request).organization_id, wiring.engine()
    if organization is None:
        return answer({"data": []})
    connected = by_slug(Owner(organization_id=organization))
    known = [each.effective for each in engine.configurations.all(organization, "organization") if each.effective.enabled and each.effective.slug in connected]
    return answer({"data": [wire_widgets.shared(each, engine.registrations, connected[each.slug]) for each in known]})


@route(widgets_api, f"{INTEGRATIONS}/{{slug}}/authorize", ["POST"], caller="widget", body="WidgetAuthorizeBody", returns="WidgetAuthorize")
def widget_authorize(request: Request, slug: str) -> Response:
    """A link for the popup, and what the widget shows the page in it."""
    return authorized(begin(request, person(request), slug, handoff=None))


@route(widgets_api, f"{INTEGRATIONS}/{{slug}}/authorize", ["GET"], caller="widget", returns="WidgetAuthorize", query=("requireHandoff",), errors=(409,))
def widget_authorize_by_get(request: Request, slug: str) -> Response:
    """As WorkOS's generated client knows it."""
    return authorized(begin(request, person(request), slug, handoff=request.one("requireHandoff") != "false"))


@route(widgets_api, f"{INTEGRATIONS}/{{slug}}/authorization-status/{{state}}", ["GET"], caller="widget", returns="WidgetAuthorizationStatus")
def authorization_status(request: Request, slug: str, state: str) -> Response:
    """How far a flow of this person is: how a widget learns the result without a window that may not talk to it."""
    token, engine = token_of(request), wiring.engine()
    pending = engine.connect.progress(person(request), slug, state)
    if pending is None and token.organization_id is not None and token.manages:
        pending = engine.connect.progress(Owner(organization_id=token.organization_id), slug, state)
    if pending is None:
        return answer({"isConnecting": False, "outcome": None})
    ended = (pending.outcome or {}).get("kind") or ("failed" if pending.stage == "failed" else None)
    return answer({"isConnecting": ended is None, "outcome": ended})


@route(widgets_api, f"{INTEGRATIONS}/{{slug}}/api-key", ["PUT"], caller="widget", body="WidgetApiKeyBody", returns="WidgetInstallation")
def widget_api_key(request: Request, slug: str) -> Response:
    return api_key_entered(request, person(request), slug)


@route(widgets_api, f"{INTEGRATIONS}/{{slug}}/client-credentials", ["PUT"], caller="widget", body="WidgetClientCredentialsBody", returns="WidgetInstallation")
def widget_client_credentials(request: Request, slug: str) -> Response:
    return client_credentials_entered(request, person(request), slug)


@route(widgets_api, f"{INTEGRATIONS}/installations/{{id}}", ["DELETE"], caller="widget", returns="WidgetDisconnected")
def widget_disconnect(request: Request, id: str) -> Response:
    return disconnected(request, person(request), id)


# the same for a person and for the organization they manage


def by_slug(owner: Owner) -> dict[str, list[Connection]]:
    found: dict[str, list[Connection]] = {}
    for connection in wiring.engine().store.connections(owner):
        if connection.state != "disconnected":
            found.setdefault(connection.slug, []).append(connection)
    return found


def begin(request: Request, owner: Owner, slug: str, *, handoff: bool | None) -> "Begun":
    """`handoff` None: as the body says. The opener's origin is the browser's own word, so that the page in the popup listens to that one alone."""
    from chalicelib.engine.begin import Wanted
    from chalicelib.web import bodies

    body = bodies.read(bodies.WidgetAuthorizeBody, request.json())
    engine, wanted_handoff = wiring.engine(), body.requireHandoff if handoff is None else handoff
    connection_id, intent = body.connected_account_id, body.connection_intent
    return engine.connect.begin(
        owner,
        slug,
        Wanted(
            return_to=body.return_to,
            config=body.config or None,
            display_name=body.account_display_name,
            acting_user_id=token_of(request).user_id if owner.user_id is None else None,
            intent=intent,
            connection_id=connection_id,
            handoff=wanted_handoff,
            opener_origin=request.headers.get("origin") if wanted_handoff else None,
        ),
    )


def authorized(begun: "Begun") -> Response:
    from chalicelib.domain import ids

    # Told back to the widget by the page in the popup, so that it knows the page heard it; nothing is proved by it.
    redirect_token = ids.digest(begun.state)[:43]
    return answer({"url": begun.url, "state": begun.state, "redirectToken": redirect_token, **({"handoffToken": begun.handoff_token} if begun.handoff_token else {})})


def api_key_entered(request: Request, owner: Owner, slug: str) -> Response:
    from chalicelib.web import bodies

    body = bodies.read(bodies.WidgetApiKeyBody, request.json())
    return installed(wiring.engine().installations.enter_api_key(_place(request, owner, slug, body), body.secret, body.config))


def client_credentials_entered(request: Request, owner: Owner, slug: str) -> Response:
    from chalicelib.web import bodies

    body = bodies.read(bodies.WidgetClientCredentialsBody, request.json())
    return installed(wiring.engine().installations.enter_client_credentials(_place(request, owner, slug, body), body.client_id, body.client_secret, body.config))


def _place(request: Request, owner: Owner, slug: str, body: "bodies.WidgetPlaceBody") -> "Place":
    from chalicelib.engine.installations import Place

    return Place(
        owner=owner,
        slug=slug,
        add=body.connection_intent == "add",
        connection_id=body.connected_account_id,
        acting_user_id=token_of(request).user_id,
        display_name=body.account_display_name,
    )


def installed(connection: Connection) -> Response:
    from chalicelib.web import wire_widgets

    return answer(wire_widgets.installation(connection, wiring.engine().registrations.name_of(connection.slug)))


def disconnected(request: Request, owner: Owner, connection_id: str) -> Response:
    """Looked for among the owner's own, so that nobody else's id means anything."""
    engine = wiring.engine()
    found = next((each for each in engine.store.connections(owner) if each.id == connection_id and each.state != "disconnected"), None)
    if found is None:
        raise accounts.not_found()
    revoked = engine.disconnect.disconnect(owner, found.slug, found.account, seconds_left=request.seconds_left)
    return answer({"success": True, "revocation": revoked})


def require_management(request: Request) -> str:
    """The organization the token may manage. Raises Forbidden."""
    token = token_of(request)
    if not token.manages or token.organization_id is None:
        raise Forbidden("This widget token may not manage the organization's connections: it needs the scope widgets:pipes:manage and an organization.", "missing_permission")
    return token.organization_id
