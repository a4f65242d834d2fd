"""The body of a token fetch, read without pydantic: a fresh container would import it for these four fields alone before its first answer.

Only a body that is plainly good is read here. Any other goes to `bodies.TokenBody`, which has a sentence for what is wrong; a test
holds the two to the same rules.
"""

import re
from dataclasses import dataclass
from typing import Any, TypeGuard

# Lone surrogates, which JSON can spell, are no text.
_OPAQUE_ID = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,255}")


@dataclass(frozen=True)
class TokenQuery:
    """Whose token, and how long it should live."""

    user_id: str
    organization_id: str | None = None
    connected_account_id: str | None = None
    min_ttl: int = 60
    connection_owner: str | None = None
    supports_multiple_connections: bool = False


def read(given: dict[str, Any]) -> TokenQuery:
    """The query of a body. Raises Unprocessable with a sentence for every wrong field."""
    user, organization, account, min_ttl = given.get("user_id"), given.get("organization_id"), given.get("connected_account_id"), given.get("min_ttl", 60)
    if (
        _is_id(user)
        and (organization is None or _is_id(organization))
        and (account is None or _is_id(account))
        and type(min_ttl) is int
        and 0 <= min_ttl <= 86400
        and given.get("connection_owner") in (None, "user", "organization")
        and given.get("supports_multiple_connections") in (None, False, True)
    ):
        return TokenQuery(user, organization, account, min_ttl, given.get("connection_owner"), given.get("supports_multiple_connections") is True)
    from chalicelib.web import bodies

    body = bodies.read(bodies.TokenBody, given)
    return TokenQuery(body.user_id, body.organization_id, body.connected_account_id, body.min_ttl, body.connection_owner, body.supports_multiple_connections is True)


def _is_id(value: Any) -> TypeGuard[str]:
    return type(value) is str and _OPAQUE_ID.fullmatch(value) is not None
