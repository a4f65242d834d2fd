"""Where each thing lies in the table: the only place that builds a key. Every key of a connection begins with its owner."""

from datetime import datetime
from urllib.parse import quote

from chalicelib.domain import ids
from chalicelib.domain.models import Owner

Key = dict[str, str]
MAX_PART = 256


def _part(value: str | None) -> str:
    # '-' stands for "none", so an id that is a lone '-' is written otherwise; '#' cannot get through quote.
    if value is None:
        return "-"
    quoted = "%2D" if value == "-" else quote(value, safe="")
    # DynamoDB keys end at 1,024 bytes, and one letter may be nine here; '~' begins no quoted id that short.
    return quoted if len(quoted) <= MAX_PART else f"~{ids.digest(value)}"


def owner_partition(owner: Owner) -> str:
    return f"owner#{_part(owner.organization_id)}#{_part(owner.user_id)}"


def connection(owner: Owner, slug: str, account: str = "default") -> Key:
    return {"pk": owner_partition(owner), "sk": f"connection#{_part(slug)}#{_part(account)}"}


def pending(pending_id: str) -> Key:
    return {"pk": f"pending#{ids.digest(pending_id)}", "sk": "pending"}


def registration_partition(organization_id: str | None) -> str:
    return f"registration#{_part(organization_id)}" if organization_id else "registration"


def registration(slug: str, organization_id: str | None = None) -> Key:
    return {"pk": registration_partition(organization_id), "sk": slug}


def api_key(key_id: str) -> Key:
    return {"pk": f"api_key#{_part(key_id)}", "sk": "api_key"}


API_KEYS = {"pk": "api_keys"}


OUTBOX_SHARDS = 8


def outbox_partition(shard: int) -> str:
    return f"outbox#{shard}"


def outbox(event_id: str, subject: str) -> Key:
    """An event that is not published yet. Sharded by what it tells of, so that one connection's events stay in order and no shard is hot."""
    return {"pk": outbox_partition(_shard(subject, OUTBOX_SHARDS)), "sk": event_id}


def event_log_partition(subject: str) -> str:
    return f"events#{_part(subject)}"


def event_log(event_id: str, subject: str) -> Key:
    """The same event, to be looked up for as long as events are kept."""
    return {"pk": event_log_partition(subject), "sk": event_id}


def due_shard(connection_id: str, shards: int) -> str:
    """The part of the due index a connection is in."""
    return due_partition(_shard(connection_id, shards))


def due_partition(shard: int) -> str:
    return f"due#{shard}"


def _shard(value: str, shards: int) -> int:
    return int(ids.digest(value)[:8], 16) % shards


CIRCUITS = "circuits"


def circuit(slug: str) -> Key:
    """All in one partition: there are as many as providers in trouble, and a sweep reads them all."""
    return {"pk": CIRCUITS, "sk": slug}


def slot(slug: str, number: int) -> Key:
    return {"pk": f"slot#{slug}#{number}", "sk": "slot"}


def clockwork(name: str) -> Key:
    """How far the sweep or the repair pass got."""
    return {"pk": "clockwork", "sk": name}


def slug_of(key: Key) -> str:
    """The provider of a connection's key, which is all that an index entry tells of it."""
    return key["sk"].split("#")[1]


def audit(at: datetime, entry_id: str) -> Key:
    return {"pk": f"audit#{at:%Y-%m-%d}", "sk": entry_id}
