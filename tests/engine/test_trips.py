"""Connect, fetch, refresh, reject, revoke, reconnect, disconnect, at authorization servers nobody here wrote."""

from urllib.parse import parse_qs, urlsplit

import pytest

from chalicelib.domain.errors import InvalidRequest, NotFound
from chalicelib.domain.secret import Secret
from chalicelib.engine.authorization_response import FlowError
from chalicelib.engine.registrations import Change
from chalicelib.engine.tokens import Inactive, Live
from tests.engine.scenes import CALLBACK, EXPIRED, REGISTRATION_ID, SLUG, Scene, new_owner, reauthorization_events


def test_the_whole_life_of_a_connection(anywhere: Scene) -> None:
    scene, owner = anywhere, new_owner()
    made = scene.connected(owner)
    assert (made.state, made.generation, made.external_account_id, made.refreshable) == ("connected", 1, owner.user_id, True)
    engine = scene.first
    first = engine.fetch(owner)
    assert scene.works(first)
    assert scene.posts() == 0

    later = scene.process(EXPIRED)
    second = later.fetch(owner)
    assert scene.works(second)
    assert isinstance(second, Live) and isinstance(first, Live)
    assert second.connection.generation == 2
    assert second.tokens.access_token.reveal() != first.tokens.access_token.reveal()
    third = later.rejected(owner, 2)
    assert isinstance(third, Live) and third.connection.generation == 3
    assert scene.works(third)
    # A report about a token that was replaced already is answered with the one there is.
    assert isinstance(again := later.rejected(owner, 2), Live) and again.connection.generation == 3
    assert scene.posts() == 2

    scene.peer.revoke_user(owner.user_id or "")
    ended = later.rejected(owner, 3)
    assert isinstance(ended, Inactive)
    assert (ended.error, ended.reason) == ("needs_reauthorization", "refused")
    spent = scene.posts()
    assert isinstance(later.fetch(owner), Inactive)
    assert scene.posts() == spent
    assert len(reauthorization_events(later, made)) == 1

    again_made = scene.connected(owner)
    assert (again_made.id, again_made.state, again_made.reason) == (made.id, "connected", None)
    assert again_made.generation > 3
    live = engine.fetch(owner)
    assert scene.works(live)

    assert engine.disconnect.disconnect(owner, SLUG, seconds_left=lambda: 29.0) == "revoked"
    assert not scene.works(live)
    gone = engine.fetch(owner)
    assert isinstance(gone, Inactive) and gone.error == "not_installed"
    row = engine.row(owner)
    assert (row.state, row.sealed, row.lease_owner, row.external_account_id) == ("disconnected", None, None, None)
    with pytest.raises(NotFound):
        engine.disconnect.disconnect(owner, SLUG, seconds_left=lambda: 29.0)
    fresh = scene.connected(owner)
    assert fresh.id != made.id and fresh.generation > row.generation
    told = {(event.generation, event.event.rsplit(".", 1)[1]) for event in engine.outbox_rows.log(made.id)}
    assert told == {(1, "connected"), (3, "reauthorization_needed"), (4, "connected"), (5, "disconnected")}


def test_a_refresh_token_that_is_not_rotated_is_kept(plain: Scene) -> None:
    owner = new_owner()
    plain.connected(owner)
    for times in (1, 2, 3):
        live = plain.process(EXPIRED * times).fetch(owner)
        assert isinstance(live, Live) and live.connection.generation == times + 1
        assert live.connection.refreshable and plain.works(live)


def test_the_authorization_request_carries_pkce_and_the_exact_redirect_uri(strict: Scene) -> None:
    owner, engine = new_owner(), strict.first
    begun = engine.connect.begin(owner, SLUG)
    handle = begun.url.rsplit("/", 1)[1]
    opened = engine.connect.open(handle, None)
    asked = parse_qs(urlsplit(engine.connect.confirm(handle, opened.browser)).query)
    assert asked["redirect_uri"] == [CALLBACK]
    assert asked["code_challenge_method"] == ["S256"] and len(asked["code_challenge"][0]) == 43
    assert asked["state"] == [begun.state]


def test_a_response_with_another_issuer_is_not_exchanged(strict: Scene) -> None:
    owner = new_owner()
    for change in ({"iss": ["https://evil.example"]}, {"iss": []}):
        back = strict.leave(owner)
        back.query = {**back.query, **change}
        with pytest.raises(FlowError, match="wrong_issuer"):
            strict.arrive(back)
    assert strict.posts("authorization_code") == 0


def test_a_response_in_another_browser_or_at_another_path_is_not_exchanged(strict: Scene) -> None:
    engine = strict.first
    back = strict.leave(new_owner())
    with pytest.raises(FlowError, match="wrong_browser"):
        engine.connect.callback(REGISTRATION_ID, back.query, lambda _pending: "someone else's")
    back = strict.leave(new_owner())
    with pytest.raises(FlowError, match="wrong_registration"):
        engine.connect.callback("data_integration_01TESTS0000000000000000001", back.query, back.cookie)
    assert strict.posts("authorization_code") == 0


def test_declining_leaves_an_existing_connection_alone(strict: Scene) -> None:
    owner, engine = new_owner(), strict.first
    strict.connected(owner)
    begun = engine.connect.begin(owner, SLUG)
    handle = begun.url.rsplit("/", 1)[1]
    opened = engine.connect.open(handle, None)
    denied = strict.peer.deny(engine.connect.confirm(handle, opened.browser), user=owner.user_id or "")
    with pytest.raises(FlowError, match="declined"):
        engine.connect.callback(REGISTRATION_ID, parse_qs(urlsplit(denied).query), lambda _pending: opened.browser)
    assert strict.works(engine.fetch(owner))


def test_another_account_on_reconnect_is_refused_and_its_stray_grant_revoked(strict: Scene) -> None:
    owner, engine = new_owner(), strict.first
    strict.connected(owner)
    with pytest.raises(FlowError, match="other_account"):
        strict.arrive(strict.leave(owner, user=new_owner().user_id))
    assert strict.revocations() == 1
    assert strict.works(engine.fetch(owner))


def test_a_session_bound_flow_exchanges_only_at_finish(strict: Scene) -> None:
    from chalicelib.doors.oauth import code_challenge

    owner, engine, verifier = new_owner(), strict.first, "v" * 43
    back = strict.leave(owner, return_to="https://app.example/connected", challenge=code_challenge(verifier))
    returned = strict.arrive(back)
    assert returned.connection is None and returned.connect_code
    assert strict.posts("authorization_code") == 0
    made = engine.connect.finish(returned.connect_code, verifier, state=back.begun.state, user_id=owner.user_id)
    assert made.state == "connected" and strict.posts("authorization_code") == 1
    # A client repeats what got no answer: the same words get the same connection, any other the same nothing as an unknown code.
    assert engine.connect.finish(returned.connect_code, verifier) == engine.row(owner)
    with pytest.raises(InvalidRequest):
        engine.connect.finish(returned.connect_code, "w" * 43)
    assert strict.posts("authorization_code") == 1
    assert strict.works(engine.fetch(owner))


def test_while_two_client_secrets_overlap_either_may_be_the_one_the_provider_knows(strict: Scene) -> None:
    """The newest is tried first; a provider that does not know it yet is shown the one before."""
    owner = new_owner()
    strict.connected(owner)
    engine = strict.process(EXPIRED)
    engine.registrations.update(SLUG, Change(client_secret=Secret("not known there yet")))
    live = engine.fetch(owner)
    assert strict.works(live)
    assert strict.posts() == 2
    # Connecting and revoking go the same way: a client that was not recognised has spent nothing.
    other = new_owner()
    assert strict.connected(other).state == "connected"
    assert engine.disconnect.disconnect(other, SLUG, seconds_left=lambda: 29.0) == "revoked"
