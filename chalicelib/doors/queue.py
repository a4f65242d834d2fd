"""The door to SQS: messages of JSON, at least once, in no order. No secret in clear goes through it: ids, and sealed blobs."""

import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.errors import Unavailable

BATCH = 10  # SQS's own limit
MAX_BODY = 250 * 1024  # of the 256 KB that every SQS endpoint takes


class TooLarge(Exception):
    """The message does not fit into the queue."""


class Queue:
    """One queue, by its URL."""

    def __init__(self, client: Any, url: str) -> None:
        self._client, self._url = client, url

    def send(self, *bodies: dict[str, Any], delay: int = 0) -> None:
        """Sends all of them, ten a call, to be seen `delay` seconds from now (900 at most). Raises Unavailable if any was not taken; a repeat may send some twice. Raises TooLarge."""
        texts = [json.dumps(body, separators=(",", ":")) for body in bodies]
        if any(len(text.encode()) > MAX_BODY for text in texts):
            raise TooLarge
        for start in range(0, len(texts), BATCH):
            entries = [{"Id": str(number), "MessageBody": text, **({"DelaySeconds": delay} if delay else {})} for number, text in enumerate(texts[start : start + BATCH])]
            answer = self._call("send_message_batch", Entries=entries)
            if answer.get("Failed"):
                raise Unavailable(f"The queue did not take a message ({answer['Failed'][0].get('Code', '')}).", "queue_unavailable")

    def depth(self) -> int:
        """About how many messages wait, are being handled, or are put off."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"]
        attributes = self._call("get_queue_attributes", AttributeNames=names).get("Attributes", {})
        return sum(int(attributes.get(name, 0)) for name in names)

    def _call(self, operation: str, **request: Any) -> Any:
        try:
            return getattr(self._client, operation)(QueueUrl=self._url, **request)
        except (ClientError, BotoCoreError) as error:
            raise Unavailable(f"The queue could not be reached ({type(error).__name__}).", "queue_unavailable") from error
