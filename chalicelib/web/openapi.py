"""The API as an OpenAPI 3.1 document, made of what the code itself goes by: the mounted routes, the body models, the shapes of the answers.

Rule: nothing is told here twice. What is here is what the routes do not say of themselves: what a name in a path or a query may be.
Imported by who asks for the document, and by nobody else.
"""

import re
from functools import cache
from inspect import getmodule
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from chalicelib.domain.events import TYPES
from chalicelib.web import bodies, shapes, shapes_events, shapes_registrations, shapes_widgets, webhook_bodies
from chalicelib.web.edge import MOUNTED, Mounted

VERSION = "1.0"  # of the contract; an addition does not change it
SHAPES = (shapes, shapes_registrations, shapes_events, shapes_widgets)
REFERENCE = "#/components/schemas/{model}"

_OWN_ID = {"type": "string", "minLength": 1, "maxLength": 255}
_TEXT = {"type": "string", "minLength": 1}
_MAYBE = {"type": "string"}  # empty = not given
_MAYBE_TIME = {"type": "string", "anyOf": [{"format": "date-time"}, {"maxLength": 0}]}
PATH_PARAMETERS: dict[str, tuple[dict[str, Any], str]] = {
    "slug": ({"type": "string", "minLength": 1, "maxLength": 63}, "The data integration."),
    "user_id": (_OWN_ID, "Your own id of the user."),
    "organization_id": (_OWN_ID, "Your own id of the organization."),
    "endpoint_id": (_TEXT, "The webhook endpoint."),
    "id": (_TEXT, "The connected account."),
    "state": (_TEXT, "The `state` that the flow was begun with."),
}
QUERY_PARAMETERS: dict[str, tuple[dict[str, Any], str]] = {
    "limit": ({"type": "integer", "minimum": 1, "maximum": 100, "default": 10}, "How many on a page."),
    "before": (_MAYBE, "The id of the first row of the page after the wanted one; not together with `after`."),
    "after": (_MAYBE, "The id of the last row of the page before the wanted one."),
    "order": ({"enum": ["asc", "desc", "normal"], "default": "desc"}, "Oldest first, newest first, or newest first with `before` and `after` exchanged."),
    "ownership": ({"enum": ["user", "organization"]}, "Data integrations of users' own accounts, or of those that organizations share."),
    "organization_id": (_OWN_ID, "The organization the user acts in."),
    "supports_multiple_connections": ({"type": "boolean", "default": False}, "The caller knows that there may be several accounts."),
    "connected_account_id": (_TEXT, "Which of several accounts."),
    "connection_intent": ({"const": "reauthorize"}, "As in the body."),
    "requireHandoff": ({"type": "boolean", "default": True}, "Whether the window that opened the popup has to vouch for the person."),
    "events": ({"type": "array", "items": {"enum": list(TYPES)}}, "Types of events, separated by commas."),
    "range_start": (_MAYBE_TIME, "Not before this time."),
    "range_end": (_MAYBE_TIME, "Before this time."),
}
QUERY_OF_ROUTE: dict[tuple[str, str], tuple[dict[str, Any], str]] = {
    ("/events", "order"): ({"enum": ["asc", "desc"], "default": "asc"}, "Oldest first, or newest first."),
    ("/events", "organization_id"): (_OWN_ID, "Events of this organization."),
    ("/data-integrations", "ownership"): (QUERY_PARAMETERS["ownership"][0], "Those of users' own accounts, or those that organizations share."),
}
HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-ID": {"description": "Names the request in the log; quote it to the operator.", "required": True, "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds after which it is worth trying again.", "required": True, "schema": {"type": "integer", "minimum": 0}},
    "WWW-Authenticate": {"description": "RFC 6750.", "required": True, "schema": {"type": "string"}},
    "Standpipe-Revocation": {"description": "What became of the grant at the provider.", "required": True, "schema": {"enum": ["revoked", "failed", "unsupported"]}},
    "Idempotent-Replayed": {"description": "`true`: the answer this Idempotency-Key was given before.", "schema": {"const": "true"}},
}
ERRORS: dict[int, tuple[str, tuple[str, ...]]] = {
    400: ("The request cannot be read, or cannot be done as it is.", ()),
    401: ("No valid API key; the same answer for every cause.", ("WWW-Authenticate",)),
    403: ("The credential does not reach this, or it is no valid widget token.", ()),
    404: ("There is no such thing, or it is somebody else's.", ()),
    409: ("The state of things does not allow it.", ()),
    413: ("The body is larger than 64 kB.", ()),
    422: ("A field is wrong; `errors` says which.", ()),
    500: ("Something went wrong on this side.", ()),
    503: ("Try again later.", ("Retry-After",)),
}
SECURITY = {
    "apiKey": {"type": "http", "scheme": "bearer", "description": "An API key of the application's backend: sk_…"},
    "widgetToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A widget token from POST /widgets/token."},
}
SCHEMES: dict[str, list[dict[str, list[str]]]] = {"api_key": [{"apiKey": []}], "widget": [{"widgetToken": []}], "anyone": []}
IDEMPOTENCY_KEY = {"name": "Idempotency-Key", "in": "header", "description": "The same request under the same key is done once and answered alike for a day.", "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}}  # fmt: skip


def described() -> list[Mounted]:
    """The routes of the document: those that want a credential of the API, and open ones that say what they answer. Pages and the dashboard are neither."""
    return [route for route in MOUNTED if route.caller != "anyone" or route.returns is not None]


def document(url: str) -> dict[str, Any]:
    """The document of the stage at `url`."""
    routes = described()
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        for method in route.methods:
            paths.setdefault(route.path, {})[method.lower()] = _operation(route)
    for route in routes:
        if "POST" in route.methods and route.returns is not None and (links := _links(route, routes)):
            paths[route.path]["post"]["responses"][str(route.status)]["links"] = links
    return {
        "openapi": "3.1.0",
        "info": {"title": "Standpipe", "version": VERSION, "description": "WorkOS Pipes' own routes, and additions. Unknown fields of a body are ignored; answers may get more fields."},
        "servers": [{"url": url}],
        "tags": [{"name": tag, "description": text} for tag, text in sorted({_tag(route): _first_sentence(_module(route).__doc__ or "") for route in routes}.items())],
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "responses": {f"Error{status}": _error(status) for status in ERRORS},
            "headers": HEADERS,
            "securitySchemes": SECURITY,
        },
    }


def body_model(name: str) -> type[BaseModel]:
    """Raises AttributeError for a name no model has."""
    model: type[BaseModel] = getattr(bodies, name, None) or getattr(webhook_bodies, name)
    return model


def shape(name: str) -> Any:
    """Raises LookupError for a name no shape has."""
    found = [getattr(module, name) for module in SHAPES if hasattr(module, name)]
    if not found:
        raise LookupError(f"no shape is called {name}")
    return found[0]


class _Plain(GenerateJsonSchema):
    """Without a title for every field: it would be its name again."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


@cache
def schemas() -> dict[str, Any]:
    """Every body and every answer by its name, and what they are made of."""
    routes = described()
    wanted: dict[str, Any] = {route.body: body_model(route.body) for route in routes if route.body}
    wanted |= {name: shape(name) for name in ["Error", *(route.returns for route in routes if route.returns)]}
    made, definitions = TypeAdapter.json_schemas([(name, "validation", TypeAdapter(each)) for name, each in wanted.items()], ref_template=REFERENCE, schema_generator=_Plain)
    known: dict[str, Any] = definitions["$defs"]
    # What has no definition of its own is a choice between those that have.
    return {**known, **{name: schema for (name, _mode), schema in made.items() if name not in known}}


def _operation(route: Mounted) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": f"{_tag(route).replace(' ', '_')}_{route.view.__name__}",
        "tags": [_tag(route)],
        "summary": _first_sentence(route.view.__doc__ or f"{route.view.__name__.replace('_', ' ').capitalize()}."),
        "security": SCHEMES[route.caller],
        "parameters": _parameters(route),
        "responses": {str(route.status): _success(route), **{str(status): {"$ref": f"#/components/responses/Error{status}"} for status in _statuses(route)}},
    }
    if route.view.__doc__ and route.view.__doc__ != operation["summary"]:
        operation["description"] = re.sub(r"\s*\n\s*", " ", route.view.__doc__)
    if route.body:
        required = any(field.is_required() for field in body_model(route.body).model_fields.values())
        operation["requestBody"] = {"required": required, "content": {"application/json": {"schema": {"$ref": REFERENCE.format(model=route.body)}}}}
    return operation


def _parameters(route: Mounted) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name in _path_names(route):
        schema, text = PATH_PARAMETERS[name]
        found.append({"name": name, "in": "path", "required": True, "description": text, "schema": schema})
    for name in route.query:
        schema, text = QUERY_OF_ROUTE.get((route.path, name)) or QUERY_PARAMETERS[name]
        found.append({"name": name, "in": "query", "description": text, "schema": schema, **({"explode": False} if schema.get("type") == "array" else {})})
    return [*found, IDEMPOTENCY_KEY] if route.creates else found


def _success(route: Mounted) -> dict[str, Any]:
    headers = ["X-Request-ID", *(["Idempotent-Replayed"] if route.creates else [])]
    if route.methods == ("DELETE",) and "/connected_accounts/" in route.path:
        headers.append("Standpipe-Revocation")
    answer: dict[str, Any] = {"description": "Done." if route.returns is None else _summary(shape(route.returns)), "headers": _headers(headers)}
    if route.returns is not None:
        answer["content"] = {"application/json": {"schema": {"$ref": REFERENCE.format(model=route.returns)}}}
    return answer


def _summary(answered: Any) -> str:
    """Of a shape, or of a choice between several."""
    if isinstance(answered, type) or not hasattr(answered, "__args__"):
        return _first_sentence(answered.__doc__ or "The answer.")
    return " Or: ".join(_summary(each) for each in answered.__args__)


def _error(status: int) -> dict[str, Any]:
    text, headers = ERRORS[status]
    return {"description": text, "headers": _headers(["X-Request-ID", *headers]), "content": {"application/json": {"schema": {"$ref": REFERENCE.format(model="Error")}}}}


def _headers(names: list[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _statuses(route: Mounted) -> list[int]:
    """What a request may be refused with, besides what the route says itself."""
    if route.caller == "anyone":
        return sorted({500, *route.errors})
    found = {400, 500, 503, 401 if route.caller == "api_key" else 403, *route.errors}
    if route.stage_wide:
        found.add(403)
    if _path_names(route) or (route.body and "organization_id" in body_model(route.body).model_fields):
        found.add(404)
    if route.body:
        found.add(413)
    if route.body or route.query or {"user_id", "organization_id"} & set(_path_names(route)):
        found.add(422)
    if route.methods != ("GET",):
        found.add(409)  # somebody else may change the same thing at the same moment
    return sorted(found)


def _links(route: Mounted, routes: list[Mounted]) -> dict[str, Any]:
    """Where what was just made can be used: the routes at and below this path whose further parameters the answer has."""
    answered = getattr(shape(route.returns or ""), "__annotations__", {})
    told = {"slug": "slug", "endpoint_id": "id", "id": "id", "state": "state"}
    found: dict[str, Any] = {}
    for other in routes:
        if other is route or not f"{other.path}/".startswith(f"{route.path}/"):
            continue
        known = {name: f"$request.path.{name}" for name in _path_names(route)}
        further = {name: f"$response.body#/{told[name]}" for name in _path_names(other) if name not in known and told.get(name) in answered}
        if not further and (other.path != route.path or not known):
            continue
        again = {f"query.{name}": f"$request.query.{name}" for name in set(other.query) & set(route.query)}
        if set(_path_names(other)) <= {*known, *further}:
            operation = f"{_tag(other).replace(' ', '_')}_{other.view.__name__}"
            found[operation] = {"operationId": operation, "parameters": {**{f"path.{name}": value for name, value in {**known, **further}.items()}, **again}}
    return found


def _path_names(route: Mounted) -> list[str]:
    return re.findall(r"\{([^}]+)\}", route.path)


def _module(route: Mounted) -> Any:
    return getmodule(route.view)


def _tag(route: Mounted) -> str:
    return str(_module(route).__name__).rsplit(".", 1)[1].removesuffix("_api").replace("_", " ")


def _first_sentence(text: str) -> str:
    sentence, dot, _ = re.sub(r"\s+", " ", text).partition(". ")
    return sentence + dot.strip()
