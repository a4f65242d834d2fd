"""Scenes at each kind of peer. Peers are started once a session; every test has a stage, a proxy and people of its own."""

from collections.abc import Iterator

import pytest

from tests.cloud import Stage
from tests.engine import scenes
from tests.engine.hooks import Hooked, hooked
from tests.engine.scenes import Scene
from tests.peers import Peer, start_django, start_oidc

ONE_CLIENT = {"client_id": scenes.CLIENT_ID, "redirect_uris": [scenes.CALLBACK]}


@pytest.fixture(scope="session")
def strict_django() -> Iterator[Peer]:
    with start_django(client_secret=scenes.UNICODE_SECRET, **ONE_CLIENT) as peer:
        yield peer


@pytest.fixture(scope="session")
def strict_oidc() -> Iterator[Peer]:
    with start_oidc(client_secret=scenes.ASCII_SECRET, **ONE_CLIENT) as peer:
        yield peer


@pytest.fixture(scope="session")
def grace_django() -> Iterator[Peer]:
    with start_django(client_secret=scenes.UNICODE_SECRET, grace_seconds=120, **ONE_CLIENT) as peer:
        yield peer


@pytest.fixture(scope="session")
def plain_django() -> Iterator[Peer]:
    with start_django(client_secret=scenes.UNICODE_SECRET, rotate=False, reuse_protection=False, **ONE_CLIENT) as peer:
        yield peer


@pytest.fixture(params=["strict_django", "strict_oidc"])
def strict(request: pytest.FixtureRequest, stage: Stage) -> Iterator[Scene]:
    """At a provider that ends the grant when a refresh token comes twice."""
    with scenes.staged(stage, request.getfixturevalue(request.param)) as scene:
        yield scene


@pytest.fixture
def grace(stage: Stage, grace_django: Peer) -> Iterator[Scene]:
    """At a provider that answers a repeated refresh token the same again for a while."""
    with scenes.staged(stage, grace_django) as scene:
        yield scene


@pytest.fixture(params=["strict_django", "strict_oidc", "grace_django", "plain_django"])
def anywhere(request: pytest.FixtureRequest, stage: Stage) -> Iterator[Scene]:
    with scenes.staged(stage, request.getfixturevalue(request.param)) as scene:
        yield scene


@pytest.fixture
def plain(stage: Stage, plain_django: Peer) -> Iterator[Scene]:
    """At a provider that never replaces a refresh token."""
    with scenes.staged(stage, plain_django) as scene:
        yield scene


@pytest.fixture(scope="session")
def no_refresh_oidc() -> Iterator[Peer]:
    with start_oidc(client_secret=scenes.ASCII_SECRET, issue_refresh="never", **ONE_CLIENT) as peer:
        yield peer


@pytest.fixture
def no_refresh(stage: Stage, no_refresh_oidc: Peer) -> Iterator[Scene]:
    """At a provider that gives no refresh token."""
    with scenes.staged(stage, no_refresh_oidc) as scene:
        yield scene


@pytest.fixture
def scene(stage: Stage) -> Iterator[Hooked]:
    with hooked(stage) as made:
        yield made
