"""Rules R19 and R21: whatever the dashboard answers, nothing of it is a token, a secret, or something sealed."""

import base64
import re

import pytest

from chalicelib import wiring
from chalicelib.domain.models import Owner
from chalicelib.domain.tokens import TokenSet
from chalicelib.doors.crypto import token_facts
from chalicelib.engine.dashboard_connections import reference
from tests.dashboard.conftest import Administrator
from tests.dashboard.test_sign_in import LOOKS
from tests.engine.scenes import SLUG
from tests.peers import faults
from tests.web.people import Site, somebody

FORBIDDEN_NAMES = re.compile(r'"(sealed|access_token|refresh_token|secret_digest|client_secrets|write_id|handle_digest|state_digest|lease_owner|code_verifier)"')


def test_r21_no_answer_of_the_dashboard_holds_a_token_or_a_secret(at_django: Site, olga: Administrator, capsys: pytest.CaptureFixture[str]) -> None:
    user = somebody()
    at_django.connected(user)
    connection = at_django.engine.store.connection(Owner(user_id=user), SLUG)
    assert connection is not None and connection.sealed is not None
    made = olga.done("POST", "/webhooks", {"url": "https://hooks.example.com/x", "events": ["pipes.connected_account.connected"]})
    key = olga.done("POST", "/keys", {"name": "seen"})
    begun = olga.done("POST", f"/providers/{SLUG}/trial")
    browser = at_django.browser()
    back = browser.back_from(at_django.peer, begun["url"], "olga-herself")
    at_django.gateway.answers.clear()

    browser.arrive(back)
    olga.get(f"/providers/{SLUG}/trial")
    olga.done("POST", f"/providers/{SLUG}/trial/refresh")
    named = reference(connection)
    olga.done("POST", f"/connections/{named}/refresh")
    known = {"slug": SLUG, "reference": named, "endpoint_id": made["endpoint"]["id"]}
    for resource in LOOKS:
        path = re.sub(r"\{([^}]+)\}", lambda match: known[match[1]], resource)
        assert at_django.gateway("GET", path, headers={"Cookie": f"standpipe_dashboard={olga.browser.cookies['standpipe_dashboard']}"}).status == 200, path
    for query in (f"?provider={SLUG}", f"?user_id={user}", f"?id={connection.id}", "?state=connected"):
        olga.get(f"/connections{query}")
    olga.send("PUT", f"/providers/{SLUG}", {"description": "seen", "credentials": {"client_id": at_django.peer.client_id, "client_secret": at_django.peer.client_secret}})
    olga.send("PUT", f"/providers/{SLUG}", {"credentials": {"client_secret": ["x"]}})
    at_django.at_peer.fault(faults.status(400, {"error": "invalid_grant", "error_description": "no"}))
    held = [TokenSet.from_payload(wiring.engine().sealer.open(each.sealed or b"", token_facts(each))) for each in [connection, at_django.engine.dashboard_connections.at(named)]]
    olga.done("POST", f"/connections/{named}/refresh")
    olga.done("POST", f"/connections/{named}/disconnect")

    hidden = [token.reveal() for each in held for token in (each.access_token, each.refresh_token) if token is not None]
    hidden += [at_django.peer.client_secret, at_django.peer.client_secret[:20], made["secret"], key["key"], key["key"].split("_", 2)[2], olga.browser.cookies["standpipe_dashboard"]]
    hidden += [base64.b64encode(connection.sealed).decode()[:40]]
    assert len(at_django.gateway.answers) >= 25
    for answer in at_django.gateway.answers:
        for secret in hidden:
            assert secret not in answer.whole()
        assert not FORBIDDEN_NAMES.search(answer.text), answer.text[:300]
    printed = capsys.readouterr().out
    assert not any(secret in printed for secret in hidden)


def test_every_answer_is_kept_out_of_caches(olga: Administrator) -> None:
    for resource in LOOKS:
        answer = olga.browser("GET", re.sub(r"\{[^}]+\}", "nothing", resource))
        assert answer.one("cache-control") == "no-store" and answer.one("x-content-type-options") == "nosniff"
