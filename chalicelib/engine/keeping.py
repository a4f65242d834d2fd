"""What must not be lost with this process: sealed tokens that the table did not take, and sealed tokens that nobody keeps and the provider still honours."""

from base64 import b64decode, b64encode
from dataclasses import asdict
from datetime import datetime
from typing import Any

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.events import timestamp
from chalicelib.domain.lifecycle import RENEWED, Transition
from chalicelib.domain.models import Connection
from chalicelib.domain.stored import DamagedRow, read
from chalicelib.doors import keys
from chalicelib.doors.queue import Queue, TooLarge

VERSION = 1
TRIES = 3  # of a call that has tries of its own


class UnknownMessage(ValueError):
    """A message of another version, or none of ours. It goes to the dead letters, where somebody looks at it."""


class Keeping:
    def __init__(self, rescues: Queue, revocations: Queue) -> None:
        self._rescues, self._revocations = rescues, revocations

    def rescue(self, renewed: Transition) -> bool:
        """Queues what a refresh got and could not store. False if the queue does not take it either."""
        after = renewed.after
        fields = {name: value for name, value in asdict(after).items() if name in RENEWED and value is not None}
        return _sent(self._rescues, {"v": VERSION, "key": keys.connection(after.owner, after.slug, after.account), "connection": after.id, "renewed": _plain(fields)})

    def revoke_later(self, connection: Connection) -> bool:
        """Queues the tokens of this generation to be revoked at the provider. False if the queue does not take them."""
        wanted = ("id", "user_id", "organization_id", "slug", "account", "registration_id", "authority", "generation", "sealed", "expires_at", "config", "state", "created_at", "updated_at")
        return _sent(self._revocations, {"v": VERSION, "connection": _plain({name: value for name, value in asdict(connection).items() if name in wanted})})


def rescued_of(message: dict[str, Any]) -> tuple[dict[str, str], str, dict[str, Any]]:
    """Key and id of the connection, and its renewed fields. Raises UnknownMessage."""
    try:
        _check(message)
        # Read through the model, so that every field has its type; what a renewal does not set is filled in and not looked at.
        blank = {"id": message["connection"], "slug": "-", "registration_id": "-", "state": "connected", "created_at": message["renewed"]["updated_at"]}
        renewed = read(Connection, {**blank, **_unplain(message["renewed"])})
        return dict(message["key"]), str(message["connection"]), {name: getattr(renewed, name) for name in RENEWED}
    except (AttributeError, KeyError, TypeError, ValueError, DamagedRow) as error:
        raise UnknownMessage(type(error).__name__) from None


def revocation_of(message: dict[str, Any]) -> Connection:
    """The connection as it was, with the tokens to end. Raises UnknownMessage."""
    try:
        _check(message)
        return read(Connection, _unplain(message["connection"]))
    except (AttributeError, KeyError, TypeError, ValueError, DamagedRow) as error:
        raise UnknownMessage(type(error).__name__) from None


def _check(message: dict[str, Any]) -> None:
    if message.get("v") != VERSION:
        raise ValueError


def _sent(queue: Queue, message: dict[str, Any]) -> bool:
    for _ in range(TRIES):
        try:
            queue.send(message)
            return True
        except Unavailable:
            continue
        except TooLarge:
            return False
    return False


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: timestamp(value) if isinstance(value, datetime) else b64encode(value).decode() if isinstance(value, bytes) else value for name, value in fields.items()}


def _unplain(fields: dict[str, Any]) -> dict[str, Any]:
    return {**fields, "sealed": b64decode(fields["sealed"])} if fields.get("sealed") else fields
