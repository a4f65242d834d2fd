"""What the embedded AWS refuses to a role: as AWS does, where it would not by itself."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from ops.local.sandbox import REGION, Sandbox, free_port

ACCOUNT = "000000000000"
TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com", "AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}]}
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"
CODE = b"PK\x05\x06" + bytes(18)  # an empty zip

Client = Callable[..., Any]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Clients of an embedded AWS as `make run` starts it; of its operator, or of a session's credentials."""
    sandbox = Sandbox(tmp_path_factory.mktemp("aws"), port=free_port(), say=lambda _: None)

    def make(service: str, **credentials: str) -> Any:
        given = credentials or {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return boto3.client(service, endpoint_url=sandbox.aws, region_name=REGION, **given)

    try:
        sandbox._start_cloud()
        make("sqs").create_queue(QueueName="q")
        yield make
    finally:
        sandbox.stop()


def role(client: Client, name: str, *actions: str, resource: str = QUEUE, **more: Any) -> str:
    """A role that may do `actions` and nothing else."""
    iam = client("iam")
    arn = str(iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"])
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    return arn


def acting(client: Client, service: str, arn: str) -> Any:
    """A client with a session of the role."""
    session = client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    return client(service, aws_access_key_id=session["AccessKeyId"], aws_secret_access_key=session["SecretAccessKey"], aws_session_token=session["SessionToken"])


def batch(sqs: Any, url: str) -> Any:
    return sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": "0", "MessageBody": "m"}])


def test_a_batch_is_granted_as_the_single_call(client: Client) -> None:
    url = client("sqs").get_queue_url(QueueName="q")["QueueUrl"]
    assert batch(acting(client, "sqs", role(client, "sender", "sqs:SendMessage")), url)["Successful"]
    for name, granted in (("reader", {"actions": "sqs:ReceiveMessage"}), ("elsewhere", {"actions": "sqs:SendMessage", "resource": f"{QUEUE}-2"})):
        arn = role(client, name, granted["actions"], resource=granted.get("resource", QUEUE))
        with pytest.raises(ClientError, match="AccessDenied"):
            batch(acting(client, "sqs", arn), url)


POLLED = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")


@pytest.mark.parametrize("missing", [None, *POLLED])
def test_a_trigger_is_made_only_if_its_function_may_read_the_queue(client: Client, missing: str | None) -> None:
    name = f"f-{(missing or 'all').rsplit(':', 1)[-1]}"
    functions = client("lambda")
    arn = role(client, name, *(action for action in POLLED if action != missing))
    functions.create_function(FunctionName=name, Runtime="python3.11", Role=arn, Handler="a.a", Code={"ZipFile": CODE})
    asked = {"FunctionName": name, "EventSourceArn": QUEUE, "BatchSize": 1, "Enabled": False}
    if missing is None:
        assert functions.create_event_source_mapping(**asked)["EventSourceArn"] == QUEUE
        return
    with pytest.raises(ClientError, match=f"does not have permissions to call {missing.removeprefix('sqs:')} on SQS"):
        functions.create_event_source_mapping(**asked)


def test_a_row_is_reached_by_a_partition_key_that_the_role_names_only(client: Client) -> None:
    dynamodb, arn = client("dynamodb"), f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/rows"
    keys = [{"AttributeName": name, "KeyType": kind} for name, kind in (("pk", "HASH"), ("sk", "RANGE"))]
    types = [{"AttributeName": key["AttributeName"], "AttributeType": "S"} for key in keys]
    dynamodb.create_table(TableName="rows", KeySchema=keys, AttributeDefinitions=types, BillingMode="PAY_PER_REQUEST")
    condition = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["hooks", "log#*"]}}
    actions = [f"dynamodb:{action}" for action in ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query")]
    acts = acting(client, "dynamodb", role(client, "hooks", *actions, resource=arn, Condition=condition))

    def asked(pk: str) -> Iterator[Callable[[], Any]]:
        key = {"pk": {"S": pk}, "sk": {"S": "1"}}
        yield lambda: acts.put_item(TableName="rows", Item=key)
        yield lambda: acts.get_item(TableName="rows", Key=key)
        yield lambda: acts.update_item(TableName="rows", Key=key, UpdateExpression="SET a = :a", ExpressionAttributeValues={":a": {"S": "b"}})
        yield lambda: acts.query(TableName="rows", KeyConditionExpression="pk = :pk AND sk > :sk", ExpressionAttributeValues={":pk": {"S": pk}, ":sk": {"S": "0"}})
        yield lambda: acts.transact_write_items(TransactItems=[{"Put": {"TableName": "rows", "Item": {"pk": {"S": "hooks"}, "sk": {"S": f"of {pk}"}}}}, {"Delete": {"TableName": "rows", "Key": key}}])
        yield lambda: acts.delete_item(TableName="rows", Key=key)

    for pk in ("hooks", "log#2026-03-01#1"):
        for call in asked(pk):
            call()
    for pk in ("owner#-#ana", "hooks2", "api_keys"):
        for call in asked(pk):
            with pytest.raises(ClientError, match="AccessDenied"):
                call()


def test_a_key_is_used_with_the_context_that_the_role_names_only(client: Client) -> None:
    key = client("kms").create_key()["KeyMetadata"]["Arn"]
    condition = {"StringEquals": {"kms:EncryptionContext:standpipe:stage": "prod"}}
    kms = acting(client, "kms", role(client, "sealer", "kms:GenerateDataKey", "kms:Decrypt", resource=key, Condition=condition))
    made = kms.generate_data_key(KeyId=key, NumberOfBytes=32, EncryptionContext={"standpipe:stage": "prod"})
    assert kms.decrypt(KeyId=key, CiphertextBlob=made["CiphertextBlob"], EncryptionContext={"standpipe:stage": "prod"})["Plaintext"] == made["Plaintext"]
    for context in ({"standpipe:stage": "other"}, {}):
        with pytest.raises(ClientError, match="AccessDenied"):
            kms.generate_data_key(KeyId=key, NumberOfBytes=32, EncryptionContext=context)
