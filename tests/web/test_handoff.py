"""The widget's popup: what is connected there was vouched for by the widget that opened it, in this browser, and by nobody else (R3, R4, R27)."""

import json
from typing import Any

import pytest

from chalicelib.engine.authorization_response import FlowError
from tests.engine import scenes
from tests.engine.scenes import SLUG
from tests.peers import faults
from tests.web.people import Answer, Browser, Site, query_of, somebody
from tests.web.test_widget_tokens import minted, widget

ORIGIN = "https://app.example"


def authorize(site: Site, token: str, **more: Any) -> dict[str, Any]:
    answer = widget(site, "POST", f"/_widgets/DataIntegrations/{SLUG}/authorize", token, {"requireHandoff": True, **more})
    assert answer.status == 200, answer.text
    return dict(answer.json())


def hand_off(browser: Browser, begun: dict[str, Any], token: str) -> Answer:
    return browser("POST", begun["url"] + "/handoff", headers={"Content-Type": "application/json"}, body=json.dumps({"handoffToken": token}))


def status(site: Site, token: str, begun: dict[str, Any]) -> dict[str, Any]:
    return dict(widget(site, "GET", f"/_widgets/DataIntegrations/{SLUG}/authorization-status/{begun['state']}", token).json())


def test_the_popup_connects_once_the_widget_has_vouched(at_django: Site) -> None:
    user, browser = somebody(), at_django.browser()
    token = minted(at_django, user)
    begun = authorize(at_django, token)
    page = browser.get(begun["url"])
    assert page.status == 200 and f'data-opener="{ORIGIN}"' in page.text and begun["handoffToken"] not in page.whole()
    assert "cross-origin-opener-policy" not in page.headers and "script-src 'self'" in page.one("Content-Security-Policy")
    assert status(at_django, token, begun) == {"isConnecting": True, "outcome": None}
    gone = hand_off(browser, begun, begun["handoffToken"])
    assert gone.status == 200, gone.text
    done = browser.arrive(at_django.peer.approve(gone.json()["url"], user=user))
    assert done.status == 200 and "is connected" in done.text and "script" not in done.text
    assert status(at_django, token, begun) == {"isConnecting": False, "outcome": "connected"}
    (row,) = widget(at_django, "GET", "/_widgets/DataIntegrations/mine", token).json()["data"]
    assert (row["slug"], row["installation"]["state"], row["installation"]["user_id"]) == (SLUG, "connected", user)
    assert at_django.works(user)


def test_r04_a_link_of_a_widget_connects_nothing_in_another_persons_browser(at_django: Site) -> None:
    attacker, victims = somebody(), at_django.browser()
    begun = authorize(at_django, minted(at_django, attacker))
    assert victims.get(begun["url"]).status == 200
    for guess in ("", "x" * 43, begun["redirectToken"]):
        assert hand_off(victims, begun, guess).status == 403
    assert victims("POST", begun["url"], body="csrf=x").status == 400
    # The attacker has the secret, and not the cookie of the browser that opened the link.
    assert hand_off(at_django.browser(), begun, begun["handoffToken"]).status == 403
    assert at_django.exchanges() == 0 and at_django.connections() == []


def test_r03_a_handoff_flow_comes_back_in_its_own_browser_only(at_django: Site) -> None:
    user, browser = somebody(), at_django.browser()
    begun = authorize(at_django, minted(at_django, user))
    browser.get(begun["url"])
    back = at_django.peer.approve(hand_off(browser, begun, begun["handoffToken"]).json()["url"], user=user)
    assert at_django.browser().arrive(back).status == 400
    assert at_django.exchanges() == 0 and at_django.connections() == []


def test_a_handoff_is_taken_once(at_django: Site) -> None:
    browser = at_django.browser()
    begun = authorize(at_django, minted(at_django, somebody()))
    browser.get(begun["url"])
    assert [hand_off(browser, begun, begun["handoffToken"]).status for _ in range(2)] == [200, 403]


def test_a_stage_that_wants_proof_takes_the_widgets(open_site: Any, web_django: Any) -> None:
    site = open_site(STANDPIPE_REQUIRE_PROOF="true")
    with scenes.staged(site.stage, web_django):
        token = minted(site, somebody())
        assert "handoffToken" in authorize(site, token)
        refused = widget(site, "POST", f"/_widgets/DataIntegrations/{SLUG}/authorize", token, {"requireHandoff": False})
        assert (refused.status, refused.json()["code"]) == (422, "proof_required")


def test_without_a_handoff_the_person_is_asked(at_django: Site) -> None:
    user, browser = somebody(), at_django.browser()
    begun = authorize(at_django, minted(at_django, user), requireHandoff=False)
    assert "handoffToken" not in begun
    done = browser.arrive(browser.back_from(at_django.peer, begun["url"], user))
    assert done.status == 200 and at_django.works(user)


@pytest.mark.parametrize(("ended", "kind"), [("denied", "declined"), ("no tokens", "exchange_failed"), ("an error", "provider_error")])
def test_a_widget_that_asks_in_between_never_sees_a_failure_without_its_reason(at_django: Site, ended: str, kind: str) -> None:
    """The engine has ended the flow, and the page has not noted yet what it will say."""
    user, browser = somebody(), at_django.browser()
    token = minted(at_django, user)
    begun = authorize(at_django, token)
    browser.get(begun["url"])
    asked = hand_off(browser, begun, begun["handoffToken"]).json()["url"]
    back = at_django.peer.deny(asked, user=user) if ended == "denied" else at_django.peer.approve(asked, user=user)
    query = query_of(back)
    if ended == "an error":
        query = {"state": query["state"], "error": ["server_error"]}
    at_django.at_peer.fault(faults.status(503), times=4)
    with pytest.raises(FlowError, match=kind):
        at_django.engine.connect.callback(scenes.REGISTRATION_ID, query, lambda _pending: next(iter(browser.cookies.values())))
    assert status(at_django, token, begun) == {"isConnecting": False, "outcome": kind}


def test_another_persons_flow_tells_nothing(at_django: Site) -> None:
    begun = authorize(at_django, minted(at_django, somebody()))
    nothing = {"isConnecting": False, "outcome": None}
    assert status(at_django, minted(at_django, somebody()), begun) == nothing
    assert status(at_django, minted(at_django, somebody()), {"state": "x" * 87}) == nothing


def test_the_page_that_is_opened_first_cuts_nothing_off(at_django: Site) -> None:
    page = at_django.gateway("GET", "/pipes/redirecting")
    assert page.status == 200 and "cross-origin-opener-policy" not in page.headers and page.one("X-Frame-Options") == "DENY"


def test_a_person_disconnects_their_own_and_nobody_elses(at_django: Site) -> None:
    user, other = somebody(), somebody()
    theirs = at_django.connected(user)
    path = f"/_widgets/DataIntegrations/installations/{theirs['id']}"
    assert widget(at_django, "DELETE", path, minted(at_django, other)).status == 404
    assert widget(at_django, "DELETE", path, minted(at_django, user, "org_1")).status == 404
    gone = widget(at_django, "DELETE", path, minted(at_django, user))
    assert gone.status == 200 and gone.json() == {"success": True, "revocation": "revoked"}
    assert at_django.token(user)["error"] == "not_installed"
