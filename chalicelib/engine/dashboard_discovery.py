"""What an authorization server says of itself: RFC 8414 and OpenID Connect Discovery metadata, read through the guarded client and turned into a custom provider's fields."""

import json
from typing import Any
from urllib.parse import urlsplit

from chalicelib.domain.errors import Unprocessable
from chalicelib.doors.addresses import ForbiddenAddress
from chalicelib.doors.http import AnswerLost, ProviderHttp, Undelivered

OAUTH, OPENID = "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"
MAX_SCOPES = 200
ENDPOINTS = {"authorization_url": "authorization_endpoint", "token_url": "token_endpoint", "revocation_url": "revocation_endpoint", "userinfo_url": "userinfo_endpoint"}


class Discovery:
    def __init__(self, http: ProviderHttp) -> None:
        self._http = http

    def discover(self, unverified_issuer: str) -> dict[str, Any]:
        """`{"found_at", "fields", "scopes", "notes"}` of an issuer's URL. Raises Unprocessable with what was tried."""
        tried = []
        for url in _addresses(unverified_issuer.strip()):
            try:
                metadata = self._read(url)
            except ForbiddenAddress as error:
                raise _wrong(f"{error}.") from None
            except (Undelivered, AnswerLost) as error:
                raise _wrong(f"It could not be reached ({error}).") from None
            if metadata is not None and isinstance(metadata.get("token_endpoint"), str):
                return _suggested(metadata, url, _issuer_of(unverified_issuer))
            tried.append(urlsplit(url).path)
        raise _wrong(f"There is no metadata at {' or '.join(tried)}. Enter its endpoints by hand, as its documentation gives them.")

    def _read(self, url: str) -> dict[str, Any] | None:
        answer = self._http.send("GET", url, headers={"Accept": "application/json"})
        if answer.status != 200:
            return None
        try:
            loaded = json.loads(answer.body)
        except (ValueError, RecursionError):
            return None
        return loaded if isinstance(loaded, dict) else None


def _addresses(given: str) -> list[str]:
    """Where metadata may lie for an issuer: inserted before its path (RFC 8414 3.1), appended to it (OpenID Connect Discovery 4.1); or the very address given."""
    parts = urlsplit(given) if given.isprintable() else urlsplit("")
    if parts.scheme not in ("https", "http") or not parts.netloc or "@" in parts.netloc:
        raise _wrong("Give its address with https://, for example https://login.example.com.")
    if "/.well-known/" in parts.path:
        return [parts._replace(query="", fragment="").geturl()]
    origin, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    return [f"{origin}{OAUTH}{path}", f"{origin}{path}{OPENID}"]


def _issuer_of(given: str) -> str:
    parts = urlsplit(given.strip())
    path = parts.path
    for known in (OAUTH, OPENID):
        path = path.replace(known, "")
    return f"{parts.scheme}://{parts.netloc}{path.rstrip('/')}"


def _suggested(metadata: dict[str, Any], url: str, expected: str) -> dict[str, Any]:
    def words(name: str) -> list[str]:
        value = metadata.get(name)
        return [word for word in value if isinstance(word, str)][:MAX_SCOPES] if isinstance(value, list) else []

    issuer = metadata.get("issuer")
    notes = []
    fields: dict[str, Any] = {ours: metadata[theirs] for ours, theirs in ENDPOINTS.items() if isinstance(metadata.get(theirs), str)}
    if isinstance(issuer, str) and issuer.rstrip("/") == expected:
        fields["issuer"] = issuer
    else:
        # RFC 8414 3.3: metadata of another issuer must not be used to tell whose answer it is.
        notes.append("It names another issuer than the address it was found at, so its issuer is not taken over. Check that this is the provider you mean.")
    methods = words("code_challenge_methods_supported")
    fields["pkce_enabled"] = "S256" in methods or not methods
    if not methods:
        notes.append("It does not say whether it supports PKCE. It is left on, which providers that do not know it ignore.")
    authentication = words("token_endpoint_auth_methods_supported") or ["client_secret_basic"]  # the default of RFC 8414 2
    fields["authenticate_via"] = "basic_auth_header" if "client_secret_basic" in authentication else "request_body"
    fields["client_secret_required"] = authentication != ["none"]
    grants = words("grant_types_supported")
    if grants and "refresh_token" not in grants:
        notes.append("It does not list refresh tokens: connections may end with their first access token.")
    if "revocation_url" not in fields:
        notes.append("It has no revocation endpoint: a disconnect forgets the tokens here and cannot end the grant there.")
    return {"found_at": url, "fields": fields, "scopes": words("scopes_supported"), "notes": notes}


def _wrong(problem: str) -> Unprocessable:
    return Unprocessable(problem, "discovery_failed", errors=[{"field": "issuer", "code": "discovery_failed"}])
