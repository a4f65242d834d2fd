"""What a stage costs a month at AWS's list prices, from its number of connections: the arithmetic of docs/scale.md, in the prices of us-east-1.

Averages of a month of 30 days, without free allowances and discounts. What is assumed of a connection's use is in `ASSUMED`; a test holds
this against the tables of docs/scale.md.
"""

from dataclasses import dataclass
from math import ceil, log2

from chalicelib.doors.crypto import CACHE_KEYS, CACHE_SECONDS
from chalicelib.doors.keys import OUTBOX_SHARDS
from chalicelib.engine.circuits import THREADS
from chalicelib.engine.messages import KEYS

DAY, MONTH = 86_400, 30 * 86_400
GB = 1024**3
TOKEN_LIFE = 3600
ASSUMED = (
    "Half of the connections are in use: their tokens live an hour and are refreshed by the clock.",
    "Each of those is fetched ten times a day.",
    "Each connection causes one event in ten months.",
)
IN_USE, FETCHES_A_DAY, EVENTS_A_MONTH, PROVIDERS = 0.5, 10, 0.1, 5
# Measured, as docs/scale.md says; times in seconds, sizes in bytes.
ROW, DUE_ENTRY, REGISTRATION_ENTRY, ROW_OVERHEAD = 2353, 149, 205, 100
REFRESH_READS, REFRESH_WRITES, REFRESH_KMS, REFRESH_CPU = 1.15, 8.1, 2, 0.009
EVENT_WRITES = 18
SWEPT_KEY_CPU, REPAIRED_ROW_CPU = 35e-6, 0.25e-3
PROVIDER_SECONDS, AWS_CALL, SEND, FETCH, SCAN_PAGE = 0.2, 0.005, 0.012, 0.020, 0.05
REFRESH_LINE, MESSAGE_LINES, FETCH_LINES = 390 + 26, 90 + 26 + 350, 309 + 26 + 350
REFRESH_SENT, FETCH_SENT = 3 * 1024, 1536
WORKER_GB, SWEEP_GB, API_GB = 1.0, 0.5, 1.0
WORKER_CPUS, SWEEP_CPUS = 1024 / 1769, 512 / 1769
# List prices in dollars.
WRITE, READ, KMS_CALL = 0.625e-6, 0.125e-6, 0.03 / 10_000
STORED_GB = 0.25 + 0.20
LAMBDA_CALL, LAMBDA_GB_SECOND = 0.20e-6, 0.0000166667
SQS_CALL, SNS_PUBLISH, API_CALL = 0.40e-6, 0.50e-6, 3.50e-6
LOG_GB, SENT_GB = 0.50, 0.09
FIXED = 1 + 12 * 0.10 + 3 + 40 * 0.30


@dataclass(frozen=True)
class Estimate:
    """Dollars a month, and by what."""

    total: float
    parts: tuple[tuple[str, float], ...]


def estimate(connections: int, encryption: str, due_shards: int) -> Estimate:
    """For so many connections that are not disconnected."""
    in_use = connections * IN_USE
    refreshes, fetches = in_use / (TOKEN_LIFE * 0.8), in_use * FETCHES_A_DAY / DAY
    messages = refreshes / KEYS + PROVIDERS / 2 / 60
    workers = messages * (KEYS / THREADS * (PROVIDER_SECONDS + 5 * AWS_CALL) + 5 * AWS_CALL + KEYS * REFRESH_CPU / WORKER_CPUS)
    api = fetches * FETCH
    shards = max(due_shards, 2 ** ceil(log2(max(1, refreshes * 2 / 500))))
    due = refreshes * 60
    sweep = due * SWEPT_KEY_CPU / SWEEP_CPUS + due / KEYS / 10 * SEND + (shards + OUTBOX_SHARDS + 3) * AWS_CALL
    repair = connections * (REPAIRED_ROW_CPU / SWEEP_CPUS + SCAN_PAGE * ROW / 2**20)
    writes = refreshes * REFRESH_WRITES + in_use * 3 / DAY + connections * EVENTS_A_MONTH * EVENT_WRITES / MONTH
    swept = refreshes * DUE_ENTRY / 4096 / 2 + (shards / 2 + OUTBOX_SHARDS + 2) / 60
    reads = refreshes * REFRESH_READS + fetches + swept + connections * ROW / 4096 / 2 / DAY
    gb_seconds = workers * WORKER_GB + api * API_GB + min(sweep, 55) / 60 * SWEEP_GB + repair / DAY * SWEEP_GB
    stored = connections * (ROW + DUE_ENTRY + REGISTRATION_ENTRY + 3 * ROW_OVERHEAD) / GB
    logged = (refreshes * REFRESH_LINE + messages * MESSAGE_LINES + fetches * FETCH_LINES) * MONTH / GB
    sent = (refreshes * REFRESH_SENT + fetches * FETCH_SENT) * MONTH / GB
    parts = (
        ("DynamoDB", (writes * WRITE + reads * READ) * MONTH + stored * STORED_GB),
        ("KMS calls", _kms(refreshes, fetches, workers, api, encryption) * MONTH * KMS_CALL),
        ("Lambda", gb_seconds * MONTH * LAMBDA_GB_SECOND + (messages + fetches) * MONTH * LAMBDA_CALL),
        ("API Gateway", fetches * MONTH * API_CALL),
        ("SQS and SNS", (messages * 2.1 + 61 / 60) * MONTH * SQS_CALL + connections * EVENTS_A_MONTH * SNS_PUBLISH),
        ("Logs and traffic", logged * LOG_GB + sent * SENT_GB),
        ("Key, alarms, metrics", FIXED),
    )
    return Estimate(sum(dollars for _, dollars in parts), parts)


def _kms(refreshes: float, fetches: float, workers: float, api: float, encryption: str) -> float:
    """Calls a second. `shared`: each data key of the last 48 minutes once in five minutes in each container."""
    if encryption != "shared":
        return refreshes * REFRESH_KMS + fetches
    workers, api = max(1, workers), max(1, api)
    known = workers * TOKEN_LIFE * 0.8 / CACHE_SECONDS
    each = known / CACHE_SECONDS if known <= CACHE_KEYS else float("inf")
    return workers / CACHE_SECONDS + min(refreshes, workers * each) + min(fetches, api * each)
