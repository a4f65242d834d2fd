"""Pages from templates, with the headers every page has: no script but our own files, no third-party content, not framed, not cached."""

import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from chalice import Response

from chalicelib import wiring
from chalicelib.web.branding import brand
from chalicelib.web.edge import HEADERS

TEMPLATES = Path(__file__).parent / "templates"
_PLAIN_ORIGIN = re.compile(r"https?://[A-Za-z0-9._:\[\]-]+")


@cache
def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def page(template: str, *, status: int = 200, headers: dict[str, str] | None = None, form_goes_to: str = "", script: bool = False, **values: Any) -> Response:
    """A rendered page with its headers. `form_goes_to`: where a form's answer redirects to, which the browser counts as a form target. `script`: a file of ours may run and call us."""
    scripts = "script-src 'self'; connect-src 'self'; " if script else ""
    policy = f"default-src 'none'; {scripts}style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; form-action 'self' {_origin(form_goes_to)}".strip()
    settings = wiring.engine().settings
    body = _environment().get_template(template).render(app_name=settings.app_name, sandbox=settings.sandbox, brand=brand(settings.color, settings.logo), **values)
    return Response(body, status_code=status, headers={**HEADERS, "Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy, "X-Frame-Options": "DENY", **(headers or {})})


def redirect(url: str, headers: dict[str, Any] | None = None) -> Response:
    """303, so that a POST is never repeated at the target (RFC 9700 4.12)."""
    return Response("", status_code=303, headers={**HEADERS, "Location": url, **(headers or {})})


def _origin(address: str) -> str:
    """The origin of an address for a policy; nothing for one with more in its host than a host has, which would go on to add to the policy."""
    parts = urlsplit(address)
    try:
        found = f"{parts.scheme}://{parts.netloc.encode('idna').decode('ascii')}"
    except UnicodeError:
        return ""
    return found if _PLAIN_ORIGIN.fullmatch(found) else ""
