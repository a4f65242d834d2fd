"""Webhook endpoints and their deliveries in the table, and the secrets that calls are signed with, sealed and opened."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta

from chalicelib.domain.events import Event
from chalicelib.domain.secret import Secret
from chalicelib.domain.stored import DamagedRow, read
from chalicelib.domain.webhooks import Delivery, Reason, WebhookEndpoint
from chalicelib.doors import journal, keys
from chalicelib.doors.crypto import Facts, Sealer
from chalicelib.doors.outbox import rows_of
from chalicelib.doors.table import Item, LostRace, Table, new_write_id

KEPT = timedelta(days=30)
FIELD = "webhook_secret"


class WebhookRows:
    """Changes by the owner are fenced by `version`; what a delivery notes is not one, and leaves it alone."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def all(self) -> Iterator[WebhookEndpoint]:
        """Of the whole stage, oldest first. A row that cannot be read is said and passed over: it must not keep events from the others."""
        for row in self._table.query("pk = :pk", {"pk": keys.WEBHOOK_ENDPOINTS}):
            try:
                yield read(WebhookEndpoint, row)
            except DamagedRow as error:
                journal.write("damaged_row", detail=str(error), key=row.get("sk"))

    def get(self, endpoint_id: str) -> WebhookEndpoint | None:
        row = self._table.get(keys.webhook_endpoint(endpoint_id))
        return read(WebhookEndpoint, row) if row else None

    def create(self, endpoint: WebhookEndpoint) -> None:
        self._table.put(keys.webhook_endpoint(endpoint.id), asdict(endpoint), condition="attribute_not_exists(pk)")

    def change(self, before: WebhookEndpoint, after: WebhookEndpoint) -> WebhookEndpoint:
        """Stores what differs, as the next version; the endpoint as it is then. Raises LostRace."""
        sets, removes = _changes(before, after)
        fenced = {"version": before.version}
        return read(WebhookEndpoint, self._table.update(keys.webhook_endpoint(before.id), {**sets, "version": before.version + 1}, removes=removes, condition="version = :version", values=fenced))

    def pause(self, endpoint: WebhookEndpoint, event: Event, reason: Reason, missed_since: datetime, now: datetime) -> bool:
        """Disables it and tells so, in one write. False if it was disabled, changed or deleted meanwhile."""
        sets: Item = {"status": "disabled", "reason": reason, "paused_at": now, "missed_since": missed_since, "updated_at": now, "last_event": event.id, "version": endpoint.version + 1}
        try:
            self._table.update_with_rows(
                keys.webhook_endpoint(endpoint.id), sets, removes=(), condition="#status = :enabled AND version = :version",
                values={"enabled": "enabled", "version": endpoint.version}, rows=rows_of(event), write_id=new_write_id(),
            )  # fmt: skip
        except LostRace:
            return False
        return True

    def note_failure(self, endpoint_id: str, now: datetime, event_at: datetime) -> None:
        """The first failure after a success begins the count; later ones change nothing."""
        self._note(endpoint_id, {"failing_since": now, "failing_from": event_at}, "#status = :enabled AND attribute_not_exists(failing_since)", {"enabled": "enabled"})

    def note_success(self, endpoint_id: str) -> None:
        self._note(endpoint_id, {}, "attribute_exists(pk)", {}, removes=("failing_since", "failing_from"))

    def note_missed(self, endpoint_id: str, event_at: datetime) -> None:
        """An event of that time was not delivered because the endpoint is disabled."""
        condition = "#status = :disabled AND (attribute_not_exists(missed_since) OR missed_since > :at)"
        self._note(endpoint_id, {"missed_since": event_at}, condition, {"disabled": "disabled", "at": event_at})

    def forget_missed(self, endpoint: WebhookEndpoint) -> None:
        """They are being sent again."""
        if endpoint.missed_since is not None:
            self._note(endpoint.id, {}, "missed_since = :at", {"at": endpoint.missed_since}, removes=("missed_since",))

    def delete(self, endpoint_id: str) -> None:
        self._table.delete(keys.webhook_endpoint(endpoint_id))

    def record(self, delivery: Delivery) -> None:
        """Kept for thirty days, for people to look at; nothing is decided by it."""
        self._table.put(keys.webhook_delivery(delivery.endpoint_id, delivery.id), {**asdict(delivery), "ttl": int((delivery.at + KEPT).timestamp())})

    def deliveries(self, endpoint_id: str, before: str | None, page_size: int) -> Iterator[Delivery]:
        """Newest first; `before`: those older than this one."""
        condition, values = "pk = :pk", {"pk": keys.webhook_deliveries(endpoint_id)}
        if before is not None:
            condition, values = "pk = :pk AND sk < :before", {**values, "before": before}
        for row in self._table.query(condition, values, forward=False, page_size=page_size):
            yield read(Delivery, row)

    def _note(self, endpoint_id: str, sets: Item, condition: str, values: Item, *, removes: tuple[str, ...] = ()) -> None:
        try:
            self._table.update(keys.webhook_endpoint(endpoint_id), sets, removes=removes, condition=condition, values=values)
        except LostRace:
            pass


def _changes(before: WebhookEndpoint, after: WebhookEndpoint) -> tuple[Item, tuple[str, ...]]:
    old, new = asdict(before), asdict(after)
    changed = [name for name in new if name not in ("id", "version", "write_id") and old[name] != new[name]]
    return {name: new[name] for name in changed if new[name] is not None}, tuple(name for name in changed if new[name] is None)


def facts_of(endpoint_id: str) -> Facts:
    return Facts(endpoint_id, FIELD)


def seal_secret(sealer: Sealer, endpoint_id: str, secret: Secret) -> bytes:
    """Raises Unavailable."""
    return sealer.seal({"secret": secret.reveal()}, facts_of(endpoint_id))


def open_secret(sealer: Sealer, endpoint: WebhookEndpoint) -> Secret:
    """Raises Unavailable or IntegrityError."""
    return Secret(sealer.open(endpoint.sealed, facts_of(endpoint.id))["secret"])
