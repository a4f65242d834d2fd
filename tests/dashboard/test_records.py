"""API keys, the audit, the settings, the event log and webhook endpoints, as the dashboard reaches them."""

from datetime import timedelta

import pytest
from botocore.exceptions import EndpointConnectionError

from chalicelib import wiring
from chalicelib.domain.events import TYPES
from tests.dashboard.conftest import ACTOR, Administrator, Enter
from tests.engine.scenes import SLUG
from tests.web.people import Site, somebody


def test_r24_a_key_is_shown_once_and_works_until_it_is_revoked(site: Site, olga: Administrator) -> None:
    made = olga.done("POST", "/keys", {"name": "billing"})
    key = made["key"]
    assert site.api("GET", "/data-integrations", key=key).status == 200
    listed = olga.browser("GET", "/dashboard/api/keys")
    assert key not in listed.whole() and key.split("_")[2] not in listed.whole()
    assert [(each["name"], each["revoked_at"]) for each in listed.json()["keys"]] == [("billing", None), ("tests", None)]
    olga.done("DELETE", f"/keys/{made['record']['id']}")
    assert site.api("GET", "/data-integrations", key=key).status == 401
    assert olga.send("DELETE", "/keys/nothing").status == 404


def used_by_a_new_container(site: Site) -> int:
    """One call with the stage's key, and how many updates of the table it came to."""
    wiring.engine.cache_clear()
    updates: list[str] = []
    site.engine.dynamodb.meta.events.register("before-call.dynamodb.UpdateItem", lambda **_call: updates.append("update"))
    assert site.api("GET", "/data-integrations").status == 200
    return len(updates)


def test_when_a_key_was_last_used_is_noted_once_a_day_and_shown(site: Site, olga: Administrator) -> None:
    def last_used() -> str | None:
        return next(each["last_used_at"] for each in olga.get("/keys")["keys"] if each["name"] == "tests")

    assert last_used() is None
    assert used_by_a_new_container(site) == 1
    first = last_used()
    assert first is not None
    site.clock.ahead = timedelta(hours=23)
    assert used_by_a_new_container(site) == 0
    site.clock.ahead = timedelta(hours=25)
    assert used_by_a_new_container(site) == 1
    assert site.api("GET", "/data-integrations").status == 200
    site.clock.ahead = timedelta()
    assert (last_used() or "") > first


def test_no_call_fails_because_its_key_could_not_be_noted(site: Site, olga: Administrator) -> None:
    tries = list[str]()

    def lost(**_call: object) -> None:
        tries.append("UpdateItem")
        raise EndpointConnectionError(endpoint_url="https://dynamodb.invalid")

    other = olga.done("POST", "/keys", {"name": "other"})["key"]
    site.engine.dynamodb.meta.events.register("before-call.dynamodb.UpdateItem", lost)
    assert site.api("GET", "/data-integrations").status == 200
    once = len(tries)
    # A table that takes no writes costs the reader one wait, and not one for each key and every half minute.
    assert site.api("GET", "/data-integrations", key=other).status == 200
    assert once > 0 and len(tries) == once
    assert [each["last_used_at"] for each in olga.get("/keys")["keys"]] == [None, None]


def test_a_key_for_one_organization_reaches_nothing_of_the_stage(site: Site, olga: Administrator) -> None:
    made = olga.done("POST", "/keys", {"name": "tenant", "organization_id": "org_1"})
    assert made["record"]["organization_id"] == "org_1"
    olga.done("POST", "/providers/github")
    assert site.api("PUT", "/data-integrations/github", {"enabled": True}, key=made["key"]).status == 403


@pytest.mark.parametrize(
    "body", [{}, {"name": ""}, {"name": "  "}, {"name": 7}, {"name": "x" * 101}, {"name": "a\nb"}, {"name": "x", "organization_id": ["org"]}, {"name": "x", "organization_id": "o" * 256}]
)
def test_a_key_needs_a_name(olga: Administrator, body: dict[str, object]) -> None:
    assert olga.send("POST", "/keys", body).status == 422


def test_the_audit_goes_back_day_after_day_without_gap_or_repeat(site: Site, enter: Enter) -> None:
    for day in range(3):
        for number in range(30):
            site.engine.store.audit(site.clock(), ACTOR, "test.done", {"day": day, "number": number})
        site.clock.ahead += timedelta(days=1)
    olga = enter(site)
    found, cursor = [], ""
    while len(found) < 90:
        page = olga.get(f"/audit{cursor}")
        assert page["entries"]
        found += [entry for entry in page["entries"] if entry["action"] == "test.done"]
        cursor = f"?cursor={page['cursor']}"
    assert [entry["facts"]["day"] for entry in found] == [2] * 30 + [1] * 30 + [0] * 30
    assert len({entry["id"] for entry in found}) == 90 and [entry["at"] for entry in found] == sorted((entry["at"] for entry in found), reverse=True)


@pytest.mark.parametrize("cursor", ["yesterday", "2026-13-01", "2026-01-01.x", "api_keys"])
def test_an_audit_cursor_that_is_not_ours_leads_nowhere(olga: Administrator, cursor: str) -> None:
    assert olga.browser("GET", f"/dashboard/api/audit?cursor={cursor}").status == 400


def test_the_settings_are_shown_as_they_are(site: Site, olga: Administrator) -> None:
    shown = {each["name"]: each["value"] for each in olga.get("/settings")["settings"]}
    assert shown["STANDPIPE_URL"] == "http://localhost:8000" and shown["STANDPIPE_RETURN_URLS"] == ["https://app.example/connected"] and shown["STANDPIPE_APP_NAME"] == "Acme"


def test_the_log_shows_what_the_product_was_told_newest_first(at_django: Site, olga: Administrator) -> None:
    users = [somebody() for _ in range(2)]
    for user in users:
        at_django.connected(user)
    page = olga.get("/events")
    assert [each["data"]["user_id"] for each in page["events"]] == list(reversed(users)) and page["types"] == list(TYPES)
    assert [each["data"]["user_id"] for each in olga.get(f"/events?cursor={page['events'][0]['id']}")["events"]] == users[:1]
    assert olga.get("/events?type=pipes.connected_account.disconnected")["events"] == []
    assert olga.browser("GET", "/dashboard/api/events?type=nonsense").status == 422 and olga.browser("GET", "/dashboard/api/events?cursor=nonsense").status == 400


def test_a_webhook_endpoint_is_made_paused_sent_again_and_deleted(site: Site, olga: Administrator) -> None:
    made = olga.done("POST", "/webhooks", {"url": "https://hooks.example.com/standpipe", "events": [TYPES[0]]})
    secret, endpoint = made["secret"], made["endpoint"]["id"]
    assert secret.startswith("whsec_")
    listed = olga.browser("GET", "/dashboard/api/webhooks")
    assert secret not in listed.whole() and listed.json()["endpoints"][0]["secret_last_four"] == secret[-4:]
    assert olga.done("PUT", f"/webhooks/{endpoint}", {"status": "disabled"})["endpoint"]["status"] == "disabled"
    assert olga.send("POST", f"/webhooks/{endpoint}/replay", {}).status == 409
    assert olga.done("PUT", f"/webhooks/{endpoint}", {"status": "enabled", "events": list(TYPES)})["endpoint"]["events"] == list(TYPES)
    assert "until" in olga.done("POST", f"/webhooks/{endpoint}/replay", {})
    assert olga.get(f"/webhooks/{endpoint}/deliveries") == {"deliveries": [], "cursor": None}
    olga.done("DELETE", f"/webhooks/{endpoint}")
    assert olga.get("/webhooks")["endpoints"] == []
    assert {entry["actor"] for entry in olga.get("/audit")["entries"] if entry["action"].startswith("webhook_endpoint.")} == {ACTOR}


@pytest.mark.parametrize(
    "body",
    [{}, {"url": 7, "events": [TYPES[0]]}, {"url": "https://hooks.example.com", "events": []}, {"url": "https://hooks.example.com", "events": ["x"]}, {"url": "http://10.0.0.1", "events": [TYPES[0]]}],
)
def test_a_webhook_endpoint_needs_a_public_address_and_known_events(olga: Administrator, body: dict[str, object]) -> None:
    assert olga.send("POST", "/webhooks", body).status == 422


def test_a_custom_providers_name_is_that_of_its_registration(at_django: Site, olga: Administrator) -> None:
    assert {each["slug"]: each["name"] for each in olga.get("/providers")["providers"]}[SLUG] == "Peer"
