"""A warm token fetch through the real Lambda handler, against what nobody can do without: one strong read and one open of the same row.

The floor is a default boto3 client and the encryption SDK with the same caching as ours, no more: no HTTP event, no caller to
authenticate, no JSON, no checks. What the handler costs beyond that is what Standpipe adds.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.domain.lifecycle import Transition, new_connection_id
from chalicelib.domain.models import Connection, Owner
from chalicelib.domain.secret import Secret
from chalicelib.domain.tokens import TokenSet
from chalicelib.doors import keys
from chalicelib.doors.crypto import token_facts
from tests.bench.events import Context, fetch_event
from tests.bench.table import Row
from tests.cloud import REGION, Stage

ROUNDS = 60
CALLS = 50  # a round of each side: short enough that both meet the same weather, long enough for the clock
SLUG = "google"
OWNER = Owner(user_id="user_01HXA2B3C4D5E6F7G8H9JKMNPQ", organization_id="org_01HXA2B3C4D5E6F7G8H9JKMNPQ")


@dataclass(frozen=True)
class Scene:
    """A stage with one connection and one API key in it."""

    stage: Stage
    environ: dict[str, str]
    event: dict[str, Any]
    key: dict[str, str]


def prepare(stage: Stage) -> Scene:
    """Everything is stored and sealed by our own code, the sizes are Google's."""
    engine, now = stage.engine(), datetime.now(UTC)
    scopes = tuple(f"https://www.googleapis.com/auth/{name}" for name in ("calendar.readonly", "drive.readonly", "gmail.readonly"))
    connection = Connection(
        id=new_connection_id(now),
        user_id=OWNER.user_id,
        organization_id=OWNER.organization_id,
        slug=SLUG,
        registration_id="data_integration_01HXA2B3C4D5E6F7G8H9JKMNPQ",
        live_registration_id="data_integration_01HXA2B3C4D5E6F7G8H9JKMNPQ",
        state="connected",
        generation=1,
        refreshable=True,
        scopes_requested=scopes,
        scopes_granted=scopes,
        expires_at=now + timedelta(days=1),
        token_life=86400,
        refresh_due_at=now + timedelta(hours=19),
        external_account_id="116543210987654321098",
        external_name="ada@example.com",
        created_at=now,
        updated_at=now,
        connected_at=now,
        refreshed_at=now,
        last_used_at=now,
    )
    tokens = TokenSet(Secret("ya29." + "a" * 218), Secret("1//" + "r" * 100))
    sealed = engine.sealer.seal(tokens.to_payload(), token_facts(connection))
    engine.store.commit(Transition(None, replace(connection, sealed=sealed)))
    _record, api_key = engine.api_keys.create("bench")
    event = fetch_event(SLUG, api_key, {"user_id": OWNER.user_id, "organization_id": OWNER.organization_id})
    return Scene(stage, {**stage.cloud.environ, **stage.environ}, event, keys.connection(OWNER, SLUG))


def measure(scene: Scene, *, rounds: int = ROUNDS) -> list[Row]:
    """CPU and wall seconds of one call, a round each."""
    os.environ.update(scene.environ)
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):  # the handler writes its journal line as it always does
        ours, floor = _ours(scene.event), _floor(scene)
        taken: dict[Callable[[], Any], list[tuple[float, float]]] = {ours: [], floor: []}
        for side in (ours, floor) * 4:
            _round(side)
        for number in range(rounds):
            for side in (ours, floor) if number % 2 else (floor, ours):
                taken[side].append(_round(side))
    return [
        Row(f"warm fetch, {rounds * CALLS} calls", clock, [pair[index] for pair in taken[ours]], [pair[index] for pair in taken[floor]], target)
        for index, (clock, target) in enumerate((("cpu", 1.15), ("wall", None)))
    ]


def _round(side: Callable[[], Any]) -> tuple[float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(CALLS):
        side()
    return (time.process_time() - cpu) / CALLS, (time.perf_counter() - wall) / CALLS


def _ours(event: dict[str, Any]) -> Callable[[], Any]:
    import app

    context = Context()

    def fetch() -> Any:
        return app.app(event, context)

    answer = fetch()
    if answer["statusCode"] != 200 or not json.loads(answer["body"])["active"]:
        sys.exit(f"the fetch to measure does not work: {answer}")
    return fetch


def _floor(scene: Scene) -> Callable[[], Any]:
    import aws_encryption_sdk as esdk
    import boto3

    dynamodb = boto3.client("dynamodb", region_name=REGION)
    kms = boto3.client("kms", region_name=REGION)
    client = esdk.EncryptionSDKClient(commitment_policy=esdk.CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT, max_encrypted_data_keys=1)
    manager = esdk.CachingCryptoMaterialsManager(
        backing_materials_manager=esdk.DefaultCryptoMaterialsManager(master_key_provider=esdk.key_providers.kms.KMSMasterKey(key_id=scene.environ["STANDPIPE_KEY_ARN"], client=kms)),
        cache=esdk.LocalCryptoMaterialsCache(1000),
        max_age=300.0,
        max_messages_encrypted=10_000,
        partition_name="floor",
    )
    key = {name: {"S": value} for name, value in scene.key.items()}

    def read_and_open() -> Any:
        item = dynamodb.get_item(TableName=scene.stage.table, Key=key, ConsistentRead=True)["Item"]
        return client.decrypt(source=item["sealed"]["B"], materials_manager=manager)

    read_and_open()
    return read_and_open
