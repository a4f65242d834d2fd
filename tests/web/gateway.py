"""API Gateway and Lambda in one process: HTTP requests become REST proxy events, and the real handler answers them.

What is kept of the real one: raw paths and path parameters (a REST API does not decode them), decoded queries that keep duplicates,
the most specific resource wins, a method that a resource has not falls through to `{proxy+}`, and headers of an answer with several values.
"""

import base64
import json
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import app as lambda_module

Pairs = Sequence[tuple[str, str]]


class _ManyContainers(type(lambda_module.app)):  # type: ignore[misc]
    """A container serves one request at a time and keeps it on the app. Here a thread stands for a container."""

    _kept = threading.local()

    @property
    def current_request(self) -> Any:
        return getattr(self._kept, "request", None)

    @current_request.setter
    def current_request(self, value: Any) -> None:
        self._kept.request = value

    @property
    def lambda_context(self) -> Any:
        return getattr(self._kept, "context", None)

    @lambda_context.setter
    def lambda_context(self, value: Any) -> None:
        self._kept.context = value


@dataclass(frozen=True)
class Context:
    """Lambda's context, as far as it is used: the time that is left."""

    ends: float

    def get_remaining_time_in_millis(self) -> int:
        return int((self.ends - time.monotonic()) * 1000)


@dataclass(frozen=True)
class Answer:
    """An HTTP answer. Header names are lower case; every header may have several values."""

    status: int
    headers: dict[str, list[str]]
    body: bytes = field(repr=False)
    request: str = ""

    @property
    def text(self) -> str:
        return self.body.decode("utf-8")

    def json(self) -> Any:
        return json.loads(self.body)

    def one(self, name: str) -> str:
        (value,) = self.headers[name.lower()]
        return value

    @property
    def location(self) -> str:
        return self.one("location")

    def whole(self) -> str:
        """Everything of the answer, to search in."""
        return json.dumps(self.headers, ensure_ascii=False) + self.text


class Gateway:
    """One deployed stage."""

    def __init__(self) -> None:
        self.app = lambda_module.app
        self.app.__class__ = _ManyContainers
        self.answers: list[Answer] = []

    def resource(self, method: str, raw_path: str) -> tuple[str, dict[str, str]] | None:
        """The resource that serves the method at the path, and its path parameters as they were sent."""
        found = []
        for resource, methods in self.app.routes.items():
            parameters = _match(resource, raw_path)
            if parameters is not None and method in methods:
                found.append((_rank(resource), resource, parameters))
        return min(found, key=lambda each: each[0])[1:] if found else None

    def event(self, method: str, target: str, headers: Pairs, body: bytes, request_id: str) -> dict[str, Any] | None:
        parts = urlsplit(target)
        raw_path = parts.path or "/"
        matched = self.resource(method, raw_path)
        if matched is None:
            return None
        resource, parameters = matched
        query: dict[str, list[str]] = {}
        for name, value in parse_qsl(parts.query, keep_blank_values=True, errors="replace"):
            query.setdefault(name, []).append(value)
        many: dict[str, list[str]] = {}
        for name, value in headers:
            many.setdefault(name, []).append(value)
        try:
            text, encoded = body.decode("utf-8"), False
        except UnicodeDecodeError:
            text, encoded = base64.b64encode(body).decode(), True
        return {
            "resource": resource,
            "path": raw_path,
            "httpMethod": method,
            "headers": {name: values[-1] for name, values in many.items()} or None,
            "multiValueHeaders": many or None,
            "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
            "multiValueQueryStringParameters": query or None,
            "pathParameters": parameters or None,
            "stageVariables": None,
            "body": text or None,
            "isBase64Encoded": encoded,
            "requestContext": {"resourcePath": resource, "httpMethod": method, "path": raw_path, "requestId": request_id, "stage": "api", "identity": {"sourceIp": "127.0.0.1"}},
        }

    def __call__(self, method: str, target: str, *, headers: Mapping[str, str] | Pairs = (), body: bytes | str | Mapping[str, Any] | None = None) -> Answer:
        """One request. A mapping as body goes as JSON."""
        pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
        if isinstance(body, Mapping):
            pairs.append(("Content-Type", "application/json"))
            body = json.dumps(body)
        raw = body.encode("utf-8") if isinstance(body, str) else body or b""
        request_id = str(uuid.uuid4())
        event = self.event(method, target, pairs, raw, request_id)
        if event is None:
            return Answer(403, {"content-type": ["application/json"]}, b'{"message":"Missing Authentication Token"}', request_id)
        given = self.app(event, Context(time.monotonic() + 29))
        answer = _answer(given, request_id)
        self.answers.append(answer)
        return answer

    @contextmanager
    def served(self, port: int = 0) -> Iterator[str]:
        """The same on a loopback port, for clients that speak HTTP themselves."""
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def _serve(self) -> None:
                sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                answer = gateway(self.command, self.path, headers=list(self.headers.items()), body=sent)
                self.send_response_only(answer.status)
                for name, values in answer.headers.items():
                    for value in values:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _serve

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet: request lines hold codes."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False
            request_queue_size = 64

        server = Server(("127.0.0.1", port), Handler)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield f"http://localhost:{server.server_address[1]}"
        finally:
            server.shutdown()
            server.server_close()


def _match(resource: str, raw_path: str) -> dict[str, str] | None:
    wanted, given = resource.strip("/").split("/"), raw_path.strip("/").split("/")
    parameters: dict[str, str] = {}
    for index, part in enumerate(wanted):
        if part.endswith("+}"):
            rest = "/".join(given[index:])
            return {**parameters, part[1:-2]: rest} if rest else None
        if index >= len(given):
            return None
        if part.startswith("{"):
            if not given[index]:
                return None
            parameters[part[1:-1]] = given[index]
        elif part != given[index]:
            return None
    return parameters if len(wanted) == len(given) else None


def _rank(resource: str) -> list[int]:
    return [2 if part.endswith("+}") else 1 if part.startswith("{") else 0 for part in resource.strip("/").split("/")]


def _answer(given: dict[str, Any], request_id: str) -> Answer:
    headers: dict[str, list[str]] = {}
    for name, values in given.get("multiValueHeaders", {}).items():
        headers.setdefault(name.lower(), []).extend(values)
    for name, value in given.get("headers", {}).items():
        headers.setdefault(name.lower(), []).append(value)
    body = given.get("body") or ""
    raw = base64.b64decode(body) if given.get("isBase64Encoded") else body.encode("utf-8")
    return Answer(given["statusCode"], headers, raw, request_id)
