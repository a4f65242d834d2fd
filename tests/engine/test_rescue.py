"""What a refresh got and the table did not take is stored after all; what lost to a disconnect is ended at the provider. Cases 14 to 16, 18, 20."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.events import timestamp
from chalicelib.engine.keeping import UnknownMessage
from chalicelib.engine.tokens import Inactive, Live
from tests.engine.deliveries import bodies, deliver
from tests.engine.rescues import impatient, rescued, table_down_after, unreachable
from tests.engine.scenes import EXPIRED, PAST_LEASE, SLUG, Process, Scene, new_owner, outcomes, reauthorization_events, told
from tests.peers import faults


def test_case_15_an_answer_the_table_does_not_take_is_rescued(strict: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    owner, engine, live = rescued(strict)
    # Whoever fetched has the new token all the same: it is live, and the owner's.
    assert isinstance(live, Live) and strict.works(live)
    assert outcomes(capsys.readouterr().out) == ["success_rescued"]
    assert engine.row(owner).generation == 1
    other = strict.process(EXPIRED)
    assert deliver(other, "rescue") == ["stored"]
    row = other.row(owner)
    assert (row.generation, row.state, row.lease_owner, row.intent_attempt, row.failures) == (2, "connected", None, 0, 0)
    assert row.refresh_due_at is not None and row.expires_at and live.connection.expires_at and timestamp(row.expires_at) == timestamp(live.connection.expires_at)
    assert strict.posts() == 1
    # The refresh token that was stored is the one the provider gave last, at a provider that forgives nothing.
    assert strict.works(strict.process(EXPIRED * 2).fetch(owner))


def test_a_rescued_message_holds_no_token_in_clear(strict: Scene) -> None:
    _owner, engine, live = rescued(strict)
    (body,) = bodies(engine, "rescue")
    text = repr(body)
    assert live.tokens.access_token.reveal() not in text and live.tokens.refresh_token.reveal() not in text


def test_a_rescue_is_repeated_without_effect(strict: Scene) -> None:
    owner, _engine, _live = rescued(strict)
    other = strict.process(EXPIRED)
    (body,) = bodies(other, "rescue")
    assert [other.rescue.handle(body, lambda: 100.0) for _ in range(3)] == ["stored", "superseded", "superseded"]
    assert other.row(owner).generation == 2


def test_a_rescue_waits_for_the_table(strict: Scene) -> None:
    owner, _engine, _live = rescued(strict)
    other = strict.process(EXPIRED)
    impatient(other)
    mend = table_down_after(other, 0)
    (failed,) = deliver(other, "rescue")
    assert isinstance(failed, Unavailable)
    mend()
    assert deliver(other, "rescue") == ["stored"]
    assert other.row(owner).generation == 2


def test_a_rescue_of_what_was_disconnected_meanwhile_ends_it_at_the_provider(strict: Scene) -> None:
    owner, _engine, live = rescued(strict)
    later = strict.process(EXPIRED + PAST_LEASE)
    later.disconnect.disconnect(owner, SLUG, seconds_left=lambda: 29.0)
    assert deliver(later, "rescue") == ["gone"]
    assert deliver(later, "revoke") == ["revoked"]
    header = {"Authorization": f"Bearer {live.tokens.access_token.reveal()}"}
    assert requests.get(strict.peer.userinfo_endpoint, headers=header, timeout=10).status_code == 401
    assert later.row(owner).state == "disconnected"


def test_a_rescue_of_what_was_reconnected_meanwhile_is_dropped(strict: Scene) -> None:
    owner, _engine, _live = rescued(strict)
    later = strict.process(EXPIRED + PAST_LEASE)
    strict.arrive(strict.leave(owner, later), later)
    assert deliver(later, "rescue") == ["superseded"]
    assert later.row(owner).generation == 2
    assert strict.works(later.fetch(owner))


def test_a_verdict_that_fell_before_the_rescue_is_undone_where_the_tokens_work(grace: Scene) -> None:
    """A grace period that is over when the spent token comes again: refused, and yet the grant lives."""
    owner, engine, _live = rescued(grace)
    made = engine.row(owner)
    later = grace.process(EXPIRED + PAST_LEASE)
    grace.fault(faults.status(400, {"error": "invalid_grant"}))
    ended = later.fetch(owner)
    assert isinstance(ended, Inactive) and ended.reason == "refresh_outcome_unknown"
    assert deliver(later, "rescue") == ["recovered"]
    row = later.row(owner)
    assert (row.state, row.reason, row.generation) == ("connected", None, 2)
    assert told(later, made) == ["connected", "reauthorization_needed", "recovered"]
    assert grace.works(grace.process(EXPIRED * 2).fetch(owner))


def test_a_verdict_at_a_provider_that_ended_the_grant_stands(strict: Scene) -> None:
    owner, engine, _live = rescued(strict)
    made = engine.row(owner)
    later = strict.process(EXPIRED + PAST_LEASE)
    ended = later.fetch(owner)  # the spent token once more: the provider takes it for theft
    assert isinstance(ended, Inactive) and ended.reason == "refresh_outcome_unknown"
    assert deliver(later, "rescue") == ["dead"]
    assert later.row(owner).state == "needs_reauthorization"
    assert len(reauthorization_events(later, made)) == 1


@pytest.mark.parametrize("body", [{}, {"v": 2}, {"v": 1, "key": {}, "connection": "x", "renewed": {}}, [], "text"])
def test_a_message_that_is_not_ours_goes_back(strict: Scene, body: Any) -> None:
    with pytest.raises(UnknownMessage):
        strict.first.rescue.handle(body, lambda: 100.0)
    with pytest.raises(UnknownMessage):
        strict.first.revocations.handle(body, lambda: 100.0)


@pytest.mark.parametrize("number", range(1, 12))
def test_case_15_whatever_call_of_the_table_fails_the_grant_survives(grace: Scene, number: int) -> None:
    """One call after the other fails for good, from the first of a refresh to the last; then all is well again and everything queued is delivered."""
    owner = new_owner()
    made = grace.connected(owner)
    engine = grace.process(EXPIRED).warm()
    impatient(engine)
    mend = table_down_after(engine, number - 1, "*")
    try:
        engine.fetch(owner)
    except Unavailable:
        pass
    mend()
    later = grace.process(EXPIRED + PAST_LEASE)
    assert all(not isinstance(outcome, Exception) for outcome in deliver(later, "rescue"))
    live = later.fetch(owner)
    assert isinstance(live, Live) and grace.works(live)
    assert grace.works(grace.process(EXPIRED * 2).fetch(owner))
    assert told(later, made) == ["connected"]


@pytest.mark.parametrize("number", range(1, 5))
def test_case_14_whatever_call_of_the_key_service_fails_nothing_is_lost(strict: Scene, number: int) -> None:
    """The last of them comes before the provider is asked: what it answers is sealed without the network."""
    owner = new_owner()
    made = strict.connected(owner)
    engine, seen = strict.process(EXPIRED).warm(), [0]

    def refuse(**_event: Any) -> None:
        seen[0] += 1
        if seen[0] >= number:
            unreachable()

    engine.client("kms").meta.events.register("before-call.kms.*", refuse)
    try:
        live = engine.fetch(owner)
        assert seen[0] < number and strict.works(live)
    except Unavailable:
        assert strict.posts() == 0
    assert strict.works(strict.process(EXPIRED).fetch(owner))
    assert strict.posts() == 1
    assert told(strict.first, made) == ["connected"]


def test_case_18_a_holder_that_wakes_after_two_leases_stores_nothing(grace: Scene) -> None:
    owner, gate = new_owner(), faults.Gate()
    grace.connected(owner)
    grace.fault(faults.hold(gate))
    slow, later = grace.process(EXPIRED), grace.process(EXPIRED + 2 * PAST_LEASE)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(slow.fetch, owner)
        assert gate.reached.wait(10)
        stored = later.fetch(owner)
        gate.open()
        answer = first.result(20)
    assert isinstance(stored, Live) and isinstance(answer, Live)
    row = later.row(owner)
    assert row.generation == 2 and bodies(later, "rescue") == bodies(later, "revoke") == []
    assert grace.works(answer) and grace.works(grace.process(EXPIRED * 2).fetch(owner))


def test_case_20_a_disconnect_whose_revocation_fails_is_finished_later(strict: Scene) -> None:
    owner = new_owner()
    strict.connected(owner)
    live = strict.first.fetch(owner)
    assert isinstance(live, Live)
    strict.proxy.add(urlsplit(strict.peer.revocation_endpoint).path, faults.status(503), times=2)
    assert strict.first.disconnect.disconnect(owner, SLUG, seconds_left=lambda: 29.0) == "failed"
    (failed,) = deliver(strict.first, "revoke")
    assert isinstance(failed, Unavailable) and strict.works(live)
    assert deliver(strict.first, "revoke") == ["revoked"]
    header = {"Authorization": f"Bearer {live.tokens.access_token.reveal()}"}
    assert requests.get(strict.peer.userinfo_endpoint, headers=header, timeout=10).status_code == 401
    assert deliver(strict.first, "revoke") == []


def test_case_20_a_late_revocation_leaves_alone_what_was_connected_since(strict: Scene) -> None:
    owner = new_owner()
    strict.change_provider(revocation={"ends": "user"})
    strict.connected(owner)
    strict.proxy.add(urlsplit(strict.peer.revocation_endpoint).path, faults.status(503))
    assert strict.first.disconnect.disconnect(owner, SLUG, seconds_left=lambda: 29.0) == "failed"
    strict.connected(owner)
    assert deliver(strict.first, "revoke") == ["reconnected"]
    assert strict.works(strict.first.fetch(owner))


def test_the_wait_for_the_table_is_short_because_the_queue_waits_better(strict: Scene) -> None:
    owner = new_owner()
    strict.connected(owner)
    engine = strict.process(EXPIRED)
    waited = impatient(engine)
    table_down_after(engine, 1)
    engine.fetch(owner)
    assert timedelta(seconds=waited[0]) < timedelta(seconds=8)


@pytest.mark.parametrize("number", range(1, 7))
@pytest.mark.parametrize("service", ["dynamodb", "kms"])
def test_whatever_call_fails_while_a_rescue_is_handled_it_is_stored_in_the_end(strict: Scene, service: str, number: int) -> None:
    owner, engine, live = rescued(strict)
    made, broken = engine.row(owner), strict.process(EXPIRED)
    impatient(broken)
    refuse_from(broken, service, number)
    deliver(broken, "rescue")
    whole = strict.process(EXPIRED)
    assert all(not isinstance(outcome, Exception) for outcome in deliver(whole, "rescue"))
    row = whole.row(owner)
    assert (row.state, row.generation) == ("connected", 2) and told(whole, made) == ["connected"]
    assert strict.works(live) and strict.works(strict.process(EXPIRED * 2).fetch(owner))


@pytest.mark.parametrize("number", range(1, 5))
@pytest.mark.parametrize("service", ["dynamodb", "kms"])
def test_whatever_call_fails_while_a_revocation_is_handled_the_grant_is_ended_in_the_end(strict: Scene, service: str, number: int) -> None:
    owner = new_owner()
    strict.connected(owner)
    live = strict.first.fetch(owner)
    assert isinstance(live, Live)
    strict.proxy.add(urlsplit(strict.peer.revocation_endpoint).path, faults.status(503))
    assert strict.first.disconnect.disconnect(owner, SLUG, seconds_left=lambda: 29.0) == "failed"
    broken = strict.process()
    impatient(broken)
    refuse_from(broken, service, number)
    deliver(broken, "revoke")
    assert all(not isinstance(outcome, Exception) for outcome in deliver(strict.process(), "revoke"))
    header = {"Authorization": f"Bearer {live.tokens.access_token.reveal()}"}
    assert requests.get(strict.peer.userinfo_endpoint, headers=header, timeout=10).status_code == 401


def refuse_from(engine: Process, service: str, number: int) -> None:
    """The service answers the calls before the `number`-th, and none after."""
    seen = [0]

    def refuse(**_event: Any) -> None:
        seen[0] += 1
        if seen[0] >= number:
            unreachable()

    client = engine.dynamodb if service == "dynamodb" else engine.client(service)
    client.meta.events.register(f"before-call.{service}.*", refuse)
