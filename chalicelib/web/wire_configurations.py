"""What an organization sets for itself as the contract's JSON: the public API's, and the administrators' widget's."""

from typing import TYPE_CHECKING

from chalicelib.domain.events import timestamp
from chalicelib.engine.configurations import Configured, OwnSettings
from chalicelib.engine.registrations import Registrations, override_id
from chalicelib.web.bodies import ConfigurationBody

if TYPE_CHECKING:
    from chalicelib.web import shapes_registrations as shapes


def own_settings(body: ConfigurationBody) -> OwnSettings:
    return OwnSettings(
        enabled=body.enabled,
        scopes=tuple(body.scopes) if body.scopes is not None else None,
        inherit_scopes="scopes" in body.model_fields_set and body.scopes is None,
        config=body.config,
        client_id=body.client_id,
        client_secret=body.client_secret,
    )


def credentials(configured: Configured, registrations: Registrations) -> "shapes.ConfigurationCredentials":
    """Whose OAuth client it is. An organization's own has a redirect URI of its own, also before it is entered."""
    effective, override = configured.effective, configured.override
    own = override is not None and override.client_id is not None
    kind: shapes.CredentialsKind = "organization" if own or configured.root.organization_credentials else "custom" if effective.client_id else "shared"
    secrets = effective.client_secrets
    return {
        "credentials_type": kind,
        "has_credentials": registrations.authority(effective) is not None,
        "client_id": effective.client_id if own else None,
        "client_secret_last_four": secrets[0].last_four if own and secrets else None,
        "redirect_uri": registrations.redirect_uri_of(override_id(configured.organization_id, effective.slug, effective.ownership))
        if kind == "organization"
        else registrations.redirect_uri(effective),
    }


def configuration(configured: Configured, registrations: Registrations) -> "shapes.Configuration":
    """The public API's data_integration_configuration."""
    root, override, effective = configured.root, configured.override, configured.effective
    return {
        "object": "data_integration_configuration",
        "id": root.id,
        "organization_id": configured.organization_id,
        "slug": root.slug,
        "name": registrations.provider(root).name,
        "ownership": "organization" if root.ownership == "organization" else "user",
        "enabled": effective.enabled,
        "scopes": list(effective.scopes) if effective.scopes is not None else None,
        "config": effective.config,
        "credentials": credentials(configured, registrations),
        "created_at": timestamp((override or root).created_at),
        "updated_at": timestamp((override or root).updated_at),
    }
