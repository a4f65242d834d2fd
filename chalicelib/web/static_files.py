"""Static files, served from the package: no CDN, nothing from elsewhere. Text only, so API Gateway needs no binary types.

Beside the files there is one style sheet that is made: the application's colour.
"""

from functools import cache
from pathlib import Path

from chalice import Blueprint, Response

from chalicelib import wiring
from chalicelib.domain.errors import NotFound
from chalicelib.web.branding import brand
from chalicelib.web.edge import HEADERS, Request, route

static_files = Blueprint(__name__)
FOLDER = Path(__file__).parent / "static"
TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
HOUR, FOR_EVER = "public, max-age=3600", "public, max-age=31536000, immutable"


@cache
def _files() -> dict[str, tuple[str, str]]:
    return {file.name: (file.read_text("utf-8"), TYPES[file.suffix]) for file in FOLDER.iterdir() if file.suffix in TYPES}


@route(static_files, "/static/{name}", ["GET"], caller="anyone")
def static_file(request: Request, name: str) -> Response:
    if name == "brand.css":
        return _brand_css(request.one("v"))
    if name not in _files():
        raise NotFound("There is no such file.")
    text, content_type = _files()[name]
    return Response(text, headers={**HEADERS, "Content-Type": content_type, "Cache-Control": HOUR})


def _brand_css(version: str | None) -> Response:
    """The colour as it is now, whatever the version asked for; kept for ever only where the address is of this very text."""
    settings = wiring.engine().settings
    made = brand(settings.color, settings.logo)
    return Response(made.css, headers={**HEADERS, "Content-Type": TYPES[".css"], "Cache-Control": FOR_EVER if version == made.version else HEADERS["Cache-Control"]})
