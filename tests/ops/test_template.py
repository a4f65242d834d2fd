"""The CloudFormation template: valid, and a role in it may do what its functions need and nothing else."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint_file

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
    assert len(alarms) == 10
    for alarm in alarms:
        assert len(alarm["AlarmDescription"]) > 80 and alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}]


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
