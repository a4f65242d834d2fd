"""The bridges inside the embedded AWS: a REST API behind a custom domain, as AWS hands its requests to a function."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from ministack.services import apigateway_v1

from ops.local import gateway

SPEC: dict[str, Any] = {
    "info": {"title": "standpipe"},
    "x-amazon-apigateway-binary-media-types": ["image/png"],
    "paths": {"/users/{user_id}": {"get": {"x-amazon-apigateway-integration": {"type": "aws_proxy", "httpMethod": "POST", "uri": "arn:aws:lambda:us-east-1:000000000000:function:f"}}}},
}


class Called:
    """Stands for the Lambda service: keeps the event, answers `result`."""

    def __init__(self) -> None:
        self.event: dict[str, Any] = {}
        self.result: dict[str, Any] = {"statusCode": 200, "body": "{}"}

    async def __call__(self, reference: str, event: dict[str, Any], **_: Any) -> tuple[dict[str, Any], None]:
        self.event = event
        return {"body": self.result}, None


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> Iterator[Called]:
    lambda_service = Called()
    monkeypatch.setattr(apigateway_v1, "_call_lambda_raw", lambda_service)
    monkeypatch.setattr(apigateway_v1, "_lambda_proxy_response", lambda result: (result["body"], None))
    monkeypatch.setattr(apigateway_v1, "_build_lambda_event_v1", gateway._build_event)
    yield lambda_service
    apigateway_v1.reset()


def ran(begin: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """In a thread of its own: the browser tests leave an event loop running in theirs."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(begin())).result()


def control(method: str, path: str, body: Any = None, **query: str) -> dict[str, Any]:
    status, _, answer = ran(lambda: gateway._handle_request(method, path, {}, json.dumps(body).encode() if body else b"", dict(query)))
    assert status < 300, answer
    return json.loads(answer) if answer else {}


@pytest.fixture
def api(called: Called) -> str:
    api_id: str = control("POST", "/restapis", SPEC, mode="import")["id"]
    control("POST", f"/restapis/{api_id}/deployments", {"stageName": "api"})
    return api_id


def send(api_id: str, target: bytes, headers: list[tuple[bytes, bytes]] | None = None, method: str = "GET") -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """One request through the gateway's own route, as the front sends it."""
    path, _, query = target.partition(b"?")
    scope = {"type": "http", "method": method, "raw_path": gateway.PREFIX + api_id.encode() + b"/api" + path, "query_string": query, "headers": headers or []}
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def answer(message: dict[str, Any]) -> None:
        sent.append(message)

    async def never(*_: Any) -> None:
        raise AssertionError("not a request for the gateway")

    ran(lambda: gateway.wrap(never)(scope, receive, answer))
    return sent[0]["status"], sent[0]["headers"], sent[1]["body"]


def test_the_path_stays_as_it_was_sent_and_has_no_stage(api: str, called: Called) -> None:
    send(api, b"/users/a%2Fb%40c")
    assert called.event["path"] == called.event["requestContext"]["path"] == "/users/a%2Fb%40c"
    assert called.event["pathParameters"] == {"user_id": "a%2Fb%40c"}


def test_repeated_parameters_and_headers_are_lists(api: str, called: Called) -> None:
    send(api, b"/users/a?x=1&x=%20y&z=", [(b"x-a", b"1"), (b"x-a", b"2"), (b"cookie", b"a=1"), (b"cookie", b"b=2")])
    assert called.event["multiValueQueryStringParameters"] == {"x": ["1", " y"], "z": [""]}
    assert called.event["queryStringParameters"] == {"x": " y", "z": ""}
    assert called.event["multiValueHeaders"] == {"x-a": ["1", "2"], "cookie": ["a=1; b=2"]}


def test_the_client_does_not_choose_its_address(api: str, called: Called) -> None:
    send(api, b"/users/a", [(b"x-forwarded-for", b"6.6.6.6")])
    assert called.event["requestContext"]["identity"]["sourceIp"] == "127.0.0.1"


def test_cookies_of_an_answer_are_lines_of_their_own_and_a_204_is_empty(api: str, called: Called) -> None:
    called.result = {"statusCode": 204, "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]}, "body": ""}
    status, headers, body = send(api, b"/users/a")
    assert (status, body) == (204, b"")
    assert [value for name, value in headers if name == b"set-cookie"] == [b"a=1", b"b=2"]


def test_a_redeployment_replaces_the_routes_and_keeps_the_api(api: str, called: Called) -> None:
    again = {**SPEC, "x-amazon-apigateway-binary-media-types": ["font/woff2"], "paths": {"/new": SPEC["paths"]["/users/{user_id}"]}}
    assert control("PUT", f"/restapis/{api}", again, mode="overwrite")["id"] == api
    assert control("GET", f"/restapis/{api}")["binaryMediaTypes"] == ["font/woff2"]
    assert send(api, b"/new")[0] == 200
    assert send(api, b"/users/a")[0] == 403
    assert len(control("GET", "/restapis")["item"]) == 1
