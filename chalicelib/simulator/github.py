"""GitHub's dialect. Its token endpoint answers 200 to everything, form-encoded unless JSON is asked for.

With the knob `expiring` on it is a GitHub App (8 hours, refresh tokens that work once, an empty scope); off, an OAuth app whose token
does not end, unless `offline_access` was asked for. docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens
"""

from typing import Any

from chalicelib.simulator import authorize
from chalicelib.simulator.accounts import Account, person_of
from chalicelib.simulator.dialect import Dialect, Route
from chalicelib.simulator.grants import NoAccess, Problem, Refused, access, authenticate, end_by_token, issue, random_text, redeem, use_refresh_token
from chalicelib.simulator.messages import Sandbox, SimulatorRequest, SimulatorResponse, form_answer, json_answer
from chalicelib.simulator.state import Grant

SLUG = "github"
REFRESH_SECONDS = 15897600
DOCS = "https://docs.github.com/rest"
ERRORS: dict[Problem, tuple[str, str]] = {
    "client": ("Not Found", ""),
    "client_secret": ("incorrect_client_credentials", "The client_id and/or client_secret passed are incorrect."),
    "code": ("bad_verification_code", "The code passed is incorrect or expired."),
    "code_used": ("bad_verification_code", "The code passed is incorrect or expired."),
    "code_verifier": ("bad_verification_code", "The code passed is incorrect or expired."),
    "redirect_uri": ("redirect_uri_mismatch", "The redirect_uri MUST match the registered callback URL for this application."),
    "refresh_token": ("bad_refresh_token", "The refresh token passed is incorrect or expired."),
    "grant_ended": ("bad_refresh_token", "The refresh token passed is incorrect or expired."),
    "grant_type": ("unsupported_grant_type", "The grant_type is not supported."),
}


def token(sandbox: Sandbox, request: SimulatorRequest, _: dict[str, str]) -> SimulatorResponse:
    as_json = "json" in request.headers.get("accept", "")
    try:
        authenticate(request, SLUG)
        match request.fields().get("grant_type", "authorization_code"):
            case "authorization_code":
                body = _tokens(sandbox, redeem(sandbox, request, SLUG)[0])
            case "refresh_token":
                used = use_refresh_token(sandbox, request, SLUG)
                body = _tokens(sandbox, used.grant, None if used.rotated else request.fields()["refresh_token"])
            case _:
                raise Refused("grant_type")
    except Refused as refused:
        word, text = ERRORS[refused.problem]
        error = {"error": word, **({"error_description": text, "error_uri": "https://docs.github.com/apps"} if text else {})}
        status = 404 if refused.problem == "client" else 200
        return json_answer(error, status) if as_json else form_answer(error, status)
    return json_answer(body) if as_json else form_answer(body)


def _tokens(sandbox: Sandbox, grant: Grant, kept_refresh_token: str | None = None) -> dict[str, Any]:
    knobs = sandbox.state.knobs(SLUG)
    of_app = knobs.expiring
    scope = "" if of_app else ",".join(sorted(grant.scopes))
    if not of_app and "offline_access" not in grant.scopes:
        return {"access_token": issue(sandbox, grant, f"gho_{random_text(36)}", kind="access"), "token_type": "bearer", "scope": scope}
    seconds = knobs.access_token_seconds
    return {
        "access_token": issue(sandbox, grant, f"{'ghu' if of_app else 'gho'}_{random_text(36)}", kind="access", seconds=seconds),
        "expires_in": seconds,
        "refresh_token": kept_refresh_token or issue(sandbox, grant, f"ghr_{random_text(72)}", kind="refresh", seconds=REFRESH_SECONDS),
        "refresh_token_expires_in": REFRESH_SECONDS,
        "token_type": "bearer",
        "scope": scope,
    }


def delete_grant(sandbox: Sandbox, request: SimulatorRequest, parameters: dict[str, str]) -> SimulatorResponse:
    try:
        authenticate(request, SLUG)
    except Refused:
        return _message(401, "Bad credentials")
    presented = request.json.get("access_token") if isinstance(request.json, dict) else None
    if parameters["client_id"] != f"simulated-{SLUG}":
        return _message(404, "Not Found")
    if not isinstance(presented, str):
        return _message(422, "Validation Failed")
    ended = end_by_token(sandbox, presented, SLUG, everywhere=True)
    return SimulatorResponse(204, {"Cache-Control": "no-store"}) if ended else _message(404, "Not Found")


def user(sandbox: Sandbox, request: SimulatorRequest, _: dict[str, str]) -> SimulatorResponse:
    try:
        grant, _facts = access(sandbox, request.bearer(), SLUG, generations=1)
    except NoAccess as refused:
        return _no_access(refused)
    person = person_of(SLUG, grant.account)
    plan = {"name": person.name, "email": person.email, "company": None, "blog": "", "location": "Sandbox", "bio": "Simulated", "public_repos": 3, "followers": 8, "following": 1}
    return json_answer({**_owner(sandbox, person), **plan, "created_at": "2011-01-25T18:44:36Z", "updated_at": "2026-01-22T12:00:00Z"}, headers=_api_headers(grant))


def repositories(sandbox: Sandbox, request: SimulatorRequest, _: dict[str, str]) -> SimulatorResponse:
    try:
        grant, _facts = access(sandbox, request.bearer(), SLUG, generations=1)
    except NoAccess as refused:
        return _no_access(refused)
    query = dict(request.query)
    per_page, number = _number(query.get("per_page"), 30), _number(query.get("page"), 1)
    person = person_of(SLUG, grant.account)
    names = [("hello-world", False, "HTML"), ("linguist", False, "Ruby"), ("secret-garden", True, "Python")]
    listed = [_repository(sandbox, person, index, *one) for index, one in enumerate(names)]
    return json_answer(listed[per_page * (number - 1) : per_page * number], headers=_api_headers(grant))


def _repository(sandbox: Sandbox, person: Account, index: int, name: str, private: bool, language: str) -> dict[str, Any]:
    full, page = f"{person.key}/{name}", f"https://github.com/{person.key}/{name}"
    counts = {"size": 108 + index, "stargazers_count": 80 - index, "watchers_count": 80 - index, "watchers": 80 - index, "forks_count": 9, "forks": 9, "open_issues_count": index, "open_issues": index}
    has = {"has_issues": True, "has_projects": True, "has_wiki": True, "has_pages": False, "has_downloads": True, "has_discussions": False}
    return {
        "id": int(person.id) * 10 + index, "node_id": f"R_simulated{index}", "name": name, "full_name": full, "owner": _owner(sandbox, person), "private": private,
        "html_url": page, "description": f"A simulated repository of {person.name}", "fork": False, "url": sandbox.url(SLUG, f"/repos/{full}"),
        "clone_url": f"{page}.git", "git_url": f"git://github.com/{full}.git", "ssh_url": f"git@github.com:{full}.git", "homepage": None, "language": language,
        "archived": False, "disabled": False, "is_template": False, "topics": ["simulated"], "visibility": "private" if private else "public", "default_branch": "main", "license": None,
        "allow_forking": True, "web_commit_signoff_required": False, "permissions": {"admin": True, "maintain": True, "push": True, "triage": True, "pull": True},
        "pushed_at": "2026-11-01T09:00:00Z", "created_at": "2011-01-26T19:01:12Z", "updated_at": "2026-11-02T10:00:00Z", **counts, **has,
    }  # fmt: skip


def _owner(sandbox: Sandbox, person: Account) -> dict[str, Any]:
    return {
        "login": person.key, "id": int(person.id), "node_id": f"U_simulated{person.id}", "avatar_url": f"https://avatars.githubusercontent.com/u/{person.id}?v=4", "gravatar_id": "",
        "url": sandbox.url(SLUG, f"/users/{person.key}"), "html_url": f"https://github.com/{person.key}", "type": "User", "user_view_type": "public", "site_admin": False,
    }  # fmt: skip


def _api_headers(grant: Grant) -> dict[str, str]:
    return {"X-OAuth-Scopes": ", ".join(grant.scopes), "X-GitHub-Media-Type": "github.v3; format=json", "X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "4999"}


def _message(status: int, text: str) -> SimulatorResponse:
    return json_answer({"message": text, "documentation_url": DOCS, "status": str(status)}, status)


def _no_access(refused: NoAccess) -> SimulatorResponse:
    return _message(401, "Requires authentication" if refused.problem == "missing" else "Bad credentials")


def _number(text: str | None, otherwise: int) -> int:
    return min(int(text), 100) if text and text.isdecimal() and int(text) > 0 else otherwise


DIALECT = Dialect(
    SLUG,
    "GitHub",
    "/login/oauth/authorize",
    scope_separator=",",
    issuer_path="/login/oauth",
    can_be_endless=True,
    denied={"error_description": "The user has denied your application access.", "error_uri": "https://docs.github.com/apps"},
    throttled={"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.", "documentation_url": DOCS},
)
ROUTES = (
    *authorize.routes(DIALECT),
    Route("POST", "/login/oauth/access_token", "token", token),
    Route("DELETE", "/applications/{client_id}/grant", "revocation", delete_grant),
    Route("GET", "/user", "api", user),
    Route("GET", "/user/repos", "api", repositories),
)
