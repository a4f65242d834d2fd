"""What the Python client does by itself when an answer is lost, late or refused, and what Standpipe makes of it: one thing made, one answer.

Rule: the stage answers, the proxy loses; nothing of the client is replaced. `Retry-After` is what the stage or the proxy says, and is waited for.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import workos
from workos import WorkOSClient
from workos.pipes.models import CustomProviderDefinition

from ops import keys
from ops.local.sandbox import Sandbox
from tests.peers import faults
from tests.peers.fault_proxy import FaultProxy
from tests.sdk.stage import GITHUB, At


@pytest.fixture
def proxy(sandbox: Sandbox) -> Iterator[FaultProxy]:
    with FaultProxy(sandbox.url) as between:
        yield between
        assert between.pending() == 0


@pytest.fixture
def behind(proxy: FaultProxy, sandbox: Sandbox) -> Iterator[WorkOSClient]:
    """A client as anybody makes it, with its own retries, that reaches the stage through the proxy."""
    with WorkOSClient(api_key=sandbox.api_key, client_id="client_x", base_url=proxy.base_url) as made:
        yield made


def creations(at: At) -> dict[str, Callable[[WorkOSClient, str, str], Any]]:
    """Everything that makes something: (client, who it is for, idempotency key) -> its id."""
    keyed, machines, shared = at.custom("api_key"), at.custom("client_credentials"), at.custom(ownership="organization")
    machine = at.credentials()
    definition = {"custom_provider": CustomProviderDefinition(name="Acme"), "auth_methods": ["api_key"]}
    hook = ["pipes.connected_account.connected"]

    def option(key: str) -> dict[str, Any]:
        return {"request_options": {"idempotency_key": key}}

    return {
        "data integration": lambda c, who, key: c.pipes.create_data_integration(provider=who.replace("_", "-"), **definition, **option(key)).id,
        "api key": lambda c, who, key: c.pipes.create_data_integration_api_key(keyed, user_id=who, secret="sk-of-the-user-1", connection_intent="add", idempotency_key=key).id,
        "client credentials": lambda c, who, key: c.pipes.create_data_integration_client_credential(
            machines, user_id=who, **machine, connection_intent="add", idempotency_key=key
        ).id,
        "user's account": lambda c, who, key: c.pipes.create_user_connected_account(who, GITHUB, access_token="gho_1", connection_intent="add", idempotency_key=key).id,
        "organization's account": lambda c, who, key: c.pipes.create_organization_connected_account(
            who, shared, user_id="u", access_token="t", connection_intent="add", idempotency_key=key
        ).id,
        "webhook endpoint": lambda c, who, key: c.webhooks.create_webhook_endpoint(endpoint_url=f"https://hooks.acme.example/{who}", events=hook, **option(key)).id,
    }  # fmt: skip


def test_the_same_key_twice_makes_one_thing(at: At) -> None:
    for name, create in creations(at).items():
        who, key, client = at.new("user"), at.new("key"), at.client.client
        first = create(client, who, key)
        assert create(client, who, key) == first, name
        with pytest.raises(workos.ConflictError) as other:
            create(client, at.new("user"), key)
        assert other.value.code == "idempotency_key_conflict", name
        assert create(client, at.new("user"), at.new("key")) != first, name
    accounts = {row.slug: row.connected_accounts for row in at.pipes.list_user_data_providers(who, supports_multiple_connections=True).data}
    assert all(len(found) <= 1 for found in accounts.values())


def test_an_answer_that_was_lost_is_given_again(at: At, proxy: FaultProxy, behind: WorkOSClient) -> None:
    """The client repeats by itself with the key it made up; the stage had done the work."""
    for name, create in creations(at).items():
        who = at.new("user")
        proxy.requests.clear()
        proxy.add("", faults.status(502, {"message": "Internal server error"}, forward=True))
        made = create(behind, who, at.new("key"))
        sent = [each for each in proxy.requests if each.method == "POST"]
        assert len(sent) == 2 and sent[0].body == sent[1].body, name
        assert sent[0].headers["Idempotency-Key"] == sent[1].headers["Idempotency-Key"], name
        assert made, name


def test_a_key_is_the_callers_own(at: At, sandbox: Sandbox) -> None:
    second = keys.create("another", sandbox.environ)
    key, user = at.new("key"), at.new("user")
    first = at.pipes.create_user_connected_account(user, GITHUB, access_token="gho_1", connection_intent="add", idempotency_key=key)
    with WorkOSClient(api_key=second, client_id="client_x", base_url=at.url) as other:
        assert other.pipes.create_user_connected_account(user, GITHUB, access_token="gho_1", connection_intent="add", idempotency_key=key).id != first.id


def test_what_failed_may_be_tried_again_with_its_key(at: At) -> None:
    slug, user, key = at.custom("api_key"), at.new("user"), at.new("key")
    add = {"user_id": user, "secret": "sk-of-the-user-1", "connection_intent": "add", "idempotency_key": key}
    at.pipes.update_data_integration(slug, enabled=False)
    with pytest.raises(workos.UnprocessableEntityError):
        at.pipes.create_data_integration_api_key(slug, **add)
    at.pipes.update_data_integration(slug, enabled=True)
    assert at.pipes.create_data_integration_api_key(slug, **add).api_key_last_4


def test_retry_after_is_waited_for(at: At, proxy: FaultProxy, behind: WorkOSClient) -> None:
    for status in (429, 503):
        proxy.requests.clear()
        proxy.add("/token", faults.status(status, {"message": "later"}, {"Retry-After": "1"}), times=2)
        assert behind.pipes.get_access_token(GITHUB, user_id=at.new("user")).error == "not_installed"
        assert [each.status for each in proxy.requests] == [status, status, 200]
        assert {each.headers["Idempotency-Key"] for each in proxy.requests} == {proxy.requests[0].headers["Idempotency-Key"]}


def test_a_provider_in_trouble_costs_a_caller_a_retry_and_no_token(at: At, proxy: FaultProxy, behind: WorkOSClient) -> None:
    """A 503 of the stage itself: tokens live for a second, the simulated provider fails two refreshes, the client waits as it is told."""
    user, knobs = at.new("user"), f"{at.url}/simulator/google/knobs"
    requests.post(knobs, json={"access_token_seconds": 1}, timeout=30).raise_for_status()
    try:
        at.person().connect(at.pipes.authorize_data_integration("google", user_id=user).url, "ada")
        first = behind.pipes.get_access_token("google", user_id=user).access_token
        assert first is not None
        requests.post(knobs, json={"behaviour": "500", "times": 2}, timeout=30).raise_for_status()
        until = time.monotonic() + 60
        while 503 not in [each.status for each in proxy.requests] and time.monotonic() < until:
            latest = behind.pipes.get_access_token("google", user_id=user).access_token
            assert latest is not None
        assert latest is not None and latest.access_token != first.access_token
        (refused, *_) = [each for each in proxy.requests if each.status == 503]
        (repeated, *_) = [each for each in proxy.requests if each.started > refused.started]
        assert repeated.headers["Idempotency-Key"] == refused.headers["Idempotency-Key"] and repeated.started - (refused.ended or 0) >= 1
    finally:
        requests.post(knobs, json={"action": "reset"}, timeout=30)


def test_a_bad_request_is_not_repeated(at: At, proxy: FaultProxy, behind: WorkOSClient) -> None:
    with pytest.raises(workos.BadRequestError) as refused:
        behind.pipes.create_user_connected_account(at.new("user"), GITHUB, access_token="gho_1", idempotency_key="k" * 256)
    assert refused.value.code == "invalid_idempotency_key" and len(proxy.requests) == 1
