"""The sandbox's simulated providers, mounted. In production these paths do not exist."""

from typing import Any
from urllib.parse import parse_qsl

from chalice import Blueprint, Response

from chalicelib import wiring
from chalicelib.domain.errors import NotFound
from chalicelib.web.edge import HEADERS, Request, route

simulator_routes = Blueprint(__name__)
METHODS = ["GET", "POST", "DELETE"]


@route(simulator_routes, "/simulator", METHODS, caller="anyone")
def simulator_overview(request: Request) -> Response:
    return _serve(request)


@route(simulator_routes, "/simulator/{proxy+}", METHODS, caller="anyone")
def simulator(request: Request) -> Response:
    return _serve(request)


def _serve(request: Request) -> Response:
    engine = wiring.engine()
    if not engine.settings.sandbox:
        raise NotFound(f"There is nothing at {request.method} {request.path[:200]}.")
    from chalicelib.simulator.messages import SimulatorRequest
    from chalicelib.simulator.routes import handle

    is_json = request.headers.get("content-type", "").startswith("application/json")
    answer = handle(
        SimulatorRequest(
            method=request.method,
            path=request.path.removeprefix("/simulator"),
            query=[(name, value) for name, values in request.query.items() for value in values],
            headers=request.headers,
            form=[] if is_json else parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True),
            json=_json(request) if is_json else None,
        ),
        engine.simulator_state,
        engine.settings.url,
        wiring.now(),
        wiring.engine().sleep,
    )
    return Response(answer.body, status_code=answer.status, headers={**HEADERS, **answer.headers})


def _json(request: Request) -> Any:
    return request.json() if request.body else None
