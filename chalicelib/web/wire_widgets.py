"""What the widgets read: WorkOS's private shapes, mostly in camel case, each a superset of what its widgets need.

Optional parts of a config field are left out where they are not known: the widgets show a null as text.
"""

from typing import TYPE_CHECKING, Literal

from chalicelib.domain.events import timestamp
from chalicelib.domain.models import AuthMethod, Connection, Registration
from chalicelib.engine.configurations import Configured
from chalicelib.engine.registrations import Registrations
from chalicelib.providers.spec import Provider
from chalicelib.web import icons, wire, wire_configurations
from chalicelib.web.wire_registrations import CREDENTIALS

if TYPE_CHECKING:
    from chalicelib.web import shapes_widgets as shapes

LABELS: dict[AuthMethod, str] = {"oauth": "OAuth", "api_key": "API key", "client_credentials": "client credentials"}


def integration(registration: Registration, registrations: Registrations, connections: list[Connection]) -> "shapes.WidgetIntegration":
    """A provider with one owner's accounts."""
    provider = registrations.provider(registration)
    methods = ways(registration, registrations) or list(registration.auth_methods)
    accounts = [installation(each, provider.name) for each in connections]
    slot = next((shown for shown, each in zip(accounts, connections, strict=True) if each.role == "compatibility"), None)
    created, updated = timestamp(registration.created_at), timestamp(registration.updated_at)
    return {
        "object": "data_integration",
        "id": registration.id,
        "name": provider.name,
        "description": registration.description or provider.description,
        "slug": registration.slug,
        "integrationType": registration.slug,
        "ownership": registration.ownership,
        "credentialsType": CREDENTIALS[methods[0]],
        "scopes": list(registration.scopes) if registration.scopes is not None else provider.default_scopes(),
        "authMethods": methods,
        "configFields": config_fields(provider),
        "config": registration.config,
        "apiKey": api_key(provider) if "api_key" in methods else None,
        "clientCredentials": client_credentials(provider) if "client_credentials" in methods else None,
        "iconSlug": registration.slug,
        "iconUrl": icons.light(registration.slug),
        "iconDarkUrl": icons.dark(registration.slug),
        "installation": slot,
        "connected_accounts": accounts,
        "createdAt": created,
        "updatedAt": updated,
        "created_at": created,
        "updated_at": updated,
    }


def ways(registration: Registration, registrations: Registrations) -> list[AuthMethod]:
    """The methods by which a person can connect now: those in which the connection brings its own secret, and OAuth where there is a client."""
    return [method for method in registration.auth_methods if method != "oauth" or registrations.authority(registration) is not None]


def can_connect(registration: Registration, registrations: Registrations) -> bool:
    return registration.enabled and bool(ways(registration, registrations))


def installation(connection: Connection, provider_name: str) -> "shapes.WidgetInstallation":
    """An account as the person sees it: nothing of its tokens, and nothing of how it is kept."""
    return {**wire.shown_account(connection, provider_name), "lastFour": connection.secret_last_four}


def config_fields(provider: Provider) -> "list[shapes.WidgetConfigField]":
    found: list[shapes.WidgetConfigField] = []
    for order, field in enumerate(provider.config):
        shown: shapes.WidgetConfigField = {
            "key": field.name,
            "name": field.name,
            "label": field.label,
            "required": field.default is None and len(field.auth_methods or provider.auth_methods) == len(provider.auth_methods),
            "scope": "installation",
            "authMethods": list(field.auth_methods or provider.auth_methods),
            "order": order,
            "secret": False,
        }
        if field.description:
            shown["description"] = field.description
        if field.pattern:
            shown["pattern"] = field.pattern
        if field.example:
            shown["example"] = field.example
        if field.default:
            shown["default"] = field.default
        found.append(shown)
    return found


def api_key(provider: Provider) -> "shapes.WidgetApiKeyField":
    """What to tell a person who enters a key."""
    known = provider.api_key
    shown: shapes.WidgetApiKeyField = {"label": known.label}
    if known.description:
        shown["description"] = known.description
    if known.pattern:
        shown["pattern"] = known.pattern
    if known.example:
        shown["example"] = known.example
    return shown


def client_credentials(provider: Provider) -> "shapes.WidgetClientCredentialsFields":
    """What to tell a person who enters a client id and secret."""
    known = provider.client_credentials
    return {"clientIdLabel": known.client_id_label, "clientSecretLabel": known.client_secret_label, "description": known.description}


def shared(registration: Registration, registrations: Registrations, connections: list[Connection]) -> "shapes.WidgetSharedConnection":
    """What the organization shares, as a member sees it: whether it can be used, and no more."""
    provider = registrations.provider(registration)
    accounts: list[shapes.WidgetSharedAccount] = [
        {
            "object": "connected_account",
            "id": each.id,
            "state": each.state,
            "availability": "available" if each.state == "connected" else "needs_admin_attention",
            "account_display_name": each.display_name or each.external_name,
            "created_at": timestamp(each.created_at),
            "updated_at": timestamp(each.updated_at),
        }
        for each in connections
    ]
    return {
        "object": "data_integration",
        "id": registration.id,
        "name": provider.name,
        "description": registration.description or provider.description,
        "slug": registration.slug,
        "iconSlug": registration.slug,
        "iconUrl": icons.light(registration.slug),
        "iconDarkUrl": icons.dark(registration.slug),
        "ownership": "organization",
        "connected_accounts": accounts,
    }


def configuration(configured: Configured, registrations: Registrations) -> "shapes.WidgetConfiguration":
    """What an administrator of the organization may set."""
    root, override, effective = configured.root, configured.override, configured.effective
    provider = registrations.provider(root)
    own = wire_configurations.credentials(configured, registrations)
    disabled_by: Literal["organization", "developer"] | None = None if effective.enabled else "organization" if root.enabled else "developer"
    scopes = effective.scopes if effective.scopes is not None else tuple(provider.default_scopes())
    defaults = root.scopes if root.scopes is not None else tuple(provider.default_scopes())
    available = [scope.name for scope in provider.scopes] if root.scopes is None else list(root.scopes)
    created, updated = timestamp((override or root).created_at), timestamp((override or root).updated_at)
    return {
        "object": "data_integration_configuration",
        "id": root.id,
        "name": provider.name,
        "description": root.description or provider.description,
        "slug": root.slug,
        "iconSlug": root.slug,
        "iconUrl": icons.light(root.slug),
        "iconDarkUrl": icons.dark(root.slug),
        "integrationType": root.slug,
        "ownership": root.ownership,
        "hasOverride": override is not None,
        "rootEnabled": root.enabled,
        "overrideEnabled": override.enabled if override is not None else None,
        "enabled": effective.enabled,
        "disabledSource": disabled_by,
        "configured": own["has_credentials"],
        "scopes": list(scopes),
        "defaultScopes": list(defaults),
        "availableScopes": available,
        "credentials": {
            "credentialsType": own["credentials_type"],
            "hasCredentials": own["has_credentials"],
            "client_id": own["client_id"],
            "redactedClientSecret": own["client_secret_last_four"],
            "redirectUri": own["redirect_uri"],
        },
        "authMethods": list(root.auth_methods),
        "configFields": config_fields(provider),
        "config": override.config if override is not None else {},
        "createdAt": created,
        "updatedAt": updated,
        "created_at": created,
        "updated_at": updated,
    }


def organization_integration(configured: Configured, registrations: Registrations, connections: list[Connection]) -> "shapes.WidgetOrganizationIntegration":
    """A provider of the organization's own accounts, for its administrator."""
    effective = configured.effective
    account = connections[0] if connections else None
    return {
        **integration(effective, registrations, connections),
        "id": configured.root.id,
        "configuration": configuration(configured, registrations),
        "capabilities": {
            "canConfigure": True,
            "canConnect": can_connect(effective, registrations) and account is None,
            "canUpdateCredentials": account is not None and account.auth_method != "oauth" and effective.enabled,
            "canReauthorize": account is not None and account.auth_method == "oauth" and effective.enabled,
            "canDisconnect": account is not None,
        },
    }
