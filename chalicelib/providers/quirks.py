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
    if not isinstance(user, dict) or not user.get("access_token"):
        return answer
    if not answer.get("access_token"):
        lifted = {key: user[key] for key in ("access_token", "refresh_token", "expires_in", "scope", "token_type") if key in user}
        return {**answer, **lifted}
    return {**answer, "additional_tokens": {"user": user}}


QUIRKS: dict[str, Callable[[Answer], Answer]] = {
    "error_in_ok_false": error_in_ok_false,
    "authed_user_token": authed_user_token,
}
