"""The template made real by CloudFormation: every resource is there, as it should be, and a production stage keeps what it holds."""

import json
import uuid
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ops import stack
from ops.errors import StepFailed
from tests.cloud import ROOT, Cloud


class Made:
    """A stage's resources in the embedded AWS."""

    def __init__(self, cloud: Cloud, environment: str) -> None:
        self.stage, self.environment = f"s{uuid.uuid4().hex[:8]}", environment
        self.client = cloud.client
        self.outputs = self.apply()

    def apply(self, project: Path = ROOT, former_keys: str = "") -> dict[str, str]:
        return stack.apply(self.client("cloudformation"), project, self.stage, self.environment, former_keys)

    def statements(self, role: str) -> list[dict[str, Any]]:
        """What a role may do, as it was made."""
        iam, name = self.client("iam"), f"standpipe-{self.stage}-{role}"
        (policy,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
        document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        assert "Fn::" not in json.dumps(document)
        return list(document["Statement"])

    def table(self) -> dict[str, Any]:
        return dict(self.client("dynamodb").describe_table(TableName=self.outputs["Table"])["Table"])


@pytest.fixture(params=["production", "sandbox"])
def made(request: pytest.FixtureRequest, cloud: Cloud) -> Made:
    return Made(cloud, request.param)


def test_the_stack_creates_each_resource(made: Made) -> None:
    table = made.table()
    assert made.outputs["Table"] == f"standpipe-{made.stage}"
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert {index["IndexName"] for index in table["GlobalSecondaryIndexes"]} == {"due", "registration", "organization"}
    assert table.get("DeletionProtectionEnabled", False) is (made.environment == "production")

    kms = made.client("kms")
    assert kms.get_key_rotation_status(KeyId=made.outputs["KeyArn"])["KeyRotationEnabled"] is True
    assert kms.describe_key(KeyId=f"alias/standpipe-{made.stage}")["KeyMetadata"]["Arn"] == made.outputs["KeyArn"]

    for name, output in (("api", "ApiRoleArn"), ("worker", "WorkerRoleArn"), ("sweep", "SweepRoleArn"), ("webhook", "WebhookRoleArn")):
        role = made.client("iam").get_role(RoleName=f"standpipe-{made.stage}-{name}")["Role"]
        assert role["Arn"] == made.outputs[output]
        assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": "lambda.amazonaws.com"}
        sids = [statement["Sid"] for statement in made.statements(name)]
        assert ("SharedCredentials" in sids) is (made.environment == "sandbox" and name in ("api", "worker"))
        assert "OpenOfFormerKeys" not in sids

    logs = {log["logGroupName"]: log["retentionInDays"] for log in made.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/standpipe-{made.stage}")["logGroups"]}
    assert logs == {f"/aws/lambda/standpipe-{made.stage}{function}": 90 for function in ("", "-sweep", "-refresh", "-rescue", "-revoke", "-webhook", "-repair")}


def test_the_stack_makes_queues_with_dead_letters_topics_alarms_and_a_dashboard(made: Made) -> None:
    sqs = made.client("sqs")
    for queue, receives in (("refresh", 5), ("rescue", 100), ("revoke", 50), ("webhook", 50)):
        attributes = sqs.get_queue_attributes(QueueUrl=made.outputs[f"{queue.capitalize()}QueueUrl"], AttributeNames=["All"])["Attributes"]
        redrive = json.loads(attributes["RedrivePolicy"])
        assert int(redrive["maxReceiveCount"]) == receives and redrive["deadLetterTargetArn"].endswith(f":standpipe-{made.stage}-{queue}-dead")
    assert made.client("sns").get_topic_attributes(TopicArn=made.outputs["TopicArn"])["Attributes"]["TopicArn"] == made.outputs["TopicArn"]
    cloudwatch = made.client("cloudwatch")
    alarms = {alarm["AlarmName"] for alarm in cloudwatch.describe_alarms(AlarmNamePrefix=f"standpipe-{made.stage}-")["MetricAlarms"]}
    assert len(alarms) == 11
    assert cloudwatch.get_dashboard(DashboardName=f"standpipe-{made.stage}")["DashboardBody"]


def test_the_table_forgets_what_has_ended_and_can_be_restored_to_any_second() -> None:
    """Read from the template: the embedded AWS takes these properties and does nothing with them."""
    properties = json.loads((ROOT / ".chalice" / "resources.json").read_text())["Resources"]["Table"]["Properties"]
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert properties["SSESpecification"] == {"SSEEnabled": True}


def test_applying_it_again_changes_nothing(made: Made) -> None:
    assert made.apply() == made.outputs


def test_former_keys_are_opened_with_for_as_long_as_they_are_named(cloud: Cloud) -> None:
    made = Made(cloud, "production")
    former = [f"arn:aws:kms:us-east-1:000000000000:key/{number}" for number in (1, 2)]
    made.apply(former_keys=",".join(former))
    for role in ("api", "worker"):
        (opening,) = [statement for statement in made.statements(role) if statement["Sid"] == "OpenOfFormerKeys"]
        assert (opening["Action"], opening["Resource"]) == ("kms:Decrypt", former)
        assert opening["Condition"] == {"StringEquals": {"kms:EncryptionContext:standpipe:stage": made.stage}}
    assert [statement["Sid"] for statement in made.statements("webhook") if former == statement["Resource"]] == ["OpenOfFormerKeys", "OpenOfFormerKeysShared"]
    assert not any("kms" in json.dumps(statement) for statement in made.statements("sweep"))
    made.apply()
    assert not any(statement["Sid"] == "OpenOfFormerKeys" for role in ("api", "worker") for statement in made.statements(role))


def before_the_clock(directory: Path) -> Path:
    """The project with the template of a version that refreshed on fetch alone: one role, one log group, no queue."""
    template = json.loads((ROOT / ".chalice" / "resources.json").read_text())
    del template["Parameters"]["FormerKeyArns"], template["Conditions"]["HasFormerKeys"]
    kept = ("Table", "Key", "KeyAlias", "ApiRole", "ApiLog")
    template["Resources"] = {name: template["Resources"][name] for name in kept}
    (policy,) = template["Resources"]["ApiRole"]["Properties"]["Policies"]
    document = policy["PolicyDocument"]
    document["Statement"] = [statement for statement in document["Statement"] if statement.get("Sid") in ("Rows", "Indexes", "SealAndOpenOfThisStage", "Logs")]
    template["Outputs"] = {name: template["Outputs"][name] for name in ("Table", "KeyArn", "ApiRoleArn")}
    (directory / ".chalice").mkdir()
    (directory / ".chalice" / "resources.json").write_text(json.dumps(template))
    return directory


def test_a_stage_from_before_the_clock_gets_the_rest_and_keeps_what_it_has(cloud: Cloud, tmp_path: Path) -> None:
    old = before_the_clock(tmp_path)
    made = Made.__new__(Made)
    made.stage, made.environment, made.client = f"s{uuid.uuid4().hex[:8]}", "production", cloud.client
    cloudformation = cloud.client("cloudformation")
    parameters = [{"ParameterKey": "Stage", "ParameterValue": made.stage}, {"ParameterKey": "Environment", "ParameterValue": "production"}]
    cloudformation.create_stack(StackName=stack.name_of(made.stage), TemplateBody=(old / ".chalice" / "resources.json").read_text(), Parameters=parameters, Capabilities=["CAPABILITY_NAMED_IAM"])
    cloudformation.get_waiter("stack_create_complete").wait(StackName=stack.name_of(made.stage), WaiterConfig={"Delay": 1})
    before = stack.outputs(cloudformation, made.stage)
    dynamodb = cloud.client("dynamodb")
    dynamodb.put_item(TableName=before["Table"], Item={"pk": {"S": "kept"}, "sk": {"S": "kept"}})

    made.outputs = made.apply()
    assert {name: made.outputs[name] for name in before} == before
    assert dynamodb.get_item(TableName=before["Table"], Key={"pk": {"S": "kept"}, "sk": {"S": "kept"}})["Item"]
    assert {"TopicArn", "RefreshQueueUrl", "RescueQueueUrl", "RevokeQueueUrl", "WebhookQueueUrl", "WorkerRoleArn", "SweepRoleArn", "WebhookRoleArn"} <= made.outputs.keys()
    assert "Keep" in {statement["Sid"] for statement in made.statements("api")}


def test_production_keeps_its_table_and_key_when_its_stack_is_removed(cloud: Cloud) -> None:
    made = Made(cloud, "production")
    made.client("cloudformation").delete_stack(StackName=stack.name_of(made.stage))
    assert made.table()["TableStatus"] == "ACTIVE"
    assert made.client("kms").describe_key(KeyId=made.outputs["KeyArn"])["KeyMetadata"]["KeyState"] == "Enabled"
    with pytest.raises(made.client("dynamodb").exceptions.ClientError, match="protection"):
        made.client("dynamodb").delete_table(TableName=made.outputs["Table"])


def test_what_cloudformation_refuses_is_told_in_its_own_words(cloud: Cloud, tmp_path: Path) -> None:
    template = json.loads((ROOT / ".chalice" / "resources.json").read_text())
    template["Resources"]["Nothing"] = {"Type": "AWS::No::Thing"}
    (tmp_path / ".chalice").mkdir()
    (tmp_path / ".chalice" / "resources.json").write_text(json.dumps(template))
    with pytest.raises(StepFailed, match=r"(?s)Creating the resources failed: .*AWS::No::Thing.*What to do: "):
        stack.apply(cloud.client("cloudformation"), tmp_path, f"s{uuid.uuid4().hex[:8]}", "sandbox")


class Scripted:
    """CloudFormation as it behaves when something fails: the statuses come one after the other, the last one stays."""

    meta = SimpleNamespace(endpoint_url="http://localhost")

    def __init__(self, *statuses: str, there: bool, failed: dict[str, str], changes: bool = True) -> None:
        self.statuses, self.there, self.changes = list(statuses), there, changes
        started = {"LogicalResourceId": "standpipe-x", "PhysicalResourceId": "the id", "ResourceStatus": "UPDATE_IN_PROGRESS" if there else "CREATE_IN_PROGRESS"}
        new = [{"LogicalResourceId": name, "PhysicalResourceId": "", "ResourceStatus": "CREATE_FAILED", "ResourceStatusReason": reason} for name, reason in failed.items()]
        self.events = [*reversed(new), started, {**started, "ResourceStatus": "UPDATE_FAILED", "ResourceStatusReason": "of last year"}]

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        if StackName == "standpipe-x" and not self.there:
            raise ClientError({"Error": {"Code": "ValidationError", "Message": "Stack with id standpipe-x does not exist"}}, "DescribeStacks")
        if StackName == "the id":
            return {"Stacks": [{"StackStatus": self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]}]}
        return {"Stacks": [{"StackStatus": self.statuses[0], "Outputs": [{"OutputKey": "Table", "OutputValue": "t"}]}]}

    def describe_stack_events(self, StackName: str) -> dict[str, Any]:
        assert StackName == "the id", "by name it is gone once it is deleted"
        return {"StackEvents": self.events}

    def create_stack(self, **_: Any) -> dict[str, str]:
        assert not self.there
        return {"StackId": "the id"}

    def update_stack(self, **_: Any) -> dict[str, str]:
        if not self.changes:
            raise ClientError({"Error": {"Code": "ValidationError", "Message": "No updates are to be performed."}}, "UpdateStack")
        return {"StackId": "the id"}


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack.time, "sleep", lambda _: None)


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize(
    ("there", "statuses"),
    [(False, ["CREATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "DELETE_COMPLETE"]), (True, ["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"])],
)
def test_the_first_cause_is_told_when_a_stack_is_taken_back(there: bool, statuses: list[str]) -> None:
    failing = Scripted(*statuses, there=there, failed={"Key": "no permission", "ApiRole": "Resource creation cancelled"})
    with pytest.raises(StepFailed) as told:
        stack.apply(failing, ROOT, "x", "sandbox")
    assert told.value.what == "Key: no permission; ApiRole: Resource creation cancelled"


@pytest.mark.usefixtures("no_waiting")
def test_a_change_that_failed_once_does_not_fail_every_deployment_after_it() -> None:
    assert stack.apply(Scripted("UPDATE_ROLLBACK_COMPLETE", there=True, failed={}, changes=False), ROOT, "x", "sandbox") == {"Table": "t"}


def test_a_message_that_is_never_handled_ends_among_the_dead_letters_and_the_others_go_on(cloud: Cloud) -> None:
    """Case 57, as SQS counts it."""
    made = Made(cloud, "sandbox")
    sqs, url = made.client("sqs"), made.outputs["RefreshQueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="poison")
    for _ in range(5):
        (message,) = sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)["Messages"]
        assert message["Body"] == "poison"
    sqs.send_message(QueueUrl=url, MessageBody="good")
    bodies = [message["Body"] for _ in range(3) for message in sqs.receive_message(QueueUrl=url, VisibilityTimeout=60).get("Messages", [])]
    assert bodies == ["good"]
    (dead,) = sqs.receive_message(QueueUrl=f"{url}-dead")["Messages"]
    assert dead["Body"] == "poison"
