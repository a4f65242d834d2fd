"""What all authorization servers share: redeem a code, use a refresh token, check an access token. The dialects say it in their own words.

Reuse of a rotated refresh token ends the whole grant (RFC 9700 4.14.2), and two uses at the same moment are reuse as well.
"""

import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from typing import Literal
from urllib.parse import unquote_plus

from chalicelib.doors.table import Item
from chalicelib.simulator.catalogue import client_of
from chalicelib.simulator.messages import Sandbox, SimulatorRequest
from chalicelib.simulator.state import CodeUsed, Grant, Reused

Problem = Literal["client", "client_secret", "code", "code_used", "redirect_uri", "code_verifier", "refresh_token", "grant_ended", "grant_type", "request"]
TokenProblem = Literal["missing", "unknown", "expired", "revoked"]
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class Refused(Exception):
    """The token endpoint says no; `problem` is why, each dialect has its own word for it."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


class NoAccess(Exception):
    """An API says no to an access token."""

    def __init__(self, problem: TokenProblem) -> None:
        super().__init__(problem)
        self.problem = problem


@dataclass(frozen=True)
class Used:
    """A refresh token that was accepted: for which line of which grant, and whether it is to be replaced."""

    grant: Grant
    line: str
    rotated: bool


def random_text(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def presented(request: SimulatorRequest) -> tuple[str, str]:
    """Client id and secret, by Basic (RFC 6749 2.3.1: both parts form-urlencoded) or in the body. Raises Refused."""
    if (basic := request.basic()) is not None:
        return unquote_plus(basic[0]), unquote_plus(basic[1])
    if request.headers.get("authorization", "").lower().startswith("basic"):
        raise Refused("client")
    fields = request.fields()
    return fields.get("client_id", ""), fields.get("client_secret", "")


def authenticate(request: SimulatorRequest, slug: str) -> None:
    """Client authentication as the one client there is. Raises Refused."""
    client_id, secret = presented(request)
    known_id, known_secret = client_of(slug)
    if client_id != known_id:
        raise Refused("client")
    if not compare_digest(secret.encode(), known_secret.encode()):
        raise Refused("client_secret")


def redeem(sandbox: Sandbox, request: SimulatorRequest, slug: str) -> tuple[Grant, Item]:
    """A code for a new grant and the facts of the authorization. The code is gone after the first try, right or wrong. Raises Refused."""
    fields = request.fields()
    try:
        facts = sandbox.state.take_code(fields.get("code", ""), sandbox.now)
    except CodeUsed:
        raise Refused("code_used") from None
    if facts is None or facts["slug"] != slug:
        raise Refused("code")
    if fields.get("redirect_uri") != facts["redirect_uri"]:
        raise Refused("redirect_uri")
    if facts["code_challenge"]:
        expected = urlsafe_b64encode(sha256(fields.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
        if not compare_digest(expected, facts["code_challenge"]):
            raise Refused("code_verifier")
    grant_id = f"{sandbox.now:%Y%m%dT%H%M%S%f}{random_text(6)}"
    grant = Grant(grant_id, slug, facts["account"], tuple(facts["scopes"]), tuple(facts["user_scopes"]), sandbox.now.isoformat())
    sandbox.state.save_grant(grant, sandbox.now)
    return grant, facts


def use_refresh_token(sandbox: Sandbox, request: SimulatorRequest, slug: str) -> Used:
    """Raises Refused; a rotated refresh token that comes back ends its grant first."""
    token = sandbox.state.token(request.fields().get("refresh_token", ""))
    if token is None or (token["kind"], token["slug"]) != ("refresh", slug) or 0 < token["expires_at"] <= sandbox.now.timestamp():
        raise Refused("refresh_token")
    grant, line = sandbox.state.grant(token["grant"]), token["line"]
    if grant is None or grant.ended:
        raise Refused("grant_ended")
    rotation = sandbox.state.knobs(slug).rotation
    try:
        if token["generation"] != grant.generation(line):
            raise Reused
        if rotation:
            grant = sandbox.state.rotate(grant, line, sandbox.now)
        else:
            sandbox.state.touch(grant, sandbox.now)
    except Reused:
        sandbox.state.end(grant, "a refresh token was used twice")
        raise Refused("refresh_token") from None
    return Used(grant, line, rotation)


def issue(sandbox: Sandbox, grant: Grant, token: str, *, kind: Literal["access", "refresh"], line: str = "main", seconds: int = 0) -> str:
    """Remembers a new token of the grant's present generation, and returns it."""
    scopes = list(grant.user_scopes if line == "user" else grant.scopes)
    facts = {"kind": kind, "slug": grant.slug, "grant": grant.id, "line": line, "generation": grant.generation(line), "epoch": grant.epoch, "scopes": scopes}
    sandbox.state.save_token(token, facts, sandbox.now, seconds)
    return token


def access(sandbox: Sandbox, token: str | None, slug: str, *, generations: int = 0) -> tuple[Grant, Item]:
    """Whose access token it is. `generations`: how many the provider lets live beside each other, 0 = any number. Raises NoAccess."""
    if not token:
        raise NoAccess("missing")
    facts = sandbox.state.token(token)
    if facts is None or (facts["kind"], facts["slug"]) != ("access", slug):
        raise NoAccess("unknown")
    grant = sandbox.state.grant(facts["grant"])
    if grant is None or grant.ended:
        raise NoAccess("revoked")
    replaced = generations and grant.generation(facts["line"]) - facts["generation"] >= generations
    if replaced or facts["epoch"] != grant.epoch or 0 < facts["expires_at"] <= sandbox.now.timestamp():
        raise NoAccess("expired")
    return grant, facts


def end_by_token(sandbox: Sandbox, token: str, slug: str, *, everywhere: bool) -> bool:
    """Ends the grant a token belongs to, or every grant of that person; False if there is no living one."""
    facts = sandbox.state.token(token)
    grant = sandbox.state.grant(facts["grant"]) if facts and facts["slug"] == slug else None
    if grant is None or grant.ended:
        return False
    ending = [other for other in sandbox.state.grants(slug) if other.account == grant.account and not other.ended] if everywhere else [grant]
    for one in ending:
        sandbox.state.end(one, "revoked by the client")
    return True
