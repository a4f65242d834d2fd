"""A provider that forgives nothing, two of them, and one that gives a lost answer again; the clients of every process of every run."""

from collections.abc import Iterator

import pytest

from tests.cloud import Cloud
from tests.engine.conftest import grace_django, strict_django, strict_oidc  # noqa: F401
from tests.machine.bodies import Body
from tests.machine.world import Setting


@pytest.fixture(scope="session")
def bodies(cloud: Cloud) -> Iterator[list[Body]]:
    made = [Body(cloud.endpoint) for _ in range(3)]
    yield made
    for body in made:
        body.close()


@pytest.fixture(scope="session")
def strict(cloud: Cloud, bodies: list[Body], strict_django: object) -> Setting:  # noqa: F811
    return Setting(cloud, strict_django, False, (bodies[0], bodies[1]), bodies[2])


@pytest.fixture(scope="session")
def strict_in_node(cloud: Cloud, bodies: list[Body], strict_oidc: object) -> Setting:  # noqa: F811
    return Setting(cloud, strict_oidc, False, (bodies[0], bodies[1]), bodies[2])


@pytest.fixture(scope="session")
def grace(cloud: Cloud, bodies: list[Body], grace_django: object) -> Setting:  # noqa: F811
    return Setting(cloud, grace_django, True, (bodies[0], bodies[1]), bodies[2])
