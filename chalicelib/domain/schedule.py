"""When something has to be done to a connection, and what: pure arithmetic over it and the clock. Every number carries its reason."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.domain.models import Connection

Task = Literal["refresh", "announce", "end", "rest"]

MINIMUM_TTL = timedelta(seconds=60)  # what a fetch wants unless it says otherwise: one slow API call
MARGIN_FLOOR = timedelta(minutes=5)  # two sweeps, a provider's short outage, and clock skew
MARGIN_RATIO = 0.2
SWEEP_INTERVAL = timedelta(minutes=1)
KEEP_ALIVE_RATIO = 0.75  # keep-alive at three quarters of a refresh token's limit leaves a quarter for outages
ANNOUNCE_RATIO = 0.25
ANNOUNCE_AT_MOST = timedelta(days=7)  # a person is reminded in time to act, and not so early that it is forgotten
DEGRADED_AFTER = timedelta(hours=72)
# Quick at first (most failures are seconds long), then slow enough to leave a provider in peace for days. In seconds.
BACK_OFF = (60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 21600)


@dataclass(frozen=True)
class Policy:
    """What the provider's file and the stage's settings say about a connection's time."""

    refresh_token_idle: int = 0
    """Seconds a refresh token may lie unused at its provider, 0 = unlimited."""
    idle_after: timedelta | None = None
    """A connection nobody fetched for this long is kept alive only; None = every connection counts as used."""


def margin(token_life: int) -> timedelta:
    """How long before its end a token counts as old: a fifth of its life, at least five minutes, never more than half."""
    life = timedelta(seconds=token_life)
    return min(max(MARGIN_FLOOR, life * MARGIN_RATIO), life / 2)


def is_idle(connection: Connection, policy: Policy, now: datetime) -> bool:
    """Whether nobody has fetched it for so long that only its refresh token is worth keeping fresh."""
    used = max(filter(None, (connection.last_used_at, connection.connected_at, connection.created_at)))
    return policy.idle_after is not None and used + policy.idle_after <= now


def keep_alive_at(connection: Connection, policy: Policy) -> datetime | None:
    """When the refresh token has to be used so that it does not die of disuse or of age; None = it does neither."""
    since = connection.refreshed_at or connection.connected_at or connection.created_at
    candidates = []
    if policy.refresh_token_idle:
        candidates.append(since + timedelta(seconds=policy.refresh_token_idle) * KEEP_ALIVE_RATIO)
    if connection.refresh_expires_at and not connection.refresh_limit_fixed:
        candidates.append(since + (connection.refresh_expires_at - since) * KEEP_ALIVE_RATIO)
    return min(candidates, default=None)


def announce_at(connection: Connection) -> datetime | None:
    """When the end that a known limit sets is to be announced: a quarter of the whole time before it, at most a week. None = no end, or it was."""
    end = connection.reauthorization_expected_at
    if end is None or end == connection.announced_end:
        return None
    whole = end - (connection.connected_at or connection.created_at)
    return end - min(ANNOUNCE_AT_MOST, max(whole, timedelta()) * ANNOUNCE_RATIO)


def next_due(connection: Connection, policy: Policy, now: datetime, *, jitter: float | None = None, unchanged: bool = False) -> datetime | None:
    """When the sweep has to look at this connection, or None if it never has to.

    `jitter` 0..1 spreads connections made in the same minute over a tenth of their margin. `unchanged`: the provider answered a refresh
    with the same token, as some do until it ends, so asking before that is of no use.
    """
    if connection.state != "connected" or connection.handed_over_at is not None:
        return None
    candidates = [announce_at(connection)]
    if not connection.refreshable:
        candidates.append(connection.expires_at)
    elif connection.failures:
        candidates.append(connection.retry_at)
    else:
        candidates.append(keep_alive_at(connection, policy))
        if connection.expires_at and not is_idle(connection, policy, now):
            if unchanged:
                candidates.append(connection.expires_at)
            elif timedelta(seconds=connection.token_life) > 2 * SWEEP_INTERVAL:
                early = margin(connection.token_life)
                spread = early * 0.1 * (random.random() if jitter is None else jitter)
                candidates.append(connection.expires_at - early - spread)
    return max(now, min(known)) if (known := [at for at in candidates if at]) else None


def task(connection: Connection, policy: Policy, now: datetime) -> Task | None:
    """What is to be done to a connection now; None = nothing, the index was behind.

    rest: its time came, but there is nothing to do yet, so it is only given its next time.
    """
    if connection.state != "connected" or connection.refresh_due_at is None or connection.refresh_due_at > now:
        return None
    announced = announce_at(connection)
    if announced is not None and announced <= now:
        return "announce"
    if not connection.refreshable:
        return "rest" if connection.lives(now) else "end"
    keep_alive = keep_alive_at(connection, policy)
    if not connection.failures and is_idle(connection, policy, now) and (keep_alive is None or keep_alive > now):
        return "rest"
    return "refresh"


def back_off(failures: int, *, retry_after: int | None = None, jitter: float | None = None) -> timedelta:
    """How long to wait after the `failures`-th failure in a row; a provider's Retry-After (seconds) can only make it longer, up to the last step."""
    seconds: float = BACK_OFF[min(failures, len(BACK_OFF)) - 1]
    seconds *= 1 + 0.2 * (random.random() if jitter is None else jitter)
    return timedelta(seconds=max(seconds, min(retry_after or 0, BACK_OFF[-1])))
