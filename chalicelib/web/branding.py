"""How the hosted pages become the application's own: its colour as a style sheet, its logo inside the page; both are checked before anybody sees them.

Rule: whatever colour is chosen, every text can be read: 4.5 to 1 (WCAG 2.2, 1.4.3), on a light ground and on a dark one. A logo travels inside the
page, because API Gateway decides by the first media type of `Accept` whether an answer is binary, and no browser's is a picture's; and
because an SVG that is only ever an image runs no script.
"""

import colorsys
import re
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from chalicelib.domain.settings import PREFIX, SettingsError

FOLDER = Path(__file__).parent / "static" / "brand"
MAX_LOGO = 32 * 1024  # it is part of each page
TEXT_CONTRAST, EDGE_CONTRAST = 4.5, 3.0  # WCAG 2.2, 1.4.3 and 1.4.11
# What lies behind a text: card and ground of standpipe.css.
LIGHT, DARK = ("#ffffff", "#f4f5f7"), ("#191c21", "#0f1114")
TYPES = {".png": "image/png", ".svg": "image/svg+xml", ".webp": "image/webp"}


@dataclass(frozen=True)
class Tones:
    """One colour on one ground: as a filled area with the text in it, as text, and as the line around the area."""

    fill: str
    ink: str
    text: str
    edge: str


@dataclass(frozen=True)
class Brand:
    """`version`, a digest, is part of the style sheet's address, so that it can be kept for ever; `logo` is a data URI."""

    css: str
    version: str
    logo: str | None


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours (WCAG 2.2), from 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def tones(color: str, grounds: tuple[str, ...], *, dark: bool) -> Tones:
    """The filled area is the colour itself; where it is too faint to be read or seen on the ground, text and line are a darker or lighter shade of it."""
    # One of the two always reaches 4.58 to 1.
    ink = "#ffffff" if contrast(color, "#ffffff") >= TEXT_CONTRAST else "#000000"
    text = _readable(color, grounds, lighter=dark)
    seen = min(contrast(color, ground) for ground in grounds) >= EDGE_CONTRAST
    return Tones(color, ink, text, color if seen else text)


def style_sheet(color: str) -> str:
    light, dark = tones(color, LIGHT, dark=False), tones(color, DARK, dark=True)
    return f":root {{ {_properties(light)} }}\n@media (prefers-color-scheme: dark) {{\n  :root {{ {_properties(dark)} }}\n}}\n"


@cache
def brand(color: str, logo: str) -> Brand:
    """What every page is rendered with. Raises SettingsError."""
    css = style_sheet(color)
    return Brand(css, sha256(css.encode()).hexdigest()[:16], _data_uri(read_logo(logo), logo) if logo else None)


def read_logo(name: str, folder: Path = FOLDER) -> bytes:
    """The file STANDPIPE_LOGO names. Raises SettingsError, which says what is wrong with it."""
    try:
        content = (folder / name).read_bytes()
    except OSError:
        raise _unusable("names a file that is not in chalicelib/web/static/brand") from None
    if len(content) > MAX_LOGO:
        raise _unusable(f"names a file of {len(content)} bytes; at most {MAX_LOGO // 1024} kB travel in a page")
    if not _is_what_it_says(Path(name).suffix, content):
        raise _unusable("names a file that is not the PNG, SVG or WebP picture its ending says")
    return content


def _is_what_it_says(suffix: str, content: bytes) -> bool:
    if suffix == ".png":
        return content.startswith(b"\x89PNG\r\n\x1a\n")
    if suffix == ".webp":
        return content.startswith(b"RIFF") and content[8:12] == b"WEBP"
    # Without its namespace a browser shows an SVG as a broken image.
    return suffix == ".svg" and re.search(rb"<svg\b[^>]*\bxmlns\s*=\s*[\"']http://www\.w3\.org/2000/svg[\"']", content) is not None


def _unusable(problem: str) -> SettingsError:
    return SettingsError(f"Standpipe cannot start with this environment: {PREFIX}LOGO {problem}")


def _data_uri(content: bytes, name: str) -> str:
    return f"data:{TYPES[Path(name).suffix]};base64,{b64encode(content).decode()}"


def _properties(given: Tones) -> str:
    return f"--accent: {given.fill}; --accent-ink: {given.ink}; --accent-text: {given.text}; --accent-edge: {given.edge};"


def _readable(color: str, grounds: tuple[str, ...], *, lighter: bool) -> str:
    """The nearest shade of the same hue that can be read on every one of the grounds."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*_channels(color))
    for step in range(256):
        shade = min(1.0, lightness + step / 255) if lighter else max(0.0, lightness - step / 255)
        found = "#" + "".join(f"{round(channel * 255):02x}" for channel in colorsys.hls_to_rgb(hue, shade, saturation)) if step else color
        if all(contrast(found, ground) >= TEXT_CONTRAST for ground in grounds):
            return found
    raise AssertionError("black and white are always read on the grounds there are")


def _luminance(color: str) -> float:
    red, green, blue = (channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in _channels(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _channels(color: str) -> tuple[float, float, float]:
    red, green, blue = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue
