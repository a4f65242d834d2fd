"""What the administrators' widget calls: the organization's own settings and the accounts it shares. Every route needs the scope widgets:pipes:manage."""

from typing import TYPE_CHECKING

from chalice import Blueprint, Response

from chalicelib import wiring
from chalicelib.domain.models import Owner, Ownership
from chalicelib.web import widgets_api as people
from chalicelib.web.edge import Request, answer, route
from chalicelib.web.widgets_api import INTEGRATIONS, require_management

if TYPE_CHECKING:
    from chalicelib.engine.configurations import OwnSettings
    from chalicelib.web import bodies

widgets_admin_api = Blueprint(__name__)
ORGANIZATION = f"{INTEGRATIONS}/{{slug}}/organization"


@route(widgets_admin_api, f"{INTEGRATIONS}/configurations", ["GET"], caller="widget", returns="WidgetConfigurations")
def configurations(request: Request) -> Response:
    """What may be set of what members connect for themselves."""
    from chalicelib.web import wire_widgets

    organization, engine = require_management(request), wiring.engine()
    return answer({"data": [wire_widgets.configuration(each, engine.registrations) for each in engine.configurations.all(organization, "userland_user")]})


@route(widgets_admin_api, f"{INTEGRATIONS}/{{slug}}/configuration", ["PUT"], caller="widget", body="ConfigurationBody", returns="WidgetConfiguration")
def configure(request: Request, slug: str) -> Response:
    return _configured(request, slug, "userland_user")


@route(widgets_admin_api, f"{INTEGRATIONS}/organization", ["GET"], caller="widget", returns="WidgetOrganizationIntegrations")
def organization_integrations(request: Request) -> Response:
    """What the organization shares with its members, and may share."""
    from chalicelib.web import wire_widgets

    organization, engine = require_management(request), wiring.engine()
    connected = people.by_slug(Owner(organization_id=organization))
    found = engine.configurations.all(organization, "organization")
    return answer({"data": [wire_widgets.organization_integration(each, engine.registrations, connected.get(each.root.slug, [])) for each in found]})


@route(widgets_admin_api, f"{ORGANIZATION}/authorize", ["POST"], caller="widget", body="WidgetAuthorizeBody", returns="WidgetAuthorize")
def organization_authorize(request: Request, slug: str) -> Response:
    """As for a person; the handoff is not a choice here."""
    return people.authorized(people.begin(request, Owner(organization_id=require_management(request)), slug, handoff=True))


@route(widgets_admin_api, f"{ORGANIZATION}/api-key", ["PUT"], caller="widget", body="WidgetApiKeyBody", returns="WidgetInstallation")
def organization_api_key(request: Request, slug: str) -> Response:
    return people.api_key_entered(request, Owner(organization_id=require_management(request)), slug)


@route(widgets_admin_api, f"{ORGANIZATION}/client-credentials", ["PUT"], caller="widget", body="WidgetClientCredentialsBody", returns="WidgetInstallation")
def organization_client_credentials(request: Request, slug: str) -> Response:
    return people.client_credentials_entered(request, Owner(organization_id=require_management(request)), slug)


@route(widgets_admin_api, f"{ORGANIZATION}/configuration", ["PUT"], caller="widget", body="ConfigurationBody", returns="WidgetConfiguration")
def organization_configure(request: Request, slug: str) -> Response:
    return _configured(request, slug, "organization")


@route(widgets_admin_api, f"{INTEGRATIONS}/organization/installations/{{id}}", ["DELETE"], caller="widget", returns="WidgetDisconnected")
def organization_disconnect(request: Request, id: str) -> Response:
    return people.disconnected(request, Owner(organization_id=require_management(request)), id)


def _configured(request: Request, slug: str, ownership: Ownership) -> Response:
    from chalicelib.web import bodies, wire_widgets

    organization, engine = require_management(request), wiring.engine()
    body = bodies.read(bodies.ConfigurationBody, request.json())
    configured = engine.configurations.configure(organization, slug, ownership, _wanted(organization, slug, ownership, body), actor=f"widget:{people.token_of(request).user_id}")
    return answer(wire_widgets.configuration(configured, engine.registrations))


def _wanted(organization: str, slug: str, ownership: Ownership, body: "bodies.ConfigurationBody") -> "OwnSettings":
    """The widget sends the whole list of scopes with every change; one that is the stage's own is no choice of the organization's."""
    from dataclasses import replace

    from chalicelib.web import wire_configurations

    wanted = wire_configurations.own_settings(body)
    engine = wiring.engine()
    root = engine.configurations.get(organization, slug, ownership).root
    defaults = root.scopes if root.scopes is not None else tuple(engine.registrations.provider(root).default_scopes())
    return replace(wanted, scopes=None, inherit_scopes=True) if wanted.scopes is not None and set(wanted.scopes) == set(defaults) else wanted
