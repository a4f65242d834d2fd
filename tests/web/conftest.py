"""Stages behind the HTTP edge. Each test has a table, a key and people of its own; peers are started once a session."""

from collections.abc import Callable, Iterator

import pytest

from chalicelib import wiring
from tests.cloud import Cloud
from tests.engine import scenes
from tests.peers import Peer, start_django, start_oidc
from tests.web.gateway import Gateway
from tests.web.people import Clock, Site

SECOND_ID = "data_integration_01TESTS0000000000000000002"
SECOND_CALLBACK = f"http://localhost:8000/callback/{SECOND_ID}"
# A code is spent at the end of the access matrix, which takes longer than a minute on a slow machine.
ONE_CLIENT = {"client_id": scenes.CLIENT_ID, "redirect_uris": [scenes.CALLBACK, SECOND_CALLBACK], "code_seconds": 600}

OpenSite = Callable[..., Site]


@pytest.fixture(scope="session")
def gateway_once() -> Gateway:
    return Gateway()


@pytest.fixture
def open_site(cloud: Cloud, gateway_once: Gateway, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenSite]:
    """Deploys a stage with these settings behind the gateway; the last one opened is the one that answers."""

    def opened(**settings: str) -> Site:
        stage = cloud.stage(**settings)
        clock = Clock()
        for name, value in stage.environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(wiring, "now", clock)
        wiring.engine.cache_clear()
        gateway_once.answers.clear()
        _record, key = wiring.engine().api_keys.create("tests")
        return Site(stage, gateway_once, clock, key)

    yield opened
    wiring.engine.cache_clear()


@pytest.fixture
def site(open_site: OpenSite) -> Site:
    """A stage with nothing configured."""
    return open_site()


@pytest.fixture(scope="session")
def web_django() -> Iterator[Peer]:
    with start_django(client_secret=scenes.UNICODE_SECRET, **ONE_CLIENT) as peer:
        yield peer


@pytest.fixture(scope="session")
def web_oidc() -> Iterator[Peer]:
    with start_oidc(client_secret=scenes.ASCII_SECRET, **ONE_CLIENT) as peer:
        yield peer


@pytest.fixture
def at_django(site: Site, web_django: Peer) -> Iterator[Site]:
    """A stage with one provider: a strict django-oauth-toolkit."""
    with scenes.staged(site.stage, web_django) as scene:
        site.scene = scene
        yield site


@pytest.fixture(params=["web_django", "web_oidc"])
def strict(request: pytest.FixtureRequest, site: Site) -> Iterator[Site]:
    """The same at each strict peer: spends a code once and ends the grant when it comes twice."""
    with scenes.staged(site.stage, request.getfixturevalue(request.param)) as scene:
        site.scene = scene
        yield site
