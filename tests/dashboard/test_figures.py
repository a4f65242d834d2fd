"""The overview's figures: counted where somebody comes by anyway, exact where they can be, and never in anybody's way."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain.errors import Unavailable
from chalicelib.doors import keys
from chalicelib.engine import repair as repair_module
from chalicelib.engine.dashboard_costs import estimate
from chalicelib.engine.messages import RefreshMessage
from tests.bench.scale import Load, total
from tests.dashboard.conftest import Administrator
from tests.dashboard.test_connections import filled
from tests.engine.scenes import EXPIRED, SLUG
from tests.peers import faults
from tests.web.people import Site, somebody


@pytest.mark.parametrize("mode", ["bound", "shared"])
@pytest.mark.parametrize("connections", [1, 10_000, 1_000_000, 100_000_000])
def test_the_estimate_is_the_arithmetic_of_the_page_on_scale(connections: int, mode: str) -> None:
    assert estimate(connections, mode, 16).total == pytest.approx(total(Load(connections, mode)))


def test_an_estimates_parts_add_up_to_it() -> None:
    found = estimate(12_345, "bound", 16)
    assert sum(dollars for _, dollars in found.parts) == pytest.approx(found.total)


def work(site: Site, *users: str) -> None:
    """What a worker does with a message about these users' connections."""
    from chalicelib.domain.models import Owner

    message = RefreshMessage(SLUG, tuple(keys.connection(Owner(user_id=user), SLUG) for user in users))
    site.engine.worker.handle(message.body(), lambda: 100.0)


def counted(olga: Administrator) -> dict[str, int]:
    counts: dict[str, int] = {}
    for hour in olga.get("/overview")["refreshes"]:
        for line, count in hour["providers"].get(SLUG, {}).items():
            counts[line] = counts.get(line, 0) + count
    return counts


def test_the_worker_counts_what_came_of_a_message_in_its_hour(at_django: Site, olga: Administrator) -> None:
    users = [somebody() for _ in range(3)]
    for user in users:
        at_django.connected(user)
    at_django.clock.ahead += EXPIRED
    at_django.at_peer.fault(faults.status(400, {"error": "invalid_grant"}))
    work(at_django, *users)
    assert counted(olga) == {"refreshed": 2, "ended": 1}
    shown = olga.get("/overview")["refreshes"]
    assert len(shown) == 24 * 7 and shown[-1]["providers"][SLUG] == {"refreshed": 2, "ended": 1}
    work(at_django, *users)
    assert counted(olga) == {"refreshed": 2, "ended": 1}, "nothing was due any more"


def test_a_count_that_cannot_be_written_costs_nobody_a_refresh(at_django: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    user = somebody()
    at_django.connected(user)
    at_django.clock.ahead += EXPIRED

    def refuse(*_: Any) -> None:
        raise Unavailable("The table did not answer.")

    monkeypatch.setattr(at_django.engine.pages, "add", refuse)
    work(at_django, user)
    assert at_django.works(user)


def test_the_repair_pass_counts_each_connection_once_over_many_wakings(site: Site, olga: Administrator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repair_module, "PAGE", 7)
    monkeypatch.setattr(repair_module, "PAGES_BETWEEN_NOTES", 2)
    for slug, count in (("github", 40), ("google", 25)):
        olga.done("POST", f"/providers/{slug}")
        filled(site, slug, count, state=lambda number: "needs_reauthorization" if number % 5 == 0 else "connected")
    engine = site.engine
    for _ in range(100):
        left = iter([100.0, 100.0, 100.0, 0.0])
        progress = engine.repair.run(lambda: next(left, 0.0))
        assert progress is not None
        if progress.cursor is None:
            break
    census = engine.figures.census()
    assert census is not None
    assert {slug: {name: count for name, count in counts.items() if name in ("connected", "needs_reauthorization")} for slug, counts in census["counts"].items()} == {
        "github": {"connected": 32, "needs_reauthorization": 8},
        "google": {"connected": 20, "needs_reauthorization": 5},
    }


def test_a_stretch_that_is_repeated_after_a_crash_counts_once(site: Site, olga: Administrator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repair_module, "PAGE", 7)
    olga.done("POST", "/providers/github")
    filled(site, "github", 30)
    engine = site.engine

    def die(*_: Any) -> None:
        raise Unavailable("gone before it noted how far it got")

    with monkeypatch.context() as patch:
        patch.setattr(engine.agenda, "note_repair_progress", die)
        left = iter([100.0, 100.0, 100.0, 0.0])
        with pytest.raises(Unavailable):
            engine.repair.run(lambda: next(left, 0.0))
    assert engine.repair.run(lambda: 100.0).cursor is None
    census = engine.figures.census()
    assert census is not None and census["counts"]["github"]["connected"] == 30


def test_a_small_stage_is_counted_on_the_spot(at_django: Site, olga: Administrator) -> None:
    users = [somebody() for _ in range(2)]
    for user in users:
        at_django.connected(user)
    shown = olga.get("/overview")["connections"]
    assert (shown["counts"][SLUG]["connected"], shown["as_of"], shown["whole"]) == (2, None, True)


def test_a_large_stage_shows_its_last_whole_count(site: Site, olga: Administrator) -> None:
    olga.done("POST", "/providers/github")
    filled(site, "github", 201)
    assert olga.get("/overview")["connections"]["whole"] is False
    site.engine.repair.run(lambda: 100.0)
    shown = olga.get("/overview")["connections"]
    assert shown["counts"]["github"]["connected"] == 201 and shown["as_of"] is not None


def texts(olga: Administrator) -> str:
    return json.dumps([each["text"] for each in olga.get("/overview")["attention"]])


def test_what_wants_attention_is_said_and_where_to_go(at_django: Site, olga: Administrator) -> None:
    quiet = texts(olga)
    assert "credentials" not in quiet and "waited" not in quiet
    users = [somebody() for _ in range(3)]
    for user in users:
        at_django.connected(user)
    at_django.clock.ahead += EXPIRED
    at_django.at_peer.fault(faults.status(401, {"error": "invalid_client"}), times=6)
    work(at_django, *users)
    attention = olga.get("/overview")["attention"]
    assert attention[0]["severity"] == "bad" and "refuses this application's own credentials" in attention[0]["text"]
    assert (attention[0]["slug"], attention[0]["page"]) == (SLUG, "providers")


def test_events_that_wait_and_a_clock_that_stands_are_said(site: Site, olga: Administrator) -> None:
    from chalicelib.doors.agenda import Progress

    site.engine.agenda.note_progress(Progress(swept_until=datetime.now(UTC) - timedelta(minutes=30)))
    row = {"pk": keys.outbox_partition(3), "sk": "event_0", "created_at": (datetime.now(UTC) - timedelta(minutes=20)).isoformat()}
    site.engine.dynamodb.put_item(TableName=site.stage.table, Item={name: {"S": value} for name, value in row.items()})
    said = texts(olga)
    assert "The sweep has not run to its end" in said and "Events have waited 20 minutes" in said


def test_an_enabled_provider_without_credentials_is_said(open_site: Any, enter: Any) -> None:
    site = open_site()
    olga = enter(site)
    custom = {"name": "Ours", "authorization_url": "https://id.example.com/authorize", "token_url": "https://id.example.com/token"}
    olga.done("PUT", "/providers/ours", {"custom_provider": custom, "enabled": True})
    assert "Ours is enabled and has no credentials" in texts(olga)
