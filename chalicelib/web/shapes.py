"""What the API answers, as types: the wire functions are held to them, and openapi.py makes the file for everybody else from them.

Rule: a key is always there unless it is marked NotRequired; what is not known is null. Times are ISO 8601 in UTC with milliseconds.
Imported for type checking and by openapi.py only: a fetch of a token does without.
"""

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from chalicelib.domain.models import AuthMethod, Ownership, State

Holder = Literal["user", "organization"]
Role = Literal["compatibility", "standard"]
CredentialsType = Literal["oauth2", "api_key", "client_credentials"]


class FieldError(TypedDict):
    """A field of the request that is wrong; `code` is a word."""

    field: str
    code: str


class Error(TypedDict):
    """Every error. `message` is for a person to read and may change; `code` does not."""

    message: str
    code: str
    errors: NotRequired[list[FieldError]]


class ListMetadata(TypedDict):
    """Cursors of the pages around this one; null where there is none."""

    before: str | None
    after: str | None


class AdditionalToken(TypedDict):
    """A second token of the same grant."""

    access_token: str
    expires_at: str | None
    scopes: list[str]


class AccessToken(TypedDict):
    """A live access token. `expires_at` null: it does not expire. `generation` names it where it is reported as rejected."""

    object: Literal["access_token"]
    access_token: str
    token_type: str
    expires_at: str | None
    scopes: list[str]
    missing_scopes: list[str]
    generation: int
    connected_account_id: str
    metadata: dict[str, str]
    additional_tokens: NotRequired[dict[str, AdditionalToken]]


class ActiveToken(TypedDict):
    """The account is connected, and this is its token."""

    active: Literal[True]
    access_token: AccessToken


class Inactive(TypedDict):
    """There is no token until a person connects. `message` is a sentence an end user can read; `hint` is for a developer."""

    active: Literal[False]
    error: Literal["not_installed", "needs_reauthorization"]
    reason: str | None
    message: str
    hint: NotRequired[str]


TokenAnswer = ActiveToken | Inactive


class ApiKeyCredential(TypedDict):
    """The API key that was entered."""

    object: Literal["credential"]
    auth_method: Literal["api_key"]
    value: str
    config: dict[str, str]
    generation: int
    connected_account_id: str


class TokenCredential(TypedDict):
    """An access token, however it is got."""

    object: Literal["credential"]
    auth_method: Literal["oauth", "client_credentials"]
    value: str
    config: dict[str, str]
    generation: int
    connected_account_id: str
    token_type: str
    expires_at: str | None
    scopes: list[str]
    missing_scopes: list[str]
    metadata: dict[str, str]


class ActiveCredential(TypedDict):
    """The account is connected, and this is what to show the provider."""

    active: Literal[True]
    credential: ApiKeyCredential | TokenCredential


CredentialsAnswer = ActiveCredential | Inactive


class AuthorizeAnswer(TypedDict):
    """A link for one browser, good for ten minutes. `completion`: the flow ends with POST /data-integrations/finish."""

    url: str
    state: str
    completion: NotRequired[Literal["finish_required"]]


class Warning(TypedDict):
    """Something about an account that somebody may want to look at."""

    code: Literal["degraded", "duplicate_account_display_name"]
    message: str


class ShownAccount(TypedDict):
    """A connection, as whoever owns it sees it."""

    object: Literal["connected_account"]
    id: str
    connection_role: Role
    account_identifier: str | None
    account_display_name: str | None
    user_id: str | None
    organization_id: str | None
    scopes: list[str]
    missing_scopes: list[str]
    state: State
    state_reason: str | None
    message: str | None
    auth_method: AuthMethod
    api_key_last_4: str | None
    client_id: str | None
    client_secret_last_4: str | None
    config: dict[str, str]
    team: str | None
    established_by_user_id: str | None
    warnings: list[Warning]
    handed_over_at: str | None
    expires_at: str | None
    reauthorization_expected_at: str | None
    created_at: str
    updated_at: str
    userlandUserId: str | None
    organizationId: str | None
    createdAt: str
    updatedAt: str


class ConnectedAccount(ShownAccount):
    """A connection. Names in camel case repeat others, for older clients."""

    metadata: dict[str, str]
    generation: int
    last_used_at: str | None
    refreshed_at: str | None


class FinishAnswer(TypedDict):
    """The account that was connected."""

    connected_account: ConnectedAccount


class DataProvider(TypedDict):
    """A provider as one owner sees it, with that owner's accounts."""

    object: Literal["data_provider"]
    id: str
    name: str
    description: str
    slug: str
    integration_type: str
    credentials_type: CredentialsType
    scopes: list[str]
    connection_owner: Holder
    ownership: Ownership
    auth_methods: list[AuthMethod]
    connected_account: ConnectedAccount | None
    connected_accounts: list[ConnectedAccount]
    created_at: str
    updated_at: str
    integrationType: str
    credentialsType: CredentialsType
    createdAt: str
    updatedAt: str


class DataProviders(TypedDict):
    """All of them."""

    object: Literal["list"]
    data: list[DataProvider]


class WidgetToken(TypedDict):
    """A JWT that lets a page act for one person."""

    token: str


class Health(TypedDict):
    """The code runs."""

    status: Literal["ok"]


class OpenApi(TypedDict):
    """This file."""

    openapi: str
    info: dict[str, str]
    servers: list[dict[str, str]]
    tags: list[dict[str, str]]
    paths: dict[str, Any]
    components: dict[str, Any]
