"""Slack's dialect: 200 with `ok: false` for every refusal, a bot and a user token in one answer, each with a refresh token of its own.

The knob `expiring` is the app's token rotation. docs.slack.dev/authentication/using-token-rotation
"""

from typing import Any

from chalicelib.simulator import authorize
from chalicelib.simulator.accounts import person_of
from chalicelib.simulator.dialect import Dialect, Route
from chalicelib.simulator.grants import NoAccess, Problem, Refused, TokenProblem, access, authenticate, end_by_token, issue, random_text, redeem, use_refresh_token
from chalicelib.simulator.messages import Sandbox, SimulatorRequest, SimulatorResponse, json_answer
from chalicelib.simulator.state import Grant, Line

SLUG = "slack"
APP, BOT = "A0SIMULATE", "U0SIMBOT01"
LIVE_TOKENS = 2
ERRORS: dict[Problem, str] = {
    "client": "invalid_client_id",
    "client_secret": "bad_client_secret",
    "code": "invalid_code",
    "code_used": "code_already_used",
    "code_verifier": "invalid_code",
    "redirect_uri": "bad_redirect_uri",
    "refresh_token": "invalid_refresh_token",
    "grant_ended": "token_revoked",
    "grant_type": "invalid_grant_type",
}
API_ERRORS: dict[TokenProblem, str] = {"missing": "not_authed", "unknown": "invalid_auth", "expired": "token_expired", "revoked": "token_revoked"}


def token(sandbox: Sandbox, request: SimulatorRequest, _: dict[str, str]) -> SimulatorResponse:
    try:
        authenticate(request, SLUG)
        match request.fields().get("grant_type", "authorization_code"):
            case "authorization_code":
                return json_answer(_installed(sandbox, redeem(sandbox, request, SLUG)[0]))
            case "refresh_token":
                used = use_refresh_token(sandbox, request, SLUG)
                line: Line = "user" if used.line == "user" else "main"
                kept = None if used.rotated else request.fields()["refresh_token"]
                return json_answer({"ok": True, **_token(sandbox, used.grant, line, kept), **_place(used.grant), **({"bot_user_id": BOT} if line == "main" else {})})
            case _:
                raise Refused("grant_type")
    except Refused as refused:
        return _not_ok(ERRORS[refused.problem])


def _installed(sandbox: Sandbox, grant: Grant) -> dict[str, Any]:
    person: dict[str, Any] = {"id": person_of(SLUG, grant.account).id}
    if grant.user_scopes:
        person |= _token(sandbox, grant, "user")
    bot = {**_token(sandbox, grant, "main"), "bot_user_id": BOT} if grant.scopes or not grant.user_scopes else {}
    return {"ok": True, **bot, **_place(grant), "authed_user": person, "is_enterprise_install": False}


def _token(sandbox: Sandbox, grant: Grant, line: Line, kept_refresh_token: str | None = None) -> dict[str, Any]:
    knobs = sandbox.state.knobs(SLUG)
    prefix, kind, scopes = ("xoxp", "user", grant.user_scopes) if line == "user" else ("xoxb", "bot", grant.scopes)
    about = {"token_type": kind, "scope": ",".join(scopes)}
    if not knobs.expiring:
        return {"access_token": issue(sandbox, grant, f"{prefix}-{random_text(48)}", kind="access", line=line), **about}
    seconds = knobs.access_token_seconds
    return {
        "access_token": issue(sandbox, grant, f"xoxe.{prefix}-1-{random_text(120)}", kind="access", line=line, seconds=seconds),
        "expires_in": seconds,
        "refresh_token": kept_refresh_token or issue(sandbox, grant, f"xoxe-1-{random_text(120)}", kind="refresh", line=line),
        **about,
    }


def _place(grant: Grant) -> dict[str, Any]:
    person = person_of(SLUG, grant.account)
    return {"app_id": APP, "team": {"id": person.org, "name": person.org_name}, "enterprise": None}


def revoke(sandbox: Sandbox, request: SimulatorRequest, _: dict[str, str]) -> SimulatorResponse:
    presented = request.bearer() or request.fields().get("token")
    try:
        access(sandbox, presented, SLUG, generations=LIVE_TOKENS)
    except NoAccess as refused:
        return _not_ok(API_ERRORS[refused.problem])
    # Slack ends one token; the simulator ends the installation with it, as Slack does once its last token is gone.
    return json_answer({"ok": True, "revoked": end_by_token(sandbox, presented or "", SLUG, everywhere=False)})


def test(sandbox: Sandbox, request: SimulatorRequest, _: dict[str, str]) -> SimulatorResponse:
    try:
        grant, facts = access(sandbox, request.bearer() or request.fields().get("token"), SLUG, generations=LIVE_TOKENS)
    except NoAccess as refused:
        return _not_ok(API_ERRORS[refused.problem])
    person = person_of(SLUG, grant.account)
    is_bot = facts["line"] == "main"
    where = {"url": f"https://{person.org_name.lower()}.slack.com/", "team": person.org_name, "team_id": person.org}
    who = {"user": "standpipe", "user_id": BOT, "bot_id": "B0SIMULATE"} if is_bot else {"user": person.key, "user_id": person.id}
    return json_answer({"ok": True, **where, **who, "is_enterprise_install": False}, headers={"X-OAuth-Scopes": ",".join(facts["scopes"])})


def _not_ok(word: str) -> SimulatorResponse:
    return json_answer({"ok": False, "error": word})


DIALECT = Dialect(SLUG, "Slack", "/oauth/v2/authorize", scope_separator=",", user_scope_parameter="user_scope", can_be_endless=True, throttled={"ok": False, "error": "ratelimited"})
ROUTES = (
    *authorize.routes(DIALECT),
    Route("POST", "/api/oauth.v2.access", "token", token),
    Route("POST", "/api/auth.revoke", "revocation", revoke),
    Route("GET", "/api/auth.revoke", "revocation", revoke),
    Route("POST", "/api/auth.test", "api", test),
    Route("GET", "/api/auth.test", "api", test),
)
