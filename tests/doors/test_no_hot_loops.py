"""Answers and races after which a connection would be due at once for ever, and the one shape of an event whoever publishes it."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain import lifecycle
from chalicelib.domain.events import envelope
from chalicelib.domain.models import Connection
from chalicelib.domain.schedule import Policy
from chalicelib.domain.secret import Secret
from chalicelib.domain.tokens import AdditionalToken, TokenSet
from chalicelib.doors.oauth import Credentials
from tests.cloud import Stage
from tests.domain.samples import HOUR, NOW, answer, connection
from tests.doors.peer import peer
from tests.doors.rows import provider
from tests.doors.stored import now_in, refused, saved

CLIENT = Credentials("client", Secret("s3cret"))
SECOND: dict[str, tuple[int, Any]] = {
    "lives a twelfth of the first": (200, {"access_token": "u2", "refresh_token": "u-r2", "expires_in": 3600}),
    "cannot be refreshed now": (503, {}),
}


@pytest.mark.parametrize("second", SECOND.values(), ids=SECOND)
def test_two_tokens_of_one_grant_that_end_apart(second: tuple[int, Any]) -> None:
    two = TokenSet(Secret("bot"), Secret("bot-r"), {"user": AdditionalToken(Secret("u"), Secret("u-r"), NOW + HOUR)})
    with peer((200, {"access_token": "bot-2", "refresh_token": "bot-r2", "expires_in": 43200}), second) as there:
        given = there.oauth.refresh(provider(there.origin), CLIENT, two, NOW)

    after = lifecycle.refreshed(connection(), given, b"x", policy=Policy(), now=NOW).after
    assert after.refresh_due_at is not None and after.expires_at is not None and NOW < after.refresh_due_at < after.expires_at <= NOW + HOUR


def test_a_new_refresh_token_whose_end_is_not_told_does_not_inherit_one_that_is_past() -> None:
    before = connection(refresh_expires_at=NOW - HOUR, refreshed_at=NOW - 2 * HOUR)

    after: Connection = lifecycle.refreshed(before, answer(rotated=True), b"x", policy=Policy(), now=NOW).after
    assert after.refresh_due_at is not None and after.refresh_due_at > NOW + timedelta(minutes=10)


def test_a_fetch_that_notes_its_use_late_puts_nothing_into_the_index_that_needs_a_person(stage: Stage) -> None:
    engine = stage.engine()
    before = saved(engine.store)
    engine.store.commit(refused(before))
    engine.store.touch(before, NOW, NOW + HOUR)

    assert [due for shard in range(16) for due in engine.agenda.due(shard, NOW + 2 * HOUR)] == []
    assert now_in(engine.store).refresh_due_at is None


def test_an_event_is_the_same_text_whoever_publishes_it(stage: Stage) -> None:
    """WorkOS's clients want every key there, also of a person without an organization."""
    engine = stage.engine()
    transition = refused(saved(engine.store, display_name=None, external_name=None))
    engine.store.commit(transition)

    (at_once,), (kept,) = transition.events, engine.outbox_rows.log("data_installation_01")
    assert envelope(kept) == envelope(at_once)


DAMAGED = {
    "an event": {"pk": "outbox#1", "sk": "event_1", "id": "event_1"},
    "an event whose data is none": {"pk": "outbox#1", "sk": "event_1", "id": "event_1", "data": "x", "nulls": ["y"]},
    "a circuit": {"pk": "circuits", "sk": "acme", "slug": "acme", "failures": "many"},
    "how far the sweep got": {"pk": "clockwork", "sk": "sweep", "swept_until": "junk"},
}


@pytest.mark.parametrize("row", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_row_does_not_stop_the_clock(stage: Stage, row: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    engine = stage.engine()
    saved(engine.store, refresh_due_at=NOW)
    key = {"pk": row["pk"], "sk": row["sk"]}
    engine.table.put(key, {name: value for name, value in row.items() if name not in key})

    swept = engine.sweep.run(lambda: 50.0)
    assert swept.sent == 1 and swept.drained.left == 0
    assert "damaged_row" in capsys.readouterr().out
