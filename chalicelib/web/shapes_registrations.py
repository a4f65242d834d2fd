"""The shapes of data integrations, and of what an organization sets over them."""

from typing import Literal

from typing_extensions import TypedDict

from chalicelib.domain.models import AuthMethod
from chalicelib.web.shapes import Holder, ListMetadata, Role

CredentialsKind = Literal["shared", "custom", "organization"]


class Scope(TypedDict):
    """A scope the provider has, as its file describes it. `token`: which of its tokens carries it."""

    name: str
    description: str
    token: str


class ConfigField(TypedDict):
    """A value that goes into the provider's endpoints; `pattern` is what all of it matches."""

    name: str
    label: str
    description: str
    pattern: str
    default: str | None
    example: str
    auth_methods: list[AuthMethod]


class CustomProvider(TypedDict):
    """A provider that is not in the catalogue."""

    name: str
    authorization_url: str | None
    token_url: str | None
    refresh_token_url: str | None
    pkce_enabled: bool
    request_scope_separator: str
    scopes_required: bool
    client_secret_required: bool
    additional_authorization_parameters: dict[str, str]
    token_body_content_type: Literal["application/json", "application/x-www-form-urlencoded"]
    authenticate_via: Literal["basic_auth_header", "request_body"]
    issuer: str | None
    revocation_url: str | None
    userinfo_url: str | None


class Credentials(TypedDict):
    """Our client at the provider; of its secret, the last four characters. organization: each brings its own."""

    type: Literal["custom", "organization"]
    client_id: str | None
    redacted_client_secret: str | None


class Installation(TypedDict):
    """The account that was connected together with its data integration."""

    id: str
    connection_role: Role
    account_identifier: str | None
    account_display_name: str | None
    user_id: str | None
    organization_id: str | None
    api_key_last_4: str | None


class DataIntegration(TypedDict):
    """A provider as this stage has it."""

    object: Literal["data_integration"]
    id: str
    slug: str
    name: str
    integration_type: str
    ownership: Holder
    description: str
    enabled: bool
    state: Literal["valid", "invalid"]
    scopes: list[str] | None
    default_scopes: list[str]
    available_scopes: list[Scope]
    redirect_uri: str
    auth_methods: list[AuthMethod]
    credentials_type: Literal["custom", "organization", "shared", "simulator"] | None
    credentials: Credentials | None
    installation: Installation | None
    config: dict[str, str]
    config_fields: list[ConfigField]
    setup: list[str]
    documentation: list[str]
    custom_provider: CustomProvider | None
    created_at: str
    updated_at: str


class DataIntegrationPage(TypedDict):
    """A page of them."""

    object: Literal["list"]
    data: list[DataIntegration]
    list_metadata: ListMetadata


class ConfigurationCredentials(TypedDict):
    """Whose OAuth client an organization's connections are made with, and where that client redirects to."""

    credentials_type: CredentialsKind
    has_credentials: bool
    client_id: str | None
    client_secret_last_four: str | None
    redirect_uri: str


class Configuration(TypedDict):
    """A data integration as one organization has it. `scopes` null = as the data integration has them."""

    object: Literal["data_integration_configuration"]
    id: str
    organization_id: str
    slug: str
    name: str
    ownership: Holder
    enabled: bool
    scopes: list[str] | None
    config: dict[str, str]
    credentials: ConfigurationCredentials
    created_at: str
    updated_at: str


class Configurations(TypedDict):
    """All of them."""

    object: Literal["list"]
    data: list[Configuration]
