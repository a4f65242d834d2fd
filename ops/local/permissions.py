"""Runs inside the embedded AWS: its IAM, switched on with AUTH=true, so that a function may do here what its role lets it do in AWS, and no more.

The bridge: ministack knows no condition on a KMS encryption context, which is what keeps a stage's key to that stage.
"""

import json
from typing import Any

from ministack.core import iam_evaluator

_enforce = iam_evaluator.enforce


def install() -> None:
    """Puts the bridge in place, once, before the server starts."""
    iam_evaluator.enforce = _enforce_with_context  # imported anew for every request


def _enforce_with_context(access_key_id: str, iam_action: str, service: str, region: str, resource_arn: str = "*", service_context: dict[str, Any] | None = None) -> Any:
    if service == "kms":
        service_context = {**(service_context or {}), **_encryption_context()}
    return _enforce(access_key_id, iam_action, service, region, resource_arn=resource_arn, service_context=service_context)


def _encryption_context() -> dict[str, str]:
    request = iam_evaluator._signed_request.get()
    try:
        given = json.loads(request.body)["EncryptionContext"] if request is not None and request.body else {}
    except (ValueError, KeyError, TypeError):
        return {}
    return {f"kms:EncryptionContext:{name}": value for name, value in given.items()} if isinstance(given, dict) else {}
