"""What every route of the dashboard shares: the session in its cookie, the CSRF header on every change, the role, and the audit.

Rule: a change is mounted by `change`, a look by `look`; nothing of the dashboard is mounted otherwise but the sign-in itself.
"""

from collections.abc import Callable
from typing import Any

from chalice import Blueprint, Response

from chalicelib import wiring
from chalicelib.domain.errors import Forbidden, StandpipeError
from chalicelib.engine.dashboard_sign_in import SignedOut, Visitor
from chalicelib.web.edge import Request, answer, error_answer, route

dashboard = Blueprint(__name__)
CSRF_HEADER = "x-csrf-token"
View = Callable[..., Response]


def cookie_name() -> str:
    """`__Host-` binds the cookie to this very host and to https; browsers refuse it on a sandbox's plain http."""
    return f"{'__Host-' if _is_https() else ''}standpipe_dashboard"


def cookie(value: str, max_age: int) -> str:
    return f"{cookie_name()}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={max_age}{'; Secure' if _is_https() else ''}"


def visitor_of(request: Request) -> Visitor:
    """Who is signed in. Raises SignedOut."""
    return wiring.engine().sign_in.visitor(request.cookies().get(cookie_name()))


def look(path: str) -> Callable[[View], Any]:
    """Mounts a view `(request, visitor, **path_parameters)` for whoever is signed in."""

    def mount(view: View) -> Any:
        def viewed(request: Request, **values: str) -> Response:
            return view(request, visitor_of(request), **values)

        viewed.__name__ = view.__name__
        return route(dashboard, f"/dashboard/api{path}", ["GET"], caller="anyone", on_error=_failed)(viewed)

    return mount


def change(path: str, methods: list[str], *, viewers_too: bool = False) -> Callable[[View], Any]:
    """Mounts a view that changes something: signed in, from our own pages, and an administrator unless `viewers_too`."""

    def mount(view: View) -> Any:
        def changed(request: Request, **values: str) -> Response:
            visitor = visitor_of(request)
            from_our_pages(request)
            if not wiring.engine().sign_in.is_csrf(visitor, request.headers.get(CSRF_HEADER, "")):
                raise Forbidden("This was not sent by a page of this session. Reload the page and try again.", "csrf")
            if visitor.session.role != "administrator" and not viewers_too:
                raise Forbidden("You are signed in to look only. Ask for a link without --read-only.", "read_only")
            return view(request, visitor, **values)

        changed.__name__ = view.__name__
        return route(dashboard, f"/dashboard/api{path}", methods, caller="anyone", on_error=_failed)(changed)

    return mount


def from_our_pages(request: Request) -> None:
    """Raises Forbidden for what a page of another site could send: a foreign origin, or a body that a plain form can have."""
    origin = request.headers.get("origin")
    if origin is not None and origin != wiring.engine().settings.url:
        raise Forbidden("This was sent by another site.", "csrf")
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise Forbidden("A change is sent as application/json.", "csrf")


def audit(visitor: Visitor, action: str, **facts: Any) -> None:
    """Notes who changed what. `facts`: ids and words, never a secret."""
    wiring.engine().store.audit(wiring.now(), visitor.actor, action, {name: value for name, value in facts.items() if value is not None})


def _failed(error: StandpipeError, request: Request | None) -> Response:
    response = error_answer(error, request.id if request else "local")
    if isinstance(error, SignedOut):
        response.headers.pop("WWW-Authenticate", None)
        if request is not None and cookie_name() in request.cookies():
            response.headers["Set-Cookie"] = cookie("", 0)
    return response


def _is_https() -> bool:
    return wiring.engine().settings.url.startswith("https://")


__all__ = ["answer", "audit", "change", "cookie", "dashboard", "from_our_pages", "look", "visitor_of"]
