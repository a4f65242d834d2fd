"""A grant goes from one Standpipe to another and back, at a provider that ends it if two refresh it. And the provider's own word on what was brought."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.errors import Conflict
from chalicelib.domain.models import Connection, Owner
from chalicelib.engine.tokens import Live
from ops import exporting, importing
from ops.migration import handing
from ops.migration.scanning import Chosen
from tests.cloud import Cloud
from tests.engine import scenes
from tests.engine.deliveries import deliver
from tests.engine.scenes import EXPIRED, SLUG, Scene, new_owner, staged
from tests.ops.migrations import key, lines, report
from tests.peers import Peer, faults, start_django, start_oidc
from tests.peers.oauth_client import connect

ONE_CLIENT = {"redirect_uris": [scenes.CALLBACK], "client_id": scenes.CLIENT_ID}


@pytest.fixture(scope="module")
def strict_django() -> Iterator[Peer]:
    with start_django(client_secret=scenes.UNICODE_SECRET, **ONE_CLIENT) as peer:
        yield peer


@pytest.fixture(scope="module")
def strict_oidc() -> Iterator[Peer]:
    with start_oidc(client_secret=scenes.ASCII_SECRET, **ONE_CLIENT) as peer:
        yield peer


@pytest.fixture(params=["strict_django", "strict_oidc"])
def peer(request: pytest.FixtureRequest) -> Peer:
    found: Peer = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def old(cloud: Cloud, peer: Peer) -> Iterator[Scene]:
    with staged(cloud.stage(), peer) as scene:
        yield scene


@pytest.fixture
def new(cloud: Cloud, peer: Peer) -> Iterator[Scene]:
    """Another stage with the same client at the same provider: its own table, its own key, its own way to the provider."""
    with staged(cloud.stage(), peer) as scene:
        yield scene


@pytest.fixture
def at_django(cloud: Cloud, strict_django: Peer) -> Iterator[Scene]:
    """One provider is enough where it is asked by the same refresh."""
    with staged(cloud.stage(), strict_django) as scene:
        yield scene


def export(scene: Scene, to: Path, **more: Any) -> exporting.Exported:
    wanted = exporting.Wanted(to=to, recipient=key(to.parent)[1], hand_over=True, **more)
    return exporting.run(scene.process(), wanted, lambda _: None)


def bring(scene: Scene, file: Path, *, taking_over: bool = True, **more: Any) -> importing.Imported:
    identity = key(file.parent)[0]
    return importing.run(scene.process(), importing.Wanted(**{"file": file, "taking_over": taking_over, "slugs": {}, "identity": identity, **more}), lambda _: None)


def served_then_told(scene: Scene, owner: Owner, *, spent: bool = False, ended: timedelta = EXPIRED) -> None:
    """What is handed over: its token as long as it lives, then a plain word, and the provider is never asked again.

    `spent`: the other system has refreshed, and some providers end the access token before then.
    """
    asked = scene.posts()
    live = scene.first.fetch(owner)
    assert isinstance(live, Live) and (spent or scene.works(live))
    late = scene.process(ended)
    for _ in range(2):
        with pytest.raises(Conflict) as refusal:
            late.fetch(owner)
        assert refusal.value.code == "handed_over"
    with pytest.raises(Conflict) as refusal:
        scene.first.rejected(owner, scene.first.row(owner).generation)
    assert refusal.value.code == "handed_over"
    late.sweep.run(lambda: 60.0)
    deliver(late, "refresh")
    late.repair.run(lambda: 60.0)
    assert scene.posts() == asked


def test_a_grant_goes_to_another_standpipe_and_back_and_only_one_refreshes_it(old: Scene, new: Scene, tmp_path: Path) -> None:
    owner = new_owner()
    made = old.connected(owner)
    there = export(old, tmp_path / "there.export")
    assert (there.exported, there.handed_over, there.left_out) == (1, 1, {})
    assert old.first.row(owner).handed_over_at is not None
    assert bring(new, tmp_path / "there.export").counts == {"imported": 1, "done before": 0}

    served_then_told(old, owner)
    assert (old.posts(), new.posts()) == (0, 0)
    assert new.works(new.process(EXPIRED).fetch(owner))
    assert (old.posts(), new.posts()) == (0, 1)
    late = new.process(2 * EXPIRED)
    late.sweep.run(lambda: 60.0)
    deliver(late, "refresh")
    assert (old.posts(), new.posts(), new.first.row(owner).generation) == (0, 2, 3)

    assert export(new, tmp_path / "back.export").handed_over == 1
    assert bring(old, tmp_path / "back.export").counts == {"replaced": 1, "done before": 0}
    new.first.ahead = old.first.ahead = timedelta()
    asked = new.posts()
    with pytest.raises(Conflict):
        new.process(4 * EXPIRED).fetch(owner)
    back = old.first.row(owner)
    assert (back.id, back.handed_over_at) == (made.id, None)
    assert old.works(old.process(4 * EXPIRED).fetch(owner))
    assert (old.posts(), new.posts()) == (1, asked)
    assert old.works(old.process(6 * EXPIRED).fetch(owner))


def test_everything_about_a_connection_goes_with_it(old: Scene, new: Scene, tmp_path: Path) -> None:
    several = new_owner()
    old.connected(several, user="first")
    assert old.arrive(old.leave(several, user="second", intent="add")).connection
    waiting = new_owner()
    ended = old.connected(waiting)
    old.peer.revoke_user(waiting.user_id or "")
    old.process(EXPIRED).fetch(waiting)
    assert old.first.row(waiting).state == "needs_reauthorization" and ended.state == "connected"
    assert export(old, tmp_path / "there.export").exported == 3
    bring(new, tmp_path / "there.export")

    def told(connection: Connection) -> tuple[Any, ...]:
        return (
            connection.role, connection.external_account_id, connection.external_name, connection.scopes_granted, connection.config, connection.metadata, connection.display_name,
            connection.expires_at, connection.state,
        )  # fmt: skip

    assert [told(each) for each in new.first.store.connections(several, SLUG)] == [told(each) for each in old.first.store.connections(several, SLUG)]
    assert len({each.external_account_id for each in new.first.store.connections(several, SLUG)}) == 2
    assert (new.first.row(waiting).state, new.first.row(waiting).reason) == ("needs_reauthorization", "imported")


def test_a_shadow_beside_the_old_one_and_then_the_cut(old: Scene, new: Scene, tmp_path: Path) -> None:
    owner = new_owner()
    old.connected(owner)
    copy = exporting.Wanted(to=tmp_path / "copy.export", recipient=key(tmp_path)[1])
    exporting.run(old.process(), copy, lambda _: None)
    bring(new, tmp_path / "copy.export", taking_over=False)
    served_then_told(new, owner)
    assert old.works(old.process(EXPIRED).fetch(owner))  # the old one goes on, and the token of the shadow is spent
    assert export(old, tmp_path / "cut.export").handed_over == 1
    assert bring(new, tmp_path / "cut.export").counts == {"replaced": 1, "done before": 0}

    assert new.works(new.process(2 * EXPIRED).fetch(owner))
    assert (old.posts(), new.posts()) == (1, 1)
    served_then_told(old, owner, spent=True, ended=2 * EXPIRED)


def test_back_out_before_the_new_one_has_refreshed(old: Scene, new: Scene, tmp_path: Path) -> None:
    owner = new_owner()
    old.connected(owner)
    export(old, tmp_path / "there.export")
    bring(new, tmp_path / "there.export")
    for scene, way in ((new, "hand-over"), (old, "take-over")):
        assert handing.run(scene.process(), way, Chosen(user=owner.user_id), confirm=lambda _: True, say=lambda _: None).changed == 1  # type: ignore[arg-type]

    assert old.works(old.process(EXPIRED).fetch(owner))
    served_then_told(new, owner, spent=True)


def test_a_copy_that_was_not_handed_over_is_not_taken_over(old: Scene, new: Scene, tmp_path: Path) -> None:
    owner = new_owner()
    old.connected(owner)
    exporting.run(old.process(), exporting.Wanted(to=tmp_path / "copy.export", recipient=key(tmp_path)[1]), lambda _: None)
    with pytest.raises(Exception, match="nothing was written"):
        bring(new, tmp_path / "copy.export")
    assert new.first.store.connections(owner) == []
    elsewhere = [{"provider": SLUG, "user_id": "somebody-else", **token} for token in tokens_of(tmp_path / "copy.export", tmp_path)]
    done = bring(old, lines(tmp_path / "stolen.jsonl", *elsewhere), format="json")

    assert done.counts["refused"] == 1 and "Another connection holds this refresh token already" in report(done)[0]["detail"]
    assert old.works(old.process(EXPIRED).fetch(owner))


def tokens_of(file: Path, folder: Path) -> list[dict[str, Any]]:
    from ops.migration.keys import identities
    from ops.migration.sealed import Opened

    return [{name: record[name] for name in ("access_token", "refresh_token", "expires_at")} for _, record in Opened(file, identities(key(folder)[0])).records()]


# what the provider says to what was brought


def given(peer: Peer, user: str) -> dict[str, Any]:
    """A grant that the person gave to the application's system before this one."""
    answer = connect(peer, scenes.CALLBACK, "read", user)
    return {"provider": SLUG, "user_id": user, "access_token": answer["access_token"], "refresh_token": answer["refresh_token"], "expires_at": "2031-01-01T00:00:00Z"}


def test_verify_refreshes_each_once_and_tells_what_the_provider_said(at_django: Scene, tmp_path: Path) -> None:
    new = at_django
    good, revoked = given(new.peer, "good"), given(new.peer, "revoked")
    new.peer.revoke_user("revoked")
    stays = {"provider": SLUG, "user_id": "stays", "access_token": good["access_token"] + "x"}
    file = lines(tmp_path / "rows.jsonl", good, revoked, stays, {"provider": SLUG, "user_id": "waits"})
    done = bring(new, file, format="json", verify=True)

    assert {line["user_id"]: line["verified"] for line in report(done)} == {"good": "works", "revoked": "refused (invalid_grant)", "stays": "nothing to refresh", "waits": "needs its user"}
    assert done.counts["verified: works"] == 1 and not done.is_done
    assert new.posts() == 2
    assert (new.first.row(Owner(user_id="good")).generation, new.first.row(Owner(user_id="revoked")).state) == (2, "needs_reauthorization")
    again = bring(new, file, format="json", verify=True, report=tmp_path / "another.jsonl")
    assert new.posts() == 2 and again.counts["verified: works"] == 1


def test_verify_waits_for_a_provider_that_throttles(at_django: Scene, tmp_path: Path) -> None:
    new = at_django
    new.fault(faults.status(429, headers={"Retry-After": "1"}))
    engine, slept = new.process(), list[float]()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        engine.ahead += timedelta(seconds=seconds + 1)

    engine.sleep = sleep  # type: ignore[method-assign]
    engine.monotonic = lambda: sum(slept)  # type: ignore[method-assign]
    wanted = importing.Wanted(file=lines(tmp_path / "rows.jsonl", given(new.peer, "ana")), format="json", taking_over=True, verify=True, slugs={})
    done = importing.run(engine, wanted, lambda _: None)

    assert done.counts["verified: works"] == 1 and done.is_done
    assert sum(slept) > 9 and new.posts(forwarded=True) == 1
