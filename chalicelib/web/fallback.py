"""Unknown paths and wrong methods, answered in the one shape of an error instead of the gateway's own."""

from chalice import Blueprint, Chalice, Response

from chalicelib.domain.errors import MethodNotAllowed, NotFound
from chalicelib.web.edge import CORS_HEADERS, HEADERS, Request, error_answer, note_refusal, route

METHODS = ["DELETE", "GET", "PATCH", "POST", "PUT"]
PREFLIGHT = {
    **HEADERS,
    **CORS_HEADERS,
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
    "Access-Control-Allow-Headers": "authorization, content-type, workos-widgets-type, workos-widgets-version, x-elevated-access-token",
    "Access-Control-Max-Age": "7200",
}


def mount(app: Chalice) -> None:
    """Mounts a 405 on every path for the methods it has not, and a 404 on everything else. Call it last."""
    fallback = Blueprint(f"{__name__}.fallback")
    for number, (path, entries) in enumerate(sorted(app.routes.items())):
        if path.startswith("/_widgets/"):
            _preflight(fallback, number, path)
        missing = [method for method in METHODS if method not in entries]
        allowed = ", ".join(sorted(entries))
        if missing:
            _wrong_method(fallback, number, path, missing, allowed)
    _unknown(fallback, "/", "root")
    _unknown(fallback, "/{proxy+}", "unknown")
    app.register_blueprint(fallback)


def _preflight(blueprint: Blueprint, number: int, path: str) -> None:
    """A browser asks before the widget's calls. One for each path: a gateway does not look for a method beside the path it found."""

    def preflight(request: Request, **_parameters: str) -> Response:
        return Response("", status_code=204, headers=PREFLIGHT)

    preflight.__name__ = f"preflight_{number}"
    route(blueprint, path, ["OPTIONS"], caller="anyone")(preflight)


def _wrong_method(blueprint: Blueprint, number: int, path: str, methods: list[str], allowed: str) -> None:
    def wrong_method(request: Request, **_parameters: str) -> Response:
        error = MethodNotAllowed(f"{request.method} is not possible here; {allowed} is.")
        note_refusal(request.id, request.method, path, error)
        response = error_answer(error, request.id)
        response.headers["Allow"] = allowed
        return response

    wrong_method.__name__ = f"wrong_method_{number}"
    route(blueprint, path, methods, caller="anyone")(wrong_method)


def _unknown(blueprint: Blueprint, path: str, name: str) -> None:
    def unknown(request: Request, **_parameters: str) -> Response:
        raise NotFound(f"There is nothing at {request.method} {request.path[:200]}.")

    unknown.__name__ = name
    route(blueprint, path, METHODS, caller="anyone")(unknown)
