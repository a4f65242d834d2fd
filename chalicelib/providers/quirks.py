"""Named repairs of token answers: pure `dict -> dict`, each naming the clause it mends. What is odd at many providers is handled for all in doors/oauth.py."""

from collections.abc import Callable
from typing import Any

Answer = dict[str, Any]


def error_in_ok_false(answer: Answer) -> Answer:
    """RFC 6749 5.2 wants a 4xx with `error`; Slack answers 200 with `ok: false` and the word in `error` (docs.slack.dev/authentication/installing-with-oauth)."""
    if answer.get("ok") is False and not answer.get("error"):
        return {**answer, "error": "unknown_error"}
    return answer


def authed_user_token(answer: Answer) -> Answer:
    """RFC 6749 5.1 puts the token at the top; Slack nests the user's under `authed_user`, alone there if no bot scope was asked (docs.slack.dev/authentication/installing-with-oauth)."""
    user = answer.get("authed_user")
    if not isinstance(user, dict) or not isinstance(user.get("access_token"), str) or not user["access_token"]:
        return answer
    if not answer.get("access_token"):
        lifted = {key: user[key] for key in ("access_token", "refresh_token", "expires_in", "scope", "token_type") if key in user}
        return {**answer, **lifted}
    return {**answer, "additional_tokens": {"user": user}}


def scopes_of_github_app(answer: Answer) -> Answer:
    """RFC 6749 5.1 has no empty `scope`; a GitHub App's user token (`ghu_`) comes with one, because its reach is the app's permissions. Absent means: as asked."""
    if answer.get("scope") == "" and str(answer.get("access_token", "")).startswith("ghu_"):
        return {name: value for name, value in answer.items() if name != "scope"}
    return answer


GOOGLE_SHORT_NAMES = {"https://www.googleapis.com/auth/userinfo.email": "email", "https://www.googleapis.com/auth/userinfo.profile": "profile"}


def google_scope_names(answer: Answer) -> Answer:
    """RFC 6749 5.1 names a granted scope as it was asked; asked for OpenID Connect's `email` and `profile`, Google names its own long forms."""
    scope = answer.get("scope")
    if not isinstance(scope, str):
        return answer
    granted = scope.split()
    return {**answer, "scope": " ".join([*granted, *(GOOGLE_SHORT_NAMES[name] for name in granted if name in GOOGLE_SHORT_NAMES)])}


def token_request_in_progress(answer: Answer) -> Answer:
    """RFC 6749 5.2 keeps `invalid_grant` for grants that are over; Salesforce says it of a second request while the first is still at work, and the grant is fine."""
    if answer.get("error") == "invalid_grant" and "already being processed" in str(answer.get("error_description", "")).lower():
        return {**answer, "error": "temporarily_unavailable"}
    return answer


def scopes_as_a_list(answer: Answer) -> Answer:
    """RFC 6749 5.1 has granted scopes in `scope`, separated by spaces; HubSpot lists them in `scopes` (developers.hubspot.com, oauth/2026-03/token)."""
    if "scope" not in answer and isinstance(answer.get("scopes"), list):
        return {**answer, "scope": " ".join(str(name) for name in answer["scopes"])}
    return answer


QUIRKS: dict[str, Callable[[Answer], Answer]] = {
    "error_in_ok_false": error_in_ok_false,
    "authed_user_token": authed_user_token,
    "scopes_of_github_app": scopes_of_github_app,
    "google_scope_names": google_scope_names,
    "token_request_in_progress": token_request_in_progress,
    "scopes_as_a_list": scopes_as_a_list,
}
