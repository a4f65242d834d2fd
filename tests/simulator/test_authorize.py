"""The authorization endpoint and consent page: what is checked, who comes back, and to where."""

from json import loads
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from chalicelib.simulator.routes import spoken

from .conftest import BASE, CALLBACK, WITH_OAUTH, World

SLUGS = WITH_OAUTH
EVIL = [
    "https://evil.example/callback/x", f"{BASE}.evil.example/callback/x", f"{BASE}@evil.example/callback/x", f"{BASE}/callback/", f"{BASE}/callback/../x", f"{BASE}/callback/x/y", f"{BASE}/callback/x?y=1",
    f"{BASE}/callback/x#y", f"{BASE}/callbacks/x", f"{BASE}/callback/x\n", "http://localhost:8001/callback/x", "https://localhost:8000/callback/x", "//evil.example", "",
]  # fmt: skip


def query(location: str | None) -> dict[str, Any]:
    assert location is not None
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query, strict_parsing=True).items()}


@pytest.mark.parametrize("slug", SLUGS)
def test_consent_page(world: World, slug: str) -> None:
    consent = world.ask(slug)
    dialect = spoken(slug)[0]
    assert f"Simulated {dialect.name}" in consent.body and "sandbox" in consent.body and f"simulated-{slug}" in consent.body
    assert "<script" not in consent.body and "style=" not in consent.body and consent.headers["X-Frame-Options"] == "DENY"
    assert "default-src 'none'" in consent.headers["Content-Security-Policy"] and "form-action" not in consent.headers["Content-Security-Policy"]
    assert consent.headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("slug", SLUGS)
def test_allow_and_deny_come_back_with_state(world: World, slug: str) -> None:
    consent = world.ask(slug)
    allowed, denied = world.decide(consent), world.decide(consent, decision="deny")
    assert allowed.location is not None and allowed.location.startswith(CALLBACK + "?") and denied.location is not None and denied.location.startswith(CALLBACK + "?")
    issuer = spoken(slug)[0].issuer_path
    expected_iss = f"{BASE}/simulator/{slug}{issuer}" if issuer is not None else None
    for answer in (query(allowed.location), query(denied.location)):
        assert answer["state"] == "the state" and answer.get("iss") == expected_iss
    assert "error" not in query(allowed.location) and len(query(allowed.location)["code"]) >= 20
    assert query(denied.location)["error"] == "access_denied" and "code" not in query(denied.location)


@pytest.mark.parametrize("redirect_uri", EVIL)
def test_nobody_is_sent_anywhere_else(world: World, redirect_uri: str) -> None:
    asked = world.ask("github", redirect_uri=redirect_uri)
    assert asked.status == 400 and asked.location is None and "evil.example/" not in asked.headers.get("Location", "")
    good = world.ask("github").body.replace(CALLBACK, redirect_uri.replace("\n", "&#10;"))
    posted = world.call("POST", "/github/login/oauth/authorize", form=[("client_id", "simulated-github"), ("redirect_uri", redirect_uri), ("account", "octocat"), ("decision", "allow")])
    assert posted.status == 400 and posted.location is None and good


def test_other_refusals_that_are_not_redirected(world: World) -> None:
    assert world.ask("github", client_id="somebody-else").status == 400
    twice = world.call("GET", "/github/login/oauth/authorize", query=[("client_id", "simulated-github"), ("redirect_uri", CALLBACK), ("state", "a"), ("state", "b")])
    assert twice.status == 400 and "twice" in twice.body


@pytest.mark.parametrize("changes", [{"response_type": "token"}, {"code_challenge_method": "plain"}, {"code_challenge": "short"}, {"code_challenge_method": None}])
def test_refusals_that_are_redirected(world: World, changes: dict[str, str | None]) -> None:
    answer = query(world.ask("google", **changes).location)
    assert answer["error"] in ("unsupported_response_type", "invalid_request") and answer["state"] == "the state"


def test_a_form_from_another_site_is_refused(world: World) -> None:
    consent = world.ask("github")
    for origin in ("https://evil.example", "null"):
        assert world.decide(consent, origin=origin).status == 403
    assert world.decide(consent, origin=None).status == 303


def test_text_of_the_request_is_escaped(world: World) -> None:
    asked = world.ask("github", scope="<script>alert(1)</script>", state='"><img src=x>')
    assert "<script" not in asked.body and "<img" not in asked.body
    assert query(world.decide(asked).location)["state"] == '"><img src=x>'


def test_an_unknown_account_or_decision_is_no_decision(world: World) -> None:
    consent = world.ask("github")
    assert world.decide(consent, account="root").status == 400 and world.decide(consent, decision="perhaps").status == 400
    assert world.decide(world.ask("github", decision="deny", account="root"), account="hubot").status == 303


@pytest.mark.parametrize("slug", SLUGS)
class TestCode:
    def test_works_once(self, world: World, slug: str) -> None:
        code = world.code(slug)
        assert loads(world.redeem(slug, code).body)["access_token"]
        assert "access_token" not in world.redeem(slug, code).body

    def test_ends_after_ten_minutes(self, world: World, slug: str) -> None:
        code = world.code(slug)
        world.later(600)
        assert "access_token" not in world.redeem(slug, code).body

    @pytest.mark.parametrize("changes", [{"code_verifier": "w" * 43}, {"code_verifier": ""}, {"redirect_uri": CALLBACK + "x"}, {"client_secret": "wrong"}, {"client_id": "wrong"}, {"code": "wrong"}])
    def test_needs_verifier_redirect_uri_and_client(self, world: World, slug: str, changes: dict[str, str]) -> None:
        assert "access_token" not in world.redeem(slug, **{"code": world.code(slug), **changes}).body

    def test_needs_no_verifier_if_none_was_promised(self, world: World, slug: str) -> None:
        code = world.code(slug, code_challenge=None, code_challenge_method=None)
        assert "access_token" in world.redeem(slug, code, code_verifier="").body

    def test_belongs_to_its_provider(self, world: World, slug: str) -> None:
        other = next(name for name in SLUGS if name != slug)
        assert "access_token" not in world.redeem(slug, world.code(other)).body
