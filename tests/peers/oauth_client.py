"""A deliberately plain OAuth client, to prove peers with and to prepare grants.

Rule: it retries nothing, follows nothing and stores nothing; one call is one request.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

import requests

from .launch import Peer


@dataclass(frozen=True)
class Start:
    """An authorization request and what is needed to finish it."""

    url: str
    verifier: str
    state: str
    redirect_uri: str


def start(peer: Peer, redirect_uri: str, scope: str, **extra: str) -> Start:
    """Build an authorization request with PKCE S256; `extra` adds or replaces parameters."""
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": peer.client_id,
        "redirect_uri": redirect_uri,
        "scope": scope,
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        **extra,
    }
    return Start(f"{peer.authorization_endpoint}?{urlencode(query)}", verifier, state, redirect_uri)


def answer_of(url: str) -> dict[str, str]:
    """The query of a redirect to the client, each parameter once."""
    found = parse_qs(urlsplit(url).query, keep_blank_values=True)
    assert all(len(values) == 1 for values in found.values()), found.keys()
    return {name: values[0] for name, values in found.items()}


def basic(client_id: str, secret: str, *, encode: bool = True) -> dict[str, str]:
    """HTTP Basic as RFC 6749 2.3.1 wants it (form-urlencoded first), or raw as many clients send it."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}" if encode else f"{client_id}:{secret}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


def post(peer: Peer, url: str, headers: dict[str, str] | None = None, **form: str) -> requests.Response:
    """One authenticated form POST."""
    with requests.Session() as session:
        session.trust_env = False
        headers = headers or basic(peer.client_id, peer.client_secret)
        return session.post(url, data=form, headers=headers, allow_redirects=False, timeout=30)


def redeem(peer: Peer, begun: Start, code: str, **extra: str) -> requests.Response:
    """Exchange a code."""
    form = {"code": code, "redirect_uri": begun.redirect_uri, "code_verifier": begun.verifier, **extra}
    return post(peer, peer.token_endpoint, None, grant_type="authorization_code", **form)


def refresh(peer: Peer, token: str) -> requests.Response:
    """Spend a refresh token."""
    return post(peer, peer.token_endpoint, grant_type="refresh_token", refresh_token=token)


def connect(peer: Peer, redirect_uri: str, scope: str, user: str = "alice") -> dict[str, Any]:
    """The whole first grant; returns the token answer."""
    begun = start(peer, redirect_uri, scope)
    got = redeem(peer, begun, answer_of(peer.approve(begun.url, user))["code"])
    assert got.status_code == 200, got.text
    return dict(got.json())


def me(peer: Peer, access_token: str) -> requests.Response:
    """Ask the guarded resource."""
    with requests.Session() as session:
        session.trust_env = False
        return session.get(peer.userinfo_endpoint, headers={"Authorization": f"Bearer {access_token}"}, timeout=30)
