"""The root-mounted front: `http://localhost:8000` in place of the custom domain a deployment has.

A plain reverse proxy to the API Gateway stage of the embedded AWS. What the client sent goes through unchanged (raw path, repeated
parameters, cookies); the client of the upstream is urllib3, whose pooling serves many threads.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import urllib3

MAX_BODY = 6 * 1024 * 1024
_HOP_BY_HOP = {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade", "content-length", "host"}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # the default of 5 turns bursts away


class Front:
    """Listens on loopback until `stop`. `upstream` is the stage's base URL, without a slash at its end."""

    def __init__(self, port: int, upstream: str) -> None:
        pool = urllib3.PoolManager(maxsize=64, retries=False, timeout=urllib3.Timeout(connect=2, read=60))

        class Handler(_Handler):
            base, http = upstream, pool

        self._server = _Server(("127.0.0.1", port), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, name="front", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    base: str
    http: urllib3.PoolManager

    def _forward(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or self.headers.get("Transfer-Encoding"):
            return self._say(411, "length_required", "Send a Content-Length.")
        if int(length) > MAX_BODY:
            self.close_connection = True
            return self._say(413, "payload_too_large", f"The body is larger than {MAX_BODY // 1024 // 1024} MB.")
        body = self.rfile.read(int(length)) if int(length) else None
        headers = urllib3.HTTPHeaderDict()
        for name, value in self.headers.items():
            if name.lower() not in _HOP_BY_HOP:
                headers.add(name, value)
        try:
            answer = self.http.request(self.command, self.base + self.path, headers=headers, body=body, redirect=False, preload_content=True, decode_content=False)
        except urllib3.exceptions.HTTPError:
            return self._say(502, "local_cloud_unreachable", "The embedded AWS does not answer. Is 'make run' still running?")
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in _HOP_BY_HOP and name.lower() not in ("server", "date"):
                self.send_header(name, value)
        if answer.status not in (204, 304):
            self.send_header("Content-Length", str(len(answer.data)))
        self.end_headers()
        if self.command != "HEAD" and answer.status not in (204, 304):
            self.wfile.write(answer.data)

    def _say(self, status: int, code: str, message: str) -> None:
        body = json.dumps({"message": message, "code": code}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: request lines carry codes and states."""

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = _forward
