"""Rules R1 to R5: one state, one code, one browser, one person."""

import re
from datetime import timedelta

import pytest

from chalicelib.domain import ids
from chalicelib.doors.oauth import code_challenge
from tests.engine.scenes import at_once
from tests.web.conftest import OpenSite
from tests.web.people import RETURN_TO, VERIFIER, Site, csrf_of, query_of, somebody

BOUND = {"return_to": RETURN_TO, "code_challenge": code_challenge(VERIFIER), "code_challenge_method": "S256"}


def finish(site: Site, connect_code: str, verifier: str = VERIFIER, **more: str):  # type: ignore[no-untyped-def]
    return site.api("POST", "/data-integrations/finish", {"connect_code": connect_code, "code_verifier": verifier, **more})


def parked(site: Site, user: str) -> tuple[str, str]:
    """A session-bound flow up to the application's return URL: its connect code and state."""
    browser, begun = site.browser(), site.authorize(user, **BOUND)
    assert begun["completion"] == "finish_required"
    landed = browser.get(browser.back_from(site.peer, begun["url"], user))
    assert landed.status == 303 and landed.location.startswith(RETURN_TO + "?")
    arrived = query_of(landed.location)
    assert arrived["state"] == [begun["state"]] and set(arrived) == {"connect_code", "state"}
    return arrived["connect_code"][0], begun["state"]


def test_r01_twenty_returns_at_once_make_one_exchange_and_one_connection(strict: Site) -> None:
    user, browser = somebody(), strict.browser()
    back = browser.back_from(strict.peer, strict.authorize(user)["url"], user)
    strict.peer.reset_hits()
    answers = at_once(20, lambda _: browser.gateway("GET", back.removeprefix(browser.origin), headers={"Cookie": "; ".join(f"{n}={v}" for n, v in browser.cookies.items())}))
    assert strict.peer.token_posts() == strict.peer.token_posts("authorization_code") == 1
    assert len(strict.connections()) == 1
    assert {answer.status for answer in answers} == {303}
    pages = [browser.get(answer.location) for answer in answers]
    assert len([page for page in pages if "Peer is connected" in page.text]) >= 1
    assert all("Peer is connected" in page.text or "This link was already used" in page.text for page in pages)
    assert strict.works(user)
    assert browser.get(back).status == 303 and strict.peer.token_posts() == 1


def test_r01_state_is_random_stored_as_a_hash_and_ends_after_ten_minutes(at_django: Site) -> None:
    user, browser = somebody(), at_django.browser()
    begun = at_django.authorize(user)
    handle = begun["url"].rsplit("/", 1)[1]
    back = browser.back_from(at_django.peer, begun["url"], user)
    assert query_of(back)["state"] == [begun["state"]]
    assert len(begun["state"].split(".")[1]) == 43  # 256 bits
    stored = repr(at_django.rows())
    for secret in (begun["state"], handle, *begun["state"].split("."), handle.split(".")[1], *browser.cookies.values()):
        assert secret not in stored or secret == begun["state"].split(".")[0], secret
    (pending,) = [row for row in at_django.rows() if row["pk"].startswith("pending#")]
    assert pending["state_digest"] == ids.digest(begun["state"]) and pending["handle_digest"] == ids.digest(handle)
    assert 0 < pending["ttl"] - at_django.clock().timestamp() <= 600

    at_django.clock.ahead = timedelta(minutes=10, seconds=1)
    late = browser.arrive(back)
    assert "This link has expired" in late.text and at_django.exchanges() == 0 and at_django.connections() == []


def test_r02_every_authorization_request_carries_an_s256_challenge_of_its_own(strict: Site) -> None:
    seen = set()
    for _ in range(3):
        asked = query_of(strict.browser().confirm(strict.authorize(somebody())["url"]))
        assert asked["code_challenge_method"] == ["S256"] and len(asked["code_challenge"][0]) == 43
        seen.add(asked["code_challenge"][0])
        assert "code_verifier" not in asked
    assert len(seen) == 3


@pytest.mark.parametrize("url", ["https://connect.example.com", "http://localhost:8000"])
def test_r03_the_cookie_that_binds_a_browser(open_site: OpenSite, url: str) -> None:
    site = open_site(STANDPIPE_URL=url)
    assert site.api("POST", "/data-integrations", {"provider": "github", "enabled": True}).status == 201
    opened = site.browser().get(site.authorize("u1", "github")["url"])
    (line,) = opened.headers["set-cookie"]
    attributes = {part.strip().lower() for part in line.split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/", "max-age=600"} <= attributes
    assert not any(attribute.startswith("domain") for attribute in attributes)
    assert ("secure" in attributes) == url.startswith("https:")
    assert line.startswith("__Host-") == url.startswith("https:")
    value = line.split(";")[0].split("=", 1)[1]
    assert len(value) == 43 and value not in repr(site.rows())


def test_r03_a_return_in_another_browser_connects_nothing(strict: Site) -> None:
    user, browser, other = somebody(), strict.browser(), strict.browser()
    back = browser.back_from(strict.peer, strict.authorize(user)["url"], user)
    other.cookies = dict.fromkeys(browser.cookies, "x" * 43)
    shown = other.arrive(back)
    assert shown.status == 400 and "Please stay in one browser" in shown.text
    # The right browser is too late: the state was spent by whoever came first.
    assert "Peer is connected" not in browser.arrive(back).text
    assert strict.exchanges() == 0 and strict.connections() == [] and strict.token(user)["error"] == "not_installed"


@pytest.mark.parametrize("foreign", ['prefs={"a":"b, c"}', "name=Zoë", "flag", "a b=c", 'open="never closed'], ids=["json", "letters", "bare", "space", "quote"])
def test_r03_a_foreign_cookie_does_not_cost_ours(strict: Site, foreign: str) -> None:
    """The application may set cookies for the parent domain that no cookie parser likes."""
    user, browser = somebody(), strict.browser()
    back = browser.back_from(strict.peer, strict.authorize(user)["url"], user)
    ours = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    answer = browser.gateway("GET", back.removeprefix(browser.origin), headers={"Cookie": f"{foreign}; {ours}"})
    assert answer.status == 303 and strict.works(user)


def test_r04_a_victim_who_opens_an_attackers_link_connects_nothing(strict: Site) -> None:
    """U1 starts a session-bound flow and sends the link to a victim, who even allows it."""
    attacker, victim, browser = somebody(), somebody(), strict.browser()
    begun = strict.authorize(attacker, **BOUND)
    landed = browser.get(browser.back_from(strict.peer, begun["url"], victim))
    assert strict.exchanges() == 0 and strict.connections() == []
    # The connect code is in the victim's browser only; the victim's application session has another verifier.
    for guess in (begun["state"], begun["url"].rsplit("/", 1)[1], f"{begun['state'].split('.')[0]}.{'x' * 43}", "nothing"):
        answer = finish(strict, guess)
        assert (answer.status, answer.json()["code"]) == (400, "invalid_connect_code")
    connect_code = query_of(landed.location)["connect_code"][0]
    refused = finish(strict, connect_code, "the-verifier-of-the-session-of-the-victim-12345678")
    assert (refused.status, refused.json()["code"]) == (403, "connection_could_not_be_verified")
    again = finish(strict, connect_code)
    assert again.status == 400, "burned"
    assert strict.exchanges() == 0 and strict.connections() == []


@pytest.mark.parametrize("wrong", [{"state": "another"}, {"user_id": "somebody else"}])
def test_r04_finishing_as_somebody_else_is_refused_and_burns_the_code(at_django: Site, wrong: dict[str, str]) -> None:
    connect_code, _state = parked(at_django, user := somebody())
    assert finish(at_django, connect_code, **wrong).status == 403
    assert finish(at_django, connect_code, user_id=user).status == 400
    assert at_django.exchanges() == 0 and at_django.connections() == []


def test_r04_the_one_who_started_finishes_once(strict: Site) -> None:
    user = somebody()
    connect_code, state = parked(strict, user)
    assert strict.exchanges() == 0
    assert connect_code.split(".")[1] not in repr(strict.rows())
    done = finish(strict, connect_code, state=state, user_id=user)
    assert done.status == 200 and done.json()["connected_account"]["user_id"] == user
    assert strict.exchanges() == 1 and strict.works(user)
    # The same request once more, because its answer was lost: the same account, and nothing is exchanged again.
    again = finish(strict, connect_code, state=state, user_id=user)
    assert again.status == 200 and again.json()["connected_account"]["id"] == done.json()["connected_account"]["id"]
    assert finish(strict, connect_code, "another-verifier-than-the-one-it-was-started-with").status == 400
    assert finish(strict, connect_code, user_id=somebody()).status == 400
    assert strict.exchanges() == 1 and strict.account(user).json()["generation"] == 1


def test_r04_twenty_finishes_at_once_make_one_exchange(at_django: Site) -> None:
    user = somebody()
    connect_code, _state = parked(at_django, user)
    answers = at_once(20, lambda _: finish(at_django, connect_code).status)
    assert 200 in answers and set(answers) <= {200, 400}
    assert at_django.exchanges() == 1 and at_django.works(user)


def test_r04_a_parked_code_lives_ninety_seconds(at_django: Site) -> None:
    connect_code, _state = parked(at_django, somebody())
    at_django.clock.ahead = timedelta(seconds=91)
    assert finish(at_django, connect_code).status == 400
    assert at_django.exchanges() == 0


def test_r04_where_proof_is_required_a_link_alone_cannot_be_made(open_site: OpenSite) -> None:
    site = open_site(STANDPIPE_REQUIRE_PROOF="true")
    assert site.api("POST", "/data-integrations", {"provider": "github", "enabled": True}).status == 201
    before = site.rows()
    refused = site.api("POST", "/data-integrations/github/authorize", {"user_id": "u1"})
    assert (refused.status, refused.json()["code"]) == (422, "proof_required")
    assert refused.json()["errors"] == [{"field": "code_challenge", "code": "required"}]
    assert site.rows() == before
    assert site.authorize("u1", "github", **BOUND)["completion"] == "finish_required"


def test_r05_a_link_works_for_the_first_browser_only(at_django: Site) -> None:
    first, second = at_django.browser(), at_django.browser()
    url = at_django.authorize(user := somebody())["url"]
    assert "Connect your Peer account" in first.get(url).text
    assert "Connect your Peer account" in first.get(url).text, "the same person may reload"
    other = second.get(url)
    assert other.status == 400 and "already used" in other.text and not second.cookies
    assert second("POST", url, body="csrf=x").status == 400
    back = first.back_from(at_django.peer, url, user)
    assert "already used" in first.get(url).text
    assert "Peer is connected" in first.arrive(back).text


def test_r05_opening_or_prefetching_a_link_starts_nothing(at_django: Site) -> None:
    browser, url = at_django.browser(), at_django.authorize(somebody())["url"]
    for header in ({"Sec-Purpose": "prefetch"}, {"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}):
        assert browser.get(url, headers=header).status == 204
    assert browser.cookies == {}
    (pending,) = [row for row in at_django.rows() if row["pk"].startswith("pending#")]
    assert pending["stage"] == "started"
    opened = browser.get(url)
    assert opened.status == 200 and "location" not in opened.headers and at_django.peer.authorization_endpoint not in opened.text
    (pending,) = [row for row in at_django.rows() if row["pk"].startswith("pending#")]
    assert pending["stage"] == "opened"


@pytest.mark.parametrize("body", ["", "csrf=", "csrf=" + "0" * 64, "csrf=%C3%A9", b"csrf=\xff"], ids=["missing", "empty", "wrong", "not ascii", "not utf-8"])
def test_r05_a_confirmation_without_the_pages_own_token_is_refused(at_django: Site, body: str) -> None:
    browser, url = at_django.browser(), at_django.authorize(somebody())["url"]
    browser.get(url)
    refused = browser("POST", url, body=body)
    assert refused.status == 400 and "location" not in refused.headers
    (pending,) = [row for row in at_django.rows() if row["pk"].startswith("pending#")]
    assert pending["stage"] == "opened"


def test_r05_another_flows_token_does_not_confirm_this_one(at_django: Site) -> None:
    browser = at_django.browser()
    mine, other = at_django.authorize(somebody())["url"], at_django.authorize(somebody())["url"]
    token = csrf_of(browser.get(other))
    browser.get(mine)
    assert browser("POST", mine, body=f"csrf={token}").status == 400


def test_r05_the_confirmation_page_names_app_person_provider_scopes_and_host(at_django: Site) -> None:
    user = somebody()
    text = at_django.browser().get(at_django.authorize(user)["url"]).text
    host = at_django.peer.authorization_endpoint.split("/")[2]
    for named in ("Acme", user, "Peer", "<code>read</code>", host):
        assert named in text
    assert not re.search(r"<script|onclick|javascript:|https?://(?!localhost:8000)", text)


@pytest.mark.parametrize(
    ("host", "allowed"),
    [("id.example:8443", " https://id.example:8443"), ("b\u00fccher.example", " https://xn--bcher-kva.example"), ("id.example;sandbox", ""), ("id.example,default-src", ""), ("id.example'*'", ""), ("a..example", "")],
)  # fmt: skip
def test_r05_an_authorization_url_adds_its_origin_to_the_policy_and_nothing_else(site: Site, host: str, allowed: str) -> None:
    custom = {"name": "Id", "authorization_url": f"https://{host}/authorize", "token_url": "https://id.example/token"}
    made = site.api("POST", "/data-integrations", {"provider": "id", "enabled": True, "custom_provider": custom, "credentials": {"client_id": "c", "client_secret": "s"}})
    assert made.status == 201, made.text
    page = site.browser().get(site.authorize(somebody(), "id")["url"])
    assert page.status == 200 and page.one("Content-Security-Policy").endswith(f"form-action 'self'{allowed}")


def test_r05_a_flow_cannot_be_started_without_a_key_or_by_a_query(site: Site) -> None:
    site.api("POST", "/data-integrations", {"provider": "github", "enabled": True})
    assert site.gateway("POST", "/data-integrations/github/authorize", body={"user_id": "u1"}).status == 401
    assert site.gateway("GET", "/data-integrations/github/authorize?user_id=u1").status == 405
    assert site.api("POST", "/data-integrations/github/authorize?user_id=u1").status == 422
