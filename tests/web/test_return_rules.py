"""Rules R10 to R13: where a browser may be sent, and what is made of what a provider's answer says."""

from typing import Any
from urllib.parse import quote, urlencode

import pytest

from chalicelib import wiring
from tests.engine.scenes import REGISTRATION_ID
from tests.web.people import RETURN_TO, Answer, Browser, Site, query_of, somebody
from tests.web.test_connect_rules import BOUND, parked

OPEN_REDIRECTS = [
    "//evil.example",
    "///evil.example/connected",
    "/connected",
    "connected",
    "https:evil.example",
    "https:/app.example/connected",
    "http://app.example/connected",
    "https://evil.example/connected",
    "https://app.example@evil.example/connected",
    "https://user:pass@app.example/connected",
    "https://app.example:443/connected",
    "https://app.example:8443/connected",
    "https://app.example.evil.example/connected",
    "https://evil.example/https://app.example/connected",
    "https://evilapp.example/connected",
    "https://app.example./connected",
    "https://APP.example/connected",
    "https://app.example/Connected",
    "https://app.example/connected/",
    "https://app.example/connected/..",
    "https://app.example/../connected",
    "https://app.example/connected?next=evil",
    "https://app.example/connected#evil",
    "https://app.example/connected;evil",
    "https://app.example/connected%2f..%2fevil",
    "https://app.example%2f@evil.example/connected",
    "https://app.example%00.evil.example/connected",
    "https://app.example\\@evil.example/connected",
    "https://app.example\\connected",
    "\\\\evil.example",
    "\\evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)//https://app.example/connected",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "https://app.example/connected\r\nLocation: https://evil.example",
    "https://app.example/connected\n",
    "https://app.example/connected\t",
    "https://app.example/connected\x00",
    " https://app.example/connected",
    "https://app.example/connected ",
    "https://\u0430pp.example/connected",
    "https://xn--pp-7kc.example/connected",
    "https://app\u3002example/connected",
    "https://app.example\u2024/connected",
    "https://app.example/conn\u0435cted",
    "",
    "*",
    "https://*.example/connected",
    "https://[::1]/connected",
    "https://2130706433/connected",
]


def test_r10_a_return_url_is_registered_letter_by_letter_or_refused(site: Site) -> None:
    site.api("POST", "/data-integrations", {"provider": "github", "enabled": True})
    before = site.rows()
    for wanted in OPEN_REDIRECTS:
        refused = site.api("POST", "/data-integrations/github/authorize", {"user_id": "u1", "return_to": wanted})
        assert (refused.status, refused.json()["code"]) == (400, "invalid_return_to"), repr(wanted)
        assert refused.json()["errors"] == [{"field": "return_to", "code": "not_allowed"}]
        assert "location" not in refused.headers
    assert site.rows() == before
    for wanted in (["https://app.example/connected"], {"url": "x"}, 1, "https://app.example/" + "a" * 3000):
        assert site.api("POST", "/data-integrations/github/authorize", {"user_id": "u1", "return_to": wanted}).status == 422
    assert site.authorize("u1", "github", return_to=RETURN_TO)


def test_r10_the_browser_is_sent_back_by_303_with_ids_only(strict: Site) -> None:
    user = somebody()
    landed = strict.connect(user, return_to=RETURN_TO)
    assert landed.status == 303 and landed.location.split("?")[0] == RETURN_TO
    account = strict.account(user).json()
    assert query_of(landed.location) == {"status": ["connected"], "provider": ["peer"], "connected_account_id": [account["id"]]}


def test_r10_a_return_url_that_is_unregistered_in_mid_flow_is_not_used(at_django: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = at_django.browser()
    back = browser.back_from(at_django.peer, at_django.authorize(user := somebody(), return_to=RETURN_TO)["url"], user)
    monkeypatch.setenv("STANDPIPE_RETURN_URLS", "https://other.example/done")
    wiring.engine.cache_clear()
    page = browser.arrive(back)
    assert page.status == 409 and "app.example" not in page.whole()
    assert at_django.exchanges() == 0


def test_r10_no_failure_sends_the_browser_to_the_application_or_elsewhere(at_django: Site) -> None:
    """Each ends at a page of ours; the way back to the application is a link on it."""

    def failed(change: dict[str, str | None]) -> Answer:
        browser = at_django.browser()
        back = browser.back_from(at_django.peer, at_django.authorize(user := somebody(), return_to=RETURN_TO)["url"], user)
        query = {name: values[0] for name, values in query_of(back).items()} | change
        first = browser.get(f"{back.split('?')[0]}?{urlencode({n: v for n, v in query.items() if v is not None})}")
        assert first.status == 303 and first.location.startswith("http://localhost:8000/outcome/")
        return browser.get(first.location)

    assert "<a" in failed({"error": "access_denied", "code": None}).text
    for change in ({"iss": "https://evil.example"}, {"error": "server_error", "code": None}, {"code": None}, {"state": "x"}):
        page = failed(change)
        assert page.status >= 400 and "location" not in page.headers
    assert at_django.exchanges() == 0


EVIL_HOSTS = {
    "Host": "evil.example",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "gopher",
    "X-Forwarded-Port": "666",
    "Forwarded": "host=evil.example",
    "X-Original-URL": "/evil",
    "Origin": "https://evil.example",
    "Referer": "https://evil.example/",
}


def test_r11_addresses_come_from_configuration_never_from_the_request(strict: Site) -> None:
    user, browser = somebody(), strict.browser()
    begun = strict.api("POST", "/data-integrations/peer/authorize", {"user_id": user}, headers=EVIL_HOSTS)
    assert begun.json()["url"].startswith("http://localhost:8000/connect/")
    opened = browser.get(begun.json()["url"], headers=EVIL_HOSTS)
    csrf = opened.text.split('name="csrf" value="')[1].split('"')[0]
    gone = browser("POST", begun.json()["url"], body=f"csrf={csrf}", headers=EVIL_HOSTS)
    assert query_of(gone.location)["redirect_uri"] == [f"http://localhost:8000/callback/{REGISTRATION_ID}"]
    back = browser.get(strict.peer.approve(gone.location, user=user), headers=EVIL_HOSTS)
    assert back.location.startswith("http://localhost:8000/outcome/")
    page = browser.get(back.location, headers=EVIL_HOSTS)
    listed = strict.api("GET", "/data-integrations/peer", headers=EVIL_HOSTS)
    for answer in (begun, opened, gone, back, page, listed):
        assert "evil.example" not in answer.whole()


def returning(site: Site, user: str) -> tuple[Browser, str, dict[str, str]]:
    browser = site.browser()
    back = browser.back_from(site.peer, site.authorize(user)["url"], user)
    return browser, back.split("?")[0], {name: values[0] for name, values in query_of(back).items()}


def raw(values: dict[str, str], *more: str) -> str:
    return "&".join([urlencode(values), *more])


UNUSABLE: dict[str, Any] = {
    "code twice": lambda q: raw(q, "code=other"),
    "the same code twice": lambda q: raw(q, f"code={quote(q['code'])}"),
    "iss twice": lambda q: raw(q, f"iss={quote(q['iss'], safe='')}"),
    "error twice": lambda q: raw({"state": q["state"]}, "error=a&error=b"),
    "code and error": lambda q: raw(q, "error=access_denied"),
    "code of more than 4 KB": lambda q: raw({**q, "code": "c" * 4097}),
    "error of more than 4 KB": lambda q: raw({"state": q["state"], "error": "e" * 4097}),
    "description of more than 4 KB": lambda q: raw({"state": q["state"], "error": "e", "error_description": "e" * 4097}),
    "NUL in code": lambda q: raw({**q, "code": q["code"] + "\0"}),
    "not UTF-8": lambda q: raw({n: v for n, v in q.items() if n != "code"}, "code=%ff%fe"),
    "no code": lambda q: raw({n: v for n, v in q.items() if n != "code"}),
    "empty code": lambda q: raw({**q, "code": ""}),
}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_r12_an_answer_that_is_not_one_plain_answer_is_refused_and_burns_its_state(at_django: Site, kind: str) -> None:
    browser, path, query = returning(at_django, user := somebody())
    page = browser.arrive(f"{path}?{UNUSABLE[kind](query)}")
    assert page.status == 400 and "cannot be used" in page.text, page.text
    assert "already used" in browser.arrive(f"{path}?{urlencode(query)}").text
    assert at_django.exchanges() == 0 and at_django.token(user)["error"] == "not_installed"


@pytest.mark.parametrize("state", ["twice", "none", "empty", "long", "NUL", "not UTF-8", "other"])
def test_r12_an_answer_whose_state_is_not_ours_burns_nothing(at_django: Site, state: str) -> None:
    browser, path, query = returning(at_django, somebody())
    rest = {name: value for name, value in query.items() if name != "state"}
    sent = {
        "twice": raw(query, f"state={query['state']}"),
        "none": raw(rest),
        "empty": raw({**rest, "state": ""}),
        "long": raw({**rest, "state": query["state"] + "x" * 5000}),
        "NUL": raw({**rest, "state": query["state"] + "\0"}),
        "not UTF-8": raw(rest, "state=%ff%fe"),
        "other": raw({**rest, "state": query["state"][:-1] + ("A" if query["state"][-1] != "A" else "B")}),
    }[state]
    page = browser.arrive(f"{path}?{sent}")
    assert page.status == 400 and at_django.exchanges() == 0
    assert "Peer is connected" in browser.arrive(f"{path}?{urlencode(query)}").text


HOSTILE_TEXT = "<script>alert(1)</script>'\"><img src=x onerror=alert(2)>{{7*7}}\u202e\r\nSet-Cookie: a=b"


def test_r13_what_a_provider_says_is_shown_as_text_and_cut(at_django: Site) -> None:
    browser, path, query = returning(at_django, somebody())
    said = {"state": query["state"], "error": "server_error<b>", "error_description": HOSTILE_TEXT + "z" * 1000}
    page = browser.arrive(f"{path}?{urlencode(said)}")
    assert page.status == 502 and "Peer reported a problem" in page.text
    assert "<script" not in page.text and "<img" not in page.text and "<b>" not in page.text and "49" not in page.text.split("alert(2)")[1][:20]
    assert "&lt;script&gt;alert(1)" in page.text and "\u202e" not in page.text
    assert "zzzz" in page.text and "z" * 300 not in page.text
    (pending,) = [row for row in at_django.rows() if row["pk"].startswith("pending#")]
    assert len(pending["outcome"]["detail"]) <= 64 + 2 + 256
    assert "a" not in browser.cookies


def test_r13_declining_says_so_and_leaves_a_good_connection_alone(strict: Site, capsys: pytest.CaptureFixture[str]) -> None:
    user, browser = somebody(), strict.browser()
    before = strict.connected(user)
    capsys.readouterr()
    denied = strict.peer.deny(browser.confirm(strict.authorize(user, return_to=RETURN_TO)["url"]), user=user)
    assert "error=access_denied" in denied
    page = browser.arrive(denied)
    assert page.status == 200 and "You declined" in page.text and "access_denied" not in page.text
    assert f'href="{RETURN_TO}"' in page.text
    assert '"outcome":"declined"' in capsys.readouterr().out
    assert strict.account(user).json() == before and strict.works(user)


def test_r13_a_hostile_description_on_a_declined_page_is_not_shown(at_django: Site) -> None:
    browser, path, query = returning(at_django, somebody())
    page = browser.arrive(f"{path}?{urlencode({'state': query['state'], 'error': 'access_denied', 'error_description': HOSTILE_TEXT})}")
    assert "You declined" in page.text and "alert" not in page.text


def test_r13_a_decline_of_a_session_bound_flow_stays_with_us(at_django: Site) -> None:
    browser = at_django.browser()
    denied = at_django.peer.deny(browser.confirm(at_django.authorize(user := somebody(), **BOUND)["url"]), user=user)
    page = browser.arrive(denied)
    assert page.status == 200 and "You declined" in page.text and f'href="{RETURN_TO}"' in page.text
    connect_code, _state = parked(at_django, somebody())
    assert connect_code and at_django.exchanges() == 0
