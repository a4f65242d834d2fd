"""Case 61, R29: rows come back from a backup with refresh tokens that were spent since. One try each, told as what it is, and a list of whom it concerns."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from chalicelib.doors import keys
from chalicelib.engine.tokens import Inactive, Live
from tests.cloud import Cloud
from tests.engine import scenes
from tests.engine.deliveries import deliver
from tests.engine.scenes import EXPIRED, SLUG, Scene, new_owner, reauthorization_events, staged
from tests.ops.restorations import HOUR, run
from tests.peers import Peer, start_django, start_oidc

ONE_CLIENT = {"redirect_uris": [scenes.CALLBACK], "client_id": scenes.CLIENT_ID}


@pytest.fixture(scope="module")
def strict_django() -> Iterator[Peer]:
    with start_django(client_secret=scenes.UNICODE_SECRET, **ONE_CLIENT) as peer:
        yield peer


@pytest.fixture(scope="module")
def strict_oidc() -> Iterator[Peer]:
    with start_oidc(client_secret=scenes.ASCII_SECRET, **ONE_CLIENT) as peer:
        yield peer


@pytest.fixture(scope="module")
def plain_peer() -> Iterator[Peer]:
    with start_django(client_secret=scenes.UNICODE_SECRET, rotate=False, reuse_protection=False, **ONE_CLIENT) as peer:
        yield peer


@pytest.fixture(params=["strict_django", "strict_oidc"])
def strict(request: pytest.FixtureRequest, cloud: Cloud) -> Iterator[Scene]:
    with staged(cloud.stage(), request.getfixturevalue(request.param)) as scene:
        yield scene


@pytest.fixture
def plain(cloud: Cloud, plain_peer: Peer) -> Iterator[Scene]:
    """At a provider whose refresh tokens stay the same, and whose file says so."""
    with staged(cloud.stage(), plain_peer) as scene:
        scene.change_provider(lifetimes={"rotation": "none"})
        yield scene


class Backup:
    """A row as it was, put over what became of it: three refreshes later."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.owner = scene, new_owner()
        self.made = scene.connected(self.owner)
        self.client, self.table = scene.stage.cloud.client("dynamodb"), scene.stage.table
        key = {name: {"S": value} for name, value in keys.connection(self.owner, SLUG).items()}
        self.row = self.client.get_item(TableName=self.table, Key=key)["Item"]
        for generation in (1, 2, 3):
            assert scene.works(scene.first.rejected(self.owner, generation))
        assert scene.first.row(self.owner).generation == 4
        self.posts = scene.posts()

    def put(self, table: str | None = None) -> None:
        self.client.put_item(TableName=table or self.table, Item=self.row)

    def posts_since(self) -> int:
        return self.scene.posts() - self.posts

    def assert_told_once(self) -> None:
        row = self.scene.first.row(self.owner)
        assert (row.state, row.reason, row.generation) == ("needs_reauthorization", "refresh_outcome_unknown", 1)
        assert isinstance(self.scene.process(EXPIRED).fetch(self.owner), Inactive)
        assert self.posts_since() == 1
        assert len(reauthorization_events(self.scene.first, self.made)) == 1


def test_r29_case_61_a_spent_token_is_tried_once_and_told_as_an_unknown_outcome(strict: Scene) -> None:
    backup = Backup(strict)
    backup.put()
    report, listed, said = run(strict.stage)

    assert (report.looked_at, report.marked, report.providers) == (1, 1, {SLUG: 1})
    assert [(line["id"], line["user_id"], line["provider"], line["generation"]) for line in listed] == [(backup.made.id, backup.owner.user_id, SLUG, 1)]
    assert f"{SLUG}: 1 in doubt" in said
    fetched = strict.process(EXPIRED).fetch(backup.owner)
    assert isinstance(fetched, Inactive) and fetched.reason == "refresh_outcome_unknown"
    backup.assert_told_once()
    assert strict.connected(backup.owner).state == "connected"


def test_r29_case_61_the_clock_does_not_ask_before_its_time_and_then_once(strict: Scene) -> None:
    backup = Backup(strict)
    backup.put()
    run(strict.stage)
    for early in (timedelta(minutes=50), timedelta(minutes=59)):
        engine = strict.process(early)  # the margin of the sweep is long past
        engine.sweep.run(lambda: 60.0)
        deliver(engine, "refresh")
    assert backup.posts_since() == 0
    assert isinstance(strict.process(timedelta(minutes=50)).fetch(backup.owner), Live)  # no alarm while the restored access token lives
    assert backup.posts_since() == 0
    engine = strict.process(EXPIRED + HOUR)
    engine.sweep.run(lambda: 60.0)
    deliver(engine, "refresh")

    backup.assert_told_once()


def test_r29_case_61_marked_in_the_restored_table_it_is_in_doubt_from_the_first_moment(strict: Scene) -> None:
    backup = Backup(strict)
    copy = strict.stage.cloud.stage().table
    everything = backup.client.scan(TableName=backup.table)["Items"]
    for row in everything:
        backup.client.put_item(TableName=copy, Item=row)
    backup.put(copy)
    report, _, said = run(strict.stage, table=copy)

    assert report.marked == 1 and copy in said[-1]
    assert strict.first.row(backup.owner).intent_attempt == 0  # the live one is not touched
    (row,) = [row for row in backup.client.scan(TableName=copy)["Items"] if row["sk"]["S"].startswith("connection#")]
    backup.client.put_item(TableName=backup.table, Item=row)
    assert isinstance(strict.process(EXPIRED).fetch(backup.owner), Inactive)
    backup.assert_told_once()


def test_r29_case_61_a_token_that_was_not_spent_after_all_loses_nothing(strict: Scene) -> None:
    owner = new_owner()
    made = strict.connected(owner)
    assert run(strict.stage)[0].marked == 1
    live = strict.process(EXPIRED).fetch(owner)

    assert strict.works(live)
    row = strict.first.row(owner)
    assert (row.state, row.generation, row.intent_attempt, strict.posts()) == ("connected", 2, 0, 1)
    assert reauthorization_events(strict.first, made) == []


def test_r29_case_61_where_refresh_tokens_are_not_replaced_nothing_is_in_doubt(plain: Scene) -> None:
    backup = Backup(plain)
    backup.put()
    before = plain.first.row(backup.owner)
    report, listed, _ = run(plain.stage)

    assert (report.looked_at, report.marked, report.already, listed) == (1, 0, 0, [])
    assert plain.first.row(backup.owner) == before
    assert plain.works(plain.process(EXPIRED).fetch(backup.owner))
    assert plain.first.row(backup.owner).state == "connected"
    assert reauthorization_events(plain.first, backup.made) == []
