"""The worker: does what is due to the connections of one message, side by side, with the same refresh a fetch uses.

A key that fails fails alone. Nothing is begun that would not end in time, nothing is asked of a provider that is closed or throttling; what
was not begun stays due, and the next sweep brings it again. So a message may be lost, repeated or half done.
"""

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from chalicelib.domain import lifecycle, schedule
from chalicelib.domain.circuit import Tally
from chalicelib.domain.errors import IntegrityError, StandpipeError, Unavailable
from chalicelib.domain.models import Connection, Registration
from chalicelib.domain.schedule import Policy
from chalicelib.doors import journal
from chalicelib.doors.agenda import Agenda
from chalicelib.doors.keys import Key
from chalicelib.doors.queue import Queue
from chalicelib.doors.store import Store
from chalicelib.doors.table import LostRace, new_write_id
from chalicelib.engine import messages
from chalicelib.engine.circuits import Circuits
from chalicelib.engine.commits import Commits
from chalicelib.engine.dashboard_figures import RefreshCounts
from chalicelib.engine.messages import RefreshMessage
from chalicelib.engine.refresh import NEEDED, Outcome, Refresher
from chalicelib.engine.registrations import Registrations

SLOT_TTL = timedelta(seconds=150)  # longer than the worker's function may run
COME_BACK = (5, 30)  # seconds after which a message that found no free place comes back: time for a few others, spread
TURNED_AWAY_AT_MOST = 20  # minutes of it; then it is let go, and the sweep finds its keys again
STEPS = 3  # of one connection in one message: announce its end, and refresh it


@dataclass
class Worked:
    """What came of a message. `skipped`: keys not begun, by the reason."""

    done: dict[str, int] = field(default_factory=dict)
    skipped: str | None = None
    unforeseen: Exception | None = None


class _Message:
    """One message at work: what its threads tell each other."""

    def __init__(self, given: RefreshMessage, registration: Registration | None, policy: Policy, seconds_left: Callable[[], float], *, probing: bool) -> None:
        self.given, self.registration, self.policy, self.seconds_left, self.probing = given, registration, policy, seconds_left, probing
        self.tally, self.worked = Tally(), Worked()
        self._stopped: str | None = None
        self._asked = 0
        self._lock = threading.Lock()

    def may_begin(self) -> bool:
        """Whether another connection may be asked about: in time, the provider not throttling, and one only where it probes."""
        with self._lock:
            reason = self._stopped or ("no_time" if self.seconds_left() < NEEDED else "probing" if self.probing and self._asked else None)
            self._asked += reason is None
            self.worked.skipped = self.worked.skipped or reason
            return reason is None

    def stop(self, reason: str) -> None:
        with self._lock:
            self._stopped = self._stopped or reason

    def note(self, what: str, tally: Tally | None = None, error: Exception | None = None) -> None:
        with self._lock:
            self.worked.done[what] = self.worked.done.get(what, 0) + 1
            self.worked.unforeseen = self.worked.unforeseen or error
            if tally is not None:
                self.tally += tally
                if tally == Tally():
                    self._asked -= 1
                if self.tally.is_throttled:
                    self._stopped = self._stopped or "throttled"


Step = Literal["again"] | None


class Worker:
    def __init__(
        self,
        store: Store,
        agenda: Agenda,
        queue: Queue,
        refresher: Refresher,
        registrations: Registrations,
        circuits: Circuits,
        commits: Commits,
        idle_after: timedelta | None,
        counts: RefreshCounts,
        clock: Callable[[], datetime],
    ) -> None:
        self._store, self._agenda, self._queue, self._refresher, self._registrations = store, agenda, queue, refresher, registrations
        self._circuits, self._commits, self._idle_after, self._counts, self._clock = circuits, commits, idle_after, counts, clock

    def handle(self, body: Any, seconds_left: Callable[[], float]) -> Worked:
        """Does what is due. Raises UnknownMessage for what it cannot read, and, once every key had its turn, whatever nobody foresaw: then the
        queue brings the message again, what is done is skipped, and in the end a person finds it among the dead letters."""
        given = messages.read(body)
        try:
            return self._handle(given, seconds_left)
        except Unavailable as error:
            # The table does not answer. The message is let go: its keys stay due, and a queue of messages that come back tells nobody anything.
            return self._skipped(given, error.code)

    def _handle(self, given: RefreshMessage, seconds_left: Callable[[], float]) -> Worked:
        circuit = self._circuits.of(given.slug)
        admission = self._circuits.admits(circuit)
        if admission == "none":
            return self._skipped(given, "circuit")
        width = min(circuit.narrowed_to or self._circuits.width, self._circuits.width)
        with self._slot(given.slug, width) as free:
            if not free:
                return self._turned_away(given)
            registration = self._registrations.find(given.slug)
            message = _Message(given, registration, self._registrations.policy(registration, self._idle_after), seconds_left, probing=admission == "probe")
            # A probe goes through its keys until one has really asked the provider: the first may have been refreshed by somebody else.
            with ThreadPoolExecutor(1 if message.probing else self._circuits.threads) as pool:
                list(pool.map(lambda key: self._one(message, key), given.keys))
            if message.tally != Tally():
                self._circuits.note(given.slug, registration.id if registration else "", message.tally)
        self._counts.note(given.slug, message.worked.done)
        journal.write("worked", provider=given.slug, keys=len(given.keys), done=message.worked.done, skipped=message.worked.skipped)
        if message.worked.unforeseen is not None:
            raise message.worked.unforeseen
        return message.worked

    def _turned_away(self, given: RefreshMessage) -> Worked:
        """Every place of its provider is taken: it comes back in a moment. Waiting here would keep a worker from the others."""
        if given.turned_away < TURNED_AWAY_AT_MOST:
            self._queue.send(replace(given, turned_away=given.turned_away + 1).body(), delay=random.randint(*COME_BACK))
        return self._skipped(given, "crowded")

    def _skipped(self, given: RefreshMessage, reason: str) -> Worked:
        journal.write("worked", provider=given.slug, keys=len(given.keys), done={}, skipped=reason)
        return Worked(skipped=reason)

    @contextmanager
    def _slot(self, slug: str, width: int) -> Iterator[bool]:
        """One of the provider's places, or False if none of a few tried is free."""
        holder, now = new_write_id(), self._clock()
        for number in random.sample(range(width), min(width, 3)):
            if self._agenda.take_slot(slug, number, holder, now, now + SLOT_TTL):
                try:
                    yield True
                finally:
                    try:
                        self._agenda.leave_slot(slug, number, holder)
                    except Unavailable:
                        pass  # it lapses by itself
                return
        yield False

    def _one(self, message: _Message, key: Key) -> None:
        try:
            for _ in range(STEPS):
                if self._step(message, key) is None:
                    return
        except LostRace:
            message.note("overtaken")
        except IntegrityError as error:
            journal.count("integrity_error", self._clock(), "worker", alarm="integrity", detail=error.detail)
            message.note("integrity_error")
        except Unavailable as error:
            # The table or the key service: the other keys would fare no better, and none of them is worse for waiting a minute.
            message.stop(error.code)
            message.note(error.code)
        except StandpipeError as error:
            message.note(error.code)
        except Exception as error:  # noqa: BLE001
            # Its text may hold anything, so only its type is written.
            journal.count("worker_error", self._clock(), type(error).__name__)
            message.note("unforeseen", error=error)

    def _step(self, message: _Message, key: Key) -> Step:
        """One thing done to one connection; "again" if it may want another."""
        connection = self._store.connection_at(key)
        if connection is None:
            message.note("gone")
            return None
        if message.given.generation is not None:
            return self._refresh(message, connection, lambda newer: newer.generation != message.given.generation)
        policy = message.policy
        task = schedule.task(connection, policy, self._clock())
        if task == "refresh":
            return self._refresh(message, connection, lambda newer: schedule.task(newer, policy, self._clock()) != "refresh")
        if task is None:
            message.note("stale")
            return None
        if connection.lease_until is not None and connection.lease_until > self._clock():
            message.note("busy")  # whoever has it gives it its next time
            return None
        now = self._clock()
        if task == "end":
            transition = lifecycle.refused(connection, "no_refresh_token", "", now)
        else:
            transition = (lifecycle.announced if task == "announce" else lifecycle.rested)(connection, policy, now)
        self._commits.commit(transition)
        message.note({"end": "ended", "announce": "announced", "rest": "rested"}[task])
        return "again" if task == "announce" else None

    def _refresh(self, message: _Message, connection: Connection, is_fresh: Callable[[Connection], bool]) -> Step:
        if not message.may_begin():
            return None
        outcome: Outcome = self._refresher.refresh(connection, is_fresh, seconds_left=message.seconds_left, patience=0, used=False, registration=message.registration)
        message.note(outcome.bucket, outcome.tally)
        return None
