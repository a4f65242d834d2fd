"""Which of an owner's accounts at a provider is meant: the compatibility account, the one that is named, or the only one there is."""

from datetime import datetime

from chalicelib.domain import ids
from chalicelib.domain.errors import Conflict, NotFound
from chalicelib.domain.models import COMPATIBILITY, Connection, Owner
from chalicelib.doors.store import Store

LIMIT = 20  # accounts of one owner at one provider: far more than a person tells apart, and one page of a query


def pick(store: Store, owner: Owner, slug: str, connection_id: str | None = None, *, several: bool = False) -> Connection | None:
    """The account as it is now, a disconnected compatibility account included; None if there is none.

    `several`: the caller knows that there may be more than one. Raises NotFound for an id that is not one of this owner's, Conflict
    (account_selection_required) where one has to be named.
    """
    if connection_id is None and not several:
        return store.connection(owner, slug)
    live = _live(store, owner, slug)
    if connection_id is not None:
        return _named(live, connection_id)
    if len(live) > 1:
        raise Conflict(f"There are {len(live)} connected accounts; name one with 'connected_account_id'.", "account_selection_required", errors=[{"field": "connected_account_id", "code": "required"}])
    return live[0] if live else None


def live_one(store: Store, owner: Owner, slug: str, connection_id: str | None = None, *, several: bool = False) -> Connection:
    """As `pick`, for who needs one that is not disconnected. Raises NotFound."""
    found = pick(store, owner, slug, connection_id, several=several)
    if found is None or found.state == "disconnected":
        raise not_found()
    return found


def place_for(store: Store, owner: Owner, slug: str, connection_id: str | None, *, add: bool, now: datetime) -> tuple[str, Connection | None]:
    """The account a new grant goes to, and what is there already. The first of an owner fills the compatibility account, also where one is to be added.

    Raises NotFound, or Conflict (connected_account_limit_reached).
    """
    if connection_id is not None:
        named = _named(_live(store, owner, slug), connection_id)
        return named.account, named
    if not add:
        return COMPATIBILITY, store.connection(owner, slug)
    found = store.connections(owner, slug)
    live = [each for each in found if each.state != "disconnected"]
    if len(live) >= LIMIT:
        raise Conflict(f"An owner has at most {LIMIT} accounts at one provider. Disconnect one first.", "connected_account_limit_reached")
    if not any(each.account == COMPATIBILITY for each in live):
        return COMPATIBILITY, next((each for each in found if each.account == COMPATIBILITY), None)
    return ids.ulid(now), None


def twin(store: Store, owner: Owner, slug: str, account: str, external_id: str | None, team: str | None) -> Connection | None:
    """Another live account of the owner that is the same one at the provider: one grant is not kept twice."""
    if external_id is None:
        return None
    same = (each for each in _live(store, owner, slug) if each.account != account and (each.external_account_id, each.external_team) == (external_id, team))
    return next(same, None)


def not_found() -> NotFound:
    """The same for another owner's and for none at all."""
    return NotFound("There is no such connected account.", "connected_account_not_found")


def _live(store: Store, owner: Owner, slug: str) -> list[Connection]:
    return [each for each in store.connections(owner, slug) if each.state != "disconnected"]


def _named(live: list[Connection], connection_id: str) -> Connection:
    found = next((each for each in live if each.id == connection_id), None)
    if found is None:
        raise not_found()
    return found
