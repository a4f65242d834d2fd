"""The numbers of docs/scale.md: `python -m tests.bench.scale` prints its tables, and a test holds the page against them.

Each input says where it comes from; each figure says in words how it is computed, beside the code that does it. Averages, of a month of
30 days; list prices of the first tier, without free allowances and discounts. Nothing here is measured when it runs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, log2

from chalicelib.domain import settings
from chalicelib.doors.crypto import CACHE_KEYS, CACHE_SECONDS
from chalicelib.doors.keys import OUTBOX_SHARDS
from chalicelib.engine.circuits import THREADS
from chalicelib.engine.messages import KEYS
from chalicelib.engine.repair import EVERY
from chalicelib.engine.sweep import MAX_DEPTH
from tests.bench.rows import LIFE, ROW_OVERHEAD

DAY, MONTH = 86_400, 30 * 86_400
GB = 1024**3
SIZES = (10_000, 1_000_000, 100_000_000)

# measured here: `python -m tests.bench due worker`, and the lengths of real rows, messages and lines
ROW_BYTES = 2353
DUE_ENTRY_BYTES = 149
REGISTRATION_ENTRY_BYTES = 205
REFRESH_READS, REFRESH_WRITES = 1.15, 8.1
REFRESH_KMS = 2
REFRESH_CPU = 0.009
SWEPT_KEY_CPU = 35e-6
REPAIRED_ROW_CPU = 0.25e-3
REFRESH_LINE, WORKED_LINE, FETCH_LINE = 390, 90, 309

# assumed: change them and run this again
IN_USE = 0.5
FETCHES_A_DAY = 10
FETCH_PEAK = 3
EVENTS_A_MONTH = 0.1
EVENT_WRITES = 18
PROVIDERS = 5
PROVIDER_SECONDS = 0.2
AWS_CALL_SECONDS = 0.005
SEND_SECONDS = 0.012
FETCH_SECONDS = 0.020
SCAN_PAGE_SECONDS = 0.05
PLATFORM_LINES = 350
REFRESH_SENT, FETCH_SENT = 3 * 1024, 1536

# Lambda: 1,769 MB are one CPU
WORKER_GB, SWEEP_GB, API_GB = 1.0, 0.5, 1.0
WORKER_CPUS, SWEEP_CPUS = 1024 / 1769, 512 / 1769

# list prices in dollars, us-east-1, as of late 2025
WRITE, READ = 0.625e-6, 0.125e-6
STORED_GB, RECOVERY_GB = 0.25, 0.20
KMS_CALL = 0.03 / 10_000
LAMBDA_CALL, LAMBDA_GB_SECOND = 0.20e-6, 0.0000166667
SQS_CALL, SNS_PUBLISH, API_CALL = 0.40e-6, 0.50e-6, 3.50e-6
LOG_GB, SENT_GB = 0.50, 0.09
FIXED = 1 + 12 * 0.10 + 3 + 40 * 0.30  # the KMS key, alarms, the dashboard, metrics


@dataclass(frozen=True)
class Load:
    """So many connections, and what follows from it a second, on average."""

    connections: float
    mode: str = "bound"

    @property
    def in_use(self) -> float:
        return self.connections * IN_USE

    @property
    def refreshes(self) -> float:
        return self.in_use / (LIFE * 0.8)

    @property
    def fetches(self) -> float:
        return self.in_use * FETCHES_A_DAY / DAY

    @property
    def messages(self) -> float:
        return self.refreshes / KEYS + PROVIDERS / 2 / 60

    @property
    def message_seconds(self) -> float:
        return KEYS / THREADS * (PROVIDER_SECONDS + 5 * AWS_CALL_SECONDS) + 5 * AWS_CALL_SECONDS + KEYS * REFRESH_CPU / WORKER_CPUS

    @property
    def workers(self) -> float:
        return self.messages * self.message_seconds

    @property
    def api(self) -> float:
        return self.fetches * FETCH_SECONDS

    @property
    def shards(self) -> int:
        needed = self.refreshes * 2 / 500
        return max(int(settings.Settings.due_shards), 2 ** ceil(log2(max(1, needed))))

    @property
    def sweep_seconds(self) -> float:
        due = self.refreshes * 60
        return due * SWEPT_KEY_CPU / SWEEP_CPUS + due / KEYS / 10 * SEND_SECONDS + (self.shards + OUTBOX_SHARDS + 3) * AWS_CALL_SECONDS

    @property
    def repair_seconds(self) -> float:
        """Of a day's pass."""
        return self.connections * (REPAIRED_ROW_CPU / SWEEP_CPUS + SCAN_PAGE_SECONDS * ROW_BYTES / 2**20)

    @property
    def writes(self) -> float:
        return self.refreshes * REFRESH_WRITES + self.in_use * 3 / DAY + self.connections * EVENTS_A_MONTH * EVENT_WRITES / MONTH

    @property
    def reads(self) -> float:
        swept = self.refreshes * DUE_ENTRY_BYTES / 4096 / 2 + (self.shards / 2 + OUTBOX_SHARDS + 2) / 60
        return self.refreshes * REFRESH_READS + self.fetches + swept + self.connections * ROW_BYTES / 4096 / 2 / EVERY.total_seconds()

    @property
    def kms(self) -> float:
        if self.mode == "bound":
            return self.refreshes * REFRESH_KMS + self.fetches
        workers, api = max(1, self.workers), max(1, self.api)
        shared_keys = workers * LIFE * 0.8 / CACHE_SECONDS  # each seals with its own, five minutes long
        each = shared_keys / CACHE_SECONDS if shared_keys <= CACHE_KEYS else float("inf")
        return workers / CACHE_SECONDS + min(self.refreshes, workers * each) + min(self.fetches, api * each)

    @property
    def sqs(self) -> float:
        return self.messages * 2.1 + 61 / 60  # a tenth of a send, receive, delete; four queues polled by five each, three times a minute, and one look at the depth

    @property
    def stored(self) -> float:
        return self.connections * (ROW_BYTES + DUE_ENTRY_BYTES + REGISTRATION_ENTRY_BYTES + 3 * ROW_OVERHEAD) / GB

    @property
    def logged(self) -> float:
        """GB a month."""
        lines = self.refreshes * (REFRESH_LINE + 26) + self.messages * (WORKED_LINE + 26 + PLATFORM_LINES) + self.fetches * (FETCH_LINE + 26 + PLATFORM_LINES)
        return lines * MONTH / GB

    @property
    def gb_seconds(self) -> float:
        return self.workers * WORKER_GB + self.api * API_GB + min(self.sweep_seconds, 55) / 60 * SWEEP_GB + self.repair_seconds / DAY * SWEEP_GB

    @property
    def sent(self) -> float:
        return (self.refreshes * REFRESH_SENT + self.fetches * FETCH_SENT) * MONTH / GB


@dataclass(frozen=True)
class Figure:
    what: str
    how: str
    of: Callable[[Load], float]
    dollars: bool = False


NEEDS = (
    Figure("refreshes a second", "in use ÷ 48 min", lambda load: load.refreshes),
    Figure("fetches a second", f"in use × {FETCHES_A_DAY} a day", lambda load: load.fetches),
    Figure("SQS messages a minute", f"refreshes ÷ {KEYS}, and half a message more for each of {PROVIDERS} providers", lambda load: load.messages * 60),
    Figure("write units a second", f"{REFRESH_WRITES} a refresh, 3 a day for a connection in use, {EVENT_WRITES} an event", lambda load: load.writes),
    Figure("read units a second", f"{REFRESH_READS} a refresh, 1 a fetch, index and outbox each minute, the table once a day", lambda load: load.reads),
    Figure("due shards", "2 write units a refresh, at most 500 a second in a shard, at least 16, a power of two", lambda load: load.shards),
    Figure("keys due in a minute", f"one sweep sends {MAX_DEPTH * KEYS:,} at most", lambda load: load.refreshes * 60),
    Figure("seconds of a sweep", f"{SWEPT_KEY_CPU * 1e6:g} µs a key at {SWEEP_CPUS:.2f} CPU, {SEND_SECONDS * 1000:g} ms for 200 keys sent, 5 ms a query", lambda load: load.sweep_seconds),
    Figure(
        "workers at once",
        f"messages a second × seconds of one: 2 × ({PROVIDER_SECONDS} s + 5 calls of 5 ms) + 5 calls + {KEYS} × {REFRESH_CPU * 1000:g} ms at {WORKER_CPUS:.2f} CPU",
        lambda load: load.workers,
    ),
    Figure("calls at once to a provider, if all are at one", f"{THREADS} a worker", lambda load: load.workers * THREADS),
    Figure("API functions at once", f"{FETCH_PEAK} × fetches a second × {FETCH_SECONDS * 1000:g} ms", lambda load: load.api * FETCH_PEAK),
    Figure("KMS calls a second, `bound`", f"{REFRESH_KMS} a refresh, 1 a fetch", lambda load: load.kms),
    Figure("KMS calls a second, `shared`", "each data key of the last 48 min once in five minutes in each container", lambda load: Load(load.connections, "shared").kms),
    Figure("stored GB", f"{ROW_BYTES:,} + {DUE_ENTRY_BYTES} + {REGISTRATION_ENTRY_BYTES} bytes a connection, and {ROW_OVERHEAD} for each of the three", lambda load: load.stored),
    Figure("log GB a month", f"{REFRESH_LINE + 26} bytes a refresh, {WORKED_LINE + 26 + PLATFORM_LINES} a message, {FETCH_LINE + 26 + PLATFORM_LINES} a fetch", lambda load: load.logged),
    Figure("hours of a repair pass", f"{REPAIRED_ROW_CPU * 1000:g} ms a row at {SWEEP_CPUS:.2f} CPU, {SCAN_PAGE_SECONDS * 1000:g} ms a MB", lambda load: load.repair_seconds / 3600),
)
COSTS = (
    Figure("DynamoDB writes", f"${WRITE * 1e6:g} a million units", lambda load: load.writes * MONTH * WRITE, True),
    Figure("DynamoDB reads", f"${READ * 1e6:g} a million units", lambda load: load.reads * MONTH * READ, True),
    Figure("DynamoDB storage", f"${STORED_GB:.2f} a GB, and ${RECOVERY_GB:.2f} for recovery to any point", lambda load: load.stored * (STORED_GB + RECOVERY_GB), True),
    Figure("KMS, `bound`", f"${KMS_CALL * 10_000:.2f} for 10,000 calls", lambda load: load.kms * MONTH * KMS_CALL, True),
    Figure(
        "Lambda",
        f"${LAMBDA_GB_SECOND:.10f} a GB-second, ${LAMBDA_CALL * 1e6:.2f} a million calls",
        lambda load: load.gb_seconds * MONTH * LAMBDA_GB_SECOND + (load.messages + load.fetches) * MONTH * LAMBDA_CALL,
        True,
    ),
    Figure("API Gateway", f"${API_CALL * 1e6:.2f} a million calls", lambda load: load.fetches * MONTH * API_CALL, True),
    Figure("SQS", f"${SQS_CALL * 1e6:.2f} a million calls: 2.1 a message, and polling", lambda load: load.sqs * MONTH * SQS_CALL, True),
    Figure("SNS", f"${SNS_PUBLISH * 1e6:.2f} a million events", lambda load: load.connections * EVENTS_A_MONTH * SNS_PUBLISH, True),
    Figure("CloudWatch Logs", f"${LOG_GB:.2f} a GB taken in", lambda load: load.logged * LOG_GB, True),
    Figure("data sent", f"${SENT_GB:.2f} a GB: 3 KB a refresh, 1.5 KB a fetch", lambda load: load.sent * SENT_GB, True),
    Figure("KMS key, alarms, dashboard, metrics", "$1 + 12 × $0.10 + $3 + 40 × $0.30", lambda load: FIXED, True),
)


def total(load: Load) -> float:
    """Dollars a month."""
    saved = (Load(load.connections).kms - load.kms) * MONTH * KMS_CALL
    return sum(cost.of(Load(load.connections)) for cost in COSTS) - saved


TOTALS = (
    Figure("**in all, `bound`**", "", total, True),
    Figure("**in all, `shared`**", "KMS calls as above", lambda load: total(Load(load.connections, "shared")), True),
    Figure("a thousand connections, `bound`", "", lambda load: total(load) / load.connections * 1000, True),
)


@dataclass(frozen=True)
class Limit:
    """A quota, and how much of it one connection takes, so at how many connections it is reached."""

    what: str
    quota: float
    needs: Callable[[Load], float]
    then: str


def _at_one_provider(calls: float) -> Callable[[Load], float]:
    return lambda load: load.workers * THREADS / calls


LIMITS = (
    Limit("`STANDPIPE_REFRESH_CONCURRENCY`, 40, all at one provider", 1, _at_one_provider(settings.Settings.refresh_concurrency), "raise it, up to 1,000"),
    Limit("the same at its most, 1,000", 1, _at_one_provider(1000), "the provider's own limits come first"),
    Limit("a sweep's messages, 5,000", MAX_DEPTH * KEYS / 60, lambda load: load.refreshes, "`MAX_DEPTH` in sweep.py, and memory for the function"),
    Limit("a sweep's 45 seconds at 512 MB", 45, lambda load: load.sweep_seconds, "1,769 MB for the function are 3.5 times the CPU"),
    Limit("KMS, 10,000 calls a second in most regions", 10_000, lambda load: load.kms, "Service Quotas, or `STANDPIPE_ENCRYPTION=shared`"),
    Limit("KMS, 100,000 in us-east-1, us-west-2, eu-west-1", 100_000, lambda load: load.kms, "the same"),
    Limit("a table's 40,000 write units a second", 40_000, lambda load: load.writes, "Service Quotas"),
    Limit("16 due shards of 1,000 write units", 16_000, lambda load: load.refreshes * 2, "`STANDPIPE_DUE_SHARDS`, in time"),
    Limit("API Gateway's 10,000 requests a second, at the peak", 10_000, lambda load: load.fetches * FETCH_PEAK, "Service Quotas"),
    Limit("Lambda's 1,000 at once, the API's peak included", 1000, lambda load: load.workers + load.api * FETCH_PEAK, "Service Quotas"),
    Limit("SQS's 120,000 messages in flight", 120_000, lambda load: load.workers, "never"),
    Limit("a repair pass within its day at 512 MB", DAY * 0.9, lambda load: load.repair_seconds, "1,769 MB for the function"),
)


def reached(limit: Limit) -> float:
    """Connections at which it is full, by halving: nothing here falls as connections grow."""
    low, high = 1.0, 1e12
    while high / low > 1.0001:
        middle = (low * high) ** 0.5
        low, high = (low, middle) if limit.needs(Load(middle)) > limit.quota else (middle, high)
    return low


def shown(value: float, *, dollars: bool = False) -> str:
    """Three figures, and no more than is known."""
    if dollars and value < 1:
        return f"${value:.2f}"
    for unit, word in ((1e9, " billion"), (1e6, " million")):
        if value >= unit:
            return f"{'$' * dollars}{value / unit:.3g}{word}"
    text = f"{value:,.0f}" if value >= 100 else f"{value:.2g}" if value < 10 else f"{value:.0f}"
    return f"{'$' * dollars}{text}"


def table(figures: Sequence[Figure]) -> str:
    head = ["", "how", *(shown(size) if size >= 1e6 else f"{size:,}" for size in SIZES)]
    body = [[each.what, each.how, *(shown(each.of(Load(size)), dollars=each.dollars) for size in SIZES)] for each in figures]
    return _markdown([head, *body])


def limits() -> str:
    body = [[limit.what, f"{shown(at)} connections", limit.then] for at, limit in sorted(((reached(limit), limit) for limit in LIMITS), key=lambda pair: pair[0])]
    return _markdown([["what is full", "at", "then"], *body])


def _markdown(lines: Sequence[Sequence[str]]) -> str:
    head, *body = ["| " + " | ".join(cells) + " |" for cells in lines]
    return "\n".join([head, "|" + "---|" * len(lines[0]), *body])


TABLES = {"needs": lambda: table(NEEDS), "costs": lambda: table([*COSTS, *TOTALS]), "limits": limits}

if __name__ == "__main__":
    print("\n\n".join(f"{name}\n{render()}" for name, render in TABLES.items()))
