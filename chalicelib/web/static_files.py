"""Static files, served from the package: no CDN, nothing from elsewhere. Text only, so API Gateway needs no binary types."""

from functools import cache
from pathlib import Path

from chalice import Blueprint, Response

from chalicelib.domain.errors import NotFound
from chalicelib.web.edge import HEADERS, Request, route

static_files = Blueprint(__name__)
FOLDER = Path(__file__).parent / "static"
TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


@cache
def _files() -> dict[str, tuple[str, str]]:
    return {file.name: (file.read_text("utf-8"), TYPES[file.suffix]) for file in FOLDER.iterdir() if file.suffix in TYPES}


@route(static_files, "/static/{name}", ["GET"], caller="anyone")
def static_file(request: Request, name: str) -> Response:
    if name not in _files():
        raise NotFound("There is no such file.")
    text, content_type = _files()[name]
    return Response(text, headers={**HEADERS, "Content-Type": content_type, "Cache-Control": "public, max-age=3600"})
