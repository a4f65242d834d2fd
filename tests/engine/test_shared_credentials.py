"""Whose client a provider without credentials of its own uses: the operator's shared one, else the simulator's; in production nobody's."""

import json
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from chalicelib.domain.errors import Conflict
from chalicelib.domain.models import Owner
from chalicelib.domain.secret import Secret
from chalicelib.engine.registrations import Change
from chalicelib.wiring import Engine
from tests.cloud import Cloud, Stage

OWNER = Owner(user_id="user_ana")
PARAMETER = "/standpipe/shared/github"


@pytest.fixture
def shared(cloud: Cloud) -> Iterator[None]:
    ssm = cloud.client("ssm")
    ssm.put_parameter(Name=PARAMETER, Type="SecureString", Value=json.dumps({"client_id": "the-operators", "client_secret": "shared-secret"}))
    yield
    ssm.delete_parameter(Name=PARAMETER)


def production(stage: Stage) -> Engine:
    of_the_same_table = {**stage.environ, "STANDPIPE_ENVIRONMENT": "production", "STANDPIPE_URL": "https://connect.example", "STANDPIPE_ALLOWED_PRIVATE_HOSTS": ""}
    return Stage(stage.cloud, of_the_same_table).engine()


def sent_to(engine: Engine) -> tuple[str, str]:
    """Host and client id of the provider a new flow leads to."""
    handle = engine.connect.begin(OWNER, "github").url.rsplit("/", 1)[1]
    url = urlsplit(engine.connect.confirm(handle, engine.connect.open(handle, None).browser))
    return url.netloc, parse_qs(url.query)["client_id"][0]


def test_without_any_the_simulator_stands_in(stage: Stage) -> None:
    engine = stage.engine()
    engine.registrations.create("github", Change(enabled=True))

    assert sent_to(engine) == ("localhost:8000", "simulated-github")


@pytest.mark.usefixtures("shared")
def test_the_operators_shared_client_comes_first(stage: Stage) -> None:
    engine = stage.engine()
    engine.registrations.create("github", Change(enabled=True))

    assert sent_to(engine) == ("github.com", "the-operators")


@pytest.mark.usefixtures("shared")
def test_credentials_of_its_own_come_before_both(stage: Stage) -> None:
    engine = stage.engine()
    engine.registrations.create("github", Change(enabled=True, client_id="ours", client_secret=Secret("our own client secret")))

    assert sent_to(engine) == ("github.com", "ours")


@pytest.mark.usefixtures("shared")
def test_production_refuses_both(stage: Stage) -> None:
    engine = production(stage)
    engine.registrations.create("github", Change(enabled=True))

    with pytest.raises(Conflict) as refused:
        engine.connect.begin(OWNER, "github")

    assert refused.value.code == "credentials_missing"
    assert "https://connect.example/callback/" in refused.value.message


def test_the_shared_client_is_never_led_to_another_host(stage: Stage) -> None:
    """R8: a built-in provider stays what its file says, on update as on creation."""
    engine = stage.engine()
    engine.registrations.create("github", Change(enabled=True))
    hostile = {"name": "GitHub", "authorization": {"endpoint": "https://evil.example/a"}, "token": {"endpoint": "https://evil.example/t"}}

    with pytest.raises(Exception, match="in the catalogue"):
        engine.registrations.update("github", Change(custom_provider=hostile))

    assert engine.registrations.get("github").custom_provider is None
