"""How fast: several at a time, all of them slower when one is told to wait, and now and then a line that says how far it is."""

import random
import threading
from collections.abc import Callable
from typing import TypeVar

from chalicelib.domain.errors import Unavailable

Done = TypeVar("Done")
TRIES = 8
LONGEST = 30.0  # seconds between two tries
EVERY = 5.0  # seconds between two lines


class Pace:
    """`sleep` and `monotonic` are arguments, so that waiting can be tested without waiting."""

    def __init__(self, sleep: Callable[[float], None], monotonic: Callable[[], float]) -> None:
        self._sleep, self._monotonic = sleep, monotonic
        self._lock, self._free_at, self._wait = threading.Lock(), 0.0, 0.0

    def run(self, work: Callable[[], Done]) -> Done:
        """`work`, again while the table, KMS or a provider says "later". Raises Unavailable in the end."""
        for number in range(TRIES):
            self.wait()
            try:
                done = work()
            except Unavailable as error:
                if number == TRIES - 1:
                    raise
                self.slow(error.retry_after if error.code not in ("storage_unavailable", "key_unavailable") else None)
                continue
            with self._lock:
                self._wait /= 2
            return done
        raise AssertionError("unreachable")

    def slow(self, seconds: float | None = None) -> None:
        """Everybody waits: for so long, or twice as long as the last time."""
        with self._lock:
            self._wait = min(LONGEST, max(self._wait * 2, 0.5))
            self._free_at = max(self._free_at, self._monotonic() + max(seconds or 0, self._wait * (0.5 + random.random() / 2)))

    def wait(self) -> None:
        """Until nobody has to wait any more."""
        while (left := self._free_at - self._monotonic()) > 0:
            self._sleep(left)


class Progress:
    """`total` of how many there are, or None if nobody knows."""

    def __init__(self, total: int | None, say: Callable[[str], None], monotonic: Callable[[], float]) -> None:
        self._total, self._say, self._monotonic = total, say, monotonic
        self._began = self._told = monotonic()
        self.done = 0

    def add(self, count: int = 1) -> None:
        self.done += count
        now = self._monotonic()
        if now - self._told >= EVERY:
            self._told = now
            self._say(self.line())

    def line(self) -> str:
        rate = self.done / max(self._monotonic() - self._began, 0.001)
        if self._total is None:
            return f"{self.done} done, {rate:.0f} a second"
        left = max(self._total - self.done, 0)
        return f"{self.done} of {self._total} done, {rate:.0f} a second, {left} remaining" + (f", about {_span(left / rate)}" if left and rate else "")


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
