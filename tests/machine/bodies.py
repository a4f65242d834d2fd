"""Processes that can be killed at any call they make, and clients that outlive them, because making those is half of the time of a run.

Rule: what a process does after it was killed reaches nobody.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from botocore.exceptions import EndpointConnectionError

from chalicelib.domain.settings import Settings
from chalicelib.doors.http import Answer, ProviderHttp
from chalicelib.wiring.doors import AWS_CONFIG
from tests.engine.scenes import Process, one_session
from tests.machine.troubles import ANSWER, BREAKS

SERVICES = ("dynamodb", "kms", "sqs", "sns")
DEADLINE = 60.0  # of a call to the provider: longer than anything else here is held up, because only a fault may lose an answer


class Killed(BaseException):
    """SIGKILL, as far as the code that runs can tell: no handler of it catches this, and nothing it still does has an effect."""


class Body:
    """The AWS clients of one process after the other, and what is to happen at their calls."""

    def __init__(self, endpoint: str) -> None:
        self.clients = {service: one_session().client(service, config=AWS_CONFIG, endpoint_url=endpoint) for service in SERVICES}
        self.topic_is_down = False
        self.rest()
        for service, client in self.clients.items():
            for when in ("before", "after"):
                client.meta.events.register(f"{when}-call.{service}", self._hook(service, when))

    def close(self) -> None:
        for client in self.clients.values():
            client.close()

    def rest(self) -> None:
        """Nothing is to go wrong, and whoever was killed is gone."""
        self._plan: dict[str, int] = {}
        self._lock = threading.Lock()
        self.fired: set[str] = set()
        self.is_dead = self.is_answered = False

    def plan(self, names: tuple[str, ...]) -> None:
        self.rest()
        self._plan = dict.fromkeys(names, 0)

    def at(self, service: str, operation: str, when: str) -> None:
        """A call is about to be made or was made. Raises what the plan wants."""
        with self._lock:
            if self.is_dead:
                raise Killed
            for name, seen in self._plan.items():
                broken = BREAKS[name]
                if when != broken.when or not broken.calls & {service, operation} or (broken.since_answer and not self.is_answered):
                    continue
                self._plan[name] = seen + 1
                if seen + 1 == broken.number or (broken.onwards and seen + 1 > broken.number):
                    self.fired.add(name)
                    if broken.what == "killed":
                        self.is_dead = True
                        raise Killed
                    raise EndpointConnectionError(endpoint_url="nowhere")
            if service == "sns" and when == "before" and self.topic_is_down:
                raise EndpointConnectionError(endpoint_url="the topic")

    def _hook(self, service: str, when: str) -> Callable[..., None]:
        return lambda model, **_event: self.at(service, model.name, when)


class Mortal(Process):
    """A process in a body. Its waiting costs no time; its clock is the run's, give or take `skew`."""

    def __init__(self, settings: Settings, body: Body, clock: Callable[[], timedelta], skew: timedelta) -> None:
        super().__init__(settings)
        self.body, self._run_clock, self._skew, self._slept = body, clock, skew, 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + self._run_clock() + self._skew

    def sleep(self, seconds: float) -> None:
        self._slept += seconds

    def monotonic(self) -> float:
        return time.monotonic() + self._slept

    def client(self, service: str) -> Any:
        return self.body.clients[service]

    @cached_property
    def http(self) -> ProviderHttp:
        return MortalHttp(self.body, allowed_private_hosts=self.settings.allowed_private_hosts, connect_timeout=5, deadline=DEADLINE)


class MortalHttp(ProviderHttp):
    def __init__(self, body: Body, **given: Any) -> None:
        super().__init__(**given)
        self._body = body

    def send(self, method: str, url: str, *, headers: dict[str, str], body: bytes | None = None) -> Answer:
        self._body.at("provider", ANSWER, "before")
        try:
            return super().send(method, url, headers=headers, body=body)
        finally:
            self._body.is_answered = True
            self._body.at("provider", ANSWER, "after")
