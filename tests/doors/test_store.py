"""The table as the engine sees it: every condition, and every answer that got lost after the write was applied."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain import lifecycle
from chalicelib.domain.errors import Conflict, Unavailable
from chalicelib.domain.models import ApiKey, Connection, Owner
from chalicelib.domain.schedule import Policy
from chalicelib.domain.stored import read
from chalicelib.doors import keys
from chalicelib.doors.outbox import OutboxRows
from chalicelib.doors.store import Store
from chalicelib.doors.table import LostRace, Table
from tests.cloud import Stage
from tests.domain.samples import CANARY, HOUR, NOW, answer, connection, pending
from tests.doors.stored import LEASE, OWNER, REGISTRATION, now_in, refreshed, refused, saved


@pytest.fixture
def store(stage: Stage) -> Store:
    return stage.engine().store


@pytest.fixture
def log(store: Store) -> OutboxRows:
    return OutboxRows(store._table)


@pytest.fixture
def raw(stage: Stage) -> Callable[[str], Any]:
    """A call past all doors, to see what is really there."""
    client = stage.cloud.client("dynamodb")
    return lambda operation, **more: getattr(client, operation)(TableName=stage.table, **more)


def without_write_id(found: Connection) -> Connection:
    return replace(found, write_id=None)


# what is written comes back


def test_a_connection_comes_back_as_it_was(store: Store) -> None:
    full = connection(
        lease_owner="w", lease_until=NOW, intent_attempt=1, failures=2, failing_since=NOW, last_error="ü✓", retry_at=NOW, hold_until=NOW, refresh_due_at=NOW,
        refresh_expires_at=NOW, grant_expires_at=NOW, ttl=7, reason="refused", config={}, metadata={"ü": "", "x": "1"}, sealed=bytes(range(256)),
    )  # fmt: skip
    store.commit(lifecycle.Transition(None, full))

    assert without_write_id(now_in(store)) == full
    assert store.connections(OWNER) == [now_in(store)]


def test_pendings_registrations_and_keys_come_back_as_they_were(store: Store) -> None:
    key = ApiKey(id="01", name="ci", secret_digest="d", created_at=NOW)
    store.begin(pending())
    store.save_registration(REGISTRATION, expected_version=None)
    store.save_api_key(key)

    found = (store.pending("pending_1"), store.registration("acme"))
    assert [replace(each, write_id=None) for each in found if each] == [pending(), REGISTRATION]
    assert (store.api_key("01"), store.api_keys(), store.registrations(), store.overrides("org_1")) == (key, [key], [found[1]], [])


def test_nothing_is_found_where_nothing_is(store: Store) -> None:
    nobody = Owner(user_id="nobody")

    assert (store.connection(nobody, "acme"), store.connections(nobody), store.pending("x"), store.registration("x"), store.api_key("x"), store.api_keys()) == (None, [], None, None, None, [])


def test_attributes_of_a_newer_release_are_left_alone(store: Store, raw: Any) -> None:
    """Old and new code run side by side during a deployment."""
    before = saved(store)
    raw("update_item", Key={name: {"S": value} for name, value in keys.connection(OWNER, "acme").items()}, UpdateExpression="SET future = :f", ExpressionAttributeValues={":f": {"S": "kept"}})
    leased = store.lease(before, "w1", NOW + LEASE, NOW)
    store.commit(lifecycle.refreshed(leased, answer(), b"blob-4", policy=Policy(), now=NOW), holder="w1")

    (row,) = raw("scan")["Items"]
    assert (row["future"], row["generation"]) == ({"S": "kept"}, {"N": "4"})


# the lease


FREE: dict[str, dict[str, Any]] = {
    "never held": {},
    "lapsed a millisecond ago": {"lease_owner": "w0", "lease_until": NOW - timedelta(milliseconds=1)},
}
NOT_FREE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "held": ({"lease_owner": "w0", "lease_until": NOW + LEASE}, {}),
    "held to this very moment": ({"lease_owner": "w0", "lease_until": NOW}, {}),
    "another generation since": ({}, {"generation": 2}),
    "another attempt since": ({"intent_attempt": 1}, {"intent_attempt": 0}),
    "needs a person": ({"state": "needs_reauthorization"}, {}),
    "disconnected": ({"state": "disconnected"}, {}),
}  # fmt: skip


@pytest.mark.parametrize("changes", FREE.values(), ids=FREE)
def test_a_free_lease_is_taken_and_what_is_there_now_returned(store: Store, changes: dict[str, Any]) -> None:
    leased = store.lease(saved(store, **changes), "w1", NOW + LEASE, NOW)

    assert (leased.lease_owner, leased.lease_until, leased.intent_attempt, leased.sealed) == ("w1", NOW + LEASE, 1, b"blob-3")


@pytest.mark.parametrize(("row", "seen"), NOT_FREE.values(), ids=NOT_FREE)
def test_a_lease_that_is_not_free_is_refused_with_what_is_there(store: Store, row: dict[str, Any], seen: dict[str, Any]) -> None:
    there = saved(store, **row)

    with pytest.raises(LostRace) as caught:
        store.lease(replace(there, **seen), "w1", NOW + LEASE, NOW)

    assert caught.value.item is not None and read(Connection, caught.value.item) == there == now_in(store)


def test_a_lease_on_a_row_that_is_gone_makes_no_row(store: Store) -> None:
    with pytest.raises(LostRace) as caught:
        store.lease(connection(), "w1", NOW + LEASE, NOW)

    assert (caught.value.item, store.connection(OWNER, "acme")) == (None, None)


def test_only_the_holder_gives_a_lease_back(store: Store) -> None:
    leased = store.lease(saved(store), "w1", NOW + LEASE, NOW)
    store.release(leased, "w2", 0)
    held = now_in(store)
    store.release(leased, "w1", 0)

    assert held.lease_owner == "w1"
    assert (now_in(store).lease_owner, now_in(store).lease_until, now_in(store).intent_attempt) == (None, None, 0)


def test_one_of_eight_takes_the_lease(store: Store) -> None:
    before = saved(store)

    def take(number: int) -> bool:
        try:
            store.lease(before, f"w{number}", NOW + LEASE, NOW)
        except LostRace:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(8))) == 1


# the fence


@pytest.mark.parametrize("make", [refreshed, refused], ids=["update", "transaction"])
def test_a_store_is_fenced_by_generation_and_lease(store: Store, raw: Any, make: Callable[[Connection], lifecycle.Transition]) -> None:
    leased = store.lease(saved(store), "w1", NOW + LEASE, NOW)
    for transition, holder in [(make(replace(leased, generation=2)), "w1"), (make(leased), "w2")]:
        with pytest.raises(LostRace) as caught:
            store.commit(transition, holder=holder)
        assert caught.value.item is not None and caught.value.item["lease_owner"] == "w1"

    assert (now_in(store), len(raw("scan")["Items"])) == (leased, 1)
    store.commit(make(leased), holder="w1")
    assert (now_in(store).lease_owner, now_in(store).intent_attempt) == (None, 0)


def test_a_first_connect_finds_that_somebody_was_first(store: Store) -> None:
    there = saved(store)
    first = lifecycle.connected(None, pending(slug="acme").consent, "data_installation_09", answer(), b"", policy=Policy(), grant_limit=0, now=NOW)

    with pytest.raises(LostRace) as caught:
        store.commit(first)
    assert caught.value.item is not None and caught.value.item["id"] == there.id


def test_state_and_event_are_one_write(store: Store, log: OutboxRows) -> None:
    store.commit(refused(saved(store)))

    (row,) = log.log("data_installation_01")
    assert (row.event, row.generation, row.data["state"]) == ("pipes.connected_account.reauthorization_needed", 3, "needs_reauthorization")
    assert now_in(store).sealed == b"blob-3"


def test_r19_an_event_holds_no_token(store: Store, log: OutboxRows) -> None:
    store.commit(refused(saved(store, sealed=CANARY.encode())))

    assert CANARY not in repr(log.log("data_installation_01"))


def test_a_tombstone_leaves_the_indexes_and_forgets(store: Store, raw: Any) -> None:
    before = saved(store, refresh_due_at=NOW)
    due = {"IndexName": "due", "KeyConditionExpression": "due_shard = :s", "ExpressionAttributeValues": {":s": {"S": keys.due_shard(before.id, 16)}}}
    was = (raw("query", **due)["Count"], store.has_connections("data_integration_01"))
    store.commit(lifecycle.disconnected(before, NOW))

    assert was == (1, True)
    assert (raw("query", **due)["Count"], store.has_connections("data_integration_01")) == (0, False)
    assert (now_in(store).sealed, now_in(store).external_name, now_in(store).state, now_in(store).generation) == (None, None, "disconnected", 4)


def test_a_note_of_use_changes_nothing_else(store: Store) -> None:
    before = saved(store)
    store.touch(before, NOW + HOUR)
    store.touch(replace(before, generation=2), NOW + 2 * HOUR)

    assert now_in(store) == replace(before, last_used_at=NOW + HOUR)


# pending authorizations, registrations, keys


def test_a_stage_is_reached_once(store: Store) -> None:
    store.begin(pending())

    def advance(_number: int) -> bool:
        try:
            store.advance(pending(), "taken")
        except LostRace:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(advance, range(8))) == 1


def test_a_pending_authorization_is_begun_once(store: Store) -> None:
    store.begin(pending())
    with pytest.raises(LostRace):
        store.begin(pending(state_digest="other"))

    assert getattr(store.pending("pending_1"), "state_digest", None) == "s"


def test_a_pending_authorization_that_is_not_there_does_not_advance(store: Store) -> None:
    store.begin(pending())
    for other in (pending(id="nobody"), pending(state_digest="other"), pending(stage="opened")):
        with pytest.raises(LostRace):
            store.advance(other, "taken")

    assert store.pending("nobody") is None and getattr(store.pending("pending_1"), "stage", None) == "started"


@pytest.mark.parametrize(("expected", "code"), [(None, "data_integration_exists"), (7, "concurrent_update")], ids=["made twice", "changed meanwhile"])
def test_a_registration_is_not_overwritten_unseen(store: Store, expected: int | None, code: str) -> None:
    store.save_registration(REGISTRATION, expected_version=None)

    with pytest.raises(Conflict) as caught:
        store.save_registration(replace(REGISTRATION, description="mine"), expected_version=expected)
    assert caught.value.code == code and getattr(store.registration("acme"), "description", None) == ""


def test_r24_revoking_a_key_that_is_not_there_makes_none(store: Store) -> None:
    assert store.revoke_api_key("nobody", NOW) is False and store.api_key("nobody") is None


def test_a_table_that_is_not_there_is_unavailable(stage: Stage) -> None:
    absent = Store(Table(stage.engine().dynamodb, "no-such-table"), 16)
    for act in (lambda: absent.connection(OWNER, "acme"), lambda: absent.lease(connection(), "w", NOW, NOW), lambda: absent.commit(refused(connection())), lambda: absent.api_keys()):
        with pytest.raises(Unavailable, match="ResourceNotFound"):
            act()
