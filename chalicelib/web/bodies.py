"""Request bodies, as the contract names their fields. Unknown fields are ignored, wrong ones are answered with a sentence each."""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from chalicelib.domain.errors import Unprocessable
from chalicelib.domain.secret import Secret

OpaqueId = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$")]
Label = Annotated[str, Field(max_length=255)]
ConfigValues = dict[str, Annotated[str, Field(max_length=255)]]
ScopeName = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[\x21\x23-\x5b\x5d-\x7e]+$")]
ClientId = Annotated[str, Field(min_length=1, max_length=512)]
Method = Literal["oauth", "api_key", "client_credentials"]
MAX_ENTERED = 4096  # of what a person pastes: a key, a client secret; a provider's token may be longer
Verifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9\-._~]{43,128}$")]


def _not_blank(secret: Secret) -> Secret:
    if secret.is_blank:
        raise ValueError("is empty")
    return secret


def _not_long(secret: Secret) -> Secret:
    if secret.is_longer_than(MAX_ENTERED):
        raise ValueError(f"has more than {MAX_ENTERED} characters")
    return secret


Token = Annotated[Secret, AfterValidator(_not_blank)]
EnteredSecret = Annotated[Token, AfterValidator(_not_long)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)


class OwnerBody(_Body):
    """Whose connection: the user's own, or with `connection_owner` "organization" the one that every member of the organization uses."""

    user_id: OpaqueId
    organization_id: OpaqueId | None = None
    connection_owner: Literal["user", "organization"] | None = None


class TokenBody(OwnerBody):
    connected_account_id: OpaqueId | None = None
    supports_multiple_connections: bool | None = None
    min_ttl: Annotated[int, Field(ge=0, le=86400)] = 60


class RejectedBody(TokenBody):
    generation: Annotated[int, Field(ge=1)]


class AuthorizeBody(OwnerBody):
    return_to: Annotated[str, Field(max_length=2048)] | None = None
    code_challenge: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9\-_]{43}$")] | None = None
    code_challenge_method: Literal["S256"] | None = None
    config: ConfigValues | None = None
    connection_intent: Literal["add", "reauthorize"] | None = None
    connected_account_id: OpaqueId | None = None
    account_display_name: Label | None = None
    user_display_name: Annotated[str, Field(max_length=255)] | None = None


class FinishBody(_Body):
    connect_code: Annotated[str, Field(max_length=512)]
    code_verifier: Verifier
    state: Annotated[str, Field(max_length=512)] | None = None
    user_id: OpaqueId | None = None


class CredentialsBody(_Body):
    type: Literal["custom", "organization", "shared"] = "custom"
    client_id: ClientId | None = None
    client_secret: EnteredSecret | None = None


class CustomProviderBody(_Body):
    """The contract's custom provider, and what we add to it: `issuer`, `revocation_url`, `userinfo_url`."""

    name: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    authorization_url: Annotated[str, Field(max_length=2048)] | None = None
    token_url: Annotated[str, Field(max_length=2048)] | None = None
    refresh_token_url: Annotated[str, Field(max_length=2048)] | None = None
    pkce_enabled: bool | None = None
    request_scope_separator: Annotated[str, Field(min_length=1, max_length=4)] | None = None
    scopes_required: bool | None = None
    client_secret_required: bool | None = None
    additional_authorization_parameters: dict[str, str] | None = None
    token_body_content_type: Literal["application/x-www-form-urlencoded", "application/json", "form", "json"] | None = None
    authenticate_via: Literal["request_body", "basic_auth_header"] | None = None
    issuer: Annotated[str, Field(max_length=2048)] | None = None
    revocation_url: Annotated[str, Field(max_length=2048)] | None = None
    userinfo_url: Annotated[str, Field(max_length=2048)] | None = None


class FirstApiKeyBody(_Body):
    """An API key that is installed together with its data integration."""

    secret: EnteredSecret
    user_id: OpaqueId
    organization_id: OpaqueId | None = None


class UpdateDataIntegrationBody(_Body):
    description: Annotated[str, Field(max_length=500)] | None = None
    enabled: bool | None = None
    scopes: list[ScopeName] | None = None
    config: ConfigValues | None = None
    credentials: CredentialsBody | None = None
    custom_provider: CustomProviderBody | None = None
    auth_methods: Annotated[list[Method], Field(min_length=1)] | None = None
    api_key: FirstApiKeyBody | None = None


def _not_a_route(slug: str) -> str:
    if slug == "finish":  # POST /data-integrations/finish is a route of its own
        raise ValueError("is taken by a route; choose another slug")
    return slug


class CreateDataIntegrationBody(UpdateDataIntegrationBody):
    provider: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$"), AfterValidator(_not_a_route)]
    ownership: Literal["userland_user", "user", "organization"] = "userland_user"


class InstallationBody(OwnerBody):
    config: ConfigValues | None = None
    account_display_name: Label | None = None
    account_identifier: Label | None = None


class PutApiKeyBody(InstallationBody):
    secret: EnteredSecret
    connection_intent: Literal["reauthorize"] | None = None
    connected_account_id: OpaqueId | None = None


class AddApiKeyBody(InstallationBody):
    secret: EnteredSecret
    connection_intent: Literal["add"]


class PutClientCredentialsBody(InstallationBody):
    client_id: ClientId
    client_secret: EnteredSecret
    connection_intent: Literal["reauthorize"] | None = None
    connected_account_id: OpaqueId | None = None


class AddClientCredentialsBody(InstallationBody):
    client_id: ClientId
    client_secret: EnteredSecret
    connection_intent: Literal["add"]


class ConnectedAccountBody(_Body):
    """A connected account from tokens, or what is to be changed of one."""

    access_token: Token | None = None
    refresh_token: Token | None = None
    expires_at: AwareDatetime | None = None
    scopes: list[ScopeName] | None = None
    state: Literal["connected", "needs_reauthorization"] | None = None
    account_display_name: Label | None = None
    account_identifier: Label | None = None
    connection_intent: Literal["add", "reauthorize"] | None = None
    connected_account_id: OpaqueId | None = None
    user_id: OpaqueId | None = None
    """The member who acts, where the account is an organization's."""


class ConfigurationBody(_Body):
    """What an organization sets for itself; `scopes` null = as the data integration has them."""

    enabled: bool | None = None
    scopes: list[ScopeName] | None = None
    client_id: ClientId | None = None
    client_secret: EnteredSecret | None = None
    config: ConfigValues | None = None


class WidgetTokenBody(_Body):
    """`expires_in`, `organization_name`: additions."""

    user_id: OpaqueId
    organization_id: OpaqueId | None = None
    organization_name: Label | None = None
    scopes: list[str] = []
    expires_in: Annotated[int, Field(ge=60, le=3600)] = 3600


class WidgetAuthorizeBody(_Body):
    requireHandoff: bool = True
    config: ConfigValues | None = None
    connection_intent: Literal["add", "reauthorize"] | None = None
    connected_account_id: OpaqueId | None = None
    account_display_name: Label | None = None
    return_to: Annotated[str, Field(max_length=2048)] | None = None


class WidgetPlaceBody(_Body):
    connection_intent: Literal["add", "reauthorize"] | None = None
    connected_account_id: OpaqueId | None = None
    account_display_name: Label | None = None
    config: ConfigValues | None = None


class WidgetApiKeyBody(WidgetPlaceBody):
    secret: EnteredSecret


class WidgetClientCredentialsBody(WidgetPlaceBody):
    client_id: ClientId
    client_secret: EnteredSecret


Model = TypeVar("Model", bound=BaseModel)


def read(model: type[Model], given: dict[str, Any]) -> Model:
    """The body as a model. Raises Unprocessable with a sentence for every wrong field."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        problems = [(".".join(str(part) for part in e["loc"]), e["type"], e["msg"].removeprefix("Value error, ")) for e in error.errors(include_input=False, include_url=False)]
        sentences = [f"'{field}' is required." if kind == "missing" else f"'{field}': {message}." for field, kind, message in problems]
        raise Unprocessable(" ".join(sentences), "validation_error", errors=[{"field": field, "code": "required" if kind == "missing" else kind} for field, kind, _ in problems]) from None
