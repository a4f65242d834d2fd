"""A link as it is after ten minutes: its row in the sandbox's table says it has ended."""

from datetime import UTC, datetime, timedelta

import boto3

from chalicelib.domain.events import timestamp
from chalicelib.doors import keys
from ops.local.sandbox import Sandbox


def expire(sandbox: Sandbox, link: str) -> None:
    environ = sandbox.environ
    dynamodb = boto3.client(
        "dynamodb",
        endpoint_url=environ["AWS_ENDPOINT_URL"],
        region_name=environ["AWS_DEFAULT_REGION"],
        aws_access_key_id=environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environ["AWS_SECRET_ACCESS_KEY"],
    )
    pending_id = link.rsplit("/", 1)[1].split(".")[0]
    dynamodb.update_item(
        TableName=environ["STANDPIPE_TABLE"],
        Key={name: {"S": value} for name, value in keys.pending(pending_id).items()},
        UpdateExpression="SET expires_at = :past",
        ConditionExpression="attribute_exists(pk)",
        ExpressionAttributeValues={":past": {"S": timestamp(datetime.now(UTC) - timedelta(seconds=1))}},
    )
