"""One worker's refreshes, message after message, against a provider that takes 200 ms: what one costs in CPU, how busy the threads are, what is asked of AWS and of the provider.

The floor makes the calls that a refresh cannot do without, with the very requests that ours sent: one read, the lease, one `Decrypt`, one
`GenerateDataKey`, the token request, the store. Default boto3 clients and `requests.post`, ten threads; nothing is encrypted, checked,
parsed, guarded or written to a log. What ours does besides, the calls of each message included, is what Standpipe adds.
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any
from urllib.parse import urlencode

import boto3
import requests

from chalicelib.domain.lifecycle import Transition
from chalicelib.domain.models import Registration
from chalicelib.domain.secret import Secret
from chalicelib.doors import keys
from chalicelib.engine.circuits import THREADS
from chalicelib.engine.messages import KEYS, RefreshMessage
from chalicelib.engine.registrations import Change
from tests.bench import rows
from tests.bench.provider import SlowProvider, tokens_of
from tests.bench.table import Row
from tests.bench.watched import Call, Watched
from tests.cloud import REGION, Stage

ROUNDS = 15
MESSAGES = 3  # a round of each side, back to back
REFRESHES = MESSAGES * KEYS
SECONDS_LEFT = 120.0
READS = {"GetItem", "Query"}


@dataclass
class Side:
    """One side's rounds: seconds of CPU and on the wall of one refresh, and what the provider wrote down."""

    work: Callable[[], Any]
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    asked: int = 0
    refused: int = 0
    open: float = 0.0

    def round(self, provider: SlowProvider) -> None:
        provider.books()
        cpu, wall = time.process_time(), time.perf_counter()
        self.work()
        self.cpu.append((time.process_time() - cpu) / REFRESHES)
        self.wall.append((time.perf_counter() - wall) / REFRESHES)
        books = provider.books()
        self.asked += books["asked"]
        self.refused += books["refused"]
        self.open += sum(end - start for start, end in books["spans"])

    @property
    def seconds(self) -> float:
        return sum(self.wall) * REFRESHES


@dataclass(frozen=True)
class Told:
    """What is no ratio of times. `at_work`: threads with a connection in hand; `open_at_once`: requests open at the provider; both means over the whole run."""

    refreshes: int
    asked: int
    refused: int
    a_second: float
    at_work: float
    open_at_once: float
    floor_open_at_once: float
    calls: dict[str, float]
    read_units: float
    write_units: float

    def lines(self) -> list[str]:
        calls = ", ".join(f"{name} {number:g}" for name, number in self.calls.items())
        return [
            f"worker: {self.a_second:.1f} refreshes a second; {self.at_work:.1f} of {THREADS} threads at work (aim: 8); {self.open_at_once:.1f} requests open at the provider, {self.floor_open_at_once:.1f} of the floor",
            f"provider: asked {self.asked} times for {self.refreshes} refreshes, {self.asked / self.refreshes:.3f} each (aim: 1); {self.refused} spent twice",
            f"one refresh: {calls}; {self.read_units:g} read and {self.write_units:g} write units",
        ]


def measure(stage: Stage, *, rounds: int = ROUNDS) -> tuple[list[Row], Told]:
    """CPU and wall seconds of one refresh, a round each."""
    with SlowProvider() as provider, open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):  # the worker writes its journal as it always does
        engine = Watched(stage)
        messages = _prepare(engine, provider)
        worker = _Ours(engine, messages)
        recorded = _recorded(engine, messages[0])
        ours, floor = Side(worker), Side(_floor(engine, messages, recorded))
        for side in (ours, floor):
            side.work()
        worker.spans.clear()
        for number in range(rounds):
            for side in (ours, floor) if number % 2 else (floor, ours):
                side.round(provider)
        spans = sum(worker.spans)
        calls = _listed(engine, worker)
    told = Told(
        refreshes=rounds * REFRESHES,
        asked=ours.asked,
        refused=ours.refused,
        a_second=rounds * REFRESHES / ours.seconds,
        at_work=spans / ours.seconds,
        open_at_once=ours.open / ours.seconds,
        floor_open_at_once=floor.open / floor.seconds,
        calls={name: number / REFRESHES for name, number in sorted(Counter(call.name for call in calls).items())},
        read_units=sum(call.units for call in calls if call.name in READS) / REFRESHES,
        write_units=sum(call.units for call in calls if call.name not in READS) / REFRESHES,
    )
    what = f"refresh, {rounds * REFRESHES} by one worker"
    return [Row(what, "cpu", ours.cpu, floor.cpu, 1.5), Row(what, "wall", ours.wall, floor.wall)], told


def _prepare(engine: Watched, provider: SlowProvider) -> list[RefreshMessage]:
    """One registration and as many connections as the messages of a round have keys, stored and sealed by our own code."""
    now = engine.now()
    row = {
        "name": "Bench",
        "authorization": {"endpoint": f"{provider.url}/authorize"},
        "token": {"endpoint": f"{provider.url}/token", "authentication": "client_secret_basic"},
    }
    engine.store.save_registration(Registration(id=rows.REGISTRATION_ID, slug=rows.SLUG, created_at=now, updated_at=now), expected_version=None)
    engine.registrations.update(rows.SLUG, Change(enabled=True, custom_provider=row, scopes=rows.SCOPES, client_id="client_0123456789abcdef", client_secret=Secret("s" * 40)))
    owners = [rows.owner(number) for number in range(REFRESHES)]
    for number, owner in enumerate(owners):
        sealed = rows.sealed(engine.sealer, rows.connection(owner, now, now), tokens_of(f"grant{number}", 1))
        engine.store.commit(Transition(None, sealed))
    found = [keys.connection(owner, rows.SLUG) for owner in owners]
    return [RefreshMessage(rows.SLUG, tuple(found[start : start + KEYS])) for start in range(0, len(found), KEYS)]


class _Ours:
    """The worker, a round's messages one after the other. `spans`: how long each key took it."""

    def __init__(self, engine: Watched, messages: list[RefreshMessage]) -> None:
        self._engine, self._bodies = engine, [message.body() for message in messages]
        self.spans: list[float] = []
        one = engine.worker._one

        def timed(*given: Any) -> None:
            started = time.perf_counter()
            one(*given)
            self.spans.append(time.perf_counter() - started)

        engine.worker._one = timed  # type: ignore[method-assign, assignment]

    def __call__(self) -> None:
        self._engine.ahead += timedelta(seconds=rows.LIFE)
        for body in self._bodies:
            worked = self._engine.worker.handle(body, lambda: SECONDS_LEFT)
            if worked.done != {"success_fresh": KEYS}:
                sys.exit(f"the refresh to measure does not work: {worked}")


def _listed(engine: Watched, worker: _Ours) -> list[Call]:
    """Every call to AWS of one round more."""
    engine.calls = calls = list[Call]()
    worker()
    engine.calls = None
    return calls


def _recorded(engine: Watched, message: RefreshMessage) -> dict[str, list[Any]]:
    """The requests that one refresh of ours makes in a warm worker, by their names; `post` is the one to the provider."""
    send, posts = engine.http.send, list[dict[str, Any]]()

    def sent(method: str, url: str, *, headers: dict[str, str], body: bytes | None = None, reads_body: bool = True) -> Any:
        posts.append({"url": url, "headers": headers})
        return send(method, url, headers=headers, body=body, reads_body=reads_body)

    engine.http.send = sent  # type: ignore[method-assign]
    for _ in range(2):  # the first opens the client secret, which asks KMS once
        connection = engine.store.connection_at(message.keys[0])
        assert connection is not None
        engine.calls = list[Call]()
        engine.refresher.refresh(connection, lambda _newer: False, seconds_left=lambda: SECONDS_LEFT, patience=0, used=False)
    found: dict[str, list[Any]] = {"post": posts[1:]}
    for call in engine.calls or ():
        found.setdefault(call.name, []).append(call.request)
    engine.calls = None
    engine.http.send = send  # type: ignore[method-assign]
    return found


def _floor(engine: Watched, messages: list[RefreshMessage], recorded: dict[str, list[Any]]) -> Callable[[], None]:
    """The recorded requests, made again for rows that are copies of ours. Each condition holds every time, because the generation stays what it was."""
    dynamodb, kms = (boto3.client(service, region_name=REGION) for service in ("dynamodb", "kms"))
    table = engine.settings.table
    lease, store = recorded["UpdateItem"]
    (decrypt,), (data_key,), (post,) = recorded["Decrypt"], recorded["GenerateDataKey"], recorded["post"]
    held = store["ExpressionAttributeValues"]
    store = {**store, "ExpressionAttributeValues": {**held, ":set_generation": held[":generation"]}}
    item = dynamodb.get_item(TableName=table, Key=lease["Key"])["Item"]
    copies = [{"pk": {"S": key["pk"] + "-floor"}, "sk": {"S": key["sk"]}} for message in messages for key in message.keys]
    for key in copies:
        dynamodb.put_item(TableName=table, Item={**item, **key, "generation": held[":generation"]})
    grants = count()

    def refresh(key: dict[str, Any]) -> None:
        dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)
        dynamodb.update_item(**{**lease, "Key": key})
        kms.decrypt(**decrypt)
        kms.generate_data_key(**data_key)
        form = {"grant_type": "refresh_token", "refresh_token": tokens_of(f"floor{next(grants)}", 1)["refresh_token"]}
        requests.post(post["url"], headers=post["headers"], data=urlencode(form), timeout=10).raise_for_status()
        dynamodb.update_item(**{**store, "Key": key})

    def run() -> None:
        for start in range(0, len(copies), KEYS):
            with ThreadPoolExecutor(THREADS) as pool:
                list(pool.map(refresh, copies[start : start + KEYS]))

    return run
