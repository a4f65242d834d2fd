"""Request bodies, as the contract names their fields. Unknown fields are ignored, wrong ones are answered with a sentence each."""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from chalicelib.domain.errors import Unprocessable
from chalicelib.domain.secret import Secret

OpaqueId = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$")]
Verifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9\-._~]{43,128}$")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)


class TokenBody(_Body):
    user_id: OpaqueId
    organization_id: OpaqueId | None = None
    connected_account_id: OpaqueId | None = None
    connection_owner: Literal["user"] | None = None
    min_ttl: Annotated[int, Field(ge=0, le=86400)] = 60


class RejectedBody(TokenBody):
    generation: Annotated[int, Field(ge=1)]


class AuthorizeBody(_Body):
    user_id: OpaqueId
    organization_id: OpaqueId | None = None
    connection_owner: Literal["user"] | None = None
    return_to: Annotated[str, Field(max_length=2048)] | None = None
    code_challenge: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9\-_]{43}$")] | None = None
    code_challenge_method: Literal["S256"] | None = None
    config: dict[str, Annotated[str, Field(max_length=255)]] | None = None
    connection_intent: Literal["reauthorize"] | None = None
    connected_account_id: OpaqueId | None = None
    account_display_name: Annotated[str, Field(max_length=255)] | None = None
    user_display_name: Annotated[str, Field(max_length=255)] | None = None


class FinishBody(_Body):
    connect_code: Annotated[str, Field(max_length=512)]
    code_verifier: Verifier
    state: Annotated[str, Field(max_length=512)] | None = None
    user_id: OpaqueId | None = None


class CredentialsBody(_Body):
    type: Literal["custom", "organization", "shared"] = "custom"
    client_id: Annotated[str, Field(min_length=1, max_length=512)] | None = None
    client_secret: Secret | None = None


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


class UpdateDataIntegrationBody(_Body):
    description: Annotated[str, Field(max_length=500)] | None = None
    enabled: bool | None = None
    scopes: list[Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[\x21\x23-\x5b\x5d-\x7e]+$")]] | None = None
    config: dict[str, Annotated[str, Field(max_length=255)]] | None = None
    credentials: CredentialsBody | None = None
    custom_provider: CustomProviderBody | None = None


def _not_a_route(slug: str) -> str:
    if slug == "finish":  # POST /data-integrations/finish is a route of its own
        raise ValueError("is taken by a route; choose another slug")
    return slug


class CreateDataIntegrationBody(UpdateDataIntegrationBody):
    provider: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$"), AfterValidator(_not_a_route)]
    ownership: Literal["userland_user", "user"] = "userland_user"
    auth_methods: list[Literal["oauth"]] = ["oauth"]


Model = TypeVar("Model", bound=BaseModel)


def read(model: type[Model], given: dict[str, Any]) -> Model:
    """The body as a model. Raises Unprocessable with a sentence for every wrong field."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        problems = [(".".join(str(part) for part in e["loc"]), e["type"], e["msg"]) for e in error.errors(include_input=False, include_url=False)]
        sentences = [f"'{field}' is required." if kind == "missing" else f"'{field}': {message}." for field, kind, message in problems]
        raise Unprocessable(" ".join(sentences), "validation_error", errors=[{"field": field, "code": "required" if kind == "missing" else kind} for field, kind, _ in problems]) from None
