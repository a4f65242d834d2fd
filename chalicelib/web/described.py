"""GET /openapi.json: the API described, for people's tools. Made on demand, because what it is made of is imported by nobody else."""

from chalice import Blueprint, Response

from chalicelib import wiring
from chalicelib.web.edge import Request, answer, route

described = Blueprint(__name__)


@route(described, "/openapi.json", ["GET"], caller="anyone", returns="OpenApi")
def openapi(request: Request) -> Response:
    """This document."""
    from chalicelib.web.openapi import document

    return answer(document(wiring.engine().settings.url))
