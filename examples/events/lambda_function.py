"""The operators' chat: one message for each event that the company has to act on, and no user. Here it is written to the function's log."""

import json
from typing import Any


def message(told: dict[str, Any]) -> str:
    data = told["data"]
    if told["event"] == "provider.misconfigured":
        return f"{data['provider_slug']} refuses our client ({data['error_code']}). {data['message']}"
    return f"{data['provider_slug']} of {data['user_id']} could not be refreshed for days and has no live token left. The grant is kept and tried again; the user cannot help."


def lambda_handler(event: dict[str, Any], context: object) -> None:
    """SNS calls this at least once for an event. A chat bears a message twice, so nothing is remembered here; an error is tried again twice, then dropped."""
    for record in event["Records"]:
        told = json.loads(record["Sns"]["Message"])
        print(json.dumps({"event": told["id"], "chat": message(told)}))
