"""One of each peer for a module: two strict ones, and one with a grace period."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .given import ASCII_SECRET, COMMON, SCOPE, UNICODE_SECRET
from .launch import Peer, start_django, start_oidc


@pytest.fixture(scope="module")
def strict_django() -> Iterator[Peer]:
    with start_django(client_secret=UNICODE_SECRET, **COMMON) as peer:
        yield peer


@pytest.fixture(scope="module")
def strict_oidc() -> Iterator[Peer]:
    with start_oidc(client_secret=ASCII_SECRET, **COMMON) as peer:
        yield peer


@pytest.fixture(scope="module")
def grace_django() -> Iterator[Peer]:
    with start_django(client_secret=UNICODE_SECRET, grace_seconds=60, **COMMON) as peer:
        yield peer


@pytest.fixture(params=["django", "oidc"])
def strict(request: pytest.FixtureRequest) -> tuple[Peer, str]:
    return request.getfixturevalue(f"strict_{request.param}"), SCOPE[request.param]
