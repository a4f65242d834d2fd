"""One connection of a file, whichever system wrote it: read from plain columns, checked, and described without its secrets.

Rule: a sentence about a row names its place and its field, and never what is in the field.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from chalicelib.domain.errors import Unprocessable
from chalicelib.domain.models import AuthMethod, Owner
from chalicelib.domain.secret import Secret
from chalicelib.domain.tokens import AdditionalToken, ExternalIdentity
from chalicelib.engine.installations import Brought, check_combination
from chalicelib.web.bodies import ConfigValues, Label, OpaqueId, ScopeName

Role = Literal["compatibility", "standard"]


class BadRow(Exception):
    """What is wrong with a row, as a sentence for whoever has the file."""

    def __init__(self, where: str, field: str, sentence: str) -> None:
        super().__init__(f"{where}: {field}: {sentence}" if field else f"{where}: {sentence}")


@dataclass(frozen=True, kw_only=True)
class Row:
    """`where`: its place in the file. `provider` as the file calls it; `slug` as this stage does."""

    where: str
    provider: str
    slug: str
    owner: Owner
    auth_method: AuthMethod
    brought: Brought = field(default_factory=Brought)
    secret: Secret | None = None
    """An API key, or the secret of client credentials."""
    client_id: str | None = None
    display_name: str | None = None
    account_identifier: str | None = None
    established_by: str | None = None
    source_id: str | None = None
    role: Role | None = None
    created_at: datetime | None = None
    disconnected: bool = False
    handed_over: bool | None = None
    """Whether the system it comes from has let go of the grant; None = it does not say."""

    @property
    def state(self) -> str:
        """What it becomes here."""
        if self.disconnected:
            return "disconnected"
        return "connected" if self.held is not None and not self.brought.needs_reauthorization else "needs_reauthorization"

    @property
    def held(self) -> Secret | None:
        """What tells this row's grant from another's: its refresh token, or what it has instead."""
        return self.brought.refresh_token or self.secret or self.brought.access_token

    @property
    def shape(self) -> str:
        if self.owner.user_id is None:
            return "organization"
        return "user in organization" if self.owner.organization_id else "user"

    @property
    def rotates(self) -> bool:
        """Whether two systems that refresh it would get in each other's way."""
        return self.auth_method == "oauth" and self.brought.refresh_token is not None


def _nothing(value: Any) -> Any:
    """An empty cell is no value."""
    return None if isinstance(value, str) and not value.strip() else value


def _scopes(value: Any) -> Any:
    """Scopes as providers and people write them: with spaces, commas, or as a list."""
    value = _nothing(value)
    return value.replace(",", " ").split() if isinstance(value, str) else value


Text = Annotated[str | None, BeforeValidator(_nothing)]
Id = Annotated[OpaqueId | None, BeforeValidator(_nothing)]
Label_ = Annotated[Label | None, BeforeValidator(_nothing)]
Hidden = Annotated[Secret | None, BeforeValidator(_nothing)]
When = Annotated[AwareDatetime | None, BeforeValidator(_nothing)]


class _Additional(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    access_token: Secret
    refresh_token: Hidden = None
    expires_at: When = None
    scopes: list[ScopeName] = []


class _External(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    account_id: str | None = None
    name: str | None = None
    team: str | None = None


class Columns(BaseModel):
    """The columns of a plain file. Those after `config` are only in Standpipe's own exports."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    provider: Annotated[str, Field(min_length=1, max_length=255)]
    user_id: Id = None
    organization_id: Id = None
    connection_owner: Annotated[Literal["user", "organization"] | None, BeforeValidator(_nothing)] = None
    connected_account_id: Id = None
    connection_role: Annotated[Role | None, BeforeValidator(_nothing)] = None
    auth_method: Annotated[AuthMethod | None, BeforeValidator(_nothing)] = None
    state: Annotated[Literal["connected", "needs_reauthorization", "disconnected"] | None, BeforeValidator(_nothing)] = None
    access_token: Hidden = None
    refresh_token: Hidden = None
    expires_at: When = None
    scopes: Annotated[list[ScopeName] | None, BeforeValidator(_scopes)] = None
    api_key: Hidden = None
    client_id: Annotated[Annotated[str, Field(max_length=512)] | None, BeforeValidator(_nothing)] = None
    client_secret: Hidden = None
    account_display_name: Label_ = None
    account_identifier: Label_ = None
    established_by_user_id: Id = None
    created_at: When = None
    renewable: bool | None = None
    config: ConfigValues = {}
    handed_over: bool | None = None
    additional_tokens: dict[str, _Additional] = {}
    metadata: dict[str, str] = {}
    external: _External | None = None
    refresh_expires_at: When = None
    grant_expires_at: When = None


OWN = ("handed_over", "additional_tokens", "metadata", "external", "refresh_expires_at", "grant_expires_at")
PLAIN = tuple(name for name in Columns.model_fields if name not in OWN)


def row_of(where: str, values: Mapping[str, Any], slugs: Mapping[str, str]) -> Row:
    """A row from its columns. `slugs`: what a provider of the file is called here, where that differs. Raises BadRow."""
    try:
        columns = Columns.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise BadRow(where, "", f"there is no column '{name}'. Known are {', '.join(PLAIN)}.") from None
        raise BadRow(where, name, "is required." if first["type"] == "missing" else f"{first['msg']}.") from None
    owner, established_by = _owner(where, columns)
    method = columns.auth_method or ("api_key" if columns.api_key else "client_credentials" if columns.client_secret else "oauth")
    disconnected = columns.state == "disconnected"
    brought, secret = (Brought(), None) if disconnected else (Brought(config=columns.config), _secret(where, columns, method)) if method != "oauth" else (_brought(where, columns), None)
    return Row(
        where=where,
        provider=columns.provider,
        slug=slugs.get(columns.provider, columns.provider),
        owner=owner,
        auth_method=method,
        brought=brought,
        secret=secret,
        client_id=columns.client_id if method == "client_credentials" else None,
        display_name=columns.account_display_name,
        account_identifier=columns.account_identifier,
        established_by=columns.established_by_user_id or established_by,
        source_id=columns.connected_account_id,
        role=columns.connection_role,
        created_at=columns.created_at,
        disconnected=disconnected,
        handed_over=columns.handed_over,
    )


def _owner(where: str, columns: Columns) -> tuple[Owner, str | None]:
    """Whose it is, and, where it is an organization's, who connected it."""
    if columns.connection_owner == "organization" or (columns.connection_owner is None and columns.user_id is None):
        if columns.organization_id is None:
            if columns.connection_owner is None:
                raise BadRow(where, "user_id", "is required, or an organization_id for a connection that its members share.")
            raise BadRow(where, "organization_id", "is required where connection_owner is 'organization'.")
        return Owner(organization_id=columns.organization_id), columns.user_id
    if columns.user_id is None:
        raise BadRow(where, "user_id", "is required where connection_owner is 'user'.")
    return Owner(user_id=columns.user_id, organization_id=columns.organization_id), None


def _secret(where: str, columns: Columns, method: AuthMethod) -> Secret | None:
    waits = columns.state == "needs_reauthorization"
    if method == "api_key":
        if columns.api_key is None and not waits:
            raise BadRow(where, "api_key", "is required where auth_method is 'api_key'.")
        return columns.api_key
    missing = next((name for name in ("client_id", "client_secret") if getattr(columns, name) is None), None)
    if missing and not waits:
        raise BadRow(where, missing, "is required where auth_method is 'client_credentials'.")
    return None if missing else columns.client_secret


def _brought(where: str, columns: Columns) -> Brought:
    brought = Brought(
        access_token=columns.access_token,
        refresh_token=columns.refresh_token,
        expires_at=columns.expires_at,
        scopes=tuple(columns.scopes) if columns.scopes is not None else None,
        needs_reauthorization=columns.state == "needs_reauthorization",
        renewable=columns.renewable is not False,
        config=columns.config,
        additional={name: AdditionalToken(each.access_token, each.refresh_token, each.expires_at, tuple(each.scopes)) for name, each in columns.additional_tokens.items()},
        metadata=columns.metadata,
        identity=ExternalIdentity(columns.external.account_id, columns.external.name, columns.external.team) if columns.external else None,
        refresh_expires_at=columns.refresh_expires_at,
        grant_expires_at=columns.grant_expires_at,
    )
    if columns.state == "connected" and columns.access_token is None and columns.refresh_token is None:
        raise BadRow(where, "access_token", "is required where state is 'connected'. Leave the state out, and its user is asked to connect again.")
    try:
        check_combination(brought)
    except Unprocessable as error:
        raise BadRow(where, error.errors[0]["field"] if error.errors else "", error.message) from None
    return brought
