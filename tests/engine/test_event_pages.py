"""GET /events, below HTTP: pages of a real log are whole and without repeats, whatever is asked for, and hold nothing that has not settled."""

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.domain import events
from chalicelib.domain.events import Event
from chalicelib.doors import keys
from chalicelib.doors.event_log import EventLog
from chalicelib.doors.outbox import rows_of
from chalicelib.engine.event_pages import SETTLE, EventPages, Filter, Page
from tests.cloud import Cloud
from tests.domain.webhook_samples import event

NOW = datetime(2026, 3, 10, 12, 0, 0, tzinfo=UTC)
DAY = timedelta(days=1)
TYPES = (events.CONNECTED, events.DISCONNECTED, events.REAUTHORIZATION_NEEDED)
ORGANIZATIONS = ("org_1", "org_2", None)


class Log:
    """Ninety events of five days and one old one, some of the same millisecond, in a table of their own."""

    def __init__(self, cloud: Cloud) -> None:
        engine, chance = cloud.stage().engine(), random.Random(7)
        times = [NOW - timedelta(days=4) * chance.random() ** 2 - timedelta(seconds=10) for _ in range(80)]
        times += [times[0]] * 8 + [NOW - 29 * DAY, datetime(2026, 3, 9, 0, 0, tzinfo=UTC)]
        self.table = engine.table
        self.events = sorted((event(at.replace(microsecond=0), chance.choice(TYPES), chance.choice(ORGANIZATIONS), f"c{chance.randrange(9)}") for at in times), key=lambda each: each.id)
        for each in self.events:
            self.put(each)
        self.log = EventLog(engine.table)
        self.pages = EventPages(self.log, lambda: NOW)

    def put(self, told: Event) -> None:
        for row in rows_of(told):
            self.table.put({"pk": row["pk"], "sk": row["sk"]}, row)

    def page(self, wanted: Filter | None = None, *, limit: int = 10, order: str = "asc", after: str | None = None, before: str | None = None, seconds: float = 29.0) -> Page:
        return self.pages.page(wanted or Filter(), limit=limit, ascending=order == "asc", after=after, before=before, seconds_left=lambda: seconds)


@pytest.fixture(scope="module")
def log(cloud: Cloud) -> Log:
    return Log(cloud)


filters = st.builds(
    Filter,
    types=st.one_of(st.none(), st.frozensets(st.sampled_from(TYPES), min_size=1)),
    organizations=st.sampled_from([(), ("org_1",), ("org_2",), ("org_1", "org_2")]),
    since=st.one_of(st.none(), st.integers(0, 96).map(lambda hours: NOW - timedelta(hours=hours))),
    until=st.one_of(st.none(), st.integers(0, 96).map(lambda hours: NOW - timedelta(hours=hours))),
)
quick = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quick
@given(wanted=filters, limit=st.sampled_from([1, 3, 10, 17, 100]), order=st.sampled_from(["asc", "desc"]))
def test_all_pages_together_are_what_was_told_each_once_in_order(log: Log, wanted: Filter, limit: int, order: str) -> None:
    expected = [each for each in log.events if wanted.takes(each)]
    expected = expected if order == "asc" else expected[::-1]
    found, page = list[Event](), log.page(wanted, limit=limit, order=order)
    while True:
        assert len(page.events) <= limit
        found += page.events
        if page.after is None:
            break
        page = log.page(wanted, limit=limit, order=order, after=page.after)

    assert [each.id for each in found] == [each.id for each in expected] and found == expected


@quick
@given(data=st.data(), wanted=filters, limit=st.sampled_from([1, 4, 50]), order=st.sampled_from(["asc", "desc"]))
def test_a_cursor_is_a_place_from_which_one_reads_both_ways(log: Log, data: Any, wanted: Filter, limit: int, order: str) -> None:
    place = data.draw(st.sampled_from(log.events)).id
    ahead = [each for each in log.events if wanted.takes(each) and each.id > place]
    behind = [each for each in log.events if wanted.takes(each) and each.id < place]
    following, preceding = (ahead, behind) if order == "asc" else (behind[::-1], ahead[::-1])

    assert log.page(wanted, limit=limit, order=order, after=place).events == following[:limit]
    page = log.page(wanted, limit=limit, order=order, before=place)
    assert page.events == preceding[-limit:]
    assert (page.before is None) == (len(preceding) <= limit)


def test_going_on_and_back_again_leads_to_the_same_page(log: Log) -> None:
    first = log.page(limit=7)
    second = log.page(limit=7, after=first.after)

    assert first.before is None and second.before == second.events[0].id
    assert log.page(limit=7, before=second.before).events == first.events
    last = log.page(limit=100, order="desc")
    assert last.events == log.events[::-1] and (last.before, last.after) == (None, None)


def test_a_cursor_of_an_event_that_is_not_kept_any_more_is_still_a_place(log: Log) -> None:
    gone = events.new_id(NOW - 2 * DAY, None)
    expected = [each for each in log.events if each.id > gone]

    assert log.page(limit=100, after=gone).events == expected
    assert log.page(limit=1, after=events.new_id(NOW - 400 * DAY, None)).events == log.events[:1]
    assert log.page(limit=1, after=events.new_id(NOW + 400 * DAY, None)) == Page([], None, None)


def test_what_has_not_settled_is_not_told_yet_and_is_never_behind_a_cursor(cloud: Cloud) -> None:
    """A reader follows `after` while writers whose clocks differ, or whose writes take a moment, put rows in another order than their ids have."""
    here, clock = Log(cloud), [NOW]
    pages = EventPages(here.log, lambda: clock[0])
    cursor, read, chance = here.events[-1].id, list[str](), random.Random(3)
    written = list[str]()
    late = list[tuple[datetime, Event]]()  # when it gets into the table, and what
    for number in range(200):
        clock[0] = NOW + timedelta(milliseconds=100 * number)
        made = event(clock[0] + timedelta(seconds=chance.uniform(-1, 1)))
        late.append((clock[0] + timedelta(seconds=chance.uniform(0, 3.5)), made))
        for at, each in [entry for entry in late if entry[0] <= clock[0]]:
            here.put(each)
            written.append(each.id)
            late.remove((at, each))
        if number % 10 == 0:
            page = pages.page(Filter(), limit=100, ascending=True, after=cursor, before=None, seconds_left=lambda: 29.0)
            read += [each.id for each in page.events]
            cursor = read[-1] if read else cursor
            assert all(events.told_at(each) < clock[0] - SETTLE for each in read)
    clock[0] += timedelta(minutes=1)
    while True:
        page = pages.page(Filter(), limit=100, ascending=True, after=cursor, before=None, seconds_left=lambda: 29.0)
        read += [each.id for each in page.events]
        if page.after is None:
            break
        cursor = page.after

    assert read == sorted(written) and all(one < other for one, other in pairwise(read))


def test_a_search_for_little_in_much_ends_in_time_and_goes_on_where_it_stopped(log: Log) -> None:
    left = [20.0]

    def seconds_left() -> float:
        left[0] -= 1.0
        return left[0]

    rare = Filter(organizations=("nobody",))
    page = log.pages.page(rare, limit=10, ascending=True, after=None, before=None, seconds_left=seconds_left)
    assert page.events == [] and page.after == log.events[14].id
    left[0] = 200.0
    assert log.pages.page(rare, limit=10, ascending=True, after=page.after, before=None, seconds_left=seconds_left) == Page([], None, None)
    left[0] = 20.0
    back = log.pages.page(rare, limit=10, ascending=True, after=None, before=log.events[60].id, seconds_left=seconds_left)
    assert back.events == [] and back.before == log.events[60 - 15].id and back.after is None


def test_a_short_page_reads_little_of_a_long_day(cloud: Cloud) -> None:
    """Or a follower would pay for a megabyte of each part every time."""
    here, asked = Log(cloud), list[dict[str, Any]]()
    query = here.table.query

    def counted(condition: str, values: dict[str, Any], **more: Any) -> Any:
        asked.append({**values, **more})
        return query(condition, values, **more)

    here.table.query = counted  # type: ignore[method-assign]
    here.page(limit=10, after=events.first_id(NOW - timedelta(hours=1)) + "0" * 16)
    assert len(asked) == keys.LOG_SHARDS and {each["page_size"] for each in asked} == {7}


def test_a_row_that_cannot_be_read_is_said_and_passed_over(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    here = Log(cloud)
    broken = here.events[5]
    row = rows_of(broken)[2]
    here.table.put({"pk": row["pk"], "sk": row["sk"]}, {**row, "generation": "x"})

    assert here.page(limit=100).events == [each for each in here.events if each != broken]
    assert '"event":"damaged_row"' in capsys.readouterr().out
