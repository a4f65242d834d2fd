"""The trips of a stage: what the API and a person's browser set in motion."""

from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.engine.api_keys import ApiKeys
from chalicelib.engine.tokens import Tokens
from chalicelib.wiring.doors import Doors

if TYPE_CHECKING:
    from chalicelib.doors.dashboard_rows import DashboardRows, Pages
    from chalicelib.doors.figures import Figures
    from chalicelib.doors.oauth import Credentials
    from chalicelib.engine.circuits import Circuits
    from chalicelib.engine.commits import Commits
    from chalicelib.engine.configurations import Configurations
    from chalicelib.engine.connect import Connect
    from chalicelib.engine.dashboard_connections import DashboardConnections
    from chalicelib.engine.dashboard_discovery import Discovery
    from chalicelib.engine.dashboard_figures import Census, RefreshCounts
    from chalicelib.engine.dashboard_overview import Overview
    from chalicelib.engine.dashboard_sign_in import SignIn
    from chalicelib.engine.dashboard_trial import Trial
    from chalicelib.engine.disconnect import Disconnect
    from chalicelib.engine.ending import Ending
    from chalicelib.engine.event_pages import EventPages
    from chalicelib.engine.installations import Installations
    from chalicelib.engine.keeping import Keeping
    from chalicelib.engine.outbox import Outbox
    from chalicelib.engine.refresh import Refresher
    from chalicelib.engine.registrations import Registrations
    from chalicelib.engine.rejections import Rejections
    from chalicelib.engine.subscriptions import Subscriptions
    from chalicelib.engine.webhooks import Webhooks
    from chalicelib.engine.widget_tokens import WidgetTokens
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

        return Outbox(self.outbox_rows, Topic(self.client("sns"), self.settings.topic_arn), lambda event: self.subscriptions.tell(event), self.now)

    @cached_property
    def subscriptions(self) -> "Subscriptions":
        from chalicelib.engine.subscriptions import Subscriptions

        return Subscriptions(self.webhook_rows, self.queue(self.settings.webhook_queue_url), self.monotonic)

    @cached_property
    def webhooks(self) -> "Webhooks":
        from chalicelib.engine.webhooks import Webhooks

        return Webhooks(self.webhook_rows, self.store, self.sealer, self.queue(self.settings.webhook_queue_url), self.settings.allowed_private_hosts, self.now)

    @cached_property
    def event_pages(self) -> "EventPages":
        from chalicelib.engine.event_pages import EventPages

        return EventPages(self.event_log, self.now)

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

        return Connect(self.store, self.grants, self.sealer, self.oauth, self.registrations, self.settings, self.commits, FailedFlows(self.store, self.outbox, self.now), self.now)

    @cached_property
    def installations(self) -> "Installations":
        from chalicelib.engine.installations import Installations

        return Installations(self.store, self.grants, self.sealer, self.oauth, self.registrations, self.commits, self.settings.idle_after, self.now)

    @cached_property
    def configurations(self) -> "Configurations":
        from chalicelib.engine.configurations import Configurations

        return Configurations(self.store, self.registrations, self.now)

    @cached_property
    def widget_tokens(self) -> "WidgetTokens":
        from chalicelib.doors.widget_keys import WidgetKeys
        from chalicelib.engine.widget_tokens import WidgetTokens

        return WidgetTokens(WidgetKeys(self.table), self.sealer, self.settings.url, self.now, self.monotonic)

    @cached_property
    def ending(self) -> "Ending":
        from chalicelib.engine.ending import Ending

        return Ending(self.sealer, self.oauth, self.registrations, self.now)

    @cached_property
    def disconnect(self) -> "Disconnect":
        from chalicelib.engine.disconnect import Disconnect

        return Disconnect(self.store, self.ending, self.commits, self.keeping, self.now)

    # the dashboard

    @cached_property
    def pages(self) -> "Pages":
        from chalicelib.doors.dashboard_rows import Pages

        return Pages(self.dynamodb, self.settings.table)

    @cached_property
    def dashboard_rows(self) -> "DashboardRows":
        from chalicelib.doors.dashboard_rows import DashboardRows

        return DashboardRows(self.pages)

    @cached_property
    def figures(self) -> "Figures":
        from chalicelib.doors.figures import Figures

        return Figures(self.pages)

    @cached_property
    def refresh_counts(self) -> "RefreshCounts":
        from chalicelib.engine.dashboard_figures import RefreshCounts

        return RefreshCounts(self.figures, self.now)

    @cached_property
    def census(self) -> "Census":
        from chalicelib.engine.dashboard_figures import Census

        return Census(self.figures, self.settings.idle_after, self.now)

    @cached_property
    def sign_in(self) -> "SignIn":
        from chalicelib.engine.dashboard_sign_in import SignIn

        return SignIn(self.dashboard_rows, self.store, self.now)

    @cached_property
    def dashboard_connections(self) -> "DashboardConnections":
        from chalicelib.engine.dashboard_connections import DashboardConnections

        return DashboardConnections(self.pages, self.store, self.outbox_rows, self.registrations, lambda: self.refresher, lambda: self.circuits, self.now)

    @cached_property
    def overview(self) -> "Overview":
        from chalicelib.engine.dashboard_overview import Overview

        return Overview(self.pages, self.figures, self.agenda, self.registrations, self.dashboard_connections, self.settings, self.now)

    @cached_property
    def trial(self) -> "Trial":
        from chalicelib.engine.dashboard_trial import Trial

        return Trial(self.dashboard_rows, self.store, lambda: self.connect, lambda: self.refresher, lambda: self.circuits, lambda: self.disconnect, self.now, self.monotonic)

    @cached_property
    def discovery(self) -> "Discovery":
        from chalicelib.engine.dashboard_discovery import Discovery

        return Discovery(self.http)


def _simulates(slug: str) -> bool:
    from chalicelib.simulator.catalogue import SIMULATED

    return slug in SIMULATED


def _simulated(provider: "Provider", base_url: str) -> "tuple[Provider, Credentials]":
    from chalicelib.domain.secret import Secret
    from chalicelib.doors.oauth import Credentials
    from chalicelib.simulator.catalogue import client_of, simulated

    client_id, client_secret = client_of(provider.slug)
    return simulated(provider, base_url), Credentials(client_id, Secret(client_secret))
