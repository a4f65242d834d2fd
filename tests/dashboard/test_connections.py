"""Connections found, looked at, refreshed and disconnected; and what a page costs when there are many."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain import ids
from chalicelib.domain.models import Connection, Owner
from chalicelib.doors import keys
from chalicelib.doors.table import encode
from chalicelib.engine.dashboard_connections import LOOKED_AT_ONCE, PAGE, reference
from tests.dashboard.conftest import Administrator
from tests.engine.scenes import EXPIRED, SLUG
from tests.peers import faults
from tests.web.people import Site, somebody


def filled(site: Site, slug: str, count: int, **fields: Any) -> list[Connection]:
    """So many connections of a provider, written as they lie in the table; newest last."""
    registration = site.engine.registrations.get(slug)
    now = site.clock()
    made = []
    for number in range(count):
        at = now - timedelta(seconds=count - number)
        connection = Connection(
            id=f"data_installation_{ids.ulid(at)}", user_id=f"user_{number}", slug=slug, registration_id=registration.id, live_registration_id=registration.id,
            state="connected", generation=1, created_at=at, updated_at=at, connected_at=at,
        )  # fmt: skip
        made.append(replace(connection, **{name: value(number) if callable(value) else value for name, value in fields.items()}))
    rows = [{**keys.connection(each.owner, each.slug, each.account), **{name: value for name, value in vars(each).items() if value is not None}} for each in made]
    for start in range(0, len(rows), 25):
        batch = [{"PutRequest": {"Item": {name: encode(value) for name, value in row.items()}}} for row in rows[start : start + 25]]
        assert not site.engine.dynamodb.batch_write_item(RequestItems={site.stage.table: batch}).get("UnprocessedItems")
    return made


@contextmanager
def counted(site: Site) -> Iterator[Counter[str]]:
    """What is asked of the table meanwhile."""
    calls: Counter[str] = Counter()
    events = site.engine.dynamodb.meta.events

    def note(model: Any, **_: Any) -> None:
        calls[model.name] += 1

    events.register("before-call.dynamodb", note, unique_id="counted")
    try:
        yield calls
    finally:
        events.unregister("before-call.dynamodb", unique_id="counted")


def all_pages(olga: Administrator, query: str) -> list[dict[str, Any]]:
    found, cursor = [], ""
    while True:
        page = olga.get(f"/connections?{query}{cursor}")
        found += page["connections"]
        if page["cursor"] is None:
            return found
        cursor = f"&cursor={page['cursor']}"


def test_every_connection_of_a_provider_is_listed_once_newest_first(site: Site, olga: Administrator) -> None:
    olga.done("POST", "/providers/github")
    made = filled(site, "github", 2 * PAGE + 3)
    assert [each["id"] for each in all_pages(olga, "provider=github")] == [each.id for each in reversed(made)]


def test_without_a_filter_all_providers_are_gone_through(site: Site, olga: Administrator) -> None:
    made = []
    for slug in ("github", "google", "slack"):
        olga.done("POST", f"/providers/{slug}")
        made += filled(site, slug, PAGE + 1)
    found = [each["id"] for each in all_pages(olga, "")]
    assert sorted(found) == sorted(each.id for each in made) and len(set(found)) == len(made)


def test_a_rare_state_is_found_over_pages_of_bounded_size(site: Site, olga: Administrator) -> None:
    olga.done("POST", "/providers/github")
    made = filled(site, "github", 350, state=lambda number: "needs_reauthorization" if number in (3, 200) else "connected")
    query = "provider=github&state=needs_reauthorization"
    pages, cursor = [], ""
    while not pages or pages[-1]["cursor"]:
        pages.append(olga.get(f"/connections?{query}{cursor}"))
        cursor = f"&cursor={pages[-1]['cursor']}"
    assert [each["id"] for page in pages for each in page["connections"]] == [made[200].id, made[3].id]
    assert all(page["looked_at"] <= LOOKED_AT_ONCE for page in pages) and sum(page["looked_at"] for page in pages) == 350


def test_a_page_asks_no_more_of_the_table_however_much_there_is(site: Site, olga: Administrator) -> None:
    olga.done("POST", "/providers/github")
    asked = []
    for more in (100, 1900):
        filled(site, "github", more, user_id=lambda number, more=more: f"{more}_{number}")
        with counted(site) as calls:
            olga.get("/connections?provider=github")
            olga.get("/connections?state=needs_reauthorization")
            olga.get("/overview")
        asked.append(dict(calls))
        assert "Scan" not in calls
    assert asked[1]["Query"] <= asked[0]["Query"] and asked[1]["GetItem"] <= asked[0]["GetItem"]


def test_a_users_connections_are_found_with_and_without_organization(site: Site, olga: Administrator) -> None:
    for slug in ("github", "google"):
        olga.done("POST", f"/providers/{slug}")
        filled(site, slug, 3)
    filled(site, "slack" if olga.done("POST", "/providers/slack") else "", 1, user_id="user_1", organization_id="org_1")
    assert {each["slug"] for each in all_pages(olga, "user_id=user_1")} == {"github", "google"}
    assert {each["slug"] for each in all_pages(olga, "user_id=user_1&organization_id=org_1")} == {"slack"}
    assert {each["slug"] for each in all_pages(olga, "user_id=user_1&provider=google")} == {"google"}
    assert all_pages(olga, "user_id=nobody") == []


def test_everything_of_an_organization_is_found_its_own_and_its_members(site: Site, olga: Administrator) -> None:
    olga.done("POST", "/providers/github")
    members = filled(site, "github", PAGE + 2, organization_id="org_1")
    shared = filled(site, "github", 1, user_id=None, organization_id="org_1")
    filled(site, "github", 2, organization_id="org_2")
    found = all_pages(olga, "organization_id=org_1")
    assert {each["id"] for each in found} == {each.id for each in [*members, *shared]}


def test_one_is_found_by_its_id(site: Site, olga: Administrator) -> None:
    for slug in ("github", "google"):
        olga.done("POST", f"/providers/{slug}")
        made = filled(site, slug, 3)
    (found,) = olga.get(f"/connections?id={made[1].id}")["connections"]
    assert (found["id"], found["slug"], found["user_id"]) == (made[1].id, "google", "user_1")
    assert olga.get("/connections?id=data_installation_0")["connections"] == []


@pytest.mark.parametrize("cursor", ["x", "W10", "WzAsIHsicGsiOiAiYXBpX2tleXMifV0", "Wzk5LG51bGxd", "WzAsWzFdXQ", "%00", "é"])
def test_a_cursor_that_is_not_ours_leads_nowhere(olga: Administrator, cursor: str) -> None:
    olga.done("POST", "/providers/github")
    answer = olga.browser("GET", f"/dashboard/api/connections?provider=github&cursor={cursor}")
    assert (answer.status, answer.json()["code"]) == (400, "invalid_cursor")


@pytest.mark.parametrize("unknown", ["nothing", "W10", "WzEsMiwzLDRd", "WyJhIiwiYiIsImMiLCJkIl0", "W251bGwsbnVsbCwiZ2l0aHViIiwiZGVmYXVsdCJd"])
def test_a_reference_to_nothing_is_not_found(olga: Administrator, unknown: str) -> None:
    for method, path in (("GET", ""), ("POST", "/refresh"), ("POST", "/disconnect")):
        assert olga.send(method, f"/connections/{unknown}{path}").status == 404 if method == "POST" else olga.browser("GET", f"/dashboard/api/connections/{unknown}").status == 404


def shown(site: Site, olga: Administrator, user: str) -> tuple[str, dict[str, Any]]:
    connection = site.engine.store.connection(Owner(user_id=user), SLUG)
    assert connection is not None
    named = reference(connection)
    return named, olga.get(f"/connections/{named}")


def test_the_timeline_tells_what_happened_and_why(at_django: Site, olga: Administrator) -> None:
    user = somebody()
    at_django.connected(user)
    at_django.clock.ahead += EXPIRED
    at_django.at_peer.fault(faults.status(400, {"error": "invalid_grant"}))
    assert at_django.token(user)["error"] == "needs_reauthorization"
    _, one = shown(at_django, olga, user)
    assert [event["event"].rsplit(".", 1)[1] for event in one["events"]] == ["reauthorization_needed", "connected"]
    assert one["events"][0]["data"]["state_reason"] == "refused" and one["health"] == "needs_reauthorization"
    assert one["reason_text"].startswith("Peer no longer accepts this connection") and one["last_error"] == "invalid_grant"


def test_a_refresh_from_the_dashboard_is_the_same_as_any_and_is_audited(at_django: Site, olga: Administrator) -> None:
    user = somebody()
    at_django.connected(user)
    named, before = shown(at_django, olga, user)
    done = olga.done("POST", f"/connections/{named}/refresh")
    assert (done["good"], done["connection"]["generation"]) == (True, before["generation"] + 1)
    assert at_django.works(user)
    entry = olga.get("/audit")["entries"][0]
    assert (entry["action"], entry["facts"]["outcome"]) == ("connection.refreshed", "success_fresh")


def test_a_refresh_that_fails_says_so_and_harms_nothing(at_django: Site, olga: Administrator) -> None:
    user = somebody()
    at_django.connected(user)
    named, before = shown(at_django, olga, user)
    at_django.at_peer.fault(faults.status(503, {"error": "temporarily_unavailable"}), times=2)
    done = olga.done("POST", f"/connections/{named}/refresh")
    assert (done["good"], done["connection"]["state"], done["connection"]["generation"]) == (False, "connected", before["generation"])
    assert at_django.works(user)


def test_what_cannot_be_refreshed_is_not_ended_by_trying(site: Site, olga: Administrator) -> None:
    olga.done("POST", "/providers/github")
    for state in ("connected", "needs_reauthorization"):
        (made,) = filled(site, "github", 1, state=state)
        refused = olga.send("POST", f"/connections/{reference(made)}/refresh")
        assert (refused.status, refused.json()["code"]) == (422, "not_refreshable")
        assert olga.get(f"/connections/{reference(made)}")["state"] == state


def test_a_disconnect_from_the_dashboard_revokes_at_the_provider_and_is_audited(at_django: Site, olga: Administrator) -> None:
    user = somebody()
    at_django.connected(user)
    named, one = shown(at_django, olga, user)
    done = olga.done("POST", f"/connections/{named}/disconnect")
    assert (done["revocation"], done["connection"]["state"]) == ("revoked", "disconnected")
    assert at_django.token(user)["error"] == "not_installed"
    assert at_django.at_peer.revocations() == 1
    entry = olga.get("/audit")["entries"][0]
    assert (entry["action"], entry["facts"]["connection"]) == ("connection.disconnected", one["id"])
    assert olga.send("POST", f"/connections/{named}/disconnect").status == 404
