"""How much a provider is asked by the clock: all, nothing, or one connection to see whether it is back. Pure: (circuit, what happened, now) -> circuit.

                 failures in a row >= 5, or our client refused 3 times in a row
      closed --------------------------------------------------------------> open (nobody asks)
        ^                                                                      |  a minute later
        |_________ any success _________ probing (one connection asks) <-------'

Beside it, a provider that says "too many requests" is paused for as long as it says, and afterwards asked by one message at a time,
one more after each that went through. A person who waits for a fetch is not held up by a pause, only by an open circuit.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.domain import events as facts
from chalicelib.domain.events import Event

Admission = Literal["all", "probe", "none"]
FAILURES_TO_OPEN = 5  # of any connections, with no success between: one tenant's host that is down does not close a provider to the others
REFUSALS_TO_OPEN = 3  # one could be a single connection's odd scopes
OPEN_FOR = timedelta(minutes=1)  # a dead provider costs a probe a minute
PAUSE_AT_LEAST = timedelta(seconds=10)
PAUSE_AT_MOST = timedelta(minutes=15)  # a header of nonsense must not cost the margin of every token


@dataclass(frozen=True, kw_only=True)
class Circuit:
    """One registration's circuit. A registration without a row has a closed one."""

    slug: str
    registration_id: str = ""
    failures: int = 0
    refusals: int = 0
    """Of our client."""
    open_until: datetime | None = None
    paused_until: datetime | None = None
    narrowed_to: int | None = None
    """How many messages may be at work at once; None = as many as the stage allows."""
    misconfigured_since: datetime | None = None
    last_error: str | None = None
    last_event: str | None = None
    version: int = 0
    write_id: str | None = None


@dataclass(frozen=True)
class Tally:
    """What came of asking, by the keys of one message or by one fetch."""

    successes: int = 0
    failures: int = 0
    refusals: int = 0
    throttled: int = 0
    retry_after: int | None = None
    last_error: str | None = None

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.successes + other.successes, self.failures + other.failures, self.refusals + other.refusals, self.throttled + other.throttled,
            max(filter(None, (self.retry_after, other.retry_after)), default=None), other.last_error or self.last_error,
        )  # fmt: skip

    @property
    def is_throttled(self) -> bool:
        """Whether the provider says so of us and not of one of its users."""
        return self.throttled > 0 and 2 * self.throttled >= self.successes + self.failures + self.refusals + self.throttled


def admission(circuit: Circuit, now: datetime) -> Admission:
    """What the clock may ask of this provider now."""
    if circuit.paused_until is not None and circuit.paused_until > now:
        return "none"
    return fetch_admission(circuit, now)


def fetch_admission(circuit: Circuit, now: datetime) -> Admission:
    """What a fetch may ask, for which a person waits."""
    if circuit.open_until is None:
        return "all"
    return "none" if circuit.open_until > now else "probe"


def probing(circuit: Circuit, now: datetime) -> Circuit:
    """Claimed for one probe: whoever stores this asks, and nobody else does for a minute."""
    return replace(circuit, open_until=now + OPEN_FOR, version=circuit.version + 1)


def after(circuit: Circuit, tally: Tally, registration_id: str, width: int, now: datetime) -> tuple[Circuit, tuple[Event, ...]]:
    """The circuit after what happened, and the one event of an edge. The very same object if nothing is to be stored. `width`: messages at once when all is well."""
    changed = replace(circuit, registration_id=registration_id)
    events: tuple[Event, ...] = ()
    if tally.successes:
        changed = replace(changed, failures=0, refusals=0, open_until=None, misconfigured_since=None, last_error=None)
    else:
        changed = replace(changed, failures=circuit.failures + tally.failures, refusals=circuit.refusals + tally.refusals, last_error=tally.last_error or circuit.last_error)
        if changed.failures >= FAILURES_TO_OPEN or changed.refusals >= REFUSALS_TO_OPEN:
            # Every further failure renews it: what was on its way when it opened tells the same.
            changed = replace(changed, open_until=now + OPEN_FOR)
        if changed.refusals >= REFUSALS_TO_OPEN and circuit.misconfigured_since is None:
            event = facts.of_misconfiguration(registration_id, circuit.slug, changed.last_error or "refused", now, last=circuit.last_event)
            changed, events = replace(changed, misconfigured_since=now, last_event=event.id), (event,)
    if tally.is_throttled:
        pause = min(max(timedelta(seconds=tally.retry_after or 0), PAUSE_AT_LEAST), PAUSE_AT_MOST)
        changed = replace(changed, paused_until=now + pause, narrowed_to=1)
    elif tally.successes and circuit.narrowed_to is not None:
        wider = circuit.narrowed_to + 1
        changed = replace(changed, narrowed_to=wider if wider < width else None, paused_until=None)
    if replace(changed, registration_id=circuit.registration_id) == circuit:
        return circuit, ()
    return replace(changed, version=circuit.version + 1), events
