"""The CloudFormation template: valid, and a role in it may do what its functions need and nothing else."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from cfnlint.api import lint_file

from chalicelib.doors.journal import NAMESPACE
from chalicelib.engine.refresh import ALARM, Bucket

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / ".chalice" / "resources.json"
RESOURCES: dict[str, Any] = json.loads(TEMPLATE.read_text())["Resources"]
ROLES = {name: resource for name, resource in RESOURCES.items() if resource["Type"] == "AWS::IAM::Role"}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(role: str) -> Iterator[dict[str, Any]]:
    """Every statement of a role's policies, also those under a condition of the template."""
    for policy in ROLES[role]["Properties"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            yield statement["Fn::If"][1] if "Fn::If" in statement else statement


def test_it_is_short_enough_to_be_sent_with_the_request() -> None:
    """CloudFormation takes 51,200 bytes so; more would need a bucket."""
    assert len(json.dumps(json.loads(TEMPLATE.read_text()), separators=(",", ":"))) < 51_200


def test_every_alarm_says_what_it_means_and_tells_somebody() -> None:
    alarms = [resource["Properties"] for resource in RESOURCES.values() if resource["Type"] == "AWS::CloudWatch::Alarm"]
    assert len(alarms) == 11
    for alarm in alarms:
        assert len(alarm["AlarmDescription"]) > 80 and alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}]


def counted() -> tuple[set[str], set[str]]:
    """Metrics the code writes with the dimensions stage and outcome, and those with the stage alone."""
    by_outcome, by_stage = set(), {ALARM}
    for file in sorted((ROOT / "chalicelib").rglob("*.py")):
        for call in ast.walk(ast.parse(file.read_text())):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "journal.count":
                by_outcome.add(ast.literal_eval(call.args[0]))
                by_stage |= {named.value.value for named in call.keywords if named.arg == "alarm" and isinstance(named.value, ast.Constant)}
            elif isinstance(call, ast.Assign) and ast.unparse(call.targets[0]) == "units":
                by_stage |= ast.literal_eval(call.value).keys()
    return by_outcome, by_stage


def shown() -> Iterator[tuple[str, dict[str, str]]]:
    """Every metric of ours that an alarm watches or the dashboard shows, with its dimensions."""
    for resource in RESOURCES.values():
        properties = resource["Properties"]
        if resource["Type"] == "AWS::CloudWatch::Alarm" and properties["Namespace"] == NAMESPACE:
            yield properties["MetricName"], {each["Name"]: str(each["Value"]) for each in properties["Dimensions"]}
        elif resource["Type"] == "AWS::CloudWatch::Dashboard":
            for widget in json.loads(properties["DashboardBody"]["Fn::Sub"])["widgets"]:
                for namespace, metric, *dimensions in widget["properties"]["metrics"]:
                    if namespace == NAMESPACE:
                        words = [word for word in dimensions if isinstance(word, str)]
                        yield metric, dict(zip(words[::2], words[1::2], strict=True))


def test_what_alarms_watch_and_the_dashboard_shows_is_what_the_code_counts() -> None:
    """A metric nobody writes is an alarm that never rings."""
    by_outcome, by_stage = counted()
    found = list(shown())
    assert {metric for metric, dimensions in found if dimensions.keys() == {"stage", "outcome"}} <= by_outcome
    assert {metric for metric, dimensions in found if dimensions.keys() == {"stage"}} <= by_stage
    assert {frozenset(dimensions) for _, dimensions in found} <= {frozenset({"stage", "outcome"}), frozenset({"stage"})}
    assert sorted(dimensions["outcome"] for metric, dimensions in found if metric == "refresh") == sorted(get_args(Bucket))


def test_cfn_lint_has_nothing_to_say() -> None:
    assert lint_file(TEMPLATE) == []


@pytest.mark.parametrize("role", ROLES)
def test_a_role_names_its_actions_and_resources(role: str) -> None:
    for statement in statements(role):
        assert statement["Effect"] == "Allow"
        assert not any("*" in action for action in listed(statement["Action"])), statement
        assert "*" not in listed(statement["Resource"]), statement
        assert "NotAction" not in statement and "NotResource" not in statement


def actions_of(role: str) -> set[str]:
    return {action for statement in statements(role) for action in listed(statement["Action"])}


@pytest.mark.parametrize("role", ROLES)
def test_no_role_changes_a_table_and_who_reads_a_whole_one_opens_nothing_in_it(role: str) -> None:
    actions = actions_of(role)
    assert not actions & {"dynamodb:CreateTable", "dynamodb:DeleteTable", "dynamodb:UpdateTable"}
    assert "dynamodb:Scan" not in actions or not any(action.startswith("kms:") for action in actions)
    assert not any(action.startswith(("iam:", "sts:", "cloudformation:")) for action in actions)


@pytest.mark.parametrize("role", ROLES)
def test_a_stage_s_key_is_used_with_the_stage_in_the_encryption_context_only(role: str) -> None:
    used = [statement for statement in statements(role) if any(action.startswith("kms:") for action in listed(statement["Action"]))]
    for statement in used:
        assert statement["Condition"]["StringEquals"]["kms:EncryptionContext:standpipe:stage"] == {"Ref": "Stage"}


def test_what_holds_data_outlives_its_stack() -> None:
    holding = {name: resource for name, resource in RESOURCES.items() if resource["Type"] in ("AWS::DynamoDB::Table", "AWS::KMS::Key")}
    assert {resource["DeletionPolicy"] for resource in holding.values()} <= {"Retain", "RetainExceptOnCreate"}
    assert {resource["UpdateReplacePolicy"] for resource in holding.values()} == {"Retain"}


def test_the_key_itself_opens_nothing_without_the_stage_in_the_context_whoever_asks() -> None:
    (policy,) = [resource["Properties"]["KeyPolicy"] for resource in RESOURCES.values() if resource["Type"] == "AWS::KMS::Key"]
    (refusal,) = [statement for statement in policy["Statement"] if statement["Effect"] == "Deny"]
    assert refusal["Principal"] == "*"
    assert {"kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*"} == set(refusal["Action"])
    # Also true where there is no such context at all.
    assert refusal["Condition"] == {"StringNotEquals": {"kms:EncryptionContext:standpipe:stage": {"Ref": "Stage"}}}
