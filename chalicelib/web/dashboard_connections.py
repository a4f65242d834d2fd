"""The dashboard's connections: found, looked at with their history, refreshed and disconnected. Never a token."""

from typing import Any

from chalice import Response

from chalicelib import wiring
from chalicelib.domain.errors import InvalidRequest, NotFound, Unprocessable
from chalicelib.engine.dashboard_sign_in import Visitor
from chalicelib.web.dashboard_edge import answer, audit, change, look
from chalicelib.web.edge import Request

STATES = ("connected", "needs_reauthorization", "disconnected")


@look("/connections")
def dashboard_connections(request: Request, visitor: Visitor) -> Response:
    """By `user_id`, `organization_id`, `provider`, `state`, or `id`; `cursor` goes on."""
    from chalicelib.engine.dashboard_connections import Filter

    engine = wiring.engine()
    if wanted := request.one("id"):
        found = engine.dashboard_connections.by_id(wanted)
        return answer({"connections": [_shown(found)] if found else [], "looked_at": 1, "cursor": None})
    state = request.one("state") or None
    if state is not None and state not in STATES:
        raise InvalidRequest("'state' is connected, needs_reauthorization or disconnected.")
    page = engine.dashboard_connections.search(Filter(request.one("user_id") or None, request.one("organization_id") or None, request.one("provider") or None, state), request.one("cursor"))
    return answer({"connections": [_shown(each) for each in page.connections], "looked_at": page.looked_at, "cursor": page.cursor})


@look("/connections/{reference}")
def dashboard_connection(request: Request, visitor: Visitor, reference: str) -> Response:
    from chalicelib.web import dashboard_wire

    engine = wiring.engine()
    found = engine.dashboard_connections.at(reference)
    return answer({**_shown(found), "events": [dashboard_wire.event(each) for each in engine.dashboard_connections.history(found)]})


@change("/connections/{reference}/refresh", ["POST"])
def dashboard_refresh(request: Request, visitor: Visitor, reference: str) -> Response:
    """Refreshes it now; the answer says in words what came of it."""
    from chalicelib.engine.dashboard_trial import REFRESHED

    engine = wiring.engine()
    found = engine.dashboard_connections.at(reference)
    if found.state != "connected" or not found.refreshable:
        # Asked of the refresher this would end the connection, and here it is only somebody looking.
        raise Unprocessable("The provider gave no refresh token." if found.state == "connected" else "Only its owner can bring it back, by connecting again.", "not_refreshable")
    outcome = engine.dashboard_connections.refresh(found, request.seconds_left)
    audit(visitor, "connection.refreshed", connection=found.id, outcome=outcome.bucket)
    said = outcome.error.provider_code or outcome.error.detail if outcome.error else None
    return answer({"good": outcome.bucket in REFRESHED, "outcome": outcome.bucket, "provider_says": said, "connection": _shown(engine.dashboard_connections.at(reference))})


@change("/connections/{reference}/disconnect", ["POST"])
def dashboard_disconnect(request: Request, visitor: Visitor, reference: str) -> Response:
    engine = wiring.engine()
    found = engine.dashboard_connections.at(reference)
    if found.state == "disconnected":
        raise NotFound("It is disconnected already.", "connection_not_found")
    revoked = engine.disconnect.disconnect(found.owner, found.slug, found.account, seconds_left=request.seconds_left)
    audit(visitor, "connection.disconnected", connection=found.id, revocation=revoked)
    return answer({"revocation": revoked, "connection": _shown(engine.dashboard_connections.at(reference))})


def _shown(found: Any) -> dict[str, Any]:
    from chalicelib.web import dashboard_wire

    return dashboard_wire.connection(found, wiring.engine().registrations.name_of(found.slug))
