"""One TOML file a provider; read on first use, one file at a time, because a token fetch needs none of them."""

import tomllib
from functools import cache
from importlib import resources

from chalicelib.providers.spec import Provider


@cache
def slugs() -> tuple[str, ...]:
    """Every slug in the catalogue, sorted."""
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in resources.files(__name__).iterdir() if entry.name.endswith(".toml")))


@cache
def load(slug: str) -> Provider | None:
    """The provider of that slug, or None. Raises ValueError on a file that breaks the vocabulary."""
    if slug not in slugs():
        return None
    return Provider.model_validate(tomllib.loads((resources.files(__name__) / f"{slug}.toml").read_text("utf-8")))
