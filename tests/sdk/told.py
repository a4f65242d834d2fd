"""What the product is told: events that are listed, and webhooks that are delivered and verified."""

import queue
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import workos

from tests.sdk.stage import GITHUB, At, case

CONNECTED, DISCONNECTED = "pipes.connected_account.connected", "pipes.connected_account.disconnected"
FAILED, NEEDED = "pipes.connected_account.connection_failed", "pipes.connected_account.reauthorization_needed"
HOOK = "https://hooks.acme.example/standpipe"


@case
def events_are_listed_in_their_order(at: At) -> None:
    user, organization, since = at.new("user"), at.new("org"), datetime.now(UTC) - timedelta(seconds=2)
    at.pipes.create_user_connected_account(user, GITHUB, organization_id=organization, access_token="gho_1", scopes=["repo"])
    at.pipes.update_user_connected_account(user, GITHUB, organization_id=organization, state="needs_reauthorization")
    at.pipes.delete_user_connected_account(user, GITHUB, organization_id=organization)
    at.person().connect(at.pipes.authorize_data_integration(GITHUB, user_id=user, organization_id=organization).url, "octocat", decision="deny")
    listed = at.client.events.list_events
    within = {"limit": 10, "range_start": since, "range_end": datetime.now(UTC) + timedelta(minutes=1)}
    mine = _settled(3, lambda: listed(events=[CONNECTED, NEEDED, DISCONNECTED], organization_id=organization, **within))
    assert [each.event for each in mine.data] == [CONNECTED, NEEDED, DISCONNECTED]
    assert [type(each).__name__ for each in mine.data] == ["PipesConnectedAccountConnected", "PipesConnectedAccountReauthorizationNeeded", "PipesConnectedAccountDisconnected"]
    told = mine.data[0].data
    assert (told.object, told.user_id, told.organization_id, told.provider_slug, told.scopes, told.state) == ("connected_account", user, organization, GITHUB, ["repo"], "connected")
    assert (told.connection_role, told.auth_method, told.api_key_last_4) == ("compatibility", "oauth", None) and told.data_integration_id
    only = listed(events=[DISCONNECTED], organization_id=organization)
    assert [each.id for each in only.data] == [mine.data[2].id]
    paged = listed(events=[CONNECTED, NEEDED, DISCONNECTED], organization_id=organization, limit=1)
    assert [each.id for each in at.client.every(paged)] == [each.id for each in mine.data]
    after = listed(events=[CONNECTED, NEEDED, DISCONNECTED], organization_id=organization, after=mine.data[0].id)
    assert [each.id for each in after.data] == [each.id for each in mine.data[1:]]
    before = listed(events=[CONNECTED, NEEDED, DISCONNECTED], organization_id=organization, before=mine.data[2].id)
    assert [each.id for each in before.data] == [each.id for each in mine.data[:2]]
    backwards = listed(events=[CONNECTED, NEEDED, DISCONNECTED], organization_id=organization, order="desc")
    assert [each.id for each in backwards.data] == [each.id for each in mine.data[::-1]]
    assert listed(events=[CONNECTED], organization_id=organization, range_start="2100-01-01T00:00:00.000Z").data == []

    (failed,) = _settled(1, lambda: listed(events=[FAILED], organization_id=organization)).data
    assert type(failed).__name__ == "PipesConnectedAccountConnectionFailed"
    assert (failed.data.user_id, failed.data.provider_slug, failed.data.provider_error) == (user, GITHUB, "access_denied") and failed.data.error_code


@case
def what_cannot_be_listed_says_why(at: At) -> None:
    listed = at.client.events.list_events
    for wrong in ({"limit": 0}, {"limit": 101}, {"range_start": "yesterday"}, {"order": "sideways"}):
        try:
            listed(events=[CONNECTED], **wrong)
        except (workos.BadRequestError, workos.UnprocessableEntityError) as error:
            assert error.message
        else:
            raise AssertionError(f"{wrong} was taken")


@case
def webhook_endpoints_are_kept(at: At) -> None:
    hooks, url = at.client.webhooks, f"{HOOK}/{at.new('a')}"
    made = hooks.create_webhook_endpoint(endpoint_url=url, events=[CONNECTED, DISCONNECTED])
    assert (made.object, made.endpoint_url, made.status, made.events) == ("webhook_endpoint", url, "enabled", [CONNECTED, DISCONNECTED])
    assert made.id and made.secret and isinstance(made.created_at, datetime)
    at.refused(workos.ConflictError, None, hooks.create_webhook_endpoint, endpoint_url=url, events=[CONNECTED])
    changed = hooks.update_webhook_endpoint(made.id, endpoint_url=f"{url}/moved", status="disabled", events=[CONNECTED])
    assert (changed.id, changed.endpoint_url, changed.status, changed.events) == (made.id, f"{url}/moved", "disabled", [CONNECTED])
    other = hooks.create_webhook_endpoint(endpoint_url=f"{url}/other", events=[CONNECTED])
    at.refused(workos.ConflictError, None, hooks.update_webhook_endpoint, other.id, endpoint_url=f"{url}/moved")
    whole = [each.id for each in at.client.every(hooks.list_webhook_endpoints(limit=1))]
    assert whole[:2] == [other.id, made.id]
    assert [each.id for each in hooks.list_webhook_endpoints(limit=10, order="asc").data][-2:] == [made.id, other.id]
    assert [each.id for each in hooks.list_webhook_endpoints(after=other.id).data][0] == made.id
    assert [each.id for each in hooks.list_webhook_endpoints(before=made.id).data][-1] == other.id
    at.refused(workos.UnprocessableEntityError, None, hooks.create_webhook_endpoint, endpoint_url="not a url", events=[CONNECTED])
    at.refused(workos.UnprocessableEntityError, None, hooks.create_webhook_endpoint, endpoint_url=f"{url}/none", events=[])
    at.refused(workos.UnprocessableEntityError, None, hooks.update_webhook_endpoint, made.id, status="sleeping")
    for each in (made, other):
        hooks.delete_webhook_endpoint(each.id)
    at.refused(workos.NotFoundError, None, hooks.delete_webhook_endpoint, made.id)
    at.refused(workos.NotFoundError, None, hooks.update_webhook_endpoint, made.id, status="enabled")


@case
def a_delivery_is_verified(at: At) -> None:
    hooks, user = at.client.webhooks, at.new("user")
    endpoint = hooks.create_webhook_endpoint(endpoint_url=f"{at.machines.hook_url}/{user}", events=[CONNECTED])
    try:
        headers, body = _delivery(at, endpoint.endpoint_url, user)
        signature = headers["workos-signature"]
        event = hooks.verify_event(event_body=body, event_signature=signature, secret=endpoint.secret, tolerance=60)
        assert (event.event, event.data.user_id[: len(user)]) == (CONNECTED, user)
        hooks.verify_header(event_body=body.decode(), event_signature=signature, secret=endpoint.secret, tolerance=60)
        for wrong in ({"secret": "another"}, {"event_body": body + b" "}, {"tolerance": -1}, {"event_signature": "nonsense"}):
            given: dict[str, Any] = {"event_body": body, "event_signature": signature, "secret": endpoint.secret, **wrong}
            for check in (hooks.verify_event, hooks.verify_header):
                try:
                    check(**given)
                except ValueError:
                    continue
                raise AssertionError(f"{wrong} was taken")
    finally:
        hooks.delete_webhook_endpoint(endpoint.id)


def _settled(count: int, page: Callable[[], Any]) -> Any:
    """The page once it has that many events: the youngest few seconds are held back, so that nothing appears behind a cursor."""
    until = time.monotonic() + 60
    while len((found := page()).data) < count and time.monotonic() < until:
        time.sleep(0.5)
    return found


def _delivery(at: At, url: str, user: str) -> tuple[dict[str, str], bytes]:
    """The first delivery to this endpoint. Processes that do not know it yet tell it nothing for half a minute, so there is more than one event."""
    for number in range(12):
        at.pipes.create_user_connected_account(f"{user}_{number}", GITHUB, access_token="gho_1")
        try:
            path, headers, body = at.machines.deliveries.get(timeout=5)
        except queue.Empty:
            continue
        if url.endswith(path):
            return headers, body
    raise AssertionError("no delivery came")
