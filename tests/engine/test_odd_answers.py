"""Answers that are odd but whole, and releases that run side by side."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.errors import Unavailable
from chalicelib.doors import keys
from chalicelib.engine.tokens import Live
from tests.engine.deliveries import sweep_and_work
from tests.engine.scenes import EXPIRED, SLUG, Scene, new_owner, told
from tests.peers import faults

HOUR = 3600
# What the provider says of its token's life -> seconds it is taken for, None = it does not expire.
LIVES: dict[str, tuple[Any, float | None]] = {
    "absent": ("absent", None),
    "text": ("3600", HOUR),
    "a fraction": (3600.7, HOUR),
    "zero": (0, None),
    "negative": (-1, None),
    "null": (None, None),
    "absurd": (1e12, 10 * 365 * 86400),
    "no number": ("abc", None),
}


def with_life(value: Any) -> faults.Fault:
    def change(fields: dict[str, Any]) -> dict[str, Any]:
        fields.pop("expires_in", None)
        return fields if value == "absent" else {**fields, "expires_in": value}

    return faults.rewrite(change)


@pytest.mark.parametrize(("said", "life"), LIVES.values(), ids=LIVES)
def test_case_32_whatever_is_said_of_a_tokens_life_it_is_not_asked_for_again_at_once(strict: Scene, said: Any, life: float | None) -> None:
    owner = new_owner()
    strict.connected(owner)
    strict.fault(with_life(said))
    engine = strict.process(EXPIRED)
    live = engine.fetch(owner)
    assert isinstance(live, Live) and strict.works(live)
    row = engine.row(owner)
    if life is None:
        assert row.expires_at is None and row.refresh_due_at is None
    else:
        assert row.expires_at and row.refresh_due_at and abs((row.expires_at - engine.now()).total_seconds() - life) < 5
        assert row.refresh_due_at > engine.now() + timedelta(minutes=30)
    for _ in range(3):
        assert sweep_and_work(engine) == {} and isinstance(engine.fetch(owner), Live)
    assert strict.posts() == 1


def test_a_token_too_short_lived_for_the_sweep_is_refreshed_by_the_fetch(strict: Scene) -> None:
    owner = new_owner()
    strict.connected(owner)
    strict.fault(with_life(90))
    engine = strict.process(EXPIRED)
    assert isinstance(engine.fetch(owner), Live)
    assert engine.row(owner).refresh_due_at is None
    engine.ahead += timedelta(seconds=80)
    live = engine.fetch(owner)
    assert isinstance(live, Live) and live.connection.generation == 3 and strict.posts() == 2


def test_a_provider_that_answers_the_same_token_until_it_ends_is_asked_when_it_ends(strict: Scene) -> None:
    owner = new_owner()
    strict.connected(owner)
    first = strict.first.fetch(owner)
    assert isinstance(first, Live)
    same = first.tokens.access_token.reveal()
    strict.fault(faults.rewrite(lambda fields: {**fields, "access_token": same, "expires_in": 600}))
    engine = strict.process(timedelta(minutes=50))
    assert sweep_and_work(engine) == {"success_fresh": 1}
    row = engine.row(owner)
    assert row.refresh_due_at == row.expires_at and row.token_life == first.connection.token_life
    assert sweep_and_work(engine) == {}
    engine.ahead += timedelta(minutes=11)
    assert sweep_and_work(engine) == {"success_fresh": 1}
    assert strict.works(engine.fetch(owner))


def test_case_33_an_answer_too_large_to_keep_is_refused_and_the_grant_survives(grace: Scene) -> None:
    owner = new_owner()
    made = grace.connected(owner)
    grace.fault(faults.rewrite(lambda fields: {**fields, "access_token": "a" * 300_000}), times=2)
    engine = grace.process(EXPIRED)
    with pytest.raises(Unavailable):
        engine.fetch(owner)
    row = engine.row(owner)
    assert (row.state, row.generation, row.intent_attempt) == ("connected", 1, 1)
    engine.ahead += timedelta(minutes=2)
    assert grace.works(engine.fetch(owner))
    assert told(engine, made) == ["connected"]


def test_case_33_a_large_token_that_fits_is_kept_to_the_last_letter(strict: Scene) -> None:
    owner = new_owner()
    strict.connected(owner)
    large = "a" * 200_000
    strict.fault(faults.rewrite(lambda fields: {**fields, "access_token": large}))
    engine = strict.process(EXPIRED)
    live = engine.fetch(owner)
    assert isinstance(live, Live) and live.tokens.access_token.reveal() == large
    again = strict.process(EXPIRED).fetch(owner)
    assert isinstance(again, Live) and again.tokens.access_token.reveal() == large


NEW = ("last_event", "refresh_limit_fixed", "announced_end", "degraded_since")


def test_case_60_a_row_of_the_release_before_is_swept_and_one_of_the_next_keeps_what_we_do_not_know(strict: Scene) -> None:
    owner = new_owner()
    made = strict.connected(owner)
    engine = strict.process(timedelta(minutes=56))
    key = keys.connection(owner, SLUG)
    engine.table.update(key, {"of_the_next_release": "kept"}, removes=NEW, condition="attribute_exists(pk)")
    assert sweep_and_work(engine) == {"success_fresh": 1}
    row = engine.table.get(key)
    assert row is not None and (row["of_the_next_release"], row["generation"]) == ("kept", 2)
    strict.peer.revoke_user(owner.user_id or "")
    engine.ahead = EXPIRED
    assert sweep_and_work(engine) == {"refused_expected": 1}
    assert told(engine, made) == ["connected", "reauthorization_needed"]
    assert (engine.table.get(key) or {})["of_the_next_release"] == "kept"


def test_case_60_a_process_of_the_release_before_finishes_what_it_began(grace: Scene) -> None:
    """Code is replaced while a refresh waits for its answer: both know the same fences."""
    from concurrent.futures import ThreadPoolExecutor

    owner, gate = new_owner(), faults.Gate()
    grace.connected(owner)
    grace.fault(faults.hold(gate))
    before, after = grace.process(timedelta(minutes=56)), grace.process(timedelta(minutes=56))
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(sweep_and_work, before)
        assert gate.reached.wait(20)
        assert sweep_and_work(after) in ({}, {"busy": 1})
        gate.open()
        assert running.result(20) == {"success_fresh": 1}
    assert grace.works(after.fetch(owner)) and grace.posts() == 1
