"""The pages a person sees on the way: confirm, done, declined, and every way it can fail, each with what happened and what to do.

No script, no third-party content, not framed, not cached, and no secret: these pages are shown in browsers we know nothing of.
"""

from typing import Any
from urllib.parse import urlencode, urlsplit

from chalice import Blueprint, Response

from chalicelib import wiring
from chalicelib.domain import ids
from chalicelib.domain.errors import StandpipeError, Unavailable
from chalicelib.domain.models import Pending
from chalicelib.web import handoff, icons, outcomes
from chalicelib.web.edge import HEADERS, Request, route
from chalicelib.web.rendering import page, redirect

pages = Blueprint(__name__)


def _outcome(kind: str, *, status: int = 400, **values: Any) -> Response:
    shown = outcomes.OUTCOMES[kind]
    texts = {
        "provider": "the provider",
        "app": wiring.engine().settings.app_name,
        "other": "another account",
        "held_by": "the account from before",
        **{name: value for name, value in values.items() if value},
    }
    return page(
        "outcome.html",
        status=status,
        tone=shown.tone,
        title=_sentence(shown.title.format(**texts)),
        text=shown.text.format(**texts),
        todo=shown.todo.format(**texts),
        missing=values.get("missing") or "",
        detail=values.get("detail") or "",
        back=values.get("back"),
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _failed(error: StandpipeError, _request: Request | None) -> Response:
    return _outcome(_kind_of(error), status=error.status, detail=error.code)


def _kind_of(error: StandpipeError) -> str:
    return "unavailable" if error.status in (500, 503) else "link_unknown"


def _flow_failed(error: Any) -> Response:
    """The page for a FlowError, where the address holds nothing worth leaving."""
    _journal(error)
    return _outcome(error.kind, status=outcomes.OUTCOMES[error.kind].status, **_told(error))


def _journal(error: Any) -> None:
    pending: Pending | None = error.pending
    outcomes.journal_flow(wiring.now(), error.kind, provider=pending.slug if pending else None, user=pending.user_id if pending else None, provider_code=error.provider_code)


def _told(error: Any) -> dict[str, str]:
    """What a FlowError tells the person. Provider and return URL are our own data; the rest is shown escaped."""
    pending: Pending | None = error.pending
    # A declined consent needs no explanation in the provider's words.
    detail = "" if error.kind == "declined" else ": ".join(part for part in (error.provider_code, error.description) if part)
    told = {"detail": detail, "other": error.other or "", "held_by": error.held_by or ""}
    if pending is not None:
        told |= {"provider": wiring.engine().registrations.name_of(pending.slug), "back": _back(pending) or ""}
    return {name: value for name, value in told.items() if value}


def _back(pending: Pending) -> str | None:
    return pending.return_to if pending.return_to in wiring.engine().settings.return_urls else None


def _cookie_name(pending_id: str) -> str:
    prefix = "__Host-" if wiring.engine().settings.url.startswith("https://") else ""
    return f"{prefix}standpipe_{ids.digest(pending_id)[:16]}"


def _cookie(pending_id: str, value: str, max_age: int) -> str:
    secure = "; Secure" if wiring.engine().settings.url.startswith("https://") else ""
    return f"{_cookie_name(pending_id)}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age}{secure}"


def browser_of(request: Request, handle: str) -> str | None:
    """What binds this browser to the flow of a link, if it is bound."""
    return request.cookies().get(_cookie_name(handle.split(".")[0]))


def _csrf(browser: str) -> str:
    """Bound to the browser's cookie, so that no other site can put it into a form."""
    return ids.digest(f"csrf:{browser}")


@route(pages, "/connect/{handle}", ["GET"], caller="anyone", on_error=_failed)
def open_link(request: Request, handle: str) -> Response:
    """The link is opened: the browser is bound to it, and the person asked, unless the application's own session vouches for them."""
    from chalicelib.engine.authorization_response import FlowError

    if "prefetch" in request.headers.get("sec-purpose", "") + request.headers.get("purpose", ""):
        return Response("", status_code=204, headers=HEADERS)  # a browser guessing ahead is not a person opening the link
    pending_id = handle.split(".")[0]
    try:
        opened = wiring.engine().connect.open(handle, request.cookies().get(_cookie_name(pending_id)))
    except FlowError as error:
        return _flow_failed(error)
    cookie = {"Set-Cookie": _cookie(pending_id, opened.browser, 600)}
    if opened.redirect_to is not None:
        return redirect(opened.redirect_to, cookie)
    provider, pending = opened.effective.provider, opened.pending
    if pending.handoff_digest is not None:
        return handoff.page_of(opened, f"/connect/{handle}/handoff", cookie)
    described = {scope.name: scope.description for scope in provider.scopes}
    return page(
        "confirm.html",
        headers=cookie,
        form_goes_to=provider.authorization.endpoint,
        provider=provider.name,
        picture=icons.paths().get(provider.slug),
        user=pending.person or pending.organization_id,
        organization=pending.organization_id if pending.user_id is None else None,
        user_name=pending.user_display_name,
        scopes=[(name, described.get(name, "")) for name in pending.scopes],
        host=urlsplit(provider.authorization.endpoint).netloc,
        simulated=pending.authority == "simulator",
        reconnect=pending.connection_id is not None,
        action=f"/connect/{handle}",
        csrf=_csrf(opened.browser),
        back=_back(pending),
    )


@route(pages, "/connect/{handle}", ["POST"], caller="anyone", on_error=_failed)
def confirm(request: Request, handle: str) -> Response:
    """The person said yes, in the browser that opened the link."""
    from hmac import compare_digest

    from chalicelib.engine.authorization_response import FlowError

    browser = request.cookies().get(_cookie_name(handle.split(".")[0]))
    try:
        if not browser or not compare_digest(request.form().get("csrf", "").encode(), _csrf(browser).encode()):
            raise FlowError("wrong_browser")
        return redirect(wiring.engine().connect.confirm(handle, browser))
    except FlowError as error:
        return _flow_failed(error)


def _leave_failed(error: StandpipeError, _request: Request | None) -> Response:
    return redirect(f"{wiring.engine().settings.url}/outcome/{_kind_of(error)}")


@route(pages, "/callback/{registration_id}", ["GET"], caller="anyone", on_error=_leave_failed)
def callback(request: Request, registration_id: str) -> Response:
    """The redirect back from the provider. Its address holds the code, so it is left at once, however it ends."""
    from chalicelib.engine.authorization_response import FlowError

    cookies = request.cookies()
    try:
        returned = wiring.engine().connect.callback(registration_id, request.query, lambda pending: cookies.get(_cookie_name(pending.id)))
    except FlowError as error:
        _journal(error)
        return _leave(error.pending, error.kind, _told(error))
    pending = returned.pending
    if returned.connect_code is not None:
        return redirect(_with(pending.return_to or "", connect_code=returned.connect_code, state=request.query["state"][0]))
    connection = returned.connection
    assert connection is not None
    if pending.return_to is not None:
        _conclude(pending, {"kind": "connected"})
    if pending.return_to is not None:
        return redirect(_with(pending.return_to, status="connected", provider=pending.slug, connected_account_id=connection.id))
    missing = ", ".join(connection.missing_scopes())
    return _leave(pending, "connected", {"provider": wiring.engine().registrations.name_of(pending.slug), "missing": missing})


@route(pages, "/outcome/{name}", ["GET"], caller="anyone", on_error=_failed)
def outcome(request: Request, name: str) -> Response:
    """How a flow ended: in full for the browser it belongs to, in general terms for any other."""
    cookies = request.cookies()
    pending = wiring.engine().connect.outcome(name, lambda found: cookies.get(_cookie_name(found.id)))
    told = dict(pending.outcome or {}) if pending else {}
    kind = told.pop("kind", name if name in outcomes.GENERAL else "link_unknown")
    return _outcome(kind, status=outcomes.OUTCOMES[kind].status, **told)


def _leave(pending: Pending | None, kind: str, told: dict[str, str]) -> Response:
    # Whoever comes a second time, too late or in another browser must not change how the flow ended.
    if pending is None or kind in ("link_used", "link_expired", "wrong_browser"):
        return redirect(f"{wiring.engine().settings.url}/outcome/{kind}")
    if not _conclude(pending, {"kind": kind, **told}):
        return redirect(f"{wiring.engine().settings.url}/outcome/{kind if kind in outcomes.GENERAL else 'ended'}")  # less is told, but it is true
    return redirect(f"{wiring.engine().settings.url}/outcome/{pending.id}")


def _conclude(pending: Pending, outcome: dict[str, str]) -> bool:
    """Kept for the page the person is sent to, and for the widget that waits. False if the table does not take it."""
    try:
        wiring.engine().connect.conclude(pending, outcome)
    except Unavailable:
        return False
    return True


def _with(url: str, **parameters: str) -> str:
    return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(parameters)}"
