"""The authorization endpoint (RFC 6749 4.1.1) with its consent page, for every dialect.

The page holds the whole request in hidden fields and everything is checked again when the form comes back. A browser is only ever
redirected to a callback of this very stage, so the simulator is of no use to send anybody anywhere else.
"""

import re
from functools import partial
from urllib.parse import urlencode

from chalicelib.providers import catalogue as providers
from chalicelib.simulator.accounts import account, people
from chalicelib.simulator.catalogue import client_of
from chalicelib.simulator.dialect import Dialect, Route
from chalicelib.simulator.grants import random_text
from chalicelib.simulator.messages import Pairs, Sandbox, SimulatorRequest, SimulatorResponse, redirect
from chalicelib.simulator.pages import from_elsewhere, page, refusal

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


class Unredirectable(Exception):
    """The request does not say for sure where an answer may be sent."""


def routes(dialect: Dialect) -> tuple[Route, ...]:
    return (
        Route("GET", dialect.authorize_path, "page", partial(_ask, dialect)),
        Route("POST", dialect.authorize_path, "page", partial(_decide, dialect)),
    )


def _ask(dialect: Dialect, sandbox: Sandbox, request: SimulatorRequest, _: dict[str, str]) -> SimulatorResponse:
    try:
        asked = _checked(dialect, sandbox, request.query)
    except Unredirectable as error:
        return refusal("This request cannot be answered", str(error), slug=dialect.slug)
    if problem := _problem(asked):
        return _back(dialect, sandbox, asked, {"error": problem})
    provider = providers.load(dialect.slug)
    known = {scope.name: scope.description for scope in provider.scopes} if provider else {}
    scopes, user_scopes = _scopes(dialect, asked)
    return page(
        "consent.html", slug=dialect.slug, provider=dialect.name, client=asked["client_id"], accounts=people(dialect.slug), fields={name: value for name, value in asked.items() if name not in ("account", "decision")}, action=f"/simulator{request.path}",
        scopes=[(name, known.get(name, "")) for name in scopes], user_scopes=[(name, known.get(name, "")) for name in user_scopes],
    )  # fmt: skip


def _decide(dialect: Dialect, sandbox: Sandbox, request: SimulatorRequest, _: dict[str, str]) -> SimulatorResponse:
    if from_elsewhere(sandbox, request):
        return refusal("This form came from another site", "Nothing was allowed.", 403, dialect.slug)
    try:
        asked = _checked(dialect, sandbox, request.form)
    except Unredirectable as error:
        return refusal("This request cannot be answered", str(error), slug=dialect.slug)
    if problem := _problem(asked):
        return _back(dialect, sandbox, asked, {"error": problem})
    decision, person = asked.pop("decision", ""), account(dialect.slug, asked.pop("account", ""))
    if decision == "deny":
        return _back(dialect, sandbox, asked, {"error": "access_denied", **dialect.denied})
    if decision != "allow" or person is None:
        return refusal("Nothing was decided", "Choose an account, then Allow or Deny.", slug=dialect.slug)
    scopes, user_scopes = _scopes(dialect, asked)
    code = random_text(24)
    sandbox.state.save_code(
        code,
        {
            "slug": dialect.slug, "account": person.key, "redirect_uri": asked["redirect_uri"], "code_challenge": asked.get("code_challenge", ""), "scopes": scopes, "user_scopes": user_scopes,
            "offline": asked.get("access_type") == "offline", "consented": "consent" in asked.get("prompt", "").split(),
        },
        sandbox.now,
    )  # fmt: skip
    return _back(dialect, sandbox, asked, {"code": code})


def _checked(dialect: Dialect, sandbox: Sandbox, pairs: Pairs) -> dict[str, str]:
    """The request's parameters, once each. Raises Unredirectable."""
    asked = dict(pairs)
    if len(asked) != len(pairs):
        raise Unredirectable("A parameter is given twice.")
    if asked.get("client_id") != client_of(dialect.slug)[0]:
        raise Unredirectable(f"There is no client of this id; the simulator knows {client_of(dialect.slug)[0]} only.")
    if not re.fullmatch(re.escape(sandbox.base_url) + r"/callback/[A-Za-z0-9_-]{1,128}", asked.get("redirect_uri", "")):
        raise Unredirectable(f"The redirect_uri must be a callback of this sandbox, under {sandbox.base_url}/callback/.")
    return asked


def _problem(asked: dict[str, str]) -> str | None:
    if asked.get("response_type", "code") != "code":
        return "unsupported_response_type"
    challenge, method = asked.get("code_challenge"), asked.get("code_challenge_method")
    if (challenge is None) != (method is None) or (challenge is not None and (method != "S256" or not _CHALLENGE.fullmatch(challenge))):
        return "invalid_request"
    return None


def _scopes(dialect: Dialect, asked: dict[str, str]) -> tuple[list[str], list[str]]:
    def split(name: str) -> list[str]:
        return list(dict.fromkeys(part for part in re.split(r"[\s,]+" if dialect.scope_separator == "," else r"\s+", asked.get(name, "")) if part))

    return split("scope"), split(dialect.user_scope_parameter) if dialect.user_scope_parameter else []


def _back(dialect: Dialect, sandbox: Sandbox, asked: dict[str, str], answer: dict[str, str]) -> SimulatorResponse:
    parameters = dict(answer)
    if "state" in asked:
        parameters["state"] = asked["state"]
    if dialect.issuer_path is not None:
        parameters["iss"] = sandbox.url(dialect.slug, dialect.issuer_path)
    return redirect(f"{asked['redirect_uri']}?{urlencode(parameters)}")
