"""Webhook endpoints over HTTP, with WorkOS's own clients, and who may see which."""

import json
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import workos
from workos import WorkOSClient
from workos.common.models.update_webhook_endpoint_status import UpdateWebhookEndpointStatus

from chalicelib import wiring
from chalicelib.domain import events
from chalicelib.domain.circuit import Circuit
from chalicelib.domain.ids import ulid
from chalicelib.engine.webhooks import LIMIT
from tests.domain.samples import CANARY
from tests.domain.webhook_samples import event
from tests.peers.node import ensure_node_packages, node_binary
from tests.web.people import Site

URL = "https://hooks.example.com/standpipe"
ROUND = """
import { WorkOS } from "@workos-inc/node";
const [key, port] = process.argv.slice(1);
const workos = new WorkOS(key, { apiHostname: "localhost", port: Number(port), https: false });
const made = await workos.webhooks.createWebhookEndpoint({ endpointUrl: "https://hooks.example.com/node", events: ["pipes.connected_account.connected"] });
const changed = await workos.webhooks.updateWebhookEndpoint({ id: made.id, status: "disabled", events: ["pipes.connected_account.disconnected"] });
const listed = await workos.webhooks.listWebhookEndpoints();
await workos.webhooks.deleteWebhookEndpoint({ id: made.id });
const left = await workos.webhooks.listWebhookEndpoints({ limit: 5 });
console.log(JSON.stringify({ made, changed, listed: listed.data.map((each) => each.id), left: left.data.length }));
"""


@pytest.fixture
def client(site: Site) -> Iterator[WorkOSClient]:
    with site.gateway.served() as url:
        with WorkOSClient(api_key=site.key, client_id="client_x", base_url=url, max_retries=0) as made:
            yield made


def made(site: Site, url: str = URL, key: str | None = None, **more: Any) -> dict[str, Any]:
    answer = site.api("POST", "/webhook_endpoints", {"endpoint_url": url, "events": [events.CONNECTED], **more}, key=key)
    assert answer.status == 201, answer.text
    return dict(answer.json())


def bound(site: Site, organization_id: str) -> str:
    return str(wiring.engine().api_keys.create("bound", organization_id)[1])


def test_the_python_client_makes_lists_changes_and_deletes_endpoints(client: WorkOSClient) -> None:
    one = client.webhooks.create_webhook_endpoint(endpoint_url=URL, events=[events.CONNECTED, events.DISCONNECTED])
    assert (one.object, one.endpoint_url, one.status, one.events) == ("webhook_endpoint", URL, UpdateWebhookEndpointStatus.ENABLED, [events.CONNECTED, events.DISCONNECTED])
    assert one.secret.startswith("whsec_") and len(one.secret) == 49
    others = [client.webhooks.create_webhook_endpoint(endpoint_url=f"{URL}/{number}", events=[events.CONNECTED]) for number in range(3)]
    listed = list(client.webhooks.list_webhook_endpoints(limit=2).auto_paging_iter())
    assert [each.id for each in listed] == [each.id for each in [one, *others][::-1]]
    assert [each.id for each in client.webhooks.list_webhook_endpoints(limit=2, order="asc", after=one.id).data] == [others[0].id, others[1].id]
    assert [each.id for each in client.webhooks.list_webhook_endpoints(limit=1, order="asc", before=others[1].id).data] == [others[0].id]
    changed = client.webhooks.update_webhook_endpoint(one.id, endpoint_url=f"{URL}/new", status="disabled", events=[events.DEGRADED])
    assert (changed.endpoint_url, changed.status, changed.events) == (f"{URL}/new", UpdateWebhookEndpointStatus.DISABLED, [events.DEGRADED])
    assert client.webhooks.update_webhook_endpoint(one.id, status="enabled").endpoint_url == f"{URL}/new"
    client.webhooks.delete_webhook_endpoint(one.id)
    for gone in (one.id, "nothing", "x" * 300):
        with pytest.raises(workos.NotFoundError):
            client.webhooks.update_webhook_endpoint(gone, status="enabled")
    with pytest.raises(workos.NotFoundError):
        client.webhooks.delete_webhook_endpoint(one.id)
    with pytest.raises(workos.UnprocessableEntityError):
        client.webhooks.create_webhook_endpoint(endpoint_url="http://hooks.example.com", events=[events.CONNECTED])


def test_the_node_client_does_too(site: Site) -> None:
    with site.gateway.served() as url:
        command = [node_binary(), "--input-type=module", "-e", ROUND, site.key, url.rsplit(":", 1)[1]]
        done = subprocess.run(command, cwd=ensure_node_packages(), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["made"]["status"], found["changed"]["status"], found["changed"]["events"]) == ("enabled", "disabled", [events.DISCONNECTED])
    assert found["made"]["secret"].startswith("whsec_") and found["listed"] == [found["made"]["id"]] and found["left"] == 0


def test_a_secret_is_answered_whole_when_it_is_made_and_never_again(site: Site) -> None:
    endpoint = made(site)
    path, secret = f"/webhook_endpoints/{endpoint['id']}", endpoint["secret"]
    rotated = site.api("POST", f"{path}/rotate_secret").json()
    assert rotated["secret"].startswith("whsec_") and rotated["secret"] != secret
    shown = f"whsec_********{rotated['secret'][-4:]}"
    for answer in (site.api("GET", path), site.api("PATCH", path, {"events": [events.DEGRADED]})):
        assert answer.json()["secret"] == shown
    assert site.api("GET", "/webhook_endpoints").json()["data"][0]["secret"] == shown
    for once in (secret, rotated["secret"]):
        assert sum(once in answer.whole() for answer in site.gateway.answers) == 1
    rows = repr(site.rows())
    assert secret not in rows and rotated["secret"] not in rows


def test_a_create_that_is_sent_twice_makes_one_endpoint_with_one_secret(site: Site) -> None:
    """WorkOS's clients repeat a POST whose answer was lost, under the same key."""
    given = {"endpoint_url": URL, "events": [events.CONNECTED]}
    one, other = (site.api("POST", "/webhook_endpoints", given, headers={"Idempotency-Key": "retry-1"}) for _ in range(2))
    assert one.json() == other.json() and other.status == 201 and len(site.api("GET", "/webhook_endpoints").json()["data"]) == 1
    assert one.json()["secret"] not in repr(site.rows())


BAD_URLS = [
    "",
    "hooks.example.com",
    "http://hooks.example.com/",
    "ftp://hooks.example.com/",
    "https://",
    "https://user:password@hooks.example.com/",
    "https://hooks.example.com/#fragment",
    "https://hooks.example.com:0/",
    "https://hooks.example.com:99999/",
    "https://hooks.example.com/ x",
    "https://hooks.example.com/\r\nX: y",
    "https://10.0.0.7/",
    "https://169.254.169.254/latest/meta-data",
    "https://169.254.170.2/v2/credentials",
    "https://[::1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://[fd00::1]/",
    "https://0.0.0.0/",
    f"https://hooks.example.com/{'x' * 2048}",
]


@pytest.mark.parametrize("url", BAD_URLS, ids=lambda url: url[:50])
def test_r30_a_url_that_nobody_may_be_called_at_is_refused(site: Site, url: str) -> None:
    answer = site.api("POST", "/webhook_endpoints", {"endpoint_url": url, "events": [events.CONNECTED]})
    assert answer.status == 422 and answer.json()["errors"][0]["field"] == "endpoint_url"
    endpoint = made(site)
    assert site.api("PATCH", f"/webhook_endpoints/{endpoint['id']}", {"endpoint_url": url}).status == 422
    assert site.api("GET", f"/webhook_endpoints/{endpoint['id']}").json()["endpoint_url"] == URL


def test_a_private_host_is_called_where_the_operator_of_a_sandbox_lists_it(site: Site) -> None:
    assert made(site, "http://localhost:9/hook")["endpoint_url"] == "http://localhost:9/hook"


@pytest.mark.parametrize(
    "body",
    [
        {"endpoint_url": URL},
        {"events": [events.CONNECTED]},
        {"endpoint_url": URL, "events": []},
        {"endpoint_url": URL, "events": [events.CONNECTED, "user.created"]},
        {"endpoint_url": URL, "events": events.CONNECTED},
        {"endpoint_url": 7, "events": [events.CONNECTED]},
    ],
    ids=str,
)
def test_what_is_missing_or_unknown_is_named(site: Site, body: dict[str, Any]) -> None:
    answer = site.api("POST", "/webhook_endpoints", body)
    assert answer.status == 422 and answer.json()["errors"]
    assert site.api("GET", "/webhook_endpoints").json()["data"] == []


def test_there_is_a_limit_to_how_many_each_event_is_sent_to(site: Site) -> None:
    for number in range(LIMIT):
        made(site, f"{URL}/{number}")
    answer = site.api("POST", "/webhook_endpoints", {"endpoint_url": URL, "events": [events.CONNECTED]})
    assert (answer.status, answer.json()["code"]) == (409, "webhook_endpoint_limit_reached")
    made(site, key=bound(site, "org_1"))  # an organization has a limit of its own


def test_r25_an_organizations_key_has_endpoints_of_its_own_and_knows_of_no_others(site: Site) -> None:
    of_stage, one, other = made(site), bound(site, "org_1"), bound(site, "org_2")
    of_one = made(site, key=one)
    assert (of_stage["organization_id"], of_one["organization_id"]) == (None, "org_1")
    assert [each["id"] for each in site.api("GET", "/webhook_endpoints", key=one).json()["data"]] == [of_one["id"]]
    assert site.api("GET", "/webhook_endpoints", key=other).json()["data"] == []
    assert {each["id"] for each in site.api("GET", "/webhook_endpoints").json()["data"]} == {of_stage["id"], of_one["id"]}
    routes = [
        ("GET", "", None),
        ("PATCH", "", {"status": "disabled"}),
        ("DELETE", "", None),
        ("POST", "/rotate_secret", None),
        ("POST", "/replay", {"after": events.new_id(site.clock(), None)}),
        ("GET", "/deliveries", None),
    ]
    for method, path, body in routes:
        unknown = site.api(method, f"/webhook_endpoints/webhook_endpoint_{ulid(site.clock())}{path}", body, key=other)
        assert unknown.status == 404
        for foreign in (of_stage["id"], of_one["id"]):
            answer = site.api(method, f"/webhook_endpoints/{foreign}{path}", body, key=other)
            assert (answer.status, answer.json()) == (404, unknown.json()), (method, path)
    assert site.api("GET", f"/webhook_endpoints/{of_one['id']}", key=one).json()["status"] == "enabled"


def test_replay_is_taken_on_and_says_what_it_covers(site: Site) -> None:
    endpoint = made(site)
    path = f"/webhook_endpoints/{endpoint['id']}"
    nothing = site.api("POST", f"{path}/replay", {})
    assert (nothing.status, nothing.json()["code"]) == (422, "nothing_missed")
    assert site.api("POST", f"{path}/replay", {"after": "event_1"}).status == 422
    after = events.new_id(site.clock() - timedelta(days=1), None)
    taken = site.api("POST", f"{path}/replay", {"after": after})
    assert taken.status == 202 and (taken.json()["object"], taken.json()["after"], taken.json()["webhook_endpoint_id"]) == ("webhook_replay", after, endpoint["id"])
    site.api("PATCH", path, {"status": "disabled"})
    refused = site.api("POST", f"{path}/replay", {"after": after})
    assert (refused.status, refused.json()["code"]) == (409, "webhook_endpoint_disabled")
    site.clock.ahead += timedelta(minutes=5)
    assert site.api("PATCH", path, {"status": "enabled"}).json()["missed_since"] is not None
    since = site.api("POST", f"{path}/replay").json()["after"]
    assert since.startswith("event_") and site.api("GET", path).json()["missed_since"] is None


def test_every_change_is_on_record_with_the_key_that_made_it(site: Site) -> None:
    endpoint = made(site, f"{URL}?key={CANARY}")
    path = f"/webhook_endpoints/{endpoint['id']}"
    site.api("PATCH", path, {"status": "disabled"})
    site.api("POST", f"{path}/rotate_secret")
    site.api("DELETE", path)
    found = [row for row in site.rows() if row["pk"].startswith("audit#") and row["action"].startswith("webhook_endpoint.")]
    assert [row["action"].split(".")[1] for row in sorted(found, key=lambda row: row["sk"])] == ["created", "updated", "secret_rotated", "deleted"]
    assert {row["actor"] for row in found} == {site.key.split("_")[1]} and CANARY not in repr(found)


def test_deliveries_are_listed_newest_first_page_by_page(site: Site) -> None:
    endpoint = made(site, "http://localhost:9/nobody")
    engine = wiring.engine()
    for _ in range(5):
        told = event(engine.now())
        engine.agenda.save_circuit(Circuit(slug=told.id, version=1), (told,))
        engine.deliveries.handle({"v": 1, "endpoint": endpoint["id"], "event": told.id, "subject": told.subject, "attempt": 1}, lambda: 50.0)
    path, found = f"/webhook_endpoints/{endpoint['id']}/deliveries?limit=2", list[dict[str, Any]]()
    page = site.api("GET", path).json()
    while True:
        found += page["data"]
        if page["list_metadata"]["after"] is None:
            break
        page = site.api("GET", f"{path}&after={page['list_metadata']['after']}").json()
    assert [each["id"] for each in found] == sorted((each["id"] for each in found), reverse=True) and len(found) == 5
    assert {(each["object"], each["outcome"], each["error"], each["http_status"], each["attempt"]) for each in found} == {("webhook_delivery", "failed", "unreachable", None, 1)}
    assert all(each["next_attempt_at"] > each["created_at"] for each in found)


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "order=up", "before=a&after=b", "after=webhook_endpoint_x"])
def test_a_page_that_cannot_be_is_refused(site: Site, query: str) -> None:
    assert site.api("GET", f"/webhook_endpoints?{query}").status == 422


def test_two_endpoints_of_one_address_would_get_everything_twice_and_are_refused(site: Site) -> None:
    one, other = made(site), made(site, f"{URL}/2")
    again = site.api("POST", "/webhook_endpoints", {"endpoint_url": URL, "events": [events.DEGRADED]})
    moved = site.api("PATCH", f"/webhook_endpoints/{other['id']}", {"endpoint_url": URL})
    assert [(answer.status, answer.json()["code"]) for answer in (again, moved)] == [(409, "duplicate_endpoint")] * 2
    assert site.api("PATCH", f"/webhook_endpoints/{one['id']}", {"endpoint_url": URL}).status == 200
    made(site, key=bound(site, "org_1"))  # another's is no twin
