"""docs/scale.md says what tests/bench/scale.py computes, and what that starts from is so."""

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from moto import mock_aws

from chalicelib.domain.settings import PREFIX, Settings
from chalicelib.doors import keys
from chalicelib.doors.crypto import Sealer
from chalicelib.engine.messages import KEYS, RefreshMessage
from tests.bench import rows, scale
from tests.bench.provider import tokens_of
from tests.cloud import REGION, ROOT

PAGE = (ROOT / "docs" / "scale.md").read_text()
WRAPPED_BYTES = 184  # of a data key of 32 bytes, by the KMS of AWS; an emulator's may be shorter
SQS_CHUNK = 64 * 1024  # billed as one call


@pytest.fixture(scope="module")
def kms() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("kms", region_name=REGION)


def section(name: str) -> str:
    found = re.search(rf"<!-- {name}: .*?-->\n\n(.*?)\n\n", PAGE, re.DOTALL)
    assert found is not None, name
    return found[1]


@pytest.mark.parametrize("name", scale.TABLES)
def test_the_page_shows_what_is_computed(name: str) -> None:
    assert section(name) == scale.TABLES[name]()


def test_the_page_names_no_setting_there_is_not() -> None:
    known = {f"{PREFIX}{field.name.upper()}" for field in fields(Settings)}
    named = set(re.findall(rf"{PREFIX}[A-Z_]+", PAGE))
    assert named and named <= known


def test_a_row_and_its_entries_are_as_long_as_said(kms: Any) -> None:
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    now = datetime.now(UTC)
    connection = rows.sealed(Sealer(kms, arn, "t0123456789", "bound"), rows.connection(rows.owner(1), now, now), tokens_of("g", 1))
    row = rows.item(connection, 16)
    shorter = WRAPPED_BYTES - len(kms.generate_data_key(KeyId=arn, KeySpec="AES_256")["CiphertextBlob"])
    assert abs(rows.item_bytes(row) + shorter - scale.ROW_BYTES) <= 20
    assert abs(rows.entry_bytes(row, "due_shard", "refresh_due_at") - scale.DUE_ENTRY_BYTES) <= 5
    assert abs(rows.entry_bytes(row, "live_registration_id", "id") - scale.REGISTRATION_ENTRY_BYTES) <= 5


def test_ten_messages_are_billed_as_one_call() -> None:
    body = RefreshMessage(rows.SLUG, tuple(keys.connection(rows.owner(number), rows.SLUG) for number in range(KEYS))).body()
    assert 10 * len(json.dumps(body)) < SQS_CHUNK


def test_more_connections_need_and_cost_more() -> None:
    few, many = scale.Load(10_000), scale.Load(1_000_000)
    assert all(figure.of(few) <= figure.of(many) for figure in (*scale.NEEDS, *scale.COSTS))


def test_a_limit_is_reached_where_it_is_full() -> None:
    for limit in scale.LIMITS:
        at = scale.reached(limit)
        assert limit.needs(scale.Load(at * 1.01)) > limit.quota >= limit.needs(scale.Load(at * 0.99))


def test_what_a_million_of_each_cost_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    load = scale.Load(1_000_000)
    whole, fetches, refreshes = scale.total(load), load.fetches * scale.MONTH, load.refreshes * scale.MONTH
    monkeypatch.setattr(scale, "FETCHES_A_DAY", 0)
    clock = scale.total(load)
    assert f"**${(whole - clock) / fetches * 1e6:.1f}**" in PAGE
    monkeypatch.setattr(scale, "LIFE", rows.LIFE * 2)
    assert f"**${(clock - scale.total(load)) / (refreshes / 2) * 1e6:.1f} for a million refreshes**" in PAGE
