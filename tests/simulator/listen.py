"""The simulator on a loopback port, for clients that nobody here wrote."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from json import loads
from threading import Thread
from urllib.parse import parse_qsl, urlsplit

from .conftest import World


@contextmanager
def listening(world: World) -> Iterator[str]:
    """Yields the URL of `/simulator`."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            parts, length = urlsplit(self.path), int(self.headers.get("content-length") or 0)
            body = self.rfile.read(length).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            is_json = "json" in headers.get("content-type", "")
            given = {"json": loads(body)} if is_json and body else {"form": parse_qsl(body)}
            answer = world.call(self.command, parts.path.removeprefix("/simulator"), query=parse_qsl(parts.query), headers=headers, **given)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body.encode())))
            self.end_headers()
            self.wfile.write(answer.body.encode())

        do_GET = do_POST = do_DELETE = answer

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/simulator"
    finally:
        server.shutdown()
        server.server_close()
