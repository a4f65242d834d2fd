"""What the provider really gave and who got to hear of it, as the proxy between sees it. Knows nothing of the table.

It commits the faults too: one in so many token requests, of every kind, so that it knows which answers were really dropped.
"""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.peers import faults
from tests.peers.fault_proxy import Recorded
from tests.peers.faults import Answer, Exchange, Fault

AT_PROVIDER = {
    "answer lost": faults.lose_answer(),
    "request dropped": faults.drop_request(),
    "answer cut short": faults.truncate(),
    "502 after the fact": faults.status(502, forward=True),
    "503": faults.status(503),
    "429": faults.status(429, headers={"Retry-After": "2"}),
    "a page": faults.not_json(),
    "nothing": faults.empty(400),
    "later": faults.status(400, {"error": "temporarily_unavailable"}),
}
AT_AWS = {
    "request dropped": faults.drop_request(),
    "answer lost": faults.lose_answer(),
    "500": faults.status(500, {"__type": "InternalServerError", "message": ""}),
    "500 after the fact": faults.status(500, {"__type": "InternalServerError", "message": ""}, forward=True),
}


DOWN_EVERY, DOWN_FOR = 30.0, 12.0  # seconds
STORES = ("UpdateItem", "TransactWriteItems")


@dataclass
class Given:
    """A refresh that the provider answered with tokens."""

    at: float
    heard: bool = False
    """Whether the answer went out whole."""


@dataclass
class Ledger:
    """The chooser of the proxy before a provider. `rate`: how many of its token requests go wrong."""

    token_path: str
    chance: random.Random
    rate: float = 0.0
    committed: Counter[str] = field(default_factory=Counter)
    given: dict[str, list[Given]] = field(default_factory=dict)
    """By person."""
    heard_of: Callable[[], None] = lambda: None
    _of: dict[str, str] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def learn(self, refresh_token: str, person: str) -> None:
        with self._lock:
            self._of[refresh_token] = person

    def lost_one(self, person: str, kills: list[float]) -> bool:
        """Whether an answer to this person's refresh was dropped on the way, or reached a process that was killed before it can have stored it."""
        return any(not each.heard or any(each.at - 1 <= kill <= each.at + 8 for kill in kills) for each in self.given.get(person, []))

    def __call__(self, record: Recorded) -> Fault | None:
        if record.path != self.token_path:
            return None
        with self._lock:
            name = self.chance.choice(list(AT_PROVIDER)) if self.chance.random() < self.rate else None
            if name:
                self.committed[name] += 1
        fault = AT_PROVIDER[name] if name else faults.ok()
        sent = (record.form().get("refresh_token") or [""])[0]
        return Fault(fault.name, lambda exchange: fault.act(_Watched(exchange, self, sent)))

    def note(self, sent: str, answer: Answer) -> Given | None:
        if answer.status != 200 or not sent:
            return None
        renewed = json.loads(answer.body).get("refresh_token")
        with self._lock:
            person = self._of.get(sent)
            if person is None:
                return None
            if renewed:
                self._of[renewed] = person
            given = Given(time.monotonic())
            self.given.setdefault(person, []).append(given)
        self.heard_of()
        return given


class _Watched:
    """An exchange in the proxy's hands: what is forwarded is noted, and whether it went out."""

    def __init__(self, exchange: Exchange, ledger: Ledger, sent: str) -> None:
        self._exchange, self._ledger, self._sent = exchange, ledger, sent
        self._answer: Answer | None = None
        self._given: Given | None = None

    def forward(self) -> Answer:
        self._answer = self._exchange.forward()
        self._given = self._ledger.note(self._sent, self._answer)
        return self._answer

    def send(self, answer: Answer) -> None:
        if self._given is not None:
            self._given.heard = answer is self._answer
        self._exchange.send(answer)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._exchange, name)


class Weather:
    """The chooser of the proxy before the embedded AWS."""

    def __init__(self, chance: random.Random) -> None:
        self._chance, self.rate, self.committed = chance, 0.0, Counter[str]()
        self._down_until = 0.0
        self._lock = threading.Lock()

    def an_answer_was_given(self) -> None:
        """Now and then nothing is stored from this very moment on, for longer than a refresh waits before it sends what it got to be rescued."""
        now = time.monotonic()
        if self.rate and now > self._down_until + DOWN_EVERY:
            self._down_until = now + DOWN_FOR

    def __call__(self, record: Recorded) -> Fault | None:
        with self._lock:
            if time.monotonic() < self._down_until and _target(record).endswith(STORES):
                self.committed["table down"] += 1
                return faults.drop_request()
            if self._chance.random() >= self.rate:
                return None
            name = self._chance.choice(list(AT_AWS))
            self.committed[name] += 1
            return AT_AWS[name]


def _target(record: Recorded) -> str:
    return next((value for name, value in record.headers.items() if name.lower() == "x-amz-target"), "")
