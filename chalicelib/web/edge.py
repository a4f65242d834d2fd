"""What every route shares: the request made plain, the caller authenticated, errors as `{message, code}`, and the headers of every answer.

Errors are turned into answers here, in a view decorator: Chalice has its own shape for them and turns REST errors into responses before
any middleware sees them.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

from chalice import Blueprint, Response

from chalicelib import wiring
from chalicelib.domain.errors import Forbidden, IntegrityError, InvalidRequest, PayloadTooLarge, StandpipeError, Unprocessable
from chalicelib.domain.settings import SettingsError
from chalicelib.doors import journal

if TYPE_CHECKING:
    from chalicelib.engine.widget_tokens import WidgetToken

MAX_BODY = 64 * 1024
GATEWAY_SECONDS = 29.0  # API Gateway's own limit; nothing is started that it would cut off
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
}
JSON_HEADERS = {**HEADERS, "Content-Type": "application/json"}
# Any origin may embed the widget: its calls carry a token and no cookie, so an origin proves nothing that the token does not.
CORS_HEADERS = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "X-Request-ID, Retry-After"}


@dataclass(frozen=True)
class Request:
    """One HTTP request. `query` keeps duplicates; header names are lower case."""

    id: str
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    seconds_left: Callable[[], float]
    key_id: str | None = None
    """The API key that was shown, once it was verified."""
    organization_id: str | None = None
    """The organization the API key is bound to: the only one it reaches."""
    widget: "WidgetToken | None" = None
    """The widget token that was shown, once it was verified."""

    def one(self, name: str) -> str | None:
        """A query parameter that may be given once. Raises InvalidRequest for more."""
        values = self.query.get(name, [])
        if len(values) > 1:
            raise InvalidRequest(f"The query parameter '{name}' is given {len(values)} times; give it once.")
        return values[0] if values else None

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; an empty body is an empty object. Raises InvalidRequest."""
        if not self.body.strip():
            return {}
        try:
            loaded = json.loads(self.body.decode("utf-8"))
        except UnicodeDecodeError:
            raise InvalidRequest("The body is not UTF-8.", "invalid_json") from None
        except (ValueError, RecursionError) as error:
            where = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
            raise InvalidRequest(f"The body is not valid JSON{where}.", "invalid_json") from None
        if not isinstance(loaded, dict):
            raise InvalidRequest("The body must be a JSON object.", "invalid_json")
        return loaded

    def form(self) -> dict[str, str]:
        """A form body; the first value of each field."""
        try:
            return {name: values[0] for name, values in parse_qs(self.body.decode("utf-8"), keep_blank_values=True, max_num_fields=50).items()}
        except (UnicodeDecodeError, ValueError):
            raise InvalidRequest("The form cannot be read.") from None

    def cookies(self) -> dict[str, str]:
        """Names and values as sent. Not http.cookies: one foreign cookie it cannot parse would cost us ours."""
        pairs = (part.strip().partition("=") for part in self.headers.get("cookie", "").split(";"))
        return {name: value for name, _, value in pairs}


def read_request(event: dict[str, Any], context: Any) -> Request:
    """A Request from API Gateway's event. Raises PayloadTooLarge or InvalidRequest."""
    body = event.get("body") or ""
    if len(body) > MAX_BODY * 4 // 3:
        raise PayloadTooLarge(f"The body is larger than {MAX_BODY // 1024} kB.")
    raw = _decoded(body) if event.get("isBase64Encoded") else body.encode("utf-8", "surrogateescape")
    if len(raw) > MAX_BODY:
        raise PayloadTooLarge(f"The body is larger than {MAX_BODY // 1024} kB.")
    at_gateway = event["requestContext"]
    started = time.monotonic()

    def seconds_left() -> float:
        of_lambda = context.get_remaining_time_in_millis() / 1000 if hasattr(context, "get_remaining_time_in_millis") else GATEWAY_SECONDS
        return float(min(of_lambda, GATEWAY_SECONDS - (time.monotonic() - started)))

    return Request(
        id=at_gateway.get("requestId") or "local",
        method=at_gateway["httpMethod"],
        path=event.get("path") or at_gateway.get("path") or "",
        query=event.get("multiValueQueryStringParameters") or {},
        headers={name.lower(): value for name, value in (event.get("headers") or {}).items()},
        body=raw,
        seconds_left=seconds_left,
    )


def path_value(value: str) -> str:
    """A path parameter as the client meant it: a REST API hands it on as it was sent, percent-encoded. Raises InvalidRequest."""
    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError:
        raise InvalidRequest("The path is not UTF-8.") from None


def _decoded(body: str) -> bytes:
    from base64 import b64decode

    try:
        return b64decode(body)
    except ValueError:
        raise InvalidRequest("The body cannot be read.") from None


def error_answer(error: StandpipeError, request_id: str) -> Response:
    """The one shape of an error."""
    body: dict[str, Any] = {"message": error.message, "code": error.code}
    if error.errors:
        body["errors"] = error.errors
    headers = {**JSON_HEADERS, "X-Request-ID": request_id}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="standpipe"'
    return Response(body, headers=headers, status_code=error.status)


def note_refusal(request_id: str, method: str, template: str, error: StandpipeError, key_id: str | None = None) -> None:
    """One line for every request that is answered with an error. The path as it was sent may hold a link's handle, so only its template is written."""
    journal.write("refused", request=request_id, method=method, route=template, status=error.status, code=error.code, key=key_id, detail=error.message if error.status >= 500 else None)


@dataclass(frozen=True)
class Mounted:
    """A route as it was mounted, with what describes it: names of a body model (bodies.py) and of the answer's shape (shapes.py), read by openapi.py."""

    path: str
    methods: tuple[str, ...]
    view: Callable[..., Response]
    caller: str
    body: str | None = None
    returns: str | None = None
    status: int = 200
    query: tuple[str, ...] = ()
    errors: tuple[int, ...] = ()
    stage_wide: bool = False
    creates: bool = False


MOUNTED: list[Mounted] = []


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(body, headers={**JSON_HEADERS, **(headers or {})}, status_code=status)


def route(
    blueprint: Blueprint,
    path: str,
    methods: list[str],
    *,
    caller: str = "api_key",
    on_error: Callable[[StandpipeError, Request | None], Response] | None = None,
    stage_wide: bool = False,
    creates: bool = False,
    **described: Any,
) -> Callable[..., Any]:
    """Mounts a view `(request, **path_parameters) -> Response`. `caller` is "api_key", "widget" or "anyone"; `described` as in Mounted.

    `stage_wide`: a key that is bound to an organization is refused. `creates`: an Idempotency-Key is honoured. Chalice's check of content types is off: its answer has another shape, and WorkOS's clients send JSON types on empty bodies.
    """

    def mount(view: Callable[..., Response]) -> Any:
        MOUNTED.append(Mounted(path, tuple(methods), view, caller, stage_wide=stage_wide, creates=creates, **described))

        @wraps(view)
        def handler(**parameters: str) -> Response:
            incoming = blueprint.current_request
            event, context = incoming.to_original_event(), incoming.lambda_context
            request_id = event["requestContext"].get("requestId") or "local"
            request: Request | None = None
            try:
                request = read_request(event, context)
                if caller == "api_key":
                    key = wiring.engine().api_keys.authenticate(request.headers.get("authorization"))
                    request = replace(request, key_id=key.id, organization_id=key.organization_id)
                    if stage_wide and key.organization_id is not None:
                        raise Forbidden("This API key is bound to an organization, and this concerns the whole stage.", "organization_bound_key")
                elif caller == "widget":
                    request = replace(request, widget=wiring.engine().widget_tokens.authenticate(request.headers.get("authorization")))
                values = {name: path_value(value) for name, value in parameters.items()}
                if creates and "idempotency-key" in request.headers:
                    from chalicelib.web import idempotency

                    response = idempotency.once(request, lambda given: view(given, **values))
                else:
                    response = view(request, **values)
            except StandpipeError as error:
                note_refusal(request_id, event["requestContext"]["httpMethod"], path, error, request.key_id if request else None)
                if isinstance(error, IntegrityError):
                    journal.count("integrity_error", wiring.now(), "api", alarm="integrity", request=request_id, detail=error.detail)
                response = on_error(error, request) if on_error else error_answer(error, request_id)
            except SettingsError as error:
                journal.write("settings_error", request=request_id, detail=str(error))
                response = error_answer(StandpipeError("This deployment is not configured; its log says which setting is missing.", "not_configured"), request_id)
            except Exception as error:  # noqa: BLE001
                # The text of an unforeseen error may hold anything, so only its type and place are written.
                place = error.__traceback__
                while place is not None and place.tb_next is not None:
                    place = place.tb_next
                where = f"{place.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{place.tb_lineno}" if place else ""
                journal.write("internal_error", request=request_id, error=type(error).__name__, where=where)
                unforeseen = StandpipeError(f"Something went wrong on our side; nothing was returned. Quote request {request_id} to your operator.")
                response = on_error(unforeseen, request) if on_error else error_answer(unforeseen, request_id)
            crossing = CORS_HEADERS if caller == "widget" else {}
            response.headers = {"X-Request-ID": request_id, **crossing, **response.headers}  # a new dict: a view may have answered with the shared one
            return response

        return blueprint.route(path, methods=methods, content_types=[])(handler)

    return mount


def unprocessable(field: str, problem: str, code: str = "invalid") -> Unprocessable:
    """A wrong field, as a sentence and as data."""
    return Unprocessable(f"'{field}' {problem}", "validation_error", errors=[{"field": field, "code": code}])
