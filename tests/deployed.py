"""The one sandbox of a test session, deployed by a real `chalice deploy`, and the page its applications are returned to.

Rule: whoever needs a deployed stage takes the fixture `sandbox`; a second one would take half a minute and two processes more.
"""

from collections.abc import Iterator

import pytest

from ops.local.sandbox import Sandbox, free_port
from tests.loopback import Handler, Loopback


class Landing(Loopback):
    """The application's return URL: remembers every address it was called with."""

    def __init__(self) -> None:
        self.visits: list[str] = []
        landing = self

        class Answers(Handler):
            def do_GET(self) -> None:
                landing.visits.append(self.path)
                body = b"<!doctype html><title>Acme</title><h1>Back at Acme</h1>"
                self.answer(200, "text/html", body)

        self.serve(Answers)
        self.url = f"http://localhost:{self.port}/connected"


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
