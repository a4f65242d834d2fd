"""Runs inside the embedded AWS: its IAM, switched on with AUTH=true, so that a function may do here what its role lets it do in AWS, and no more.

The bridges, each with the gap it closes:
1. ministack knows no condition on a KMS encryption context, which is what keeps a stage's key to that stage.
2. It asks for `sqs:SendMessageBatch`, an action IAM does not have: a batch is granted as the single call.
3. It knows no leading keys of a request to DynamoDB, which is what keeps the function that calls webhooks to rows of its own.
4. It reads a queue for a function without asking the function's role; Lambda reads with that role, and refuses a trigger the role may not read.
"""

import json
import re
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import error_response_json, get_account_id, get_region
from ministack.services import lambda_svc

BATCHES = {f"sqs:{action}Batch": f"sqs:{action}" for action in ("SendMessage", "DeleteMessage", "ChangeMessageVisibility")}
# What Lambda's poller calls, in the order it names what is missing.
POLLED = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
_enforce = iam_evaluator.enforce
_create_mapping = lambda_svc._create_esm


def install() -> None:
    """Puts the bridges in place, once, before the server starts."""
    iam_evaluator.enforce = _enforce_as_aws  # imported anew for every request
    lambda_svc._create_esm = _create_mapping_if_readable


def _enforce_as_aws(access_key_id: str, iam_action: str, service: str, region: str, resource_arn: str = "*", service_context: dict[str, Any] | None = None) -> Any:
    if service == "kms":
        service_context = {**(service_context or {}), **_encryption_context()}
    elif service == "dynamodb":
        service_context = {**(service_context or {}), "dynamodb:LeadingKeys": _leading_keys()}
    return _enforce(access_key_id, BATCHES.get(iam_action, iam_action), service, region, resource_arn=resource_arn, service_context=service_context)


def _encryption_context() -> dict[str, str]:
    request = iam_evaluator._signed_request.get()
    try:
        given = json.loads(request.body)["EncryptionContext"] if request is not None and request.body else {}
    except (ValueError, KeyError, TypeError):
        return {}
    return {f"kms:EncryptionContext:{name}": value for name, value in given.items()} if isinstance(given, dict) else {}


def _leading_keys() -> list[str]:
    """The partition keys that a request names: of its key, its item, its parts, or its key condition. No table here has another partition key than `pk`."""
    request = iam_evaluator._signed_request.get()
    try:
        asked = json.loads(request.body) if request is not None and request.body else {}
        parts = [part for item in asked.get("TransactItems", []) for part in item.values()] or [asked]
        keys = [(part.get("Key") or part.get("Item") or {}).get("pk") for part in parts]
        condition = re.match(r"pk = (:\w+)", asked.get("KeyConditionExpression", ""))
        if condition:
            keys.append(asked["ExpressionAttributeValues"][condition[1]])
    except (ValueError, KeyError, TypeError, AttributeError):
        return []
    return [str(key["S"]) for key in keys if isinstance(key, dict) and "S" in key]


def _create_mapping_if_readable(data: dict[str, Any]) -> Any:
    queue = data.get("EventSourceArn", "")
    function = lambda_svc._functions.get(data.get("FunctionName", "").rsplit(":function:", 1)[-1].split(":")[0])
    if queue.startswith("arn:aws:sqs:") and function is not None:
        role = function["config"]["Role"]
        for action in POLLED:
            if not _role_may(role, f"sqs:{action}", queue):
                return error_response_json("InvalidParameterValueException", f"The provided execution role does not have permissions to call {action} on SQS", 400)
    return _create_mapping(data)


def _role_may(role_arn: str, action: str, resource: str) -> bool:
    account, name = get_account_id(), role_arn.rsplit("/", 1)[-1]
    asked = iam_evaluator.EvalContext(principal_arn=role_arn, principal_type="AssumedRole", principal_account=account, action=action, resource_arn=resource, region=get_region(), service_context={})
    return bool(iam_evaluator.evaluate(asked, iam_evaluator._gather_role_policies(name, account)).decision == "Allow")
