"""The dashboard's one page, its sign-in and its sign-out. The page is the same for everybody and holds nothing; what it shows it asks for."""

from functools import cache
from hashlib import sha256
from pathlib import Path

from chalice import Response

from chalicelib import wiring
from chalicelib.domain.events import timestamp
from chalicelib.engine.dashboard_sign_in import SESSION_TTL, Visitor
from chalicelib.web import icons
from chalicelib.web.dashboard_edge import answer, change, cookie, dashboard, from_our_pages, look
from chalicelib.web.edge import HEADERS, Request, route

FOLDER = Path(__file__).parent
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
PAGE_HEADERS = {
    **HEADERS,
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


@cache
def _page() -> str:
    """Its script and style carry a mark of their content: what a browser kept of the version before is not used with this one."""
    text = (FOLDER / "templates" / "dashboard.html").read_text("utf-8")
    for name in ("dashboard.js", "dashboard.css"):
        text = text.replace(f"/static/{name}", f"/static/{name}?v={sha256((FOLDER / 'static' / name).read_bytes()).hexdigest()[:12]}")
    return text


@route(dashboard, "/dashboard", ["GET"], caller="anyone")
def dashboard_page(request: Request) -> Response:
    return Response(_page(), headers=PAGE_HEADERS)


@route(dashboard, "/dashboard/{proxy+}", ["GET"], caller="anyone")
def dashboard_inner_page(request: Request) -> Response:
    return Response(_page(), headers=PAGE_HEADERS)


@route(dashboard, "/dashboard/api/sign-in", ["POST"], caller="anyone")
def dashboard_sign_in(request: Request) -> Response:
    """`{token}` of a link for a session. The token comes in the link's fragment, so no address that is sent or logged holds it."""
    from_our_pages(request)
    token = request.json().get("token")
    # Of the connection, by API Gateway; a header could be anybody's word.
    address = str(dashboard.current_request.to_original_event()["requestContext"].get("identity", {}).get("sourceIp", ""))
    _session, value = wiring.engine().sign_in.exchange(token if isinstance(token, str) else "", address)
    return answer({"signed_in": True}, headers={"Set-Cookie": cookie(value, int(SESSION_TTL.total_seconds()))})


@change("/sign-out", ["POST"], viewers_too=True)
def dashboard_sign_out(request: Request, visitor: Visitor) -> Response:
    wiring.engine().sign_in.sign_out(visitor)
    return answer({"signed_in": False}, headers={"Set-Cookie": cookie("", 0)})


@change("/sessions", ["DELETE"])
def dashboard_revoke_sessions(request: Request, visitor: Visitor) -> Response:
    """Ends every session of the stage, this one too."""
    ended = wiring.engine().sign_in.revoke_all(visitor.actor)
    return answer({"ended": ended}, headers={"Set-Cookie": cookie("", 0)})


@look("/session")
def dashboard_session(request: Request, visitor: Visitor) -> Response:
    settings = wiring.engine().settings
    return answer(
        {
            "actor": visitor.actor,
            "role": visitor.session.role,
            "expires_at": timestamp(visitor.session.expires_at),
            "csrf": visitor.csrf,
            "app_name": settings.app_name,
            "stage": settings.stage,
            "environment": settings.environment,
            "url": settings.url,
            "icons": icons.paths(),
        }
    )
