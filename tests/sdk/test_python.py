"""The real Python client, sync and async: every story of it, every error, and the proof that no method, parameter or error was left out."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pytest
import workos

from tests import compatibility
from tests.peers import faults
from tests.peers.fault_proxy import FaultProxy
from tests.sdk import configurations, connecting, documented, imports, installations, integrations, keys, told  # noqa: F401 - they define CASES
from tests.sdk.conftest import KINDS
from tests.sdk.stage import CASES, GITHUB, At
from tests.sdk.witness import Ledger

CLIENT = f"workos (Python) {version('workos')}"
METHODS = documented.methods(workos.WorkOSClient(api_key="x", client_id="y"))
CALLED = {name: method for name, method in METHODS.items() if method.errors}  # the others make no request
# What a method needs to be called at all; a new method has to be given its own here.
KEY, MACHINE, ADD = {"user_id": "u", "secret": "sk-1111"}, {"user_id": "u", "client_id": "c", "client_secret": "s"}, {"connection_intent": "add"}
LEAST: dict[str, dict[str, Any]] = {
    "pipes.list_data_integrations": {},
    "pipes.create_data_integration": {"provider": "github"},
    "pipes.finish_connection": {"connect_code": "c", "code_verifier": "v" * 43},
    **{f"pipes.{name}": {"slug": GITHUB} for name in ("get_data_integration", "update_data_integration", "delete_data_integration")},
    **{f"pipes.{name}": {"slug": GITHUB} for name in ("list_data_integration_organization", "update_data_integration_organization", "delete_data_integration_organization")},
    "pipes.create_data_integration_api_key": {"slug": GITHUB, **KEY, **ADD},
    "pipes.update_data_integration_api_key": {"slug": GITHUB, **KEY},
    "pipes.authorize_data_integration": {"slug": GITHUB, "user_id": "u"},
    "pipes.create_data_integration_client_credential": {"slug": GITHUB, **MACHINE, **ADD},
    "pipes.update_data_integration_client_credentials": {"slug": GITHUB, **MACHINE},
    "pipes.create_data_integration_credential": {"slug": GITHUB, "user_id": "u"},
    "pipes.get_access_token": {"provider": GITHUB, "user_id": "u"},
    **{f"pipes.{name}_organization_connected_account": {"organization_id": "o", "slug": GITHUB} for name in ("get", "delete")},
    **{f"pipes.{name}_organization_connected_account": {"organization_id": "o", "slug": GITHUB, "user_id": "u"} for name in ("create", "update")},
    **{f"pipes.{name}_user_connected_account": {"user_id": "u", "slug": GITHUB} for name in ("get", "create", "update", "delete")},
    "pipes.list_organization_data_providers": {"organization_id": "o"},
    "pipes.list_user_data_providers": {"user_id": "u"},
    "pipes_provider.list_organization_data_integration_configurations": {"organization_id": "o"},
    "pipes_provider.update_organization_data_integration_configuration": {"organization_id": "o", "slug": GITHUB},
    "widgets.create_token": {"user_id": "u"},
    "events.list_events": {"events": ["pipes.connected_account.connected"]},
    "webhooks.list_webhook_endpoints": {},
    "webhooks.create_webhook_endpoint": {"endpoint_url": "https://hooks.acme.example/x", "events": ["pipes.connected_account.connected"]},
    "webhooks.update_webhook_endpoint": {"id": "we_0"},
    "webhooks.delete_webhook_endpoint": {"id": "we_0"},
}
clients = pytest.mark.parametrize("at", KINDS, indirect=True)


@clients
@pytest.mark.parametrize("story", CASES, ids=lambda story: story.__name__)
def test_story(at: At, story: Callable[[At], None]) -> None:
    story(at)


@clients
@pytest.mark.parametrize("method", CALLED)
def test_a_wrong_key_is_refused_by_every_method(at: At, method: str) -> None:
    error = at.refused(workos.AuthenticationError, "unauthorized", at.stranger.call, method, **LEAST[method])
    assert error.message and "sk_nobody" not in str(error)


@clients
def test_every_method_tells_an_outage_from_a_throttle(at: At) -> None:
    """What a gateway says before Standpipe is asked reaches the caller as the client's own kind, too."""
    with FaultProxy(at.url) as proxy:
        elsewhere = {"request_options": {"base_url": proxy.base_url}}
        for method, least in LEAST.items():
            proxy.add("", faults.status(429, {"message": "Too Many Requests"}, {"Retry-After": "7"}))
            with pytest.raises(workos.RateLimitExceededError) as throttled:
                at.client.call(method, **least, **elsewhere)
            assert throttled.value.retry_after == 7
            proxy.add("", faults.status(500, {"message": "Internal server error"}))
            with pytest.raises(workos.ServerError):
                at.client.call(method, **least, **elsewhere)
        assert proxy.pending() == 0


def test_nothing_of_the_package_is_left_out(ledgers: dict[str, Ledger]) -> None:
    """Runs after the stories above, in one process with them, as the tests of a file do."""
    assert documented.elsewhere(workos.WorkOSClient(api_key="x", client_id="y")) == set()
    assert set(LEAST) == set(CALLED)
    for kind in KINDS:
        assert ledgers[kind].untried() == {}, kind
    notes = {kind: {name: seen.notes(METHODS[name]) for name, seen in ledgers[kind].seen.items()} for kind in KINDS}
    assert notes["sync"] == notes["async"]
    for name, note in notes["sync"].items():
        compatibility.record(CLIENT, name, "works", note)
    assert compatibility.documented(CLIENT) == set(METHODS)
