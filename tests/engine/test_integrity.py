"""Somebody writes to the table. A sealed value that is not where and what it was is never used, and never a reason to ask the user."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.errors import IntegrityError, NotFound
from chalicelib.domain.models import Owner
from chalicelib.domain.secret import Secret
from chalicelib.doors import keys
from chalicelib.engine.registrations import Change
from chalicelib.engine.tokens import Inactive, Live
from tests.cloud import Cloud
from tests.engine.scenes import EXPIRED, SLUG, Process, Scene, new_owner, staged
from tests.peers import Peer


@pytest.fixture(params=["bound", "shared", "audited"])
def sealed(request: pytest.FixtureRequest, cloud: Cloud, strict_django: Peer) -> Iterator[Scene]:
    """A stage in each mode of sealing."""
    with staged(cloud.stage(STANDPIPE_ENCRYPTION=request.param), strict_django) as scene:
        yield scene


def overwrite(scene: Scene, owner: Owner, blob: bytes | None) -> None:
    key = {name: {"S": value} for name, value in keys.connection(owner, SLUG).items()}
    change: dict[str, Any] = {"UpdateExpression": "SET sealed = :blob", "ExpressionAttributeValues": {":blob": {"B": blob}}} if blob is not None else {"UpdateExpression": "REMOVE sealed"}
    scene.stage.cloud.client("dynamodb").update_item(TableName=scene.stage.table, Key=key, **change)


def assert_unusable(scene: Scene, owner: Owner) -> None:
    """By nobody: not a fetch, not a refresh, and without a word to the provider or the user."""
    posts = scene.posts()
    for engine in (scene.first, scene.process(EXPIRED)):
        with pytest.raises(IntegrityError):
            engine.fetch(owner)
    with pytest.raises(IntegrityError):
        scene.first.rejected(owner, scene.first.row(owner).generation)
    row = scene.first.row(owner)
    assert (row.state, row.lease_owner, row.intent_attempt) == ("connected", None, 0)
    assert scene.posts() == posts


def test_a_blob_of_another_connection_does_not_open(sealed: Scene) -> None:
    one, other = new_owner(), new_owner()
    ours, theirs = sealed.connected(one), sealed.connected(other)
    overwrite(sealed, one, sealed.first.row(other).sealed)
    overwrite(sealed, other, ours.sealed)
    assert_unusable(sealed, one)
    assert_unusable(sealed, other)
    overwrite(sealed, one, ours.sealed)
    overwrite(sealed, other, theirs.sealed)
    assert sealed.works(sealed.first.fetch(one)) and sealed.works(sealed.first.fetch(other))


def test_the_blob_of_an_earlier_generation_does_not_open(sealed: Scene) -> None:
    owner = new_owner()
    old = sealed.connected(owner).sealed
    assert sealed.works(sealed.first.rejected(owner, 1))
    overwrite(sealed, owner, old)
    assert_unusable(sealed, owner)


def test_the_blob_of_a_connection_that_was_ended_does_not_open(sealed: Scene) -> None:
    owner = new_owner()
    old = sealed.connected(owner).sealed
    sealed.first.disconnect.disconnect(owner, SLUG, seconds_left=lambda: 29.0)
    sealed.connected(owner)
    overwrite(sealed, owner, old)
    assert_unusable(sealed, owner)


def test_a_client_secret_is_no_token(sealed: Scene) -> None:
    owner = new_owner()
    sealed.connected(owner)
    overwrite(sealed, owner, sealed.first.registrations.get(SLUG).client_secrets[0].sealed)
    assert_unusable(sealed, owner)


@pytest.mark.parametrize("blob", [None, b"", b"\x02", b"plain text", bytes(1000)])
def test_what_is_no_blob_does_not_open(strict: Scene, blob: bytes | None) -> None:
    owner = new_owner()
    strict.connected(owner)
    overwrite(strict, owner, blob)
    assert_unusable(strict, owner)


def test_no_bit_of_a_blob_can_be_changed(sealed: Scene) -> None:
    owner = new_owner()
    good = sealed.connected(owner).sealed or b""
    engine = sealed.first
    # Every part has its turn: header, encrypted data key, body, tag. One bit each, another in every byte.
    for position in range(0, len(good), 11):
        damaged = bytearray(good)
        damaged[position] ^= 1 << position % 8
        overwrite(sealed, owner, bytes(damaged))
        with pytest.raises(IntegrityError):
            engine.fetch(owner)
    for length in (len(good) - 1, len(good) // 2, 40):
        overwrite(sealed, owner, good[:length])
        with pytest.raises(IntegrityError):
            engine.fetch(owner)
    assert engine.row(owner).state == "connected"
    overwrite(sealed, owner, good)
    assert sealed.works(engine.fetch(owner))


def test_a_connection_with_a_damaged_blob_can_still_be_left_and_replaced(strict: Scene) -> None:
    owner = new_owner()
    strict.connected(owner)
    overwrite(strict, owner, b"damaged")
    strict.connected(owner)
    assert strict.works(strict.first.fetch(owner))
    overwrite(strict, owner, b"damaged")
    assert strict.first.disconnect.disconnect(owner, SLUG, seconds_left=lambda: 29.0) == "failed"
    assert isinstance(strict.first.fetch(owner), Inactive)


def seen(engine: Process, owner: Owner) -> tuple[str, ...]:
    fetched = engine.fetch(owner)
    assert not isinstance(fetched, Live), "another owner's token"
    reported = engine.rejected(owner, 1)
    with pytest.raises(NotFound) as refused:
        engine.disconnect.disconnect(owner, SLUG, seconds_left=lambda: 29.0)
    assert isinstance(reported, Inactive)
    return fetched.error, str(fetched.reason), fetched.message, reported.error, reported.message, refused.value.code, refused.value.message


def test_another_owners_connection_looks_like_none(strict: Scene) -> None:
    user, organization = new_owner().user_id, "org_1"
    engine = strict.first
    for mine in (Owner(user_id=user), Owner(user_id=user, organization_id=organization)):
        strict.connected(mine, user=user)
    nothing = seen(engine, new_owner())
    others = [
        Owner(user_id=user, organization_id="org_2"), Owner(user_id=organization),
        Owner(user_id=f"{user}#"), Owner(user_id="-", organization_id=user), Owner(user_id=f"{organization}#{user}"), Owner(user_id=f"{user}%23"), Owner(user_id=(user or "").upper()),
    ]  # fmt: skip
    for other in others:
        assert seen(engine, other) == nothing
    assert engine.connect is not None and strict.works(engine.fetch(Owner(user_id=user)))


def test_a_damaged_client_secret_is_mended_by_entering_it_again(strict: Scene) -> None:
    owner = new_owner()
    strict.connected(owner)
    store = strict.first.store
    registration = strict.first.registrations.get(SLUG)
    damaged = replace(registration.client_secrets[0], sealed=b"\0" + registration.client_secrets[0].sealed[1:])
    store.save_registration(replace(registration, client_secrets=(damaged,), version=registration.version + 1), expected_version=registration.version)
    engine = strict.process(EXPIRED)
    with pytest.raises(IntegrityError):
        engine.fetch(owner)

    engine.registrations.update(SLUG, Change(client_secret=Secret(strict.peer.client_secret)))

    assert len(engine.registrations.get(SLUG).client_secrets) == 1
    assert strict.works(engine.fetch(owner))
