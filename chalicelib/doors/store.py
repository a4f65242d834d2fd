"""Connections, registrations, pending authorizations and API keys in the table: what is loaded, leased, taken and committed.

A connection is only ever changed by `commit`, fenced by its generation (and its lease, where one is held), or by `lease` and
`release`, which write no indexed attribute, and `touch`, which nobody waits for.
"""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from chalicelib.domain import ids
from chalicelib.domain.errors import Conflict
from chalicelib.domain.events import Event
from chalicelib.domain.lifecycle import Transition
from chalicelib.domain.models import COMPATIBILITY, ApiKey, Connection, Override, Owner, Ownership, Pending, Registration
from chalicelib.domain.stored import read
from chalicelib.doors import keys
from chalicelib.doors.keys import Key
from chalicelib.doors.outbox import rows_of
from chalicelib.doors.table import Item, LostRace, Table, new_write_id

# A lease taken or a try that failed changes these within a generation, so also after `before` was read: always written, not only where they differ.
_MOVING = {
    "lease_owner",
    "lease_until",
    "intent_attempt",
    "failures",
    "failing_since",
    "last_error",
    "retry_at",
    "hold_until",
    "misconfigured",
    "weird_failures",
    "weird_since",
    "refresh_due_at",
    "degraded_since",
}


class Store:
    """One stage's table. LostRace carries what is there instead; Unavailable means nothing was changed as far as anyone can tell."""

    def __init__(self, table: Table, due_shards: int) -> None:
        self._table, self._due_shards = table, due_shards

    # connections

    def connection(self, owner: Owner, slug: str, account: str = COMPATIBILITY) -> Connection | None:
        """As it is now (strong read). A disconnected one is still a row, as a fence."""
        item = self._table.get(keys.connection(owner, slug, account))
        return read(Connection, item) if item else None

    def connection_at(self, key: Key) -> Connection | None:
        """By its key, as an index or a message names it."""
        item = self._table.get(key)
        return read(Connection, item) if item else None

    def connections(self, owner: Owner, slug: str | None = None) -> list[Connection]:
        """All of an owner's, or those at one provider: several accounts, oldest first, the compatibility account before all. Disconnected ones too."""
        prefix = "connection#" if slug is None else keys.accounts_prefix(slug)
        items = self._table.query("pk = :pk AND begins_with(sk, :prefix)", {"pk": keys.owner_partition(owner), "prefix": prefix})
        return sorted((read(Connection, item) for item in items), key=lambda each: (each.slug, each.role == "standard", each.account))

    def lease(self, connection: Connection, holder: str, until: datetime, now: datetime, *, spends: bool = True) -> Connection:
        """Takes the right to refresh this generation until `until`; returns the connection as read under the lease.

        If it `spends` the refresh token, `intent_attempt` is now one more; above 1 an earlier attempt ended without a known answer
        (in doubt). Raises LostRace.
        """
        item = self._table.update(
            keys.connection(connection.owner, connection.slug, connection.account),
            {"lease_owner": holder, "lease_until": until, "intent_attempt": connection.intent_attempt + spends},
            condition="generation = :generation AND #state = :connected AND intent_attempt = :attempt AND (attribute_not_exists(lease_until) OR lease_until < :now)"
            + (" AND attribute_not_exists(handed_over_at)" if spends else ""),
            values={"generation": connection.generation, "connected": "connected", "now": now, "attempt": connection.intent_attempt},
            write_id=holder,
        )
        return read(Connection, item)

    def release(self, connection: Connection, holder: str, intent_attempt: int) -> None:
        """Gives a lease back unspent. Only the holder's own; anyone else's is left alone."""
        try:
            self._table.update(
                keys.connection(connection.owner, connection.slug, connection.account),
                {"intent_attempt": intent_attempt},
                removes=("lease_owner", "lease_until"),
                condition="lease_owner = :holder AND generation = :generation",
                values={"holder": holder, "generation": connection.generation},
            )
        except LostRace:
            pass

    def commit(self, transition: Transition, *, holder: str | None = None, write_id: str | None = None) -> None:
        """Stores a transition: the changed attributes and its events' outbox rows, in one write. Raises LostRace.

        Fenced by the generation and state of `before` (or by there being no row), by the lease if `holder` is given, and where there are
        events by the last one before, so that their ids sort as things happened. What changes neither tokens nor state, and has no lease
        either, leaves alone whatever a refresh may be changing at the same time.
        """
        before, after = transition.before, transition.after
        quiet = before is not None and holder is None and (before.generation, before.state) == (after.generation, after.state)
        sets, removes = self._changes(before, after, moving=not quiet)
        values: Item = {}
        if before is None:
            condition = "attribute_not_exists(pk)"
        else:
            condition = "generation = :generation AND #state = :from_state"
            values |= {"generation": before.generation, "from_state": before.state}
            if holder is not None:
                condition += " AND lease_owner = :holder"
                values["holder"] = holder
            if quiet:
                condition += " AND failures = :failures AND " + ("lease_owner = :lease_owner" if before.lease_owner else "attribute_not_exists(lease_owner)")
                values |= {"failures": before.failures, **({"lease_owner": before.lease_owner} if before.lease_owner else {})}
            if transition.events:
                condition += " AND last_event = :last_event" if before.last_event else " AND attribute_not_exists(last_event)"
                values |= {"last_event": before.last_event} if before.last_event else {}
        key = keys.connection(after.owner, after.slug, after.account)
        write_id = write_id or new_write_id()
        if transition.events:
            self._table.update_with_rows(key, sets, removes=removes, condition=condition, values=values, rows=[row for event in transition.events for row in rows_of(event)], write_id=write_id)
        else:
            self._table.update(key, sets, removes=removes, condition=condition, values=values, write_id=write_id)

    def _changes(self, before: Connection | None, after: Connection, *, moving: bool) -> tuple[Item, tuple[str, ...]]:
        """What to set and what to remove. A connection that is due for something is in a shard of the index, any other in none."""
        old, new = _shallow(before) if before else {}, _shallow(after)
        changed = [name for name in new if name != "write_id" and (before is None or (moving and name in _MOVING) or old[name] != new[name])]
        if "refresh_due_at" in changed:
            new["due_shard"] = keys.due_shard(after.id, self._due_shards) if after.refresh_due_at else None
            changed.append("due_shard")
        sets = {name: new[name] for name in changed if new[name] is not None}
        removes = tuple(name for name in changed if new[name] is None and before is not None)
        return sets, removes

    def touch(self, connection: Connection, now: datetime, due_at: datetime | None = None) -> None:
        """Notes that the connection is used, and, where it was idle, when it has to be looked at now that it is not.

        At most once a day, and losing that note is harmless.
        """
        due = {"refresh_due_at": due_at, "due_shard": keys.due_shard(connection.id, self._due_shards)} if due_at else {}
        try:
            self._table.note(
                keys.connection(connection.owner, connection.slug, connection.account),
                {"last_used_at": now, **due},
                condition="generation = :generation AND #state = :connected",
                values={"generation": connection.generation, "connected": "connected"},
            )
        except LostRace:
            pass

    # pending authorizations

    def begin(self, pending: Pending) -> None:
        self._table.put(keys.pending(pending.id), _row(pending), condition="attribute_not_exists(pk)")

    def pending(self, pending_id: str) -> Pending | None:
        item = self._table.get(keys.pending(pending_id))
        return read(Pending, item) if item else None

    def advance(self, pending: Pending, stage: str, **sets: Any) -> Pending:
        """Moves a pending authorization to its next stage, once: whoever is second gets LostRace."""
        item = self._table.update(
            keys.pending(pending.id),
            {"stage": stage, **{name: value for name, value in sets.items() if value is not None}},
            condition="#stage = :from_stage AND state_digest = :state_digest",
            values={"from_stage": pending.stage, "state_digest": pending.state_digest},
        )
        return read(Pending, item)

    def conclude(self, pending: Pending, outcome: dict[str, str]) -> None:
        """Notes how a flow ended, for its own page; a flow that is gone needs none."""
        try:
            self._table.update(keys.pending(pending.id), {"outcome": outcome}, condition="attribute_exists(pk)")
        except LostRace:
            pass

    def fail(self, pending: Pending, event: Event, outcome: dict[str, str] | None = None) -> bool:
        """Ends a taken flow, with its event and how it ended, in one write; False if it had ended already."""
        try:
            self._table.update_with_rows(
                keys.pending(pending.id),
                {"stage": "failed", **({"outcome": outcome} if outcome else {})},
                removes=(),
                condition="#stage IN (:taken, :finished)",
                values={"taken": "taken", "finished": "finished"},
                rows=rows_of(event),
                write_id=new_write_id(),
            )
        except LostRace:
            return False
        return True

    # registrations

    def registration(self, slug: str, ownership: Ownership = "userland_user") -> Registration | None:
        item = self._table.get(keys.registration(slug, ownership))
        return read(Registration, item) if item else None

    def registrations(self) -> list[Registration]:
        """All of a stage, oldest first."""
        items = self._table.query("pk = :pk", {"pk": keys.registration_partition(None)})
        return sorted((read(Registration, item) for item in items), key=lambda r: r.id)

    def save_registration(self, registration: Registration, *, expected_version: int | None) -> None:
        """Creates (`expected_version` None) or replaces that version. Raises Conflict if somebody else was first."""
        self._save(keys.registration(registration.slug, registration.ownership), registration, expected_version, f"'{registration.slug}' is configured already; use PUT to change it.")

    def delete_registration(self, registration: Registration) -> None:
        self._table.delete(keys.registration(registration.slug, registration.ownership))

    def override(self, organization_id: str, slug: str, ownership: Ownership) -> Override | None:
        """What an organization sets for itself."""
        item = self._table.get(keys.registration(slug, ownership, organization_id))
        return read(Override, item) if item else None

    def overrides(self, organization_id: str) -> list[Override]:
        return [read(Override, item) for item in self._table.query("pk = :pk", {"pk": keys.registration_partition(organization_id)})]

    def save_override(self, override: Override, *, expected_version: int | None) -> None:
        """As save_registration."""
        self._save(
            keys.registration(override.slug, override.ownership, override.organization_id), override, expected_version, "Somebody else configured it at the same moment; read it again and repeat."
        )

    def delete_override(self, override: Override) -> None:
        self._table.delete(keys.registration(override.slug, override.ownership, override.organization_id))

    def _save(self, key: Key, row: Registration | Override, expected_version: int | None, exists: str) -> None:
        try:
            if expected_version is None:
                self._table.put(key, _row(row), condition="attribute_not_exists(pk)")
            else:
                self._table.put(key, _row(row), condition="version = :version", values={"version": expected_version})
        except LostRace:
            if expected_version is None:
                raise Conflict(exists, "data_integration_exists") from None
            raise Conflict("Somebody else changed this data integration at the same moment; read it again and repeat.", "concurrent_update") from None

    def has_connections(self, registration_id: str) -> bool:
        """Whether any connection that is not disconnected belongs to the registration."""
        entries = self._table.query("live_registration_id = :registration_id", {"registration_id": registration_id}, index="registration")
        return next(entries, None) is not None

    # API keys

    def api_key(self, key_id: str) -> ApiKey | None:
        item = self._table.get(keys.api_key(key_id))
        return read(ApiKey, item) if item else None

    def api_keys(self) -> list[ApiKey]:
        names = self._table.query("pk = :pk", keys.API_KEYS)
        found = (self.api_key(entry["sk"]) for entry in names)
        return [key for key in found if key]

    def save_api_key(self, key: ApiKey) -> None:
        self._table.put({**keys.API_KEYS, "sk": key.id}, {})
        self._table.put(keys.api_key(key.id), _row(key), condition="attribute_not_exists(pk)")

    def revoke_api_key(self, key_id: str, now: datetime) -> bool:
        """False if there is no such key; revoking twice is the same as once."""
        try:
            self._table.update(keys.api_key(key_id), {"revoked_at": now}, condition="attribute_exists(pk)")
        except LostRace:
            return False
        return True

    def note_api_key_used(self, key_id: str, now: datetime) -> None:
        """Raises LostRace if there is no such key."""
        self._table.note(keys.api_key(key_id), {"last_used_at": now}, condition="attribute_exists(pk)", values={})

    # audit

    def audit(self, now: datetime, actor: str, action: str, facts: dict[str, Any]) -> None:
        """An administrator's change, kept by day."""
        self._table.put(keys.audit(now, f"audit_{ids.ulid(now)}"), {"actor": actor, "action": action, "at": now, "facts": {name: value for name, value in facts.items() if value is not None}})


def _shallow(connection: Connection) -> Item:
    """Its fields as they are. `asdict` would copy what is in them, which is a tenth of a refresh and of no use: nothing in them is changed."""
    return {name: getattr(connection, name) for name in connection.__dataclass_fields__}


def _row(model: Any) -> Item:
    return {name: value for name, value in asdict(model).items() if value is not None}
