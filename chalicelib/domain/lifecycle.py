"""Every change of a connection's state lives here, as a pure function (connection, fact, now) -> Transition. Nothing else sets `state`.

      (none) --connected--> connected --refused--> needs_reauthorization <--expected-- (none)
                              |  ^  \\__refreshed__/ (stays connected)   |
                              |  |__________ connected, rescued ________|
                              '---disconnected---> disconnected <-------'

A failure that nobody has to act on (`failed`) changes counters and the next try, never the state; after three days of it and with
no token left the connection is degraded, which is told once, as is its recovery. `announced` and `rested` change when it is looked at next.
An arrow that is not drawn raises ValueError: nothing but a person's consent, or tokens that were there all along (`rescued`), brings back what was ended.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from chalicelib.domain import events as facts
from chalicelib.domain import ids, schedule
from chalicelib.domain.events import Event
from chalicelib.domain.models import Connection, Consent, State
from chalicelib.domain.schedule import Policy
from chalicelib.domain.tokens import TokenAnswer

Reason = Literal["refused", "refresh_outcome_unknown", "no_refresh_token", "refresh_token_expired", "grant_expired", "provider_error", "rejected", "imported", "marked"]
TOMBSTONE_TTL = timedelta(days=30)
FETCH_HOLD = timedelta(seconds=10)  # a fetch tries a failing provider at most this often; the sweep's back-off is for hours, a user is waiting now
FETCH_HOLD_LIMIT = timedelta(minutes=5)

MOVES_WITHIN = timedelta(minutes=2)

# One sentence an end user can read, for each reason; `{provider}` is the provider's name.
MESSAGES: dict[str, str] = {
    "refused": "{provider} no longer accepts this connection. It may have been revoked there. Connect again to continue.",
    "refresh_outcome_unknown": "The last answer of {provider} was lost on the way and cannot be asked for again. Connect again to continue.",
    "no_refresh_token": "The access that {provider} gave has ended and it gave no way to renew it. Connect again to continue.",
    "refresh_token_expired": "This connection was not used for so long that {provider} ended it. Connect again to continue.",
    "grant_expired": "{provider} ends every connection after a fixed time, and this one has come to it. Connect again to continue.",
    "provider_error": "{provider} keeps answering in a way that cannot be used. Connect again to continue.",
    "rejected": "{provider} rejected the access of this connection. Connect again to continue.",
    "imported": "This {provider} connection came from another system without its access. Connect again to continue.",
    "marked": "This {provider} connection needs you again. Connect again to continue.",
}


@dataclass(frozen=True)
class Transition:
    """A connection before and after, and the events that tell of it. Stored in one write or not at all."""

    before: Connection | None
    after: Connection
    events: tuple[Event, ...] = ()


# What a refresh learned: everything of the new generation that a store which failed has to be made up for with.
RENEWED = (
    "generation", "sealed", "refreshable", "token_type", "scopes_granted", "expires_at", "token_life", "refresh_expires_at", "refresh_limit_fixed",
    "metadata", "last_error", "updated_at", "refreshed_at", "refresh_due_at",
)  # fmt: skip


def new_connection_id(now: datetime) -> str:
    return f"data_installation_{ids.ulid(now)}"


def connected(before: Connection | None, consent: Consent, connection_id: str, answer: TokenAnswer, sealed: bytes, *, policy: Policy, grant_limit: int, now: datetime) -> Transition:
    """A person allowed it, or entered a secret, or the application brought tokens. Replaces everything of an earlier grant (RFC 6749 5.1: the answer is the whole truth)."""
    identity = answer.identity
    after = replace(
        _blank(before, consent, connection_id, now),
        state="connected",
        sealed=sealed,
        refreshable=answer.tokens.refresh_token is not None or answer.tokens.client_secret is not None,
        token_type=answer.token_type,
        scopes_granted=consent.scopes if answer.scopes is None else answer.scopes,
        expires_at=answer.expires_at,
        token_life=answer.token_life,
        refresh_expires_at=answer.refresh_expires_at,
        grant_expires_at=now + timedelta(seconds=grant_limit) if grant_limit else None,
        external_account_id=identity.account_id if identity else None,
        external_name=identity.name if identity else None,
        external_team=identity.team if identity else None,
        metadata=answer.metadata,
        connected_at=now,
        refreshed_at=now,
    )
    return _told(before, _scheduled(after, policy, now), facts.CONNECTED, now)


def expected(before: Connection | None, consent: Consent, connection_id: str, now: datetime) -> Transition:
    """The application names a connection whose tokens nobody has: its user is asked to connect it."""
    after = replace(_blank(before, consent, connection_id, now), state="needs_reauthorization", reason="imported")
    return _told(before, after, facts.REAUTHORIZATION_NEEDED, now)


def labelled(before: Connection, *, display_name: str | None, account_identifier: str | None, scopes: tuple[str, ...] | None, now: datetime) -> Transition:
    """What the application calls it; nothing that anybody has to hear of."""
    _only_from(before, "connected", "needs_reauthorization")
    after = replace(before, display_name=display_name, account_identifier=account_identifier, scopes_granted=before.scopes_granted if scopes is None else scopes, updated_at=now)
    return Transition(before, after)


def handed_over(before: Connection, now: datetime) -> Transition:
    """Another system refreshes the grant from now on: two that do spend each other's refresh token. The access token serves as long as it lives."""
    _only_from(before, "connected")
    return Transition(before, replace(_rested(before), handed_over_at=before.handed_over_at or now, refresh_due_at=None, updated_at=now))


def taken_over(before: Connection, policy: Policy, now: datetime) -> Transition:
    """The other system has let go of the grant: it is refreshed here."""
    _only_from(before, "connected")
    return Transition(before, _scheduled(replace(before, handed_over_at=None, updated_at=now), policy, now))


def refreshed(before: Connection, answer: TokenAnswer, sealed: bytes, *, policy: Policy, unchanged: bool = False, used: bool = False, now: datetime) -> Transition:
    """The provider gave new tokens: a new generation, no lease, no intent, no failures.

    `unchanged`: the access token is the one it was, with what is left of its life. `used`: a fetch asked for it.
    """
    _only_from(before, "connected")
    after = replace(
        _rested(before),
        generation=before.generation + 1,
        sealed=sealed,
        refreshable=answer.tokens.refresh_token is not None or answer.tokens.client_secret is not None,
        token_type=answer.token_type,
        scopes_granted=before.scopes_granted if answer.scopes is None else answer.scopes,
        expires_at=answer.expires_at,
        token_life=before.token_life if unchanged else answer.token_life,
        refresh_expires_at=answer.refresh_expires_at or (None if answer.rotated else before.refresh_expires_at),  # a new one's end is not the old one's
        refresh_limit_fixed=_is_fixed(before, answer, now),
        metadata={**before.metadata, **answer.metadata},
        last_error="; ".join(answer.problems) or None,
        updated_at=now,
        refreshed_at=now,
        last_used_at=now if used else before.last_used_at,
    )
    after = _scheduled(after, policy, now, unchanged=unchanged)
    return _told(before, after, facts.RECOVERED, now) if before.degraded_since else Transition(before, after)


def rescued(current: Connection, renewed: dict[str, Any], now: datetime) -> Transition:
    """Tokens that were got and could not be stored then are stored after all. `renewed`: the fields of RENEWED.

    Also over a verdict of "outcome unknown": the outcome is known now.
    """
    _only_from(current, "connected", "needs_reauthorization")
    if current.generation + 1 != renewed["generation"] or (current.state == "needs_reauthorization" and current.reason != "refresh_outcome_unknown"):
        raise ValueError("these tokens are not the next ones of this connection")
    after = replace(_rested(current), state="connected", reason=None, **{name: renewed[name] for name in RENEWED})
    if current.state == "connected" and current.degraded_since is None:
        return Transition(current, after)
    return _told(current, after, facts.RECOVERED, now)


def refused(before: Connection, reason: Reason, provider_code: str, now: datetime) -> Transition:
    """Only a person can help. Tokens are kept, sealed, so that a wrong verdict can be undone."""
    _only_from(before, "connected")
    after = replace(_rested(before), state="needs_reauthorization", reason=reason, last_error=provider_code or reason, refresh_due_at=None, updated_at=now)
    return _told(before, after, facts.REAUTHORIZATION_NEEDED, now)


def failed(before: Connection, code: str, *, misconfigured: bool = False, weird: bool = False, in_doubt: bool, retry_after: int | None, now: datetime) -> Transition:
    """A failure that time or an operator mends: the lease is given back, the intent is kept only if the token may have been spent."""
    _only_from(before, "connected")
    failures = before.failures + 1
    after = replace(
        before,
        failures=failures,
        failing_since=None if misconfigured else before.failing_since or now,
        last_error=code,
        misconfigured=misconfigured,
        weird_failures=before.weird_failures + 1 if weird else 0,
        weird_since=(before.weird_since or now) if weird else None,
        # A wrong client secret is mended at once or in an hour, and its circuit keeps the others from asking meanwhile.
        retry_at=now + schedule.back_off(1 if misconfigured else failures, retry_after=retry_after),
        hold_until=now + min(max(FETCH_HOLD, timedelta(seconds=retry_after or 0)), FETCH_HOLD_LIMIT),
        lease_owner=None,
        lease_until=None,
        intent_attempt=before.intent_attempt if in_doubt else 0,
    )
    after = _scheduled(after, Policy(), now)
    since = after.failing_since
    if before.degraded_since or since is None or since + schedule.DEGRADED_AFTER > now or after.lives(now):
        return Transition(before, after)
    return _told(before, replace(after, degraded_since=now), facts.DEGRADED, now)


def announced(before: Connection, policy: Policy, now: datetime) -> Transition:
    """A limit is near that no refresh gets past: the product hears of it while the token still works."""
    _only_from(before, "connected")
    after = _scheduled(replace(before, announced_end=before.reauthorization_expected_at), policy, now)
    return _told(before, after, facts.REAUTHORIZATION_EXPECTED, now)


def rested(before: Connection, policy: Policy, now: datetime) -> Transition:
    """Nothing is to be done now: only when to look again."""
    _only_from(before, "connected")
    return Transition(before, _scheduled(before, policy, now))


def disconnected(before: Connection, now: datetime) -> Transition:
    """The owner ended it. What was secret or personal is forgotten; the row stays a while as a fence against refreshes in flight."""
    _only_from(before, "connected", "needs_reauthorization")
    after = Connection(
        id=before.id,
        user_id=before.user_id,
        organization_id=before.organization_id,
        slug=before.slug,
        account=before.account,
        registration_id=before.registration_id,
        authority=before.authority,
        auth_method=before.auth_method,
        state="disconnected",
        generation=before.generation + 1,
        created_at=before.created_at,
        updated_at=now,
        ttl=int((now + TOMBSTONE_TTL).timestamp()),
        last_event=before.last_event,
    )
    return _told(before, after, facts.DISCONNECTED, now)


def _blank(before: Connection | None, consent: Consent, connection_id: str, now: datetime) -> Connection:
    """A connection of the next generation, before anything is known of its tokens. What a person called a live one stays, unless they say otherwise ("" takes it away)."""
    kept = before if before is not None and before.state != "disconnected" else None
    label, identifier = consent.display_name, consent.account_identifier
    return Connection(
        id=connection_id,
        user_id=consent.owner.user_id,
        organization_id=consent.owner.organization_id,
        slug=consent.slug,
        account=consent.account,
        registration_id=consent.registration_id,
        live_registration_id=consent.registration_id,
        authority=consent.authority,
        auth_method=consent.auth_method,
        state="connected",
        generation=before.generation + 1 if before else 1,
        scopes_requested=consent.scopes,
        config=consent.config,
        client_id=consent.client_id,
        secret_last_four=consent.secret_last_four,
        display_name=(kept.display_name if kept and label is None else label) or None,
        account_identifier=(kept.account_identifier if kept and identifier is None else identifier) or None,
        established_by=consent.established_by,
        created_at=kept.created_at if kept else now,
        updated_at=now,
        last_event=before.last_event if before else None,
    )


def _only_from(before: Connection, *states: State) -> None:
    if before.state not in states:
        raise ValueError(f"a connection that is {before.state} cannot change so")


def _rested(connection: Connection) -> Connection:
    """Without a lease, an intent or failures."""
    return replace(
        connection,
        degraded_since=None,
        lease_owner=None,
        lease_until=None,
        intent_attempt=0,
        failures=0,
        failing_since=None,
        retry_at=None,
        hold_until=None,
        misconfigured=False,
        weird_failures=0,
        weird_since=None,
    )


def _scheduled(connection: Connection, policy: Policy, now: datetime, *, unchanged: bool = False) -> Connection:
    return replace(connection, refresh_due_at=schedule.next_due(connection, policy, now, unchanged=unchanged))


def _told(before: Connection | None, after: Connection, kind: str, now: datetime) -> Transition:
    """A transition with its event, whose id the connection carries on."""
    previous = after.last_event
    after = replace(after, last_event=facts.new_id(now, previous))
    return Transition(before, after, (facts.of_connection(kind, after, now, previous=previous),))


def _is_fixed(before: Connection, answer: TokenAnswer, now: datetime) -> bool:
    """Whether the provider counts down to one end of the refresh token instead of giving each a life of its own. A refresh at once after another tells nothing."""
    if before.refresh_expires_at is None or before.refreshed_at is None:
        return False
    if answer.refresh_expires_at is None:
        return not answer.rotated
    elapsed = now - before.refreshed_at
    if elapsed < MOVES_WITHIN:
        return before.refresh_limit_fixed
    return answer.refresh_expires_at - before.refresh_expires_at < elapsed / 2
