"""Whose connection a request is about. An organization comes from the credential where the credential has one (rule R25)."""

from chalicelib.domain.errors import NotFound, Unprocessable
from chalicelib.domain.models import Owner
from chalicelib.web import token_query
from chalicelib.web.edge import Request, unprocessable


def organization_of(request: Request, organization_id: str | None) -> str | None:
    """The organization asked about, as far as the key reaches it. Raises NotFound, the same for one that exists elsewhere and one that exists nowhere."""
    if request.organization_id is None:
        return organization_id
    if organization_id not in (None, request.organization_id):
        raise NotFound("There is no such organization.", "organization_not_found")
    return request.organization_id


def of_body(request: Request, user_id: str, organization_id: str | None, connection_owner: str | None) -> Owner:
    """The owner that a body names; `connection_owner` "organization" means the account that all of its members use."""
    organization = organization_of(request, organization_id)
    if connection_owner != "organization":
        return Owner(user_id=user_id, organization_id=organization)
    if organization is None:
        raise Unprocessable("'connection_owner' \"organization\" needs 'organization_id'.", "validation_error", errors=[{"field": "organization_id", "code": "required"}])
    return Owner(organization_id=organization)


def of_user_path(request: Request, user_id: str) -> Owner:
    query = token_query.read({"user_id": user_id, "organization_id": request.one("organization_id")})
    return Owner(user_id=query.user_id, organization_id=organization_of(request, query.organization_id))


def of_organization_path(request: Request, organization_id: str) -> Owner:
    organization = organization_of(request, token_query.read({"user_id": organization_id}).user_id)
    return Owner(organization_id=organization)


def switch(request: Request, name: str) -> bool:
    """A query parameter that is true or false."""
    value = request.one(name)
    if value not in (None, "", "true", "false", "True", "False", "1", "0"):
        raise unprocessable(name, "is true or false.")
    return value in ("true", "True", "1")
