"""Rendering of the simulator's pages: autoescaped templates, one style sheet, no script."""

from functools import cache
from pathlib import Path
from typing import Any

from chalicelib.simulator.messages import Sandbox, SimulatorRequest, SimulatorResponse

TEMPLATES = Path(__file__).parent / "templates"
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    # No form-action: browsers apply it to the redirects that follow a form as well, and those lead on to the application.
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: with that, browsers send `Origin: null` with our own forms, and the check of the origin would refuse them.
    "Referrer-Policy": "same-origin",
}


@cache
def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def page(template: str, *, status: int = 200, **values: Any) -> SimulatorResponse:
    return SimulatorResponse(status, dict(HEADERS), _environment().get_template(template).render(**values))


def refusal(title: str, text: str, status: int = 400, slug: str = "") -> SimulatorResponse:
    """An error that may not be redirected (RFC 6749 4.1.2.1), or that has nowhere to go."""
    return page("refused.html", status=status, title=title, text=text, slug=slug)


def from_elsewhere(sandbox: Sandbox, request: SimulatorRequest) -> bool:
    """Whether a browser sent this from another site. Programs send no Origin."""
    origin = request.headers.get("origin")
    return origin is not None and origin != sandbox.base_url
