"""Rules R19 to R22 at the HTTP edge: one way out for an access token, none for anything else."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from chalicelib import wiring
from chalicelib.domain.models import Owner
from chalicelib.domain.tokens import TokenSet
from chalicelib.doors.crypto import token_facts
from tests.engine.scenes import SLUG
from tests.peers import faults
from tests.web.conftest import OpenSite
from tests.web.gateway import Answer
from tests.web.people import RETURN_TO, Site, journal, query_of, somebody
from tests.web.test_connect_rules import finish, parked


def secrets_of(user: str) -> TokenSet:
    """What is sealed for a user, opened as the engine opens it."""
    connection = wiring.engine().store.connection(Owner(user_id=user), SLUG)
    assert connection is not None and connection.sealed is not None
    return TokenSet.from_payload(wiring.engine().sealer.open(connection.sealed, token_facts(connection)))


def test_r19_no_answer_but_the_token_endpoints_holds_a_secret(strict: Site, capsys: pytest.CaptureFixture[str]) -> None:
    user, browser = somebody(), strict.browser()
    back = browser.back_from(strict.peer, strict.authorize(user)["url"], user)
    code = query_of(back)["code"][0]
    browser.arrive(back)
    connect_code, _state = parked(strict, user)
    finish(strict, connect_code)
    strict.at_peer.fault(faults.status(400, {"error": "invalid_grant"}))
    strict.connect(user)
    strict.connect(user, at=somebody())
    for path in (f"/user_management/users/{user}/data_providers", "/data-integrations", f"/data-integrations/{SLUG}"):
        assert strict.api("GET", path).status == 200
    strict.api("PUT", f"/data-integrations/{SLUG}", {"description": "seen"})
    strict.api("PUT", f"/data-integrations/{SLUG}", {"credentials": {"client_secret": ["x"]}})
    strict.account(user)
    held = secrets_of(user)
    assert held.refresh_token is not None
    refresh_token, access_token = held.refresh_token.reveal(), held.access_token.reveal()
    verifiers = [value for request in strict.at_peer.proxy.requests for value in request.form().get("code_verifier", [])]
    assert verifiers
    crawled = [answer.whole() for answer in strict.gateway.answers]
    token = strict.api("POST", f"/data-integrations/{SLUG}/token", {"user_id": user})
    assert access_token in token.text
    strict.api("DELETE", f"/user_management/users/{user}/connected_accounts/{SLUG}")
    crawled += [strict.gateway.answers[-1].whole()]
    secret = strict.peer.client_secret
    for text in [*crawled, capsys.readouterr().out, repr(strict.rows())]:
        for hidden in (refresh_token, access_token, code, secret, secret[:20], strict.key, strict.key.split("_", 2)[2], *verifiers):
            assert hidden not in text
    assert refresh_token not in token.whole() and secret not in token.whole()


def every_route(site: Site) -> Iterator[tuple[str, str, str]]:
    """Each resource and method that the stage has, with a path that fits."""
    for resource, methods in site.gateway.app.routes.items():
        for method in methods:
            yield method, resource, re.sub(r"\{[^}]+\}", "nothing", resource)


def is_page(answer: Answer) -> bool:
    return answer.headers.get("content-type", [""])[0].startswith("text/html")


def assert_guarded(answer: Answer, where: str) -> None:
    # The simulator stands for somebody else's site; its forms check where they come from.
    assert answer.one("Referrer-Policy") == "no-referrer" or ("/simulator" in where and answer.one("Referrer-Policy") == "same-origin"), where
    assert answer.one("X-Content-Type-Options") == "nosniff", where
    assert "max-age=" in answer.one("Strict-Transport-Security"), where
    assert answer.one("X-Request-ID") == answer.request, where
    assert answer.one("Cache-Control") == "no-store", where
    if is_page(answer) and "simulator" not in where:
        policy = answer.one("Content-Security-Policy")
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy, where
        # A script only where a page needs one, and then a file of ours.
        assert ("script-src 'self'" in policy) == ("<script" in answer.text) and "<script>" not in answer.text, where
        assert answer.one("X-Frame-Options") == "DENY", where
        assert not re.search(r"(src|href)=\"(https?:)?//(?!localhost:8000)", answer.text), where


@pytest.mark.parametrize("key", ["", "good"])
def test_r20_every_answer_of_every_route_is_guarded(site: Site, key: str) -> None:
    seen: dict[int, int] = {}
    for method, resource, path in every_route(site):
        answer = site.api(method, path, {} if method in ("POST", "PUT") else None, key=site.key if key else "sk_wrong")
        if "dashboard" not in resource:  # which knows sessions, and no API keys
            seen[answer.status] = seen.get(answer.status, 0) + 1
        assert_guarded(answer, f"{method} {resource} {answer.status}")
        if "simulator" not in resource and not is_page(answer) and answer.status >= 400:
            assert {"message", "code"} <= set(answer.json()) <= {"message", "code", "errors"}
    assert {404, 405} <= set(seen)
    assert (401 in seen) == (not key)


def test_r20_pages_that_see_a_code_are_left_at_once(strict: Site) -> None:
    user, browser = somebody(), strict.browser()
    link = strict.authorize(user)["url"]
    assert_guarded(browser.get(link), "confirm")
    back = browser.back_from(strict.peer, link, user)
    code = query_of(back)["code"][0]
    left = browser.get(back)
    assert left.status == 303 and left.body == b"" and code not in left.whole() and query_of(back)["state"][0] not in left.whole()
    assert (left.one("Cache-Control"), left.one("Referrer-Policy")) == ("no-store", "no-referrer")
    page = browser.get(left.location)
    assert_guarded(page, "done")
    assert code not in page.whole() and "state=" not in page.text


def test_r20_one_answers_request_id_never_shows_in_another(site: Site) -> None:
    """A warm container keeps nothing of an answer for the next."""
    first = site.gateway("GET", "/connect/x", headers={"Sec-Purpose": "prefetch"})
    second = site.gateway("GET", "/connect/x")
    assert (first.one("X-Request-ID"), second.one("X-Request-ID")) == (first.request, second.request)


def test_r20_server_errors_are_guarded_too(at_django: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    user = somebody()
    link = at_django.authorize(user)["url"].removeprefix("http://localhost:8000")
    at_django.connected(user)
    for row in at_django.connections():
        sealed = bytearray(row["sealed"])
        sealed[-1] ^= 1
        at_django.engine.dynamodb.update_item(
            TableName=at_django.stage.table, Key={"pk": {"S": row["pk"]}, "sk": {"S": row["sk"]}}, UpdateExpression="SET sealed = :s", ExpressionAttributeValues={":s": {"B": bytes(sealed)}}
        )
    damaged = at_django.api("POST", f"/data-integrations/{SLUG}/token", {"user_id": user})
    assert (damaged.status, damaged.json()["code"]) == (500, "integrity_error")
    assert_guarded(damaged, "integrity")

    at_django.engine.dynamodb.delete_table(TableName=at_django.stage.table)
    for answer in (at_django.api("POST", f"/data-integrations/{SLUG}/token", {"user_id": user}), at_django.gateway("GET", link)):
        assert answer.status == 503, answer.text
        assert_guarded(answer, "no table")

    monkeypatch.delenv("STANDPIPE_TABLE")
    wiring.engine.cache_clear()
    for answer in (at_django.api("GET", "/data-integrations"), at_django.gateway("GET", link), at_django.gateway("GET", "/callback/x?state=y")):
        assert (answer.status, answer.json()["code"]) == (500, "not_configured")
        assert "STANDPIPE_TABLE" not in answer.text
        assert_guarded(answer, "not configured")
    assert "STANDPIPE_TABLE" in capsys.readouterr().out


def test_r20_no_address_of_ours_ever_holds_a_token(strict: Site) -> None:
    user = somebody()
    strict.connect(user, return_to=RETURN_TO)
    held = secrets_of(user)
    addresses = [value for answer in strict.gateway.answers for value in answer.headers.get("location", [])]
    assert addresses and held.refresh_token is not None
    assert not any(secret in address for address in addresses for secret in (held.access_token.reveal(), held.refresh_token.reveal()))
    assert all(request.query == "" for request in strict.at_peer.proxy.requests)


def test_r21_no_view_shows_more_of_a_secret_than_its_last_four_characters(strict: Site) -> None:
    strict.connected(user := somebody())
    held, secret = secrets_of(user), strict.peer.client_secret
    shown = strict.api("GET", f"/data-integrations/{SLUG}").json()["credentials"]["redacted_client_secret"]
    assert shown == secret[-4:]
    for path in ("/data-integrations", f"/data-integrations/{SLUG}", f"/user_management/users/{user}/data_providers", f"/user_management/users/{user}/connected_accounts/{SLUG}"):
        text = strict.api("GET", path).text
        for hidden in (held.access_token.reveal(), held.refresh_token.reveal() if held.refresh_token else "", secret):
            assert hidden[:8] not in text and hidden[-8:] not in text


def test_r22_an_access_token_only_and_never_cached(strict: Site) -> None:
    strict.connected(user := somebody())
    answer = strict.api("POST", f"/data-integrations/{SLUG}/token", {"user_id": user})
    assert answer.one("Cache-Control") == "no-store"
    assert not re.search("refresh_token", answer.text)
    strict.clock.ahead = timedelta(hours=2)
    renewed = strict.api("POST", f"/data-integrations/{SLUG}/token", {"user_id": user})
    assert renewed.json()["access_token"]["generation"] == 2 and "refresh_token" not in renewed.text
    rejected = strict.api("POST", f"/data-integrations/{SLUG}/token/rejected", {"user_id": user, "generation": 2})
    assert rejected.one("Cache-Control") == "no-store" and "refresh_token" not in rejected.text
    held = secrets_of(user)
    assert held.refresh_token and held.refresh_token.reveal() not in answer.text + renewed.text + rejected.text


def test_r22_every_read_leaves_a_line_the_refused_ones_too(at_django: Site, capsys: pytest.CaptureFixture[str]) -> None:
    at_django.connected(user := somebody())
    path = f"/data-integrations/{SLUG}/token"
    capsys.readouterr()
    read = at_django.api("POST", path, {"user_id": user})
    (line,) = journal(capsys.readouterr().out, "token_read")
    key_id = at_django.key.split("_")[1]
    account = read.json()["access_token"]["connected_account_id"]
    assert line == {"event": "token_read", "request": read.request, "key": key_id, "outcome": "active", "connection": account, "provider": SLUG, "user": user, "organization": None, "generation": 1}

    def outcome(**body: object) -> str:
        sent = at_django.api("POST", path, {"user_id": user, **body})
        printed = capsys.readouterr().out
        (line,) = journal(printed, "token_read")
        assert (line["request"], line["key"], line["user"], line["provider"]) == (sent.request, key_id, body.get("user_id", user), SLUG)
        assert len(journal(printed, "refused")) == (sent.status >= 400)
        return str(line["outcome"])

    assert outcome(user_id=somebody()) == "not_installed"
    assert outcome(connected_account_id="data_installation_x") == "connected_account_not_found"
    at_django.clock.ahead = timedelta(hours=2)
    at_django.at_peer.fault(faults.status(503), times=4)
    assert outcome() == "temporarily_unavailable"
    at_django.at_peer.proxy.clear()
    at_django.clock.ahead = timedelta(hours=3)
    at_django.peer.revoke_user(user)
    assert outcome() == "needs_reauthorization"


def test_r22_a_request_that_is_refused_at_the_door_leaves_a_line_without_its_path(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    handle = f"{'h' * 43}.{'s' * 43}"
    wrong = site.api("POST", "/data-integrations/github/token", {"user_id": "u1"}, key="sk_wrong")
    site.api("PUT", f"/connect/{handle}")
    site.api("GET", f"/nothing/{handle}")
    printed = capsys.readouterr().out
    lines = journal(printed, "refused")
    assert {name: value for name, value in lines[0].items() if name != "detail"} == {
        "event": "refused",
        "request": wrong.request,
        "method": "POST",
        "route": "/data-integrations/{slug}/token",
        "status": 401,
        "code": "unauthorized",
        "key": None,
    }
    assert [(line["method"], line["route"], line["status"], line["code"]) for line in lines[1:]] == [("PUT", "/connect/{handle}", 405, "method_not_allowed"), ("GET", "/{proxy+}", 404, "not_found")]
    assert handle not in printed


def test_r19_the_simulator_does_not_exist_in_production(open_site: OpenSite) -> None:
    site = open_site(STANDPIPE_ENVIRONMENT="production", STANDPIPE_URL="https://connect.example.com", STANDPIPE_ALLOWED_PRIVATE_HOSTS="")
    for method, path in (("GET", "/simulator"), ("GET", "/simulator/github/login/oauth/authorize"), ("POST", "/simulator/github/knobs"), ("GET", "/simulator/hits")):
        answer = site.gateway(method, path)
        assert (answer.status, answer.json()["code"]) == (404, "not_found")
    site.api("POST", "/data-integrations", {"provider": "github", "enabled": True})
    refused = site.api("POST", "/data-integrations/github/authorize", {"user_id": "u1"})
    assert (refused.status, refused.json()["code"]) == (409, "credentials_missing")
