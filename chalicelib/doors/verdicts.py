"""What a token endpoint's complete answer means, decided once: a good answer as a dict, or one of the four ProviderErrors.

Order: a server that is down or throttling (its body is not to be trusted then), the provider's own words, RFC 6749 5.2, the status.
"""

import json
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl

from chalicelib.domain.errors import GrantRefused, ProviderError, ProviderUnavailable, ProviderWeird, RegistrationRefused
from chalicelib.doors.http import Answer
from chalicelib.providers import quirks
from chalicelib.providers.spec import Provider

TRANSIENT_STATUSES = {408, 425, 429}
MAX_RETRY_AFTER = 6 * 3600
_CLASSES: dict[str, type[ProviderError]] = {"grant_dead": GrantRefused, "registration": RegistrationRefused, "transient": ProviderUnavailable, "weird": ProviderWeird}
# RFC 6749 5.2 and 4.1.2.1, OpenID Connect Core 3.1.2.6.
_RFC_WORDS: dict[str, str] = {
    "invalid_grant": "grant_dead",
    "interaction_required": "grant_dead",
    "login_required": "grant_dead",
    "consent_required": "grant_dead",
    "invalid_client": "registration",
    "unauthorized_client": "registration",
    "unsupported_grant_type": "registration",
    # Said of a malformed request, which is ours: oidc-provider answers it to Basic credentials that are not form-urlencoded.
    "invalid_request": "registration",
    "invalid_scope": "registration",
    "temporarily_unavailable": "transient",
    "server_error": "transient",
    "slow_down": "transient",
}
_ERROR_FIELDS = ("error", "error_code", "status", "code", "reason")


def read(provider: Provider, answer: Answer, now: datetime) -> dict[str, Any]:
    """The token answer, repaired by the provider's quirks. Raises a ProviderError."""
    retry_after = parse_retry_after(answer.headers.get("retry-after"), now)
    if answer.status >= 500:
        raise ProviderUnavailable(f"HTTP {answer.status}", provider_code=f"http_{answer.status}", in_doubt=True, retry_after=retry_after)
    if answer.status in TRANSIENT_STATUSES:
        raise ProviderUnavailable(f"HTTP {answer.status}", provider_code=f"http_{answer.status}", retry_after=retry_after)
    fields = parse(answer)
    if fields is None:
        _refuse_unreadable(answer)
    assert fields is not None
    # The word between quirks.py and oauth.py for what a quirk found; a provider has no say in it.
    fields.pop("additional_tokens", None)
    for name in provider.quirks:
        fields = quirks.QUIRKS[name](fields)
    words = [clean(fields[name]) for name in _ERROR_FIELDS if isinstance(fields.get(name), str) and fields[name]]
    has_token = isinstance(fields.get("access_token"), str) and bool(fields["access_token"])
    if has_token and 200 <= answer.status < 300 and not fields.get("error"):
        return fields
    for word in words:
        if word in provider.errors:
            raise _CLASSES[provider.errors[word]](f"the provider said {word}", provider_code=word, retry_after=retry_after)
    for word in words[:1]:
        if word in _RFC_WORDS:
            raise _CLASSES[_RFC_WORDS[word]](f"the provider said {word}", provider_code=word, retry_after=retry_after)
    if answer.status == 401:
        raise RegistrationRefused("HTTP 401 at the token endpoint", provider_code=words[0] if words else "http_401")
    raise ProviderWeird(f"HTTP {answer.status} without a token", provider_code=words[0] if words else f"http_{answer.status}", in_doubt=200 <= answer.status < 300 and not fields.get("error"))


def parse(answer: Answer) -> dict[str, Any] | None:
    """The fields of a JSON or form-encoded body, or None if it is neither."""
    try:
        text = answer.body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    try:
        loaded = json.loads(text)
    except RecursionError:
        return None
    except ValueError:
        content_type = answer.headers.get("content-type", "")
        if "html" in content_type or not re.match(r"^[A-Za-z0-9_.-]+=", text):
            return None
        return dict(parse_qsl(text, keep_blank_values=True)) or None
    return loaded if isinstance(loaded, dict) else None


def _refuse_unreadable(answer: Answer) -> None:
    if answer.status == 401:
        raise RegistrationRefused("HTTP 401 at the token endpoint", provider_code="http_401")
    raise ProviderWeird(f"HTTP {answer.status} with a body that is neither JSON nor form-encoded", provider_code=f"http_{answer.status}", in_doubt=200 <= answer.status < 300)


def parse_retry_after(value: str | None, now: datetime) -> int | None:
    """Seconds from a Retry-After header (RFC 9110 10.2.3), which may be seconds, a date, or junk; between 1 second and 6 hours."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            at = parsedate_to_datetime(value)
        except (TypeError, ValueError):
            return None
        seconds = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
    if not 0 < seconds < float("inf"):
        return None
    return max(1, min(int(seconds), MAX_RETRY_AFTER))


def clean(unverified_text: str, limit: int = 64) -> str:
    """A provider's word, fit to be stored and shown: printable, cut."""
    return "".join(c for c in unverified_text if c.isprintable())[:limit]
