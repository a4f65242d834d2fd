"""Rules R6 to R9: a code and a secret go where they belong, whatever a hostile provider or a late edit wants."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from tests.engine.scenes import REGISTRATION_ID, SLUG
from tests.peers import FaultProxy
from tests.web.conftest import SECOND_ID
from tests.web.people import Site, query_of, somebody
from tests.web.test_connect_rules import finish, parked


@pytest.fixture
def hostile() -> Iterator[FaultProxy]:
    """A server that writes down everything it is sent."""
    with FaultProxy("http://127.0.0.1:9") as recorder:
        yield recorder


def custom(at: str, **more: Any) -> dict[str, Any]:
    return {"name": "Evil", "authorization_url": f"{at}/authorize", "token_url": f"{at}/token", **more}


def create_evil(site: Site, hostile: FaultProxy, **more: Any) -> str:
    made = site.api(
        "POST",
        "/data-integrations",
        {"provider": "evil", "enabled": True, "scopes": ["read"], "credentials": {"client_id": "evil", "client_secret": "of-evil-only"}, "custom_provider": custom(hostile.base_url, **more)},
    )
    assert made.status == 201, made.text
    return str(made.json()["id"])


def with_query(url: str, **changes: str | None) -> str:
    query = {name: values[0] for name, values in query_of(url).items()} | changes
    return f"{url.split('?')[0]}?{urlencode({name: value for name, value in query.items() if value is not None})}"


def test_r06_every_registration_has_a_redirect_uri_of_its_own(strict: Site, hostile: FaultProxy) -> None:
    evil = create_evil(strict, hostile)
    asked = query_of(strict.browser().confirm(strict.authorize(somebody())["url"]))
    other = query_of(strict.browser().confirm(strict.authorize(somebody(), "evil")["url"]))
    assert asked["redirect_uri"] == [f"http://localhost:8000/callback/{REGISTRATION_ID}"]
    assert other["redirect_uri"] == [f"http://localhost:8000/callback/{evil}"]


@pytest.mark.parametrize("path", [SECOND_ID, SLUG, "default", REGISTRATION_ID.lower(), REGISTRATION_ID + "%20"])
def test_r06_an_answer_at_another_registrations_address_is_refused(strict: Site, path: str) -> None:
    user, browser = somebody(), strict.browser()
    back = browser.back_from(strict.peer, strict.authorize(user)["url"], user)
    page = browser.arrive(back.replace(REGISTRATION_ID, path))
    assert page.status == 400 and "came to the wrong address" in page.text
    assert strict.exchanges() == 0 and strict.connections() == []


def test_r06_a_hostile_provider_never_gets_an_honest_providers_code(strict: Site, hostile: FaultProxy) -> None:
    """Evil's authorization endpoint sends the browser on to Honest, with its own flow's state."""
    evil, user, browser = create_evil(strict, hostile), somebody(), strict.browser()
    at_evil = browser.confirm(strict.authorize(user, "evil")["url"])
    assert at_evil.startswith(hostile.base_url)
    honest = strict.browser().confirm(strict.authorize(somebody())["url"])
    asked = query_of(at_evil)
    bounced = strict.peer.approve(with_query(honest, state=asked["state"][0], code_challenge=asked["code_challenge"][0]), user=user)
    assert urlsplit(bounced).path == f"/callback/{REGISTRATION_ID}" and query_of(bounced)["code"]
    assert "came" in (page := browser.arrive(bounced)).text and page.status == 400
    # And with the path changed too, by whatever redirector: the answer names its sender.
    again = browser.confirm(strict.authorize(user, "evil")["url"])
    moved = with_query(bounced, state=query_of(again)["state"][0]).replace(REGISTRATION_ID, evil)
    assert "came from somewhere else" in browser.arrive(moved).text
    assert hostile.requests == []
    assert strict.exchanges() == 0 and strict.connections() == []


def move_token_url(site: Site, to: str, **more: Any) -> Any:
    return site.api("PUT", f"/data-integrations/{SLUG}", {"custom_provider": {"token_url": to}, **more})


NEW_SECRET = {"credentials": {"client_secret": "entered-again-for-the-new-host"}}


def test_r06_editing_the_token_url_in_mid_flow_ends_the_flow(strict: Site, hostile: FaultProxy) -> None:
    user, browser = somebody(), strict.browser()
    back = browser.back_from(strict.peer, strict.authorize(user)["url"], user)
    assert move_token_url(strict, f"{hostile.base_url}/token", **NEW_SECRET).status == 200
    page = browser.arrive(back)
    assert page.status == 409 and "changed its settings for Peer" in page.text
    assert hostile.requests == [] and strict.exchanges() == 0 and strict.connections() == []


def test_r06_editing_the_token_url_while_a_code_is_parked_ends_the_flow(at_django: Site, hostile: FaultProxy) -> None:
    connect_code, _state = parked(at_django, somebody())
    assert move_token_url(at_django, f"{hostile.base_url}/token", **NEW_SECRET).status == 200
    refused = finish(at_django, connect_code)
    assert refused.json()["code"] == "invalid_data_integration" and refused.status == 400 and "changed" in refused.json()["message"]
    assert finish(at_django, connect_code).status == 400
    assert hostile.requests == [] and at_django.exchanges() == 0


@pytest.mark.parametrize("iss", [None, "", "flip", "https://evil.example", "slash", "upper"])
def test_r07_an_answer_that_does_not_name_its_issuer_exactly_is_refused(strict: Site, iss: str | None) -> None:
    user, browser = somebody(), strict.browser()
    back = browser.back_from(strict.peer, strict.authorize(user)["url"], user)
    (right,) = query_of(back)["iss"]
    assert right == strict.peer.issuer
    wrong = {"flip": right[:-1] + chr(ord(right[-1]) ^ 1), "slash": right + "/", "upper": right.upper()}.get(iss or "", iss)
    page = browser.arrive(with_query(back, iss=wrong))
    assert page.status == 400 and "came from somewhere else" in page.text
    assert "evil.example" not in page.text
    assert strict.exchanges() == 0 and strict.connections() == []


def test_r07_an_unexpected_issuer_is_refused_where_none_is_configured(at_django: Site) -> None:
    """A provider configured without issuer: a sender that names itself must at least be the host the browser was sent to."""
    peer = at_django.peer
    row = {"name": "Silent", "authorization_url": peer.authorization_endpoint, "token_url": at_django.peer.via(at_django.at_peer.proxy.base_url).token_endpoint}
    made = at_django.api(
        "POST",
        "/data-integrations",
        {"provider": "silent", "enabled": True, "scopes": ["read"], "credentials": {"client_id": peer.client_id, "client_secret": peer.client_secret}, "custom_provider": row},
    )
    assert made.status == 201
    browser = at_django.browser()
    asked = query_of(browser.confirm(at_django.authorize(somebody(), "silent")["url"]))
    back = f"{asked['redirect_uri'][0]}?{urlencode({'code': 'c', 'state': asked['state'][0], 'iss': 'https://evil.example'})}"
    assert "came from somewhere else" in browser.arrive(back).text
    assert at_django.exchanges() == 0


ENDPOINTS = ("token_url", "refresh_token_url", "revocation_url", "userinfo_url", "authorization_url")


def test_r08_an_endpoint_does_not_change_without_entering_the_secret_again(strict: Site, hostile: FaultProxy) -> None:
    before = strict.rows()
    for name in ENDPOINTS:
        refused = strict.api("PUT", f"/data-integrations/{SLUG}", {"custom_provider": {name: f"{hostile.base_url}/x"}})
        assert (refused.status, refused.json()["code"]) == (422, "client_secret_required"), name
        assert refused.json()["errors"] == [{"field": "credentials.client_secret", "code": "required"}]
    assert strict.api("PUT", f"/data-integrations/{SLUG}", {"credentials": {"client_id": "another"}}).status == 422
    assert strict.rows() == before

    assert move_token_url(strict, f"{hostile.base_url}/token", **NEW_SECRET).status == 200
    browser = strict.browser()
    browser.arrive(browser.back_from(strict.peer, strict.authorize(other := somebody())["url"], other))
    assert hostile.requests, "the new host is asked now"
    for request in hostile.requests:
        sent = repr(request.headers) + request.body.decode()
        assert strict.peer.client_secret not in sent and "with spaces" not in sent
    assert strict.api("GET", f"/data-integrations/{SLUG}").json()["credentials"]["redacted_client_secret"] == "host"


def test_r08_no_refresh_token_follows_an_endpoint_to_another_host(at_django: Site, hostile: FaultProxy) -> None:
    """Even with the secret entered again: what lives on a registration keeps going where it was consented to."""
    at_django.connected(user := somebody())
    before = at_django.rows()
    for name in ENDPOINTS[:-1]:
        refused = at_django.api("PUT", f"/data-integrations/{SLUG}", {"custom_provider": {name: f"{hostile.base_url}/x"}, **NEW_SECRET})
        assert (refused.status, refused.json()["code"]) == (409, "data_integration_in_use"), name
    assert at_django.rows() == before
    at_django.clock.ahead = timedelta(hours=2)
    assert at_django.works(user) and hostile.requests == []


RESERVED = ("client_id", "redirect_uri", "response_type", "state", "code_challenge", "code_challenge_method", "scope")


@pytest.mark.parametrize("name", RESERVED)
def test_r09_reserved_authorization_parameters_cannot_be_configured(site: Site, hostile: FaultProxy, name: str) -> None:
    before = site.rows()
    body = {"provider": "evil", "custom_provider": custom(hostile.base_url, additional_authorization_parameters={name: "attacker"})}
    refused = site.api("POST", "/data-integrations", body)
    assert refused.status == 422 and name in refused.json()["message"]
    assert site.rows() == before


def test_r09_reserved_parameters_in_the_endpoint_itself_are_ours_exactly_once(site: Site, hostile: FaultProxy) -> None:
    taken = urlencode({**dict.fromkeys(RESERVED, "attacker"), "audience": "kept"})
    create_evil(site, hostile, authorization_url=f"{hostile.base_url}/authorize?{taken}", additional_authorization_parameters={"prompt": "consent"})
    begun = site.authorize("u1", "evil")
    asked = query_of(site.browser().confirm(begun["url"]))
    assert asked["state"] == [begun["state"]]
    assert (asked["client_id"], asked["response_type"], asked["scope"], asked["code_challenge_method"]) == (["evil"], ["code"], ["read"], ["S256"])
    assert (asked["audience"], asked["prompt"]) == (["kept"], ["consent"])
    assert all(len(values) == 1 and values != ["attacker"] for values in asked.values())
