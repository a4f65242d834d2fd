"""The root-mounted front: `http://localhost:8000` in place of the custom domain a deployment has.

A plain reverse proxy to one stage of the embedded API Gateway. What a client sent goes through as it was sent: the raw path, repeated
parameters and headers, cookies. One thread a connection, and each keeps its own connection to the upstream.
"""

import http.client
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

MAX_BODY = 6 * 1024 * 1024
UPSTREAM_TIMEOUT = 60
UPSTREAM_IDLE = 30  # ministack closes an idle connection after 75
# Of one connection, not of the message (RFC 9110, 7.6.1); Connection names more.
HOP_BY_HOP = {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade"}
UNREACHABLE = "The embedded AWS does not answer. If 'make run' still runs, its log is .local/aws.log."


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # the default of 5 turns bursts away

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: a client that went away is no error of ours, and a traceback could show a request line."""


class Front:
    """Listens on loopback until `stop`. `upstream` is the stage's base URL, without a slash at its end."""

    def __init__(self, port: int, upstream: str) -> None:
        parts = urlsplit(upstream)

        class Handler(_Handler):
            host, upstream_port, base = parts.hostname or "", parts.port or 80, parts.path

        self._server = _Server(("127.0.0.1", port), Handler)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="front", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()


class _Refused(Exception):
    """The request is answered here."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave together; two small writes would wait 40 ms for each other
    timeout = 75
    host: str
    upstream_port: int
    base: str
    raw_requestline: bytes
    _connection: http.client.HTTPConnection | None = None
    _used_at = 0.0

    def forward(self) -> None:
        try:
            answer = self._send(self._body())
            content = answer.read()
        except _Refused as refused:
            self._say(refused)
            return
        except (OSError, http.client.HTTPException):
            self._drop()
            self._say(_Refused(502, "local_cloud_unreachable", UNREACHABLE))
            return
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def _body(self) -> bytes:
        """The whole body. Raises _Refused for one that is too large or has no length."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._chunks()
        declared = self.headers.get_all("Content-Length", ["0"])
        if len(set(declared)) != 1 or not (declared[0].isascii() and declared[0].isdigit()):
            self.close_connection = True
            raise _Refused(400, "invalid_request", "Content-Length is not one number.")
        if int(declared[0]) > MAX_BODY:
            raise self._too_large(int(declared[0]))
        return self.rfile.read(int(declared[0]))

    def _chunks(self) -> bytes:
        body = b""
        while True:
            try:
                size = int(self.rfile.readline(100).split(b";")[0], 16)
            except ValueError:
                self.close_connection = True
                raise _Refused(400, "invalid_request", "The chunked body cannot be read.") from None
            if size == 0:
                while self.rfile.readline(8192).strip():
                    pass
                return body
            if len(body) + size > MAX_BODY:
                raise self._too_large(0)
            body += self.rfile.read(size)
            self.rfile.readline(8)

    def _too_large(self, unread: int) -> _Refused:
        # Most clients read an answer only after they have sent everything, so what is not absurd is read and dropped.
        for _ in range(0, min(unread, 10 * MAX_BODY), 65536):
            if not self.rfile.read(min(65536, unread)):
                break
            unread -= 65536
        self.close_connection = True
        return _Refused(413, "payload_too_large", f"The body is larger than {MAX_BODY // 1024 // 1024} MB.")

    def _send(self, body: bytes) -> http.client.HTTPResponse:
        # Never sent twice: a connection that the upstream may have closed for idling is not used again.
        if self._connection is not None and time.monotonic() - self._used_at > UPSTREAM_IDLE:
            self._drop()
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self.host, self.upstream_port, timeout=UPSTREAM_TIMEOUT)
        self._used_at = time.monotonic()
        connection = self._connection
        # The target as it came: http.server joins leading slashes, which would make another path of it.
        line = self.raw_requestline.split()
        target = line[1].decode("latin-1") if len(line) == 3 else ""
        if not target.startswith("/"):
            raise _Refused(400, "invalid_request", "The request target must be a path.")
        try:
            connection.putrequest(self.command, self.base + target, skip_host=True, skip_accept_encoding=True)
        except (ValueError, http.client.InvalidURL):
            self._drop()
            raise _Refused(400, "invalid_request", "The path holds characters that must be percent-encoded.") from None
        own = {name.strip().lower() for name in self.headers.get("Connection", "").split(",")}
        for name, value in self.headers.items():
            if name.lower() not in HOP_BY_HOP | own | {"content-length", "expect"}:
                connection.putheader(name, value.encode("latin-1", "replace"))
        if body or self.command in ("POST", "PUT", "PATCH"):
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body or None)
        return connection.getresponse()

    def _say(self, refused: _Refused) -> None:
        body = json.dumps({"message": refused.message, "code": refused.code}).encode()
        self.send_response_only(refused.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else body)
        self.wfile.flush()

    def handle_expect_100(self) -> bool:
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def finish(self) -> None:
        self._drop()
        super().finish()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: request lines carry codes and states."""

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = forward
