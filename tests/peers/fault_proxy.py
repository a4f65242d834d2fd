"""A reverse proxy between Standpipe and a peer that misbehaves on request.

Rule: without a fault in the queue every byte of the peer's answer passes as it is (hop-by-hop headers apart).
Use: `with FaultProxy(peer.base_url) as proxy`, `proxy.add("/token/", faults.truncate())`, `peer.via(proxy.base_url)`.
"""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .faults import Answer, Fault

HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "proxy-connection"}


@dataclass
class Recorded:
    """One request as it arrived. Body and headers hold secrets, so they are not in the repr."""

    method: str
    path: str
    query: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    fault: str | None = None
    forwarded: bool = False
    status: int | None = None  # what the caller was told, None if nothing
    started: float = field(default_factory=time.time)
    ended: float | None = None

    def form(self) -> dict[str, list[str]]:
        """The body as a form."""
        return parse_qs(self.body.decode(), keep_blank_values=True)


class FaultProxy:
    """Listens on 127.0.0.1, forwards to one base URL, commits queued faults on matching requests."""

    def __init__(self, upstream_base: str, chooser: Callable[[Recorded], Fault | None] | None = None) -> None:
        self.upstream = urlsplit(upstream_base)
        self.chooser = chooser  # asked when the queue has nothing, e.g. for 1 % faults in a soak
        self.requests: list[Recorded] = []
        self._queue: list[tuple[str, str | None, Fault]] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._server: ThreadingHTTPServer | None = None

    def start(self) -> FaultProxy:
        """Bind a port of the system's choice and serve in a thread."""
        proxy = self

        class Handler(_Handler):
            owner = proxy

        class Server(ThreadingHTTPServer):
            request_queue_size = 256
            daemon_threads = True
            block_on_close = False

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A caller that hangs up is what these tests are about, not an error."""

        self._server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    @property
    def base_url(self) -> str:
        """Where the proxy listens."""
        assert self._server, "not started"
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        """Stop serving; waiting faults give up."""
        self._stopping.set()
        if self._server:
            self._server.shutdown()
            self._server.server_close()

    def __enter__(self) -> FaultProxy:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def add(self, path_suffix: str, *faults: Fault, times: int = 1, method: str | None = None) -> None:
        """Queue faults for the next requests whose path ends so; each is used up by one request, in order."""
        with self._lock:
            self._queue += [(path_suffix, method, fault) for _ in range(times) for fault in faults]

    def clear(self) -> None:
        """Forget queued faults."""
        with self._lock:
            self._queue.clear()

    def pending(self) -> int:
        """Faults not yet used up; a test that ends with some has not tested what it says."""
        with self._lock:
            return len(self._queue)

    def count(self, path_suffix: str, *, forwarded: bool | None = None) -> int:
        """Requests seen for a path, or only those that did (not) reach the peer."""
        with self._lock:
            seen = [r for r in self.requests if r.path.endswith(path_suffix)]
        return sum(1 for r in seen if forwarded is None or r.forwarded is forwarded)

    def _take(self, record: Recorded) -> Fault | None:
        with self._lock:
            self.requests.append(record)
            for index, (suffix, method, _) in enumerate(self._queue):
                if record.path.endswith(suffix) and method in (None, record.method):
                    return self._queue.pop(index)[2]
        return self.chooser(record) if self.chooser else None


class _Handler(BaseHTTPRequestHandler):
    """One connection of a caller; it is also the `Exchange` that faults act on."""

    protocol_version = "HTTP/1.1"
    owner: FaultProxy
    record: Recorded

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        self.record = Recorded(self.command, parts.path, parts.query, dict(self.headers.items()), body)
        fault = self.owner._take(self.record)
        self.record.fault = fault.name if fault else None
        try:
            fault.act(self) if fault else self.send(self.forward())
        except OSError:
            self.close_connection = True  # the caller hung up, or the peer is gone
        finally:
            self.record.ended = time.time()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _serve

    def forward(self) -> Answer:
        up = self.owner.upstream
        link = http.client.HTTPConnection(up.hostname or "127.0.0.1", up.port, timeout=60)
        # The peer's own Host, and no compression: faults cut and rewrite plain bytes.
        skip = HOP | {"host", "accept-encoding", "content-length"}
        headers = {k: v for k, v in self.record.headers.items() if k.lower() not in skip}
        try:
            link.request(self.command, up.path.rstrip("/") + self.path, self.record.body or None, headers)
            self.record.forwarded = True
            answer = link.getresponse()
            data = answer.read()
            kept = [(k, v) for k, v in answer.getheaders() if k.lower() not in HOP | {"content-length"}]
            return Answer(answer.status, kept, data)
        finally:
            link.close()

    def send(self, answer: Answer) -> None:
        self.head(answer, len(answer.body))
        if self.command != "HEAD":
            self.write(answer.body)

    def head(self, answer: Answer, length: int | None) -> None:
        self.record.status = answer.status
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        if length is None:
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def write(self, data: bytes) -> None:
        self.wfile.write(data)
        self.wfile.flush()

    def close(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def sleep(self, seconds: float) -> bool:
        return not self.owner._stopping.wait(seconds)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: requests hold secrets."""
