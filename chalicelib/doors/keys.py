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


def outbox(event_id: str, subject: str) -> Key:
    """Sharded by connection, so that one connection's events stay in order and no shard is hot."""
    shard = int(ids.digest(subject)[:8], 16) % 8
    return {"pk": f"outbox#{shard}", "sk": event_id}


def audit(at: datetime, entry_id: str) -> Key:
    return {"pk": f"audit#{at:%Y-%m-%d}", "sk": entry_id}
