"""What the clock and the queues set in motion."""

from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.wiring.trips import Trips

if TYPE_CHECKING:
    from chalicelib.engine.repair import Repair
    from chalicelib.engine.rescue import Rescue
    from chalicelib.engine.revocations import Revocations
    from chalicelib.engine.sweep import Sweep
    from chalicelib.engine.worker import Worker


class Clockwork(Trips):
    @cached_property
    def sweep(self) -> "Sweep":
        from chalicelib.engine.sweep import Sweep

        return Sweep(self.agenda, self.queue(self.settings.refresh_queue_url), self.outbox, self.now)

    @cached_property
    def worker(self) -> "Worker":
        from chalicelib.engine.worker import Worker

        return Worker(self.store, self.agenda, self.queue(self.settings.refresh_queue_url), self.refresher, self.registrations, self.circuits, self.commits, self.settings.idle_after, self.now)

    @cached_property
    def rescue(self) -> "Rescue":
        from chalicelib.engine.rescue import Rescue

        return Rescue(self.store, self.sealer, self.oauth, self.registrations, self.commits, self.keeping, self.now)

    @cached_property
    def revocations(self) -> "Revocations":
        from chalicelib.engine.revocations import Revocations

        return Revocations(self.store, self.registrations, self.ending, self.keeping, self.now)

    @cached_property
    def repair(self) -> "Repair":
        from chalicelib.engine.repair import Repair

        return Repair(self.agenda, self.registrations, self.settings.idle_after, self.now)
