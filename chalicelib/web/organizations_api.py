"""The public API of what an organization sets for itself, and of widget tokens."""

from datetime import timedelta
from typing import Any

from chalice import Blueprint, Response

from chalicelib import wiring
from chalicelib.domain.errors import Unprocessable
from chalicelib.domain.models import Ownership
from chalicelib.web.edge import Request, answer, route, unprocessable
from chalicelib.web.owners import of_organization_path, organization_of

organizations_api = Blueprint(__name__)
CONFIGURATIONS = "/organizations/{organization_id}/data_integration_configurations"


@route(organizations_api, CONFIGURATIONS, ["GET"], returns="Configurations", query=("ownership",))
def list_configurations(request: Request, organization_id: str) -> Response:
    """Every data integration as this organization has it."""
    from chalicelib.web import wire_configurations

    engine = wiring.engine()
    found = engine.configurations.all(_organization(request, organization_id), _ownership(request))
    return answer({"object": "list", "data": [wire_configurations.configuration(each, engine.registrations) for each in found]})


@route(organizations_api, f"{CONFIGURATIONS}/{{slug}}", ["PUT"], body="ConfigurationBody", returns="Configuration", query=("ownership",))
def configure(request: Request, organization_id: str, slug: str) -> Response:
    """Sets what is given; everything else stays as it is."""
    from chalicelib.web import bodies, wire_configurations

    body = bodies.read(bodies.ConfigurationBody, request.json())
    engine = wiring.engine()
    wanted = wire_configurations.own_settings(body)
    if wanted.is_empty:
        raise Unprocessable("Give at least one of enabled, scopes, client_id with client_secret, config.", "validation_error")
    configured = engine.configurations.configure(_organization(request, organization_id), slug, _ownership(request) or "userland_user", wanted)
    return answer(wire_configurations.configuration(configured, engine.registrations))


@route(organizations_api, f"{CONFIGURATIONS}/{{slug}}", ["DELETE"], status=204, query=("ownership",))
def reset_configuration(request: Request, organization_id: str, slug: str) -> Response:
    """Everything is as the stage has it again."""
    wiring.engine().configurations.reset(_organization(request, organization_id), slug, _ownership(request) or "userland_user")
    return answer("", status=204)


@route(organizations_api, "/widgets/token", ["POST"], body="WidgetTokenBody", returns="WidgetToken", status=201)
def widget_token(request: Request) -> Response:
    """A token for the widget in front of one person."""
    from chalicelib.engine.widget_tokens import check_scopes
    from chalicelib.web import bodies

    body = bodies.read(bodies.WidgetTokenBody, request.json())
    scopes = check_scopes(body.scopes)
    organization = organization_of(request, body.organization_id)
    if scopes and organization is None:
        raise unprocessable("organization_id", "is required where there are scopes: they are for managing an organization.", "required")
    token = wiring.engine().widget_tokens.mint(body.user_id, organization, scopes, organization_name=body.organization_name, life=timedelta(seconds=body.expires_in))
    return answer({"token": token.reveal()}, status=201)


def _organization(request: Request, organization_id: str) -> str:
    organization: Any = of_organization_path(request, organization_id).organization_id
    return str(organization)


def _ownership(request: Request) -> Ownership | None:
    """An addition: the users' data integrations unless the organization's own are asked for."""
    ownership = request.one("ownership")
    if ownership not in (None, "user", "organization"):
        raise unprocessable("ownership", "is user or organization.")
    return {None: None, "user": "userland_user", "organization": "organization"}[ownership]
