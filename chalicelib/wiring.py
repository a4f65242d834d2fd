"""Floor 4: settings become engine objects, once a container. The only place that makes boto3 clients and that reads the clock.

Each part is imported and built on first use, because a token fetch in a fresh container needs only a few of them.
"""

import gc
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
from chalicelib.doors import journal
from chalicelib.doors.crypto import Sealer
from chalicelib.doors.store import Store
from chalicelib.doors.table import Table
from chalicelib.engine.api_keys import ApiKeys
from chalicelib.engine.tokens import Tokens

if TYPE_CHECKING:
    from chalicelib.doors.agenda import Agenda
    from chalicelib.doors.http import ProviderHttp
    from chalicelib.doors.oauth import Credentials, OAuth
    from chalicelib.doors.outbox import OutboxRows
    from chalicelib.doors.parameters import SharedCredentials
    from chalicelib.doors.queue import Queue
    from chalicelib.engine.circuits import Circuits
    from chalicelib.engine.commits import Commits
    from chalicelib.engine.connect import Connect
    from chalicelib.engine.disconnect import Disconnect
    from chalicelib.engine.ending import Ending
    from chalicelib.engine.keeping import Keeping
    from chalicelib.engine.outbox import Outbox
    from chalicelib.engine.refresh import Refresher
    from chalicelib.engine.registrations import Registrations
    from chalicelib.engine.rejections import Rejections
    from chalicelib.engine.repair import Repair
    from chalicelib.engine.rescue import Rescue
    from chalicelib.engine.revocations import Revocations
    from chalicelib.engine.sweep import Sweep
    from chalicelib.engine.worker import Worker
    from chalicelib.providers.spec import Provider
    from chalicelib.simulator.state import State

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
# A topic that does not answer must hold up nobody: what is not published now waits in the outbox.
QUICK_CONFIG = AWS_CONFIG.merge(Config(read_timeout=2, retries={"mode": "standard", "max_attempts": 2}))


def now() -> datetime:
    return datetime.now(UTC)


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
            return self._session.client(service, config=QUICK_CONFIG if service == "sns" else AWS_CONFIG, **self._aws)

    @cached_property
    def dynamodb(self) -> Any:
        return self.client("dynamodb")

    def now(self) -> datetime:
        return now()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def monotonic(self) -> float:
        return time.monotonic()

    @cached_property
    def table(self) -> Table:
        return Table(self.dynamodb, self.settings.table)

    @cached_property
    def store(self) -> Store:
        return Store(self.table, self.settings.due_shards)

    @cached_property
    def agenda(self) -> "Agenda":
        from chalicelib.doors.agenda import Agenda

        return Agenda(self.table, self.settings.due_shards)

    @cached_property
    def outbox_rows(self) -> "OutboxRows":
        from chalicelib.doors.outbox import OutboxRows

        return OutboxRows(self.table)

    @cached_property
    def sealer(self) -> Sealer:
        return Sealer(self.client("kms"), self.settings.key_arn, self.settings.stage, self.settings.encryption, self.settings.former_key_arns)

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

    def queue(self, url: str) -> "Queue":
        from chalicelib.doors.queue import Queue

        return Queue(self.sqs, url)

    @cached_property
    def sqs(self) -> Any:
        return self.client("sqs")

    @cached_property
    def api_keys(self) -> ApiKeys:
        return ApiKeys(self.store, self.now, self.monotonic)

    @cached_property
    def tokens(self) -> Tokens:
        return Tokens(self.store, self.sealer, lambda: self.refresher, lambda: self.rejections, lambda: self.registrations, lambda: self.circuits, self.settings.idle_after, self.now)

    @cached_property
    def outbox(self) -> "Outbox":
        from chalicelib.doors.topic import Topic
        from chalicelib.engine.outbox import Outbox

        return Outbox(self.outbox_rows, Topic(self.client("sns"), self.settings.topic_arn), self.now)

    @cached_property
    def commits(self) -> "Commits":
        from chalicelib.engine.commits import Commits

        return Commits(self.store, self.outbox, self.sleep, self.monotonic)

    @cached_property
    def keeping(self) -> "Keeping":
        from chalicelib.engine.keeping import Keeping

        return Keeping(self.queue(self.settings.rescue_queue_url), self.queue(self.settings.revoke_queue_url))

    @cached_property
    def circuits(self) -> "Circuits":
        from chalicelib.engine.circuits import Circuits

        return Circuits(self.agenda, self.outbox, self.settings.refresh_concurrency, self.now)

    @cached_property
    def registrations(self) -> "Registrations":
        from chalicelib.engine.registrations import Registrations

        return Registrations(self.store, self.sealer, self.settings, self.now, lambda slug: self.circuits.reset(slug), self.shared_credentials.of, _simulates, _simulated)

    @cached_property
    def refresher(self) -> "Refresher":
        from chalicelib.engine.refresh import Refresher

        return Refresher(self.store, self.sealer, self.oauth, self.registrations, self.commits, self.keeping, self.settings.idle_after, self.now, self.sleep, self.monotonic)

    @cached_property
    def rejections(self) -> "Rejections":
        from chalicelib.engine.rejections import Rejections

        return Rejections(self.store, self.oauth, self.registrations, self.commits, self.now, self.sleep)

    @cached_property
    def connect(self) -> "Connect":
        from chalicelib.engine.connect import Connect
        from chalicelib.engine.failed_flows import FailedFlows

        return Connect(self.store, self.sealer, self.oauth, self.registrations, self.settings, self.commits, FailedFlows(self.store, self.outbox, self.now), self.now)

    @cached_property
    def ending(self) -> "Ending":
        from chalicelib.engine.ending import Ending

        return Ending(self.sealer, self.oauth, self.registrations, self.now)

    @cached_property
    def disconnect(self) -> "Disconnect":
        from chalicelib.engine.disconnect import Disconnect

        return Disconnect(self.store, self.ending, self.commits, self.keeping, self.now)

    @cached_property
    def sweep(self) -> "Sweep":
        from chalicelib.engine.sweep import Sweep

        return Sweep(self.agenda, self.queue(self.settings.refresh_queue_url), self.outbox, self.now)

    @cached_property
    def worker(self) -> "Worker":
        from chalicelib.engine.worker import Worker

        return Worker(self.store, self.agenda, self.queue(self.settings.refresh_queue_url), self.refresher, self.registrations, self.circuits, self.commits, self.settings.idle_after, self.now)

    @cached_property
    def rescue(self) -> "Rescue":
        from chalicelib.engine.rescue import Rescue

        return Rescue(self.store, self.sealer, self.oauth, self.registrations, self.commits, self.keeping, self.now)

    @cached_property
    def revocations(self) -> "Revocations":
        from chalicelib.engine.revocations import Revocations

        return Revocations(self.store, self.registrations, self.ending, self.keeping, self.now)

    @cached_property
    def repair(self) -> "Repair":
        from chalicelib.engine.repair import Repair

        return Repair(self.agenda, self.registrations, self.settings.idle_after, self.now)

    @cached_property
    def simulator_state(self) -> "State":
        from chalicelib.simulator.state import State

        return State(self.dynamodb, self.settings.table)

    @cached_property
    def shared_credentials(self) -> "SharedCredentials":
        from chalicelib.doors.parameters import SharedCredentials

        return SharedCredentials(lambda: self.client("ssm"), self.monotonic)


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
    journal.of_stage(settings.stage)
    for library in LOUD:
        logging.getLogger(library).setLevel(logging.WARNING)
    return Engine(settings)
