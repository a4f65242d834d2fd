"""The trips of a stage: what the API and a person's browser set in motion."""

from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.engine.api_keys import ApiKeys
from chalicelib.engine.tokens import Tokens
from chalicelib.wiring.doors import Doors

if TYPE_CHECKING:
    from chalicelib.doors.oauth import Credentials
    from chalicelib.engine.circuits import Circuits
    from chalicelib.engine.commits import Commits
    from chalicelib.engine.connect import Connect
    from chalicelib.engine.disconnect import Disconnect
    from chalicelib.engine.ending import Ending
    from chalicelib.engine.keeping import Keeping
    from chalicelib.engine.outbox import Outbox
    from chalicelib.engine.refresh import Refresher
    from chalicelib.engine.registrations import Registrations
    from chalicelib.engine.rejections import Rejections
    from chalicelib.providers.spec import Provider


class Trips(Doors):
    @cached_property
    def api_keys(self) -> ApiKeys:
        return ApiKeys(self.store, self.now, self.monotonic)

    @cached_property
    def tokens(self) -> Tokens:
        return Tokens(self.store, self.sealer, lambda: self.refresher, lambda: self.rejections, lambda: self.registrations, lambda: self.circuits, self.settings.idle_after, self.now)

    @cached_property
    def outbox(self) -> "Outbox":
        from chalicelib.doors.topic import Topic
        from chalicelib.engine.outbox import Outbox

        return Outbox(self.outbox_rows, Topic(self.client("sns"), self.settings.topic_arn), self.now)

    @cached_property
    def commits(self) -> "Commits":
        from chalicelib.engine.commits import Commits

        return Commits(self.store, self.outbox, self.sleep, self.monotonic)

    @cached_property
    def keeping(self) -> "Keeping":
        from chalicelib.engine.keeping import Keeping

        return Keeping(self.queue(self.settings.rescue_queue_url), self.queue(self.settings.revoke_queue_url))

    @cached_property
    def circuits(self) -> "Circuits":
        from chalicelib.engine.circuits import Circuits

        return Circuits(self.agenda, self.outbox, self.settings.refresh_concurrency, self.now)

    @cached_property
    def registrations(self) -> "Registrations":
        from chalicelib.engine.registrations import Registrations

        return Registrations(self.store, self.sealer, self.settings, self.now, lambda slug: self.circuits.reset(slug), self.shared_credentials.of, _simulates, _simulated)

    @cached_property
    def refresher(self) -> "Refresher":
        from chalicelib.engine.refresh import Refresher

        return Refresher(self.store, self.sealer, self.oauth, self.registrations, self.commits, self.keeping, self.settings.idle_after, self.now, self.sleep, self.monotonic)

    @cached_property
    def rejections(self) -> "Rejections":
        from chalicelib.engine.rejections import Rejections

        return Rejections(self.store, self.oauth, self.registrations, self.commits, self.now, self.sleep)

    @cached_property
    def connect(self) -> "Connect":
        from chalicelib.engine.connect import Connect
        from chalicelib.engine.failed_flows import FailedFlows

        return Connect(self.store, self.sealer, self.oauth, self.registrations, self.settings, self.commits, FailedFlows(self.store, self.outbox, self.now), self.now)

    @cached_property
    def ending(self) -> "Ending":
        from chalicelib.engine.ending import Ending

        return Ending(self.sealer, self.oauth, self.registrations, self.now)

    @cached_property
    def disconnect(self) -> "Disconnect":
        from chalicelib.engine.disconnect import Disconnect

        return Disconnect(self.store, self.ending, self.commits, self.keeping, self.now)


def _simulates(slug: str) -> bool:
    from chalicelib.simulator.catalogue import SIMULATED

    return slug in SIMULATED


def _simulated(provider: "Provider", base_url: str) -> "tuple[Provider, Credentials]":
    from chalicelib.domain.secret import Secret
    from chalicelib.doors.oauth import Credentials
    from chalicelib.simulator.catalogue import client_of, simulated

    client_id, client_secret = client_of(provider.slug)
    return simulated(provider, base_url), Credentials(client_id, Secret(client_secret))
