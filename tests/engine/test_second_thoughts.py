"""What cannot be taken back is not done on one odd sign: a grant is not ended, a person not asked again, a secret not led elsewhere or forgotten."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from chalicelib.domain.errors import Conflict, Unavailable
from chalicelib.domain.secret import Secret
from chalicelib.engine.authorization_response import FlowError
from chalicelib.engine.registrations import Change
from chalicelib.engine.tokens import Inactive
from tests.engine.scenes import EXPIRED, SLUG, Process, Scene, new_owner, reauthorization_events, told
from tests.peers import FaultProxy, faults

WEIRD = {
    "a page that is not there": faults.status(404, b"<html><body>Not Found</body></html>", {"Content-Type": "text/html"}),
    "an unknown word": faults.status(400, {"error": "moon_phase"}),
}


@pytest.mark.parametrize("weird", WEIRD)
def test_an_outage_that_ends_in_one_answer_without_sense_ends_nothing(strict: Scene, weird: str) -> None:
    owner = new_owner()
    made = strict.connected(owner)
    engine = strict.process(EXPIRED)
    for minutes, fault, times in ((0, faults.status(503), 2), (40, faults.status(503), 2), (80, WEIRD[weird], 1)):
        engine.ahead = EXPIRED + timedelta(minutes=minutes)
        strict.fault(fault, times=times)
        with pytest.raises(Unavailable):
            engine.fetch(owner)
        assert strict.proxy.pending() == 0
    assert (engine.row(owner).state, engine.row(owner).failures) == ("connected", 3)
    assert reauthorization_events(engine, made) == []
    engine.ahead += timedelta(minutes=40)
    assert strict.works(engine.fetch(owner))


@pytest.mark.parametrize("weird", WEIRD)
def test_three_answers_without_sense_in_a_row_over_half_an_hour_end_a_connection_once(strict: Scene, weird: str) -> None:
    owner = new_owner()
    made = strict.connected(owner)
    engine = strict.process(EXPIRED)
    strict.fault(WEIRD[weird], times=3)
    for minutes in (0, 16):
        engine.ahead = EXPIRED + timedelta(minutes=minutes)
        with pytest.raises(Unavailable):
            engine.fetch(owner)
    for minutes in (32, 48):
        engine.ahead = EXPIRED + timedelta(minutes=minutes)
        ended = engine.fetch(owner)
        assert isinstance(ended, Inactive) and (ended.error, ended.reason) == ("needs_reauthorization", "provider_error")
    assert strict.posts() == 3 and len(reauthorization_events(engine, made)) == 1


class SilentTable:
    """The first transaction is applied and its answer lost; with `stays`, nothing is answered any more until it is no longer `silent`. Patience passes without waiting."""

    def __init__(self, engine: Process, *, stays: bool) -> None:
        self._stays, self.silent, self._lost, self._waited = stays, False, False, 0.0
        events = engine.dynamodb.meta.events
        events.register("after-call.dynamodb.TransactWriteItems", self._lose)
        events.register("before-call.dynamodb.*", self._refuse)
        engine.sleep, engine.monotonic = self._sleep, lambda: self._waited  # type: ignore[method-assign]

    def _sleep(self, seconds: float) -> None:
        self._waited += seconds

    def _lose(self, parsed: Any, **_event: Any) -> None:
        if not self._lost:
            assert "Error" not in parsed  # it was applied
            self._lost, self.silent = True, self._stays
            raise EndpointConnectionError(endpoint_url="the table")

    def _refuse(self, **_event: Any) -> None:
        if self.silent:
            raise EndpointConnectionError(endpoint_url="the table")


def test_a_grant_that_may_be_stored_is_not_revoked(strict: Scene) -> None:
    owner, engine = new_owner(), strict.process()
    back = strict.leave(owner, engine)
    table = SilentTable(engine, stays=True)
    with pytest.raises(Unavailable):
        strict.arrive(back, engine)
    assert strict.revocations() == 0
    table.silent = False
    assert (engine.row(owner).state, engine.row(owner).generation) == ("connected", 1)
    assert strict.works(engine.fetch(owner)) and strict.works(strict.process(EXPIRED).fetch(owner))
    assert strict.posts("authorization_code") == 1


def test_a_connect_whose_first_answer_alone_is_lost_is_a_connect(strict: Scene) -> None:
    owner, engine = new_owner(), strict.process()
    back = strict.leave(owner, engine)
    SilentTable(engine, stays=False)
    made = strict.arrive(back, engine).connection
    assert made is not None and (made.state, made.generation) == ("connected", 1)
    assert told(engine, made) == ["connected"]
    assert strict.revocations() == 0
    assert strict.works(engine.fetch(owner))


def test_of_two_flows_with_different_accounts_the_second_to_be_stored_is_refused(strict: Scene) -> None:
    owner, gate = new_owner(), faults.Gate()
    slow, quick = strict.leave(owner, user=new_owner().user_id), strict.leave(owner)
    strict.fault(faults.hold(gate))
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(strict.arrive, slow)
        assert gate.reached.wait(10)
        try:
            made = strict.arrive(quick).connection
        finally:
            gate.open()
        with pytest.raises(FlowError, match="other_account"):
            held.result(20)
    row = strict.first.row(owner)
    assert made is not None and (row.id, row.state, row.generation, row.external_account_id) == (made.id, "connected", 1, owner.user_id)
    assert strict.revocations() == 1  # of the grant that was not kept
    assert strict.works(strict.first.fetch(owner)) and strict.works(strict.process(EXPIRED).fetch(owner))


def test_a_disconnect_without_the_key_leaves_nothing_behind(strict: Scene) -> None:
    owner = new_owner()
    made = strict.connected(owner)
    engine = strict.process()

    def down(**_event: Any) -> None:
        raise EndpointConnectionError(endpoint_url="the key service")

    engine.client("kms").meta.events.register("before-call.kms.*", down)
    before = engine.row(owner)
    with pytest.raises(Unavailable):
        engine.disconnect.disconnect(owner, SLUG, seconds_left=lambda: 29.0)
    row = engine.row(owner)
    assert (row.lease_owner, row.lease_until, row.intent_attempt) == (None, None, 0) and replace(row, write_id=None) == replace(before, write_id=None)
    assert strict.revocations() == 0
    # Nothing of ours was in doubt, so the provider's refusal is no more than that.
    strict.peer.revoke_user(owner.user_id or "")
    ended = strict.process(EXPIRED).fetch(owner)
    assert isinstance(ended, Inactive) and ended.reason == "refused"
    assert len(reauthorization_events(strict.first, made)) == 1


def test_the_same_secret_sent_twice_keeps_the_one_it_overlaps(strict: Scene) -> None:
    owner, engine = new_owner(), strict.process(EXPIRED)
    strict.connected(owner)
    (old,) = engine.registrations.get(SLUG).client_secrets
    for _ in range(2):
        engine.registrations.update(SLUG, Change(client_secret=Secret("not known there yet")))
        newest, overlapping = engine.registrations.get(SLUG).client_secrets
        assert (newest.last_four, overlapping) == (" yet", old)
    assert strict.works(engine.fetch(owner))


MOVES: dict[str, Callable[[Scene, str], Change]] = {
    "client id": lambda _scene, _elsewhere: Change(client_id="another", client_secret=Secret("its secret")),
    "token endpoint": lambda scene, elsewhere: Change(custom_provider=scene.row_of_provider(endpoint=elsewhere), client_secret=Secret("its secret")),
    "refresh endpoint": lambda scene, elsewhere: Change(custom_provider=scene.row_of_provider(refresh_endpoint=elsewhere), client_secret=Secret("its secret")),
}


@pytest.mark.parametrize("move", MOVES)
def test_where_live_connections_belong_is_not_moved(strict: Scene, move: str) -> None:
    owner, engine = new_owner(), strict.process(EXPIRED)
    strict.connected(owner)
    before, asked = engine.registrations.get(SLUG), len(strict.proxy.requests)
    with FaultProxy(strict.peer.base_url) as elsewhere:
        change = MOVES[move](strict, elsewhere.base_url + strict.token_path)
        with pytest.raises(Conflict) as refused:
            engine.registrations.update(SLUG, change)
        assert refused.value.code == "data_integration_in_use"
        assert engine.registrations.get(SLUG) == before and len(strict.proxy.requests) == asked
        engine.registrations.update(SLUG, Change(client_id=before.client_id, client_secret=Secret("a new one of the same client")))
        assert strict.works(engine.fetch(owner))
        assert elsewhere.requests == []
        # With nobody left there is nothing to lose.
        engine.disconnect.disconnect(owner, SLUG, seconds_left=lambda: 29.0)
        assert len(engine.registrations.update(SLUG, change).client_secrets) == 1


def test_wrong_credentials_are_called_that_for_as_long_as_nobody_is_asked_again(strict: Scene) -> None:
    owner, engine = new_owner(), strict.process(EXPIRED)
    strict.connected(owner)
    for wrong in ("wrong one", "wrong two"):
        engine.registrations.update(SLUG, Change(client_secret=Secret(wrong)))
    for posts, later in ((2, 0), (2, 1), (2, 2), (4, 60)):  # both secrets were tried, then nobody asks until the hold is over
        engine.ahead = EXPIRED + timedelta(seconds=later)
        with pytest.raises(Conflict) as refused:
            engine.fetch(owner)
        assert refused.value.code == "provider_misconfigured"
        assert strict.posts() == posts
    engine.registrations.update(SLUG, Change(client_secret=Secret(strict.peer.client_secret)))
    engine.ahead += timedelta(minutes=5)
    assert strict.works(engine.fetch(owner)) and engine.row(owner).generation == 2
