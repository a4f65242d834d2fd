"""`python -m ops refresh …`: what the clock will do, for whom and when; and one refresh now, done by the stage's own worker.

The operator's credentials read the table and send to the refresh queue; they open nothing.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from chalicelib.domain.models import Connection, Owner
from chalicelib.doors import keys as table_keys
from chalicelib.doors.agenda import Due
from chalicelib.engine.messages import RefreshMessage
from chalicelib.wiring import Engine
from ops.errors import StepFailed
from ops.keys import _engine

WAIT = 60.0  # seconds for a worker to begin and end
STEPS = (timedelta(), timedelta(minutes=5), timedelta(hours=1), timedelta(hours=6), timedelta(days=1), timedelta(days=7))


def plan(environ: Mapping[str, str], *, within: timedelta, provider: str | None, limit: int, say: Callable[[str], None] = print) -> int:
    """Says how many connections are due by when, and the first of them one by one. Returns how many there are."""
    engine, now = _engine(environ), datetime.now(UTC)
    found = [due for shard in range(engine.agenda.shards) for due in engine.agenda.due(shard, now + within) if provider in (None, due.slug)]
    found.sort(key=lambda due: due.since)
    say(f"{len(found)} due within {_span(within)}" + (f" at {provider}" if provider else ""))
    for upto, count in _by_step(found, now).items():
        say(f"  {upto:<16}{count}")
    for slug, count in Counter(due.slug for due in found).most_common():
        say(f"  {slug:<16}{count}")
    if found:
        say(f"\n{'when':<22}{'provider':<14}{'what':<10}{'connection':<44}for whom")
    for due in found[:limit]:
        connection = engine.store.connection_at(due.key)
        if connection is not None:
            say(f"{due.since:%Y-%m-%d %H:%M:%S}   {due.slug:<14}{_what(connection, now):<10}{connection.id:<44}{connection.user_id or '-'} {connection.organization_id or ''}".rstrip())
    if len(found) > limit:
        say(f"… and {len(found) - limit} more (--limit)")
    return len(found)


def now(environ: Mapping[str, str], owner: Owner, provider: str, *, say: Callable[[str], None] = print) -> Connection:
    """Has a worker refresh one connection, due or not, and waits for what becomes of it. Raises StepFailed."""
    engine = _engine(environ)
    before = engine.store.connection(owner, provider)
    step = f"Refreshing {provider} of {owner.user_id or owner.organization_id}"
    if before is None or before.state == "disconnected":
        raise StepFailed(step, "there is no such connection", "Look it up with 'refresh plan', or by GET /user_management/users/{user_id}/data_providers.")
    if before.state != "connected":
        raise StepFailed(step, f"it is {before.state} ({before.reason}): no refresh brings that back", "Its user has to connect again.")
    if before.handed_over_at is not None:
        raise StepFailed(step, f"its grant was handed over at {before.handed_over_at:%Y-%m-%d %H:%M} UTC", "The system that has it refreshes it. To take it back: python -m ops take-over.")
    if not before.refreshable:
        raise StepFailed(step, "the provider gave no refresh token", "Nothing can be refreshed; the token is served until it ends.")
    key = table_keys.connection(owner, provider)
    engine.queue(engine.settings.refresh_queue_url).send(RefreshMessage(provider, (key,), before.generation).body())
    say("sent to the workers …")
    until = time.monotonic() + WAIT
    while time.monotonic() < until:
        after = engine.store.connection(owner, provider)
        if after is not None and (after.generation, after.state, after.failures) != (before.generation, before.state, before.failures):
            if after.failures > before.failures:
                raise StepFailed(step, f"the provider did not give new tokens ({after.last_error})", f"The connection is kept and tried again at {after.retry_at:%H:%M:%S} UTC.")
            say(f"generation {after.generation}, {after.state}" + (f", good until {after.expires_at:%Y-%m-%d %H:%M:%S} UTC" if after.expires_at else ""))
            return after
        time.sleep(0.2)
    raise StepFailed(step, f"no worker has done it within {WAIT:.0f} seconds", "Look at it with 'python -m ops doctor': the queue's trigger, the provider's circuit, the workers' log.")


def sweep(engine: Engine) -> str:
    """What the stage's own sweep would send, sent now."""
    swept = engine.sweep.run(lambda: 50.0)
    return f"{swept.due} due, {swept.sent} messages sent, {swept.drained.published} events published"


def sweep_now(environ: Mapping[str, str], *, say: Callable[[str], None] = print) -> None:
    say(sweep(_engine(environ)))


def _by_step(found: list[Due], now: datetime) -> dict[str, int]:
    counted: Counter[str] = Counter()
    for due in found:
        step = next((step for step in STEPS if due.since <= now + step), None)
        counted["later" if step is None else "now" if not step else f"within {_span(step)}"] += 1
    return dict(counted)


def _what(connection: Connection, now: datetime) -> str:
    if not connection.refreshable:
        return "end"
    return "retry" if connection.failures else "refresh"


def _span(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours / 24:g} d" if hours >= 24 else f"{hours:g} h" if hours >= 1 else f"{hours * 60:g} min"
