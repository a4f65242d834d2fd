"""Knobs, counters, the overview page, routing, and the catalogue row that leads here."""

from json import loads
from urllib.parse import urlsplit

import pytest

from chalicelib.providers import catalogue as providers
from chalicelib.providers.spec import resolve
from chalicelib.simulator.catalogue import SIMULATED, client_of, simulated
from chalicelib.simulator.routes import mounts, spoken

from .conftest import BASE, World

SLUGS = sorted(SIMULATED)


def test_expire_and_revoke_by_account_and_grant(world: World) -> None:
    octocat, hubot = world.connect("github"), world.connect("github", "hubot")
    assert world.turn("github", action="expire_access_token", account="octocat")["grants"] == 1
    assert world.get("github", "/user", octocat["access_token"]).status == 401 and world.get("github", "/user", hubot["access_token"]).status == 200
    fresh = loads(world.refresh("github", octocat["refresh_token"]).body)
    assert world.get("github", "/user", fresh["access_token"]).status == 200
    grants = loads(world.call("GET", "/knobs").body)["github"]["grants"]
    (of_hubot,) = [grant["id"] for grant in grants if grant["account"] == "hubot"]
    assert world.turn("github", action="revoke_grant", grant=of_hubot)["grants"] == 1
    assert loads(world.refresh("github", hubot["refresh_token"]).body)["error"] == "bad_refresh_token"
    assert world.turn("github", action="revoke_grant")["grants"] == 1


def test_the_next_n_calls_fail_and_then_no_more(world: World) -> None:
    token = world.connect("github")["refresh_token"]
    world.turn("github", behaviour="429", times=2, retry_after=7)
    for _ in range(2):
        answer = world.refresh("github", token)
        assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
    assert world.refresh("github", token).status == 200
    assert loads(world.call("GET", "/knobs").body)["github"]["knobs"]["behaviour"] == "normal"


def test_until_changed(world: World) -> None:
    world.turn("slack", behaviour="500", times=0)
    assert [world.refresh("slack", "x").status for _ in range(3)] == [500, 500, 500]
    world.turn("slack", action="reset")
    assert world.refresh("slack", "x").status == 200


def test_malformed_and_slow_come_after_the_deed(world: World) -> None:
    token = world.connect("github")["refresh_token"]
    world.turn("github", behaviour="malformed", times=1)
    answer = world.refresh("github", token)
    assert answer.status == 200 and answer.body
    with pytest.raises(ValueError):
        loads(answer.body)
    assert loads(world.refresh("github", token).body)["error"] == "bad_refresh_token"
    world.turn("google", behaviour="slow", seconds=9, times=1)
    world.connect("google")
    assert world.slept == [9]


def test_the_api_can_be_the_target(world: World) -> None:
    token = world.connect("github")["access_token"]
    world.turn("github", behaviour="500", target="api", times=1)
    assert world.refresh("github", "x").status == 200
    assert [world.get("github", "/user", token).status for _ in range(2)] == [500, 200]


def test_token_life(world: World) -> None:
    world.turn("google", access_token_seconds=60)
    assert world.connect("google")["expires_in"] == 60


@pytest.mark.parametrize("knobs", [{"behaviour": "x"}, {"target": "x"}, {"rotation": "x"}, {"times": "-1"}, {"seconds": 26}, {"access_token_seconds": "0"}, {"action": "x"}, {"seconds": "x"}])
def test_wrong_knobs_are_named(world: World, knobs: dict[str, object]) -> None:
    answer = world.call("POST", "/github/knobs", json=knobs)
    assert answer.status == 400 and next(iter(knobs)) in loads(answer.body)["message"]


def test_hits_count_token_calls_by_grant_type(world: World) -> None:
    answer = world.connect("github")
    world.refresh("github", answer["refresh_token"])
    world.refresh("github", "x")
    world.turn("github", behaviour="429", times=1)
    world.refresh("github", "x")
    world.call("POST", "/google/revoke", form=[("token", "x")])
    hits = loads(world.call("GET", "/hits").body)
    assert {slug: counted for slug, counted in hits.items() if counted} == {"github": {"authorization_code": 1, "refresh_token": 3}, "google": {"revocation": 1}}
    assert set(hits) == set(SIMULATED)
    assert world.call("DELETE", "/hits", headers={"origin": "https://evil.example"}).status == 403
    assert set(loads(world.call("DELETE", "/hits").body)["github"]) == set()


def test_overview_shows_grants_and_its_forms_work(world: World) -> None:
    world.connect("github")
    world.connect("slack", user_scope="search:read")
    page = world.call("GET", "")
    assert page.status == 200 and "octocat" in page.body and "search:read" in page.body and "<script" not in page.body and "style=" not in page.body
    form, ours = [("action", "revoke_grant"), ("account", "octocat")], {"origin": BASE}
    done = world.call("POST", "/github/knobs", form=form, headers=ours)
    assert (done.status, done.location) == (303, f"{BASE}/simulator#github")
    assert "revoked by the person" in world.call("GET", "").body
    assert world.call("POST", "/github/knobs", form=form, headers={"origin": "https://evil.example"}).status == 403
    assert world.call("POST", "/github/knobs", form=[("action", "x")], headers=ours).status == 400


def test_ended_grants_and_expired_tokens_are_not_shown_as_secrets(world: World) -> None:
    answer = world.connect("salesforce")
    told = world.call("GET", "").body + world.call("GET", "/knobs").body
    assert answer["access_token"] not in told and answer["refresh_token"] not in told


def test_unknown_paths_and_methods(world: World) -> None:
    assert world.call("GET", "/nobody/x").status == 404 and world.call("GET", "/github/x").status == 404
    wrong = world.call("PUT", "/github/user")
    assert (wrong.status, wrong.headers["Allow"]) == (405, "GET")


def test_every_mount_is_served(world: World) -> None:
    for method, path in mounts():
        filled = path.replace("{slug}", "github").replace("{client_id}", "simulated-github").replace("{version}", "v62.0").replace("{tenant}", "common")
        answer = world.call(method, filled)
        assert answer.status != 405 and "does not have this path" not in answer.body and "no such simulated provider" not in answer.body, (method, path)


@pytest.mark.parametrize("slug", SLUGS)
def test_the_catalogue_row_leads_to_the_simulator(world: World, slug: str) -> None:
    provider = providers.load(slug)
    assert provider is not None
    row = simulated(provider, BASE)
    routes = {(method, path.replace("{tenant}", "common")) for method, path in mounts()}
    methods = {"authorization": "GET", "token": "POST", "client_credentials": "POST", "revocation": row.revocation.method, "identity": row.identity.method}
    methods |= {"verify": row.api_key.verify.method} if row.api_key.verify else {}
    for word, url in row.endpoints().items():
        assert url.startswith(f"{BASE}/simulator/{slug}/") and (methods[word], urlsplit(url).path.removeprefix("/simulator")) in routes, url
    real = {word: urlsplit(url).path for word, url in resolve(provider, {field.name: field.default or field.example for field in provider.config}).endpoints().items()}
    assert {word: urlsplit(url).path for word, url in row.endpoints().items()} == {word: f"/simulator/{slug}{path}" for word, path in real.items()}
    issuer = spoken(slug)[0].issuer_path
    assert row.authorization.issuer == ("" if issuer is None else f"{BASE}/simulator/{slug}{issuer}")
    assert client_of(slug) == (f"simulated-{slug}", f"simulated-secret-{slug}")
