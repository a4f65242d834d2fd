"""The settings of one stage, read once from the environment and checked at boot, not at the first click. The only reader of `os.environ`."""

import os
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

LEASE_TTL = timedelta(seconds=45)  # more than two provider calls and the store: a holder never outlives its lease
PROVIDER_CONNECT_TIMEOUT = 5.0
PROVIDER_DEADLINE = 10.0  # total seconds of one provider call, whatever it drips
STORE_BUDGET = 5.0  # seconds kept for storing what the provider answered
PENDING_TTL = timedelta(minutes=10)
PARKED_CODE_TTL = timedelta(seconds=90)
PREFIX = "STANDPIPE_"


def _words(value: object) -> object:
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], BeforeValidator(_words)]


class Settings(BaseModel):
    """One stage. Every field is the environment variable `STANDPIPE_<NAME>`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    environment: Literal["sandbox", "production"]
    stage: str = Field(pattern=r"^[a-z0-9-]{1,32}$")
    url: str
    table: str
    key_arn: str = Field(pattern=r"^arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+$")
    encryption: Literal["audited", "bound", "shared"] = "bound"
    app_name: str = "This application"
    return_urls: Words = ()
    require_proof: bool = False
    allowed_private_hosts: Words = ()
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @property
    def sandbox(self) -> bool:
        return self.environment == "sandbox"

    @field_validator("url")
    @classmethod
    def _origin_only(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("https", "http") or not parts.netloc or parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
            raise ValueError("must be an origin such as https://connect.example.com, with no path (WorkOS clients drop path prefixes)")
        return f"{parts.scheme}://{parts.netloc}"

    @model_validator(mode="after")
    def _safe_for_production(self) -> "Settings":
        if not self.sandbox and not self.url.startswith("https://"):
            raise ValueError("STANDPIPE_URL must be https in production")
        if not self.sandbox and self.allowed_private_hosts:
            raise ValueError("STANDPIPE_ALLOWED_PRIVATE_HOSTS is for a sandbox only")
        return self


class SettingsError(Exception):
    """The environment does not describe a stage; the text names every variable that is missing or wrong."""


def read(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from `environ` (the process's own by default). Raises SettingsError."""
    from pydantic import ValidationError

    environ = os.environ if environ is None else environ
    values = {name[len(PREFIX) :].lower(): value for name, value in environ.items() if name.startswith(PREFIX) and value != ""}
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        problems = "; ".join(f"{PREFIX}{'_'.join(str(p) for p in e['loc']).upper() or 'settings'}: {e['msg']}" for e in error.errors(include_input=False, include_url=False))
        raise SettingsError(f"Standpipe cannot start with this environment: {problems}") from None
