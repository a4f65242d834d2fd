"""Many at once: however many ask, a refresh token and a code are spent once."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from chalicelib.domain.errors import Unavailable
from chalicelib.engine.authorization_response import FlowError
from chalicelib.engine.connect import Returned
from chalicelib.engine.tokens import Inactive, Live
from tests.engine.processes import workers
from tests.engine.scenes import EXPIRED, Scene, at_once, new_owner, reauthorization_events
from tests.peers import faults

MANY = 50


def generations(results: list[object]) -> set[int]:
    return {result.connection.generation if isinstance(result, Live) else repr(result) for result in results}  # type: ignore[misc]


def test_fifty_fetches_of_an_expired_connection_refresh_once(strict: Scene) -> None:
    owner = new_owner()
    strict.connected(owner)
    engine = strict.process(EXPIRED).warm()
    results = at_once(MANY, lambda _n: engine.fetch(owner))
    assert strict.posts() == 1
    assert generations(results) == {2}
    assert len({result.tokens.access_token.reveal() for result in results}) == 1
    assert strict.works(results[0])
    # The refresh token that was stored is the one the provider gave: the next refresh works, at a provider that forgives nothing.
    engine.ahead *= 2
    assert strict.works(engine.fetch(owner))
    assert strict.posts() == 2


def test_fifty_reports_of_one_rejected_token_refresh_once(strict: Scene) -> None:
    owner, engine = new_owner(), strict.first.warm()
    strict.connected(owner)
    results = at_once(MANY, lambda _n: engine.rejected(owner, 1))
    assert strict.posts() == 1
    assert generations(results) == {2}
    assert strict.works(results[0])


def test_threads_of_several_processes_refresh_once(strict: Scene) -> None:
    owner = new_owner()
    strict.connected(owner)
    with workers(strict, owner, EXPIRED, *[{"threads": 8}] * 4) as processes:
        assert len({worker.process.pid for worker in processes} | {os.getpid()}) == 5
        for worker in processes:
            worker.go()
        results = [result for worker in processes for result in worker.end()[1]]
    assert len(results) == 32
    assert {result.get("generation", result.get("error")) for result in results} == {2}
    assert len({result["token"] for result in results}) == 1
    assert strict.posts() == 1
    assert strict.works(strict.process(EXPIRED * 2).fetch(owner))


def test_a_fetch_a_report_and_another_process_during_a_refresh_wait_for_it(strict: Scene) -> None:
    owner, gate = new_owner(), faults.Gate()
    strict.connected(owner)
    one, other = strict.process(EXPIRED).warm(), strict.process(EXPIRED).warm()
    strict.fault(faults.hold(gate))
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(one.fetch, owner)
        assert gate.reached.wait(10)
        during = [pool.submit(one.fetch, owner), pool.submit(other.fetch, owner), pool.submit(other.rejected, owner, 1)]
        # A token that is still good is answered at once, whoever refreshes.
        assert generations([strict.first.fetch(owner)]) == {1}
        gate.open()
        results = [first.result(20), *(future.result(20) for future in during)]
    assert strict.posts() == 1
    assert generations(results) == {2}


@pytest.mark.parametrize("skew", [-30, 30])
def test_processes_whose_clocks_differ_refresh_once(strict: Scene, skew: int) -> None:
    """By as much as a lease is longer than the longest refresh."""
    owner, gate = new_owner(), faults.Gate()
    strict.connected(owner)
    one, other = strict.process(EXPIRED), strict.process(EXPIRED + timedelta(seconds=skew))
    strict.fault(faults.hold(gate))
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(one.fetch, owner)
        assert gate.reached.wait(10)
        second = pool.submit(other.fetch, owner)
        assert not second.done()
        gate.open()
        assert generations([first.result(20), second.result(20)]) == {2}
    assert strict.posts() == 1


def test_who_waited_for_a_failed_refresh_does_not_ask_the_failing_provider_again(strict: Scene) -> None:
    owner = new_owner()
    strict.connected(owner)
    engine = strict.process(EXPIRED).warm()
    strict.fault(faults.status(503), times=500)
    results = at_once(MANY, lambda _n: engine.fetch(owner))
    assert all(isinstance(result, Unavailable) and result.retry_after for result in results), results
    assert strict.posts() == 2  # one and its second try
    assert engine.row(owner).failures == 1


def test_fifty_fetches_of_an_expired_connection_without_a_refresh_token_tell_once(no_refresh: Scene) -> None:
    owner = new_owner()
    made = no_refresh.connected(owner)
    assert not made.refreshable
    engine = no_refresh.process(EXPIRED).warm()
    results = at_once(MANY, lambda _n: engine.fetch(owner))
    assert {(result.error, result.reason) if isinstance(result, Inactive) else repr(result) for result in results} == {("needs_reauthorization", "no_refresh_token")}
    assert no_refresh.posts() == 0
    assert len(reauthorization_events(engine, made)) == 1


def test_fifty_reports_of_a_token_without_a_refresh_token_ask_the_provider_once(no_refresh: Scene) -> None:
    owner, engine = new_owner(), no_refresh.first.warm()
    made = no_refresh.connected(owner)
    accepted = engine.rejected(owner, 1)
    assert isinstance(accepted, Live)  # the provider still takes it, so the report was wrong
    no_refresh.peer.revoke_user(owner.user_id or "")
    asked = no_refresh.proxy.count("/me")
    results = at_once(MANY, lambda _n: engine.rejected(owner, 1))
    assert {result.reason if isinstance(result, Inactive) else repr(result) for result in results} == {"refused"}
    assert no_refresh.proxy.count("/me") - asked == 1
    assert len(reauthorization_events(engine, made)) == 1


def test_one_redirect_back_handled_twenty_times_redeems_once(strict: Scene) -> None:
    owner, engine = new_owner(), strict.first.warm()
    back = strict.leave(owner)
    results = at_once(20, lambda _n: strict.arrive(back, engine))
    assert [type(result) for result in results].count(Returned) == 1
    assert {result.kind for result in results if isinstance(result, FlowError)} == {"link_used"}
    assert strict.posts("authorization_code") == 1
    assert strict.works(engine.fetch(owner))
    assert strict.works(strict.process(EXPIRED).fetch(owner))


def test_one_link_opened_by_twenty_browsers_belongs_to_one(strict: Scene) -> None:
    owner, engine = new_owner(), strict.first.warm()
    handle = engine.connect.begin(owner, "peer").url.rsplit("/", 1)[1]
    results = at_once(20, lambda _n: engine.connect.open(handle, None))
    assert [result.kind if isinstance(result, FlowError) else "opened" for result in results].count("opened") == 1
