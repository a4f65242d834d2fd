"""The dashboard's providers: the catalogue, setting one up, a custom one, and the trial that shows it works."""

from typing import Any, cast

from chalice import Response

from chalicelib import wiring
from chalicelib.domain.errors import InvalidRequest, NotFound
from chalicelib.domain.models import Ownership, Registration
from chalicelib.engine.dashboard_sign_in import Visitor
from chalicelib.web.dashboard_edge import answer, audit, change, look
from chalicelib.web.edge import Request


def _ownership(request: Request) -> Ownership:
    given = request.one("ownership") or "userland_user"
    if given not in ("userland_user", "organization"):
        raise InvalidRequest("'ownership' is userland_user or organization.")
    return cast(Ownership, given)


@look("/providers")
def dashboard_providers(request: Request, visitor: Visitor) -> Response:
    """The whole catalogue, and what is configured of it. A few hundred at most, so it is one page."""
    from chalicelib.providers import catalogue
    from chalicelib.web import dashboard_wire

    engine = wiring.engine()
    configured: dict[str, list[Registration]] = {}
    for registration in engine.registrations.all():
        configured.setdefault(registration.slug, []).append(registration)
    circuits = engine.agenda.circuits()
    found = {slug: provider for slug in catalogue.slugs() if (provider := catalogue.load(slug))}
    found |= {slug: engine.registrations.provider(each[0]) for slug, each in configured.items() if each[0].custom_provider}
    listed = [dashboard_wire.provider_in_list(provider, configured.get(slug, []), engine.registrations, circuits.get(slug)) for slug, provider in found.items()]
    return answer({"providers": sorted(listed, key=lambda each: each["name"].lower())})


@look("/providers/{slug}")
def dashboard_provider(request: Request, visitor: Visitor, slug: str) -> Response:
    return answer(_shown(wiring.engine().registrations.get(slug, _ownership(request))))


@change("/providers/{slug}", ["POST"])
def dashboard_begin_set_up(request: Request, visitor: Visitor, slug: str) -> Response:
    """A registration that is not enabled yet, so that there is a redirect URI to enter at the provider. Exists it already, it is answered as it is."""
    from chalicelib.engine.registrations import Change
    from chalicelib.providers import catalogue

    registrations, ownership = wiring.engine().registrations, _ownership(request)
    try:
        return answer(_shown(registrations.get(slug, ownership)))
    except NotFound:
        provider = catalogue.load(slug)
        if provider is None:
            raise NotFound("There is no such provider in the catalogue.", "provider_not_found") from None
    # Some take no client without a scope; the first one stands there until the person has chosen.
    scopes = (provider.scopes[0].name,) if provider.scopes_required and not provider.default_scopes() and provider.scopes else None
    return answer(_shown(registrations.create(slug, Change(scopes=scopes), ownership, actor=visitor.actor)), status=201)


@change("/providers/{slug}", ["PUT"])
def dashboard_save_provider(request: Request, visitor: Visitor, slug: str) -> Response:
    """The fields of PUT /data-integrations/{slug}; a custom provider that is new is created."""
    from chalicelib.web import bodies, wire_registrations

    registrations, ownership, given = wiring.engine().registrations, _ownership(request), request.json()
    try:
        before = registrations.get(slug, ownership)
    except NotFound:
        if "custom_provider" not in given:
            raise
        created = bodies.read(bodies.CreateDataIntegrationBody, {**given, "provider": slug})
        return answer(_shown(registrations.create(slug, wire_registrations.change(created, slug, None), ownership, actor=visitor.actor)), status=201)
    body = bodies.read(bodies.UpdateDataIntegrationBody, given)
    return answer(_shown(registrations.update(slug, wire_registrations.change(body, slug, registrations.provider(before)), ownership, actor=visitor.actor)))


@change("/providers/{slug}", ["DELETE"])
def dashboard_delete_provider(request: Request, visitor: Visitor, slug: str) -> Response:
    wiring.engine().registrations.delete(slug, _ownership(request), actor=visitor.actor)
    return answer({"deleted": True})


@change("/providers/{slug}/client", ["DELETE"])
def dashboard_forget_client(request: Request, visitor: Visitor, slug: str) -> Response:
    """The client id and every secret of it are forgotten; the registration and its redirect URI stay."""
    from chalicelib.engine.registrations import Change

    forgotten = wiring.engine().registrations.update(slug, Change(forget_client=True), _ownership(request), actor=visitor.actor)
    audit(visitor, "data_integration.credentials_removed", slug=slug, id=forgotten.id, ownership=forgotten.ownership)
    return answer(_shown(forgotten))


@change("/discovery", ["POST"])
def dashboard_discovery(request: Request, visitor: Visitor) -> Response:
    """`{issuer}`: what that authorization server says of itself."""
    issuer = request.json().get("issuer")
    if not isinstance(issuer, str) or len(issuer) > 2048:
        raise InvalidRequest("'issuer' is the address of an authorization server.")
    return answer(wiring.engine().discovery.discover(issuer))


@look("/providers/{slug}/trial")
def dashboard_trial(request: Request, visitor: Visitor, slug: str) -> Response:
    return answer({"steps": wiring.engine().trial.steps(slug)})


@change("/providers/{slug}/trial", ["POST"])
def dashboard_begin_trial(request: Request, visitor: Visitor, slug: str) -> Response:
    """`{config}`: values that the provider asks of whoever connects."""
    config = request.json().get("config") or {}
    if not isinstance(config, dict) or not all(isinstance(value, str) for value in config.values()):
        raise InvalidRequest("'config' is an object of texts.")
    trial = wiring.engine().trial
    url = trial.begin(slug, config, request.seconds_left)
    audit(visitor, "trial.begun", slug=slug)
    return answer({"url": url, "steps": trial.steps(slug)}, status=201)


@change("/providers/{slug}/trial/{step}", ["POST"])
def dashboard_trial_step(request: Request, visitor: Visitor, slug: str, step: str) -> Response:
    trial = wiring.engine().trial
    if step not in ("refresh", "revoke"):
        raise NotFound("There is no such step.")
    return answer({"steps": (trial.refresh if step == "refresh" else trial.revoke)(slug, request.seconds_left)})


def _shown(registration: Registration) -> dict[str, Any]:
    from chalicelib.web import dashboard_wire, wire_registrations

    registrations = wiring.engine().registrations
    provider = registrations.provider(registration)
    return {**dashboard_wire.set_up(registration, registrations), "custom_provider": wire_registrations.custom_provider(provider) if provider.custom else None}
