"""The resources of a stage, by CloudFormation: the same template for the local cloud and for AWS."""

import json
import time
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from ops.errors import StepFailed

STEP = "Creating the resources"
# Template output -> where the deployment needs it.
SETTINGS = {"Table": "STANDPIPE_TABLE", "KeyArn": "STANDPIPE_KEY_ARN"}
ROLE = "ApiRoleArn"


def name_of(stage: str) -> str:
    return f"standpipe-{stage}"


def apply(cloudformation: Any, project: Path, stage: str, environment: str) -> dict[str, str]:
    """Creates or updates the stack and waits; returns its outputs. Raises StepFailed with CloudFormation's own reasons."""
    template = json.dumps(json.loads((project / ".chalice" / "resources.json").read_text()), separators=(",", ":"))
    request = {
        "StackName": name_of(stage),
        "TemplateBody": template,
        "Parameters": [{"ParameterKey": "Stage", "ParameterValue": stage}, {"ParameterKey": "Environment", "ParameterValue": environment}],
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
    }
    exists = _status(cloudformation, stage) is not None
    try:
        if exists:
            cloudformation.update_stack(**request)
        else:
            cloudformation.create_stack(**request, OnFailure="DELETE")
    except ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise StepFailed(STEP, str(error), "Check that these credentials may use CloudFormation, DynamoDB, KMS, IAM and Logs.") from None
    _wait(cloudformation, stage)
    return outputs(cloudformation, stage)


def outputs(cloudformation: Any, stage: str) -> dict[str, str]:
    (stack,) = cloudformation.describe_stacks(StackName=name_of(stage))["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def _status(cloudformation: Any, stage: str) -> str | None:
    try:
        (stack,) = cloudformation.describe_stacks(StackName=name_of(stage))["Stacks"]
    except ClientError:
        return None
    status = str(stack["StackStatus"])
    return None if status == "DELETE_COMPLETE" else status


def _wait(cloudformation: Any, stage: str) -> None:
    seen = ""
    while True:
        status = _status(cloudformation, stage)
        if status is not None and status.endswith("_COMPLETE") and "ROLLBACK" not in status:
            return
        if status is None or "ROLLBACK" in status or "FAILED" in status:
            raise StepFailed(
                STEP, _reasons(cloudformation, stage) or f"the stack is {status}", f"Mend the cause and run this again; the stack '{name_of(stage)}' in the CloudFormation console tells more."
            )
        if status != seen:
            print(f"    {status.lower().replace('_', ' ')} …", flush=True)
            seen = status
        time.sleep(0.3 if "localhost" in str(cloudformation.meta.endpoint_url) or "127.0.0.1" in str(cloudformation.meta.endpoint_url) else 5)


def _reasons(cloudformation: Any, stage: str) -> str:
    try:
        happened = cloudformation.describe_stack_events(StackName=name_of(stage))["StackEvents"]
    except ClientError:
        return ""
    failed = [f"{e['LogicalResourceId']}: {e['ResourceStatusReason']}" for e in happened if e.get("ResourceStatus", "").endswith("FAILED") and e.get("ResourceStatusReason")]
    return "; ".join(reversed(failed))
