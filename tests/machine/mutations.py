"""Small mistakes in the protocol, each one that somebody made in earnest elsewhere. The machine has to find every one of them.

Rule: a mutation changes one thing, through `pytest.MonkeyPatch`, and the rest of the vault does not know.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.errors import GrantRefused
from chalicelib.doors import verdicts
from chalicelib.doors.oauth import OAuth
from chalicelib.doors.store import Store
from chalicelib.doors.table import Table
from chalicelib.engine.keeping import Keeping
from chalicelib.engine.outbox import Outbox
from chalicelib.engine.tokens import Tokens

Mutation = Callable[[pytest.MonkeyPatch], None]
ANYWAY = "attribute_exists(pk) OR attribute_not_exists(pk)"


class _Unfenced:
    """A table that writes whatever the condition was."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def update(self, key: Any, sets: Any, **given: Any) -> Any:
        return self._table.update(key, sets, **{**given, "condition": ANYWAY, "values": {}})

    def update_with_rows(self, key: Any, sets: Any, **given: Any) -> None:
        self._table.update_with_rows(key, sets, **{**given, "condition": ANYWAY, "values": {}})


def a_store_without_a_fence(patch: pytest.MonkeyPatch) -> None:
    commit = Store.commit

    def unfenced(self: Any, transition: Any, **given: Any) -> None:
        commit(Store(_Unfenced(self._table), self._due_shards), transition, **given)  # type: ignore[arg-type]

    patch.setattr(Store, "commit", unfenced)


def a_lease_that_nobody_sees(patch: pytest.MonkeyPatch) -> None:
    lease = Store.lease

    def unseen(self: Any, connection: Any, holder: str, until: Any, now: Any, **given: Any) -> Any:
        return lease(self, connection, holder, now - timedelta(seconds=1), now, **given)

    patch.setattr(Store, "lease", unseen)


def a_refused_client_is_a_dead_grant(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(verdicts._CLASSES, "registration", GrantRefused)


def the_old_refresh_token_is_kept(patch: pytest.MonkeyPatch) -> None:
    refresh = OAuth.refresh

    def mutated(self: Any, provider: Any, credentials: Any, tokens: Any, now: Any) -> Any:
        answer = refresh(self, provider, credentials, tokens, now)
        return replace(answer, tokens=replace(answer.tokens, refresh_token=tokens.refresh_token))

    patch.setattr(OAuth, "refresh", mutated)


def a_rescue_that_is_not_sent(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Keeping, "rescue", lambda self, renewed: True)


def an_event_forgotten_before_it_is_published(patch: pytest.MonkeyPatch) -> None:
    publish = Outbox._publish

    def mutated(self: Any, event: Any) -> None:
        self._rows.published(event)
        publish(self, event)

    patch.setattr(Outbox, "_publish", mutated)


def a_stored_token_returned_whatever_its_age(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Tokens, "_old_or", lambda self, connection, rejected, error: self._live(connection))


def a_token_in_the_journal(patch: pytest.MonkeyPatch) -> None:
    refresh = OAuth.refresh

    def mutated(self: Any, provider: Any, credentials: Any, tokens: Any, now: Any) -> Any:
        answer = refresh(self, provider, credentials, tokens, now)
        print(f"refreshed: {answer.tokens.access_token.reveal()}")
        return answer

    patch.setattr(OAuth, "refresh", mutated)


# Each with the promise that it breaks, or may break first.
MUTATIONS: dict[Mutation, str] = {
    a_store_without_a_fence: "",
    a_lease_that_nobody_sees: "I2",
    a_refused_client_is_a_dead_grant: "I1",
    the_old_refresh_token_is_kept: "I2",
    a_rescue_that_is_not_sent: "",
    an_event_forgotten_before_it_is_published: "I4",
    a_stored_token_returned_whatever_its_age: "I3",
    a_token_in_the_journal: "I5",
}
