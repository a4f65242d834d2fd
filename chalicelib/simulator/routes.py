"""Every path below `/simulator`, and the one function that serves them. A web floor mounts `handle`; `mounts` lists what it must let through.

Counting and misbehaviour happen here, around the provider's own handler: 429 and 500 come instead of it, a malformed or slow answer
after it, so that what the provider did is done and only the answer is lost.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import cache

from chalicelib.providers import catalogue
from chalicelib.simulator import generic, github, google, knobs, salesforce, slack
from chalicelib.simulator.catalogue import SIMULATED
from chalicelib.simulator.dialect import Dialect, Route
from chalicelib.simulator.messages import Sandbox, SimulatorRequest, SimulatorResponse, json_answer
from chalicelib.simulator.state import State

OWN: dict[str, tuple[Dialect, tuple[Route, ...]]] = {module.SLUG: (module.DIALECT, module.ROUTES) for module in (github, slack, google, salesforce)}
COUNTED = ("authorization_code", "refresh_token", "client_credentials")


@cache
def spoken(slug: str) -> tuple[Dialect, tuple[Route, ...]]:
    """How a provider of SIMULATED speaks: in its own dialect, or as its file says."""
    provider = catalogue.load(slug)
    assert provider is not None
    return OWN.get(slug) or generic.speak(provider)


def dialects() -> tuple[Dialect, ...]:
    """Of all providers, those with a dialect of their own first."""
    return tuple(spoken(slug)[0] for slug in dict.fromkeys([*OWN, *SIMULATED]))


def mounts() -> tuple[tuple[str, str], ...]:
    """(method, path below /simulator) of everything there is; `{name}` is one segment."""
    fixed = (("GET", ""), ("GET", "/knobs"), ("GET", "/hits"), ("DELETE", "/hits"), ("POST", "/{slug}/knobs"))
    return (*fixed, *((route.method, f"/{slug}{route.path}") for slug in SIMULATED for route in spoken(slug)[1]))


def handle(request: SimulatorRequest, state: State, base_url: str, now: datetime, sleep: Callable[[float], None]) -> SimulatorResponse:
    """Serves one request. `base_url` is this stage's origin, from its settings and never from the request; `sleep` is called for slow answers."""
    sandbox = Sandbox(state, base_url, now)
    match request.method, request.path.rstrip("/"):
        case "GET", "":
            return knobs.overview(sandbox, dialects())
        case "GET", "/knobs":
            return knobs.read(sandbox, dialects())
        case "GET", "/hits":
            return knobs.hits(sandbox)
        case "DELETE", "/hits":
            return knobs.reset_hits(sandbox, request)
    slug, _, rest = request.path.removeprefix("/").partition("/")
    if slug not in SIMULATED:
        return json_answer({"message": "There is no such simulated provider."}, 404)
    if (request.method, rest) == ("POST", "knobs"):
        return knobs.turn(sandbox, request, slug)
    dialect, routes = spoken(slug)
    allowed = []
    for route in routes:
        if (found := _pattern(route.path).fullmatch(f"/{rest}")) is not None:
            if route.method == request.method:
                return _serve(sandbox, dialect, route, request, found.groupdict(), sleep)
            allowed.append(route.method)
    if allowed:
        return json_answer({"message": "This path is served, but not for this method."}, 405, {"Allow": ", ".join(sorted(set(allowed)))})
    return json_answer({"message": f"The simulated {dialect.name} does not have this path."}, 404)


def _serve(sandbox: Sandbox, dialect: Dialect, route: Route, request: SimulatorRequest, parameters: dict[str, str], sleep: Callable[[float], None]) -> SimulatorResponse:
    if route.kind == "page":
        return route.handler(sandbox, request, parameters)
    if route.kind == "token":
        grant_type = request.fields().get("grant_type", "authorization_code")
        grant_type = "client_credentials" if grant_type == dialect.client_credentials_grant else grant_type
        sandbox.state.count(dialect.slug, grant_type if grant_type in COUNTED else "other")
    else:
        sandbox.state.count(dialect.slug, route.kind)
    turned = sandbox.state.knobs(dialect.slug)
    behaviour = sandbox.state.spend(dialect.slug, turned) if route.kind == turned.target else "normal"
    if behaviour == "429":
        return json_answer(dialect.throttled, 429, {"Retry-After": str(turned.retry_after)})
    if behaviour == "500":
        return SimulatorResponse(500, {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"}, f"<!doctype html><title>{dialect.name}</title><h1>Simulated failure</h1>")
    answer = route.handler(sandbox, request, parameters)
    if behaviour == "slow":
        sleep(turned.seconds)
    if behaviour == "malformed":
        # Half of a form-encoded answer would still parse, with half a token in it; no provider cuts off there.
        return replace(answer, body=answer.body[: len(answer.body) // 2] if answer.body.startswith("{") else "<!doctype html><title>")
    return answer


@cache
def _pattern(path: str) -> re.Pattern[str]:
    return re.compile("".join(f"(?P<{part[1:-1]}>[^/]+)" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{[a-z_]+\})", path)))
