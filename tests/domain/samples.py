"""One of everything, with times that are easy to reckon with: NOW is noon, tokens live an hour."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from chalicelib.domain.models import Connection, Pending
from chalicelib.domain.secret import Secret
from chalicelib.domain.stored import read
from chalicelib.domain.tokens import TokenAnswer, TokenSet

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
# Found anywhere it should not be, this text is a leak.
CANARY = "canary-Zx81"


def connection(**changes: Any) -> Connection:
    """A healthy connection, made two hours ago, refreshed one hour ago, with an hour to live."""
    return read(
        Connection,
        {
            "id": "data_installation_01",
            "user_id": "user_1",
            "organization_id": "org_1",
            "slug": "acme",
            "registration_id": "data_integration_01",
            "live_registration_id": "data_integration_01",
            "state": "connected",
            "generation": 3,
            "sealed": b"blob-3",
            "refreshable": True,
            "scopes_requested": ("read", "write"),
            "scopes_granted": ("read",),
            "expires_at": NOW + HOUR,
            "token_life": 7200,
            "external_account_id": "acct_9",
            "external_name": "Alice",
            "external_team": "T1",
            "config": {"tenant": "north"},
            "metadata": {"instance": "eu1"},
            "display_name": "Work",
            "created_at": NOW - 2 * HOUR,
            "updated_at": NOW - HOUR,
            "connected_at": NOW - 2 * HOUR,
            "refreshed_at": NOW - HOUR,
            "last_used_at": NOW - HOUR,
            **changes,
        },
    )


def pending(**changes: Any) -> Pending:
    return read(
        Pending,
        {
            "id": "pending_1",
            "handle_digest": "h",
            "state_digest": "s",
            "sealed": b"sealed-pending",
            "user_id": "user_1",
            "organization_id": "org_1",
            "slug": "acme",
            "registration_id": "data_integration_02",
            "authority": "own",
            "fingerprint": "f",
            "client_id": "client",
            "scopes": ("read", "admin"),
            "config": {"tenant": "south"},
            "created_at": NOW - timedelta(minutes=1),
            "expires_at": NOW + timedelta(minutes=9),
            "ttl": 1,
            **changes,
        },
    )


def answer(refresh_token: str | None = "rt-new", life: int = 3600, **changes: Any) -> TokenAnswer:
    tokens = TokenSet(Secret("at-new"), Secret(refresh_token) if refresh_token else None)
    return TokenAnswer(tokens=tokens, expires_at=NOW + timedelta(seconds=life) if life else None, token_life=life, **changes)


def any_connected() -> st.SearchStrategy[Connection]:
    """Connected ones of every kind: times from years ago to years ahead of NOW, near each other or not, and limits of all sorts."""
    around = st.timedeltas(-timedelta(days=400), timedelta(days=400)) | st.timedeltas(-timedelta(minutes=10), timedelta(minutes=10)) | st.just(timedelta())
    times = around.map(lambda off: NOW + off)
    past = times.map(lambda at: min(at, NOW))
    return st.builds(
        connection,
        refreshable=st.booleans(),
        expires_at=st.none() | times,
        token_life=st.integers(1, 10 * 365 * 86400) | st.integers(1, 600),
        refresh_expires_at=st.none() | times,
        refresh_limit_fixed=st.booleans(),
        grant_expires_at=st.none() | times,
        announced_end=st.none() | times,
        failures=st.integers(0, 3),
        retry_at=times,
        last_used_at=st.none() | past,
        connected_at=past,
        created_at=past,
        refreshed_at=st.none() | past,
        refresh_due_at=past,
    )
