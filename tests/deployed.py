"""The one sandbox of a test session, deployed by a real `chalice deploy`, and the page its applications are returned to.

Rule: whoever needs a deployed stage takes the fixture `sandbox`; a second one would take half a minute and two processes more.
"""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ops.local.sandbox import Sandbox, free_port


class Landing:
    """The application's return URL: remembers every address it was called with."""

    def __init__(self) -> None:
        self.visits: list[str] = []
        landing = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                landing.visits.append(self.path)
                body = b"<!doctype html><title>Acme</title><h1>Back at Acme</h1>"
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://localhost:{self._server.server_address[1]}/connected"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="session")
def landing() -> Iterator[Landing]:
    page = Landing()
    yield page
    page.stop()


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory, landing: Landing) -> Iterator[Sandbox]:
    """A whole sandbox. Peers and receivers of tests listen on 127.0.0.1, which it may therefore call."""
    port = free_port()
    settings = {"STANDPIPE_RETURN_URLS": landing.url, "STANDPIPE_LOG_LEVEL": "DEBUG", "STANDPIPE_ALLOWED_PRIVATE_HOSTS": f"localhost:{port} 127.0.0.1"}
    with Sandbox(tmp_path_factory.mktemp("sandbox"), port=port, settings=settings) as running:
        yield running
