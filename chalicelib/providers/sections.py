"""The sections of a provider file, each a frozen row. Endpoint and method names are those of RFC 8414 and RFC 7591.

Evolution rule: a new word gets a default that means "as RFC 6749 says"; a word never changes its meaning.
"""

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from chalicelib.domain.models import AuthMethod

ErrorClass = Literal["grant_dead", "registration", "transient", "weird"]
ClientAuthentication = Literal["client_secret_basic", "client_secret_post", "none"]
# RFC 9110 5.6.2; what a header of a request to the provider may be called.
HEADER_NAME = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"
PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
RESERVED_PARAMETERS = frozenset({"client_id", "redirect_uri", "response_type", "state", "code_challenge", "code_challenge_method", "scope"})


class Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _endpoint(value: str) -> str:
    parts = urlsplit(PLACEHOLDER.sub("placeholder", value))
    if parts.scheme not in ("https", "http") or not parts.hostname or "@" in parts.netloc or parts.fragment or re.search(r"[\s\\\x00-\x1f]", value):
        raise ValueError("must be an absolute https URL without user name or fragment")
    return value


def _anchored(value: str) -> str:
    if value and not (value.startswith("^") and value.endswith("$")):
        raise ValueError("a pattern is anchored with ^ and $")
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None
    return value


Endpoint = Annotated[str, Field(max_length=2048), AfterValidator(_endpoint)]
MaybeEndpoint = Annotated[str, Field(max_length=2048), AfterValidator(lambda value: _endpoint(value) if value else "")]
Pattern = Annotated[str, AfterValidator(_anchored)]
Headers = dict[Annotated[str, Field(pattern=HEADER_NAME)], Annotated[str, Field(pattern=r"^[\x20-\x7e]*$")]]


class Authorization(Row):
    """The authorization request (RFC 6749 4.1.1)."""

    endpoint: MaybeEndpoint = ""
    """"" = the provider has none, and "oauth" is not among its methods."""
    parameters: dict[str, str] = {}
    """Fixed extra parameters; a reserved name is never overridden by them."""
    scope_separator: str = " "
    scope_parameter: str = "scope"
    user_scope_parameter: str = ""
    """Slack: the parameter that carries the scopes whose `token` is `user`."""
    code_challenge_method: Literal["S256", "none"] = "S256"
    issuer: str = ""
    """RFC 9207: if set, an `iss` in the authorization response must equal it."""
    iss_parameter_supported: bool = False
    """RFC 9207: the provider promises `iss`, so its absence is refused."""


class Token(Row):
    """The token request (RFC 6749 4.1.3 and 6)."""

    endpoint: MaybeEndpoint = ""
    refresh_endpoint: Endpoint | None = None
    authentication: ClientAuthentication = "client_secret_post"
    urlencode_basic: bool = True
    """RFC 6749 2.3.1 wants id and secret form-urlencoded inside Basic; off only for providers that decode them raw."""
    body: Literal["form", "json"] = "form"
    headers: Headers = {}
    """Fixed extra headers, an API version for one; sent to an RFC 7009 revocation as well."""
    parameters: dict[str, str] = {}
    refresh_parameters: dict[str, str] = {}


class Revocation(Row):
    """How a grant is ended at the provider. `recipe` says which token goes where; RFC 7009 unless the provider wants it otherwise."""

    recipe: Literal["rfc7009", "bearer", "basic_json", "none"] = "rfc7009"
    """rfc7009: form POST of `token`, client authentication as at the token endpoint. bearer: the access token in the Authorization
    header (Slack `auth.revoke`). basic_json: client Basic, JSON body `{"access_token": …}` (GitHub). none: the provider offers no way."""
    endpoint: Endpoint | None = None
    """May hold `/{client_id}/` in its path (GitHub): the one placeholder that is no config field."""
    method: Literal["POST", "DELETE"] = "POST"
    token: Literal["refresh_token", "access_token"] = "refresh_token"
    """Which token to present; the other one where the connection has only that."""
    client_authentication: bool = True
    ends: Literal["grant", "token", "user"] = "grant"
    """What the call kills: this grant, one token, or every grant of this user to our client (then a stray grant is left alone)."""
    gone_statuses: tuple[int, ...] = ()
    """Statuses that mean "already gone", which is success."""
    gone_errors: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> "Revocation":
        if (self.recipe == "none") != (self.endpoint is None):
            raise ValueError("a revocation recipe has an endpoint, and 'none' has not")
        return self


class Lifetimes(Row):
    """What the provider's documentation says of its tokens, in seconds; 0 = no limit known or none."""

    access_token: int = 0
    """Assumed when the answer has no `expires_in`; 0 = such a token does not expire."""
    refresh_token: int = 0
    """Fixed life of a refresh token from the moment it was issued."""
    refresh_token_idle: int = 0
    """A refresh token unused this long dies."""
    grant: int = 0
    """Absolute limit counted from the user's consent."""
    rotation: Literal["none", "single_use", "optional"] = "optional"
    """Whether a refresh replaces the refresh token. Only "none" means that an answer lost on the way costs nothing."""
    grace: int = 0
    """How long a rotated refresh token may be tried again."""
    refresh_expires_in_field: str = ""
    """Field of the answer with the refresh token's remaining life in seconds."""
    refused_hint: str = ""
    """What else than the person's own word makes this provider refuse a grant, in a sentence for the developer who sees `refused`."""
    notes: tuple[str, ...] = ()


class Identity(Row):
    """Where the provider tells whose account this is. Paths are dotted into the token answer, the ID token's claims or the endpoint's JSON."""

    source: Literal["token_answer", "id_token", "endpoint", "none"] = "none"
    endpoint: Endpoint | None = None
    """Called with the access token as bearer; also the probe that tells whether a token the app reports as rejected still works."""
    method: Literal["GET", "POST"] = "GET"
    body: str = ""
    """Sent as it is with a POST, as JSON (GraphQL, or `null` where the provider wants it)."""
    headers: Headers = {}
    """Fixed extra headers, an API version for one."""
    account_id: str = ""
    name: tuple[str, ...] = ()
    """Paths in order of preference."""
    team: str = ""


class Scope(Row):
    name: str = Field(min_length=1)
    description: str = Field(min_length=3)
    default: bool = False
    required: bool = False
    token: Literal["main", "user"] = "main"


class ConfigField(Row):
    """A value the connecting user or administrator gives, put (`{name}`) into endpoints, client_credentials parameters and the verify request's user name."""

    name: str = Field(pattern=r"^[a-z_]+$")
    label: str
    description: str
    pattern: Pattern = Field(min_length=2)
    """Anchored regular expression the whole value matches."""
    suffixes: tuple[str, ...] = ()
    """If given, the resulting host must be one of these or end in '.' plus one of these."""
    default: str | None = None
    example: str = ""
    auth_methods: tuple[AuthMethod, ...] = ()
    """The methods that need it; empty = all of the provider's."""


class ClientCredentials(Row):
    """The client credentials grant (RFC 6749 4.4), with a client id and secret that a customer enters: the connection's own, not ours."""

    endpoint: Endpoint | None = None
    """None = the token endpoint."""
    authentication: Literal["client_secret_basic", "client_secret_post"] = "client_secret_post"
    urlencode_basic: bool = True
    body: Literal["form", "json"] = "form"
    headers: Headers = {}
    parameters: dict[str, str] = {}
    """Fixed extra parameters, which may hold config placeholders; `grant_type` only for a provider that calls its grant otherwise."""
    scope_parameter: str = "scope"
    """"" = no scopes are ever sent: what the client may do is fixed at the provider."""
    scope_separator: str = " "
    expires_in: int = 0
    """Life assumed when the answer has none, in seconds; 0 = such a token does not expire."""
    client_id_label: str = "Client ID"
    client_secret_label: str = "Client secret"
    description: str = ""
    """Where a person finds the two."""


class Verify(Row):
    """One request that tells whether an entered API key is good, and whose it is. The key goes into a header, never into the URL."""

    endpoint: Endpoint
    method: Literal["GET", "POST"] = "GET"
    body: str = ""
    headers: Headers = {}
    send: Literal["bearer", "basic_username", "basic_password", "header"] = "bearer"
    """bearer: `Authorization: Bearer <key>`. basic_username: the key as user name, no password. basic_password: the key as password of
    `username`. header: `<prefix><key>` in `header`."""
    username: str = ""
    """May hold config placeholders."""
    header: str = Field(default="Authorization", pattern=HEADER_NAME)
    prefix: str = Field(default="", pattern=r"^[\x20-\x7e]*$")
    refused_statuses: tuple[int, ...] = (401, 403)
    """Statuses that are the provider's word against the key; any other failure leaves it open."""
    account_id: str = ""
    """Dotted path into the answer; without it no account is known."""
    name: tuple[str, ...] = ()
    team: str = ""


class ApiKeyMethod(Row):
    """A key that a person copies from the provider and that does not expire by itself."""

    label: str = "API key"
    description: str = ""
    """Where a person finds it."""
    pattern: Pattern = ""
    """Anchored regular expression the whole key matches; "" = any."""
    example: str = ""
    header: str = Field(default="Authorization", pattern=HEADER_NAME)
    """For the developer: the header in which the provider's API takes the key."""
    prefix: str = "Bearer "
    """For the developer: what stands before the key in that header."""
    usage: str = ""
    """For the developer: how the key is sent where header and prefix do not say all."""
    verify: Verify | None = None

    def allows(self, secret_text: str) -> bool:
        """Whether it looks like a key of this provider."""
        return not self.pattern or re.fullmatch(self.pattern, secret_text, re.ASCII) is not None
