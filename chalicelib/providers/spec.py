"""A provider: what its file says, as one frozen row of sections, and its endpoints filled in.

URLs and hosts may hold `{name}` placeholders of `config` fields; `resolve` fills them and checks the result.
"""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator, model_validator

from chalicelib.domain.models import AuthMethod
from chalicelib.providers import quirks
from chalicelib.providers.sections import (
    PLACEHOLDER,
    RESERVED_PARAMETERS,
    ApiKeyMethod,
    Authorization,
    ClientCredentials,
    ConfigField,
    ErrorClass,
    Identity,
    Lifetimes,
    Revocation,
    Row,
    Scope,
    Token,
    Verify,
)

__all__ = [
    "PLACEHOLDER",
    "RESERVED_PARAMETERS",
    "ApiKeyMethod",
    "Authorization",
    "ClientCredentials",
    "ConfigError",
    "ConfigField",
    "Identity",
    "Lifetimes",
    "Provider",
    "Revocation",
    "Scope",
    "Token",
    "Verify",
    "check_value",
    "resolve",
    "with_endpoints",
]
FIXED_END = re.compile(r"\}(?:\.[a-z0-9-]+){2,}(?::\d+)?$")
# RFC 3986 2.3 unreserved: nothing in a config value can end a host, a path segment or a query, whatever its field's pattern lets through.
URL_VALUE = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._~-]{1,253}")
# Of a field that stands in no URL: printable, no blank, and no colon, which would end the user name of Basic authentication (RFC 7617 2).
OTHER_VALUE = re.compile(r"[!-9;-~]{1,253}")


class Provider(Row):
    """One third-party service."""

    slug: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    name: str = Field(min_length=1, max_length=100)
    description: str = Field(default="", max_length=500)
    icon: str = Field(default="", pattern=r"^[a-z0-9]{0,50}$")
    """Its name in simple-icons; `make frontend` makes the picture of it."""
    documentation: tuple[str, ...] = ()
    """Pages of the provider this file was read from."""
    auth_methods: tuple[AuthMethod, ...] = Field(default=("oauth",), min_length=1)
    """How a connection can be made, the one to offer first being the first."""
    authorization: Authorization = Field(default=Authorization(), validate_default=True)
    token: Token = Field(default=Token(), validate_default=True)
    client_credentials: ClientCredentials = Field(default=ClientCredentials(), validate_default=True)
    api_key: ApiKeyMethod = ApiKeyMethod()
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

    @field_validator("authorization", "token")
    @classmethod
    def _complete_for_oauth(cls, section: Authorization | Token, info: ValidationInfo) -> Authorization | Token:
        if "oauth" in info.data.get("auth_methods", ()) and not section.endpoint:
            raise ValueError(f"the auth method 'oauth' needs an endpoint in [{info.field_name}]")
        return section

    @field_validator("client_credentials")
    @classmethod
    def _complete_for_client_credentials(cls, section: ClientCredentials, info: ValidationInfo) -> ClientCredentials:
        token = info.data.get("token")
        if "client_credentials" in info.data.get("auth_methods", ()) and token is not None and not (section.endpoint or token.endpoint):
            raise ValueError("the auth method 'client_credentials' needs an endpoint in [client_credentials] or [token]")
        return section

    @model_validator(mode="after")
    def _known_words(self) -> "Provider":
        for name in self.quirks:
            if name not in quirks.QUIRKS:
                raise ValueError(f"unknown quirk '{name}'")
        if len(set(self.auth_methods)) != len(self.auth_methods):
            raise ValueError("an auth method is listed twice")
        if reserved := RESERVED_PARAMETERS & set(self.authorization.parameters):
            raise ValueError(f"authorization parameters may not set {', '.join(sorted(reserved))}")
        fields = {field.name: field for field in self.config}
        if "client_id" in fields:
            raise ValueError("a config field may not be named client_id")
        for text in self._texts():
            if unknown := set(PLACEHOLDER.findall(text)) - set(fields):
                raise ValueError(f"{text} uses {', '.join(sorted(unknown))}, which is no config field")
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

    def _texts(self) -> list[str]:
        """What else than a URL may hold placeholders."""
        return [*self.client_credentials.parameters.values(), *([self.api_key.verify.username] if self.api_key.verify else [])]

    def endpoints(self) -> dict[str, str]:
        """Every URL our servers or the user's browser are sent to, by the words used for it here."""
        found = {
            "authorization": self.authorization.endpoint,
            "token": self.token.endpoint,
            "refresh": self.token.refresh_endpoint,
            "revocation": self.revocation.endpoint,
            "identity": self.identity.endpoint,
            "client_credentials": self.client_credentials.endpoint,
            "verify": self.api_key.verify.endpoint if self.api_key.verify else None,
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


def resolve(provider: Provider, values: dict[str, str], auth_method: AuthMethod | None = None) -> Provider:
    """The provider with every `{placeholder}` filled from `values` or the field's default. Raises ConfigError.

    The value must match the field's pattern, and the host of every resulting URL must be the literal one of the file
    or end in one of the field's suffixes: a value can choose a tenant, never another host.
    A field that only other methods than `auth_method` need (None: a field that not all need) may be missing, and stays unfilled.
    """
    filled: dict[str, str] = {}
    for field in provider.config:
        value = values.get(field.name) or field.default
        if value is not None:
            filled[field.name] = _checked(provider, field, value)
        elif not field.auth_methods or auth_method in field.auth_methods:
            raise ConfigError(field.name, f"{provider.name} needs '{field.name}': {field.description}")
    return _filled(provider, filled) if filled else provider


def check_value(provider: Provider, name: str, value: str) -> None:
    """Whether the config field of that name may have the value, whatever the others have. Raises ConfigError."""
    field = next((field for field in provider.config if field.name == name), None)
    if field is None:
        raise ConfigError(name, f"{provider.name} has no config field '{name[:64]}'.")
    _filled(provider, {name: _checked(provider, field, value)})


def _checked(provider: Provider, field: ConfigField, value: str) -> str:
    in_url = any(f"{{{field.name}}}" in url for url in provider.endpoints().values())
    # re.ASCII and fullmatch: '$' alone would let a trailing newline through, \w a unicode dot look-alike.
    if not (URL_VALUE if in_url else OTHER_VALUE).fullmatch(value) or not re.fullmatch(field.pattern, value, re.ASCII):
        raise ConfigError(field.name, f"'{field.name}' is not of the expected form{f', for example {field.example}' if field.example else ''}.")
    return value


def _filled(provider: Provider, values: dict[str, str]) -> Provider:
    def fill(text: str) -> str:
        return PLACEHOLDER.sub(lambda match: values.get(match.group(1), match.group(0)), text)

    def fill_url(url: str) -> str:
        result = fill(url)
        host = urlsplit(result).hostname or ""
        for field in provider.config:
            chosen = field.name in values and field.suffixes and f"{{{field.name}}}" in urlsplit(url).netloc
            if chosen and not any(host == suffix or host.endswith("." + suffix) for suffix in field.suffixes):
                raise ConfigError(field.name, f"'{field.name}' must lie under {' or '.join(field.suffixes)}.")
        return result

    return _changed(provider, fill_url, fill, tuple(field for field in provider.config if field.name not in values))


def with_endpoints(provider: Provider, change: Callable[[str], str]) -> Provider:
    """The provider with `change(url)` applied to every endpoint."""
    return _changed(provider, change, str, provider.config)


def _changed(provider: Provider, change_url: Callable[[str], str], change_text: Callable[[str], str], config: tuple[ConfigField, ...]) -> Provider:
    data = provider.model_dump()
    verify = data["api_key"]["verify"] or {}
    places = [(data["authorization"], "endpoint"), (data["token"], "endpoint"), (data["token"], "refresh_endpoint"), (data["revocation"], "endpoint"), (data["identity"], "endpoint")]
    for section, key in [*places, (data["client_credentials"], "endpoint"), (verify, "endpoint"), (data["authorization"], "issuer")]:
        if section.get(key):
            section[key] = change_url(section[key])
    parameters = data["client_credentials"]["parameters"]
    parameters.update({name: change_text(value) for name, value in parameters.items()})
    if verify:
        verify["username"] = change_text(verify["username"])
    data["config"] = config
    return Provider.model_validate(data)
