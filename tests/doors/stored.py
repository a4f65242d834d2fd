"""Rows in a real table, and what may happen to them."""

from datetime import timedelta
from typing import Any

from chalicelib.domain import lifecycle
from chalicelib.domain.models import ClientSecret, Connection, Owner, Registration
from chalicelib.domain.schedule import Policy
from chalicelib.doors.store import Store
from tests.domain.samples import NOW, answer, connection

LEASE = timedelta(seconds=45)
OWNER = Owner(user_id="user_1", organization_id="org_1")
REGISTRATION = Registration(id="data_integration_01", slug="acme", client_secrets=(ClientSecret(sealed=b"x", last_four="abcd", created_at=NOW),), scopes=(), created_at=NOW, updated_at=NOW)


def saved(store: Store, **changes: Any) -> Connection:
    """A connection in the table, as a first connect leaves it and `changes` make it."""
    made = connection(**changes)
    store.commit(lifecycle.Transition(None, made))
    found = store.connection(OWNER, "acme")
    assert found is not None
    return found


def now_in(store: Store) -> Connection:
    found = store.connection(OWNER, "acme")
    assert found is not None
    return found


def refreshed(before: Connection) -> lifecycle.Transition:
    return lifecycle.refreshed(before, answer(), b"blob-4", policy=Policy(), now=NOW)


def refused(before: Connection) -> lifecycle.Transition:
    return lifecycle.refused(before, "refused", "invalid_grant", NOW)
