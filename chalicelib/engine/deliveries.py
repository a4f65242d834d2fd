"""Deliveries: an endpoint called with an event, again and again for three days until it says 2xx, and paused when it never does.

What is here is at least once: a message is gone only when the endpoint answered, or the next try is queued.
"""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Literal

from chalicelib.domain import ids
from chalicelib.domain.events import Event, first_id, told_at
from chalicelib.domain.webhooks import Delivery, WebhookEndpoint, next_try, of_pause, pause_of, seconds_until
from chalicelib.doors import journal
from chalicelib.doors.crypto import Sealer
from chalicelib.doors.event_log import EventLog
from chalicelib.doors.outbox import OutboxRows
from chalicelib.doors.queue import BATCH, Queue
from chalicelib.doors.webhook_calls import Called, WebhookCaller
from chalicelib.doors.webhooks import WebhookRows, open_secret
from chalicelib.engine.event_pages import SETTLE
from chalicelib.engine.outbox import Outbox
from chalicelib.engine.webhook_messages import LONGEST_DELAY, EventMessage, ReplayMessage, first_try, read

Done = Literal["delivered", "failed", "given_up", "put_off", "dropped", "replayed"]
EARLY = 1.0  # seconds: a queue is not that exact, and a call a moment early harms nobody
REPLAY_ENDS_IN = 15.0  # seconds of the function's time left when a replay hands on to the next message


class Deliveries:
    """`monotonic` measures a call; `chance` spreads the next tries."""

    def __init__(
        self,
        rows: WebhookRows,
        caller: WebhookCaller,
        sealer: Sealer,
        kept: OutboxRows,
        log: EventLog,
        queue: Queue,
        outbox: Outbox,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._rows, self._caller, self._sealer, self._kept, self._log = rows, caller, sealer, kept, log
        self._queue, self._outbox, self._clock, self._monotonic, self._chance = queue, outbox, clock, monotonic, chance

    def handle(self, message: Any, seconds_left: Callable[[], float]) -> Done:
        """What became of the message. Raises Unavailable, IntegrityError or UnknownMessage: the queue brings it again."""
        asked = read(message)
        return self._replay(asked, seconds_left) if isinstance(asked, ReplayMessage) else self._deliver(asked)

    def _deliver(self, asked: EventMessage) -> Done:
        now = self._clock()
        if asked.not_before is not None and asked.not_before > now + timedelta(seconds=EARLY):
            self._send_later(asked, asked.not_before, now)
            return "put_off"
        endpoint = self._rows.get(asked.endpoint)
        if endpoint is None:
            return "dropped"
        if endpoint.status == "disabled":
            self._rows.note_missed(endpoint.id, told_at(asked.event_id))
            return "dropped"
        event = self._kept.kept(asked.event_id, asked.subject)
        if event is None or not endpoint.wants(event):
            return "dropped"  # older than the log, or not wanted any more
        began = self._monotonic()
        called = self._caller.call(endpoint, open_secret(self._sealer, endpoint), event, now)
        milliseconds = round((self._monotonic() - began) * 1000)
        if called.error is None:
            if endpoint.failing_since is not None:
                self._rows.note_success(endpoint.id)
            self._record(endpoint, event, asked, "delivered", called, milliseconds, None)
            return "delivered"
        return self._failed(endpoint, event, asked, called, milliseconds)

    def _failed(self, endpoint: WebhookEndpoint, event: Event, asked: EventMessage, called: Called, milliseconds: int) -> Done:
        now, told = self._clock(), told_at(event.id)
        reason = pause_of(endpoint, called.status, now)
        if reason is not None:
            missed = min(at for at in (endpoint.missed_since, endpoint.failing_from, told) if at is not None)
            paused = of_pause(endpoint, reason, called.error or "", now)
            if self._rows.pause(endpoint, paused, reason, missed, now):
                journal.count("webhook_paused", now, reason, endpoint=endpoint.id, host=endpoint.host, last_error=called.error)
                self._record(endpoint, event, asked, "given_up", called, milliseconds, None)
                self._outbox.publish([paused])
                return "given_up"
            # Somebody changed it meanwhile: the next try finds out what is so now.
        elif endpoint.failing_since is None:
            self._rows.note_failure(endpoint.id, now, told)
        next_at = next_try(asked.attempt, now, called.retry_after, self._chance())
        if next_at is not None:
            self._send_later(EventMessage(asked.endpoint, asked.event_id, asked.subject, asked.attempt + 1, next_at), next_at, now)
        outcome: Literal["failed", "given_up"] = "given_up" if next_at is None else "failed"
        self._record(endpoint, event, asked, outcome, called, milliseconds, next_at)
        return outcome

    def _send_later(self, message: EventMessage, at: datetime, now: datetime) -> None:
        self._queue.send(message.body(), delay=min(LONGEST_DELAY, seconds_until(at, now)))

    def _record(
        self, endpoint: WebhookEndpoint, event: Event, asked: EventMessage, outcome: Literal["delivered", "failed", "given_up"], called: Called, milliseconds: int, next_at: datetime | None
    ) -> None:
        now = self._clock()
        journal.count(
            "webhook", now, outcome, endpoint=endpoint.id, id=event.id, type=event.event, attempt=asked.attempt, status=called.status, error=called.error, milliseconds=milliseconds
        )  # fmt: skip
        self._rows.record(
            Delivery(
                id=f"webhook_delivery_{ids.ulid(now)}",
                endpoint_id=endpoint.id,
                event_id=event.id,
                event=event.event,
                attempt=asked.attempt,
                outcome=outcome,
                status=called.status,
                error=called.error,
                milliseconds=milliseconds,
                at=now,
                next_at=next_at,
            )
        )

    def _replay(self, asked: ReplayMessage, seconds_left: Callable[[], float]) -> Done:
        """Sends the stretch, as far as its events have settled and time allows, and hands the rest on."""
        endpoint = self._rows.get(asked.endpoint)
        if endpoint is None:
            return "dropped"
        if endpoint.status == "disabled":
            self._rows.note_missed(endpoint.id, ids.time_of(asked.after.removeprefix("event_")))
            return "dropped"
        now = self._clock()
        settled = first_id(now - SETTLE)
        reached, sent, batch = asked.after, 0, list[dict[str, Any]]()
        for event in self._log.between(asked.after, min(asked.until, settled)):
            if seconds_left() < REPLAY_ENDS_IN:
                break
            reached = event.id
            if endpoint.wants(event):
                batch.append(first_try(endpoint.id, event))
            if len(batch) == BATCH:
                self._queue.send(*batch)
                sent, batch = sent + len(batch), []
        else:
            reached = max(reached, min(asked.until, settled))
        if batch:
            self._queue.send(*batch)
        journal.write("webhook_replay", endpoint=endpoint.id, sent=sent + len(batch), reached=reached)
        if reached < asked.until:
            wait = 0 if seconds_left() < REPLAY_ENDS_IN else seconds_until(ids.time_of(asked.until.removeprefix("event_")) + SETTLE, now) + 1
            self._queue.send(ReplayMessage(asked.endpoint, reached, asked.until).body(), delay=min(LONGEST_DELAY, wait))
        return "replayed"
