"""The sweep: each minute, who is due is told to the workers, and what waits in the outbox is told to the product. It decides nothing and opens nothing.

The due index is the truth; a message is a hint. What has been sent once is not sent again while the queue still holds messages, except every
few minutes, for those that were lost or not begun. So two sweeps at once, one that ends half way, and one that runs twice cost messages, never
a grant.
"""

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.domain import circuit as circuits
from chalicelib.domain.circuit import Circuit
from chalicelib.doors import journal
from chalicelib.doors.agenda import Agenda, Due, Progress
from chalicelib.doors.keys import Key
from chalicelib.doors.queue import BATCH, Queue
from chalicelib.engine.messages import KEYS, RefreshMessage
from chalicelib.engine.outbox import Drained, Outbox

MAX_DEPTH = 5000  # messages: what is queued beyond that would be sent again before it is read
LOOK_BACK_EVERY = timedelta(minutes=5)
BEHIND = timedelta(seconds=30)  # how far a watermark stays behind the clock: the index is eventually consistent, and clocks differ
END_IN = 10.0  # seconds of the function's time left when it stops; twice as many when it stops reading: what it has read is still sent, and some of the outbox published


@dataclass(frozen=True)
class Swept:
    """What a sweep saw and did. `lag`: seconds the longest due connection, of a provider that may be asked, is late."""

    due: int
    sent: int
    lag: float
    looked_back: bool
    misconfigured: int
    drained: Drained


class _Parcels:
    """Keys on their way into messages: collected by provider, sent ten messages a call."""

    def __init__(self, queue: Queue, room: int) -> None:
        self._queue, self._room = queue, room
        self._keys: dict[str, list[Key]] = defaultdict(list)
        self._full: list[RefreshMessage] = []
        self.sent = 0

    @property
    def has_room(self) -> bool:
        return self.sent + len(self._full) + len(self._keys) < self._room

    def add(self, slug: str, key: Key) -> None:
        self._keys[slug].append(key)
        if len(self._keys[slug]) == KEYS:
            self._full.append(RefreshMessage(slug, tuple(self._keys.pop(slug))))
            if len(self._full) == BATCH:
                self._flush()

    def close(self) -> None:
        """Sends what is left, in messages that are not full."""
        self._full += [RefreshMessage(slug, tuple(found)) for slug, found in self._keys.items()]
        self._keys.clear()
        self._flush()

    def _flush(self) -> None:
        if self._full:
            self._queue.send(*(message.body() for message in self._full))
            self.sent += len(self._full)
            self._full = []


class Sweep:
    def __init__(self, agenda: Agenda, queue: Queue, outbox: Outbox, clock: Callable[[], datetime]) -> None:
        self._agenda, self._queue, self._outbox, self._clock = agenda, queue, outbox, clock

    def run(self, seconds_left: Callable[[], float]) -> Swept:
        """Raises Unavailable if the table or the queue does not answer: the next minute begins where this one did."""
        now = self._clock()
        known = self._agenda.circuits()
        try:
            due, sent, oldest, looked_back = self._send(known, now, seconds_left)
        finally:
            # Last, because a topic that hangs may take all the time there is; and also if the queue does not answer.
            drained = self._outbox.drain(lambda: seconds_left() - END_IN)
        swept = Swept(due, sent, (now - oldest).total_seconds(), looked_back, sum(each.misconfigured_since is not None for each in known.values()), drained)
        self._journal(swept, now)
        return swept

    def _send(self, known: dict[str, Circuit], now: datetime, seconds_left: Callable[[], float]) -> tuple[int, int, datetime, bool]:
        """How many were due, how many messages were sent, since when the longest due of those waits, and whether it began from the start."""
        depth, progress = self._queue.depth(), self._agenda.progress()
        looks_back = depth == 0 or progress.looked_back_at is None or progress.looked_back_at + LOOK_BACK_EVERY <= now
        since = None if looks_back else progress.swept_until
        parcels = _Parcels(self._queue, max(0, MAX_DEPTH - depth))
        probed: dict[str, int] = defaultdict(int)
        due, oldest, whole = 0, now, True
        try:
            # In another order each time: a sweep that does not get through all shards must not forget the same ones.
            for shard in random.sample(range(self._agenda.shards), self._agenda.shards):
                for entry in self._agenda.due(shard, now, since):
                    due += 1
                    if not parcels.has_room or seconds_left() < 2 * END_IN:
                        whole = False
                        break
                    if self._is_sent(entry, known, probed, parcels, now):
                        oldest = min(oldest, entry.since)
                if not whole:
                    break
        finally:
            parcels.close()
        if whole:
            self._agenda.note_progress(Progress(swept_until=now - BEHIND, looked_back_at=now if looks_back else progress.looked_back_at))
        return due, parcels.sent, oldest, looks_back

    def _is_sent(self, entry: Due, known: dict[str, Circuit], probed: dict[str, int], parcels: _Parcels, now: datetime) -> bool:
        """Whether its provider may be asked; of one that is to be probed, as many keys as fill a message, of which the worker asks one."""
        slug = entry.slug
        admission = circuits.admission(known.get(slug) or Circuit(slug=slug), now)
        if admission == "none" or (admission == "probe" and probed[slug] == KEYS):
            return False
        probed[slug] += admission == "probe"
        parcels.add(slug, entry.key)
        return True

    def _journal(self, swept: Swept, now: datetime) -> None:
        waited = (now - swept.drained.oldest).total_seconds() if swept.drained.oldest else 0.0
        units = {"sweep_due": "Count", "sweep_sent": "Count", "sweep_lag": "Seconds", "outbox_age": "Seconds", "misconfigured": "Count"}
        journal.measure(
            "sweep", now, units, sweep_due=swept.due, sweep_sent=swept.sent, sweep_lag=swept.lag, outbox_age=waited, misconfigured=swept.misconfigured,
            looked_back=swept.looked_back, published=swept.drained.published, waiting=swept.drained.left,
        )  # fmt: skip
