"""The door to SNS: one event, one message, with attributes that a subscription may filter by."""

import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.events import Event, attributes, envelope


class Topic:
    """The topic of a stage, by its ARN."""

    def __init__(self, client: Any, arn: str) -> None:
        self._client, self._arn = client, arn

    def publish(self, event: Event) -> None:
        """Raises Unavailable: then it may have been published all the same, and is published again under the same id."""
        named = {name: {"DataType": "String", "StringValue": value} for name, value in attributes(event).items()}
        try:
            self._client.publish(TopicArn=self._arn, Message=json.dumps(envelope(event), separators=(",", ":")), MessageAttributes=named)
        except (ClientError, BotoCoreError) as error:
            raise Unavailable(f"The topic could not be reached ({type(error).__name__}).", "topic_unavailable") from error
