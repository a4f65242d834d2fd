"""Webhook endpoints as their owner manages them: made, changed, deleted, given a new secret, sent again what they missed.

A caller bound to an organization has endpoints of its own, which hear of that organization alone, and knows of no others.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import ip_address
from itertools import islice
from typing import Any

from chalicelib.domain import ids
from chalicelib.domain.errors import Conflict, NotFound, Unprocessable
from chalicelib.domain.events import first_id
from chalicelib.domain.secret import Secret
from chalicelib.domain.webhooks import Delivery, Status, WebhookEndpoint
from chalicelib.doors.addresses import ForbiddenAddress, check_url, pick
from chalicelib.doors.crypto import Sealer
from chalicelib.doors.queue import Queue
from chalicelib.doors.store import Store
from chalicelib.doors.table import LostRace
from chalicelib.doors.webhooks import WebhookRows, seal_secret
from chalicelib.engine.subscriptions import REMEMBERED_FOR
from chalicelib.engine.webhook_messages import ReplayMessage

LIMIT = 20  # endpoints of a stage, or of one organization: each event is a message for each
MAX_URL = 2048
# For so long after an endpoint was enabled some process may still go on without it.
UNHEARD = timedelta(seconds=REMEMBERED_FOR + 10)


@dataclass(frozen=True)
class Caller:
    """Who asks: the API key, for the record, and the organization it is bound to."""

    key_id: str
    organization_id: str | None = None


@dataclass(frozen=True)
class Change:
    """None = leave as it is."""

    url: str | None = None
    events: tuple[str, ...] | None = None
    status: Status | None = None


class Webhooks:
    def __init__(self, rows: WebhookRows, store: Store, sealer: Sealer, queue: Queue, allowed_private_hosts: Collection[str], clock: Callable[[], datetime]) -> None:
        self._rows, self._store, self._sealer, self._queue = rows, store, sealer, queue
        self._allowed_private_hosts, self._clock = allowed_private_hosts, clock

    def all(self, caller: Caller) -> list[WebhookEndpoint]:
        """Oldest first."""
        return [endpoint for endpoint in self._rows.all() if _is_for(endpoint, caller)]

    def get(self, endpoint_id: str, caller: Caller) -> WebhookEndpoint:
        """Raises NotFound, also for another organization's."""
        found = self._rows.get(endpoint_id) if 0 < len(endpoint_id) <= 64 else None
        if found is None or not _is_for(found, caller):
            raise NotFound("There is no such webhook endpoint.", "webhook_endpoint_not_found")
        return found

    def create(self, url: str, events: tuple[str, ...], caller: Caller) -> tuple[WebhookEndpoint, Secret]:
        """The endpoint and its secret. Raises Unprocessable, Conflict or Unavailable."""
        self._check(url)
        now = self._clock()
        own = [endpoint for endpoint in self._rows.all() if endpoint.organization_id == caller.organization_id]
        self._refuse_twin(url, own)
        if len(own) >= LIMIT:
            raise Conflict(f"There are {LIMIT} webhook endpoints already; delete one, or let one endpoint take more events.", "webhook_endpoint_limit_reached")
        endpoint_id, secret = f"webhook_endpoint_{ids.ulid(now)}", _new_secret()
        endpoint = WebhookEndpoint(
            id=endpoint_id, url=url, events=events, organization_id=caller.organization_id, sealed=seal_secret(self._sealer, endpoint_id, secret), last_four=secret.last_four(),
            created_at=now, updated_at=now,
        )  # fmt: skip
        self._rows.create(endpoint)
        self._note(now, caller, "created", endpoint, host=endpoint.host, events=list(events))
        return endpoint, secret

    def update(self, endpoint_id: str, change: Change, caller: Caller) -> WebhookEndpoint:
        """Raises NotFound, Unprocessable or Conflict."""
        before, now = self.get(endpoint_id, caller), self._clock()
        after = replace(before, updated_at=now, events=change.events or before.events)
        if change.url is not None and change.url != before.url:
            self._check(change.url)
            self._refuse_twin(change.url, [endpoint for endpoint in self._rows.all() if endpoint.organization_id == before.organization_id])
            after = replace(after, url=change.url, failing_since=None, failing_from=None)  # what the old receiver did says nothing of the new one
        if change.status == "disabled" and before.status == "enabled":
            after = replace(after, status="disabled", missed_since=_earliest(before.missed_since, before.failing_from, now))
        elif change.status == "enabled" and before.status == "disabled":
            after = replace(after, status="enabled", reason=None, paused_at=None, failing_since=None, failing_from=None)
        changed = self._change(before, after)
        self._note(now, caller, "updated", changed, host=changed.host, events=list(changed.events), status=changed.status)
        return changed

    def _refuse_twin(self, url: str, own: list[WebhookEndpoint]) -> None:
        """Two endpoints of one address would get everything twice."""
        if any(endpoint.url == url for endpoint in own):
            raise Conflict("There is a webhook endpoint of this URL already; change that one with PATCH.", "duplicate_endpoint")

    def delete(self, endpoint_id: str, caller: Caller) -> None:
        """Nothing more is sent to it; what waits for it is dropped. Raises NotFound."""
        endpoint = self.get(endpoint_id, caller)
        self._rows.delete(endpoint.id)
        self._note(self._clock(), caller, "deleted", endpoint, host=endpoint.host)

    def rotate_secret(self, endpoint_id: str, caller: Caller) -> tuple[WebhookEndpoint, Secret]:
        """The next call is signed with the new secret, and none with the old one any more. Raises NotFound, Conflict or Unavailable."""
        before, now, secret = self.get(endpoint_id, caller), self._clock(), _new_secret()
        changed = self._change(before, replace(before, sealed=seal_secret(self._sealer, before.id, secret), last_four=secret.last_four(), updated_at=now))
        self._note(now, caller, "secret_rotated", changed)
        return changed, secret

    def replay(self, endpoint_id: str, after: str | None, caller: Caller) -> tuple[str, datetime]:
        """Everything that was told after that event, or since the endpoint missed the first, is sent again: from where, and until which time.

        Raises NotFound, Conflict while it is disabled, Unprocessable if there is nothing to begin with, Unavailable.
        """
        endpoint, now = self.get(endpoint_id, caller), self._clock()
        if endpoint.status == "disabled":
            raise Conflict("The webhook endpoint is disabled; enable it first.", "webhook_endpoint_disabled")
        if after is None:
            if endpoint.missed_since is None:
                raise Unprocessable("Nothing is known to be missed. Send 'after' with the id of the last event that arrived.", "nothing_missed")
            after = first_id(endpoint.missed_since)
        # Whoever remembers it as disabled does not send to it yet, so the replay does.
        until = max(now, endpoint.updated_at + UNHEARD)
        self._queue.send(ReplayMessage(endpoint.id, after, first_id(until)).body())
        self._rows.forget_missed(endpoint)
        self._note(now, caller, "replayed", endpoint, after=after)
        return after, until

    def deliveries(self, endpoint_id: str, caller: Caller, *, limit: int, after: str | None) -> tuple[list[Delivery], bool]:
        """Newest first, those older than `after`, and whether there are more. Raises NotFound."""
        endpoint = self.get(endpoint_id, caller)
        found = list(islice(self._rows.deliveries(endpoint.id, after, limit + 1), limit + 1))
        return found[:limit], len(found) > limit

    def _check(self, url: str) -> None:
        """What can be said without asking a name server; every call looks again, at every address."""
        try:
            if len(url) > MAX_URL or "#" in url:
                raise ForbiddenAddress("not a valid URL")
            host, port, listed = check_url(url, self._allowed_private_hosts)
            if _is_address(host):
                pick(host, port, listed, lambda address, _port: [address])
        except ForbiddenAddress as error:
            problem = "must be an https URL with a public host, without user name or fragment"
            raise Unprocessable(f"'endpoint_url' {problem}: {error}.", "invalid_endpoint_url", errors=[{"field": "endpoint_url", "code": "invalid"}]) from None

    def _change(self, before: WebhookEndpoint, after: WebhookEndpoint) -> WebhookEndpoint:
        try:
            return self._rows.change(before, after)
        except LostRace as race:
            if race.item is None:
                raise NotFound("There is no such webhook endpoint.", "webhook_endpoint_not_found") from None
            raise Conflict("The webhook endpoint was changed at the same moment; read it again and repeat.", "concurrent_update") from None

    def _note(self, now: datetime, caller: Caller, what: str, endpoint: WebhookEndpoint, **facts: Any) -> None:
        self._store.audit(now, caller.key_id, f"webhook_endpoint.{what}", {"id": endpoint.id, **facts})


def _new_secret() -> Secret:
    return Secret(f"whsec_{ids.random_token()}")


def _is_for(endpoint: WebhookEndpoint, caller: Caller) -> bool:
    return caller.organization_id is None or endpoint.organization_id == caller.organization_id


def _earliest(*times: datetime | None) -> datetime:
    return min(at for at in times if at is not None)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
