"""A provider without a dialect of its own, by the door Standpipe uses: clients of a customer's own, API keys, config fields, and the knobs for them."""

from datetime import timedelta
from json import loads

import pytest

from chalicelib.domain.errors import ProviderUnavailable, RegistrationRefused
from chalicelib.domain.secret import Secret
from chalicelib.domain.tokens import TokenAnswer
from chalicelib.doors.oauth import Credentials, OAuth
from chalicelib.providers import catalogue as providers
from chalicelib.providers.spec import Provider, resolve
from chalicelib.simulator.catalogue import REFUSED, SIMULATED, simulated
from chalicelib.simulator.routes import spoken

from .conftest import BASE, World, path
from .test_with_the_door import Connected, Wire

KNOWN: dict[str, Provider] = {slug: provider for slug in SIMULATED if (provider := providers.load(slug)) is not None}
CLIENT_CREDENTIALS = [slug for slug, provider in KNOWN.items() if "client_credentials" in provider.auth_methods]
API_KEY = [slug for slug, provider in KNOWN.items() if "api_key" in provider.auth_methods]
REFRESHED = [slug for slug, provider in KNOWN.items() if "oauth" in provider.auth_methods and not spoken(slug)[0].own]


def door(world: World) -> OAuth:
    return OAuth(Wire(world))  # type: ignore[arg-type]


def fetch(world: World, slug: str, client_id: str = "any", secret: str = "thing") -> TokenAnswer:
    return door(world).client_credentials(simulated(KNOWN[slug], BASE), Credentials(client_id, Secret(secret)), ("read",), world.now)


@pytest.mark.parametrize("slug", CLIENT_CREDENTIALS)
class TestClientOfItsOwn:
    def test_any_client_gets_a_token_and_another_the_next_time(self, world: World, slug: str) -> None:
        first = fetch(world, slug)
        assert first.tokens.refresh_token is None and first.expires_at == world.now + timedelta(seconds=first.token_life) and first.token_life
        assert first.scopes == (("read",) if KNOWN[slug].client_credentials.scope_parameter else None)
        world.later(4000)
        second = fetch(world, slug)
        assert second.tokens.access_token.reveal() != first.tokens.access_token.reveal()
        assert loads(world.call("GET", "/hits").body)[slug] == {"client_credentials": 2}

    def test_a_refused_secret_and_an_empty_one_are(self, world: World, slug: str) -> None:
        for secret in (REFUSED, f"my-{REFUSED.upper()}-secret"):
            with pytest.raises(RegistrationRefused):
                fetch(world, slug, secret=secret)
        with pytest.raises(RegistrationRefused):
            fetch(world, slug, client_id="")
        assert not list(world.state.grants(slug))

    def test_the_token_opens_the_api_until_it_expires(self, world: World, slug: str) -> None:
        row, token = simulated(KNOWN[slug], BASE), fetch(world, slug).tokens.access_token
        assert door(world).still_accepted(row, token) is True
        world.turn(slug, action="expire_access_token")
        assert door(world).still_accepted(row, token) is False
        assert door(world).still_accepted(row, fetch(world, slug).tokens.access_token) is True

    def test_a_client_that_was_revoked_there_is_refused_and_one_with_a_new_secret_is_not(self, world: World, slug: str) -> None:
        fetch(world, slug)
        assert world.turn(slug, action="revoke_grant", account="client")["grants"] == 1
        with pytest.raises(RegistrationRefused):
            fetch(world, slug)
        assert fetch(world, slug, secret="a new one").tokens.access_token

    def test_one_client_is_one_grant(self, world: World, slug: str) -> None:
        for _ in range(3):
            fetch(world, slug)
        (grant,) = world.state.grants(slug)
        assert grant.account == "client"
        assert "A client of its own" in world.call("GET", "").body and "thing" not in world.call("GET", "/knobs").body

    def test_its_calls_can_fail(self, world: World, slug: str) -> None:
        world.turn(slug, behaviour="429", times=1, retry_after=30)
        with pytest.raises(ProviderUnavailable) as refused:
            fetch(world, slug)
        assert refused.value.retry_after == 30 and fetch(world, slug).tokens.access_token

    def test_its_tokens_live_as_the_knob_says(self, world: World, slug: str) -> None:
        world.turn(slug, access_token_seconds=90, expiring="off")
        assert fetch(world, slug).token_life == 90


NEEDING = [slug for slug in CLIENT_CREDENTIALS if any("{" in value for value in KNOWN[slug].client_credentials.parameters.values())]


@pytest.mark.parametrize("slug", NEEDING)
def test_a_request_without_its_config_value_is_refused(world: World, slug: str) -> None:
    token_path = path(next(route.path for route in spoken(slug)[1] if route.kind == "token"))
    parameters = dict(KNOWN[slug].client_credentials.parameters)
    asked = world.call("POST", f"/{slug}{token_path}", form=[*parameters.items(), ("client_id", "any"), ("client_secret", "thing")])
    assert (asked.status, loads(asked.body)["error"]) == (400, "invalid_request")
    given = {name: "17" if "{" in value else value for name, value in parameters.items()}
    assert world.call("POST", f"/{slug}{token_path}", form=[*given.items(), ("client_id", "any"), ("client_secret", "thing")]).status == 200


@pytest.mark.parametrize("slug", API_KEY)
class TestApiKey:
    def test_any_key_is_taken_and_tells_an_account(self, world: World, slug: str) -> None:
        row = simulated(KNOWN[slug], BASE)
        accepted, identity = door(world).check_api_key(row, Secret(row.api_key.example))
        assert accepted is True and (identity is not None) == bool(row.api_key.verify and row.api_key.verify.account_id)
        assert identity is None or (identity.account_id == "1000009" and identity.name)
        assert loads(world.call("GET", "/hits").body)[slug] == {"api": 1}

    def test_a_refused_key_can_have_the_right_form(self, world: World, slug: str) -> None:
        row = simulated(KNOWN[slug], BASE)
        refused = f"{row.api_key.example[:-9]}{REFUSED}99"
        assert row.api_key.allows(refused), "people can type it"
        assert door(world).check_api_key(row, Secret(refused)) == (False, None)
        assert not list(world.state.grants(slug))

    def test_a_key_that_was_revoked_there_is_refused_and_another_is_not(self, world: World, slug: str) -> None:
        row = simulated(KNOWN[slug], BASE)
        key = row.api_key.example
        for _ in range(2):
            assert door(world).check_api_key(row, Secret(key))[0] is True
        overview = world.call("GET", "").body
        assert "An API key" in overview and "Expire token" not in overview, "a key does not expire"
        assert key not in world.call("GET", "").body + world.call("GET", "/knobs").body
        assert world.turn(slug, action="revoke_grant", account="key")["grants"] == 1
        assert door(world).check_api_key(row, Secret(key))[0] is False
        assert door(world).check_api_key(row, Secret(f"{key}0"))[0] is True

    def test_trouble_at_the_api_leaves_a_key_open(self, world: World, slug: str) -> None:
        row = simulated(KNOWN[slug], BASE)
        world.turn(slug, behaviour="500", target="api", times=1)
        assert door(world).check_api_key(row, Secret(row.api_key.example)) == (None, None)

    def test_without_a_key_there_is_no_answer(self, world: World, slug: str) -> None:
        verify = KNOWN[slug].api_key.verify
        assert verify is not None
        where = f"/{slug}" + simulated(KNOWN[slug], BASE).endpoints()["verify"].split(f"/{slug}", 1)[1]
        assert world.call(verify.method, where).status == 401


@pytest.mark.parametrize("slug", sorted(set(API_KEY) & set(REFRESHED)))
def test_a_token_that_is_over_is_not_taken_for_a_key(world: World, slug: str) -> None:
    connected = Connected(world, slug)
    world.turn(slug, action="expire_access_token")
    assert connected.oauth.still_accepted(connected.row, connected.answer.tokens.access_token) is False
    assert connected.oauth.still_accepted(connected.row, Secret(f"simulated_{slug}_nobody")) is False


@pytest.mark.parametrize("slug", REFRESHED)
class TestRefresh:
    def test_rotation_is_as_the_file_says_and_the_knob_changes_it(self, world: World, slug: str) -> None:
        connected = Connected(world, slug)
        first = connected.answer.tokens.refresh_token
        assert connected.refresh().rotated == (KNOWN[slug].lifetimes.rotation == "single_use")
        world.turn(slug, rotation="on")
        assert connected.refresh().rotated and connected.answer.tokens.refresh_token is not first
        world.turn(slug, rotation="off")
        assert not connected.refresh().rotated

    def test_tokens_without_an_end_have_no_refresh_token(self, world: World, slug: str) -> None:
        world.turn(slug, expiring="off")
        answer = Connected(world, slug).answer
        assert answer.tokens.refresh_token is None
        assert (answer.expires_at is None) == (KNOWN[slug].lifetimes.access_token == 0)  # where the file assumes a life, that is the door's own

    def test_offline_access_has_to_be_asked_for_where_the_provider_knows_it(self, world: World, slug: str) -> None:
        asks = {"offline_access", "refresh_token"} & {scope.name for scope in KNOWN[slug].scopes}
        scopes = [scope.name for scope in KNOWN[slug].scopes if scope.name not in asks][:2]
        answer = world.connect(slug, scope=KNOWN[slug].authorization.scope_separator.join(scopes) or None)
        assert ("refresh_token" in answer) == (not asks)

    def test_a_wrong_client_is_told_from_a_dead_grant(self, world: World, slug: str) -> None:
        answer = world.redeem(slug, world.code(slug), client_secret="wrong")
        assert (answer.status, loads(answer.body)["error"]) == (401, "invalid_client")
        assert loads(world.redeem(slug, "no code").body)["error"] == "invalid_grant"
        assert loads(world.redeem(slug, "no code", grant_type="password").body)["error"] == "unsupported_grant_type"


def test_what_a_person_chose_is_gone_in_the_simulator_which_is_every_host() -> None:
    chosen = [slug for slug, provider in KNOWN.items() if any(field.default is None and not field.auth_methods for field in provider.config)]
    assert chosen
    for slug in chosen:
        values = {field.name: field.example for field in KNOWN[slug].config}
        assert simulated(resolve(KNOWN[slug], values), BASE).endpoints() == simulated(KNOWN[slug], BASE).endpoints()


def test_no_two_endpoints_of_a_provider_are_one_to_the_simulator() -> None:
    """It sees paths only, and a provider has several hosts."""
    for slug in SIMULATED:
        served = [(route.method, route.path) for route in spoken(slug)[1]]
        assert len(served) == len(set(served))
        kinds = {(route.method, route.path): route.kind for route in spoken(slug)[1]}
        provider = simulated(KNOWN[slug], BASE)
        if provider.authorization.endpoint:
            assert kinds[("POST", spoken(slug)[0].authorize_path)] == "page"
            assert provider.authorization.endpoint not in (provider.token.endpoint, provider.revocation.endpoint, provider.identity.endpoint)
        assert provider.revocation.endpoint is None or provider.revocation.endpoint not in (provider.token.endpoint, provider.identity.endpoint)


def test_the_overview_has_what_is_in_use_first_and_says_what_is_refused(world: World) -> None:
    idle = world.call("GET", "").body
    first = SIMULATED[-1]
    assert idle.index('id="github"') < idle.index(f'id="{SIMULATED[0]}"') < idle.index(f'id="{first}"') and f"<code>{REFUSED}</code>" in idle
    if first in CLIENT_CREDENTIALS:
        fetch(world, first)
    used = world.call("GET", "").body
    assert used.index(f'id="{first}"') < used.index(f'id="{SIMULATED[0]}"')
    assert all(f'id="{slug}"' in used for slug in SIMULATED)
