"""The overview: how many connections there are, what came of their refreshes, what it costs, and what wants an operator's attention.

A small stage is counted on the spot; a large one shows the last whole count of the repair pass, which looks at every row once a day anyway.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from chalicelib.domain import circuit as circuits
from chalicelib.domain.circuit import Circuit
from chalicelib.domain.models import Registration
from chalicelib.domain.settings import Settings
from chalicelib.doors import keys
from chalicelib.doors.agenda import Agenda
from chalicelib.doors.dashboard_rows import Pages
from chalicelib.doors.figures import Counts, Figures, add
from chalicelib.engine import dashboard_costs
from chalicelib.engine.dashboard_connections import DashboardConnections
from chalicelib.engine.dashboard_figures import SHOWN_HOURS, RefreshCounts, counted
from chalicelib.engine.registrations import Registrations

COUNTED_LIVE = 200  # connections; more than these are counted once a day
SWEEP_LATE = timedelta(minutes=5)
OUTBOX_LATE = timedelta(minutes=2)
Severity = Literal["bad", "warning", "note"]


@dataclass(frozen=True)
class Attention:
    """One thing to look at: what is so, what to do, and where in the dashboard."""

    severity: Severity
    text: str
    todo: str
    slug: str | None = None
    page: str | None = None


@dataclass(frozen=True)
class Count:
    """Connections by provider and state. `as_of` None = counted just now."""

    counts: Counts
    as_of: datetime | None
    whole: bool
    """False until a large stage's first count has come to its end."""

    def of(self, *states: str) -> int:
        return sum(counts.get(state, 0) for counts in self.counts.values() for state in states)


class Overview:
    def __init__(
        self,
        pages: Pages,
        figures: Figures,
        agenda: Agenda,
        registrations: Registrations,
        connections: DashboardConnections,
        settings: Settings,
        clock: Callable[[], datetime],
    ) -> None:
        self._pages, self._figures, self._agenda, self._registrations, self._connections, self._settings, self._clock = pages, figures, agenda, registrations, connections, settings, clock

    def count(self) -> Count:
        live = self._connections.count(COUNTED_LIVE)
        if live is not None:
            counts: Counts = {}
            for connection in live:
                add(counts, {connection.slug: counted(connection, self._settings.idle_after, self._clock())})
            return Count(counts, None, True)
        census = self._figures.census()
        return Count({}, None, False) if census is None else Count(census["counts"], datetime.fromisoformat(census["ended_at"]), True)

    def refreshes(self) -> list[dict[str, Any]]:
        return RefreshCounts(self._figures, self._clock).shown(SHOWN_HOURS)

    def cost(self, count: Count) -> dashboard_costs.Estimate:
        return dashboard_costs.estimate(count.of("connected", "needs_reauthorization"), self._settings.encryption, self._settings.due_shards)

    def attention(self, count: Count) -> list[Attention]:
        """Worst first."""
        now = self._clock()
        registrations = self._registrations.all()
        found = [*self._of_clock(now), *self._of_outbox(now)]
        known = {each.slug for each in registrations}
        for circuit in self._agenda.circuits().values():
            if circuit.slug in known:
                found += self._of_circuit(circuit, now)
        for registration in registrations:
            found += self._of_registration(registration)
        if not registrations:
            found.append(Attention("note", "No provider is configured yet.", "Set up the first one: it takes two minutes.", page="providers"))
        if degraded := count.of("degraded"):
            found.append(Attention("warning", _many(degraded, "connection has", "connections have") + " not been refreshed for three days.", "Look at what the provider answers.", page="connections"))
        if lost := count.of("needs_reauthorization"):
            found.append(Attention("note", _many(lost, "person has", "people have") + " to connect again.", "The widget and the event reauthorization_needed ask them to.", page="connections"))
        if self._settings.former_key_arns:
            found.append(Attention("note", "The KMS key is being changed: a former key may still open.", "When 'ops reseal' is through, remove STANDPIPE_FORMER_KEY_ARNS."))
        order = {"bad": 0, "warning": 1, "note": 2}
        return sorted(found, key=lambda each: order[each.severity])

    def _of_clock(self, now: datetime) -> list[Attention]:
        swept = self._agenda.progress().swept_until
        if swept is None or swept + SWEEP_LATE > now:
            return []
        return [
            Attention("bad", "The sweep has not run to its end for more than five minutes: nothing is refreshed by the clock.", "Look for sweep_failed in the log of -sweep; is its schedule enabled?")
        ]

    def _of_outbox(self, now: datetime) -> list[Attention]:
        oldest = None
        for shard in range(keys.OUTBOX_SHARDS):
            rows, _ = self._pages.page("pk = :pk", {"pk": keys.outbox_partition(shard)}, limit=1)
            for row in rows:
                at = datetime.fromisoformat(row["created_at"])
                oldest = at if oldest is None else min(oldest, at)
        if oldest is None or oldest + OUTBOX_LATE > now:
            return []
        minutes = int((now - oldest).total_seconds() // 60)
        return [Attention("bad", f"Events have waited {minutes} minutes to be published. They are kept.", "Does the topic exist, and may the role publish to it?", page="events")]

    def _of_circuit(self, circuit: Circuit, now: datetime) -> list[Attention]:
        name = self._registrations.name_of(circuit.slug)
        if circuit.misconfigured_since is not None:
            return [
                Attention(
                    "bad",
                    f"{name} refuses this application's own credentials ({circuit.last_error or 'refused'}). No user has to act.",
                    "Enter its client id and secret again.",
                    circuit.slug,
                    "providers",
                )
            ]
        if circuits.fetch_admission(circuit, now) != "all":
            return [
                Attention("warning", f"{name} does not answer as it should ({circuit.last_error or 'unavailable'}).", "It is tried once a minute; connections are kept.", circuit.slug, "providers")
            ]
        if circuit.paused_until is not None and circuit.paused_until > now:
            return [Attention("note", f"{name} asked for fewer requests and is left in peace for a moment.", "Nothing to do.", circuit.slug)]
        return []

    def _of_registration(self, registration: Registration) -> list[Attention]:
        ready = self._registrations.authority(registration) is not None or registration.organization_credentials or "oauth" not in registration.auth_methods
        if not registration.enabled or ready:
            return []
        name = self._registrations.name_of(registration.slug)
        return [Attention("warning", f"{name} is enabled and has no credentials: nobody can connect.", "Enter its client id and secret.", registration.slug, "providers")]


def _many(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
