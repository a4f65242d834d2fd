"""The authorization response (RFC 6749 4.1.2, RFC 9207) as a pure check: what comes out is safe to exchange, anything else is a FlowError.

Order: duplicates and malformed values, iss, (state was matched by whoever took the pending authorization), cookie, path id, error, code.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from chalicelib.domain.models import Pending
from chalicelib.doors.verdicts import clean
from chalicelib.providers.spec import Provider

MAX_VALUE = 4096
_ONCE = ("code", "state", "error", "iss", "error_description")


class FlowError(Exception):
    """A connect flow that ends without a connection. `kind` names the page the person sees; the rest is data for it, never markup.

    Kinds: invalid_response, link_unknown, link_used, link_expired, wrong_browser, wrong_issuer, wrong_registration, configuration_changed,
    declined, provider_error, exchange_failed, other_account, try_again.
    """

    def __init__(self, kind: str, pending: Pending | None = None, provider_code: str = "", *, description: str = "", other: str | None = None, held_by: str | None = None) -> None:
        super().__init__(kind)
        self.kind, self.pending = kind, pending
        self.provider_code, self.description = provider_code, description
        self.other, self.held_by = other, held_by


@dataclass(frozen=True, repr=False)
class AuthorizationResponse:
    """A validated response."""

    code: str


def validate(unverified_query: dict[str, list[str]], *, provider: Provider, pending: Pending, same_browser: bool, same_registration: bool) -> AuthorizationResponse:
    """Raises FlowError with the pending authorization, which is taken already."""
    values: dict[str, str] = {}
    for name in _ONCE:
        given = unverified_query.get(name, [])
        if len(given) > 1:
            raise FlowError("invalid_response", pending)
        if given:
            values[name] = given[0]
    if any(len(value) > MAX_VALUE or "\0" in value or "\ufffd" in value for value in values.values()) or ("code" in values and "error" in values):
        raise FlowError("invalid_response", pending)
    if not _issuer_fits(values.get("iss"), provider, failed="error" in values):
        raise FlowError("wrong_issuer", pending)
    if not same_browser:
        raise FlowError("wrong_browser", pending)
    if not same_registration:
        raise FlowError("wrong_registration", pending)
    if "error" in values:
        kind = "declined" if values["error"] == "access_denied" else "provider_error"
        raise FlowError(kind, pending, clean(values["error"]), description=clean(values.get("error_description", ""), 256))
    if not values.get("code"):
        raise FlowError("invalid_response", pending)
    return AuthorizationResponse(values["code"])


def _issuer_fits(iss: str | None, provider: Provider, *, failed: bool) -> bool:
    """RFC 9207 2.4. A provider whose issuer is not configured must at least be the host the browser was sent to."""
    expected = provider.authorization.issuer
    if iss is None:
        # Some servers that promise `iss` leave it out of error responses (django-oauth-toolkit); nothing is exchanged then.
        return failed or not provider.authorization.iss_parameter_supported
    if expected:
        return iss == expected
    sent_to, claimed = urlsplit(provider.authorization.endpoint), urlsplit(iss)
    return (claimed.scheme, claimed.netloc) == (sent_to.scheme, sent_to.netloc)
