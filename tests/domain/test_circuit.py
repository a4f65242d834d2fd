"""How much a provider is asked: every edge of the circuit's picture, and what no sequence of answers can bring about."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import reduce
from operator import add

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain import circuit as circuits
from chalicelib.domain import events
from chalicelib.domain.circuit import Circuit, Tally
from tests.domain.samples import CANARY, NOW

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
CLOSED = Circuit(slug="acme", registration_id="data_integration_01")
OPEN = replace(CLOSED, failures=5, open_until=NOW + MINUTE, last_error="http_503", version=5)
WIDTH = 4

GOOD, BAD, REFUSED = Tally(successes=1), Tally(failures=1, last_error="http_503"), Tally(refusals=1, last_error="invalid_client")
THROTTLED = Tally(throttled=1)


def told(circuit: Circuit, *tallies: Tally, now: datetime = NOW, width: int = WIDTH) -> tuple[Circuit, list[events.Event]]:
    """The circuit after all of these, each stored, and every event on the way."""
    heard: list[events.Event] = []
    for tally in tallies:
        circuit, new = circuits.after(circuit, tally, "data_integration_01", width, now)
        heard += new
    return circuit, heard


# closed, open, probing

RUNS: dict[str, tuple[Circuit, list[Tally], str]] = {
    "a success": (CLOSED, [GOOD], "all"),
    "four failures": (CLOSED, [BAD] * 4, "all"),
    "five failures": (CLOSED, [BAD] * 5, "none"),
    "five in one message": (CLOSED, [Tally(failures=5)], "none"),
    "four, a success, four more": (CLOSED, [BAD] * 4 + [GOOD] + [BAD] * 4, "all"),
    "four, a success, five more": (CLOSED, [BAD] * 4 + [GOOD] + [BAD] * 5, "none"),
    "twenty failures and a success in one message": (CLOSED, [Tally(successes=1, failures=20)], "all"),
    "our client refused twice": (CLOSED, [REFUSED] * 2, "all"),
    "our client refused three times": (CLOSED, [REFUSED] * 3, "none"),
    "refused twice, a success, refused twice": (CLOSED, [REFUSED] * 2 + [GOOD] + [REFUSED] * 2, "all"),
    "refusals and failures are counted apart": (CLOSED, [REFUSED] * 2 + [BAD] * 4, "all"),
    "open, and what was on its way fails too": (OPEN, [BAD], "none"),
    "open, and what was on its way succeeds": (OPEN, [GOOD], "all"),
    "a dead grant is a healthy provider's word": (OPEN, [Tally(successes=1)], "all"),
}


@pytest.mark.parametrize(("before", "tallies", "admission"), RUNS.values(), ids=RUNS)
def test_what_a_run_of_answers_makes_of_it(before: Circuit, tallies: list[Tally], admission: str) -> None:
    after, _ = told(before, *tallies)

    assert circuits.admission(after, NOW) == circuits.fetch_admission(after, NOW) == admission


AT = {
    "as it opens": (timedelta(), "none"),
    "1 s before its minute is over": (59 * SECOND, "none"),
    "when its minute is over": (MINUTE, "probe"),
    "1 s after": (61 * SECOND, "probe"),
}


@pytest.mark.parametrize(("later", "admission"), AT.values(), ids=AT)
def test_an_open_circuit_is_probed_after_a_minute(later: timedelta, admission: str) -> None:
    after, _ = told(CLOSED, *[BAD] * 5)

    assert circuits.admission(after, NOW + later) == circuits.fetch_admission(after, NOW + later) == admission


def test_a_claimed_probe_keeps_everybody_else_out_for_a_minute() -> None:
    claimed = circuits.probing(OPEN, NOW + MINUTE)

    assert (claimed.open_until, claimed.version, claimed.failures) == (NOW + 2 * MINUTE, 6, 5)
    assert circuits.admission(claimed, NOW + MINUTE) == "none" and circuits.admission(claimed, NOW + 2 * MINUTE) == "probe"


@pytest.mark.parametrize("outcome", [BAD, REFUSED, THROTTLED], ids=["fails", "is refused", "is throttled"])
def test_a_probe_that_comes_to_nothing_keeps_it_open_for_another_minute(outcome: Tally) -> None:
    at = NOW + MINUTE
    after, heard = told(circuits.probing(OPEN, at), outcome, now=at + SECOND)

    assert after.open_until == at + SECOND + MINUTE and heard == []
    assert circuits.fetch_admission(after, at + MINUTE) == "none"


def test_a_probe_that_succeeds_closes_it_as_if_nothing_had_been() -> None:
    after, heard = told(circuits.probing(OPEN, NOW + MINUTE), GOOD, now=NOW + MINUTE)

    assert after == replace(CLOSED, version=7) and heard == []


# our own client is refused


def test_the_third_refusal_is_told_once_and_names_the_word() -> None:
    after, heard = told(CLOSED, *[REFUSED] * 7)

    assert [event.event for event in heard] == [events.MISCONFIGURED]
    assert (heard[0].subject, heard[0].id, heard[0].previous, heard[0].data["error_code"]) == ("data_integration_01", after.last_event, None, "invalid_client")
    assert (after.misconfigured_since, after.refusals, after.version) == (NOW, 7, 7)


def test_refused_again_after_it_was_mended_is_told_again_and_names_the_one_before() -> None:
    once, first = told(CLOSED, *[REFUSED] * 3)
    mended, _ = told(once, GOOD)
    again, second = told(mended, *[REFUSED] * 3, now=NOW - MINUTE)  # by a clock that is behind

    assert (mended.misconfigured_since, mended.open_until, mended.last_error) == (None, None, None)
    assert len(second) == 1 and second[0].previous == first[0].id < second[0].id == again.last_event


@pytest.mark.parametrize(
    ("tallies", "code"), [([Tally(refusals=3)], "refused"), ([BAD, Tally(refusals=3)], "http_503"), ([Tally(refusals=2, last_error="a"), Tally(refusals=1, last_error="b")], "b")],
    ids=["no word", "an older word", "the latest word"],
)  # fmt: skip
def test_the_word_of_a_misconfiguration(tallies: list[Tally], code: str) -> None:
    _, (event,) = told(CLOSED, *tallies)

    assert event.data["error_code"] == code


def test_an_outage_of_five_is_no_misconfiguration() -> None:
    after, heard = told(CLOSED, *[BAD] * 9)

    assert heard == [] and after.misconfigured_since is None and after.last_error == "http_503"


# throttled

PAUSES = {
    "no Retry-After": (None, 10),
    "zero": (0, 10),
    "1 s less than the least": (9, 10),
    "the least": (10, 10),
    "1 s more": (11, 11),
    "the most": (900, 900),
    "1 s more than the most": (901, 900),
    "a year": (365 * 86400, 900),
}


@pytest.mark.parametrize(("retry_after", "seconds"), PAUSES.values(), ids=PAUSES)
def test_a_provider_that_throttles_is_left_alone_for_as_long_as_it_says(retry_after: int | None, seconds: int) -> None:
    after, heard = told(CLOSED, Tally(throttled=1, retry_after=retry_after))

    until = NOW + timedelta(seconds=seconds)
    assert (after.paused_until, after.narrowed_to, after.open_until, heard) == (until, 1, None, [])
    assert (circuits.admission(after, until - SECOND), circuits.admission(after, until)) == ("none", "all")


def test_a_person_who_waits_is_not_held_by_a_pause_but_by_an_open_circuit() -> None:
    paused, _ = told(CLOSED, Tally(throttled=1, retry_after=60))
    both = replace(paused, open_until=NOW + SECOND)

    assert (circuits.admission(paused, NOW), circuits.fetch_admission(paused, NOW)) == ("none", "all")
    assert (circuits.admission(both, NOW), circuits.fetch_admission(both, NOW)) == ("none", "none")
    assert (circuits.admission(both, NOW + SECOND), circuits.fetch_admission(both, NOW + SECOND)) == ("none", "probe")


@pytest.mark.parametrize(("width", "steps"), [(4, [1, 2, 3, None, None]), (2, [1, None]), (1, [1, None])], ids=["four", "two", "one"])
def test_what_was_narrowed_widens_by_one_with_each_message_that_went_through(width: int, steps: list[int | None]) -> None:
    after, found = told(CLOSED, THROTTLED, width=width)[0], []
    for _ in steps:
        found.append(after.narrowed_to)
        after, _ = told(after, GOOD, width=width)

    assert found == steps and after.paused_until is None


def test_throttled_again_half_way_it_begins_anew() -> None:
    after, _ = told(CLOSED, THROTTLED, GOOD, GOOD, THROTTLED)

    assert (after.narrowed_to, after.paused_until) == (1, NOW + 10 * SECOND)


def test_one_throttled_user_among_many_does_not_pause_the_others() -> None:
    assert told(CLOSED, Tally(successes=19, throttled=1, retry_after=600))[0] is CLOSED


# arithmetic, and what is not worth a write

MAJORITY = {
    "none": (Tally(successes=3), False),
    "nothing at all": (Tally(), False),
    "one of one": (Tally(throttled=1), True),
    "half": (Tally(successes=1, failures=1, refusals=1, throttled=3), True),
    "one less than half": (Tally(successes=2, failures=1, throttled=2), False),
}


@pytest.mark.parametrize(("tally", "throttled"), MAJORITY.values(), ids=MAJORITY)
def test_throttled_is_half_of_what_was_asked(tally: Tally, throttled: bool) -> None:
    assert tally.is_throttled is throttled


COUNTS = st.integers(0, 20)
TALLIES = st.builds(Tally, COUNTS, COUNTS, COUNTS, COUNTS, st.none() | st.integers(-1, 10**9), st.none() | st.sampled_from(["http_503", "invalid_client"]))


def test_tallies_add_up_with_the_longest_wait_and_the_latest_word() -> None:
    assert Tally(1, 2, 3, 4, 10, "a") + Tally(10, 20, 30, 40, 7, "b") == Tally(11, 22, 33, 44, 10, "b")
    assert Tally(retry_after=None, last_error="a") + Tally(retry_after=7) == Tally(retry_after=7, last_error="a")


@given(TALLIES, TALLIES, TALLIES)
def test_it_does_not_matter_which_tallies_are_added_first(one: Tally, two: Tally, three: Tally) -> None:
    assert (one + two) + three == one + (two + three)
    assert one.retry_after == 0 or one + Tally() == Tally() + one == one


SAME: dict[str, tuple[Circuit, Tally]] = {
    "a success of a healthy provider": (CLOSED, GOOD),
    "of one that no row tells of": (Circuit(slug="acme"), GOOD),
    "of one that was made anew": (replace(CLOSED, registration_id="data_integration_00"), GOOD),
    "nothing happened": (CLOSED, Tally()),
    "nothing happened, after a failure": (replace(CLOSED, failures=1, last_error="x", version=1), Tally()),
}


@pytest.mark.parametrize(("before", "tally"), SAME.values(), ids=SAME)
def test_what_changes_nothing_is_the_very_same_circuit(before: Circuit, tally: Tally) -> None:
    after, heard = circuits.after(before, tally, "data_integration_01", WIDTH, NOW)

    assert after is before and heard == ()


def test_every_change_is_a_version_and_takes_the_registration_along() -> None:
    after, _ = circuits.after(Circuit(slug="acme"), BAD, "data_integration_01", WIDTH, NOW)

    assert (after.version, after.registration_id, after.failures) == (1, "data_integration_01", 1)


STEPS = st.lists(st.tuples(TALLIES, st.integers(-60, 3600), st.booleans()), max_size=12)


@given(STEPS, st.integers(1, 5))
def test_no_sequence_of_answers_breaks_it(steps: list[tuple[Tally, int, bool]], width: int) -> None:
    circuit, now, heard = CLOSED, NOW, list[events.Event]()
    for tally, seconds, probes in steps:
        now += timedelta(seconds=seconds)
        if probes and circuits.admission(circuit, now) == "probe":
            circuit = circuits.probing(circuit, now)
        before = circuit
        circuit, new = circuits.after(before, tally, "data_integration_01", width, now)
        heard += new
        assert circuit is before or circuit.version == before.version + 1
        assert circuit.narrowed_to is None or 1 <= circuit.narrowed_to <= max(1, width - 1)
        assert circuit.open_until is None or circuit.open_until <= max(now, before.open_until or now) + MINUTE
        assert (circuit.misconfigured_since is None) or circuit.open_until is not None
        assert not tally.successes or (circuit.open_until, circuit.failures, circuit.refusals) == (None, 0, 0)
        assert len(new) == (before.misconfigured_since is None and circuit.misconfigured_since is not None)
    assert [event.id for event in heard] == sorted({event.id for event in heard})
    assert [event.previous for event in heard] == [None, *(event.id for event in heard)][: len(heard)]


@given(st.lists(TALLIES, max_size=8))
def test_threads_of_a_message_tell_the_same_in_any_order(tallies: list[Tally]) -> None:
    forward, backward = (reduce(add, order, Tally()) for order in (tallies, tallies[::-1]))

    assert replace(forward, last_error=None) == replace(backward, last_error=None)


def test_an_event_of_a_misconfiguration_holds_no_secret() -> None:
    _, (event,) = told(replace(CLOSED, write_id=CANARY), *[REFUSED] * 3)

    assert CANARY not in repr(event) and set(event.data) == {"object", "data_integration_id", "provider_slug", "error_code", "message", "created_at"}
