"""Salesforce's dialect: no `expires_in`, an `instance_url` and an identity URL in the answer, 400 for every refusal, rotation by choice.

`instance_url` is the simulator itself, so that a client which follows it finds the query API there.
help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_refresh_token_flow.htm
"""

import hmac
from base64 import b64encode
from typing import Any

from chalicelib.simulator import authorize
from chalicelib.simulator.accounts import person_of
from chalicelib.simulator.catalogue import client_of
from chalicelib.simulator.dialect import Dialect, Route
from chalicelib.simulator.grants import NoAccess, Problem, Refused, access, authenticate, end_by_token, issue, random_text, redeem, use_refresh_token
from chalicelib.simulator.messages import Sandbox, SimulatorRequest, SimulatorResponse, json_answer
from chalicelib.simulator.state import Grant

SLUG = "salesforce"
ERRORS: dict[Problem, tuple[str, str]] = {
    "client": ("invalid_client_id", "client identifier invalid"),
    "client_secret": ("invalid_client", "invalid client credentials"),
    "code": ("invalid_grant", "invalid authorization code"),
    "code_used": ("invalid_grant", "expired authorization code"),
    "code_verifier": ("invalid_grant", "invalid code verifier"),
    "redirect_uri": ("redirect_uri_mismatch", "redirect_uri must match configuration"),
    "refresh_token": ("invalid_grant", "expired access/refresh token"),
    "grant_ended": ("invalid_grant", "expired access/refresh token"),
    "grant_type": ("unsupported_grant_type", "grant type not supported"),
}


def token(sandbox: Sandbox, request: SimulatorRequest, _: dict[str, str]) -> SimulatorResponse:
    try:
        authenticate(request, SLUG)
        match request.fields().get("grant_type"):
            case "authorization_code":
                grant, _facts = redeem(sandbox, request, SLUG)
                offline = bool({"refresh_token", "offline_access"} & set(grant.scopes))
                return json_answer(_tokens(sandbox, grant, with_refresh_token=offline))
            case "refresh_token":
                used = use_refresh_token(sandbox, request, SLUG)
                return json_answer(_tokens(sandbox, used.grant, with_refresh_token=used.rotated))
            case _:
                raise Refused("grant_type")
    except Refused as refused:
        word, text = ERRORS[refused.problem]
        return json_answer({"error": word, "error_description": text}, 400)


def _tokens(sandbox: Sandbox, grant: Grant, *, with_refresh_token: bool) -> dict[str, Any]:
    seconds = sandbox.state.knobs(SLUG).access_token_seconds
    person = person_of(SLUG, grant.account)
    who, issued_at = sandbox.url(SLUG, f"/id/{person.org}/{person.id}"), str(int(sandbox.now.timestamp() * 1000))
    signature = b64encode(hmac.digest(client_of(SLUG)[1].encode(), f"{who}{issued_at}".encode(), "sha256")).decode()
    body: dict[str, Any] = {"access_token": issue(sandbox, grant, f"{person.org[:15]}!AQE{random_text(92)}", kind="access", seconds=seconds)}
    if with_refresh_token:
        body["refresh_token"] = issue(sandbox, grant, f"5Aep861{random_text(80)}", kind="refresh")
    return {**body, "signature": signature, "scope": " ".join(grant.scopes), "instance_url": sandbox.url(SLUG), "id": who, "token_type": "Bearer", "issued_at": issued_at}


def revoke(sandbox: Sandbox, request: SimulatorRequest, _: dict[str, str]) -> SimulatorResponse:
    presented = {**dict(request.query), **request.fields()}.get("token", "")
    if not end_by_token(sandbox, presented, SLUG, everywhere=False):
        return json_answer({"error": "invalid_token", "error_description": "invalid token"}, 400)
    return SimulatorResponse(200, {"Cache-Control": "no-store", "Content-Type": "text/plain; charset=utf-8"})


def userinfo(sandbox: Sandbox, request: SimulatorRequest, _: dict[str, str]) -> SimulatorResponse:
    try:
        grant, _facts = access(sandbox, request.bearer(), SLUG)
    except NoAccess:
        # This endpoint alone says 403 "Bad_OAuth_Token" in plain text; the REST API says 401.
        return SimulatorResponse(403, {"Cache-Control": "no-store", "Content-Type": "text/plain; charset=utf-8"}, "Bad_OAuth_Token")
    person = person_of(SLUG, grant.account)
    return json_answer(
        {
            "sub": sandbox.url(SLUG, f"/id/{person.org}/{person.id}"), "user_id": person.id, "organization_id": person.org, "preferred_username": person.email, "nickname": person.key,
            "name": person.name, "email": person.email, "email_verified": True, "active": True, "user_type": "STANDARD", "language": "en_US", "locale": "en_US", "zoneinfo": "Europe/London",
        }
    )  # fmt: skip


def query(sandbox: Sandbox, request: SimulatorRequest, parameters: dict[str, str]) -> SimulatorResponse:
    try:
        access(sandbox, request.bearer(), SLUG)
    except NoAccess:
        return json_answer([{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}], 401)
    asked = dict(request.query).get("q", "")
    if not asked.strip().lower().startswith("select "):
        return json_answer([{"message": "unexpected token: query must begin with SELECT", "errorCode": "MALFORMED_QUERY"}], 400)
    rows = [("0015g00000AcmeAAA1", "Acme"), ("0015g00000AcmeAAA2", "Initech"), ("0015g00000AcmeAAA3", "Globex")]
    records = [{"attributes": {"type": "Account", "url": f"/services/data/{parameters['version']}/sobjects/Account/{row}"}, "Id": row, "Name": name} for row, name in rows]
    return json_answer({"totalSize": len(records), "done": True, "records": records})


DIALECT = Dialect(
    SLUG,
    "Salesforce",
    "/services/oauth2/authorize",
    denied={"error_description": "end-user denied authorization"},
    throttled={"error": "login_rate_exceeded", "error_description": "number of logins exceeded"},
)
ROUTES = (
    *authorize.routes(DIALECT),
    Route("POST", "/services/oauth2/token", "token", token),
    Route("POST", "/services/oauth2/revoke", "revocation", revoke),
    Route("GET", "/services/oauth2/userinfo", "api", userinfo),
    Route("GET", "/services/data/{version}/query", "api", query),
)
