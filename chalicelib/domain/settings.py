"""The settings of one stage, read once from the environment and checked at boot, not at the first click. The only reader of `os.environ`.

Plain functions do the checking, not pydantic: a fresh container would import it for this page alone before it answers its first fetch.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

LEASE_TTL = timedelta(seconds=60)  # two provider calls and the store, and half a minute by which two clocks may differ: a holder never outlives its lease
PROVIDER_CONNECT_TIMEOUT = 5.0
PROVIDER_DEADLINE = 10.0  # total seconds of one provider call, whatever it drips
STORE_BUDGET = 5.0  # seconds kept for storing what the provider answered
PENDING_TTL = timedelta(minutes=10)
PARKED_CODE_TTL = timedelta(seconds=90)
PREFIX = "STANDPIPE_"


SWITCH = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One stage. Every field is the environment variable `STANDPIPE_<NAME>`."""

    environment: Literal["sandbox", "production"]
    stage: str
    url: str
    table: str
    key_arn: str
    topic_arn: str
    refresh_queue_url: str
    rescue_queue_url: str
    revoke_queue_url: str
    webhook_queue_url: str
    former_key_arns: tuple[str, ...] = ()
    """Keys that opened what is not yet sealed anew; nothing is sealed with them."""
    encryption: Literal["audited", "bound", "shared"] = "bound"
    app_name: str = "This application"
    color: str = "#1c5dd8"
    """Of the application, on the pages a person sees; web/branding.py makes readable shades of it."""
    logo: str = ""
    """A file in web/static/brand."""
    return_urls: tuple[str, ...] = ()
    require_proof: bool = False
    idle_after_days: int = 30
    """A connection nobody fetched for this long is only kept alive; 0 = every connection counts as used."""
    refresh_concurrency: int = 40
    """Calls at once to one provider from the clock; a fetch never waits for these."""
    due_shards: int = 16
    """Parts of the due index; may grow, never shrink."""
    allowed_private_hosts: tuple[str, ...] = ()
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @property
    def sandbox(self) -> bool:
        return self.environment == "sandbox"

    @property
    def idle_after(self) -> timedelta | None:
        return timedelta(days=self.idle_after_days) if self.idle_after_days else None


class SettingsError(Exception):
    """The environment does not describe a stage; the text names every variable that is missing or wrong."""


def read(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from `environ` (the process's own by default). Raises SettingsError, which names every wrong variable but no value."""
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for field in fields(Settings):
        text = environ.get(f"{PREFIX}{field.name.upper()}", "")  # a deploy tool that cannot leave a variable out sets it to nothing
        if text:
            try:
                values[field.name] = _READERS[field.name](text)
            except ValueError as error:
                problems[field.name] = str(error)
        elif field.default is MISSING:
            problems[field.name] = "is required"
    if "key_arn" in values and any(arn.split(":")[3] != values["key_arn"].split(":")[3] for arn in values.get("former_key_arns", ())):
        problems["former_key_arns"] = "must be of the region of the key"  # one client asks for all of them
    if values.get("environment") == "production":
        if not values.get("url", "https://").startswith("https://"):
            problems["url"] = "must be https in production"
        if any(not url.startswith("https://") for url in values.get("return_urls", ())):
            problems["return_urls"] = "must be https in production"
        if values.get("allowed_private_hosts"):
            problems["allowed_private_hosts"] = "is for a sandbox only"
    if problems:
        raise SettingsError("Standpipe cannot start with this environment: " + "; ".join(f"{PREFIX}{name.upper()} {problem}" for name, problem in problems.items()))
    return Settings(**values)


def stage_name(environ: Mapping[str, str] | None = None) -> str:
    """The stage alone, which names the queues: known when the code is packaged, long before there is anything else to read."""
    return (os.environ if environ is None else environ).get(f"{PREFIX}STAGE") or "local"


def _one_of(*words: str) -> Callable[[str], str]:
    def reader(text: str) -> str:
        if text not in words:
            raise ValueError(f"must be {' or '.join(words)}")
        return text

    return reader


def _like(pattern: str, described: str) -> Callable[[str], str]:
    def reader(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"must be {described}")
        return text

    return reader


def _number(lowest: int, highest: int) -> Callable[[str], int]:
    def reader(text: str) -> int:
        if not (text.isascii() and text.isdigit() and lowest <= int(text) <= highest):
            raise ValueError(f"must be a whole number from {lowest} to {highest}")
        return int(text)

    return reader


def _each(read_one: Callable[[str], str]) -> Callable[[str], tuple[str, ...]]:
    return lambda text: tuple(read_one(word) for word in _words(text))


def _origin(text: str) -> str:
    try:
        parts = urlsplit(text)
        whole = parts.scheme in ("https", "http") and parts.netloc and not (parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc)
    except ValueError:  # its text holds the value
        whole = False
    if not whole:
        raise ValueError("must be an origin such as https://connect.example.com, with no path (WorkOS clients drop path prefixes)")
    return f"{parts.scheme}://{parts.netloc}"


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


def _return_urls(text: str) -> tuple[str, ...]:
    """Where a browser may be sent with a connect code: absolute, no user name, no fragment (the code would stay in the browser)."""
    found = _words(text)
    for number, url in enumerate(found, 1):
        try:
            parts = urlsplit(url)
            good = parts.scheme in ("https", "http") and parts.hostname and "@" not in parts.netloc and not parts.fragment and "\\" not in url
        except ValueError:
            good = False
        if not good:
            raise ValueError(f"entry {number} must be an absolute https URL without user name or fragment")
    return found


def _switch(text: str) -> bool:
    if text.lower() not in SWITCH:
        raise ValueError("must be true or false")
    return SWITCH[text.lower()]


_color = _like(r"#[0-9A-Fa-f]{6}", "a colour such as #1c5dd8")
_key_arn = _like(r"arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+", "the ARN of a KMS key (not of an alias)")
_queue_url = _like(r"https?://[^\s/]+/\d{12}/[A-Za-z0-9_-]{1,80}", "the URL of an SQS queue")
_READERS: dict[str, Callable[[str], Any]] = {
    "environment": _one_of("sandbox", "production"),
    "stage": _like(r"[a-z0-9-]{1,32}", "1 to 32 of a-z, 0-9 and '-'"),
    "url": _origin,
    "table": str,
    "key_arn": _key_arn,
    "topic_arn": _like(r"arn:[a-z-]+:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}", "the ARN of an SNS topic"),
    "refresh_queue_url": _queue_url,
    "rescue_queue_url": _queue_url,
    "revoke_queue_url": _queue_url,
    "webhook_queue_url": _queue_url,
    "former_key_arns": _each(_key_arn),
    "encryption": _one_of("audited", "bound", "shared"),
    "app_name": str,
    "color": lambda text: _color(text).lower(),
    "logo": _like(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.(png|svg|webp)", "the name of a .png, .svg or .webp file, without a path"),
    "return_urls": _return_urls,
    "require_proof": _switch,
    "idle_after_days": _number(0, 3650),
    "refresh_concurrency": _number(1, 1000),
    "due_shards": _number(1, 256),
    "allowed_private_hosts": _words,
    "log_level": _one_of("DEBUG", "INFO", "WARNING", "ERROR"),
}
