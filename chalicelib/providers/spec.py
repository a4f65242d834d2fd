"""The vocabulary of a provider file. Endpoint and method names are those of RFC 8414 and RFC 7591.

Evolution rule: a new word gets a default that means "as RFC 6749 says"; a word never changes its meaning.
URLs and hosts may hold `{name}` placeholders of `config` fields; `resolve` fills them and checks the result.
"""

import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from chalicelib.providers import quirks

ErrorClass = Literal["grant_dead", "registration", "transient", "weird"]
ClientAuthentication = Literal["client_secret_basic", "client_secret_post", "none"]
PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
FIXED_END = re.compile(r"\}(?:\.[a-z0-9-]+){2,}(?::\d+)?$")
# RFC 3986 2.3 unreserved: nothing in a config value can end a host, a path segment or a query, whatever its field's pattern lets through.
CONFIG_VALUE = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._~-]{1,253}")
RESERVED_PARAMETERS = frozenset({"client_id", "redirect_uri", "response_type", "state", "code_challenge", "code_challenge_method", "scope"})


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _endpoint(value: str) -> str:
    parts = urlsplit(PLACEHOLDER.sub("placeholder", value))
    if parts.scheme not in ("https", "http") or not parts.hostname or "@" in parts.netloc or parts.fragment or re.search(r"[\s\\\x00-\x1f]", value):
        raise ValueError("must be an absolute https URL without user name or fragment")
    return value


Endpoint = Annotated[str, Field(max_length=2048), AfterValidator(_endpoint)]


class Authorization(_Row):
    """The authorization request (RFC 6749 4.1.1)."""

    endpoint: Endpoint
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


class Token(_Row):
    """The token request (RFC 6749 4.1.3 and 6)."""

    endpoint: Endpoint
    refresh_endpoint: Endpoint | None = None
    authentication: ClientAuthentication = "client_secret_post"
    urlencode_basic: bool = True
    """RFC 6749 2.3.1 wants id and secret form-urlencoded inside Basic; off only for providers that decode them raw."""
    body: Literal["form", "json"] = "form"
    parameters: dict[str, str] = {}
    refresh_parameters: dict[str, str] = {}


class Revocation(_Row):
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


class Lifetimes(_Row):
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


class Identity(_Row):
    """Where the provider tells whose account this is. Paths are dotted into the token answer, the ID token's claims or the endpoint's JSON."""

    source: Literal["token_answer", "id_token", "endpoint", "none"] = "none"
    endpoint: Endpoint | None = None
    """Called with the access token as bearer; also the probe that tells whether a token the app reports as rejected still works."""
    account_id: str = ""
    name: tuple[str, ...] = ()
    """Paths in order of preference."""
    team: str = ""


class Scope(_Row):
    name: str = Field(min_length=1)
    description: str = Field(min_length=3)
    default: bool = False
    required: bool = False
    token: Literal["main", "user"] = "main"


class ConfigField(_Row):
    """A value the connecting user or administrator gives, put into endpoints (`{name}`)."""

    name: str = Field(pattern=r"^[a-z_]+$")
    label: str
    description: str
    pattern: str
    """Anchored regular expression the whole value matches."""
    suffixes: tuple[str, ...] = ()
    """If given, the resulting host must be one of these or end in '.' plus one of these."""
    default: str | None = None
    example: str = ""

    @model_validator(mode="after")
    def _anchored(self) -> "ConfigField":
        if not (self.pattern.startswith("^") and self.pattern.endswith("$")):
            raise ValueError("a config pattern is anchored with ^ and $")
        re.compile(self.pattern)
        return self


class Provider(_Row):
    """One third-party service."""

    slug: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    name: str = Field(min_length=1, max_length=100)
    description: str = Field(default="", max_length=500)
    documentation: tuple[str, ...] = ()
    """Pages of the provider this file was read from."""
    auth_methods: tuple[Literal["oauth", "api_key", "client_credentials"], ...] = ("oauth",)
    authorization: Authorization
    token: Token
    revocation: Revocation = Revocation(recipe="none")
    lifetimes: Lifetimes = Lifetimes()
    identity: Identity = Identity()
    scopes: tuple[Scope, ...] = ()
    scopes_required: bool = False
    client_secret_required: bool = True
    config: tuple[ConfigField, ...] = ()
    errors: dict[str, ErrorClass] = {}
    """The provider's own error words and what they mean; they win over the RFC's table."""
    metadata: dict[str, str] = {}
    """Facts of the token answer to keep beside the token: our name -> dotted path."""
    quirks: tuple[str, ...] = ()
    """Named repairs of the token answer, from quirks.py, applied in order."""
    setup: tuple[str, ...] = ()
    """What an administrator does at the provider, one step a line; `{redirect_uri}` is replaced by the registration's own."""
    custom: bool = False

    @model_validator(mode="after")
    def _known_words(self) -> "Provider":
        for name in self.quirks:
            if name not in quirks.QUIRKS:
                raise ValueError(f"unknown quirk '{name}'")
        if reserved := RESERVED_PARAMETERS & set(self.authorization.parameters):
            raise ValueError(f"authorization parameters may not set {', '.join(sorted(reserved))}")
        fields = {field.name: field for field in self.config}
        if "client_id" in fields:
            raise ValueError("a config field may not be named client_id")
        for word, url in self.endpoints().items():
            # The client id goes into the revocation's path; the OAuth door fills it in, percent-encoded.
            free = url.replace("/{client_id}/", "/") if word == "revocation" else url
            if unknown := set(PLACEHOLDER.findall(free)) - set(fields):
                raise ValueError(f"{url} uses {', '.join(sorted(unknown))}, which is no config field")
            host = urlsplit(url).netloc
            open_ended = [name for name in PLACEHOLDER.findall(host) if not fields[name].suffixes]
            if open_ended and not FIXED_END.search(host):
                raise ValueError(f"{url}: '{open_ended[-1]}' needs suffixes, or a fixed domain after it")
        return self

    def endpoints(self) -> dict[str, str]:
        """Every URL our servers or the user's browser are sent to, by the words used for it here."""
        found = {
            "authorization": self.authorization.endpoint,
            "token": self.token.endpoint,
            "refresh": self.token.refresh_endpoint,
            "revocation": self.revocation.endpoint,
            "identity": self.identity.endpoint,
        }
        return {name: url for name, url in found.items() if url}

    def default_scopes(self) -> list[str]:
        return [scope.name for scope in self.scopes if scope.default or scope.required]

    def required_scopes(self) -> set[str]:
        return {scope.name for scope in self.scopes if scope.required}


class ConfigError(ValueError):
    """A config value is missing or not allowed. `field` names it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def resolve(provider: Provider, values: dict[str, str]) -> Provider:
    """The provider with every `{placeholder}` filled from `values` or the field's default. Raises ConfigError.

    The value must match the field's pattern, and the host of every resulting URL must be the literal one of the file
    or end in one of the field's suffixes: a value can choose a tenant, never another host.
    """
    if not provider.config:
        return provider
    filled: dict[str, str] = {}
    for field in provider.config:
        value = values.get(field.name) or field.default
        if value is None:
            raise ConfigError(field.name, f"{provider.name} needs '{field.name}': {field.description}")
        # re.ASCII and fullmatch: '$' alone would let a trailing newline through, \w a unicode dot look-alike.
        if not CONFIG_VALUE.fullmatch(value) or not re.fullmatch(field.pattern, value, re.ASCII):
            raise ConfigError(field.name, f"'{field.name}' is not of the expected form{f', for example {field.example}' if field.example else ''}.")
        filled[field.name] = value

    def fill(url: str) -> str:
        result = PLACEHOLDER.sub(lambda match: filled.get(match.group(1), match.group(0)), url)
        host = urlsplit(result).hostname or ""
        for field in provider.config:
            chosen = field.suffixes and f"{{{field.name}}}" in urlsplit(url).netloc
            if chosen and not any(host == suffix or host.endswith("." + suffix) for suffix in field.suffixes):
                raise ConfigError(field.name, f"'{field.name}' must lie under {' or '.join(field.suffixes)}.")
        return result

    return with_endpoints(provider, fill)


def with_endpoints(provider: Provider, change: Any) -> Provider:
    """The provider with `change(url)` applied to every endpoint."""
    data = provider.model_dump()
    for section, key in (("authorization", "endpoint"), ("token", "endpoint"), ("token", "refresh_endpoint"), ("revocation", "endpoint"), ("identity", "endpoint")):
        if data[section][key]:
            data[section][key] = change(data[section][key])
    if data["authorization"]["issuer"]:
        data["authorization"]["issuer"] = PLACEHOLDER.sub("", data["authorization"]["issuer"]) and change(data["authorization"]["issuer"])
    data["config"] = ()
    return Provider.model_validate(data)
