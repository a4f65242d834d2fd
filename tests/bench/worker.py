"""One worker's refreshes, message after message, against a provider that takes 200 ms: how busy its threads are, what one refresh costs in CPU, and how often the provider is asked.

The floor makes the very calls that one refresh cannot do without, with the very requests that ours sent: one read, the lease, one `Decrypt`,
one `GenerateDataKey`, the token request, the store. Default boto3 clients and `requests.post`, ten threads; nothing is encrypted, checked,
parsed, guarded or written to a log. What ours does besides, the calls of each message included, is what Standpipe adds.
"""

import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import urlencode

import boto3
import requests

from chalicelib.domain import settings
from chalicelib.domain.lifecycle import Transition, new_connection_id
from chalicelib.domain.models import Connection, Owner, Registration
from chalicelib.domain.secret import Secret
from chalicelib.domain.tokens import TokenSet
from chalicelib.doors import keys
from chalicelib.doors.crypto import token_facts
from chalicelib.engine.circuits import THREADS
from chalicelib.engine.messages import KEYS, RefreshMessage
from chalicelib.engine.registrations import Change
from chalicelib.wiring import Engine
from tests.bench.provider import LIFE, SlowProvider, tokens_of
from tests.bench.table import Row
from tests.cloud import REGION, Stage

ROUNDS = 15
MESSAGES = 3  # a round of each side, back to back
SLUG = "bench"
REGISTRATION_ID = "data_integration_01HXA2B3C4D5E6F7G8H9JKMNPQ"
SECONDS_LEFT = 120.0


class _Ahead(Engine):
    """An engine whose clock can be moved on, so that what was refreshed is due again, and whose requests to AWS can be listened to."""

    ahead = timedelta()

    def __init__(self, given: settings.Settings) -> None:
        super().__init__(given)
        self.heard: dict[str, list[Any]] | None = None

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def client(self, service: str) -> Any:
        client = super().client(service)
        client.meta.events.register(f"provide-client-params.{service}", self._hear)
        return client

    def _hear(self, params: dict[str, Any], model: Any, **_more: Any) -> None:
        if self.heard is not None:
            self.heard.setdefault(model.name, []).append(dict(params))


@dataclass(frozen=True)
class Counted:
    """What the provider saw of ours, beside the clocks."""

    refreshes: int
    asked: int
    refused: int
    seconds: float
    open_at_once: float
    at_work: float


def measure(stage: Stage, *, rounds: int = ROUNDS) -> tuple[list[Row], Counted]:
    """CPU and wall seconds of one refresh, a round each."""
    with SlowProvider() as provider, open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):  # the worker writes its journal as it always does
        engine = _Ahead(settings.read(stage.environ))
        messages = _prepare(engine, provider)
        calls = _recorded(engine, messages[0])
        ours, floor = _Ours(engine, messages), _floor(engine, provider, messages, calls)
        taken: dict[Any, list[tuple[float, float]]] = {ours: [], floor: []}
        for side in (ours, floor):
            _round(side)
        counted = []
        for number in range(rounds):
            for side in (ours, floor) if number % 2 else (floor, ours):
                provider.books()
                ours.spans.clear()
                taken[side].append(_round(side))
                if side is ours:
                    counted.append((taken[side][-1][1] * MESSAGES * KEYS, provider.books(), sum(ours.spans)))
    seconds = sum(wall for wall, _books, _work in counted)
    spans = [end - start for _wall, books, _work in counted for start, end in books["spans"]]
    told = Counted(
        rounds * MESSAGES * KEYS,
        sum(books["asked"] for _wall, books, _work in counted),
        sum(books["refused"] for _wall, books, _work in counted),
        seconds,
        sum(spans) / seconds,
        sum(work for _wall, _books, work in counted) / seconds,
    )
    rows = [
        Row(f"refresh, {rounds * MESSAGES * KEYS} of one worker", clock, [pair[index] for pair in taken[ours]], [pair[index] for pair in taken[floor]], target)
        for index, (clock, target) in enumerate((("cpu", 1.5), ("wall", None)))
    ]
    return rows, told


def _round(side: Callable[[], Any]) -> tuple[float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    side()
    return (time.process_time() - cpu) / (MESSAGES * KEYS), (time.perf_counter() - wall) / (MESSAGES * KEYS)


def _prepare(engine: _Ahead, provider: SlowProvider) -> list[RefreshMessage]:
    """One registration and as many connections as the messages of a round have keys, stored and sealed by our own code."""
    now = engine.now()
    row = {
        "name": "Bench",
        "authorization": {"endpoint": f"{provider.url}/authorize"},
        "token": {"endpoint": f"{provider.url}/token", "authentication": "client_secret_basic"},
    }
    engine.store.save_registration(Registration(id=REGISTRATION_ID, slug=SLUG, created_at=now, updated_at=now), expected_version=None)
    engine.registrations.update(SLUG, Change(enabled=True, custom_provider=row, scopes=("read", "write"), client_id="client_0123456789abcdef", client_secret=Secret("s" * 40)))
    owners = [Owner(user_id=f"user_01HXA2B3C4D5E6F7G8H9JK{number:04}", organization_id="org_01HXA2B3C4D5E6F7G8H9JKMNPQ") for number in range(MESSAGES * KEYS)]
    for number, owner in enumerate(owners):
        _connect(engine, owner, f"grant{number:04}", now)
    found = [keys.connection(owner, SLUG) for owner in owners]
    return [RefreshMessage(SLUG, tuple(found[start : start + KEYS])) for start in range(0, len(found), KEYS)]


def _connect(engine: _Ahead, owner: Owner, grant: str, now: datetime) -> None:
    connection = Connection(
        id=new_connection_id(now),
        user_id=owner.user_id,
        organization_id=owner.organization_id,
        slug=SLUG,
        registration_id=REGISTRATION_ID,
        live_registration_id=REGISTRATION_ID,
        state="connected",
        generation=1,
        refreshable=True,
        scopes_requested=("read", "write"),
        scopes_granted=("read", "write"),
        expires_at=now + timedelta(seconds=LIFE),
        token_life=LIFE,
        refresh_due_at=now,
        external_account_id="116543210987654321098",
        external_name="ada@example.com",
        created_at=now,
        updated_at=now,
        connected_at=now,
        refreshed_at=now,
        last_used_at=now,
    )
    given = tokens_of(grant, 1)
    tokens = TokenSet(Secret(given["access_token"]), Secret(given["refresh_token"]))
    engine.store.commit(Transition(None, replace(connection, sealed=engine.sealer.seal(tokens.to_payload(), token_facts(connection)))))


class _Ours:
    """The worker, a round's messages one after the other. `spans`: how long each key took it."""

    def __init__(self, engine: _Ahead, messages: list[RefreshMessage]) -> None:
        self._engine, self._bodies = engine, [message.body() for message in messages]
        self.spans: list[float] = []
        one = engine.worker._one

        def timed(*given: Any) -> None:
            started = time.perf_counter()
            one(*given)
            self.spans.append(time.perf_counter() - started)

        engine.worker._one = timed  # type: ignore[method-assign]

    def __call__(self) -> None:
        self._engine.ahead += timedelta(seconds=LIFE)
        for body in self._bodies:
            worked = self._engine.worker.handle(body, lambda: SECONDS_LEFT)
            if worked.done != {"success_fresh": KEYS}:
                sys.exit(f"the refresh to measure does not work: {worked}")


def _recorded(engine: _Ahead, message: RefreshMessage) -> dict[str, list[Any]]:
    """The requests that one refresh of ours makes in a warm worker, by their names; `post` is the one to the provider."""
    send, posts = engine.http.send, list[dict[str, Any]]()

    def sent(method: str, url: str, *, headers: dict[str, str], body: bytes | None = None) -> Any:
        posts.append({"url": url, "headers": headers, "data": body})
        return send(method, url, headers=headers, body=body)

    engine.http.send = sent  # type: ignore[method-assign]
    for _ in range(2):  # first unheard: the client secret is opened by KMS then
        connection = engine.store.connection_at(message.keys[0])
        assert connection is not None
        engine.heard = {}
        engine.refresher.refresh(connection, lambda _newer: False, seconds_left=lambda: SECONDS_LEFT, patience=0, used=False)
    heard, engine.heard = engine.heard or {}, None
    engine.http.send = send  # type: ignore[method-assign]
    return {**heard, "post": posts[1:]}


def _floor(engine: _Ahead, provider: SlowProvider, messages: list[RefreshMessage], calls: dict[str, list[Any]]) -> Callable[[], Any]:
    """The recorded requests, made again for rows that are copies of ours. The condition of each holds every time, because the generation stays what it was."""
    dynamodb, kms = (boto3.client(service, region_name=REGION) for service in ("dynamodb", "kms"))
    table = engine.settings.table
    lease, store = calls["UpdateItem"]
    (decrypt,), (data_key,), (post,) = calls["Decrypt"], calls["GenerateDataKey"], calls["post"]
    held = store["ExpressionAttributeValues"]
    store = {**store, "ExpressionAttributeValues": {**held, ":set_generation": held[":generation"]}}
    item = dynamodb.get_item(TableName=table, Key=lease["Key"])["Item"]
    copies = [{"pk": {"S": key["pk"] + "-floor"}, "sk": {"S": key["sk"]}} for message in messages for key in message.keys]
    for key in copies:
        dynamodb.put_item(TableName=table, Item={**item, **key, "generation": held[":generation"]})
    numbers = count()

    def refresh(key: dict[str, Any]) -> None:
        dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)
        dynamodb.update_item(**{**lease, "Key": key})
        kms.decrypt(**decrypt)
        kms.generate_data_key(**data_key)
        token = tokens_of(f"floor{next(numbers)}", 1)["refresh_token"]
        answer = requests.post(post["url"], headers=post["headers"], data=urlencode({"grant_type": "refresh_token", "refresh_token": token}), timeout=10)
        assert answer.status_code == 200, answer
        dynamodb.update_item(**{**store, "Key": key})

    def run() -> None:
        for start in range(0, len(copies), KEYS):
            with ThreadPoolExecutor(THREADS) as pool:
                list(pool.map(refresh, copies[start : start + KEYS]))

    return run
