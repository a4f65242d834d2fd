"""KMS is down, slow or says no: nothing is spent, nothing is changed, nobody is asked to connect again."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from chalicelib.domain import settings
from chalicelib.domain.errors import Unavailable
from chalicelib.engine.authorization_response import FlowError
from tests.engine.scenes import EXPIRED, NEARLY, Process, Scene, new_owner, reauthorization_events

CAUSES: dict[str, Callable[[], Exception]] = {
    "unreachable": lambda: EndpointConnectionError(endpoint_url="the key service"),
    "disabled": lambda: ClientError({"Error": {"Code": "DisabledException"}}, "GenerateDataKey"),
    "throttled": lambda: ClientError({"Error": {"Code": "ThrottlingException"}}, "GenerateDataKey"),
    "denied": lambda: ClientError({"Error": {"Code": "AccessDeniedException"}}, "GenerateDataKey"),
    "pending deletion": lambda: ClientError({"Error": {"Code": "KMSInvalidStateException"}}, "GenerateDataKey"),
}


class Outage:
    def __init__(self, engine: Process, operation: str, cause: Callable[[], Exception]) -> None:
        self.over, self._cause = False, cause
        engine.client("kms").meta.events.register(f"before-call.kms.{operation}", self._refuse)

    def _refuse(self, **_event: Any) -> None:
        if not self.over:
            raise self._cause()


@pytest.mark.parametrize("operation", ["GenerateDataKey", "Decrypt", "*"])
@pytest.mark.parametrize("cause", CAUSES)
def test_a_refresh_spends_nothing_without_the_key(strict: Scene, operation: str, cause: str) -> None:
    owner = new_owner()
    made = strict.connected(owner)
    engine = strict.process(EXPIRED)
    outage = Outage(engine, operation, CAUSES[cause])
    before = engine.row(owner)
    with pytest.raises(Unavailable) as refused:
        engine.fetch(owner)
    assert refused.value.code == "key_unavailable" and refused.value.retry_after
    assert strict.posts() == 0
    assert replace(engine.row(owner), write_id=None) == replace(before, write_id=None)
    assert reauthorization_events(engine, made) == []
    outage.over = True
    assert strict.works(engine.fetch(owner))


def test_a_token_that_lives_is_returned_when_only_its_refresh_lacks_the_key(strict: Scene) -> None:
    owner = new_owner()
    strict.connected(owner)
    engine = strict.process(NEARLY)
    Outage(engine, "GenerateDataKey", CAUSES["unreachable"])
    assert strict.works(engine.fetch(owner))
    assert strict.posts() == 0


def test_a_code_is_not_redeemed_without_the_key(strict: Scene) -> None:
    owner, engine = new_owner(), strict.process()
    back = strict.leave(owner, engine)
    Outage(engine, "GenerateDataKey", CAUSES["unreachable"])
    with pytest.raises((Unavailable, FlowError)):
        strict.arrive(back, engine)
    assert strict.posts("authorization_code") == 0
    assert engine.store.connections(owner) == []


def test_a_slow_key_service_leaves_no_time_to_spend_a_token(strict: Scene) -> None:
    owner = new_owner()
    strict.connected(owner)
    engine, clock = strict.process(EXPIRED), [0.0]
    engine.sleep, engine.monotonic = lambda _seconds: None, lambda: clock[0]  # type: ignore[method-assign]

    def slow(**_event: Any) -> None:
        clock[0] += settings.LEASE_TTL.total_seconds() - settings.PROVIDER_DEADLINE  # less is left than a call and its store may take

    engine.client("kms").meta.events.register("before-call.kms.GenerateDataKey", slow)
    with pytest.raises(Unavailable):
        engine.fetch(owner, seconds=120)
    row = engine.row(owner)
    assert (strict.posts(), row.lease_owner, row.intent_attempt) == (0, None, 0)
