"""The real Node client: its stories run in one Node process, and nothing of the package is left out."""

import json
import os
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests import compatibility
from tests.peers import faults
from tests.peers.fault_proxy import FaultProxy
from tests.peers.node import NODE_DIR, ensure_node_packages, node_binary
from tests.sdk.node_documented import Package
from tests.sdk.stage import At
from tests.sdk.test_older import prepared

RUN = Path(__file__).parent / "node" / "run.mjs"
BY_HAND = {"verifyHeader", "constructEvent", "computeSignature", "getTimestampAndSignatureHash", "parseVerifiedPayload"}  # of webhooks; they make no request
ACCOUNT, OWN = {"userId": "u", "slug": "github"}, {"organizationId": "o", "slug": "github"}
KEY, MACHINE = {"slug": "github", "userId": "u", "secret": "sk-1111"}, {"slug": "github", "userId": "u", "clientId": "c", "clientSecret": "s"}
LEAST: dict[str, dict[str, Any]] = {
    "pipes.listDataIntegrations": {},
    "pipes.createDataIntegration": {"provider": "github"},
    **{f"pipes.{name}DataIntegration": {"slug": "github"} for name in ("get", "update", "delete", "getOrganization", "updateOrganization", "deleteOrganization")},
    "pipes.createDataIntegrationApiKey": {**KEY, "connectionIntent": "add"},
    "pipes.updateDataIntegrationApiKey": KEY,
    "pipes.authorizeDataIntegration": ACCOUNT,
    "pipes.createDataIntegrationClientCredential": {**MACHINE, "connectionIntent": "add"},
    "pipes.updateDataIntegrationClientCredentials": MACHINE,
    "pipes.createDataIntegrationCredential": ACCOUNT,
    "pipes.getAccessToken": {"provider": "github", "userId": "u"},
    **{f"pipes.{name}UserConnectedAccount": ACCOUNT for name in ("get", "create", "update", "delete")},
    **{f"pipes.{name}OrganizationConnectedAccount": OWN for name in ("get", "delete")},
    **{f"pipes.{name}OrganizationConnectedAccount": {**OWN, "userId": "u"} for name in ("create", "update")},
    "pipes.listUserDataProviders": {"userId": "u"},
    "pipes.listOrganizationDataProviders": {"organizationId": "o"},
    "widgets.createToken": {"userId": "u"},
    "events.listEvents": {"events": ["pipes.connected_account.connected"]},
    "webhooks.listWebhookEndpoints": {},
    "webhooks.createWebhookEndpoint": {"endpointUrl": "https://hooks.acme.example/x", "events": ["pipes.connected_account.connected"]},
    "webhooks.updateWebhookEndpoint": {"id": "we_0"},
    "webhooks.deleteWebhookEndpoint": {"id": "we_0"},
}


@pytest.fixture(scope="module")
def told(at: At) -> list[dict[str, Any]]:
    """What the Node process printed."""
    folder = ensure_node_packages()
    given = {**prepared(at), "url": at.url, "landing": at.landing, "key": at.client.client._api_key, "least": LEAST, "tokenUrl": at.machines.token_url}
    given |= {"machine": at.credentials(), "shared": at.custom(ownership="organization"), "idempotencyKey": at.new("key"), "outage": "http://127.0.0.1"}
    at.pipes.delete_user_connected_account(given["member"], "github", organization_id=given["organization"])
    with ExitStack() as proxies:
        lossy = proxies.enter_context(FaultProxy(at.url))
        lossy.add("/connected_accounts/github", faults.status(502, {"message": "Internal server error"}, forward=True))
        lossy.add("/token", faults.status(429, {"message": "Too Many Requests"}, {"Retry-After": "1"}), faults.status(503, {"message": "later"}, {"Retry-After": "1"}))
        throttle = proxies.enter_context(FaultProxy(at.url, chooser=lambda _: faults.status(429, {"message": "Too Many Requests"}, {"Retry-After": "7"})))
        outage = proxies.enter_context(FaultProxy(at.url, chooser=lambda _: faults.status(500, {"message": "Internal server error"})))
        given |= {"lossy": lossy.base_url, "ports": {"429": throttle.base_url.rsplit(":", 1)[1], "500": outage.base_url.rsplit(":", 1)[1]}}
        environ = {name: value for name, value in os.environ.items() if not name.startswith("NODE_")}
        done = subprocess.run([node_binary(), str(RUN)], input=json.dumps(given), cwd=folder, env=environ, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        assert lossy.pending() == 0
        keys = {each.headers.get("Idempotency-Key") or each.headers.get("idempotency-key") for each in lossy.requests if each.path.endswith("/token")}
        assert len(keys) == 1 and None not in keys
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_story_of_the_node_client(told: list[dict[str, Any]]) -> None:
    problems = {line["story"]: line["problem"] for line in told if line.get("problem")}
    assert not problems, "\n\n".join(f"{story}\n{problem}" for story, problem in problems.items())


def test_nothing_of_the_node_package_is_left_out(told: list[dict[str, Any]]) -> None:
    package = Package(NODE_DIR / "node_modules" / "@workos-inc" / "node")
    methods, seen = package.methods(), told[-1]["seen"]
    assert package.elsewhere() == set()
    assert set(LEAST) == set(methods)
    assert set(told[0]["methods"]) == {*methods, *(f"webhooks.{name}" for name in BY_HAND)}
    untried = {name: sorted((method.options or {"(options unknown)"}) - set(seen[name]["options"])) for name, method in methods.items() if seen[name]["worked"]}
    assert {name: left for name, left in untried.items() if left} == {}
    assert [name for name in told[0]["methods"] if not seen.get(name, {}).get("worked")] == []
    client = f"@workos-inc/node {told[0]['version']}"
    for name in told[0]["methods"]:
        notes = ""
        if name in methods:
            options, statuses = methods[name].options or frozenset(), {int(error.rsplit(" ", 1)[1]) for error in seen[name]["errors"] if error.rsplit(" ", 1)[-1].isdecimal()}
            answered = methods[name].errors & statuses
            also, never = sorted(statuses - methods[name].errors), sorted(methods[name].errors - statuses)
            parts = [f"{len(options)} option{'s' if len(options) != 1 else ''}", "errors " + " ".join("5xx" if status == 500 else str(status) for status in sorted(answered))]
            notes = "; ".join([*parts, *([f"also {' '.join(map(str, also))}"] if also else []), *([f"not met: {' '.join(map(str, never))}"] if never else [])])
        compatibility.record(client, name, "works", notes)
    assert compatibility.documented(client) == set(told[0]["methods"])
