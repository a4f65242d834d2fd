"""Widget tokens: one person, an hour at most, readable by `atob`, and refused alike for whatever is wrong with them (R27)."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib import wiring
from chalicelib.engine.widget_tokens import _Plain
from tests.web.conftest import OpenSite
from tests.web.people import Answer, Site

MANAGE = "widgets:pipes:manage"


def minted(site: Site, user: str = "user_ana", organization: str | None = None, scopes: tuple[str, ...] = (), **more: Any) -> str:
    body = {"user_id": user, "scopes": list(scopes), **({"organization_id": organization} if organization else {}), **more}
    answer = site.api("POST", "/widgets/token", body)
    assert answer.status == 201, answer.text
    return str(answer.json()["token"])


def widget(site: Site, method: str, path: str, token: str, body: Any = None, **headers: str) -> Answer:
    return site.gateway(method, path, headers={"Authorization": f"Bearer {token}", "Origin": "https://app.example", **headers}, body=body)


def claims_of(token: str) -> dict[str, Any]:
    """As a browser's atob reads it: the plain alphabet, padding or not."""
    part = token.split(".")[1]
    assert "-" not in part and "_" not in part
    return dict(json.loads(base64.b64decode(part + "=" * (-len(part) % 4))))


def test_a_token_says_who_for_how_long_and_what_may_be_done(site: Site) -> None:
    claims = claims_of(minted(site, "user_ana", "org_1", (MANAGE,), organization_name="Acme"))
    assert (claims["sub"], claims["org_id"], claims["org_name"], claims["permissions"], claims["aud"], claims["iss"]) == (
        "user_ana", "org_1", "Acme", [MANAGE], "standpipe:widgets", "http://localhost:8000",
    )  # fmt: skip
    assert claims["exp"] - claims["iat"] == 3600
    short = claims_of(minted(site, expires_in=90))
    assert short["exp"] - short["iat"] == 90 and short["permissions"] == [] and "org_id" not in short


@given(text=st.text(max_size=60), name=st.text(alphabet=">?~\x7f-_<=|", max_size=40))
@settings(max_examples=300, deadline=None)
def test_no_claim_can_bring_a_letter_that_atob_does_not_know(text: str, name: str) -> None:
    whole = {"sub": text, "org_name": name}
    written = json.dumps(whole, separators=(",", ":"), cls=_Plain)
    encoded = base64.urlsafe_b64encode(written.encode()).decode()
    assert "-" not in encoded and "_" not in encoded and json.loads(written) == whole


def test_a_wrong_request_for_a_token_says_what_is_wrong(site: Site) -> None:
    for body, field in (
        ({"user_id": "u", "organization_id": "o", "scopes": ["widgets:everything"]}, "scopes"),
        ({"user_id": "u", "scopes": [MANAGE]}, "organization_id"),
        ({"scopes": []}, "user_id"),
        ({"user_id": "u", "expires_in": 30}, "expires_in"),
    ):
        refused = site.api("POST", "/widgets/token", body)
        assert refused.status == 422 and [each["field"] for each in refused.json()["errors"]] == [field]


def test_r27_whatever_is_wrong_with_a_token_the_answer_is_the_same_403(site: Site, open_site: OpenSite) -> None:
    good = minted(site)
    assert widget(site, "GET", "/_widgets/DataIntegrations/mine", good).status == 200
    head, payload, signature = good.split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    other = base64.b64encode(json.dumps({**claims_of(good), "sub": "user_bob"}).encode()).decode().rstrip("=")
    bad = ["", "x", "a.b.c", f"{head}.{payload}.", f"{none}.{payload}.", f"{head}.{other}.{signature}", f"{head}.{payload}.{signature[:-2]}AA", site.key, good + "é"]
    refusals = {widget(site, "GET", "/_widgets/DataIntegrations/mine", token).body for token in bad}
    site.clock.ahead = timedelta(hours=1, seconds=1)
    late = widget(site, "GET", "/_widgets/DataIntegrations/mine", good)
    assert late.status == 403 and refusals == {late.body}
    assert late.one("Access-Control-Allow-Origin") == "*" and late.json()["code"] == "invalid_widget_token"
    elsewhere = open_site()
    assert widget(elsewhere, "GET", "/_widgets/settings", good).status == 403


def test_a_browser_may_ask_before_every_call(site: Site) -> None:
    paths = [path for path in site.gateway.app.routes if path.startswith("/_widgets/")]
    assert len(paths) >= 15
    for path in paths:
        asked = site.gateway("OPTIONS", path.replace("{", "").replace("}", ""), headers={"Origin": "https://app.example", "Access-Control-Request-Method": "PUT"})
        assert asked.status == 204 and asked.one("Access-Control-Allow-Origin") == "*"
        assert {"authorization", "content-type", "workos-widgets-type", "workos-widgets-version"} <= set(asked.one("Access-Control-Allow-Headers").split(", "))
        assert "PUT" in asked.one("Access-Control-Allow-Methods")


def test_keys_rotate_with_an_overlap(site: Site) -> None:
    before = minted(site)
    site.engine.widget_tokens.rotate()
    after = minted(site)
    assert [widget(site, "GET", "/_widgets/settings", token).status for token in (before, after)] == [200, 200]
    wiring.engine.cache_clear()  # another container, which knows of neither
    assert [widget(site, "GET", "/_widgets/settings", token).status for token in (before, after)] == [200, 200]
    site.clock.ahead = timedelta(hours=1, minutes=6)
    wiring.engine.cache_clear()
    minted(site)
    assert len(site.engine.widget_tokens._keys()) == 1


def test_the_signing_key_is_never_in_the_clear(site: Site) -> None:
    minted(site)
    ((_key, secret),) = site.engine.widget_tokens._keys()
    assert secret.reveal() not in repr(site.rows()) and len(secret.reveal()) == 43


@pytest.mark.parametrize("scopes", [(), ("widgets:sso:manage",)])
def test_managing_needs_its_scope(site: Site, scopes: tuple[str, ...]) -> None:
    token = minted(site, "u", "org_1", scopes)
    for method, path, body in (
        ("GET", "/_widgets/DataIntegrations/configurations", None),
        ("GET", "/_widgets/DataIntegrations/organization", None),
        ("PUT", "/_widgets/DataIntegrations/github/configuration", {"enabled": True}),
        ("POST", "/_widgets/DataIntegrations/github/organization/authorize", {}),
        ("DELETE", "/_widgets/DataIntegrations/organization/installations/x", None),
    ):
        refused = widget(site, method, path, token, body)
        assert (refused.status, refused.json()["code"]) == (403, "missing_permission"), path
