"""What the sweep pays to find who is due: a thousand due among ten thousand connections, and a thousand among a hundred thousand.

The truth is in the calls: how many, how many pages, entries and bytes, and what DynamoDB charges for those. Our own CPU is measured; the
time on the wall is not, because the embedded AWS sorts the whole part of an index for each query, which DynamoDB does not.
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from datetime import timedelta
from math import ceil
from typing import Any

from chalicelib.domain import ids
from chalicelib.domain.events import timestamp
from chalicelib.doors import keys
from tests.bench import browse, rows
from tests.bench.provider import tokens_of
from tests.bench.table import Row
from tests.bench.watched import Call, Watched
from tests.cloud import Stage

ROUNDS = 15
DUE = 1_000
SMALL, LARGE = 10_000, 100_000
MANY = 50_000  # due at once, to see how fast one sweep sends
BATCH = 25  # DynamoDB's own limit
FILLERS = 4
SECONDS_LEFT = 55.0
INDEX_READ_BYTES = 4096  # half a unit each, because the index is read eventually consistent


@dataclass(frozen=True)
class Cost:
    """Of one reading of the due index."""

    queries: int
    entries: int
    size: int
    units: float


@dataclass(frozen=True)
class Rate:
    """What was looked at or sent by one run: the calls, seconds of our own CPU, and seconds on the wall of the emulator."""

    count: int
    calls: dict[str, int]
    cpu: float
    wall: float

    def line(self, what: str) -> str:
        calls = ", ".join(f"{name} {number}" for name, number in self.calls.items())
        return f"{what}: {self.count:,} in {self.cpu:.2f} s of CPU, {self.count / self.cpu:,.0f} a second of a core; {self.wall:.1f} s with the embedded AWS; {calls}"


@dataclass(frozen=True)
class Told:
    costs: dict[int, Cost]
    swept: Rate
    repaired: Rate
    browsed: list[str]

    def lines(self) -> list[str]:
        read = [f"due among {size:,}: {cost.queries} queries, {cost.entries:,} entries, {cost.size:,} bytes, {cost.units:g} read units" for size, cost in self.costs.items()]
        return [*read, self.swept.line("keys sent by one sweep"), self.repaired.line("rows looked at by the repair pass"), *self.browsed]


def measure(small: Stage, large: Stage, *, rounds: int = ROUNDS) -> tuple[list[Row], Told]:
    """`ours` is the large table and `floor` the small one, in CPU seconds of one reading and of one whole sweep."""
    sizes = {SMALL: Watched(small), LARGE: Watched(large)}
    for size, engine in sizes.items():
        _fill(engine, size)
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):  # the sweep writes its journal as it always does
        costs = {size: _cost(engine) for size, engine in sizes.items()}
        found = [_compared("due index", sizes, _read, rounds), _compared("sweep", sizes, _sweep, rounds)]
        sizes[LARGE].ahead = _ahead_for(MANY, LARGE)
        told = Told(costs, _rate(sizes[LARGE], _sweep), _rate(sizes[SMALL], _repair), browse.measure({SMALL: small, LARGE: large}))
    return found, told


def _compared(what: str, sizes: dict[int, Watched], work: Callable[[Watched], int], rounds: int) -> Row:
    taken: dict[int, list[float]] = {size: [] for size in sizes}
    for number in range(rounds + 2):
        for size in sizes if number % 2 else reversed(sizes):
            _emptied(sizes[size])
            cpu = time.process_time()
            found = work(sizes[size])
            taken[size].append(time.process_time() - cpu)
            if found != DUE:
                sys.exit(f"{what}: {found} of {DUE} were found among {size}")
    return Row(f"{what}, of {LARGE:,} and {SMALL:,}", "cpu", taken[LARGE][2:], taken[SMALL][2:], 1.1)


def _read(engine: Watched) -> int:
    now = engine.now()
    return sum(1 for shard in range(engine.agenda.shards) for _ in engine.agenda.due(shard, now))


def _sweep(engine: Watched) -> int:
    return engine.sweep.run(lambda: SECONDS_LEFT).due


def _emptied(engine: Watched) -> None:
    """An empty queue: the sweep looks at everything that is due and not at what is new."""
    engine.sqs.purge_queue(QueueUrl=engine.settings.refresh_queue_url)


def _cost(engine: Watched) -> Cost:
    engine.calls = calls = list[Call]()
    _read(engine)
    engine.calls = None
    if any(call.name != "Query" or call.request.get("IndexName") != "due" or "FilterExpression" in call.request for call in calls):
        sys.exit("the due index is read by something else than plain queries of it")
    pages = [[rows.item_bytes(entry) for entry in call.answer["Items"]] for call in calls]
    return Cost(len(calls), sum(map(len, pages)), sum(map(sum, pages)), sum(max(1, ceil(sum(page) / INDEX_READ_BYTES)) / 2 for page in pages))


def _repair(engine: Watched) -> int:
    passed = engine.repair.run(lambda: SECONDS_LEFT * 10, anyway=True)
    return passed.looked_at if passed else 0


def _rate(engine: Watched, work: Callable[[Watched], int]) -> Rate:
    """One run by the clock, and one more whose calls are counted."""
    _emptied(engine)
    cpu, wall = time.process_time(), time.perf_counter()
    done = work(engine)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    _emptied(engine)
    engine.calls = calls = list[Call]()
    work(engine)
    engine.calls = None
    return Rate(done, dict(Counter(call.name for call in calls)), cpu, wall)


def _ahead_for(count: int, size: int) -> timedelta:
    """How far the clock goes on until so many are due."""
    return timedelta(days=30) * (count - DUE) / (size - DUE) + timedelta(seconds=30)


def _fill(engine: Watched, size: int) -> None:
    """The first thousand are due; the others come due one after the other within thirty days."""
    now = engine.now()
    first = rows.sealed(engine.sealer, rows.connection(rows.owner(0), now, now), tokens_of("due", 1))
    pattern = rows.item(first, engine.settings.due_shards)

    def one(number: int) -> dict[str, Any]:
        whose, since = rows.owner(number), now - timedelta(hours=1)
        due_at = since + timedelta(seconds=number) if number < DUE else now + timedelta(minutes=5) + timedelta(days=30) * (number - DUE) / (size - DUE)
        named = replace(first, id=f"data_installation_{ids.ulid(now)}", user_id=whose.user_id, refresh_due_at=due_at)
        moved = {**keys.connection(whose, rows.SLUG), "id": named.id, "user_id": whose.user_id, "due_shard": keys.due_shard(named.id, engine.settings.due_shards), "refresh_due_at": timestamp(due_at)}
        return {**pattern, **{name: {"S": value} for name, value in moved.items()}}

    def put(batch: list[dict[str, Any]]) -> None:
        answer = engine.dynamodb.batch_write_item(RequestItems={engine.settings.table: [{"PutRequest": {"Item": row}} for row in batch]})
        if answer["UnprocessedItems"]:
            sys.exit("the table did not take the rows to measure with")

    with ThreadPoolExecutor(FILLERS) as pool:
        for _ in pool.map(put, _batches(map(one, range(size)))):
            pass


def _batches(those: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in those:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
