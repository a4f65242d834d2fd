"""The one call of a webhook endpoint: signed as WorkOS signs, sent through the guarded client, judged by its status alone."""

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.events import Event, envelope
from chalicelib.domain.secret import Secret
from chalicelib.domain.webhooks import WebhookEndpoint
from chalicelib.doors.addresses import ForbiddenAddress
from chalicelib.doors.http import AnswerLost, ProviderHttp, Undelivered
from chalicelib.doors.verdicts import parse_retry_after


@dataclass(frozen=True)
class Called:
    """What came of a call. `error` is None for a 2xx, otherwise a word; `retry_after`: seconds the receiver asked for."""

    status: int | None = None
    error: str | None = None
    retry_after: int | None = None


class WebhookCaller:
    """Calls an endpoint through the guarded client: the address is checked and pinned, redirects are not followed, the time is limited."""

    def __init__(self, http: ProviderHttp) -> None:
        self._http = http

    def call(self, endpoint: WebhookEndpoint, secret: Secret, event: Event, now: datetime) -> Called:
        """One try, signed with the time of this try."""
        body = body_of(event)
        headers = {"Content-Type": "application/json", "WorkOS-Signature": signature(secret, now, body)}
        try:
            answer = self._http.send("POST", endpoint.url, headers=headers, body=body, reads_body=False)
        except ForbiddenAddress:
            return Called(error="forbidden_address")
        except Undelivered:
            return Called(error="unreachable")
        except AnswerLost:
            return Called(error="no_answer")
        if 200 <= answer.status < 300:
            return Called(status=answer.status)
        error = "redirected" if 300 <= answer.status < 400 else f"http_{answer.status}"
        return Called(answer.status, error, parse_retry_after(answer.headers.get("retry-after"), now))


def body_of(event: Event) -> bytes:
    """The very bytes that are signed and sent."""
    return json.dumps(envelope(event), separators=(",", ":")).encode()


def signature(secret: Secret, now: datetime, body: bytes) -> str:
    """The value of WorkOS-Signature. One v1 only: the clients split at the comma and take two parts, no more."""
    at = str(int(now.timestamp() * 1000))
    digest = hmac.new(secret.reveal().encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={at}, v1={digest}"
