"""Clients of the Python package in this process, sync and async, before the session's sandbox."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import workos

from ops import keys
from ops.local.sandbox import Sandbox
from tests.deployed import Landing
from tests.sdk.peer import Machines
from tests.sdk.stage import At
from tests.sdk.witness import Ledger, Witness

KINDS = ("sync", "async")


@pytest.fixture(scope="session")
def machines() -> Iterator[Machines]:
    server = Machines()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def ledgers() -> dict[str, Ledger]:
    """What was seen of each kind of client by the tests of this module."""
    return {"sync": Ledger(workos.WorkOSClient(api_key="x", client_id="y")), "async": Ledger(workos.AsyncWorkOSClient(api_key="x", client_id="y"))}


@pytest.fixture(scope="module")
def made_at(sandbox: Sandbox, landing: Landing, machines: Machines, ledgers: dict[str, Ledger]) -> Callable[[str], Iterator[At]]:
    def made(kind: str) -> Iterator[At]:
        loop = asyncio.new_event_loop() if kind == "async" else None
        thread = threading.Thread(target=loop.run_forever, daemon=True) if loop else None
        if thread:
            thread.start()

        def client(key: str) -> Witness:
            given: dict[str, Any] = {"api_key": key, "client_id": "client_x", "base_url": sandbox.url, "max_retries": 0}
            return Witness(workos.AsyncWorkOSClient(**given) if loop else workos.WorkOSClient(**given), ledgers[kind], loop)

        known, stranger = client(sandbox.api_key), client("sk_nobody_made_this")
        others: list[Witness] = []

        def bound(organization: str) -> Witness:
            others.append(client(keys.create(f"of {organization}", sandbox.environ, organization)))
            return others[-1]

        yield At(kind=kind, url=sandbox.url, landing=landing.url, client=known, stranger=stranger, bound=bound, machines=machines)
        for endpoint in known.every(known.settle(known.client.webhooks.list_webhook_endpoints(limit=100))):
            known.settle(known.client.webhooks.delete_webhook_endpoint(endpoint.id))  # nobody is there to hear
        for each in (known, stranger, *others):
            each.settle(each.client.close())
        if loop and thread:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    return made


@pytest.fixture(scope="module")
def at(request: pytest.FixtureRequest, made_at: Callable[[str], Iterator[At]]) -> Iterator[At]:
    """Parametrized with a kind of client; "sync" otherwise."""
    yield from made_at(getattr(request, "param", "sync"))
