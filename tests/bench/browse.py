"""What a page of the dashboard's list of connections costs among ten thousand connections and among a hundred thousand: calls, bytes, our own CPU."""

import time
from collections import Counter
from dataclasses import dataclass
from statistics import median
from unittest.mock import patch

from botocore.config import Config

from chalicelib.domain.models import Registration
from chalicelib.engine.dashboard_connections import PAGE, Filter
from chalicelib.wiring import doors
from tests.bench import rows
from tests.bench.watched import Call, Watched
from tests.cloud import Stage

ROUNDS = 3
NONE_OF_THEM = Filter(state="needs_reauthorization")


@dataclass(frozen=True)
class Page:
    """One page: how many connections are on it, and what they took."""

    shown: int
    calls: dict[str, int]
    size: int
    cpu: float

    def line(self, what: str) -> str:
        calls = ", ".join(f"{name} {number}" for name, number in sorted(self.calls.items()))
        return f"{what}: {self.shown} shown, {calls}, {self.size:,} bytes, {self.cpu * 1000:.1f} ms of CPU"


def measure(stages: dict[int, Stage]) -> list[str]:
    """A page in the middle of the list, and one of a filter that nothing passes, of stages that are filled."""
    told = []
    for size, stage in stages.items():
        engine = _patient(stage)
        if engine.store.registration(rows.SLUG) is None:
            now = engine.now()
            engine.store.save_registration(Registration(id=rows.REGISTRATION_ID, slug=rows.SLUG, created_at=now, updated_at=now), expected_version=None)
        cursor = engine.dashboard_connections.search(Filter()).cursor
        told.append(_page(engine, Filter(), cursor).line(f"dashboard, a page of {size:,} connections"))
        told.append(_page(engine, NONE_OF_THEM, cursor).line(f"dashboard, a page of {size:,} with a filter that nothing passes"))
    return told


def _patient(stage: Stage) -> Watched:
    """The embedded AWS sorts the whole of an index for each query, which takes it longer than our clients wait; DynamoDB does not."""
    engine = Watched(stage)
    with patch.object(doors, "AWS_CONFIG", doors.AWS_CONFIG.merge(Config(read_timeout=120))):
        assert engine.dynamodb and engine.store and engine.pages
    return engine


def _page(engine: Watched, wanted: Filter, cursor: str | None) -> Page:
    engine.calls = calls = list[Call]()
    found = engine.dashboard_connections.search(wanted, cursor)
    engine.calls = None
    assert len(found.connections) in (0, PAGE) and found.cursor is not None
    taken = []
    for _ in range(ROUNDS):
        cpu = time.process_time()
        engine.dashboard_connections.search(wanted, cursor)
        taken.append(time.process_time() - cpu)
    return Page(len(found.connections), dict(Counter(call.name for call in calls)), sum(call.size for call in calls), median(taken))
