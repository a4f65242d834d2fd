"""Answers that were given under a caller's own key, so that a request sent twice does its work once."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.doors import keys
from chalicelib.doors.table import LostRace, Table

KEPT = timedelta(hours=24)
WORKING = timedelta(seconds=60)  # longer than a request may take: after that its process is gone, and the work may be done again


@dataclass(frozen=True)
class Given:
    """What is known of an earlier request under the same key. `sealed` None: it is still at work."""

    fingerprint: str
    sealed: bytes | None


class Answers:
    def __init__(self, table: Table) -> None:
        self._table = table

    def begin(self, key_id: str, idempotency_key: str, fingerprint: str, now: datetime) -> Given | None:
        """None: this request is the first and has the word; otherwise the earlier one. Raises Unavailable."""
        try:
            self._table.put(
                keys.idempotency(key_id, idempotency_key),
                {"fingerprint": fingerprint, "working_until": now + WORKING, "kept_until": now + KEPT, "ttl": int((now + KEPT).timestamp())},
                # TTL deletes late, so the time is looked at as well.
                condition="attribute_not_exists(pk) OR kept_until < :now OR (attribute_not_exists(sealed) AND working_until < :now)",
                values={"now": now},
            )
        except LostRace as race:
            row = race.item or {}
            return Given(row.get("fingerprint", ""), row.get("sealed"))
        return None

    def finish(self, key_id: str, idempotency_key: str, fingerprint: str, sealed: bytes) -> None:
        try:
            self._table.update(keys.idempotency(key_id, idempotency_key), {"sealed": sealed}, condition="fingerprint = :fingerprint", values={"fingerprint": fingerprint})
        except LostRace:
            pass  # it took so long that another request had the word

    def forget(self, key_id: str, idempotency_key: str, fingerprint: str) -> None:
        """It failed: whoever repeats it may try again."""
        try:
            self._table.delete(keys.idempotency(key_id, idempotency_key), condition="fingerprint = :fingerprint AND attribute_not_exists(sealed)", values={"fingerprint": fingerprint})
        except LostRace:
            pass
