"""Several accounts of one owner at one provider: which is meant, which is made, and that none is ever taken for another."""

from typing import Any

from chalicelib import wiring
from chalicelib.engine import accounts
from tests.engine.scenes import SLUG
from tests.web.people import Site, somebody


def at(user: str, **query: str) -> str:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    return f"/user_management/users/{user}/connected_accounts/{SLUG}" + (f"?{asked}" if asked else "")


def connect(site: Site, user: str, upstream: str, **more: Any) -> None:
    browser = site.browser()
    done = browser.arrive(browser.back_from(site.peer, site.authorize(user, **more)["url"], upstream))
    assert done.status in (200, 303), done.text


def ids_of(site: Site, user: str, *, every: bool = True) -> list[str]:
    query = "?supports_multiple_connections=true" if every else ""
    (provider,) = site.api("GET", f"/user_management/users/{user}/data_providers{query}").json()["data"]
    return [each["id"] for each in provider["connected_accounts"]]


def test_the_first_fills_the_compatibility_slot_and_the_next_stand_beside_it(at_django: Site) -> None:
    user, home, work = somebody(), somebody(), somebody()
    connect(at_django, user, home, connection_intent="add", account_display_name="Home")
    connect(at_django, user, work, connection_intent="add", account_display_name="Work")
    first, second = ids_of(at_django, user)
    shown = [at_django.api("GET", at(user, connected_account_id=each)).json() for each in (first, second)]
    assert [(each["connection_role"], each["account_display_name"], each["account_identifier"]) for each in shown] == [("compatibility", "Home", home), ("standard", "Work", work)]
    assert ids_of(at_django, user, every=False) == [first]


def test_who_knows_of_one_account_only_sees_the_compatibility_account(at_django: Site) -> None:
    user = somebody()
    connect(at_django, user, somebody())
    connect(at_django, user, somebody(), connection_intent="add")
    first, _second = ids_of(at_django, user)
    assert at_django.token(user)["access_token"]["connected_account_id"] == first
    assert at_django.api("GET", at(user)).json()["id"] == first


def test_who_knows_of_several_has_to_name_one(at_django: Site) -> None:
    user = somebody()
    connect(at_django, user, somebody())
    assert at_django.token(user, supports_multiple_connections=True)["active"] is True
    connect(at_django, user, somebody(), connection_intent="add")
    for method, path, body in (
        ("POST", f"/data-integrations/{SLUG}/token", {"user_id": user, "supports_multiple_connections": True}),
        ("POST", f"/data-integrations/{SLUG}/credentials", {"user_id": user, "supports_multiple_connections": True}),
        ("GET", at(user, supports_multiple_connections="true"), None),
        ("DELETE", at(user, supports_multiple_connections="true"), None),
    ):
        refused = at_django.api(method, path, body)
        assert (refused.status, refused.json()["code"]) == (409, "account_selection_required"), path
    tokens = {at_django.token(user, connected_account_id=each)["access_token"]["access_token"] for each in ids_of(at_django, user)}
    assert len(tokens) == 2


def test_each_is_disconnected_alone_and_the_slot_is_filled_again(at_django: Site) -> None:
    user = somebody()
    connect(at_django, user, somebody())
    connect(at_django, user, somebody(), connection_intent="add")
    first, second = ids_of(at_django, user)
    assert at_django.api("DELETE", at(user, connected_account_id=first)).status == 204
    assert at_django.token(user)["error"] == "not_installed"
    assert at_django.token(user, connected_account_id=second)["active"] is True
    assert at_django.token(user, supports_multiple_connections=True)["access_token"]["connected_account_id"] == second
    connect(at_django, user, somebody(), connection_intent="add")
    again = ids_of(at_django, user)
    assert len(again) == 2 and again[1] == second and again[0] != first


def test_an_account_that_is_added_twice_is_one_connection(at_django: Site) -> None:
    """Two that refresh one grant would end it for both."""
    user, upstream = somebody(), somebody()
    connect(at_django, user, somebody())
    connect(at_django, user, upstream, connection_intent="add")
    before = ids_of(at_django, user)
    connect(at_django, user, upstream, connection_intent="add")
    assert ids_of(at_django, user) == before
    assert at_django.api("GET", at(user, connected_account_id=before[1])).json()["generation"] == 2
    assert at_django.token(user, connected_account_id=before[1])["active"] is True


def test_one_of_several_is_reauthorized_by_its_id(at_django: Site) -> None:
    user, upstream = somebody(), somebody()
    connect(at_django, user, somebody())
    connect(at_django, user, upstream, connection_intent="add", account_display_name="Second")
    _first, second = ids_of(at_django, user)
    connect(at_django, user, upstream, connection_intent="reauthorize", connected_account_id=second)
    account = at_django.api("GET", at(user, connected_account_id=second)).json()
    assert (account["generation"], account["account_display_name"], account["state"]) == (2, "Second", "connected")
    refused = at_django.api("POST", f"/data-integrations/{SLUG}/authorize", {"user_id": user, "connection_intent": "reauthorize", "connected_account_id": "data_installation_x"})
    assert (refused.status, refused.json()["code"]) == (404, "connected_account_not_found")
    both = at_django.api("POST", f"/data-integrations/{SLUG}/authorize", {"user_id": user, "connection_intent": "add", "connected_account_id": second})
    assert both.status == 422


def test_another_users_account_cannot_be_named(at_django: Site) -> None:
    user, other = somebody(), somebody()
    connect(at_django, user, somebody())
    connect(at_django, other, somebody())
    (theirs,) = ids_of(at_django, other)
    assert at_django.api("GET", at(user, connected_account_id=theirs)).status == 404
    assert at_django.api("POST", f"/data-integrations/{SLUG}/token", {"user_id": user, "connected_account_id": theirs}).status == 404


def test_there_is_a_limit_that_says_so(at_django: Site) -> None:
    user = somebody()
    for number in range(accounts.LIMIT):
        made = at_django.api("POST", at(user), {"access_token": f"token-{number}", "connection_intent": "add", "account_display_name": "Same"})
        assert made.status == 201, made.text
    assert len(set(ids_of(at_django, user))) == accounts.LIMIT
    assert {warning["code"] for warning in made.json()["warnings"]} == {"duplicate_account_display_name"}
    refused = at_django.api("POST", at(user), {"access_token": "one-more", "connection_intent": "add"})
    assert (refused.status, refused.json()["code"]) == (409, "connected_account_limit_reached")
    begun = at_django.api("POST", f"/data-integrations/{SLUG}/authorize", {"user_id": user, "connection_intent": "add"})
    assert begun.status == 409
    assert len(wiring.engine().store.connections(accounts.Owner(user_id=user), SLUG)) == accounts.LIMIT
