"""Every change of a connection against every state it may be in."""

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any, get_args

import pytest

from chalicelib.domain import events, lifecycle
from chalicelib.domain.lifecycle import Transition
from chalicelib.domain.models import Connection
from chalicelib.domain.schedule import Policy
from chalicelib.domain.tokens import ExternalIdentity
from tests.domain.samples import HOUR, NOW, answer, connection, pending

TROUBLED = {
    "lease_owner": "w1", "lease_until": NOW, "intent_attempt": 2, "failures": 4, "failing_since": NOW - HOUR,
    "retry_at": NOW, "hold_until": NOW, "last_error": "http_503", "misconfigured": True, "weird_failures": 2, "weird_since": NOW - HOUR,
}  # fmt: skip
STATES: dict[str, Connection | None] = {
    "no row": None,
    "connected": connection(**TROUBLED, refresh_due_at=NOW),
    "needs_reauthorization": connection(state="needs_reauthorization", reason="refused"),
    "outcome unknown": connection(state="needs_reauthorization", reason="refresh_outcome_unknown"),
    "degraded": connection(**TROUBLED, refresh_due_at=NOW, degraded_since=NOW - HOUR),
    "disconnected": lifecycle.disconnected(connection(generation=6), NOW - HOUR).after,
}


def renewed(current: Connection) -> dict[str, Any]:
    """What a refresh of this generation learned, as a rescue queue brings it."""
    after = lifecycle.refreshed(replace(current, state="connected"), answer(), b"blob-new", policy=Policy(), now=NOW).after
    return {name: getattr(after, name) for name in lifecycle.RENEWED}


FACTS: dict[str, Callable[[Connection], Transition]] = {
    "connected": lambda c: lifecycle.connected(c, pending().consent, "data_installation_02", answer(), b"blob-new", policy=Policy(), grant_limit=0, now=NOW),
    "refreshed": lambda c: lifecycle.refreshed(c, answer(), b"blob-new", policy=Policy(), now=NOW),
    "refused": lambda c: lifecycle.refused(c, "refused", "invalid_grant", NOW),
    "failed": lambda c: lifecycle.failed(c, "http_503", in_doubt=False, retry_after=None, now=NOW),
    "rescued": lambda c: lifecycle.rescued(c, renewed(c), NOW),
    "announced": lambda c: lifecycle.announced(c, Policy(), NOW),
    "rested": lambda c: lifecycle.rested(c, Policy(), NOW),
    "disconnected": lambda c: lifecycle.disconnected(c, NOW),
}
# (fact, state before) -> (state, reason, generation, sealed, event), or None where there is no such arrow.
ARROWS: dict[tuple[str, str], tuple[str, str | None, int, bytes | None, str | None] | None] = {
    ("connected", "no row"): ("connected", None, 1, b"blob-new", events.CONNECTED),
    ("connected", "connected"): ("connected", None, 4, b"blob-new", events.CONNECTED),
    ("connected", "degraded"): ("connected", None, 4, b"blob-new", events.CONNECTED),
    ("connected", "needs_reauthorization"): ("connected", None, 4, b"blob-new", events.CONNECTED),
    ("connected", "outcome unknown"): ("connected", None, 4, b"blob-new", events.CONNECTED),
    ("connected", "disconnected"): ("connected", None, 8, b"blob-new", events.CONNECTED),
    ("refreshed", "connected"): ("connected", None, 4, b"blob-new", None),
    ("refreshed", "degraded"): ("connected", None, 4, b"blob-new", events.RECOVERED),
    ("refreshed", "needs_reauthorization"): None,
    ("refreshed", "outcome unknown"): None,
    ("refreshed", "disconnected"): None,
    ("refused", "connected"): ("needs_reauthorization", "refused", 3, b"blob-3", events.REAUTHORIZATION_NEEDED),
    ("refused", "degraded"): ("needs_reauthorization", "refused", 3, b"blob-3", events.REAUTHORIZATION_NEEDED),
    ("refused", "needs_reauthorization"): None,
    ("refused", "outcome unknown"): None,
    ("refused", "disconnected"): None,
    ("failed", "connected"): ("connected", None, 3, b"blob-3", None),
    ("failed", "degraded"): ("connected", None, 3, b"blob-3", None),
    ("failed", "needs_reauthorization"): None,
    ("failed", "outcome unknown"): None,
    ("failed", "disconnected"): None,
    ("rescued", "connected"): ("connected", None, 4, b"blob-new", None),
    ("rescued", "degraded"): ("connected", None, 4, b"blob-new", events.RECOVERED),
    ("rescued", "needs_reauthorization"): None,
    ("rescued", "outcome unknown"): ("connected", None, 4, b"blob-new", events.RECOVERED),
    ("rescued", "disconnected"): None,
    ("announced", "connected"): ("connected", None, 3, b"blob-3", events.REAUTHORIZATION_EXPECTED),
    ("announced", "degraded"): ("connected", None, 3, b"blob-3", events.REAUTHORIZATION_EXPECTED),
    ("announced", "needs_reauthorization"): None,
    ("announced", "outcome unknown"): None,
    ("announced", "disconnected"): None,
    ("rested", "connected"): ("connected", None, 3, b"blob-3", None),
    ("rested", "degraded"): ("connected", None, 3, b"blob-3", None),
    ("rested", "needs_reauthorization"): None,
    ("rested", "outcome unknown"): None,
    ("rested", "disconnected"): None,
    ("disconnected", "connected"): ("disconnected", None, 4, None, events.DISCONNECTED),
    ("disconnected", "degraded"): ("disconnected", None, 4, None, events.DISCONNECTED),
    ("disconnected", "needs_reauthorization"): ("disconnected", None, 4, None, events.DISCONNECTED),
    ("disconnected", "outcome unknown"): ("disconnected", None, 4, None, events.DISCONNECTED),
    ("disconnected", "disconnected"): None,
}


@pytest.mark.parametrize(("fact", "state"), ARROWS, ids=lambda v: v.replace(" ", "_"))
def test_each_fact_meets_each_state(fact: str, state: str) -> None:
    before, expected = STATES[state], ARROWS[fact, state]
    if expected is None:
        with pytest.raises(ValueError, match="cannot change so|not the next ones"):
            FACTS[fact](before)  # type: ignore[arg-type]
        return

    transition = FACTS[fact](before)  # type: ignore[arg-type]

    after = transition.after
    assert (after.state, after.reason, after.generation, after.sealed) == expected[:4]
    assert [event.event for event in transition.events] == ([expected[4]] if expected[4] else [])
    assert transition.before is before
    # What shows no change to anybody moves no `updated_at`.
    assert after.updated_at == (NOW - HOUR if fact in ("failed", "announced", "rested") else NOW)


def test_the_table_is_complete() -> None:
    """Only a first connect may start from nothing; every other pair is in the table."""
    assert set(ARROWS) == {(fact, state) for fact in FACTS for state in STATES if state != "no row" or fact == "connected"}


@pytest.mark.parametrize("fact", ["connected", "refreshed", "refused", "rescued", "disconnected"])
def test_what_ends_a_refresh_gives_back_lease_intent_and_failures(fact: str) -> None:
    after = FACTS[fact](STATES["degraded"]).after  # type: ignore[arg-type]

    assert (after.lease_owner, after.lease_until, after.intent_attempt, after.failures, after.failing_since, after.retry_at, after.hold_until) == (None, None, 0, 0, None, None, None)
    assert (after.degraded_since, after.misconfigured, after.weird_failures, after.weird_since) == (None, False, 0, None)


def test_events_carry_the_generation_and_state_after_the_change() -> None:
    (event,) = FACTS["refused"](connection()).events

    assert (event.subject, event.generation, event.created_at) == ("data_installation_01", 3, NOW)
    assert (event.data["state"], event.data["state_reason"]) == ("needs_reauthorization", "refused")


def test_a_reconnect_replaces_everything_of_the_earlier_grant() -> None:
    transition = lifecycle.connected(
        STATES["connected"], pending().consent, "data_installation_02",
        answer(None, 0, scopes=("read",), identity=ExternalIdentity("acct_2", "Bob", "T2"), token_type="mac"), b"blob-new", policy=Policy(), grant_limit=0, now=NOW,
    )  # fmt: skip

    after = transition.after
    assert (after.id, after.registration_id, after.live_registration_id) == ("data_installation_02", "data_integration_02", "data_integration_02")
    assert (after.scopes_requested, after.scopes_granted, after.config, after.metadata) == (("read", "admin"), ("read",), {"tenant": "south"}, {})
    assert (after.external_account_id, after.external_name, after.external_team, after.token_type) == ("acct_2", "Bob", "T2", "mac")
    assert (after.refreshable, after.expires_at, after.refresh_due_at, after.last_error) == (False, None, None, None)


@pytest.mark.parametrize(
    ("state", "created_at", "display_name"),
    [("no row", NOW, None), ("connected", NOW - 2 * HOUR, "Work"), ("needs_reauthorization", NOW - 2 * HOUR, "Work"), ("disconnected", NOW, None)],
)
def test_a_living_connection_keeps_its_birthday_and_name(state: str, created_at: object, display_name: str | None) -> None:
    after = FACTS["connected"](STATES[state]).after  # type: ignore[arg-type]

    assert (after.created_at, after.display_name, after.connected_at, after.ttl) == (created_at, display_name, NOW, None)


def test_a_new_name_wins_over_the_old() -> None:
    transition = lifecycle.connected(connection(), pending(display_name="Home").consent, "i", answer(), b"", policy=Policy(), grant_limit=0, now=NOW)

    assert transition.after.display_name == "Home"


def test_an_answer_without_scope_granted_what_was_asked() -> None:
    """RFC 6749 5.1."""
    assert FACTS["connected"](connection()).after.scopes_granted == ("read", "admin")
    assert FACTS["refreshed"](connection()).after.scopes_granted == ("read",)
    assert lifecycle.refreshed(connection(), answer(scopes=()), b"", policy=Policy(), now=NOW).after.scopes_granted == ()


def test_a_grant_limit_counts_from_consent_and_survives_refreshes() -> None:
    first = lifecycle.connected(None, pending().consent, "i", answer(), b"", policy=Policy(), grant_limit=86400, now=NOW - HOUR).after

    assert lifecycle.refreshed(first, answer(), b"", policy=Policy(), now=NOW).after.grant_expires_at == NOW - HOUR + timedelta(days=1)


def test_a_refresh_keeps_what_the_answer_does_not_tell() -> None:
    before = connection(refresh_expires_at=NOW + HOUR)

    kept = lifecycle.refreshed(before, answer(), b"", policy=Policy(), now=NOW).after
    told = lifecycle.refreshed(before, answer(refresh_expires_at=NOW + 3 * HOUR, metadata={"instance": "us2", "x": "1"}), b"", policy=Policy(), now=NOW).after

    assert (kept.refresh_expires_at, kept.metadata, kept.last_error) == (NOW + HOUR, {"instance": "eu1"}, None)
    assert (told.refresh_expires_at, told.metadata) == (NOW + 3 * HOUR, {"instance": "us2", "x": "1"})
    assert (kept.external_account_id, kept.config, kept.connected_at, kept.refreshed_at) == ("acct_9", {"tenant": "north"}, NOW - 2 * HOUR, NOW)


def test_a_refresh_reports_an_additional_token_that_failed() -> None:
    assert lifecycle.refreshed(connection(), answer(problems=("user: token_revoked",)), b"", policy=Policy(), now=NOW).after.last_error == "user: token_revoked"


@pytest.mark.parametrize("reason", get_args(lifecycle.Reason))
def test_every_reason_has_a_sentence_that_names_the_provider(reason: lifecycle.Reason) -> None:
    after = lifecycle.refused(connection(refresh_due_at=NOW), reason, "", NOW).after

    assert (after.reason, after.last_error, after.refresh_due_at) == (reason, reason, None)
    assert "Acme" in lifecycle.MESSAGES[reason].format(provider="Acme")


@pytest.mark.parametrize(
    ("in_doubt", "attempt", "kept"),
    [(True, 1, 1), (True, 2, 2), (False, 2, 0)],
    ids=["answer lost", "lost again", "answered: nothing in doubt"],
)
def test_a_failure_keeps_the_intent_only_while_the_token_may_be_spent(in_doubt: bool, attempt: int, kept: int) -> None:
    after = lifecycle.failed(connection(intent_attempt=attempt, lease_owner="w", lease_until=NOW), "x", in_doubt=in_doubt, retry_after=None, now=NOW).after

    assert (after.intent_attempt, after.lease_owner, after.lease_until) == (kept, None, None)


def test_failures_count_and_remember_when_they_began() -> None:
    once = lifecycle.failed(connection(), "http_503", in_doubt=False, retry_after=None, now=NOW).after
    twice = lifecycle.failed(once, "http_502", in_doubt=False, retry_after=None, now=NOW + HOUR).after

    assert (once.failures, once.failing_since, once.last_error) == (1, NOW, "http_503")
    assert (twice.failures, twice.failing_since, twice.last_error) == (2, NOW, "http_502")
    assert twice.refresh_due_at == twice.retry_at is not None


@pytest.mark.parametrize(
    ("retry_after", "hold"),
    [(None, 10), (3, 10), (11, 11), (299, 299), (301, 300), (21600, 300)],
    ids=["none", "less than a hold", "a little more", "1 s below the limit", "1 s over", "hours"],
)
def test_a_fetch_holds_back_for_seconds_while_the_sweep_backs_off_for_longer(retry_after: int | None, hold: int) -> None:
    after = lifecycle.failed(connection(), "x", in_doubt=False, retry_after=retry_after, now=NOW).after

    assert after.hold_until == NOW + timedelta(seconds=hold)
    assert after.retry_at is not None and after.retry_at >= NOW + timedelta(seconds=max(60, retry_after or 0))


def test_a_tombstone_forgets_everything_but_who_and_which_generation() -> None:
    after = lifecycle.disconnected(STATES["connected"], NOW).after  # type: ignore[arg-type]

    kept = {name for name, value in asdict(after).items() if value not in (None, (), {}, False, 0)}
    assert kept == {
        "id",
        "user_id",
        "organization_id",
        "slug",
        "account",
        "registration_id",
        "authority",
        "auth_method",
        "state",
        "generation",
        "token_type",
        "created_at",
        "updated_at",
        "ttl",
        "last_event",
    }
    assert after.ttl == int((NOW + timedelta(days=30)).timestamp())


def test_connection_ids_are_unique_and_sort_by_time() -> None:
    made = [lifecycle.new_connection_id(NOW + timedelta(milliseconds=n)) for n in range(50)]

    assert made == sorted(set(made)) and made[0].startswith("data_installation_")
