"""Where a row goes: to the connection that has its grant already, to the place of its own, or nowhere.

The same row finds the same place each time, so a run that was killed anywhere may be repeated: what was stored is found again by its
token, also after a refresh here has replaced that. A grant that lives here is never given older tokens.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from chalicelib.domain import ids
from chalicelib.domain.errors import StandpipeError, Unavailable
from chalicelib.domain.models import COMPATIBILITY, Connection
from chalicelib.domain.tokens import TokenSet
from chalicelib.doors.crypto import token_facts
from chalicelib.engine import accounts
from chalicelib.engine.installations import Place
from chalicelib.wiring import Engine
from ops.migration.rows import Row

Result = Literal["imported", "replaced", "taken_over", "already", "left", "refused"]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True)
class Placed:
    """What became of a row. left: what is here is as good or better; refused: `detail` says why, as a sentence."""

    result: Result
    connection: Connection | None = None
    detail: str = ""


class Placing:
    """`taking_over`: these grants are refreshed here from now on; otherwise they are not."""

    def __init__(self, engine: Engine, *, taking_over: bool, further: Collection[str] = ()) -> None:
        """`further`: places of the rows that do not say their role and are not the first of their owner."""
        self._engine, self._taking_over, self._further = engine, taking_over, further

    def place(self, row: Row) -> Placed:
        """Stores the row's connection, or finds it stored. Raises Unavailable; everything else that is wrong is `refused`."""
        try:
            return self._place(row)
        except Unavailable:
            raise
        except StandpipeError as error:
            return Placed("refused", None, error.message)

    def _place(self, row: Row) -> Placed:
        live = [each for each in self._engine.store.connections(row.owner, row.slug) if each.state != "disconnected"]
        for connection in live:
            if self._has(connection, row):
                return self._found(connection, row)
        for connection in live:
            if self._had(connection, row):
                return Placed("left", connection, "Later tokens of this grant are here.")
        account = self._account(row)
        there = next((each for each in live if row.account_identifier and each.account_identifier == row.account_identifier), None) or next((each for each in live if each.account == account), None)
        if there is not None:
            if row.held is None:
                return Placed("already", there)
            if there.handed_over_at is None and there.state == "connected":
                return Placed("refused", there, f"This account is connected here already, with other tokens ({there.id}). Disconnect it first, if the ones in the file are to be used.")
            return Placed("replaced", self._store(row, there.account))
        if len(live) >= accounts.LIMIT:
            return Placed("refused", None, f"This owner has {len(live)} accounts of this provider already, and that is the most there may be.")
        return Placed("imported", self._store(row, account))

    def _found(self, connection: Connection, row: Row) -> Placed:
        if self._taking_over and connection.handed_over_at is not None and connection.state == "connected":
            return Placed("taken_over", self._engine.hand_over.take_over(connection))
        if not self._taking_over and connection.handed_over_at is None and row.rotates and connection.state == "connected":
            return Placed("left", connection, "It is here already and refreshed here: hand it over if the other system is to go on with it.")
        return Placed("already", connection)

    def _store(self, row: Row, account: str) -> Connection:
        installations = self._engine.installations
        place = Place(
            owner=row.owner, slug=row.slug, account=account, acting_user_id=row.established_by, display_name=row.display_name, account_identifier=row.account_identifier,
        )  # fmt: skip
        if row.auth_method == "oauth" or row.secret is None:
            return installations.bring(place, row.brought, replaces=row.held is not None, handed_over=not self._taking_over)
        if row.auth_method == "api_key":
            return installations.enter_api_key(place, row.secret, row.brought.config, enabled_only=False)
        return installations.enter_client_credentials(place, row.client_id or "", row.secret, row.brought.config)

    def _has(self, connection: Connection, row: Row) -> bool:
        """Whether the row's very token is what is stored."""
        if row.held is None or connection.sealed is None or connection.auth_method != row.auth_method:
            return False
        tokens = TokenSet.from_payload(self._engine.sealer.open(connection.sealed, token_facts(connection)))
        stored = tokens.client_secret or tokens.refresh_token or tokens.access_token
        return ids.matches(row.held.reveal(), ids.digest(stored.reveal()))

    def _had(self, connection: Connection, row: Row) -> bool:
        """Whether it was brought here once and has been replaced since: noted before it was stored, with the generation it would have."""
        token = row.brought.refresh_token
        if token is None:
            return False
        return any(each.connection_id == connection.id and each.generation < connection.generation for each in self._engine.grants.holders(ids.digest(token.reveal())))

    def _account(self, row: Row) -> str:
        first = row.role == "compatibility" if row.role else row.where not in self._further
        return COMPATIBILITY if first else own_account(row)


def own_account(row: Row) -> str:
    """The place of a further account, in the form of a ULID and always the same for what its system calls it."""
    held = row.held.reveal() if row.held else ""
    name = row.source_id or row.account_identifier or held
    number = int.from_bytes(hashlib.sha256(f"{row.slug}\0{name}".encode()).digest()[:10])
    milliseconds = max(0, (row.created_at - _EPOCH) // timedelta(milliseconds=1)) if row.created_at else 0
    number |= milliseconds << 80
    return "".join(_LETTERS[number >> shift & 31] for shift in range(125, -1, -5))
