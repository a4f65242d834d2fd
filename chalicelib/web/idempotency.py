"""Idempotency-Key: a create that is sent twice makes one thing, and gives the same answer twice. WorkOS's clients send such a key with every POST."""

import json
from collections.abc import Callable
from typing import Any

from chalice import Response

from chalicelib import wiring
from chalicelib.domain import ids
from chalicelib.domain.errors import Conflict, InvalidRequest, StandpipeError, Unavailable
from chalicelib.doors.crypto import Facts
from chalicelib.web.edge import JSON_HEADERS, Request

MAX_KEY = 255


def once(request: Request, view: Callable[[Request], Response]) -> Response:
    """The view's answer, or the one it gave before under this key. Only good answers are kept: what failed may be tried again."""
    engine = wiring.engine()
    key, key_id = request.headers["idempotency-key"], request.key_id or ""
    if not 0 < len(key) <= MAX_KEY:
        raise InvalidRequest(f"An Idempotency-Key has 1 to {MAX_KEY} characters.", "invalid_idempotency_key")
    fingerprint = ids.digest(json.dumps([request.method, request.path, sorted(request.query.items()), request.body.decode("utf-8", "replace")]))
    facts = Facts(ids.digest(f"{key_id}\0{key}"), "answer")
    earlier = engine.answers.begin(key_id, key, fingerprint, engine.now())
    if earlier is not None:
        if earlier.fingerprint != fingerprint:
            raise Conflict("This Idempotency-Key was used for another request; use a new one.", "idempotency_key_conflict")
        if earlier.sealed is None:
            raise Unavailable("The same request is still at work; its answer will be here in a moment.", "request_in_progress", retry_after=1)
        kept: dict[str, Any] = engine.sealer.open(earlier.sealed, facts)
        return Response(kept["body"], status_code=kept["status"], headers={**JSON_HEADERS, "Idempotent-Replayed": "true"})
    try:
        response = view(request)
    except StandpipeError:
        engine.answers.forget(key_id, key, fingerprint)
        raise
    # Sealed, because some answers hold what is shown once.
    engine.answers.finish(key_id, key, fingerprint, engine.sealer.seal({"status": response.status_code, "body": response.body}, facts))
    return response
