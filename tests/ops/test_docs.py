"""docs/deploy.md against what it describes."""

import json
import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from chalicelib.domain.settings import PREFIX, Settings
from ops import stack
from tests.ops.iam import Role

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "deploy.md").read_text()
CONFIG = json.loads((ROOT / ".chalice" / "config.json").read_text())
RESOURCES = json.loads((ROOT / ".chalice" / "resources.json").read_text())["Resources"]


def rows(first: str, text: str = PAGE) -> dict[str, list[str]]:
    """Rows of the tables whose first cell is code: by that code, the other cells."""
    found = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `") and re.match(first, cells[0].strip("`")):
            for name in re.findall(r"`([^`]+)`", cells[0]):
                found[name] = cells[1:]
    return found


def test_every_setting_is_explained_with_its_default() -> None:
    explained = rows(PREFIX)
    assert set(explained) == {f"{PREFIX}{field.name.upper()}" for field in fields(Settings)}
    for field in fields(Settings):
        default = explained[f"{PREFIX}{field.name.upper()}"][0]
        if field.default is MISSING:
            assert default in ("none", "written")
        else:
            shown = {(): "empty", "": "empty", False: "`false`"}.get(field.default, f"`{field.default}`")
            assert default == shown, field.name


def test_everything_in_the_configuration_is_explained() -> None:
    explained = rows("")
    names = {name for name in CONFIG if name not in ("version", "app_name", "stages")}
    for section in CONFIG["stages"].values():
        for name, value in section.items():
            if name != "environment_variables":
                names |= {f"{name}.{inner}" for inner in value} if isinstance(value, dict) else {name}
    assert names <= set(explained)


@pytest.mark.parametrize("role", ["ApiRole", "WorkerRole", "SweepRole", "WebhookRole"])
def test_every_statement_of_a_role_is_explained(role: str) -> None:
    made = Role(role, "prod", "sandbox", "arn:aws:kms:us-east-1:000000000000:key/k", former_keys=["arn:aws:kms:us-east-1:000000000000:key/f"])
    assert {statement["Sid"] for statement in made.statements} <= set(rows("[A-Z]"))


def named(kind: str, name: str) -> set[str]:
    """What the template calls its resources of a kind, after the stage."""
    return {resource["Properties"][name]["Fn::Sub"].removeprefix("standpipe-${Stage}-") for resource in RESOURCES.values() if resource["Type"] == kind}


def test_every_alarm_is_explained_with_what_to_do() -> None:
    section = PAGE.split("\n## Alarms\n")[1].split("\n## ")[0]
    explained = rows("", section)
    assert explained.keys() == named("AWS::CloudWatch::Alarm", "AlarmName")
    assert all(means and do for means, do in explained.values())
    assert {f"standpipe-<stage>-{topic}" for topic in named("AWS::SNS::Topic", "TopicName") - {"events"}} <= set(re.findall(r"`([^`]+)`", section))


def test_every_function_is_explained_with_its_role_and_its_time() -> None:
    functions, queues = PAGE.split("\n### Functions\n")[1].split("\n### ")[0].split("\n| queue |")
    timeouts = {"": CONFIG["lambda_timeout"], **{f"-{name}": function["lambda_timeout"] for name, function in CONFIG["lambda_functions"].items()}}
    roles = {"": stack.ROLE, **{f"-{name}": role for name, role in stack.ROLES.items()}}
    assert timeouts.keys() == roles.keys()
    for suffix, seconds in timeouts.items():
        cells = rows("", functions)[f"standpipe-<stage>{suffix}"]
        assert cells[-1] == f"{seconds} s" and cells[-2] == f"`{roles[suffix].removesuffix('Arn')}`", suffix
    assert rows("", queues).keys() == {f"standpipe-<stage>-{name}" for name in named("AWS::SQS::Queue", "QueueName") if not name.endswith("-dead")}
