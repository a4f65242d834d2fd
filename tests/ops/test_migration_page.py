"""docs/migration.md against the commands it describes."""

import argparse
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest

from ops.migration import commands, handing, placing
from ops.migration.rows import OWN, PLAIN
from ops.migration.scanning import Chosen
from ops.migration.sources import NANGO_METHODS
from tests.cloud import Cloud, Stage
from tests.ops import hooks
from tests.ops.exports import export
from tests.ops.imported_rows import read
from tests.ops.migrations import bring, key, lines, one, registered, row

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "migration.md").read_text()


def section(title: str) -> str:
    return PAGE.split(f" {title}\n", 1)[1].split("\n## ")[0].split("\n### ")[0]


def named(text: str) -> set[str]:
    """What the first cells of its tables name."""
    return {name for line in text.splitlines() if line.startswith("| `") for name in re.findall(r"`([^`]+)`", line.split("|")[1])}


def parsers() -> dict[str, argparse.ArgumentParser]:
    made: Any = argparse.ArgumentParser().add_subparsers()
    commands.add(made, lambda _stage: {})
    return dict(made.choices)


def test_every_column_is_explained() -> None:
    assert named(section("From anything")) == set(PLAIN)
    assert all(f"`{name}`" in section("What is in the file") for name in OWN if name != "handed_over")


def test_every_result_is_explained() -> None:
    assert named(section("The plan")) == {*get_args(placing.Result), "failed"}


def test_every_type_of_nango_is_named() -> None:
    assert all(f"`{name}`" in section("From Nango") for name in NANGO_METHODS)


@pytest.mark.parametrize("name", ["import", "export", "hand-over", "take-over"])
def test_every_word_of_a_command_is_explained_and_no_other(name: str) -> None:
    known = {option for action in parsers()[name]._actions for option in action.option_strings if option.startswith("--")}
    assert {option for option in known - {"--help", "--stage"} if option not in PAGE} == set()
    for command in re.findall(rf"python -m ops {name} (.*?)(?:#.*)?$", PAGE, re.MULTILINE):
        assert set(re.findall(r"--[a-z-]+", command)) <= known, command


def test_the_rows_of_workos_that_it_shows_are_rows() -> None:
    shown = section("From WorkOS").split("```json\n")[1].split("```")[0].replace('"…": "…"', '"user_id": "u"')
    entries = [json.loads(each.replace("…", "2031-01-01T00:00:00Z" if "expires" in each else "x")) for each in re.split(r"\n(?=\{)", shown.strip())]
    rows = [read(json.dumps(entry), "workos")[0] for entry in entries]

    assert len(rows) == 3 and [getattr(each, "auth_method", str(each)) for each in rows] == ["oauth", "oauth", "api_key"]


def test_what_an_operator_needs_to_be_allowed(cloud: Cloud, tmp_path: Path) -> None:
    old, new = cloud.stage(), cloud.stage()
    registered(old)
    registered(new)
    with hooks.actions_noted() as calls:
        bring(old.engine(), lines(tmp_path / "rows.jsonl", row("ana"), row("bo")))
        bring(old.engine(), lines(tmp_path / "more.jsonl", row("eve", **{name: row("ana")[name] for name in ("access_token", "refresh_token")})))
        export(old.engine(), tmp_path / "all.export")
        bring(new.engine(), tmp_path / "all.export", identity=key(tmp_path)[0])
        for way in ("hand-over", "take-over"):
            handing.run(new.engine(), way, Chosen(), confirm=lambda _: True, say=lambda _: None)  # type: ignore[arg-type]

    assert calls == {f"dynamodb:{name}" for name in ("Scan", "Query", "GetItem", "PutItem", "UpdateItem", "DeleteItem")} | {"kms:Decrypt", "kms:GenerateDataKey", "sns:Publish"}
    assert [call for call in calls if f"`{call.split(':')[1]}`" not in section("Permissions")] == []


def test_an_import_without_the_topic_is_told_by_the_next_sweep(stage: Stage, tmp_path: Path) -> None:
    registered(stage)
    mute = Stage(stage.cloud, {**stage.environ, "STANDPIPE_TOPIC_ARN": stage.environ["STANDPIPE_TOPIC_ARN"] + "-gone"})
    assert bring(mute.engine(), lines(tmp_path / "rows.jsonl", row())).counts["imported"] == 1
    engine = stage.engine()
    engine.now = lambda: datetime.now(UTC) + timedelta(minutes=10)  # type: ignore[method-assign]

    assert one(engine).state == "connected"
    assert engine.sweep.run(lambda: 60.0).drained.published == 1
