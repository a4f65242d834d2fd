"""What really happened at the provider: every token request and its answer as the proxy between saw them, and the grants that came of them.

Rule: the witness knows the truth and nothing of the table. Tokens are kept only to be compared and to be looked for where they must not be.
"""

import json
import threading
import time
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus, urlsplit

import requests

from chalicelib.domain.models import Owner
from tests.peers import Peer
from tests.peers.fault_proxy import Recorded
from tests.peers.faults import Answer, Exchange, Fault, Gate, ok


@dataclass
class Asked:
    """One token request."""

    grant: "Grant | None"
    credential: str = field(repr=False)
    number: int
    """In the order of arrival, over all grants."""
    status: int | None = None
    """What the provider itself answered; None = it never heard of it."""
    refused: bool = False
    """Whether it said that the grant is no more."""
    delivered: bool = False
    """Whether that answer went out whole to whoever asked."""
    excused: bool = False
    """Whether whoever asked was kept, by a fault that was meant to, from storing what it got."""
    over: bool = False

    @property
    def spent(self) -> bool:
        return self.status == 200

    @property
    def kept(self) -> bool:
        """Whether nothing excuses that the answer is not in the table."""
        return self.over and self.spent and self.delivered and not self.excused


@dataclass
class Grant:
    """What one consent of a person led to."""

    owner: Owner
    access: list[str] = field(default_factory=list, repr=False)
    refresh: list[str] = field(default_factory=list, repr=False)
    """In the order the provider gave them; one that is given again is not there twice."""
    asked: list[Asked] = field(default_factory=list, repr=False)
    ended_there: bool = False
    """The person took it away at the provider."""
    given_up: bool = False
    """Its connection was asked to be disconnected."""
    abandoned: bool = False
    """Whoever was to end it at the provider was kept from it."""

    def requests_of(self, credential: str) -> list[Asked]:
        return [each for each in self.asked if each.credential == credential]

    @property
    def lost_an_answer(self) -> bool:
        return any(each.spent and not each.kept for each in self.asked)

    @property
    def is_over(self) -> bool:
        """Whether its tokens need not work any more. Whether that had a cause is asked where the connection ends."""
        return self.ended_there or self.given_up or any(each.refused for each in self.asked)


class Watched:
    """An exchange in the proxy's hands, seen by the witness."""

    def __init__(self, exchange: Exchange, asked: Asked, issued: Callable[[Asked, Answer], None]) -> None:
        self._exchange, self._asked, self._issued = exchange, asked, issued
        self._answer: Answer | None = None

    def forward(self) -> Answer:
        answer = self._exchange.forward()
        self._asked.status, self._answer = answer.status, answer
        self._issued(self._asked, answer)
        return answer

    def send(self, answer: Answer) -> None:
        # Noted first: whoever gets the answer may be done with it before this thread runs again.
        self._asked.delivered = answer is self._answer
        self._asked.over = True
        self._exchange.send(answer)

    def close(self) -> None:
        self._asked.over = True
        self._exchange.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._exchange, name)


class Witness:
    """The chooser of a scene's proxy. `held` looks whether whoever asks holds what it has to hold: its answer is a violation, or None."""

    def __init__(self, peer: Peer, held: Callable[[Owner], str | None]) -> None:
        self.peer, self._held = peer, held
        self.violations: list[str] = []
        self.secrets: set[str] = set()
        self.grants: list[Grant] = []
        self.current: dict[Owner, Grant] = {}
        """The grant each person's connection stands for."""
        self._codes: dict[str, Owner] = {}
        self._of: dict[str, Grant] = {}
        self._plan: list[Fault] = []
        self._revocations: list[Fault] = []
        self._gates: list[tuple[Owner, Gate, bool]] = []
        self.seen = 0
        """Token requests so far."""
        self._lock = threading.RLock()
        self._paths = {urlsplit(peer.token_endpoint).path: self._token_request, urlsplit(peer.revocation_endpoint).path: self._revocation}

    # what is to go wrong

    def plan(self, faults: list[Fault], revocations: list[Fault]) -> None:
        """For the next requests that nobody is held at; what is left of an earlier plan is forgotten."""
        self._plan, self._revocations = faults, revocations

    def hold(self, owner: Owner, *, heard: bool) -> Gate:
        """The next request for a person's tokens stops at the gate: with the provider's answer (`heard`), or before the provider hears of it."""
        gate = Gate()
        self._gates.append((owner, gate, heard))
        return gate

    def let_go(self, gate: Gate) -> None:
        gate.open()
        self._gates.clear()

    # what is known from elsewhere

    def left_with(self, code: str, owner: Owner) -> None:
        self._codes[code] = owner
        self.secrets.add(code)

    def give_up(self, owner: Owner) -> None:
        for grant in self._of_owner(owner):
            grant.given_up = True

    def end_there(self, owner: Owner) -> None:
        for grant in self._of_owner(owner):
            grant.ended_there = True

    def abandon(self) -> None:
        """A process was kept from something: perhaps from ending what was given up."""
        for grant in self.grants:
            grant.abandoned |= grant.given_up

    def _of_owner(self, owner: Owner) -> list[Grant]:
        return [grant for grant in self.grants if grant.owner == owner]

    def grant_of(self, access_token: str) -> Grant | None:
        return self._of.get(access_token)

    def newest(self, owner: Owner) -> Grant:
        return self._of_owner(owner)[-1]

    def works(self, access_token: str) -> bool:
        """The provider's own word, past the proxy."""
        header = {"Authorization": f"Bearer {access_token}"}
        return requests.get(self.peer.userinfo_endpoint, headers=header, timeout=30).status_code == 200

    # the proxy's question

    def __call__(self, record: Recorded) -> Fault | None:
        path = self._paths.get(record.path)
        return path(record) if path else None

    def _token_request(self, record: Recorded) -> Fault:
        form = record.form()
        (credential,) = form.get("refresh_token") or form["code"]
        self.secrets |= {credential, *form.get("code_verifier", [])} | _client_secret(record)
        with self._lock:
            grant = self._of.get(credential)
            if grant is None and credential not in self._codes:
                self.violations.append("a refresh token was sent that the provider never gave")
            earlier = grant.requests_of(credential) if grant else []
            if any(not each.over for each in earlier):
                self.violations.append("I2: the same refresh token is in flight twice")
            if any(each.kept for each in earlier):
                self.violations.append("I2: a refresh token was sent again although its answer had arrived")
            asked = Asked(grant, credential, self.seen)
            self.seen += 1
            if grant:
                grant.asked.append(asked)
                # A holder whose grant was replaced while it asked, by a reconnect, may end what it began: nothing of the new one is in its hands.
                if self.current.get(grant.owner) in (None, grant) and (broken := self._held(grant.owner)):
                    self.violations.append(f"I2: {broken}")
            gate = next((held for held in self._gates if grant and held[0] == grant.owner), None)
            if gate:
                self._gates.remove(gate)
                fault = _held_at(gate[1], heard=gate[2])
            else:
                fault = self._plan.pop(0) if self._plan else ok()

        def act(x: Exchange) -> None:
            try:
                fault.act(Watched(x, asked, self._issued))
            finally:
                asked.over = True

        return Fault(fault.name, act)

    def _issued(self, asked: Asked, answer: Answer) -> None:
        if answer.status != 200:
            asked.refused = b'"invalid_grant"' in answer.body
            return
        tokens = json.loads(answer.body)
        with self._lock:
            if asked.grant is None:
                asked.grant = Grant(self._codes[asked.credential])
                self.grants.append(asked.grant)
            for kept, token in ((asked.grant.access, tokens["access_token"]), (asked.grant.refresh, tokens.get("refresh_token"))):
                if token and token not in kept:
                    kept.append(token)
                if token:
                    self._of[token] = asked.grant
                    self.secrets.add(token)

    def _revocation(self, record: Recorded) -> Fault:
        (token,) = record.form()["token"]
        with self._lock:
            grant = self._of.get(token)
            if grant is None:
                self.violations.append("a token was revoked that the provider never gave")
            elif self.current.get(grant.owner) is grant and not grant.given_up:
                self.violations.append("a grant was revoked that nobody gave up")
            return self._revocations.pop(0) if self._revocations else ok()


def _held_at(gate: Gate, *, heard: bool) -> Fault:
    def act(x: Exchange) -> None:
        answer = x.forward() if heard else None
        gate.wait(x)
        x.send(answer or x.forward())

    return Fault("held", act)


def _client_secret(record: Recorded) -> set[str]:
    given = next((value for name, value in record.headers.items() if name.lower() == "authorization"), "")
    if not given.startswith("Basic "):
        return set()
    plain = b64decode(given.removeprefix("Basic ")).decode()
    return {given.removeprefix("Basic "), plain, unquote_plus(plain.split(":", 1)[1]), plain.split(":", 1)[1]}


def until(condition: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Waits for what another thread does."""
    ends = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends:
            return False
        time.sleep(0.002)
    return True
