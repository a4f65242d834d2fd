"""Rule R26: the one-time link, the session it is exchanged for, and everything that is not signed in or not sent by our own page."""

import json
import re
from datetime import timedelta

import pytest

from chalicelib.engine.dashboard_sign_in import LINK_TTL, MAX_REFUSALS, SESSION_TTL
from ops import dashboard as ops_dashboard
from tests.dashboard.conftest import ACTOR, Administrator, Enter, cookie_of, exchange
from tests.web.conftest import OpenSite
from tests.web.people import Site

CHANGES = [
    (method, resource)
    for resource, methods in __import__("app").app.routes.items()
    if resource.startswith("/dashboard/api/") and resource != "/dashboard/api/sign-in"
    for method, entry in methods.items()
    if method != "GET" and not entry.view_function.__name__.startswith("wrong_method")
]
LOOKS = [
    resource
    for resource, methods in __import__("app").app.routes.items()
    if resource.startswith("/dashboard/api/") and "GET" in methods and not methods["GET"].view_function.__name__.startswith("wrong_method")
]


def path_of(resource: str) -> str:
    return re.sub(r"\{[^}]+\}", "nothing", resource).removeprefix("/dashboard/api")


def test_a_link_of_the_operator_signs_in_under_the_operators_own_name(site: Site) -> None:
    link = ops_dashboard.link({**site.stage.environ, **site.stage.cloud.environ})
    address, _, token = link.partition("#")
    assert address == "http://localhost:8000/dashboard/sign-in"
    browser = site.browser()
    answer = exchange(site, token)
    assert answer.status == 200
    browser.cookies |= cookie_of(answer)
    session = browser.get("/dashboard/api/session").json()
    assert session["actor"].startswith("arn:aws:") and session["role"] == "administrator"
    assert token not in answer.whole()


def test_a_link_is_good_once(site: Site) -> None:
    token = site.engine.sign_in.mint(ACTOR, "administrator")
    assert exchange(site, token).status == 200
    again = exchange(site, token)
    assert (again.status, again.json()["code"]) == (403, "link_refused")
    assert "set-cookie" not in again.headers


def test_a_link_is_good_for_five_minutes(site: Site) -> None:
    token = site.engine.sign_in.mint(ACTOR, "administrator")
    site.clock.ahead += LINK_TTL + timedelta(seconds=1)
    assert exchange(site, token).json()["code"] == "link_refused"


def test_unknown_used_and_expired_links_are_answered_alike(site: Site) -> None:
    used, expired = (site.engine.sign_in.mint(ACTOR, "administrator") for _ in range(2))
    assert exchange(site, used).status == 200
    site.clock.ahead += LINK_TTL + timedelta(seconds=1)
    bodies = {exchange(site, token).text for token in (used, expired, "x" * 43, "", "ü" * 43, "y" * 5000)}
    assert len(bodies) == 1


def test_the_cookie_is_bound_to_the_host_and_hidden_from_scripts(open_site: OpenSite) -> None:
    for url, name, secure in (("https://connect.example.com", "__Host-standpipe_dashboard", True), ("http://localhost:8000", "standpipe_dashboard", False)):
        site = open_site(STANDPIPE_URL=url)
        cookie = exchange(site, site.engine.sign_in.mint(ACTOR, "administrator")).one("set-cookie")
        assert cookie.startswith(f"{name}=") and "; Path=/" in cookie and "; HttpOnly" in cookie and "; SameSite=Strict" in cookie and f"Max-Age={8 * 3600}" in cookie
        assert ("; Secure" in cookie) is secure and "Domain" not in cookie


def test_neither_link_nor_session_is_stored_as_it_is(site: Site) -> None:
    token = site.engine.sign_in.mint(ACTOR, "administrator")
    session = next(iter(cookie_of(exchange(site, token)).values()))
    stored = repr(site.rows())
    assert token not in stored and session not in stored


def test_a_session_ends_by_itself(site: Site, olga: Administrator) -> None:
    site.clock.ahead += SESSION_TTL + timedelta(seconds=1)
    answer = olga.browser.get("/dashboard/api/session")
    assert (answer.status, answer.json()["code"]) == (401, "signed_out")


def test_signing_out_ends_this_session_at_once_and_no_other(site: Site, olga: Administrator, enter: Enter) -> None:
    other = enter(site)
    cookies = dict(olga.browser.cookies)
    signed_out = olga.done("POST", "/sign-out")
    assert signed_out == {"signed_in": False}
    olga.browser.cookies = cookies
    assert olga.browser.get("/dashboard/api/session").status == 401
    assert other.get("/session")["actor"] == ACTOR


def test_the_operator_revokes_every_session_at_once(site: Site, olga: Administrator, enter: Enter) -> None:
    other = enter(site)
    assert ops_dashboard.revoke_all({**site.stage.environ, **site.stage.cloud.environ}) == 2
    for each in (olga, other):
        assert each.browser.get("/dashboard/api/overview").status == 401


def test_an_address_that_is_refused_too_often_waits_and_others_do_not(site: Site) -> None:
    good = site.engine.sign_in.mint(ACTOR, "administrator")
    for _ in range(MAX_REFUSALS):
        assert exchange(site, "x" * 43).status == 403
    held = exchange(site, good)
    assert (held.status, held.json()["code"], held.one("retry-after")) == (429, "too_many_attempts", "300")
    assert exchange(site, good, **{"X-Forwarded-For": "203.0.113.9"}).status == 429, "a header is anybody's word"
    session, _cookie = site.engine.sign_in.exchange(good, "203.0.113.9")
    assert session.actor == ACTOR


def test_after_the_wait_the_address_may_try_again(site: Site) -> None:
    for _ in range(MAX_REFUSALS):
        exchange(site, "x" * 43)
    site.clock.ahead += timedelta(minutes=5)
    assert exchange(site, site.engine.sign_in.mint(ACTOR, "administrator")).status == 200


@pytest.mark.parametrize("resource", LOOKS)
def test_nothing_is_shown_to_who_is_not_signed_in(site: Site, resource: str) -> None:
    for cookies in ({}, {"standpipe_dashboard": "x" * 43}, {"standpipe_dashboard": ""}):
        browser = site.browser()
        browser.cookies |= cookies
        answer = browser.get(f"/dashboard/api{path_of(resource)}")
        assert (answer.status, answer.json()["code"]) == (401, "signed_out")


@pytest.mark.parametrize(("method", "resource"), CHANGES)
def test_r26_a_change_needs_session_token_origin_and_json(site: Site, olga: Administrator, method: str, resource: str) -> None:
    path = path_of(resource)
    before = site.rows()
    signed_out = Administrator(site, site.browser(), olga.csrf)
    assert signed_out.send(method, path).status == 401
    for headers in (
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": "0" * 64},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "text/plain"},
    ):
        refused = olga.send(method, path, **headers)
        assert (refused.status, refused.json()["code"]) == (403, "csrf"), headers
    assert site.rows() == before


@pytest.mark.parametrize(("method", "resource"), [each for each in CHANGES if not each[1].endswith("/sign-out")])
def test_who_may_look_changes_nothing(site: Site, enter: Enter, method: str, resource: str) -> None:
    viewer = enter(site, "viewer")
    before = site.rows()
    refused = viewer.send(method, path_of(resource))
    assert (refused.status, refused.json()["code"]) == (403, "read_only")
    assert site.rows() == before


def test_one_sessions_token_is_not_anothers(site: Site, olga: Administrator, enter: Enter) -> None:
    olga.csrf = enter(site).csrf
    assert olga.send("POST", "/keys", {"name": "stolen"}).status == 403


def test_sign_in_is_refused_from_another_site_and_as_a_form(site: Site) -> None:
    token = site.engine.sign_in.mint(ACTOR, "administrator")
    assert exchange(site, token, Origin="https://evil.example").status == 403
    assert site.gateway("POST", "/dashboard/api/sign-in", headers={"Content-Type": "application/x-www-form-urlencoded"}, body=f"token={token}").status == 403
    assert exchange(site, token).status == 200, "neither spent the link"


def test_the_page_is_not_framed_and_runs_nothing_but_its_own_script(site: Site) -> None:
    for path in ("/dashboard", "/dashboard/providers/github", "/dashboard/sign-in"):
        page = site.browser().get(path)
        policy = page.one("content-security-policy")
        assert page.status == 200 and page.one("x-frame-options") == "DENY"
        assert "default-src 'none'" in policy and "script-src 'self';" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert page.one("cache-control") == "no-store" and page.one("referrer-policy") == "no-referrer"
        assert not re.search(r"<script(?![^>]*\bsrc=)|\bon\w+=|style=", page.text), "nothing inline"


def test_every_change_is_audited_with_who_made_it(site: Site, olga: Administrator) -> None:
    olga.done("POST", "/providers/github")
    key = olga.done("POST", "/keys", {"name": "billing"})
    olga.done("DELETE", f"/keys/{key['record']['id']}")
    entries = olga.get("/audit")["entries"]
    assert [entry["action"] for entry in entries if entry["actor"] == ACTOR] == ["api_key.revoked", "api_key.created", "data_integration.created", "dashboard.signed_in", "dashboard.link_created"]
    assert key["key"] not in json.dumps(entries)
