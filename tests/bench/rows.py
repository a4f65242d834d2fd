"""Connections as they are stored, with ids, scopes and tokens as long as a big provider's; and how many bytes DynamoDB counts of one."""

from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.lifecycle import new_connection_id
from chalicelib.domain.models import Connection, Owner
from chalicelib.domain.secret import Secret
from chalicelib.domain.tokens import TokenSet
from chalicelib.doors import keys
from chalicelib.doors.crypto import Sealer, token_facts
from chalicelib.doors.table import encode

SLUG = "bench"
REGISTRATION_ID = "data_integration_01HXA2B3C4D5E6F7G8H9JKMNPQ"
ORGANIZATION = "org_01HXA2B3C4D5E6F7G8H9JKMNPQ"
LIFE = 3600
SCOPES = tuple(f"https://www.googleapis.com/auth/{name}" for name in ("calendar.readonly", "drive.readonly", "gmail.readonly"))
ROW_OVERHEAD = 100  # bytes of storage that DynamoDB adds to each item, and to each entry of an index


def owner(number: int) -> Owner:
    return Owner(user_id=f"user_01HXA2B3C4D5E6F7G8H{number:07}", organization_id=ORGANIZATION)


def connection(whose: Owner, now: datetime, due_at: datetime) -> Connection:
    """In use, refreshed now and due again then; not sealed yet."""
    return Connection(
        id=new_connection_id(now),
        user_id=whose.user_id,
        organization_id=whose.organization_id,
        slug=SLUG,
        registration_id=REGISTRATION_ID,
        live_registration_id=REGISTRATION_ID,
        state="connected",
        generation=1,
        refreshable=True,
        scopes_requested=SCOPES,
        scopes_granted=SCOPES,
        expires_at=now + timedelta(seconds=LIFE),
        token_life=LIFE,
        refresh_due_at=due_at,
        external_account_id="116543210987654321098",
        external_name="ada.lovelace@example.com",
        created_at=now,
        updated_at=now,
        connected_at=now,
        refreshed_at=now,
        last_used_at=now,
    )


def sealed(sealer: Sealer, unsealed: Connection, tokens: dict[str, Any]) -> Connection:
    """With the tokens of a provider's answer."""
    payload = TokenSet(Secret(tokens["access_token"]), Secret(tokens["refresh_token"])).to_payload()
    return replace(unsealed, sealed=sealer.seal(payload, token_facts(unsealed)))


def item(stored: Connection, shards: int) -> dict[str, Any]:
    """The row as the store writes it, with a write id of the length of any."""
    fields = {name: value for name, value in asdict(stored).items() if value is not None}
    key = keys.connection(stored.owner, stored.slug, stored.account)
    row = {**fields, **key, "due_shard": keys.due_shard(stored.id, shards), "write_id": "0" * 32, "last_event": f"event_{'0' * 26}"}
    return {name: encode(value) for name, value in row.items()}


def item_bytes(attributes: dict[str, Any]) -> int:
    """As DynamoDB counts an item: names and values; 3 bytes for a list or map and 1 for each of its parts."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in attributes.items())


def entry_bytes(attributes: dict[str, Any], *index_keys: str) -> int:
    """As it counts the item's entry in an index of keys alone."""
    return item_bytes({name: attributes[name] for name in ("pk", "sk", *index_keys)})


def _value_bytes(attribute: dict[str, Any]) -> int:
    ((kind, value),) = attribute.items()
    match kind:
        case "S":
            return len(value.encode())
        case "B":
            return len(value)
        case "N":
            return 1 + (len(value) + 1) // 2
        case "L":
            return 3 + sum(1 + _value_bytes(part) for part in value)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value_bytes(part) for name, part in value.items())
    return 1  # BOOL, NULL
