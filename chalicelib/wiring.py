"""Floor 4: settings become engine objects, once a container. The only place that makes boto3 clients and that reads the clock.

Each part is imported and built on first use, because a token fetch in a fresh container needs only a few of them.
"""

import gc
import json
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from chalicelib.domain import settings as settings_module
from chalicelib.domain.settings import Settings
from chalicelib.doors.crypto import Sealer
from chalicelib.doors.store import Store
from chalicelib.doors.table import Table
from chalicelib.engine.api_keys import ApiKeys
from chalicelib.engine.tokens import Tokens

if TYPE_CHECKING:
    from chalicelib.doors.http import ProviderHttp
    from chalicelib.doors.oauth import Credentials, OAuth
    from chalicelib.engine.connect import Connect
    from chalicelib.engine.disconnect import Disconnect
    from chalicelib.engine.refresh import Refresher
    from chalicelib.engine.registrations import Registrations
    from chalicelib.engine.rejections import Rejections
    from chalicelib.providers.spec import Provider
    from chalicelib.simulator.state import State

SHARED_REMEMBERED_FOR = 300.0
# At DEBUG these write requests and answers, bodies included; no log level of ours may turn that on.
LOUD = ("aws_encryption_sdk", "boto3", "botocore", "requests", "urllib3")
# Quick to notice a lost answer, several tries: every write is safe to repeat. Requests are built by our own doors, so botocore need not check them again.
AWS_CONFIG = Config(
    connect_timeout=1,
    read_timeout=3,
    retries={"mode": "standard", "max_attempts": 4},
    parameter_validation=False,
    max_pool_connections=50,
    user_agent=f"Standpipe Boto3/{boto3.__version__}",  # or botocore would compose one from twenty parts, twice, for every call: an eighth of a read
)


def now() -> datetime:
    return datetime.now(UTC)


def sleep(seconds: float) -> None:
    time.sleep(seconds)


class Engine:
    """Everything one stage runs on."""

    def __init__(self, settings: Settings, aws: Mapping[str, str] | None = None) -> None:
        """`aws`: arguments for every AWS client in place of the process's own environment (endpoint_url, credentials)."""
        self.settings = settings
        self._aws = dict(aws or {})

    @cached_property
    def _session(self) -> Any:
        # The key's region is the stage's own: table and key are made by one template.
        return boto3.session.Session(region_name=self.settings.key_arn.split(":")[3])

    def client(self, service: str) -> Any:
        with _uncollected():
            return self._session.client(service, config=AWS_CONFIG, **self._aws)

    @cached_property
    def dynamodb(self) -> Any:
        return self.client("dynamodb")

    @cached_property
    def store(self) -> Store:
        return Store(Table(self.dynamodb, self.settings.table))

    @cached_property
    def sealer(self) -> Sealer:
        return Sealer(self.client("kms"), self.settings.key_arn, self.settings.stage, self.settings.encryption)

    @cached_property
    def api_keys(self) -> ApiKeys:
        return ApiKeys(self.store, now, time.monotonic)

    @cached_property
    def tokens(self) -> Tokens:
        return Tokens(self.store, self.sealer, lambda: self.refresher, lambda: self.rejections, lambda: self.registrations, now)

    @cached_property
    def http(self) -> "ProviderHttp":
        from chalicelib.doors.http import ProviderHttp

        return ProviderHttp(
            allowed_private_hosts=self.settings.allowed_private_hosts,
            connect_timeout=settings_module.PROVIDER_CONNECT_TIMEOUT,
            deadline=settings_module.PROVIDER_DEADLINE,
        )

    @cached_property
    def oauth(self) -> "OAuth":
        from chalicelib.doors.oauth import OAuth

        return OAuth(self.http)

    @cached_property
    def registrations(self) -> "Registrations":
        from chalicelib.engine.registrations import Registrations

        return Registrations(self.store, self.sealer, self.settings, now, self._shared, _simulates, _simulated)

    @cached_property
    def refresher(self) -> "Refresher":
        from chalicelib.engine.refresh import Refresher

        return Refresher(self.store, self.sealer, self.oauth, self.registrations, now, sleep, time.monotonic)

    @cached_property
    def rejections(self) -> "Rejections":
        from chalicelib.engine.rejections import Rejections

        return Rejections(self.store, self.oauth, self.registrations, now, sleep, time.monotonic)

    @cached_property
    def connect(self) -> "Connect":
        from chalicelib.engine.connect import Connect

        return Connect(self.store, self.sealer, self.oauth, self.registrations, self.settings, now, sleep, time.monotonic)

    @cached_property
    def disconnect(self) -> "Disconnect":
        from chalicelib.engine.disconnect import Disconnect

        return Disconnect(self.store, self.sealer, self.oauth, self.registrations, now, sleep, time.monotonic)

    @cached_property
    def simulator_state(self) -> "State":
        from chalicelib.simulator.state import State

        return State(self.dynamodb, self.settings.table)

    @cached_property
    def _shared_known(self) -> dict[str, tuple[float, "Credentials | None"]]:
        return {}

    def _shared(self, slug: str) -> "Credentials | None":
        """The operator's shared registration for a sandbox, from the Parameter Store: JSON with client_id and client_secret."""
        from chalicelib.domain.secret import Secret
        from chalicelib.doors.oauth import Credentials

        known = self._shared_known.get(slug)
        if known is not None and time.monotonic() - known[0] < SHARED_REMEMBERED_FOR:
            return known[1]
        ssm = self.client("ssm")
        try:
            given = json.loads(ssm.get_parameter(Name=f"/standpipe/shared/{slug}", WithDecryption=True)["Parameter"]["Value"])
            found = Credentials(given["client_id"], Secret(given["client_secret"]))
        except ssm.exceptions.ParameterNotFound:
            found = None
        self._shared_known[slug] = (time.monotonic(), found)
        return found


def _simulates(slug: str) -> bool:
    from chalicelib.simulator.catalogue import SIMULATED

    return slug in SIMULATED


def _simulated(provider: "Provider", base_url: str) -> "tuple[Provider, Credentials]":
    from chalicelib.domain.secret import Secret
    from chalicelib.doors.oauth import Credentials
    from chalicelib.simulator.catalogue import client_of, simulated

    client_id, client_secret = client_of(provider.slug)
    return simulated(provider, base_url), Credentials(client_id, Secret(client_secret))


@contextmanager
def _uncollected() -> Iterator[None]:
    """No garbage collection meanwhile: a client's service model is large and stays for good, and a collector that walks it while it loads takes a third of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@cache
def engine() -> Engine:
    """The engine of this process's environment. Raises SettingsError."""
    settings = settings_module.read()
    logging.getLogger().setLevel(settings.log_level)
    for library in LOUD:
        logging.getLogger(library).setLevel(logging.WARNING)
    return Engine(settings)
