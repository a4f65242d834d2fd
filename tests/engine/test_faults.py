"""A provider, or the way to it, that misbehaves during a refresh. Nothing but its own refusal ends a connection."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.errors import Conflict, Unavailable
from chalicelib.domain.secret import Secret
from chalicelib.engine.registrations import Change
from chalicelib.engine.tokens import Inactive, Live
from tests.engine.scenes import EXPIRED, NEARLY, SLUG, Scene, new_owner, outcomes, reauthorization_events
from tests.peers import FaultProxy, faults

LOSSES = {"lose_answer": faults.lose_answer(), "truncate": faults.truncate(), "drip": faults.drip(0.3), "gateway 502 after the fact": faults.status(502, forward=True)}
TRANSIENT = [
    # fault, how often, bucket, posts of one refresh
    pytest.param(faults.status(503), 2, "transient_5xx", 2, id="503"),
    pytest.param(faults.status(503, headers={"Retry-After": "30"}), 1, "transient_5xx", 1, id="503 with Retry-After"),
    pytest.param(faults.status(429, headers={"Retry-After": "30"}), 1, "rate_limited", 1, id="429"),
    pytest.param(faults.drop_request(), 2, "transient_network", 2, id="dropped twice"),
    pytest.param(faults.not_json(), 2, "provider_weird", 2, id="a page"),
    pytest.param(faults.empty(200), 2, "provider_weird", 2, id="empty 200"),
    pytest.param(faults.empty(204), 2, "provider_weird", 2, id="204"),
    pytest.param(faults.empty(400), 1, "provider_weird", 1, id="empty 400"),
    pytest.param(faults.status(400, {"error": "moon_phase"}), 1, "provider_weird", 1, id="unknown word"),
    pytest.param(faults.status(200, []), 2, "provider_weird", 2, id="a JSON array"),
    pytest.param(faults.huge(10_000_000), 2, "transient_network", 2, id="10 MB"),
]


@pytest.mark.parametrize("name", LOSSES)
def test_an_answer_lost_at_a_provider_with_a_grace_period_is_got_again(grace: Scene, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    owner = new_owner()
    made = grace.connected(owner)
    grace.fault(LOSSES[name])
    engine = grace.process(EXPIRED, deadline=1.0)
    live = engine.fetch(owner)
    assert isinstance(live, Live) and live.connection.generation == 2
    assert grace.works(live)
    assert grace.posts() == 2
    assert outcomes(capsys.readouterr().out) == ["success_retry_after_lost"]
    assert reauthorization_events(engine, made) == []
    assert engine.row(owner).intent_attempt == 0
    assert grace.works(grace.process(EXPIRED * 2).fetch(owner))


@pytest.mark.parametrize("name", LOSSES)
def test_an_answer_lost_at_a_strict_provider_is_told_once(strict: Scene, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    owner = new_owner()
    made = strict.connected(owner)
    strict.fault(LOSSES[name])
    engine = strict.process(EXPIRED, deadline=1.0)
    ended = engine.fetch(owner)
    assert isinstance(ended, Inactive) and ended.reason == "refresh_outcome_unknown"
    assert strict.posts() == 2
    assert outcomes(capsys.readouterr().out) == ["lost_outcome_unknown"]
    assert isinstance(engine.fetch(owner), Inactive)
    assert strict.posts() == 2
    assert len(reauthorization_events(engine, made)) == 1
    # The tokens are kept, sealed, until the person connects again: a wrong verdict could be undone.
    assert engine.row(owner).sealed is not None


def test_a_request_that_never_arrived_is_sent_again(strict: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    owner = new_owner()
    made = strict.connected(owner)
    strict.fault(faults.drop_request())
    engine = strict.process(EXPIRED)
    assert strict.works(engine.fetch(owner))
    assert (strict.posts(), strict.posts(forwarded=True)) == (2, 1)
    assert outcomes(capsys.readouterr().out) == ["success_retry_after_lost"]
    assert reauthorization_events(engine, made) == []


@pytest.mark.parametrize(("fault", "times", "bucket", "posts"), TRANSIENT)
def test_a_passing_failure_keeps_the_connection_and_backs_off(strict: Scene, fault: faults.Fault, times: int, bucket: str, posts: int, capsys: pytest.CaptureFixture[str]) -> None:
    owner = new_owner()
    made = strict.connected(owner)
    engine = strict.process(NEARLY)
    strict.fault(fault, times=times)
    # Inside the margin the token still lives, and a failed refresh costs nobody anything.
    old = engine.fetch(owner)
    assert isinstance(old, Live) and old.connection.generation == 1
    assert strict.works(old)
    assert strict.proxy.pending() == 0
    assert strict.posts() == posts
    assert outcomes(capsys.readouterr().out) == [bucket]
    row = engine.row(owner)
    assert (row.state, row.generation, row.failures, row.lease_owner, row.lease_until) == ("connected", 1, 1, None, None)
    assert row.last_error and row.failing_since and row.hold_until and row.retry_at
    assert row.intent_attempt == int(posts == 2 or bucket == "transient_5xx")
    assert row.refresh_due_at == row.retry_at >= engine.now() + timedelta(seconds=30)
    # While it is held back nobody asks again, and a token that has ended meanwhile is not returned.
    assert isinstance(engine.fetch(owner), Live)
    engine.ahead = NEARLY + timedelta(seconds=8)
    assert isinstance(engine.fetch(owner), Live)
    assert strict.posts() == posts
    # And then it works again, as if nothing had been.
    engine.ahead = EXPIRED
    live = engine.fetch(owner)
    assert isinstance(live, Live) and live.connection.generation == 2
    assert strict.works(live)
    row = engine.row(owner)
    assert (row.failures, row.failing_since, row.retry_at, row.hold_until, row.last_error, row.intent_attempt) == (0, None, None, None, None, 0)
    assert reauthorization_events(engine, made) == []


@pytest.mark.parametrize(("fault", "times", "bucket", "posts"), TRANSIENT)
def test_a_token_that_has_ended_is_never_returned(strict: Scene, fault: faults.Fault, times: int, bucket: str, posts: int) -> None:
    """Whatever the bucket."""
    owner = new_owner()
    strict.connected(owner)
    engine = strict.process(EXPIRED)
    strict.fault(fault, times=times)
    for _ in range(3):
        with pytest.raises(Unavailable) as refused:
            engine.fetch(owner)
        assert 1 <= (refused.value.retry_after or 0) <= 30
    assert strict.posts() == posts  # the two others were held back


def test_a_rejected_token_is_not_returned_while_the_provider_fails(strict: Scene) -> None:
    owner, engine = new_owner(), strict.first
    strict.connected(owner)
    strict.fault(faults.status(503), times=2)
    for _ in range(2):
        with pytest.raises(Unavailable):
            engine.rejected(owner, 1)
    assert isinstance(engine.fetch(owner), Live)  # for whom nobody complained, it lives


def test_a_redirect_is_not_followed(strict: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    owner = new_owner()
    strict.connected(owner)
    engine = strict.process(EXPIRED)
    with FaultProxy(strict.peer.base_url) as elsewhere:
        strict.fault(faults.redirect(elsewhere.base_url + strict.token_path))
        with pytest.raises(Unavailable):
            engine.fetch(owner)
        assert elsewhere.requests == []
    assert outcomes(capsys.readouterr().out) == ["provider_weird"]
    engine.ahead *= 2
    assert strict.works(engine.fetch(owner))


def test_a_peer_that_is_not_there_costs_nothing(strict: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    owner = new_owner()
    strict.connected(owner)
    registration = strict.first.registrations.get(SLUG)
    nowhere = json.dumps({**json.loads(registration.custom_provider or ""), **strict.row_of_provider(refresh_endpoint="http://127.0.0.1:9/token")})
    # Straight into the table: the API refuses to move the endpoints of connections that live.
    strict.first.store.save_registration(replace(registration, custom_provider=nowhere, version=registration.version + 1), expected_version=registration.version)
    engine = strict.process(EXPIRED)
    with pytest.raises(Unavailable):
        engine.fetch(owner)
    assert outcomes(capsys.readouterr().out) == ["transient_network"]
    assert engine.row(owner).intent_attempt == 0
    strict.first.store.save_registration(replace(registration, version=registration.version + 2), expected_version=registration.version + 1)
    engine.ahead += timedelta(minutes=10)
    assert strict.works(engine.fetch(owner))


def test_our_own_wrong_secret_harms_no_connection(strict: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    owners = [new_owner(), new_owner()]
    made = [strict.connected(owner) for owner in owners]
    engine = strict.process(EXPIRED)
    for wrong in ("wrong one", "wrong two"):
        engine.registrations.update(SLUG, Change(client_secret=Secret(wrong)))
    for owner in owners:
        with pytest.raises(Conflict) as refused:
            engine.fetch(owner)
        assert refused.value.code == "provider_misconfigured"
    assert outcomes(capsys.readouterr().out) == ["client_error"] * 2
    assert [engine.row(owner).state for owner in owners] == ["connected"] * 2
    assert [reauthorization_events(engine, connection) for connection in made] == [[], []]
    engine.registrations.update(SLUG, Change(client_secret=Secret(strict.peer.client_secret)))
    engine.ahead += timedelta(minutes=5)
    for owner in owners:
        live = engine.fetch(owner)
        assert isinstance(live, Live) and live.connection.generation == 2
        assert strict.works(live)


def test_an_unknown_word_said_for_half_an_hour_ends_the_connection(strict: Scene) -> None:
    owner = new_owner()
    made = strict.connected(owner)
    engine = strict.process(EXPIRED)
    strict.fault(faults.status(400, {"error": "moon_phase"}), times=9)
    for minutes in (0, 10, 20):
        engine.ahead = EXPIRED + timedelta(minutes=minutes)
        with pytest.raises(Unavailable):
            engine.fetch(owner)
    engine.ahead = EXPIRED + timedelta(minutes=31)
    ended = engine.fetch(owner)
    assert isinstance(ended, Inactive) and ended.reason == "provider_error"
    assert engine.row(owner).last_error == "moon_phase"
    assert len(reauthorization_events(engine, made)) == 1


def test_with_too_little_time_left_the_provider_is_not_asked(strict: Scene) -> None:
    owner = new_owner()
    strict.connected(owner)
    engine = strict.process(EXPIRED)
    with pytest.raises(Unavailable):
        engine.fetch(owner, seconds=3)
    row = engine.row(owner)
    assert (strict.posts(), row.lease_owner, row.intent_attempt, row.failures) == (0, None, 0, 0)
    assert strict.works(engine.fetch(owner))


def test_a_second_try_that_would_outlast_the_process_is_left_to_the_next(grace: Scene) -> None:
    owner = new_owner()
    grace.connected(owner)
    engine = grace.process(EXPIRED)
    grace.fault(faults.lose_answer())
    with pytest.raises(Unavailable):
        engine.tokens.answer(owner, SLUG, seconds_left=lambda: 29.0 if grace.posts() == 0 else 12.0)
    assert grace.posts() == 1
    assert engine.row(owner).intent_attempt == 1
    engine.ahead += timedelta(minutes=1)
    live = engine.fetch(owner)
    assert isinstance(live, Live) and live.connection.generation == 2
