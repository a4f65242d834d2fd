"""What an operator or a test may do to the simulated providers: look at grants, end them, expire tokens, make calls fail, count calls.

Each is there as JSON and as a form of the overview page. Forms from other sites are refused by their Origin.
"""

from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, get_args

from chalicelib.simulator.accounts import KEY, person_of
from chalicelib.simulator.catalogue import REFUSED
from chalicelib.simulator.dialect import Dialect
from chalicelib.simulator.messages import Sandbox, SimulatorRequest, SimulatorResponse, json_answer, redirect
from chalicelib.simulator.pages import from_elsewhere, page, refusal
from chalicelib.simulator.state import FOREVER, Behaviour, Grant, Knobs

SHOWN_GRANTS = 50
MAX_SECONDS = {"seconds": 25, "retry_after": 86400, "access_token_seconds": 10 * 365 * 86400, "times": 10000}  # 25: API Gateway cuts off at 29
WORDS = {
    "authorization_code": "code exchanges",
    "refresh_token": "refreshes",
    "client_credentials": "client credentials",
    "revocation": "revocations",
    "api": "API calls",
    "other": "other token calls",
}
ACTIONS = ("set", "expire_access_token", "revoke_grant", "reset")


class BadKnob(ValueError):
    """The text says which word is wrong."""


def overview(sandbox: Sandbox, dialects: tuple[Dialect, ...]) -> SimulatorResponse:
    hits, grants = sandbox.state.hits(), _by_slug(sandbox)
    shown = [
        {
            "dialect": dialect,
            "knobs": sandbox.state.knobs(dialect.slug),
            "hits": [(WORDS.get(kind, kind), count) for kind, count in sorted(hits.get(dialect.slug, {}).items())],
            "grants": [_shown(sandbox, grant) for grant in grants.get(dialect.slug, ())],
        }
        for dialect in sorted(dialects, key=lambda dialect: not (dialect.own or dialect.slug in grants or hits.get(dialect.slug)))  # what is in use before what is not
    ]
    return page("overview.html", providers=shown, behaviours=get_args(Behaviour), refused=REFUSED)


def read(sandbox: Sandbox, dialects: tuple[Dialect, ...]) -> SimulatorResponse:
    grants = _by_slug(sandbox)

    def of(slug: str) -> dict[str, Any]:
        return {"knobs": asdict(sandbox.state.knobs(slug)), "grants": [asdict(grant) for grant in grants.get(slug, ())]}

    return json_answer({dialect.slug: of(dialect.slug) for dialect in dialects})


def turn(sandbox: Sandbox, request: SimulatorRequest, slug: str) -> SimulatorResponse:
    """`{action, …}` as JSON is answered with the knobs and how many grants were touched; as a form, with the overview."""
    from_page = request.json is None
    if from_elsewhere(sandbox, request):
        return refusal("This form came from another site", "Nothing was changed.", 403) if from_page else json_answer({"message": "another site may not do this"}, 403)
    try:
        touched = _act(sandbox, request.fields(), slug)
    except BadKnob as error:
        return refusal("That cannot be set", str(error)) if from_page else json_answer({"message": str(error)}, 400)
    if from_page:
        return redirect(f"{sandbox.base_url}/simulator#{slug}")
    return json_answer({"knobs": asdict(sandbox.state.knobs(slug)), "grants": touched})


def hits(sandbox: Sandbox) -> SimulatorResponse:
    return json_answer(sandbox.state.hits())


def reset_hits(sandbox: Sandbox, request: SimulatorRequest) -> SimulatorResponse:
    if from_elsewhere(sandbox, request):
        return json_answer({"message": "another site may not do this"}, 403)
    sandbox.state.reset_hits()
    return json_answer(sandbox.state.hits())


def _act(sandbox: Sandbox, fields: dict[str, str], slug: str) -> int:
    action = fields.get("action", "set")
    if action == "set":
        sandbox.state.set_knobs(slug, _set(sandbox.state.knobs(slug), fields))
        return 0
    if action == "reset":
        sandbox.state.forget_knobs(slug)
        return 0
    if action not in ACTIONS:
        raise BadKnob(f"'action' is one of {', '.join(ACTIONS)}.")
    chosen = [grant for grant in sandbox.state.grants(slug) if not grant.ended and fields.get("grant") in (None, "", grant.id) and fields.get("account") in (None, "", grant.account)]
    for grant in chosen:
        if action == "revoke_grant":
            sandbox.state.end(grant, "revoked by the person")
        else:
            sandbox.state.expire_access_tokens(grant)
    return len(chosen)


def _set(knobs: Knobs, fields: dict[str, str]) -> Knobs:
    changed: dict[str, Any] = {}
    for name, known in (("behaviour", get_args(Behaviour)), ("target", ("token", "api"))):
        if name in fields:
            if fields[name] not in known:
                raise BadKnob(f"'{name}' is one of {', '.join(known)}.")
            changed[name] = fields[name]
    for name in ("rotation", "expiring"):
        if name in fields:
            if fields[name].lower() not in ("on", "off", "true", "false"):
                raise BadKnob(f"'{name}' is on or off.")
            changed[name] = fields[name].lower() in ("on", "true")
    for name, most in MAX_SECONDS.items():
        if fields.get(name):
            if not fields[name].isdecimal() or int(fields[name]) > most:
                raise BadKnob(f"'{name}' is a number from 0 to {most}.")
            changed["remaining" if name == "times" else name] = int(fields[name])
    if changed.get("access_token_seconds") == 0:
        raise BadKnob("'access_token_seconds' is at least 1.")
    if "behaviour" in changed or "remaining" in changed:
        changed["remaining"] = changed.get("remaining") or FOREVER
    return replace(knobs, **changed)


def _by_slug(sandbox: Sandbox) -> dict[str, list[Grant]]:
    """The newest grants of each provider, in one pass over all of them."""
    found: dict[str, list[Grant]] = {}
    for grant in sandbox.state.grants():
        if len(known := found.setdefault(grant.slug, [])) < SHOWN_GRANTS:
            known.append(grant)
    return found


def _shown(sandbox: Sandbox, grant: Grant) -> dict[str, Any]:
    person = person_of(grant.slug, grant.account)
    when = grant.refreshed_at or grant.created_at
    since = max(0, int((sandbox.now - datetime.fromisoformat(when)).total_seconds()))
    return {
        "id": grant.id,
        "person": person.key if grant.slug == "github" else person.shown,
        "scopes": [*grant.scopes, *grant.user_scopes],
        "ended": grant.ended,
        "expires": grant.account != KEY.key,
        "rotations": grant.generation_main + grant.generation_user,
        "when": f"{'refreshed' if grant.refreshed_at else 'granted'} {_ago(since)}",
    }


def _ago(seconds: int) -> str:
    for length, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= length:
            return f"{seconds // length} {unit}{'s' if seconds >= 2 * length else ''} ago"
    return "just now"
