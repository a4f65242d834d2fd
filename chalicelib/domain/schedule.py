"""When to refresh: pure arithmetic over a connection and the clock. Every number carries its reason."""

import random
from datetime import datetime, timedelta

from chalicelib.domain.models import Connection

MINIMUM_TTL = timedelta(seconds=60)  # what a fetch wants unless it says otherwise: one slow API call
MARGIN_FLOOR = timedelta(minutes=5)  # two sweeps, a provider's short outage, and clock skew
MARGIN_RATIO = 0.2
SWEEP_INTERVAL = timedelta(minutes=1)
IDLE_RATIO = 0.75  # keep-alive at three quarters of a refresh token's idle limit leaves a quarter for outages
SHARDS = 16
# Quick at first (most failures are seconds long), then slow enough to leave a provider in peace for days. In seconds.
BACK_OFF = (60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 21600)


def margin(token_life: int) -> timedelta:
    """How long before its end a token counts as old: a fifth of its life, at least five minutes, never more than half."""
    life = timedelta(seconds=token_life)
    return min(max(MARGIN_FLOOR, life * MARGIN_RATIO), life / 2)


def refresh_due_at(connection: Connection, *, idle_limit: int = 0, now: datetime, jitter: float | None = None) -> datetime | None:
    """When the sweep should refresh this connection, or None if it never has to.

    `idle_limit`: seconds a refresh token may lie unused at its provider, 0 = unlimited. `jitter` 0..1 spreads
    connections made in the same minute over a tenth of their margin.
    """
    if connection.state != "connected" or not connection.refreshable:
        return None
    if connection.failures:
        return connection.retry_at
    candidates: list[datetime] = []
    if connection.expires_at and timedelta(seconds=connection.token_life) > 2 * SWEEP_INTERVAL:
        early = margin(connection.token_life)
        spread = early * 0.1 * (random.random() if jitter is None else jitter)
        candidates.append(connection.expires_at - early - spread)
    if idle_limit:
        candidates.append((connection.refreshed_at or connection.connected_at or now) + timedelta(seconds=idle_limit) * IDLE_RATIO)
    return max(now, min(candidates)) if candidates else None


def back_off(failures: int, *, retry_after: int | None = None, jitter: float | None = None) -> timedelta:
    """How long to wait after the `failures`-th failure in a row; a provider's Retry-After (seconds) can only make it longer, up to the last step."""
    seconds: float = BACK_OFF[min(failures, len(BACK_OFF)) - 1]
    seconds *= 1 + 0.2 * (random.random() if jitter is None else jitter)
    return timedelta(seconds=max(seconds, min(retry_after or 0, BACK_OFF[-1])))
