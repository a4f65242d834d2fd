"""Runs inside the embedded AWS: makes its API Gateway do what Chalice and a custom domain need. Every bridge names the gap it closes.

1. ImportRestApi and PutRestApi are not routed, although the importer is inside.
2. A request is taken from the raw bytes: ministack decodes the path, joins repeated headers, and puts the stage in the path, where a REST
   API behind a custom domain keeps the path as it was sent, lists repeated headers, and has no stage in it.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

from ministack.services import apigateway_v1

Answer = tuple[int, dict[str, Any], bytes]
Asgi = Callable[[dict[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]

PREFIX = b"/_standpipe/gateway/"  # then <api id>/<stage>, then the path as the client sent it
MAX_ANSWER = 10 * 1024 * 1024  # API Gateway's own limit
_route = apigateway_v1.handle_request
_event = apigateway_v1._build_lambda_event_v1


def install() -> None:
    """Puts the bridges in place, once, before the server starts."""
    apigateway_v1.handle_request = _handle_request
    apigateway_v1._build_lambda_event_v1 = _build_event


async def _handle_request(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Any:
    parts = path.strip("/").split("/")
    mode = query.get("mode") or ""
    mode = mode[0] if isinstance(mode, list) else mode
    if method == "POST" and parts == ["restapis"] and mode == "import":
        spec = json.loads(body)
        api_id = apigateway_v1._import_rest_api(spec, _described(spec))
        status, answer_headers, answer = apigateway_v1._get_rest_api(api_id)
        return (201 if status == 200 else status), answer_headers, answer
    if method == "PUT" and len(parts) == 2 and parts[0] == "restapis":
        return _put_rest_api(parts[1], json.loads(body))
    return await _route(method, path, headers, body, query)


def _described(spec: dict[str, Any]) -> dict[str, Any]:
    """What the document says about the API itself; the importer reads its name, version and paths only."""
    described: dict[str, Any] = {"binaryMediaTypes": spec.get("x-amazon-apigateway-binary-media-types", [])}
    if "x-amazon-apigateway-policy" in spec:
        described["policy"] = json.dumps(spec["x-amazon-apigateway-policy"])
    return described


def _put_rest_api(api_id: str, spec: dict[str, Any]) -> Any:
    """mode=overwrite: import the document beside the API, then give the API what was imported. Its id and stages stay."""
    api = apigateway_v1._rest_apis.get(api_id)
    if api is None:
        return apigateway_v1._get_rest_api(api_id)
    described = _described(spec)
    beside = apigateway_v1._import_rest_api(spec, described)
    apigateway_v1._resources[api_id] = apigateway_v1._resources[beside]
    apigateway_v1._authorizers_v1[api_id] = apigateway_v1._authorizers_v1.get(beside, {})
    api.update(described)
    apigateway_v1._delete_rest_api(beside)
    return apigateway_v1._get_rest_api(api_id)


def _build_event(api_id: str, stage_name: str, stage: Any, resource: Any, request_path: str, *rest: Any, **named: Any) -> dict[str, Any]:
    event: dict[str, Any] = _event(api_id, stage_name, stage, resource, request_path, *rest, **named)
    event["requestContext"]["path"] = request_path
    event["requestContext"]["identity"]["sourceIp"] = "127.0.0.1"  # the peer, never what a client writes in X-Forwarded-For
    # A parameter given twice: API Gateway's single-valued map has the last one.
    multi = event.get("multiValueQueryStringParameters")
    event["queryStringParameters"] = {name: values[-1] for name, values in multi.items()} if multi else None
    return event


def wrap(app: Asgi) -> Asgi:
    """The server's ASGI application with our gateway route before its own."""

    async def with_gateway(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope.get("raw_path", b"").startswith(PREFIX):
            await app(scope, receive, send)
            return
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
        # On its own task: a client that goes away does not stop a Lambda that has begun.
        status, headers, answer = await asyncio.shield(asyncio.ensure_future(_execute(scope, bytes(body))))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    return with_gateway


async def _execute(scope: dict[str, Any], body: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    api_id, stage, *rest = scope["raw_path"][len(PREFIX) :].decode("latin-1").split("/", 2)
    path = "/" + (rest[0] if rest else "")
    query: dict[str, list[str]] = {}
    for name, value in parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True):
        query.setdefault(name, []).append(value)
    status, headers, answer = await apigateway_v1.handle_execute(api_id, stage, scope["method"], path, _headers(scope["headers"]), body, query)
    lines = []
    for name, value in headers.items():
        for one in value if isinstance(value, list) else [value]:
            lines.append((name.lower().encode("latin-1"), str(one).encode("utf-8")))
    answer = answer.encode() if isinstance(answer, str) else answer
    if scope["method"] == "HEAD" or int(status) in (204, 304):
        answer = b""
    elif len(answer) > MAX_ANSWER:
        return 502, [(b"content-type", b"application/json")], b'{"message": "Internal server error"}'
    lines = [line for line in lines if line[0] != b"content-length"]
    return int(status), [*lines, (b"content-length", str(len(answer)).encode())], answer


def _headers(raw: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    """Repeated headers as a list, as API Gateway hands them on; cookies joined as a browser would have sent them."""
    found: dict[str, list[str]] = {}
    for name, value in raw:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    single = {name: values[0] if len(values) == 1 else values for name, values in found.items()}
    if isinstance(single.get("cookie"), list):
        single["cookie"] = "; ".join(single["cookie"])
    return single
