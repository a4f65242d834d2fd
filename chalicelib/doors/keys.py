"""Where each thing lies in the table: the only place that builds a key. Every key of a connection begins with its owner."""

from datetime import date, datetime
from urllib.parse import quote

from chalicelib.domain import ids
from chalicelib.domain.events import told_at
from chalicelib.domain.models import COMPATIBILITY, Owner, Ownership

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


def connection(owner: Owner, slug: str, account: str = COMPATIBILITY) -> Key:
    return {"pk": owner_partition(owner), "sk": f"{accounts_prefix(slug)}{_part(account)}"}


def accounts_prefix(slug: str) -> str:
    """What the keys of an owner's accounts at one provider begin with."""
    return f"connection#{_part(slug)}#"


def pending(pending_id: str) -> Key:
    return {"pk": f"pending#{ids.digest(pending_id)}", "sk": "pending"}


def registration_partition(organization_id: str | None) -> str:
    return f"registration#{_part(organization_id)}" if organization_id else "registration"


def registration(slug: str, ownership: Ownership = "userland_user", organization_id: str | None = None) -> Key:
    """A stage's registration, or what an organization sets over it."""
    return {"pk": registration_partition(organization_id), "sk": slug if ownership == "userland_user" else f"{slug}#organization"}


def grant(refresh_token_digest: str, connection_id: str = "") -> Key:
    """Who holds, or held, a refresh token that came from elsewhere or could."""
    return {"pk": f"grant#{refresh_token_digest}", "sk": connection_id}


def idempotency(key_id: str, idempotency_key: str) -> Key:
    """The answer a caller was given under a key of its own."""
    return {"pk": f"idempotency#{_part(key_id)}#{ids.digest(idempotency_key)}", "sk": "idempotency"}


WIDGET_KEYS = {"pk": "widget_keys", "sk": "widget_keys"}


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


LOG_SHARDS = 8


def day_log_partition(at: date, shard: int) -> str:
    return f"log#{at:%Y-%m-%d}#{shard}"


def day_log(event_id: str) -> Key:
    """The same event once more, among all events of its day; the day is that of its id, which is what a reader goes on from."""
    return {"pk": day_log_partition(told_at(event_id), _shard(event_id, LOG_SHARDS)), "sk": event_id}


WEBHOOK_ENDPOINTS = "webhook_endpoints"


def webhook_endpoint(endpoint_id: str) -> Key:
    """All in one partition: whoever publishes an event reads them all, now and then."""
    return {"pk": WEBHOOK_ENDPOINTS, "sk": endpoint_id}


def webhook_deliveries(endpoint_id: str) -> str:
    return f"webhook_deliveries#{_part(endpoint_id)}"


def webhook_delivery(endpoint_id: str, delivery_id: str) -> Key:
    return {"pk": webhook_deliveries(endpoint_id), "sk": delivery_id}


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


DASHBOARD_SESSIONS = "dashboard_sessions"


def dashboard_link(token_digest: str) -> Key:
    return {"pk": f"dashboard_link#{token_digest}", "sk": "dashboard_link"}


def dashboard_session(session_digest: str) -> Key:
    """All in one partition: there are as many as people at work, and revoking all of them is one query."""
    return {"pk": DASHBOARD_SESSIONS, "sk": session_digest}


def dashboard_refusals(address_digest: str, window: int) -> Key:
    return {"pk": f"dashboard_refusals#{address_digest}", "sk": str(window)}


def dashboard_trial(slug: str) -> Key:
    """One of a provider at a time."""
    return {"pk": "dashboard_trials", "sk": slug}


def outcomes(at: datetime, slug: str) -> Key:
    """What came of a provider's refreshes in an hour."""
    return {"pk": f"outcomes#{at:%Y-%m-%d}", "sk": f"{at:%H}#{slug}"}


def census_part(began_at: str, start: int) -> Key:
    return {"pk": f"census#{began_at}", "sk": f"{start:012d}"}
