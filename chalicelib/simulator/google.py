"""Google's dialect: a refresh token only for `access_type=offline`, only at a first or forced consent, and never in a refresh answer.

The ID token is signed with HS256 and the client secret (OpenID Connect Core 10.1), not with Google's RS256: the client has it from the
token endpoint itself and need not check it (Core 3.1.3.7), and a sandbox then needs no key pair. developers.google.com/identity/protocols/oauth2/web-server
"""

import hmac
import json
from base64 import urlsafe_b64encode
from typing import Any

from chalicelib.simulator import authorize
from chalicelib.simulator.accounts import person_of
from chalicelib.simulator.catalogue import client_of
from chalicelib.simulator.dialect import Dialect, Route
from chalicelib.simulator.grants import NoAccess, Problem, Refused, access, authenticate, end_by_token, issue, random_text, redeem, use_refresh_token
from chalicelib.simulator.messages import Sandbox, SimulatorRequest, SimulatorResponse, json_answer
from chalicelib.simulator.state import Grant

SLUG = "google"
LONG_NAMES = {"email": "https://www.googleapis.com/auth/userinfo.email", "profile": "https://www.googleapis.com/auth/userinfo.profile"}
ERRORS: dict[Problem, tuple[int, str, str]] = {
    "client": (401, "invalid_client", "The OAuth client was not found."),
    "client_secret": (401, "invalid_client", "Unauthorized"),
    "code": (400, "invalid_grant", "Malformed auth code."),
    "code_used": (400, "invalid_grant", "Bad Request"),
    "code_verifier": (400, "invalid_grant", "Invalid code verifier."),
    "redirect_uri": (400, "redirect_uri_mismatch", "Bad Request"),
    "refresh_token": (400, "invalid_grant", "Bad Request"),
    "grant_ended": (400, "invalid_grant", "Token has been expired or revoked."),
    "grant_type": (400, "unsupported_grant_type", "Invalid grant_type: "),
}


def token(sandbox: Sandbox, request: SimulatorRequest, _: dict[str, str]) -> SimulatorResponse:
    try:
        authenticate(request, SLUG)
        match request.fields().get("grant_type"):
            case "authorization_code":
                grant, facts = redeem(sandbox, request, SLUG)
                consented_before = any(other.account == grant.account and not other.ended and other.id != grant.id for other in sandbox.state.grants(SLUG))
                offline = facts["offline"] and (facts["consented"] or not consented_before)
                return json_answer(_tokens(sandbox, grant, with_refresh_token=offline))
            case "refresh_token":
                used = use_refresh_token(sandbox, request, SLUG)
                return json_answer(_tokens(sandbox, used.grant, with_refresh_token=used.rotated))
            case _:
                raise Refused("grant_type")
    except Refused as refused:
        status, word, text = ERRORS[refused.problem]
        return json_answer({"error": word, "error_description": text}, status)


def _tokens(sandbox: Sandbox, grant: Grant, *, with_refresh_token: bool) -> dict[str, Any]:
    seconds = sandbox.state.knobs(SLUG).access_token_seconds
    body: dict[str, Any] = {"access_token": issue(sandbox, grant, f"ya29.{random_text(180)}", kind="access", seconds=seconds), "expires_in": seconds}
    if with_refresh_token:
        body["refresh_token"] = issue(sandbox, grant, f"1//{random_text(96)}", kind="refresh")
    body |= {"scope": " ".join(LONG_NAMES.get(scope, scope) for scope in grant.scopes), "token_type": "Bearer"}
    if "openid" in grant.scopes:
        body["id_token"] = _id_token(sandbox, grant, seconds)
    return body


def _id_token(sandbox: Sandbox, grant: Grant, seconds: int) -> str:
    client_id, secret = client_of(SLUG)
    now = int(sandbox.now.timestamp())
    claims = {"iss": sandbox.url(SLUG), "azp": client_id, "aud": client_id, **_claims(grant), "iat": now, "exp": now + seconds}
    signed = ".".join(_part(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    return f"{signed}.{_part(hmac.digest(secret.encode(), signed.encode(), 'sha256'))}"


def _part(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _claims(grant: Grant) -> dict[str, Any]:
    person = person_of(SLUG, grant.account)
    claims: dict[str, Any] = {"sub": person.id}
    if {"email", LONG_NAMES["email"]} & set(grant.scopes):
        claims |= {"email": person.email, "email_verified": True, **({"hd": person.org} if person.org else {})}
    if {"profile", LONG_NAMES["profile"]} & set(grant.scopes):
        given, family = person.name.split(" ", 1)
        claims |= {"name": person.name, "given_name": given, "family_name": family}
    return claims


def revoke(sandbox: Sandbox, request: SimulatorRequest, _: dict[str, str]) -> SimulatorResponse:
    presented = {**dict(request.query), **request.fields()}.get("token", "")
    if not end_by_token(sandbox, presented, SLUG, everywhere=True):
        return json_answer({"error": "invalid_token", "error_description": "Token expired or revoked"}, 400)
    return json_answer({})


def userinfo(sandbox: Sandbox, request: SimulatorRequest, _: dict[str, str]) -> SimulatorResponse:
    try:
        grant, _facts = access(sandbox, request.bearer(), SLUG)
    except NoAccess:
        challenge = {"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", error="invalid_token"'}
        text = "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential."
        return json_answer({"error": {"code": 401, "message": text, "status": "UNAUTHENTICATED"}}, 401, challenge)
    return json_answer(_claims(grant))


DIALECT = Dialect(SLUG, "Google", "/o/oauth2/v2/auth", issuer_path="", throttled={"error": "rate_limit_exceeded", "error_description": "Rate Limit Exceeded"})
ROUTES = (
    *authorize.routes(DIALECT),
    Route("POST", "/token", "token", token),
    Route("POST", "/revoke", "revocation", revoke),
    Route("GET", "/v1/userinfo", "api", userinfo),
)
