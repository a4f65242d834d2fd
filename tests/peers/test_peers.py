"""Proof that each peer behaves as the tests that build on it believe.

Rule: what is asserted here was observed at the real server; where the two differ, the difference is a test.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from . import oauth_client as oauth
from .given import CALLBACK, SCOPE
from .launch import Peer, PeerFailed


def test_code_exchange_with_pkce_special_secret_and_iss(strict: tuple[Peer, str]) -> None:
    peer, scope = strict
    peer.reset_hits()
    begun = oauth.start(peer, CALLBACK, scope)
    came_back = peer.approve(begun.url, user="bob")
    answer = oauth.answer_of(came_back)
    assert came_back.startswith(CALLBACK + "?")
    assert (answer["state"], answer["iss"]) == (begun.state, peer.issuer)
    got = oauth.redeem(peer, begun, answer["code"])
    assert got.status_code == 200, got.text
    assert got.json()["refresh_token"]
    assert oauth.me(peer, got.json()["access_token"]).json()["sub"] == "bob"
    assert (peer.token_posts(), peer.token_posts("authorization_code"), peer.token_posts("refresh_token")) == (1, 1, 0)
    token_request = next(e for e in peer.hits()["requests"] if e["role"] == "token")
    assert (token_request["auth"], token_request["status"]) == ("basic", 200)
    assert "code_verifier" in token_request["params"]


def test_no_secret_in_the_hits(strict: tuple[Peer, str]) -> None:
    peer, scope = strict
    tokens = oauth.connect(peer, CALLBACK, scope)
    oauth.refresh(peer, tokens["refresh_token"])
    told = str(peer.hits())
    assert peer.client_secret not in told
    assert tokens["access_token"] not in told and tokens["refresh_token"] not in told


def test_raw_basic_without_urlencoding_is_refused(strict: tuple[Peer, str]) -> None:
    peer, _ = strict
    raw = oauth.basic(peer.client_id, peer.client_secret, encode=False)
    got = oauth.post(peer, peer.token_endpoint, raw, grant_type="refresh_token", refresh_token="x")
    # The second is oidc-provider's word for a stray % in the header: our fault, and yet neither 401 nor invalid_client.
    told = (got.status_code, got.json()["error"])
    assert told in [(401, "invalid_client"), (400, "invalid_request")]


def test_wrong_secret_is_invalid_client(strict: tuple[Peer, str]) -> None:
    peer, _ = strict
    wrong = oauth.basic(peer.client_id, "wrong")
    got = oauth.post(peer, peer.token_endpoint, wrong, grant_type="refresh_token", refresh_token="x")
    assert (got.status_code, got.json()["error"]) == (401, "invalid_client")


def test_pkce_is_required_and_checked(strict: tuple[Peer, str]) -> None:
    peer, scope = strict
    begun = oauth.start(peer, CALLBACK, scope, code_challenge="", code_challenge_method="")
    assert oauth.answer_of(peer.approve(begun.url))["error"] == "invalid_request"
    plain = oauth.start(peer, CALLBACK, scope, code_challenge="a" * 43, code_challenge_method="plain")
    assert oauth.answer_of(peer.approve(plain.url))["error"] == "invalid_request"
    begun = oauth.start(peer, CALLBACK, scope)
    code = oauth.answer_of(peer.approve(begun.url))["code"]
    got = oauth.redeem(peer, begun, code, code_verifier="w" * 43)
    assert (got.status_code, got.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("other", [CALLBACK + "/", CALLBACK + "x", CALLBACK[:-3] + "two", "http://evil.test/"])
def test_other_redirect_uri_is_refused_without_a_redirect(strict: tuple[Peer, str], other: str) -> None:
    peer, scope = strict
    with pytest.raises(PeerFailed, match="no redirect but 400"):
        peer.approve(oauth.start(peer, other, scope).url)


def test_extra_query_on_the_redirect_uri_is_refused(strict: tuple[Peer, str]) -> None:
    peer, scope = strict
    with pytest.raises(PeerFailed, match="no redirect but 400"):
        peer.approve(oauth.start(peer, CALLBACK + "?a=b", scope).url)


def test_other_port_on_loopback_is_refused_by_oidc_only(strict_django: Peer, strict_oidc: Peer) -> None:
    other = CALLBACK.replace(":9/", ":10/")
    with pytest.raises(PeerFailed, match="no redirect but 400"):
        strict_oidc.approve(oauth.start(strict_oidc, other, SCOPE["oidc"]).url)
    # The toolkit lets a loopback address come back on any port (RFC 8252 7.3).
    assert strict_django.approve(oauth.start(strict_django, other, SCOPE["django"]).url).startswith(other)


def test_deny(strict: tuple[Peer, str]) -> None:
    peer, scope = strict
    begun = oauth.start(peer, CALLBACK, scope)
    answer = oauth.answer_of(peer.deny(begun.url))
    assert (answer["error"], answer["state"]) == ("access_denied", begun.state)
    assert "code" not in answer


def test_iss_on_errors_comes_from_oidc_only(strict_django: Peer, strict_oidc: Peer) -> None:
    # RFC 9207 2 wants it there too; a client that demands it could never be declined at the toolkit.
    told = [oauth.answer_of(p.deny(oauth.start(p, CALLBACK, s).url)) for p, s in _both(strict_django, strict_oidc)]
    assert "iss" not in told[0] and told[1]["iss"] == strict_oidc.issuer


def test_hint_and_default_decide_where_no_header_can(strict: tuple[Peer, str]) -> None:
    peer, scope = strict
    begun = oauth.start(peer, CALLBACK, scope, login_hint="deny")
    assert oauth.answer_of(peer._browse(begun.url, {}))["error"] == "access_denied"
    peer.set_browser("carol")
    begun = oauth.start(peer, CALLBACK, scope)
    token = oauth.redeem(peer, begun, oauth.answer_of(peer._browse(begun.url, {}))["code"]).json()["access_token"]
    assert oauth.me(peer, token).json()["sub"] == "carol"
    peer.set_browser()


def test_rotation(strict: tuple[Peer, str]) -> None:
    peer, scope = strict
    first = oauth.connect(peer, CALLBACK, scope)
    second = oauth.refresh(peer, first["refresh_token"]).json()
    third = oauth.refresh(peer, second["refresh_token"]).json()
    assert len({first["refresh_token"], second["refresh_token"], third["refresh_token"]}) == 3
    assert oauth.me(peer, third["access_token"]).status_code == 200


def test_reuse_kills_the_family_but_not_the_neighbour(strict: tuple[Peer, str]) -> None:
    peer, scope = strict
    first, neighbour = oauth.connect(peer, CALLBACK, scope), oauth.connect(peer, CALLBACK, scope)
    second = oauth.refresh(peer, first["refresh_token"]).json()
    reuse = oauth.refresh(peer, first["refresh_token"])
    assert (reuse.status_code, reuse.json()["error"]) == (400, "invalid_grant")
    after = oauth.refresh(peer, second["refresh_token"])
    assert (after.status_code, after.json()["error"]) == (400, "invalid_grant")
    assert oauth.me(peer, second["access_token"]).status_code == 401
    assert oauth.refresh(peer, neighbour["refresh_token"]).status_code == 200


def test_parallel_use_of_one_token_succeeds_once(strict: tuple[Peer, str]) -> None:
    peer, scope = strict
    token = oauth.connect(peer, CALLBACK, scope)["refresh_token"]
    with ThreadPoolExecutor(25) as pool:
        codes = list(pool.map(lambda _: oauth.refresh(peer, token).status_code, range(25)))
    assert sorted(codes) == [200] + [400] * 24


def test_many_connections_refresh_in_parallel(strict: tuple[Peer, str]) -> None:
    peer, scope = strict
    with ThreadPoolExecutor(25) as pool:
        made = list(pool.map(lambda n: oauth.connect(peer, CALLBACK, scope, f"user{n}"), range(25)))
        codes = list(pool.map(lambda t: oauth.refresh(peer, t["refresh_token"]).status_code, made))
    assert codes == [200] * 25


def test_code_is_single_use(strict: tuple[Peer, str]) -> None:
    peer, scope = strict
    begun = oauth.start(peer, CALLBACK, scope)
    code = oauth.answer_of(peer.approve(begun.url))["code"]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: oauth.redeem(peer, begun, code), range(20)))
    assert sorted(a.status_code for a in answers) == [200] + [400] * 19


def test_code_reuse_revokes_at_oidc_only(strict_django: Peer, strict_oidc: Peer) -> None:
    alive = []
    for peer, scope in _both(strict_django, strict_oidc):
        begun = oauth.start(peer, CALLBACK, scope)
        code = oauth.answer_of(peer.approve(begun.url))["code"]
        tokens = oauth.redeem(peer, begun, code).json()
        assert oauth.redeem(peer, begun, code).json()["error"] == "invalid_grant"
        alive.append(oauth.refresh(peer, tokens["refresh_token"]).status_code)
    assert alive == [200, 400]


def test_expired_access_token_leaves_the_refresh_token_good(strict: tuple[Peer, str]) -> None:
    peer, scope = strict
    tokens = oauth.connect(peer, CALLBACK, scope)
    peer.expire_access_tokens()
    assert oauth.me(peer, tokens["access_token"]).status_code == 401
    again = oauth.refresh(peer, tokens["refresh_token"]).json()
    assert oauth.me(peer, again["access_token"]).status_code == 200


def test_user_revokes(strict: tuple[Peer, str]) -> None:
    peer, scope = strict
    gone = oauth.connect(peer, CALLBACK, scope, "dave")
    stays = oauth.connect(peer, CALLBACK, scope, "erin")
    peer.revoke_user("dave")
    assert oauth.me(peer, gone["access_token"]).status_code == 401
    refused = oauth.refresh(peer, gone["refresh_token"])
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert oauth.refresh(peer, stays["refresh_token"]).status_code == 200


def test_revocation_endpoint(strict: tuple[Peer, str]) -> None:
    peer, scope = strict
    tokens = oauth.connect(peer, CALLBACK, scope)
    for _ in range(2):  # an unknown token is no error (RFC 7009 2.2)
        assert oauth.post(peer, peer.revocation_endpoint, token=tokens["refresh_token"]).status_code == 200
    assert oauth.refresh(peer, tokens["refresh_token"]).status_code == 400
    assert oauth.me(peer, tokens["access_token"]).status_code == 401
    assert peer.hits()["counts"]["revoke"] >= 2


def _both(django: Peer, oidc: Peer) -> list[tuple[Peer, str]]:
    return [(django, SCOPE["django"]), (oidc, SCOPE["oidc"])]
