"""Standpipe's own OAuth door against the simulator, over the catalogue rows: what a sandbox does, without the network in between."""

from datetime import timedelta
from json import loads
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from chalicelib.domain.errors import GrantRefused, ProviderUnavailable, ProviderWeird
from chalicelib.domain.secret import Secret
from chalicelib.domain.tokens import TokenAnswer
from chalicelib.doors.http import Answer
from chalicelib.doors.oauth import Credentials, OAuth
from chalicelib.providers import catalogue as providers
from chalicelib.simulator.accounts import people
from chalicelib.simulator.catalogue import SIMULATED, client_of, simulated

from .conftest import BASE, CALLBACK, VERIFIER, WITH_OAUTH, World

SLUGS = WITH_OAUTH
REVOKING = [slug for slug in SLUGS if getattr(providers.load(slug), "revocation").endpoint]
PROBED = [slug for slug in SLUGS if getattr(providers.load(slug), "identity").endpoint]


class Wire:
    """The door's HTTP client, led straight into the simulator."""

    def __init__(self, world: World) -> None:
        self._world = world

    def send(self, method: str, url: str, *, headers: dict[str, str] | None = None, body: bytes = b"") -> Answer:
        parts = urlsplit(url)
        lower = {name.lower(): value for name, value in (headers or {}).items()}
        given: dict[str, Any] = {"headers": lower, "query": parse_qsl(parts.query, keep_blank_values=True)}
        if "json" in lower.get("content-type", ""):
            given["json"] = loads(body)
        else:
            given["form"] = parse_qsl(body.decode(), keep_blank_values=True)
        answer = self._world.call(method, parts.path.removeprefix("/simulator"), **given)
        return Answer(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.body.encode())


class Connected:
    """A connection made over the door, with every scope the catalogue offers by default and every user scope."""

    def __init__(self, world: World, slug: str) -> None:
        provider = providers.load(slug)
        assert provider is not None
        self.world, self.row = world, simulated(provider, BASE)
        self.oauth = OAuth(Wire(world))  # type: ignore[arg-type]
        self.credentials = Credentials(client_of(slug)[0], Secret(client_of(slug)[1]))
        self.asked = tuple(provider.default_scopes()) + tuple(scope.name for scope in provider.scopes if scope.token == "user")
        url = urlsplit(self.oauth.authorization_url(self.row, self.credentials.client_id, CALLBACK, self.asked, "state", VERIFIER))
        back = world.decide(world.call("GET", url.path.removeprefix("/simulator"), query=parse_qsl(url.query)))
        assert back.location is not None
        self.returned = {name: values[0] for name, values in parse_qs(urlsplit(back.location).query).items()}
        self.answer = self.oauth.exchange(self.row, self.credentials, self.returned["code"], VERIFIER, CALLBACK, world.now)

    def refresh(self) -> TokenAnswer:
        self.answer = self.oauth.refresh(self.row, self.credentials, self.answer.tokens, self.world.now)
        return self.answer


@pytest.mark.parametrize("slug", SLUGS)
def test_connect(world: World, slug: str) -> None:
    connected = Connected(world, slug)
    row, answer, person = connected.row, connected.answer, people(slug)[0]
    assert connected.returned.get("iss", "") == row.authorization.issuer
    # Where an account has no id but a user name, that is what tells it.
    assert answer.identity is not None and answer.identity.account_id in (person.id, person.email) and answer.identity.name
    assert answer.identity.team == ((person.org or None) if row.identity.team else None)
    assert answer.tokens.refresh_token is not None and answer.expires_at is not None and answer.expires_at > world.now + timedelta(minutes=5)
    assert answer.scopes is None or set(connected.asked) <= set(answer.scopes)
    assert connected.oauth.still_accepted(row, answer.tokens.access_token) is (True if slug in PROBED else None)
    for name in ("instance_url", "team.id", "bot_user_id", "workspace_id", "hub_id"):
        assert (name in answer.metadata) == (name in row.metadata)


@pytest.mark.parametrize("slug", SLUGS)
def test_refresh_again_and_again(world: World, slug: str) -> None:
    connected = Connected(world, slug)
    before = connected.answer.tokens.access_token.reveal()
    for _ in range(3):
        world.later(3000)
        connected.refresh()
        assert not connected.answer.problems
    assert connected.answer.tokens.access_token.reveal() != before
    assert connected.oauth.still_accepted(connected.row, connected.answer.tokens.access_token) is (True if slug in PROBED else None)


@pytest.mark.parametrize("slug", PROBED)
def test_an_expired_token_is_no_longer_accepted(world: World, slug: str) -> None:
    connected = Connected(world, slug)
    world.turn(slug, action="expire_access_token")
    told = connected.oauth.still_accepted(connected.row, connected.answer.tokens.access_token)
    # Salesforce's userinfo says 403, which others say of a missing permission.
    assert told is (None if slug == "salesforce" else False)


@pytest.mark.parametrize("slug", REVOKING)
def test_revoked_by_the_person_and_revoked_by_us(world: World, slug: str) -> None:
    connected = Connected(world, slug)
    world.turn(slug, action="revoke_grant")
    with pytest.raises(GrantRefused):
        connected.refresh()
    again = Connected(world, slug)
    assert again.oauth.revoke(again.row, again.credentials, again.answer.tokens) == "revoked"
    assert again.oauth.revoke(again.row, again.credentials, again.answer.tokens) == "revoked"
    with pytest.raises(GrantRefused):
        again.refresh()


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize(("behaviour", "raised"), [("429", ProviderUnavailable), ("500", ProviderUnavailable), ("malformed", ProviderWeird)])
def test_failures_are_told_apart(world: World, slug: str, behaviour: str, raised: type[Exception]) -> None:
    connected = Connected(world, slug)
    world.turn(slug, behaviour=behaviour, times=1, retry_after=30)
    with pytest.raises(raised) as failed:
        connected.refresh()
    assert getattr(failed.value, "retry_after", None) == (30 if behaviour == "429" else None)


@pytest.mark.parametrize("slug", sorted(set(SLUGS) - set(REVOKING)))
def test_what_cannot_be_revoked_there_is_ended_by_the_person_alone(world: World, slug: str) -> None:
    connected = Connected(world, slug)
    assert connected.oauth.revoke(connected.row, connected.credentials, connected.answer.tokens) == "unsupported"
    world.turn(slug, action="revoke_grant")
    with pytest.raises(GrantRefused):
        connected.refresh()


def test_every_provider_is_simulated() -> None:
    assert set(SIMULATED) == set(providers.slugs()) and len(SLUGS) > 4
