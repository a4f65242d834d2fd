"""What the clock and the queues set in motion."""

from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.wiring.trips import Trips

if TYPE_CHECKING:
    from chalicelib.engine.deliveries import Deliveries
    from chalicelib.engine.hand_over import HandOver
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

        return Worker(
            self.store,
            self.agenda,
            self.queue(self.settings.refresh_queue_url),
            self.refresher,
            self.registrations,
            self.circuits,
            self.commits,
            self.settings.idle_after,
            self.refresh_counts,
            self.now,
        )

    @cached_property
    def rescue(self) -> "Rescue":
        from chalicelib.engine.rescue import Rescue

        return Rescue(self.store, self.sealer, self.oauth, self.registrations, self.commits, self.keeping, self.now)

    @cached_property
    def revocations(self) -> "Revocations":
        from chalicelib.engine.revocations import Revocations

        return Revocations(self.store, self.registrations, self.ending, self.keeping, self.now)

    @cached_property
    def deliveries(self) -> "Deliveries":
        from chalicelib.doors.webhook_calls import WebhookCaller
        from chalicelib.engine.deliveries import Deliveries

        queue = self.queue(self.settings.webhook_queue_url)
        return Deliveries(self.webhook_rows, WebhookCaller(self.http), self.sealer, self.outbox_rows, self.event_log, queue, self.outbox, self.now, self.monotonic)

    @cached_property
    def hand_over(self) -> "HandOver":
        from chalicelib.engine.hand_over import HandOver

        return HandOver(self.store, self.installations, self.sealer, self.registrations, self.commits, self.settings.idle_after, self.now)

    @cached_property
    def repair(self) -> "Repair":
        from chalicelib.engine.repair import Repair

        return Repair(self.agenda, self.registrations, self.census, self.settings.idle_after, self.now)
