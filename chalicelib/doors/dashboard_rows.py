"""The dashboard's own rows: one-time links, sessions, refused sign-ins, and pages of what others keep. A link and a session are stored as hashes.

Rule: nothing here reads more than one page of the table at a time, however much there is.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from chalicelib.domain import ids
from chalicelib.domain.stored import read
from chalicelib.doors import keys
from chalicelib.doors.keys import Key
from chalicelib.doors.table import Item, LostRace, Table, decode_item, encode

Role = Literal["administrator", "viewer"]
REFUSALS_WINDOW = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class Link:
    """A one-time link to sign in with. `actor`: who minted it, by IAM's word."""

    actor: str
    role: Role = "administrator"
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Session:
    """A signed-in browser. `id` is the hash of what its cookie holds."""

    id: str
    actor: str
    role: Role = "administrator"
    created_at: datetime
    expires_at: datetime


class Pages(Table):
    """The same table, read a page at a time."""

    def page(self, condition: str, values: Item, *, limit: int, start: dict[str, str] | None = None, index: str | None = None, forward: bool = True) -> tuple[list[Item], dict[str, str] | None]:
        """At most `limit` items of a key condition, and where the next page begins; None = that was the last."""
        request: Item = {
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": {f":{name}": encode(value) for name, value in values.items()},
            "ScanIndexForward": forward,
            "Limit": limit,
        }
        request |= {"IndexName": index} if index else {"ConsistentRead": True}
        if start is not None:
            request["ExclusiveStartKey"] = {name: encode(value) for name, value in start.items()}
        page = self._call("query", **request)
        last = page.get("LastEvaluatedKey")
        return [decode_item(raw) for raw in page["Items"]], decode_item(last) if last else None

    def add(self, key: Key, counts: dict[str, int], ttl: int) -> None:
        """Adds to the counters of a row, which need not exist. A repeat after a lost answer counts twice: for pictures, not for money."""
        names = {f"#{name}": name for name in counts} | {"#ttl": "ttl"}
        values = {f":{name}": encode(count) for name, count in counts.items()} | {":ttl": encode(ttl)}
        added = ", ".join(f"#{name} :{name}" for name in counts)
        self._call(
            "update_item",
            Key={name: encode(value) for name, value in key.items()},
            UpdateExpression=f"ADD {added} SET #ttl = :ttl",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
        )


class DashboardRows:
    def __init__(self, table: Pages) -> None:
        self._table = table

    # links

    def save_link(self, token_digest: str, link: Link) -> None:
        self._table.put(keys.dashboard_link(token_digest), {**_row(link), "ttl": _ttl(link.expires_at)}, condition="attribute_not_exists(pk)")

    def spend_link(self, unverified_token: str, now: datetime) -> Link | None:
        """The link of this token, once and in time; None for any other."""
        try:
            row = self._table.update(
                keys.dashboard_link(ids.digest(unverified_token)),
                {"used_at": now},
                condition="attribute_exists(pk) AND attribute_not_exists(used_at) AND expires_at > :now",
                values={"now": now},
            )
        except LostRace:
            return None
        return read(Link, row)

    # sessions

    def save_session(self, session: Session) -> None:
        self._table.put(keys.dashboard_session(session.id), {**_row(session), "ttl": _ttl(session.expires_at)}, condition="attribute_not_exists(pk)")

    def session(self, unverified_cookie: str, now: datetime) -> Session | None:
        """As it is now: a revoked one is gone at once."""
        row = self._table.get(keys.dashboard_session(ids.digest(unverified_cookie)))
        found = read(Session, row) if row else None
        return found if found is not None and found.expires_at > now else None

    def end_session(self, session_id: str) -> None:
        self._table.delete(keys.dashboard_session(session_id))

    def end_all(self) -> int:
        """Ends every session; how many there were."""
        found = list(self._table.query("pk = :pk", {"pk": keys.DASHBOARD_SESSIONS}))
        for row in found:
            self.end_session(row["sk"])
        return len(found)

    # refused sign-ins

    def refusals(self, address: str, now: datetime) -> int:
        """How often this address was refused in the running five minutes."""
        row = self._table.get(keys.dashboard_refusals(ids.digest(address), _window(now)))
        return int(row["refused"]) if row else 0

    def note_refusal(self, address: str, now: datetime) -> None:
        self._table.add(keys.dashboard_refusals(ids.digest(address), _window(now)), {"refused": 1}, _ttl(now + REFUSALS_WINDOW))

    # the trial of a provider

    def trial(self, slug: str) -> Item | None:
        return self._table.get(keys.dashboard_trial(slug))

    def save_trial(self, slug: str, fields: Item, now: datetime) -> None:
        self._table.put(keys.dashboard_trial(slug), {**fields, "ttl": _ttl(now + timedelta(days=1))})


def _window(now: datetime) -> int:
    return int(now.timestamp()) // int(REFUSALS_WINDOW.total_seconds())


def _ttl(at: datetime) -> int:
    return int((at + timedelta(days=1)).timestamp())


def _row(model: Any) -> Item:
    return {name: value for name, value in asdict(model).items() if value is not None}
