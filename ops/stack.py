"""The resources of a stage, by CloudFormation: the same template for the local cloud and for AWS."""

import json
import time
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from ops.errors import StepFailed

STEP = "Creating the resources"
# Template output -> where the deployment needs it.
SETTINGS = {
    "Table": "STANDPIPE_TABLE",
    "KeyArn": "STANDPIPE_KEY_ARN",
    "TopicArn": "STANDPIPE_TOPIC_ARN",
    "RefreshQueueUrl": "STANDPIPE_REFRESH_QUEUE_URL",
    "RescueQueueUrl": "STANDPIPE_RESCUE_QUEUE_URL",
    "RevokeQueueUrl": "STANDPIPE_REVOKE_QUEUE_URL",
    "WebhookQueueUrl": "STANDPIPE_WEBHOOK_QUEUE_URL",
}
ROLE = "ApiRoleArn"
# Function -> the output with its role's ARN. What sweeps cannot open anything; what opens cannot read the whole table; what calls webhooks opens no token.
ROLES = {"sweep": "SweepRoleArn", "repair": "SweepRoleArn", "refresh": "WorkerRoleArn", "rescue": "WorkerRoleArn", "revoke": "WorkerRoleArn", "webhook": "WebhookRoleArn"}


def name_of(stage: str) -> str:
    return f"standpipe-{stage}"


def apply(cloudformation: Any, project: Path, stage: str, environment: str, former_keys: str = "") -> dict[str, str]:
    """Creates or updates the stack and waits; returns its outputs. Raises StepFailed with CloudFormation's own reasons."""
    template = json.dumps(json.loads((project / ".chalice" / "resources.json").read_text()), separators=(",", ":"))
    request = {
        "StackName": name_of(stage),
        "TemplateBody": template,
        "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in (("Stage", stage), ("Environment", environment), ("FormerKeyArns", former_keys))],
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
    }
    try:
        if _exists(cloudformation, stage):
            started = cloudformation.update_stack(**request)
        else:
            started = cloudformation.create_stack(**request, OnFailure="DELETE")
    except ClientError as error:
        if "No updates are to be performed" in str(error):
            return outputs(cloudformation, stage)
        raise StepFailed(STEP, str(error), "If it is about permissions: these credentials need CloudFormation, DynamoDB, KMS, SQS, SNS, CloudWatch, IAM and Logs.") from None
    _wait(cloudformation, stage, started["StackId"])
    return outputs(cloudformation, stage)


def outputs(cloudformation: Any, stage: str) -> dict[str, str]:
    (stack,) = cloudformation.describe_stacks(StackName=name_of(stage))["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def _exists(cloudformation: Any, stage: str) -> bool:
    try:
        cloudformation.describe_stacks(StackName=name_of(stage))
    except ClientError as error:
        if "does not exist" in str(error):
            return False
        raise
    return True


def _wait(cloudformation: Any, stage: str, stack_id: str) -> None:
    """Asks by the stack's id, which goes on to answer when a stack that could not be made is deleted again."""
    seen = ""
    while True:
        (stack,) = cloudformation.describe_stacks(StackName=stack_id)["Stacks"]
        status = str(stack["StackStatus"])
        if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            return
        if status.endswith(("_COMPLETE", "_FAILED")):
            remedy = f"Mend the cause and run this again; the stack '{name_of(stage)}' in the CloudFormation console tells more."
            raise StepFailed(STEP, _reasons(cloudformation, stack_id) or f"the stack is {status}", remedy)
        if status != seen:
            print(f"    {status.lower().replace('_', ' ')} …", flush=True)
            seen = status
        time.sleep(0.3 if "localhost" in str(cloudformation.meta.endpoint_url) or "127.0.0.1" in str(cloudformation.meta.endpoint_url) else 5)


def _reasons(cloudformation: Any, stack_id: str) -> str:
    """What failed since the stack was last asked to change, first things first."""
    failed = []
    for event in cloudformation.describe_stack_events(StackName=stack_id)["StackEvents"]:  # newest first
        if event["ResourceStatus"] in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS") and event["PhysicalResourceId"] == stack_id:
            break
        if event["ResourceStatus"].endswith("_FAILED") and event.get("ResourceStatusReason"):
            failed.append(f"{event['LogicalResourceId']}: {event['ResourceStatusReason']}")
    return "; ".join(reversed(failed))
