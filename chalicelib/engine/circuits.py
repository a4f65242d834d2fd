"""The circuits of a stage's providers: who may ask now, and what came of asking. How they open and close is in domain/circuit.py."""

from collections.abc import Callable
from datetime import datetime
from math import ceil

from chalicelib.domain import circuit as circuits
from chalicelib.domain.circuit import Admission, Circuit, Tally
from chalicelib.domain.errors import Conflict, StandpipeError, Unavailable
from chalicelib.doors import journal
from chalicelib.doors.agenda import Agenda
from chalicelib.doors.table import LostRace
from chalicelib.engine.outbox import Outbox

THREADS = 10  # of a worker: its calls mostly wait
TRIES = 4  # several workers may tell of one provider at once


class Circuits:
    """`concurrency`: calls at once to one provider when all is well; `width`: the messages that makes, one for each worker's threads."""

    def __init__(self, agenda: Agenda, outbox: Outbox, concurrency: int, clock: Callable[[], datetime]) -> None:
        self._agenda, self._outbox, self._clock = agenda, outbox, clock
        self.threads = min(THREADS, concurrency)
        self.width = max(1, concurrency // THREADS)

    def of(self, slug: str) -> Circuit:
        return self._agenda.circuit(slug)

    def admits(self, circuit: Circuit, *, fetch: bool = False) -> Admission:
        """What may be asked now. "probe" is claimed by this very call: whoever gets it asks with one connection."""
        now = self._clock()
        wanted = circuits.fetch_admission(circuit, now) if fetch else circuits.admission(circuit, now)
        if wanted != "probe":
            return wanted
        try:
            self._agenda.save_circuit(circuits.probing(circuit, now))
        except LostRace:
            return "none"  # somebody else probes
        return "probe"

    def refuses_fetch(self, slug: str) -> StandpipeError | None:
        """Why a fetch must not ask this provider now, or None. A table that does not tell is no reason."""
        try:
            circuit = self.of(slug)
            if self.admits(circuit, fetch=True) != "none":
                return None
        except Unavailable:
            return None
        if circuit.misconfigured_since is not None:
            return misconfigured(circuit.last_error)
        wait = ceil((circuit.open_until - self._clock()).total_seconds()) if circuit.open_until else 0
        return Unavailable(f"The provider does not answer as it should ({circuit.last_error or 'unavailable'}). The connection is kept; try again.", retry_after=max(1, wait))

    def note(self, slug: str, registration_id: str, tally: Tally) -> None:
        """Tells what came of asking. Best effort: a circuit that is a message behind mends itself with the next one."""
        try:
            for _ in range(TRIES):
                before = self.of(slug)
                after, events = circuits.after(before, tally, registration_id, self.width, self._clock())
                if after is before:
                    return
                try:
                    self._agenda.save_circuit(after, events)
                except LostRace:
                    continue
                if (before.open_until is None) != (after.open_until is None):
                    journal.count("circuit", self._clock(), "opened" if after.open_until else "closed", provider=slug, last_error=after.last_error)
                self._outbox.publish(events)
                return
        except Unavailable:
            return

    def reset(self, slug: str) -> None:
        """The registration was changed: everything is tried again."""
        self._agenda.close_circuit(slug)


def misconfigured(code: str | None) -> Conflict:
    return Conflict(f"The provider refuses this application's own credentials ({code}). No user has to act; an operator has to check the client id and secret.", "provider_misconfigured")
