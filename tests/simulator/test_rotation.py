"""Rotation and reuse. What must be atomic is one conditional write each; the race itself is run on the embedded AWS, because moto's conditions are not atomic."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from json import loads

import pytest

from chalicelib.simulator.state import CodeUsed, Grant, Reused, State
from tests.cloud import Stage

from .conftest import World

ROTATING = ["github", "slack"]


@pytest.mark.parametrize("slug", ROTATING)
def test_reuse_ends_the_family(world: World, slug: str) -> None:
    first = world.connect(slug)
    second = loads(world.refresh(slug, first["refresh_token"]).body)
    assert "access_token" not in world.refresh(slug, first["refresh_token"]).body
    assert "access_token" not in world.refresh(slug, second["refresh_token"]).body
    (grant,) = world.state.grants(slug)
    assert grant.ended == "a refresh token was used twice"


def test_one_line_of_slack_does_not_disturb_the_other(world: World) -> None:
    answer = world.connect("slack", user_scope="search:read")
    for _ in range(2):
        fresh = loads(world.refresh("slack", answer["authed_user"]["refresh_token"]).body)
        answer["authed_user"] = fresh
    assert loads(world.refresh("slack", answer["refresh_token"]).body)["ok"]


def test_a_refresh_token_ends_after_its_life(world: World) -> None:
    first = world.connect("github")
    world.later(15897600)
    assert loads(world.refresh("github", first["refresh_token"]).body)["error"] == "bad_refresh_token"


def test_two_refreshes_at_once_are_reuse(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second runs inside the first, between its read of the grant and its write."""
    first, inner, rotate = world.connect("github"), [], State.rotate

    def interrupted(state: State, *given: object) -> Grant:
        monkeypatch.setattr(State, "rotate", rotate)
        inner.append(loads(world.refresh("github", first["refresh_token"]).body))
        return rotate(state, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(State, "rotate", interrupted)
    assert loads(world.refresh("github", first["refresh_token"]).body)["error"] == "bad_refresh_token"
    assert loads(world.refresh("github", inner[0]["refresh_token"]).body)["error"] == "bad_refresh_token"


def test_secrets_are_stored_as_hashes_only(world: World) -> None:
    code = world.code("slack", user_scope="search:read")
    answer = loads(world.redeem("slack", code).body)
    stored = str(world.state._client.scan(TableName="standpipe")["Items"])
    for secret in (code, answer["access_token"], answer["refresh_token"], answer["authed_user"]["access_token"], answer["authed_user"]["refresh_token"]):
        assert secret not in stored
    items = world.state._client.scan(TableName="standpipe")["Items"]
    assert all("ttl" in item for item in items if item["pk"]["S"].startswith(("simulator#token", "simulator#code", "simulator#grants")))


def test_on_a_real_table_exactly_one_of_many_wins(stage: Stage) -> None:
    state = State(stage.cloud.client("dynamodb"), stage.environ["STANDPIPE_TABLE"])
    now = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    grant = Grant("g", "github", "octocat", (), (), now.isoformat())
    state.save_grant(grant, now)
    state.save_code("c", {"slug": "github"}, now)

    def redeem(_: int) -> bool:
        try:
            return state.take_code("c", now) is not None
        except CodeUsed:
            return False

    def rotate(_: int) -> bool:
        try:
            return state.rotate(grant, "main", now).generation_main == 1
        except Reused:
            return False

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(redeem, range(16))) == 1
        assert sum(threads.map(rotate, range(16))) == 1
        list(threads.map(lambda _: state.count("github", "refresh_token"), range(32)))
    assert state.hits()["github"] == {"refresh_token": 32}
