"""The widget's popup: a blank page to open at once, and the page that waits for the widget to vouch for the person.

The widget's own window shows its secret to this page by postMessage; this page shows it to the server, together with the cookie that binds
this browser; only then does it go on to the provider. Neither page may set Cross-Origin-Opener-Policy, which would cut the two apart.
"""

from typing import TYPE_CHECKING, Any

from chalice import Blueprint, Response

from chalicelib import wiring
from chalicelib.domain.errors import Forbidden, StandpipeError
from chalicelib.web.edge import Request, answer, route, unprocessable
from chalicelib.web.rendering import page

if TYPE_CHECKING:
    from chalicelib.engine.connect import Opened

handoff_pages = Blueprint(__name__)


def page_of(opened: "Opened", action: str, headers: dict[str, Any]) -> Response:
    return page(
        "handoff.html",
        headers=headers,
        script=True,
        provider=opened.effective.provider.name,
        opener=opened.pending.opener_origin or "",
        action=action,
    )


@route(handoff_pages, "/pipes/redirecting", ["GET"], caller="anyone")
def redirecting(request: Request) -> Response:
    """What the popup shows until it is sent on; opened before anything is asked, or the browser would block it."""
    return page("redirecting.html", script=True)


@route(handoff_pages, "/connect/{handle}/handoff", ["POST"], caller="anyone")
def hand_off(request: Request, handle: str) -> Response:
    """The page in the popup shows what the widget told it."""
    from chalicelib.engine.authorization_response import FlowError
    from chalicelib.web.pages import browser_of

    token = request.json().get("handoffToken")
    if not isinstance(token, str) or not token.isascii() or len(token) > 128:
        raise unprocessable("handoffToken", "is what POST …/authorize answered.")
    try:
        return answer({"url": wiring.engine().connect.hand_off(handle, browser_of(request, handle), token)})
    except FlowError as error:
        raise _refused(error.kind) from None


def _refused(kind: str) -> StandpipeError:
    return Forbidden("This window does not belong to the page that opened it, or its time is over. Close it and connect again.", kind)
