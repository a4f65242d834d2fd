"""Provider rows for the doors' tests: nobody's in particular, so that a test says what it changes."""

from typing import Any

from chalicelib.providers.spec import Provider

ORIGIN = "https://provider.test"


def provider(origin: str = ORIGIN, **sections: Any) -> Provider:
    """A plain RFC 6749 provider with a revocation endpoint; a section given as a dict is laid over it."""
    row: dict[str, Any] = {
        "slug": "acme",
        "name": "Acme",
        "authorization": {"endpoint": f"{origin}/authorize"},
        "token": {"endpoint": f"{origin}/token"},
        "revocation": {"endpoint": f"{origin}/revoke"},
    }
    for name, value in sections.items():
        row[name] = {**row.get(name, {}), **value} if isinstance(value, dict) else value
    return Provider.model_validate(row)
