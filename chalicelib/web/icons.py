"""Providers' pictures: `icon-<slug>.svg` beside the other static files, made by `make frontend` or put there by who deploys.

Rule: a provider without a picture has none here, so that whoever shows it draws its letter; the folder is read once in a process.
"""

from functools import cache

from chalicelib import wiring
from chalicelib.web.static_files import FOLDER

PREFIX, LIGHT, DARK = "icon-", ".svg", ".dark.svg"


def light(slug: str) -> str | None:
    """Address of the picture for a light ground, and for a dark one if there is no other."""
    return _address(slug, LIGHT)


def dark(slug: str) -> str | None:
    """Address of the one for a dark ground, where there is one."""
    return _address(slug, DARK)


def paths() -> dict[str, dict[str, str]]:
    """Every picture there is, by slug, as pages of this very origin show it."""
    return {
        name.removeprefix(PREFIX).removesuffix(LIGHT): {"light": f"/static/{name}", "dark": f"/static/{twin if (twin := name.removesuffix(LIGHT) + DARK) in _names() else name}"}
        for name in sorted(_names())
        if not name.endswith(DARK)
    }


def _address(slug: str, ending: str) -> str | None:
    name = PREFIX + slug + ending
    return f"{wiring.engine().settings.url}/static/{name}" if name in _names() else None


@cache
def _names() -> frozenset[str]:
    return frozenset(file.name for file in FOLDER.glob(f"{PREFIX}*{LIGHT}"))
