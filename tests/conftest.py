"""What every test may use. AWS calls go to the embedded AWS or to moto; credentials of the machine are never seen."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import botocore.loaders
import botocore.session
import pytest

from tests.browser import api, browser, page, person, picture, warmed  # noqa: F401 - fixtures
from tests.cloud import CREDENTIALS, Cloud, Stage
from tests.deployed import landing, sandbox  # noqa: F401 - fixtures of the whole session, started when a test first asks

# Minutes each, most of them waiting: begun first, so that no worker is left alone with one of them at the end.
LONG = (
    "soak/test_soak",
    "machine/test_machine",
    "machine/test_mutations",
    "ops/test_sandbox",
    "sdk/test_older",
    "e2e/test_webhooks_deployed",
    "ops/test_doctor",
    "dashboard/test_pages",
    "dashboard/test_provider_pages",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        return next((number for number, name in enumerate(LONG) if item.nodeid.startswith(f"tests/{name}.py")), len(LONG))

    items.sort(key=place)


@pytest.fixture(autouse=True, scope="session")
def _no_real_aws() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(autouse=True, scope="session")
def _descriptions_read_once() -> Iterator[None]:
    """Each engine has a boto3 session of its own, as each process has one; what botocore ships about AWS is read and parsed once for all of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", cache(botocore.loaders.create_loader))
        yield


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """The embedded AWS of this session."""
    running = Cloud(tmp_path_factory.mktemp("cloud"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", running.endpoint)
        yield running
    running.stop()


@pytest.fixture
def stage(cloud: Cloud) -> Stage:
    """A stage with a table and a key of its own."""
    return cloud.stage()


@pytest.fixture
def here() -> Path:
    return Path(__file__).parent
