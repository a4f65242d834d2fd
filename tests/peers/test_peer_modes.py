"""How the peers behave in their other modes: grace, no rotation, no reuse protection, and when they fail to start."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from . import faults
from . import oauth_client as oauth
from .fault_proxy import FaultProxy
from .given import CALLBACK, SCOPE
from .launch import Peer, PeerFailed, start_django, start_oidc


def test_grace_repeats_the_answer_until_the_new_token_is_used(grace_django: Peer) -> None:
    first = oauth.connect(grace_django, CALLBACK, "read")
    second = oauth.refresh(grace_django, first["refresh_token"]).json()
    again = oauth.refresh(grace_django, first["refresh_token"]).json()
    assert (again["access_token"], again["refresh_token"]) == (second["access_token"], second["refresh_token"])
    third = oauth.refresh(grace_django, second["refresh_token"]).json()
    late = oauth.refresh(grace_django, first["refresh_token"])
    assert (late.status_code, late.json()["error"]) == (400, "invalid_grant")
    # With reuse protection that late replay kills the family, grace or not.
    assert oauth.refresh(grace_django, third["refresh_token"]).status_code == 400


def test_grace_in_parallel_gives_all_the_same_pair(grace_django: Peer) -> None:
    token = oauth.connect(grace_django, CALLBACK, "read")["refresh_token"]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: oauth.refresh(grace_django, token), range(20)))
    assert {a.status_code for a in answers} == {200}
    assert len({a.json()["refresh_token"] for a in answers}) == 1


def test_lost_answer_at_a_strict_peer_ends_the_grant(strict: tuple[Peer, str]) -> None:
    peer, scope = strict
    token = oauth.connect(peer, CALLBACK, scope)["refresh_token"]
    path = peer.token_endpoint.removeprefix(peer.base_url)
    with FaultProxy(peer.base_url) as proxy:
        proxy.add(path, faults.lose_answer())
        with pytest.raises(requests.ConnectionError):
            oauth.refresh(peer.via(proxy.base_url), token)
        assert oauth.refresh(peer.via(proxy.base_url), token).json()["error"] == "invalid_grant"
        assert proxy.count(path, forwarded=True) == 2


def test_lost_answer_at_a_grace_peer_is_recovered(grace_django: Peer) -> None:
    token = oauth.connect(grace_django, CALLBACK, "read")["refresh_token"]
    with FaultProxy(grace_django.base_url) as proxy:
        proxy.add("/o/token/", faults.lose_answer())
        with pytest.raises(requests.ConnectionError):
            oauth.refresh(grace_django.via(proxy.base_url), token)
        again = oauth.refresh(grace_django.via(proxy.base_url), token)
    assert oauth.refresh(grace_django, again.json()["refresh_token"]).status_code == 200


def test_without_reuse_protection_the_family_lives() -> None:
    with start_django(redirect_uris=[CALLBACK], reuse_protection=False) as peer:
        first = oauth.connect(peer, CALLBACK, "read")
        second = oauth.refresh(peer, first["refresh_token"]).json()
        assert oauth.refresh(peer, first["refresh_token"]).status_code == 400
        assert oauth.refresh(peer, second["refresh_token"]).status_code == 200


@pytest.mark.parametrize("kind", ["django", "oidc"])
def test_without_rotation_and_with_two_clients(kind: str) -> None:
    other = {"client_id": "other", "client_secret": "other-secret", "redirect_uris": [CALLBACK]}
    launch = {"django": start_django, "oidc": start_oidc}[kind]
    with launch(redirect_uris=[CALLBACK], rotate=False, access_token_seconds=7, extra_clients=[other]) as peer:
        first = oauth.connect(peer, CALLBACK, SCOPE[kind])
        assert first["expires_in"] == 7
        again = oauth.refresh(peer, first["refresh_token"]).json()
        assert again.get("refresh_token") in (None, first["refresh_token"])
        assert oauth.refresh(peer, first["refresh_token"]).status_code == 200
        foreign = oauth.basic("other", "other-secret")
        form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
        assert oauth.post(peer, peer.token_endpoint, foreign, **form).json()["error"] == "invalid_grant"


def test_oidc_without_refresh_token_and_with_post_authentication() -> None:
    options = {"redirect_uris": [CALLBACK], "issue_refresh": "never", "auth_method": "client_secret_post"}
    with start_oidc(**options, deny_description="<script>alert(1)</script>") as peer:
        begun = oauth.start(peer, CALLBACK, "openid")
        form = {"code": oauth.answer_of(peer.approve(begun.url))["code"], "redirect_uri": CALLBACK}
        form |= {"client_id": peer.client_id, "client_secret": peer.client_secret, "code_verifier": begun.verifier}
        got = oauth.post(peer, peer.token_endpoint, {"Accept": "*/*"}, grant_type="authorization_code", **form)
        assert got.status_code == 200 and "refresh_token" not in got.json()
        assert "<script>" in oauth.answer_of(peer.deny(begun.url))["error_description"]


def test_start_failure_tells_the_reason() -> None:
    with pytest.raises(PeerFailed, match="redirect_uris must only contain"), start_oidc(redirect_uris=["no url"]):
        pass


def test_stop_ends_the_process() -> None:
    with start_django() as peer:
        process = peer.process
        assert process.poll() is None
    assert process.poll() is not None
