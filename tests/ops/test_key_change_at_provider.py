"""A change of the KMS key at a real provider: a connection lives through it, and a mistake in its order asks nobody to connect again."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.errors import IntegrityError, Unavailable
from chalicelib.domain.models import Owner
from chalicelib.doors import keys
from chalicelib.doors.crypto import token_facts
from chalicelib.engine.messages import RefreshMessage
from tests.cloud import Cloud
from tests.engine import scenes
from tests.engine.scenes import EXPIRED, SLUG, Scene, new_owner, reauthorization_events, staged
from tests.ops import hooks
from tests.ops.key_changes import Change
from tests.peers import Peer, start_django


@pytest.fixture(scope="module")
def strict_peer() -> Iterator[Peer]:
    with start_django(client_secret=scenes.UNICODE_SECRET, client_id=scenes.CLIENT_ID, redirect_uris=[scenes.CALLBACK]) as peer:
        yield peer


@pytest.fixture
def scene(cloud: Cloud, strict_peer: Peer) -> Iterator[Scene]:
    with staged(cloud.stage(), strict_peer) as scene:
        yield scene


def test_case_53_a_connection_lives_through_a_change_of_key(scene: Scene) -> None:
    owner = new_owner()
    scene.connected(owner)
    change = Change(scene.stage)
    scene.stage.environ = change.environ
    assert scene.works(scene.process().fetch(owner))
    assert change.run().resealed == 2  # the connection and its client secret
    change.kms.disable_key(KeyId=change.former)
    change.environ["STANDPIPE_FORMER_KEY_ARNS"] = ""

    assert scene.works(scene.process().fetch(owner))
    assert scene.works(scene.process(EXPIRED).fetch(owner))  # refreshed: the client secret opens as well
    assert scene.posts() == 1


def test_case_53_a_real_refresh_between_our_read_and_our_write_wins(scene: Scene) -> None:
    owner = new_owner()
    made = scene.connected(owner)
    change = Change(scene.stage)
    scene.stage.environ = change.environ
    live: list[Any] = []
    with hooks.once_before("kms.GenerateDataKey", naming=made.id) as act:
        act(lambda: live.append(scene.process(EXPIRED).fetch(owner)))
        report = change.run()

    assert (report.resealed, report.current, report.failed) == (1, 1, [])  # the client secret, and what the refresh stored
    assert len(live) == 1 and scene.works(live[0])
    row = scene.first.row(owner)
    assert (row.generation, row.lease_owner, row.intent_attempt, scene.posts()) == (2, None, 0, 1)
    change.kms.disable_key(KeyId=change.former)
    assert scene.works(scene.process(EXPIRED).fetch(owner))


def test_case_53_sealing_anew_while_a_refresh_has_its_answer_and_has_not_stored_it_loses_neither(scene: Scene) -> None:
    owner = new_owner()
    made = scene.connected(owner)
    change = Change(scene.stage)
    scene.stage.environ = change.environ
    refreshing, writes = scene.process(EXPIRED), []

    def meanwhile(**_: Any) -> None:
        writes.append(scene.posts())
        if len(writes) == 2:  # the first is the lease, the second the store
            change.run()

    refreshing.client("dynamodb").meta.events.register("before-call.dynamodb.UpdateItem", meanwhile)
    assert scene.works(refreshing.fetch(owner))
    assert writes[:2] == [0, 1] and change.said
    row = scene.first.row(owner)
    assert (row.generation, row.lease_owner, row.intent_attempt, scene.posts()) == (2, None, 0, 1)
    assert change.run().resealed == 0
    assert reauthorization_events(scene.first, made) == []


def worked(scene: Scene, *owners: Owner) -> dict[str, int]:
    """What the clock's worker made of them when they were due."""
    message = RefreshMessage(SLUG, tuple(keys.connection(owner, SLUG) for owner in owners))
    return scene.process(EXPIRED).worker.handle(message.body(), lambda: 110.0).done


def disabled(change: Change) -> Callable[[], None]:
    change.kms.disable_key(KeyId=change.former)
    return lambda: change.kms.enable_key(KeyId=change.former)


def pending_deletion(change: Change) -> Callable[[], None]:
    change.kms.schedule_key_deletion(KeyId=change.former, PendingWindowInDays=7)

    def undone() -> None:
        change.kms.cancel_key_deletion(KeyId=change.former)
        change.kms.enable_key(KeyId=change.former)

    return undone


@pytest.mark.parametrize("unusable", [disabled, pending_deletion])
def test_case_52_a_former_key_that_cannot_be_used_asks_nobody_to_connect_again(scene: Scene, unusable: Callable[[Change], Callable[[], None]]) -> None:
    owner = new_owner()
    made = scene.connected(owner)
    change = Change(scene.stage)
    scene.stage.environ = change.environ
    again = unusable(change)
    before = scene.first.row(owner)
    for ahead in (timedelta(), EXPIRED):
        with pytest.raises(Unavailable) as caught:
            scene.process(ahead).fetch(owner)
        assert caught.value.code == "key_unavailable"

    assert replace(scene.first.row(owner), write_id=None) == replace(before, write_id=None)
    assert scene.posts() == 0 and reauthorization_events(scene.first, made) == []
    again()
    assert scene.works(scene.process(EXPIRED).fetch(owner))


@pytest.mark.parametrize("unusable", [disabled, pending_deletion])
def test_case_52_the_clock_waits_for_a_key_that_cannot_be_used(scene: Scene, unusable: Callable[[Change], Callable[[], None]]) -> None:
    owners = [new_owner() for _ in range(3)]
    for owner in owners:
        scene.connected(owner)
    change = Change(scene.stage)
    scene.stage.environ = change.environ
    again = unusable(change)
    before = [replace(scene.first.row(owner), write_id=None) for owner in owners]
    assert set(worked(scene, *owners)) == {"key_unavailable"}

    assert [replace(scene.first.row(owner), write_id=None) for owner in owners] == before and scene.posts() == 0
    again()
    assert worked(scene, *owners) == {"success_fresh": 3}


def test_case_52_blobs_that_changed_places_are_an_alarm_and_nobodys_verdict(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """By the clock, where no caller sees the error."""
    one, other = new_owner(), new_owner()
    ours, theirs = scene.connected(one), scene.connected(other)
    change = Change(scene.stage)
    scene.stage.environ = change.environ
    for owner, sealed in ((one, theirs.sealed), (other, ours.sealed)):
        change.after.table.note(keys.connection(owner, SLUG), {"sealed": sealed}, condition="attribute_exists(pk)", values={})
    capsys.readouterr()
    assert worked(scene, one, other) == {"integrity_error": 2}

    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    alarms = [line for line in printed if any(metric["Name"] == "integrity" for each in line.get("_aws", {}).get("CloudWatchMetrics", []) for metric in each["Metrics"])]
    assert len(alarms) == 2 and {line["event"] for line in alarms} == {"integrity_error"}
    assert {scene.first.row(owner).state for owner in (one, other)} == {"connected"} and scene.posts() == 0


def test_case_52_access_and_refresh_token_are_one_blob_and_cannot_change_places(scene: Scene) -> None:
    owner = new_owner()
    made = scene.connected(owner)
    row = scene.first.table.get(keys.connection(owner, SLUG))
    value = scene.first.sealer.open(made.sealed or b"", token_facts(made))

    assert row is not None and [name for name, held in row.items() if isinstance(held, bytes)] == ["sealed"]
    assert value["access_token"] and value["refresh_token"] and value["access_token"] != value["refresh_token"]


def test_case_52_a_key_taken_off_the_list_too_early_asks_nobody_to_connect_again(scene: Scene) -> None:
    owner = new_owner()
    scene.connected(owner)
    change = Change(scene.stage)
    scene.stage.environ = {**change.environ, "STANDPIPE_FORMER_KEY_ARNS": ""}
    for ahead in (timedelta(), EXPIRED):
        with pytest.raises(IntegrityError):
            scene.process(ahead).fetch(owner)

    row = scene.first.row(owner)
    assert (row.state, row.lease_owner, row.intent_attempt, scene.posts()) == ("connected", None, 0, 0)
    scene.stage.environ = change.environ
    assert scene.works(scene.process().fetch(owner))
