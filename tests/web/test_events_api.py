"""GET /events over HTTP, with WorkOS's own clients, and what an organization's key sees of it."""

import json
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from workos import WorkOSClient
from workos.common.models.pipes_connected_account_connected import PipesConnectedAccountConnected
from workos.events.models import EventSchemaUnknown

from chalicelib import wiring
from chalicelib.domain import events
from chalicelib.domain.circuit import Circuit
from chalicelib.domain.events import Event
from chalicelib.engine.event_pages import SETTLE
from tests.domain.webhook_samples import event
from tests.peers.node import ensure_node_packages, node_binary
from tests.web.people import Site

LISTED = """
import { WorkOS } from "@workos-inc/node";
const [key, port, after] = process.argv.slice(1);
const workos = new WorkOS(key, { apiHostname: "localhost", port: Number(port), https: false });
const both = ["pipes.connected_account.connected", "pipes.connected_account.disconnected"];
const page = await workos.events.listEvents({ events: both, limit: 2 });
const next = await workos.events.listEvents({ events: both, limit: 2, after: page.listMetadata.after, order: "asc" });
console.log(JSON.stringify({ page, next }));
"""


@pytest.fixture
def told(site: Site) -> list[Event]:
    """Six events of an hour, oldest first: kinds and organizations by turns."""
    now, engine, found = site.clock(), wiring.engine(), list[Event]()
    for number in range(6):
        kind = (events.CONNECTED, events.DISCONNECTED, events.DEGRADED)[number % 3]
        found.append(event(now - timedelta(minutes=60 - 10 * number), kind, ("org_1", "org_2")[number % 2], f"c{number}"))
        engine.agenda.save_circuit(Circuit(slug=f"c{number}", version=1), (found[-1],))
    return found


@pytest.fixture
def client(site: Site) -> Iterator[WorkOSClient]:
    with site.gateway.served() as url:
        with WorkOSClient(api_key=site.key, client_id="client_x", base_url=url, max_retries=0) as made:
            yield made


def ids(site: Site, query: str = "", key: str | None = None) -> list[str]:
    answer = site.api("GET", f"/events?{query}", key=key)
    assert answer.status == 200, answer.text
    return [each["id"] for each in answer.json()["data"]]


def test_the_python_client_reads_all_pages(client: WorkOSClient, told: list[Event]) -> None:
    page = client.events.list_events(events=list(events.TYPES), limit=2)
    found = list(page.auto_paging_iter())
    assert [each.raw_data["id"] if isinstance(each, EventSchemaUnknown) else each.id for each in found] == [each.id for each in told]
    assert isinstance(found[0], PipesConnectedAccountConnected) and found[0].data.organization_id == "org_1"
    wanted = client.events.list_events(events=[events.CONNECTED, events.DISCONNECTED], organization_id="org_1", limit=100, order="desc")
    assert [each.id for each in wanted.data] == [told[4].id, told[0].id]  # type: ignore[union-attr]
    narrow = client.events.list_events(events=list(events.TYPES), range_start=told[1].created_at, range_end=told[3].created_at)
    assert len(narrow.data) == 2 and narrow.after is None


def test_the_node_client_reads_pages_in_its_way(site: Site, told: list[Event]) -> None:
    with site.gateway.served() as url:
        command = [node_binary(), "--input-type=module", "-e", LISTED, site.key, url.rsplit(":", 1)[1]]
        done = subprocess.run(command, cwd=ensure_node_packages(), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [each["id"] for each in found["page"]["data"]] == [told[0].id, told[1].id] and found["page"]["data"][0]["data"]["organizationId"] == "org_1"
    assert [each["id"] for each in found["next"]["data"]] == [told[3].id, told[4].id] and found["next"]["listMetadata"]["after"] is None


@pytest.mark.parametrize("query", ["events={0},{1}", "events={0}&events={1}", "events[]={0}&events[]={1}", "events=,{0},&events={1}"])
def test_types_are_given_together_or_one_by_one(site: Site, told: list[Event], query: str) -> None:
    assert ids(site, query.format(events.CONNECTED, events.DEGRADED)) == [told[0].id, told[2].id, told[3].id, told[5].id]


def test_an_event_is_listed_as_it_was_published(site: Site, told: list[Event]) -> None:
    answer = site.api("GET", "/events?limit=1").json()
    assert answer == {"object": "list", "data": [events.envelope(told[0])], "list_metadata": {"before": None, "after": told[0].id}}


def test_both_directions_and_both_orders(site: Site, told: list[Event]) -> None:
    all_ids = [each.id for each in told]
    assert ids(site) == all_ids and ids(site, "order=desc") == all_ids[::-1]
    assert ids(site, f"after={all_ids[2]}") == all_ids[3:] and ids(site, f"before={all_ids[2]}") == all_ids[:2]
    assert ids(site, f"order=desc&after={all_ids[2]}") == all_ids[:2][::-1] and ids(site, f"order=desc&before={all_ids[2]}") == all_ids[3:][::-1]
    assert ids(site, f"limit=1&before={all_ids[3]}") == [all_ids[2]] and ids(site, "after=&before=&events=&organization_id=&range_start=") == all_ids


def test_what_just_happened_is_listed_when_it_has_settled(site: Site) -> None:
    fresh = event(site.clock())
    wiring.engine().agenda.save_circuit(Circuit(slug="x", version=1), (fresh,))
    assert ids(site) == []
    site.clock.ahead += SETTLE + timedelta(seconds=1)
    assert ids(site) == [fresh.id]


def test_r25_a_key_bound_to_an_organization_sees_its_events_whatever_it_asks_for(site: Site, told: list[Event]) -> None:
    key = str(wiring.engine().api_keys.create("bound", "org_1")[1])
    own = [each.id for each in told if each.data["organization_id"] == "org_1"]
    assert ids(site, key=key) == ids(site, "organization_id=org_1", key=key) == own
    assert ids(site, "organization_id=org_2", key=key) == ids(site, "organization_id=nobody", key=key) == []
    assert ids(site, f"after={told[1].id}", key=key) == own[1:]


SOME = "event_01KJMG3C00ABCDEFGHJKMNPQRS"
BAD = {
    "an unknown type": ("events=user.created", "events"),
    "one unknown among known": (f"events={events.CONNECTED},nonsense", "events"),
    "no limit": ("limit=0", "limit"),
    "too much": ("limit=101", "limit"),
    "no number": ("limit=ten", "limit"),
    "no order": ("order=normal", "order"),
    "no event": ("after=data_installation_01", "after"),
    "no event either": ("before=event_1", "before"),
    "both ways": (f"after={SOME}&before={SOME}", "before"),
    "no time": ("range_start=yesterday", "range_start"),
    "a time without a zone": ("range_end=2026-03-01T12:00:00", "range_end"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_filter_that_cannot_be_is_refused(site: Site, name: str) -> None:
    query, field = BAD[name]
    answer = site.api("GET", f"/events?{query}")
    assert (answer.status, answer.json()["errors"][0]["field"]) == (422, field)


def test_a_filter_given_twice_is_refused(site: Site) -> None:
    assert [site.api("GET", f"/events?{name}=a&{name}=b").status for name in ("after", "before", "limit", "order", "range_start", "range_end", "organization_id")] == [400] * 7


def test_nobody_reads_events_without_a_key(site: Site) -> None:
    found: list[Any] = [site.api(method, path, key="sk_wrong").status for method, path in (("GET", "/events"), ("GET", "/webhook_endpoints"), ("POST", "/webhook_endpoints"))]
    assert found == [401] * 3
