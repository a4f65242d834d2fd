"""The model of every connection: the edges it went through, as looking at it after each action shows them, and whether each had a cause.

Rule: an edge is seen in the state of the row and never in the events, which are then held against the edges.
"""

from dataclasses import dataclass, field

from chalicelib.domain.events import Event
from chalicelib.domain.models import Connection, Owner
from tests.engine.scenes import SLUG, Process
from tests.machine.witness import Grant, Witness


@dataclass
class Edges:
    eye: Process
    witness: Witness
    forgiving: bool
    of: dict[str, list[str]] = field(default_factory=dict)
    """Connection id -> the last parts of the names of the events there have to be."""
    violations: list[str] = field(default_factory=list)
    _seen: dict[Owner, Connection] = field(default_factory=dict)
    _misconfigured: bool = False
    _misconfigurations: int = 0

    def look(self, people: list[Owner]) -> None:
        for owner in people:
            row = self.eye.store.connection(owner, SLUG)
            before = self._seen.get(owner)
            if row is None or row == before:
                continue
            self._seen[owner] = row
            edge = _edge(before, row)
            if edge is not None:
                self.of.setdefault(row.id, []).append(edge)
                self._happened(edge, owner, before)
            if row.state == "disconnected" and row.sealed is not None:
                self.violations.append("a disconnected connection has tokens again")
            if before is not None and row.generation < before.generation:
                self.violations.append("a generation went back")
            self._compare(row.id)
        self._look_at_provider()

    def row(self, owner: Owner) -> Connection | None:
        """As it was looked at last."""
        return self._seen.get(owner)

    def log(self, subject: str) -> list[Event]:
        return self.eye.outbox_rows.log(subject)

    def _happened(self, edge: str, owner: Owner, before: Connection | None) -> None:
        if edge == "connected":
            self.witness.current[owner] = self.witness.newest(owner)
        elif edge == "disconnected" and not self.witness.current[owner].given_up:
            self.violations.append("a connection was disconnected that nobody wanted to end")
        elif edge == "reauthorization_needed":
            grant = self.witness.current[owner]
            if problem := self._needless(grant):
                self.violations.append(f"I1: {problem}")
        if before is not None and before.state == "disconnected" and edge != "connected":
            self.violations.append("a connection that was disconnected came back by itself")

    def _needless(self, grant: Grant) -> str | None:
        """Why a person should not have been asked to connect again."""
        if self.witness.works(grant.access[-1]):
            return "a grant that lives at the provider needs reauthorization"
        if grant.ended_there or grant.given_up:
            return None
        if self.forgiving:
            return "a grant was lost at a provider that gives a lost answer again"
        refused = [each for each in grant.asked if each.refused]
        if not refused:
            return "a grant was given up without the provider's word"
        if not any(each.spent and not each.kept for each in grant.requests_of(refused[-1].credential)):
            return "a grant died although no answer was lost"
        return None

    def _compare(self, subject: str) -> None:
        """The log's events are the edges, one each, in order."""
        found = [event.event.rsplit(".", 1)[1] for event in self.log(subject)]
        if found != self.of.get(subject, []):
            self.violations.append(f"I4: events {found} for the edges {self.of.get(subject)}")

    def _look_at_provider(self) -> None:
        is_misconfigured = self.eye.circuits.of(SLUG).misconfigured_since is not None
        self._misconfigurations += is_misconfigured and not self._misconfigured
        self._misconfigured = is_misconfigured

    @property
    def misconfigurations(self) -> int:
        return self._misconfigurations


def _edge(before: Connection | None, after: Connection) -> str | None:
    was = before.state if before else "disconnected"
    if after.state == "disconnected":
        return "disconnected" if was != "disconnected" else None
    if after.state == "needs_reauthorization":
        return "reauthorization_needed" if was != after.state else None
    if before is None or was == "disconnected" or before.connected_at != after.connected_at:
        return "connected"
    if was == "needs_reauthorization" or (before.degraded_since and not after.degraded_since):
        return "recovered"
    return "degraded" if after.degraded_since and not before.degraded_since else None
