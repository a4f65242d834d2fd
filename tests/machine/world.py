"""One run's world: a stage, a provider with a witness, two processes that can die, and a clock that only the run moves.

Rule: after every action the world is looked at, and what it looks like has to follow from what was done. `Violation` says which promise broke.
"""

import io
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.domain import settings as settings_module
from chalicelib.domain.errors import IntegrityError, StandpipeError
from chalicelib.domain.models import Owner
from chalicelib.domain.secret import Secret
from chalicelib.engine.authorization_response import FlowError
from chalicelib.engine.failed_flows import TOLD
from chalicelib.engine.registrations import Change
from chalicelib.engine.tokens import Live
from chalicelib.engine.worker import Worked
from tests.cloud import Cloud
from tests.engine.scenes import PAST_LEASE, SLUG, Scene, new_owner, outcomes
from tests.machine.bodies import Body, Killed, Mortal
from tests.machine.edges import Edges
from tests.machine.troubles import AT_PROVIDER, CALM, Trouble, excuses
from tests.machine.witness import Witness, until
from tests.peers import FaultProxy, Peer

WORKER_SECONDS = 120.0
SKEWS = (timedelta(seconds=-12), timedelta(seconds=12))
SERIAL = {"STANDPIPE_REFRESH_CONCURRENCY": "1", "STANDPIPE_DUE_SHARDS": "2"}  # one thread, so that a run can be repeated
KILLED = "killed"
PEOPLE = 3


class Violation(AssertionError):
    """A promise that was broken."""


@dataclass
class Setting:
    """What outlives a run."""

    cloud: Cloud
    peer: Peer
    forgiving: bool
    """Whether the provider gives a lost answer again."""
    bodies: tuple[Body, Body]
    eye: Body
    """For looking only."""
    reached: Counter[str] = field(default_factory=Counter)
    """Outcomes of refreshes and edges of connections, over all runs."""


@dataclass
class Message:
    queue: str
    raw: dict[str, Any] = field(repr=False)

    @property
    def body(self) -> Any:
        return json.loads(self.raw["Body"])


class World:
    def __init__(self, setting: Setting) -> None:
        self.setting, self.ahead, self._undrained = setting, timedelta(), timedelta()
        self.printed, self.told = io.StringIO(), list[str]()
        self.stage = setting.cloud.stage(**SERIAL)
        self.settings = settings_module.read(self.stage.environ)
        self.witness = Witness(setting.peer, self._holds)
        self.proxy = FaultProxy(setting.peer.base_url, self.witness).start()
        self.scene = Scene(self.stage, setting.peer, self.proxy)
        self.eye = self.scene.first = Mortal(self.settings, setting.eye, lambda: self.ahead, timedelta())
        self.people = [new_owner() for _ in range(PEOPLE)]
        self.processes = [self._process(0), self._process(1)]
        with redirect_stdout(self.printed):
            self.scene.register()
        self.witness.secrets.add(setting.peer.client_secret)
        self.edges = Edges(self.eye, self.witness, forgiving=setting.forgiving)
        self.flows: dict[str, bool] = {}
        """Pending authorizations, and whether it has to be told that no connection came of them."""
        self._subscribe()

    def close(self) -> None:
        edges = [edge for each in self.edges.of.values() for edge in each]
        self.setting.reached.update([*outcomes(self.printed.getvalue()), *edges, *["misconfigured"] * self.edges.misconfigurations])
        self.proxy.stop()

    def _process(self, number: int) -> Mortal:
        body = self.setting.bodies[number]
        body.rest()
        body.topic_is_down = False
        return Mortal(self.settings, body, lambda: self.ahead, SKEWS[number])

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def somebody(self, number: int) -> Owner:
        """One who is connected, if anybody is."""
        wanted, found = self.people[number], self._connected()
        return wanted if wanted in found or not found else found[number % len(found)]

    def is_anybody_connected(self) -> bool:
        return bool(self._connected())

    def _connected(self) -> list[Owner]:
        return [owner for owner in self.people if (row := self.edges.row(owner)) and row.state == "connected"]

    # doing

    def act(self, number: int, work: Callable[[Mortal], Any], trouble: Trouble = CALM, *, look: bool = True) -> Any:
        """One process does something while something may go wrong. What came of it: an answer, an error of ours, or KILLED."""
        process, since = self.processes[number], self.witness.seen
        self.witness.plan([AT_PROVIDER[name] for name in trouble.provider], [AT_PROVIDER[name] for name in trouble.revocation])
        process.body.plan(trouble.breaks)
        with redirect_stdout(self.printed):
            try:
                result = work(process)
            except Killed:
                result = KILLED
            except (IntegrityError, AssertionError):
                raise
            except (StandpipeError, FlowError) as error:
                result = error
        fired = frozenset(process.body.fired)
        process.body.rest()
        if excuses(fired):
            self._excuse(since)
        if any("killed" in name for name in fired):
            self.restart(number)
        if any("killed" in name or "queue" in name for name in fired):
            self.witness.abandon()
        self.witness.plan([], [])
        self._check(process, result)
        if isinstance(result, FlowError) and result.pending and result.kind in TOLD and not fired:
            self.flows[result.pending.id] = True
        if look:
            self.look()
            if isinstance(result, Live) and (row := self.edges.row(result.connection.owner)) and row.state == "connected" and row.generation > result.connection.generation:
                raise Violation("I3: a token was returned that is older than the stored one")
        return result

    def _excuse(self, since: int) -> None:
        for grant in self.witness.grants:
            for each in grant.asked:
                each.excused |= each.number >= since

    def meanwhile(self, number: int, owner: Owner, work: Callable[[Mortal], Any], trouble: Trouble, then: Callable[[], Any], *, heard: bool) -> None:
        """`then` happens while the provider's answer (`heard`), or the request for it, is on its way to one process."""
        gate, failures = self.witness.hold(owner, heard=heard), list[BaseException]()

        def held() -> None:
            try:
                self.act(number, work, trouble, look=False)
            except BaseException as error:
                failures.append(error)

        with redirect_stdout(self.printed):
            thread = threading.Thread(target=held)
            thread.start()
            try:
                until(lambda: gate.reached.is_set() or not thread.is_alive())
                if gate.reached.is_set():
                    self.look()
                    then()
            finally:
                self.witness.let_go(gate)
                thread.join(60)
        if failures:
            raise failures[0]
        self.look()

    def restart(self, number: int) -> None:
        topic_is_down = self.processes[number].body.topic_is_down
        self.processes[number] = self._process(number)
        self.processes[number].body.topic_is_down = topic_is_down

    def topic(self, *, is_down: bool) -> None:
        for process in self.processes:
            process.body.topic_is_down = is_down

    def advance(self, by: timedelta) -> None:
        self.ahead += by
        self._undrained += by

    def keep_up(self, by: timedelta) -> None:
        """Before that much time passes. What is queued about tokens is handled within half a lease: SQS does not wait for hours."""
        if self._undrained + by > PAST_LEASE / 2:
            self.drain()

    def drain(self) -> None:
        for queue in ("rescue", "revoke", "rescue", "revoke"):
            self.deliver(0, queue)
        self._undrained = timedelta()

    def change_secret(self, *secrets: str) -> None:
        self.witness.secrets |= set(secrets)
        with redirect_stdout(self.printed):
            for secret in secrets:
                self.eye.registrations.update(SLUG, Change(client_secret=Secret(secret)))
        self.look()

    # queues

    def received(self, queue: str) -> list[Message]:
        url, found = getattr(self.settings, f"{queue}_queue_url"), list[Message]()
        while batch := self.eye.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=600).get("Messages", []):
            found += [Message(queue, raw) for raw in batch]
        self.told += [message.raw["Body"] for message in found]
        return found

    def deliver(self, number: int, queue: str, trouble: Trouble = CALM, fates: tuple[str, ...] = ("once",)) -> None:
        """Each message has its fate: once, twice or lost. One whose process failed or died comes again with the next delivery."""
        for position, message in enumerate(self.received(queue)):
            fate = fates[position % len(fates)]
            results = [self.act(number, handler(message), trouble) for _ in range({"once": 1, "twice": 2, "lost": 0}[fate])]
            where = {"QueueUrl": getattr(self.settings, f"{queue}_queue_url"), "ReceiptHandle": message.raw["ReceiptHandle"]}
            if results and (results[-1] == KILLED or isinstance(results[-1], Exception)):
                self.eye.sqs.change_message_visibility(**where, VisibilityTimeout=0)
            else:
                self.eye.sqs.delete_message(**where)
            trouble = CALM

    def _subscribe(self) -> None:
        self._heard_at = self.eye.sqs.create_queue(QueueName=f"{self.stage.table}-heard")["QueueUrl"]
        arn = self.eye.sqs.get_queue_attributes(QueueUrl=self._heard_at, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.eye.client("sns").subscribe(TopicArn=self.settings.topic_arn, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})

    def heard(self) -> Iterator[str]:
        """What reached the subscriber, in order."""
        while batch := self.eye.sqs.receive_message(QueueUrl=self._heard_at, MaxNumberOfMessages=10, VisibilityTimeout=600).get("Messages", []):
            yield from (message["Body"] for message in batch)

    # looking

    def look(self) -> None:
        """Every promise that can be looked at between two actions."""
        with self.quiet():
            self.edges.look(self.people)
        if self.witness.violations:
            raise Violation("; ".join(self.witness.violations))
        if self.edges.violations:
            raise Violation("; ".join(self.edges.violations))

    @contextmanager
    def quiet(self) -> Iterator[None]:
        with redirect_stdout(self.printed):
            yield

    def _holds(self, owner: Owner) -> str | None:
        """Asked by the proxy when a refresh token arrives: only the holder of a live lease may send it, and not before the table knows of the attempt."""
        row = self.eye.store.connection(owner, SLUG)
        if row is None or row.state != "connected":
            return None
        latest = self.now() - max(SKEWS) * 2
        if row.lease_owner is None or row.lease_until is None or row.lease_until < latest or row.intent_attempt < 1:
            return "a refresh token was sent without a lease and an intent"
        return None

    def _check(self, process: Mortal, result: Any) -> None:
        match result:
            case Live(connection=connection, tokens=tokens):
                token = tokens.access_token.reveal()
                grant = self.witness.grant_of(token)
                if grant is None or grant.owner != connection.owner:
                    raise Violation("I3: a token was returned that is not the owner's")
                if grant is not self.witness.current.get(connection.owner):
                    raise Violation("I3: a token was returned of a grant that another has replaced")
                if not connection.lives(process.now()):
                    raise Violation("I3: an expired token was returned")
                # Not the newest: the newest is on its way into the table, or was lost.
                if token == grant.access[-1] and not grant.is_over and not self.witness.works(token):
                    raise Violation("I3: a token was returned that the provider does not take")
            case Worked(done=done, unforeseen=unforeseen):
                if "integrity_error" in done or unforeseen is not None:
                    raise Violation(f"a worker met what nobody foresaw: {done}, {type(unforeseen).__name__}")


def handler(message: Message) -> Callable[[Mortal], Any]:
    def handle(process: Mortal) -> Any:
        consumer = {"refresh": lambda: process.worker, "rescue": lambda: process.rescue, "revoke": lambda: process.revocations}[message.queue]()
        return consumer.handle(message.body, lambda: WORKER_SECONDS if message.queue == "refresh" else 30.0)

    return handle
