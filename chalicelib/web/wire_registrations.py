"""Registrations and providers as the contract's JSON, both ways. A secret is shown as its last four characters at most."""

from typing import TYPE_CHECKING, Any, Literal

from chalicelib.domain.events import timestamp
from chalicelib.domain.models import AuthMethod, Authority, Connection, Ownership, Registration
from chalicelib.engine.registrations import Change, Registrations
from chalicelib.providers.sections import ConfigField
from chalicelib.providers.spec import Provider
from chalicelib.web import wire
from chalicelib.web.bodies import CustomProviderBody, UpdateDataIntegrationBody

if TYPE_CHECKING:
    from chalicelib.web import shapes_registrations as shapes
    from chalicelib.web.shapes import CredentialsType, DataProvider, Holder

CREDENTIALS: "dict[AuthMethod, CredentialsType]" = {"oauth": "oauth2", "api_key": "api_key", "client_credentials": "client_credentials"}
OWNERSHIP: "dict[Ownership, Holder]" = {"userland_user": "user", "organization": "organization"}
CREDENTIALS_TYPES: dict[Authority | None, Literal["custom", "organization", "shared", "simulator"] | None] = {
    "own": "custom",
    "organization": "organization",
    "shared": "shared",
    "simulator": "simulator",
    None: None,
}


def data_integration(registration: Registration, registrations: Registrations, installed: Connection | None = None) -> "shapes.DataIntegration":
    """`installed`: the account that was connected together with it."""
    provider = registrations.provider(registration)
    authority = registrations.authority(registration)
    oauth = "oauth" in registration.auth_methods
    return {
        "object": "data_integration",
        "id": registration.id,
        "slug": registration.slug,
        "name": provider.name,
        "integration_type": registration.slug,
        "ownership": OWNERSHIP[registration.ownership],
        "description": registration.description or provider.description,
        "enabled": registration.enabled,
        "state": "valid" if authority or not oauth or registration.organization_credentials else "invalid",
        "scopes": list(registration.scopes) if registration.scopes is not None else None,
        "default_scopes": provider.default_scopes(),
        "available_scopes": [{"name": scope.name, "description": scope.description, "token": scope.token} for scope in provider.scopes],
        "redirect_uri": registrations.redirect_uri(registration) if oauth else "",
        "auth_methods": list(registration.auth_methods),
        "credentials_type": "organization" if registration.organization_credentials else CREDENTIALS_TYPES[authority],
        "credentials": _credentials(registration),
        "installation": _installation(installed) if installed else None,
        "config": registration.config,
        "config_fields": [_config_field(field) for field in provider.config],
        "setup": [step.replace("{redirect_uri}", registrations.redirect_uri(registration)) for step in provider.setup],
        "documentation": list(provider.documentation),
        "custom_provider": custom_provider(provider) if provider.custom else None,
        "created_at": timestamp(registration.created_at),
        "updated_at": timestamp(registration.updated_at),
    }


def _credentials(registration: Registration) -> "shapes.Credentials | None":
    if registration.organization_credentials:
        return {"type": "organization", "client_id": None, "redacted_client_secret": None}
    if not registration.client_id:
        return None
    return {"type": "custom", "client_id": registration.client_id, "redacted_client_secret": registration.client_secrets[0].last_four if registration.client_secrets else ""}


def _config_field(field: ConfigField) -> "shapes.ConfigField":
    return {
        "name": field.name,
        "label": field.label,
        "description": field.description,
        "pattern": field.pattern,
        "default": field.default,
        "example": field.example,
        "auth_methods": list(field.auth_methods),
    }


def _installation(connection: Connection) -> "shapes.Installation":
    account = wire.connected_account(connection)
    return {
        "id": account["id"],
        "connection_role": account["connection_role"],
        "account_identifier": account["account_identifier"],
        "account_display_name": account["account_display_name"],
        "user_id": account["user_id"],
        "organization_id": account["organization_id"],
        "api_key_last_4": account["api_key_last_4"],
    }


def custom_provider(provider: Provider) -> "shapes.CustomProvider":
    return {
        "name": provider.name,
        "authorization_url": provider.authorization.endpoint or None,
        "token_url": provider.token.endpoint or None,
        "refresh_token_url": provider.token.refresh_endpoint,
        "pkce_enabled": provider.authorization.code_challenge_method == "S256",
        "request_scope_separator": provider.authorization.scope_separator,
        "scopes_required": provider.scopes_required,
        "client_secret_required": provider.client_secret_required,
        "additional_authorization_parameters": provider.authorization.parameters,
        "token_body_content_type": "application/json" if provider.token.body == "json" else "application/x-www-form-urlencoded",
        "authenticate_via": "basic_auth_header" if provider.token.authentication == "client_secret_basic" else "request_body",
        "issuer": provider.authorization.issuer or None,
        "revocation_url": provider.revocation.endpoint,
        "userinfo_url": provider.identity.endpoint,
    }


def change(body: UpdateDataIntegrationBody, slug: str, existing: Provider | None) -> Change:
    """What the body asks to change; a field that is not sent stays, `scopes: null` goes back to the provider's defaults."""
    credentials = body.credentials
    return Change(
        description=body.description,
        enabled=body.enabled,
        scopes=tuple(body.scopes) if body.scopes is not None else None,
        inherit_scopes="scopes" in body.model_fields_set and body.scopes is None,
        config=body.config,
        auth_methods=tuple(body.auth_methods) if body.auth_methods is not None else None,
        organization_credentials=credentials.type == "organization" if credentials else None,
        client_id=credentials.client_id if credentials else None,
        client_secret=credentials.client_secret if credentials else None,
        custom_provider=_row(body.custom_provider, slug, existing) if body.custom_provider else None,
    )


def _row(body: CustomProviderBody, slug: str, existing: Provider | None) -> dict[str, Any]:
    """The contract's custom provider in the catalogue's vocabulary, over what was there before."""
    before: dict[str, Any] = dict(custom_provider(existing)) if existing and existing.custom else {}
    given = {**before, **body.model_dump(exclude_unset=True)}
    given = {name: value for name, value in given.items() if value is not None}
    basic = given.get("authenticate_via") == "basic_auth_header"
    row: dict[str, Any] = {
        "slug": slug,
        "name": given.get("name", slug),
        "authorization": {
            "endpoint": given.get("authorization_url"),
            "parameters": given.get("additional_authorization_parameters", {}),
            "scope_separator": given.get("request_scope_separator", " "),
            "code_challenge_method": "S256" if given.get("pkce_enabled", True) else "none",
            "issuer": given.get("issuer", ""),
        },
        "token": {
            "endpoint": given.get("token_url"),
            "refresh_endpoint": given.get("refresh_token_url"),
            "authentication": "client_secret_basic" if basic else "client_secret_post",
            "body": "json" if given.get("token_body_content_type") in ("application/json", "json") else "form",
        },
        "scopes_required": given.get("scopes_required", False),
        "client_secret_required": given.get("client_secret_required", True),
    }
    if given.get("revocation_url"):
        row["revocation"] = {"recipe": "rfc7009", "endpoint": given["revocation_url"]}
    if given.get("userinfo_url"):
        row["identity"] = {"source": "endpoint", "endpoint": given["userinfo_url"], "account_id": "sub", "name": ["preferred_username", "name", "email"]}
    return row


def data_provider(registration: Registration, registrations: Registrations, connections: list[Connection]) -> "DataProvider":
    """A provider as one user sees it, with that user's accounts."""
    provider = registrations.provider(registration)
    accounts = [wire.connected_account(connection, provider.name) for connection in connections]
    scopes = list(registration.scopes) if registration.scopes is not None else provider.default_scopes()
    created, updated = timestamp(registration.created_at), timestamp(registration.updated_at)
    return {
        "object": "data_provider",
        "id": registration.id,
        "name": provider.name,
        "description": registration.description or provider.description,
        "slug": registration.slug,
        "integration_type": registration.slug,
        "credentials_type": CREDENTIALS[registration.auth_methods[0]],
        "scopes": scopes,
        "connection_owner": OWNERSHIP[registration.ownership],
        "ownership": registration.ownership,
        "auth_methods": list(registration.auth_methods),
        "connected_account": accounts[0] if accounts else None,
        "connected_accounts": accounts,
        "created_at": created,
        "updated_at": updated,
        "integrationType": registration.slug,
        "credentialsType": CREDENTIALS[registration.auth_methods[0]],
        "createdAt": created,
        "updatedAt": updated,
    }
