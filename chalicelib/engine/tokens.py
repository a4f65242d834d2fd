"""The fetch: an access token that is live, or a plain reason why there is none. An expired one is never returned, on any path."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING

from chalicelib.domain import schedule
from chalicelib.domain.errors import IntegrityError, StandpipeError, Unavailable, Unprocessable
from chalicelib.domain.lifecycle import MESSAGES
from chalicelib.domain.models import AuthMethod, Connection, Owner
from chalicelib.domain.schedule import Policy
from chalicelib.domain.tokens import TokenSet
from chalicelib.doors.crypto import Sealer, token_facts
from chalicelib.doors.store import Store

if TYPE_CHECKING:
    from chalicelib.engine.circuits import Circuits
    from chalicelib.engine.refresh import Refresher
    from chalicelib.engine.registrations import Registrations
    from chalicelib.engine.rejections import Rejections

USE_NOTED_EVERY = timedelta(days=1)
SOON = 5
PATIENCE = 12.0  # seconds a fetch waits for another process's refresh: one call and its second try, within the gateway's 29


@dataclass(frozen=True)
class Live:
    """An active answer."""

    connection: Connection
    tokens: TokenSet


@dataclass(frozen=True)
class Inactive:
    """Why there is no token: `error` is WorkOS's word, `reason` and `message` say more."""

    error: str
    reason: str | None
    message: str
    connection: Connection | None = None
    hint: str | None = None
    """For a developer: what else than the person's own word makes this provider refuse."""


class Tokens:
    """Answers fetches for one stage. `refresher`, `rejections`, `registrations` and `circuits` are built on first need: a warm fetch uses none of them."""

    def __init__(
        self,
        store: Store,
        sealer: Sealer,
        refresher: "Callable[[], Refresher]",
        rejections: "Callable[[], Rejections]",
        registrations: "Callable[[], Registrations]",
        circuits: "Callable[[], Circuits]",
        idle_after: timedelta | None,
        clock: Callable[[], datetime],
    ) -> None:
        self._store, self._sealer, self._idle_after, self._clock = store, sealer, idle_after, clock
        self._refresher, self._rejections, self._registrations, self._circuits = refresher, rejections, registrations, circuits

    def answer(
        self,
        owner: Owner,
        slug: str,
        *,
        connection_id: str | None = None,
        several: bool = False,
        methods: tuple[AuthMethod, ...] = ("oauth",),
        min_ttl: timedelta = schedule.MINIMUM_TTL,
        seconds_left: Callable[[], float],
    ) -> Live | Inactive:
        """A token good for `min_ttl`, or for as long as the provider's tokens live if that is less. `several`: of accounts.pick; `methods`: those the caller can make use of.

        Raises NotFound (no such provider here, or not the connection asked for), Unavailable (try again), Conflict (our registration is refused,
        one of several accounts has to be named, or another system refreshes it), Unprocessable (auth_method_mismatch), IntegrityError.
        """
        connection = self._load(owner, slug, connection_id, several, methods)
        if connection is None or connection.state != "connected":
            return self._inactive(connection, slug, owner)
        return self._answer(connection, min_ttl, seconds_left)

    def rejected(
        self,
        owner: Owner,
        slug: str,
        generation: int,
        *,
        connection_id: str | None = None,
        several: bool = False,
        methods: tuple[AuthMethod, ...] = ("oauth",),
        seconds_left: Callable[[], float],
    ) -> Live | Inactive:
        """The provider answered 401 to the token of `generation`: refresh if it is still the stored one, and answer as `answer` does.

        A token that cannot be refreshed is shown to the provider once: only the provider's own refusal ends a connection.
        """
        connection = self._load(owner, slug, connection_id, several, methods)
        if connection is None or connection.state != "connected":
            return self._inactive(connection, slug, owner)
        if connection.generation != generation:
            return self._answer(connection, schedule.MINIMUM_TTL, seconds_left)
        if not connection.refreshable:
            tokens = self._open(connection)
            ended = self._rejections().after_rejection(connection, tokens)
            if ended.state == "connected" and ended.generation != connection.generation:
                return self._answer(ended, schedule.MINIMUM_TTL, seconds_left)
            return self._inactive(ended, slug, owner) if ended.state != "connected" else Live(ended, tokens)
        return self._after_refresh(connection, lambda newer: newer.generation != generation, seconds_left, rejected=generation)

    def _answer(self, connection: Connection, min_ttl: timedelta, seconds_left: Callable[[], float]) -> Live | Inactive:
        if _fresh(connection, self._clock(), min_ttl):
            return self._live(connection)
        return self._after_refresh(connection, lambda newer: _fresh(newer, self._clock(), min_ttl), seconds_left)

    def _load(self, owner: Owner, slug: str, connection_id: str | None, several: bool, methods: tuple[AuthMethod, ...]) -> Connection | None:
        if connection_id is None and not several:
            connection = self._store.connection(owner, slug)
        else:
            from chalicelib.engine import accounts

            connection = accounts.pick(self._store, owner, slug, connection_id, several=several)
        if connection is not None and connection.state != "disconnected" and connection.auth_method not in methods:
            raise Unprocessable(f"This account is connected by {connection.auth_method}; POST /data-integrations/{slug}/credentials answers what it has.", "auth_method_mismatch")
        return connection

    def _after_refresh(self, connection: Connection, is_fresh: Callable[[Connection], bool], seconds_left: Callable[[], float], rejected: int | None = None) -> Live | Inactive:
        now = self._clock()
        if connection.hold_until is not None and connection.hold_until > now:
            return self._old_or(connection, rejected, _failure(connection, now))
        circuits = self._circuits()
        if refusal := circuits.refuses_fetch(connection.slug):
            return self._old_or(connection, rejected, refusal)
        try:
            outcome = self._refresher().refresh(connection, is_fresh, seconds_left=seconds_left, patience=min(PATIENCE, seconds_left() - 1))
        except IntegrityError:
            raise
        except StandpipeError as error:
            # Also a registration that is gone or incomplete: what is stored is good as long as it lives.
            return self._old_or(connection, rejected, error)
        if outcome.asked:
            circuits.note(connection.slug, connection.registration_id, outcome.tally)
        newer = outcome.connection
        if newer.state != "connected":
            return self._inactive(newer, newer.slug, newer.owner)
        if outcome.tokens is not None and newer.lives(self._clock()):
            return Live(newer, self._living(outcome.tokens))
        return self._old_or(newer, rejected, _failure(newer, self._clock()))

    def _old_or(self, connection: Connection, rejected: int | None, error: Exception) -> Live | Inactive:
        """The stored token if it still lives and nobody reported it as rejected; a failed refresh inside the margin costs nobody anything."""
        if connection.generation != rejected and connection.lives(self._clock()):
            return self._live(connection)
        raise error

    def _live(self, connection: Connection) -> Live:
        tokens = self._open(connection)
        now = self._clock()
        if connection.last_used_at is None or now - connection.last_used_at > USE_NOTED_EVERY:
            self._note_use(connection, now)
        return Live(connection, tokens)

    def _note_use(self, connection: Connection, now: datetime) -> None:
        """An idle connection that is used again is looked at by the clock again."""
        due = None
        policy = Policy(idle_after=self._idle_after)
        if connection.refreshable and not connection.failures and schedule.is_idle(connection, policy, now):
            soonest = schedule.next_due(replace(connection, last_used_at=now), policy, now)
            due = soonest if soonest and (connection.refresh_due_at is None or soonest < connection.refresh_due_at) else None
        try:
            self._store.touch(connection, now, due)
        except Unavailable:
            pass  # the token in hand is good; the note is for reports

    def _open(self, connection: Connection) -> TokenSet:
        return self._living(TokenSet.from_payload(self._sealer.open(connection.sealed or b"", token_facts(connection))))

    def _living(self, tokens: TokenSet) -> TokenSet:
        """Without additional tokens that have ended: the main one is refreshed even where the provider refuses another."""
        if not tokens.additional:
            return tokens
        now = self._clock()
        return replace(tokens, additional={name: token for name, token in tokens.additional.items() if token.expires_at is None or token.expires_at > now})

    def _inactive(self, connection: Connection | None, slug: str, owner: Owner) -> Inactive:
        registrations = self._registrations()
        provider = registrations.provider(registrations.get(slug, owner.ownership))
        if connection is None or connection.state == "disconnected":
            return Inactive("not_installed", None, f"{provider.name} is not connected. Connect it to continue.")
        return Inactive(
            "needs_reauthorization",
            connection.reason,
            MESSAGES.get(connection.reason or "", MESSAGES["refused"]).format(provider=provider.name),
            connection,
            provider.lifetimes.refused_hint or None if connection.reason == "refused" else None,
        )


def _fresh(connection: Connection, now: datetime, min_ttl: timedelta) -> bool:
    if not connection.refreshable:
        return connection.lives(now)
    # Half of the token's own life is all that can be asked for twice: a caller who wants more than the provider gives would else refresh on every fetch.
    return connection.lives(now, min(min_ttl, timedelta(seconds=connection.token_life) / 2) if connection.token_life else min_ttl)


def _failure(connection: Connection, now: datetime) -> StandpipeError:
    """Why there is no token although the connection stands: an operator's to mend, or a matter of time."""
    if connection.misconfigured:
        from chalicelib.engine.circuits import misconfigured

        return misconfigured(connection.last_error)
    held = (connection.hold_until - now).total_seconds() if connection.hold_until else 0
    return Unavailable(
        f"The provider does not answer as it should ({connection.last_error or 'unavailable'}). The connection is kept; try again.",
        retry_after=ceil(held) if held > 0 else SOON,
    )
