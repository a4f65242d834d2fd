"""The doors of a stage, each made on first use: a token fetch in a fresh container needs only a few of them."""

import gc
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from chalicelib.domain import settings as settings_module
from chalicelib.domain.settings import Settings
from chalicelib.doors.crypto import Sealer
from chalicelib.doors.store import Store
from chalicelib.doors.table import Table

if TYPE_CHECKING:
    from chalicelib.doors.agenda import Agenda
    from chalicelib.doors.answers import Answers
    from chalicelib.doors.event_log import EventLog
    from chalicelib.doors.grants import Grants
    from chalicelib.doors.http import ProviderHttp
    from chalicelib.doors.oauth import OAuth
    from chalicelib.doors.outbox import OutboxRows
    from chalicelib.doors.parameters import SharedCredentials
    from chalicelib.doors.queue import Queue
    from chalicelib.doors.webhooks import WebhookRows
    from chalicelib.simulator.state import State

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


class Doors:
    def __init__(self, settings: Settings, aws: Mapping[str, str] | None = None) -> None:
        """`aws`: arguments for every AWS client in place of the process's own environment (endpoint_url, credentials)."""
        self.settings = settings
        self._aws = dict(aws or {})

    def now(self) -> datetime:
        from chalicelib import wiring

        return wiring.now()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def monotonic(self) -> float:
        return time.monotonic()

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
    def grants(self) -> "Grants":
        from chalicelib.doors.grants import Grants

        return Grants(self.table)

    @cached_property
    def answers(self) -> "Answers":
        from chalicelib.doors.answers import Answers

        return Answers(self.table)

    @cached_property
    def outbox_rows(self) -> "OutboxRows":
        from chalicelib.doors.outbox import OutboxRows

        return OutboxRows(self.table)

    @cached_property
    def event_log(self) -> "EventLog":
        from chalicelib.doors.event_log import EventLog

        return EventLog(self.table)

    @cached_property
    def webhook_rows(self) -> "WebhookRows":
        from chalicelib.doors.webhooks import WebhookRows

        return WebhookRows(self.table)

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
    def simulator_state(self) -> "State":
        from chalicelib.simulator.state import State

        return State(self.dynamodb, self.settings.table)

    @cached_property
    def shared_credentials(self) -> "SharedCredentials":
        from chalicelib.doors.parameters import SharedCredentials

        return SharedCredentials(lambda: self.client("ssm"), self.monotonic)


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
