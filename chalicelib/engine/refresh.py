"""One refresh of one connection, the same for a fetch and for the sweep.

A refresh token is often single use, and a strict provider answers a second use by ending the whole grant. Therefore:
lease before spending, with an intent that outlives a crash · re-read under the lease · data key in hand before spending ·
every call within a deadline shorter than half the lease · one second try after a lost answer · a store fenced by generation and
lease, known by its write id · refusal only by the provider's own word, after a strong re-read, in one transaction with its event.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.domain import lifecycle
from chalicelib.domain.circuit import Tally
from chalicelib.domain.errors import Conflict, GrantRefused, ProviderError, ProviderWeird, RegistrationRefused, StandpipeError, Unavailable
from chalicelib.domain.lifecycle import Reason, Transition
from chalicelib.domain.models import Connection, Registration
from chalicelib.domain.schedule import Policy
from chalicelib.domain.settings import LEASE_TTL, PROVIDER_DEADLINE, STORE_BUDGET
from chalicelib.domain.stored import read
from chalicelib.domain.tokens import TokenAnswer, TokenSet
from chalicelib.doors import journal
from chalicelib.doors.crypto import Sealer, token_facts
from chalicelib.doors.oauth import OAuth
from chalicelib.doors.store import Store
from chalicelib.doors.table import LostRace, new_write_id
from chalicelib.engine.commits import Commits
from chalicelib.engine.effective import Effective
from chalicelib.engine.keeping import Keeping
from chalicelib.engine.registrations import Registrations

Bucket = Literal[
    "success_fresh", "success_waited", "success_retry_after_lost", "success_rescued", "fresh_enough", "refused_expected", "lost_outcome_unknown",
    "persist_failure", "lease_timeout", "client_error", "transient_5xx", "transient_network", "rate_limited", "provider_weird", "disconnected", "not_spent", "busy",
]  # fmt: skip
BAD = {"lost_outcome_unknown", "persist_failure", "lease_timeout"}
ALARM = "bad_refresh"
THROTTLED = {"http_429", "ratelimited", "rate_limited", "rate_limit_exceeded", "login_rate_exceeded", "slow_down"}
WEIRD_TRIES, WEIRD_FOR = 3, timedelta(minutes=30)
NEEDED = 2 * PROVIDER_DEADLINE + STORE_BUDGET  # seconds a started refresh may take: two calls and the store


@dataclass(frozen=True)
class Outcome:
    """How a refresh ended. `tokens` only where this very call got them; `error` is what the provider said, if it said no; `asked`: it was asked."""

    bucket: Bucket
    connection: Connection
    tokens: TokenSet | None = None
    error: ProviderError | None = None
    asked: bool = False

    @property
    def tally(self) -> Tally:
        """What it says of the provider: a dead grant is a healthy provider's word too."""
        if not self.asked or (isinstance(self.error, RegistrationRefused) and self.connection.authority in ("organization", "connection")):
            return Tally()  # a client of one organization that is refused says nothing of the others
        if self.error is None or isinstance(self.error, GrantRefused):
            return Tally(successes=1)
        if isinstance(self.error, RegistrationRefused):
            return Tally(refusals=1, last_error=self.error.provider_code)
        if self.bucket == "rate_limited":
            return Tally(throttled=1, retry_after=self.error.retry_after)
        return Tally(failures=1, last_error=self.error.provider_code)


class Refresher:
    """`sleep` and `monotonic` are arguments so that waiting can be tested without waiting. `idle_after`: of schedule.Policy."""

    def __init__(
        self,
        store: Store,
        sealer: Sealer,
        oauth: OAuth,
        registrations: Registrations,
        commits: Commits,
        keeping: Keeping,
        idle_after: timedelta | None,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
        monotonic: Callable[[], float],
    ) -> None:
        self._store, self._sealer, self._oauth, self._registrations, self._commits, self._keeping = store, sealer, oauth, registrations, commits, keeping
        self._idle_after, self._clock, self._sleep, self._monotonic = idle_after, clock, sleep, monotonic

    def refresh(
        self, connection: Connection, is_fresh: Callable[[Connection], bool], *, seconds_left: Callable[[], float], patience: float, used: bool = True, registration: Registration | None = None
    ) -> Outcome:
        """Refreshes unless `is_fresh` or someone else does; waits up to `patience` seconds for that one, none at all with a patience of 0.

        `seconds_left` tells how long this process may still run. `used`: somebody fetches it; otherwise it is the clock, which comes again
        and so notes on the connection what keeps it from being refreshed. `registration`: read already, by whoever refreshes many. Raises Unavailable if nothing could be started, IntegrityError if
        the stored tokens are not the stored ones.
        """
        started, waited = self._monotonic(), False
        while True:
            if connection.state != "connected":
                return self._exit(_overtaken(connection), started)
            if is_fresh(connection):
                return self._exit(Outcome("success_waited" if waited else "fresh_enough", connection), started)
            now = self._clock()
            if connection.handed_over_at is not None:
                raise handed_over()
            if not connection.refreshable:
                return self._exit(self._refuse(connection, "no_refresh_token", None, None), started)
            if connection.hold_until is not None and connection.hold_until > now:
                # Also for those who waited for the one that failed: a queue of them asking in turn is the last thing a failing provider needs.
                return self._exit(Outcome("not_spent", connection), started)
            if connection.lease_until is None or connection.lease_until < now:
                holder, lease_ends = new_write_id(), self._monotonic() + LEASE_TTL.total_seconds()
                try:
                    leased = self._store.lease(connection, holder, now + LEASE_TTL, now)
                except LostRace:
                    pass
                else:
                    return self._exit(self._spend(leased, holder, lease_ends, seconds_left, used, registration), started)
            elif patience <= 0:
                return self._exit(Outcome("busy", connection), started)
            else:
                # Someone is at it. Waiting only reads: a write here could get in the way of theirs.
                if self._monotonic() - started > patience:
                    return self._exit(Outcome("lease_timeout", connection), started)
                self._sleep(random.uniform(0.1, 0.4))
            waited = True
            newer = self._store.connection(connection.owner, connection.slug, connection.account)
            if newer is None:
                return self._exit(Outcome("disconnected", connection), started)
            connection = newer

    def _spend(self, leased: Connection, holder: str, lease_ends: float, seconds_left: Callable[[], float], used: bool, registration: Registration | None) -> Outcome:
        earlier_attempts = leased.intent_attempt - 1

        def left() -> float:
            return min(seconds_left(), lease_ends - self._monotonic())

        try:
            _require(left(), NEEDED)
            effective = self._registrations.effective_of(leased, registration)
            tokens = TokenSet.from_payload(self._sealer.open(leased.sealed or b"", token_facts(leased)))
            # In hand before anything is spent: what the provider answers can be kept without asking anyone.
            ready = self._sealer.ready(token_facts(leased, leased.generation + 1))
            effective.credentials()  # opened now, for the same reason
            calls = 1 + sum(token.refresh_token is not None for token in tokens.additional.values())
            one_try = calls * PROVIDER_DEADLINE + STORE_BUDGET
            _require(left(), one_try)  # again, because the key service may have been slow
        except StandpipeError as error:
            journal.count("refresh", self._clock(), "not_spent", connection=leased.id, provider=leased.slug, generation=leased.generation, cause=error.code)
            self._give_back(leased, holder, earlier_attempts, error, used)
            raise
        in_doubt, retried = earlier_attempts > 0, False
        try:
            answer = effective.renew(self._oauth, leased, tokens, self._clock())
        except ProviderError as first:
            if not first.in_doubt or first.retry_after or left() < one_try:
                return self._failed(leased, holder, effective, first, in_doubt)
            # The answer is lost: a provider with a grace period gives it again, and at a strict one nothing more can be lost.
            in_doubt = retried = True
            try:
                answer = effective.renew(self._oauth, leased, tokens, self._clock())
            except ProviderError as second:
                return self._failed(leased, holder, effective, second, in_doubt)
        policy = Policy(effective.provider.lifetimes.refresh_token_idle, self._idle_after)
        renewed = lifecycle.refreshed(leased, answer, ready.seal(answer.tokens.to_payload()), policy=policy, unchanged=answer.brought_nothing_new(tokens), used=used, now=self._clock())
        return self._stored(renewed, holder, effective, answer, retried, left())

    def _give_back(self, leased: Connection, holder: str, attempts: int, error: StandpipeError, used: bool) -> None:
        """The lease, unspent. What time alone does not mend would have the clock come back every minute, so there it is a failure with a back-off."""
        if used or isinstance(error, Unavailable):
            self._store.release(leased, holder, attempts)
            return
        unspent = replace(leased, intent_attempt=attempts)
        try:
            self._commits.commit(lifecycle.failed(unspent, error.code, in_doubt=True, retry_after=None, now=self._clock()), holder=holder)
        except LostRace:
            pass

    def _stored(self, renewed: Transition, holder: str, effective: Effective, answer: TokenAnswer, retried: bool, seconds: float) -> Outcome:
        leased = renewed.before or renewed.after
        until = self._monotonic() + seconds - 1
        try:
            try:
                self._commits.commit(renewed, holder=holder)
            except Unavailable:
                # Early, not at the end of the time: a process may be killed while it waits, and the queue's consumer waits better.
                # The lease is not given back: while it lasts nobody spends the old refresh token, and the rescue is on its way.
                if self._keeping.rescue(renewed):
                    return Outcome("success_rescued", renewed.after, answer.tokens, asked=True)
                self._commits.commit(renewed, holder=holder, seconds=until - self._monotonic())
        except LostRace:
            return self._lost(renewed, effective, answer)
        except Unavailable:
            journal.count("refresh", self._clock(), "persist_failure", alarm=ALARM, connection=leased.id, provider=leased.slug, generation=leased.generation)
            raise
        return Outcome("success_retry_after_lost" if retried else "success_fresh", renewed.after, answer.tokens, asked=True)

    def _lost(self, renewed: Transition, effective: Effective, answer: TokenAnswer) -> Outcome:
        """Someone moved the connection on while we asked. What they stored stands; ours is revoked only if the connection is gone."""
        leased = renewed.before or renewed.after
        newer = self._store.connection(leased.owner, leased.slug, leased.account)
        if newer is None or newer.state == "disconnected":
            if not self._keeping.revoke_later(renewed.after):
                effective.acting_for(leased, answer.tokens).revoke(self._oauth, answer.tokens, lambda: PROVIDER_DEADLINE * 3)
            return Outcome("disconnected", newer or leased, asked=True)
        return Outcome("success_waited" if newer.generation > leased.generation else "persist_failure", newer, asked=True)

    def _failed(self, leased: Connection, holder: str, effective: Effective, error: ProviderError, in_doubt: bool) -> Outcome:
        now = self._clock()
        if isinstance(error, GrantRefused):
            ended, over = (at is not None and at <= now for at in (leased.refresh_expires_at, leased.grant_expires_at))
            # Where refresh tokens are not rotated, an answer lost on the way has cost nothing.
            lost = in_doubt and effective.provider.lifetimes.rotation != "none" and leased.auth_method == "oauth"
            reason: Reason = "refresh_outcome_unknown" if lost else "grant_expired" if over else "refresh_token_expired" if ended else "refused"
            return self._refuse(leased, reason, error, holder)
        weird = isinstance(error, ProviderWeird) and not error.in_doubt
        if isinstance(error, ProviderWeird) and weird and leased.weird_failures + 1 >= WEIRD_TRIES and leased.weird_since and now - leased.weird_since >= WEIRD_FOR:
            return self._refuse(leased, "provider_error", error, holder)
        transition = lifecycle.failed(
            leased, error.provider_code or "unavailable", misconfigured=isinstance(error, RegistrationRefused), weird=weird, in_doubt=in_doubt or error.in_doubt, retry_after=error.retry_after, now=now
        )
        try:
            self._commits.commit(transition, holder=holder)
        except LostRace as race:
            return Outcome(_bucket(error), read(Connection, race.item) if race.item else leased, error=error, asked=True)
        return Outcome(_bucket(error), transition.after, error=error, asked=True)

    def _refuse(self, connection: Connection, reason: Reason, error: GrantRefused | ProviderWeird | None, holder: str | None) -> Outcome:
        """The verdict, unless a strong re-read shows that someone else got new tokens meanwhile."""
        newer = self._store.connection(connection.owner, connection.slug, connection.account)
        if newer is None or newer.generation != connection.generation or newer.state != "connected":
            return _overtaken(newer or connection)
        transition = lifecycle.refused(newer, reason, error.provider_code if error else "", self._clock())
        try:
            self._commits.commit(transition, holder=holder)
        except LostRace:
            return _overtaken(self._store.connection(connection.owner, connection.slug, connection.account) or connection)
        return Outcome("lost_outcome_unknown" if reason == "refresh_outcome_unknown" else "refused_expected", transition.after, error=error, asked=error is not None)

    def _exit(self, outcome: Outcome, started: float) -> Outcome:
        connection, error = outcome.connection, outcome.error
        facts = {"provider_code": error.provider_code, "detail": error.detail} if error else {}
        journal.count(
            "refresh", self._clock(), outcome.bucket, alarm=ALARM if outcome.bucket in BAD else None, connection=connection.id, provider=connection.slug, generation=connection.generation,
            state=connection.state, reason=connection.reason, milliseconds=round((self._monotonic() - started) * 1000), **facts,
        )  # fmt: skip
        return outcome


def _overtaken(connection: Connection) -> Outcome:
    """What somebody else made of the connection."""
    buckets: dict[str, Bucket] = {"connected": "success_waited", "needs_reauthorization": "refused_expected", "disconnected": "disconnected"}
    return Outcome(buckets[connection.state], connection)


def _require(left: float, needed: float) -> None:
    if left < needed:
        raise Unavailable("Too little time is left to refresh safely; try again.", "try_again", retry_after=1)


def _bucket(error: ProviderError) -> Bucket:
    if isinstance(error, RegistrationRefused):
        return "client_error"
    if isinstance(error, ProviderWeird):
        return "provider_weird"
    if error.provider_code in THROTTLED:
        return "rate_limited"
    return "transient_5xx" if error.provider_code.startswith("http_") else "transient_network"


def handed_over() -> Conflict:
    return Conflict("This connection was handed over: another system refreshes it. Ask that one, or take it over again.", "handed_over")
