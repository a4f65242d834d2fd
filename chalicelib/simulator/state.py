"""The simulator's memory: codes, grants, tokens, knobs and counters in the stage's own table, because Lambdas are many processes.

What must happen once (a code redeemed, a refresh token rotated) is one conditional write, so it holds between processes as well.
Tokens and codes are stored as SHA-256 only. Every item has a `ttl`; whoever reads also checks the time, because DynamoDB deletes late.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Literal

from chalicelib.doors.table import Item, Key, LostRace, Table
from chalicelib.providers import catalogue
from chalicelib.providers.spec import Lifetimes
from chalicelib.simulator.catalogue import SIMULATED

CODE_TTL = timedelta(minutes=10)
KEPT = timedelta(days=180)  # a sandbox is tidied, however often its grants are left lying
Line = Literal["main", "user"]
Behaviour = Literal["normal", "slow", "429", "500", "malformed"]
GRANTS = "simulator#grants"
HITS = "simulator#hits"
FOREVER = -1
USUAL_SECONDS = 3600  # of a token whose life only its answer tells


class CodeUsed(Exception):
    """The code was redeemed before."""


class Reused(Exception):
    """A refresh token that was rotated already came back."""


@dataclass(frozen=True)
class Knobs:
    """How one simulated provider behaves. `remaining` calls are still affected by `behaviour`; FOREVER = until changed."""

    access_token_seconds: int
    rotation: bool
    expiring: bool = True
    behaviour: Behaviour = "normal"
    remaining: int = FOREVER
    seconds: int = 3
    retry_after: int = 1
    target: Literal["token", "api"] = "token"


DEFAULT_KNOBS = {
    "github": Knobs(access_token_seconds=28800, rotation=True),
    "slack": Knobs(access_token_seconds=43200, rotation=True),
    "google": Knobs(access_token_seconds=3599, rotation=False),
    "salesforce": Knobs(access_token_seconds=7200, rotation=False),
}


def usual(slug: str) -> Knobs:
    """How the provider behaves while nobody turned its knobs."""
    if slug in DEFAULT_KNOBS:
        return DEFAULT_KNOBS[slug]
    provider = catalogue.load(slug)
    lifetimes = provider.lifetimes if provider else Lifetimes()
    return Knobs(access_token_seconds=lifetimes.access_token or USUAL_SECONDS, rotation=lifetimes.rotation == "single_use")


@dataclass(frozen=True)
class Grant:
    """One person's word to our client. A line is a chain of refresh tokens; `epoch` moves on when its access tokens are made to expire."""

    id: str
    slug: str
    account: str
    scopes: tuple[str, ...]
    user_scopes: tuple[str, ...]
    created_at: str
    generation_main: int = 0
    generation_user: int = 0
    epoch: int = 0
    ended: str = ""
    """Why it is over, or "" while it lives."""
    refreshed_at: str = ""

    def generation(self, line: str) -> int:
        return self.generation_user if line == "user" else self.generation_main


class State:
    """Takes a low-level DynamoDB client. Raises Unavailable if the table does not answer."""

    def __init__(self, client: Any, table: str) -> None:
        self._table = Table(client, table)
        self._client, self._name = client, table

    def save_code(self, code: str, facts: Item, now: datetime) -> None:
        ends = _epoch(now + CODE_TTL)
        self._table.put(_hashed("code", code), {**facts, "used": False, "expires_at": ends, "ttl": ends}, condition="attribute_not_exists(pk)")

    def take_code(self, code: str, now: datetime) -> Item | None:
        """The facts of a code, to whoever asks first; None if there is no such code (any more). Raises CodeUsed."""
        try:
            facts = self._table.update(_hashed("code", code), {"used": True}, condition="#used = :no", values={"no": False})
        except LostRace as lost:
            if lost.item is None:
                return None
            raise CodeUsed from None
        return facts if facts["expires_at"] > _epoch(now) else None

    def save_grant(self, grant: Grant, now: datetime) -> None:
        self._table.put(_grant_key(grant.id), {**asdict(grant), "ttl": _epoch(now + KEPT)})

    def grant(self, grant_id: str) -> Grant | None:
        item = self._table.get(_grant_key(grant_id))
        return _grant(item) if item else None

    def grants(self, slug: str | None = None) -> Iterator[Grant]:
        """Newest first."""
        for item in self._table.query("pk = :pk", {"pk": GRANTS}, forward=False):
            if slug in (None, item["slug"]):
                yield _grant(item)

    def rotate(self, grant: Grant, line: str, now: datetime) -> Grant:
        """Moves a line on by one generation; of two who try at once, one gets Reused."""
        name, generation = f"generation_{line}", grant.generation(line)
        sets = {name: generation + 1, "refreshed_at": now.isoformat(), "ttl": _epoch(now + KEPT)}
        try:
            return _grant(self._table.update(_grant_key(grant.id), sets, condition=f"#{name} = :seen AND #ended = :alive", values={"seen": generation, "alive": ""}))
        except LostRace:
            raise Reused from None

    def touch(self, grant: Grant, now: datetime) -> None:
        self._change(grant.id, {"refreshed_at": now.isoformat(), "ttl": _epoch(now + KEPT)})

    def end(self, grant: Grant, why: str) -> None:
        self._change(grant.id, {"ended": why})

    def expire_access_tokens(self, grant: Grant) -> None:
        self._add(_grant_key(grant.id), "epoch", 1)

    def save_token(self, token: str, facts: Item, now: datetime, seconds: int) -> None:
        """`seconds` 0 = the token does not expire."""
        kept = min(timedelta(seconds=seconds), KEPT) if seconds else KEPT
        # Kept for a day past its end, so that an expired token can be told from an unknown one.
        self._table.put(_hashed("token", token), {**facts, "expires_at": _epoch(now) + seconds if seconds else 0, "ttl": _epoch(now + kept) + 86400})

    def token(self, token: str) -> Item | None:
        return self._table.get(_hashed("token", token))

    def knobs(self, slug: str) -> Knobs:
        item = self._table.get(_knobs_key(slug)) or {}
        known = replace(usual(slug), **{name: value for name, value in item.items() if name in Knobs.__dataclass_fields__})
        return replace(known, behaviour="normal", remaining=FOREVER) if known.remaining == 0 else known

    def set_knobs(self, slug: str, knobs: Knobs) -> None:
        self._table.put(_knobs_key(slug), asdict(knobs))

    def forget_knobs(self, slug: str) -> None:
        self._table.delete(_knobs_key(slug))

    def spend(self, slug: str, knobs: Knobs) -> Behaviour:
        """The behaviour of this call; one that is counted is used up by exactly as many calls."""
        if knobs.behaviour == "normal" or knobs.remaining == FOREVER:
            return knobs.behaviour
        return knobs.behaviour if self._add(_knobs_key(slug), "remaining", -1, "remaining > :zero") is not None else "normal"

    def count(self, slug: str, kind: str) -> None:
        self._add({"pk": HITS, "sk": f"{slug}#{kind}"}, "hits", 1)

    def hits(self) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {slug: {} for slug in SIMULATED}
        for item in self._table.query("pk = :pk", {"pk": HITS}):
            slug, kind = item["sk"].split("#", 1)
            found.setdefault(slug, {})[kind] = item["hits"]
        return found

    def reset_hits(self) -> None:
        for item in list(self._table.query("pk = :pk", {"pk": HITS})):
            self._table.delete({"pk": HITS, "sk": item["sk"]})

    def _change(self, grant_id: str, sets: Item) -> None:
        try:
            self._table.update(_grant_key(grant_id), sets, condition="attribute_exists(pk)")
        except LostRace:
            return

    def _add(self, key: Key, name: str, by: int, condition: str | None = None) -> int | None:
        """Counts atomically; None if the condition does not hold. A lost answer that is asked for again counts twice, which a sandbox can bear."""
        request: dict[str, Any] = {"ExpressionAttributeValues": {":by": {"N": str(by)}}}
        if condition:
            request["ConditionExpression"] = condition
            request["ExpressionAttributeValues"][":zero"] = {"N": "0"}
        try:
            answer = self._client.update_item(TableName=self._name, Key={part: {"S": value} for part, value in key.items()}, UpdateExpression=f"ADD {name} :by", ReturnValues="UPDATED_NEW", **request)
        except self._client.exceptions.ConditionalCheckFailedException:
            return None
        return int(answer["Attributes"][name]["N"])


def _hashed(kind: str, secret: str) -> Key:
    return {"pk": f"simulator#{kind}#{sha256(secret.encode()).hexdigest()}", "sk": kind}


def _grant_key(grant_id: str) -> Key:
    return {"pk": GRANTS, "sk": grant_id}


def _knobs_key(slug: str) -> Key:
    return {"pk": f"simulator#knobs#{slug}", "sk": "knobs"}


def _grant(item: Item) -> Grant:
    values = {name: item[name] for name in Grant.__dataclass_fields__ if name in item}
    return Grant(**{**values, "scopes": tuple(values["scopes"]), "user_scopes": tuple(values["user_scopes"])})


def _epoch(at: datetime) -> int:
    return int(at.timestamp())
