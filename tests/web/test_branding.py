"""The hosted pages in the application's colour and with its logo: readable whatever was chosen, and refused before anybody sees it where it cannot be."""

import re
from base64 import b64decode
from pathlib import Path

import pytest

from chalicelib.domain.settings import SettingsError
from chalicelib.web import branding
from chalicelib.web.branding import DARK, EDGE_CONTRAST, FOLDER, LIGHT, MAX_LOGO, TEXT_CONTRAST, contrast, tones
from tests.web.conftest import OpenSite
from tests.web.people import Site, somebody

CSS = (FOLDER.parent / "standpipe.css").read_text("utf-8")
CHOSEN = ["#1c5dd8", "#ffffff", "#000000", "#ffd400", "#0b6e4f", "#777777", "#767676", "#ff0000", "#00ff00", "#0000ff", "#00ffff", "#ff00ff", "#f4f5f7", "#191c21", "#0f1114", "#808000"]
# Every colour of a coarse cube beside those somebody may choose.
CUBE = [f"#{red:02x}{green:02x}{blue:02x}" for red in range(0, 256, 51) for green in range(0, 256, 51) for blue in range(0, 256, 51)]


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000000", "#ffffff", 21.0), ("#ffffff", "#ffffff", 1.0), ("#777777", "#ffffff", 4.48), ("#767676", "#ffffff", 4.54), ("#ff0000", "#ffffff", 4.0), ("#0000ff", "#ffffff", 8.59), ("#ffff00", "#000000", 19.56)],
    ids=["black", "itself", "just below", "just above", "red", "blue", "yellow"],
)  # fmt: skip
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == contrast(other, one) == pytest.approx(ratio, abs=0.01)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("color", CHOSEN)
def test_every_text_can_be_read_in_any_colour(color: str, dark: bool) -> None:
    grounds = DARK if dark else LIGHT
    found = tones(color, grounds, dark=dark)
    assert found.fill == color and contrast(found.ink, color) >= TEXT_CONTRAST
    for ground in grounds:
        assert contrast(found.text, ground) >= TEXT_CONTRAST and contrast(found.edge, ground) >= EDGE_CONTRAST


def test_so_it_is_for_every_colour_of_the_cube() -> None:
    unread = []
    for color in CUBE:
        for grounds, dark in ((LIGHT, False), (DARK, True)):
            found = tones(color, grounds, dark=dark)
            pairs = [(found.ink, found.fill, TEXT_CONTRAST), *((found.text, ground, TEXT_CONTRAST) for ground in grounds), *((found.edge, ground, EDGE_CONTRAST) for ground in grounds)]
            unread += [(color, one, other) for one, other, least in pairs if contrast(one, other) < least]
    assert unread == []


@pytest.mark.parametrize(
    ("color", "text", "edge"),
    [("#1c5dd8", "#1c5dd8", "#1c5dd8"), ("#ffd400", "#856f00", "#856f00"), ("#ffffff", "#707070", "#707070"), ("#ff0000", "#e30000", "#ff0000")],
    ids=["readable stays", "yellow darkens, its hue kept", "white turns grey", "red darkens a little, and its area needs no line"],
)
def test_only_what_cannot_be_read_is_changed(color: str, text: str, edge: str) -> None:
    found = tones(color, LIGHT, dark=False)
    assert (found.text, found.edge) == (text, edge)


def test_the_grounds_are_those_of_the_style_sheet() -> None:
    """And no accent is written there: it would win or lose by chance."""
    assert re.findall(r"--card: (#\w+)", CSS) == [LIGHT[0], DARK[0]] and re.findall(r"--ground: (#\w+)", CSS) == [LIGHT[1], DARK[1]]
    assert "--accent:" not in CSS and set(re.findall(r"--accent[a-z-]*", CSS)) <= set(re.findall(r"--accent[a-z-]*", branding.style_sheet("#1c5dd8")))


def test_every_ink_of_the_style_sheet_can_be_read_on_its_grounds() -> None:
    for ground, at in ((LIGHT, 0), (DARK, 1)):
        for ink in ("ink", "soft", "good", "bad", "neutral"):
            color = re.findall(rf"--{ink}: (#\w+)", CSS)[at]
            assert all(contrast(color, each) >= TEXT_CONTRAST for each in ground), (ink, color)


# what a stage serves


def test_a_page_links_its_colour_by_digest_and_the_colour_is_kept_for_ever(open_site: OpenSite) -> None:
    site = open_site(STANDPIPE_COLOR="#FFD400")
    page = site.gateway("GET", "/outcome/link_used")
    (address,) = re.findall(r'href="(/static/brand\.css\?v=[0-9a-f]{16})"', page.text)
    css = site.gateway("GET", address)
    assert css.status == 200 and "--accent: #ffd400; --accent-ink: #000000; --accent-text: #856f00;" in css.text
    assert (css.one("Content-Type"), css.one("X-Content-Type-Options")) == ("text/css; charset=utf-8", "nosniff")
    assert css.one("Cache-Control") == "public, max-age=31536000, immutable"
    for other in ("/static/brand.css", "/static/brand.css?v=", "/static/brand.css?v=0000000000000000"):
        stale = site.gateway("GET", other)
        assert stale.text == css.text and stale.one("Cache-Control") == "no-store", other
    assert site.gateway("GET", "/static/brand.css?v=a&v=b").status == 400
    blue = open_site(STANDPIPE_COLOR="#1c5dd8")
    assert address not in blue.gateway("GET", "/outcome/link_used").text


def test_without_a_logo_the_application_s_initial_stands_for_it(site: Site) -> None:
    page = site.gateway("GET", "/outcome/link_used").text
    assert '<span class="badge app" aria-hidden="true">A</span>' in page and "<img" not in page


def test_a_logo_is_part_of_every_page_and_nothing_else_is_fetched_for_it(open_site: OpenSite) -> None:
    site = open_site(STANDPIPE_LOGO="example.svg")
    assert site.api("POST", "/data-integrations", {"provider": "github", "enabled": True}).status == 201
    link = site.authorize(somebody(), "github")["url"]
    for path in ("/outcome/link_used", "/pipes/redirecting", link.removeprefix("http://localhost:8000")):
        page = site.gateway("GET", path)
        (given,) = re.findall(r'<img class="logo" src="data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)"', page.text)
        assert b64decode(given) == (FOLDER / "example.svg").read_bytes()
        assert "img-src 'self' data:" in page.one("Content-Security-Policy") and len(page.body) < 2 * MAX_LOGO


# what is refused

PNG, SVG = b"\x89PNG\r\n\x1a\n", b'<svg xmlns="http://www.w3.org/2000/svg">'
GOOD = {
    "logo.png": PNG + bytes(MAX_LOGO - len(PNG)),
    "Logo-2.webp": b"RIFF\x00\x00\x00\x00WEBPVP8 ",
    "logo.svg": b"<?xml version='1.0'?><!-- ours --><svg viewBox='0 0 1 1' xmlns = 'http://www.w3.org/2000/svg' width='1'></svg>",
}
BAD = {
    "there is no such file": ("logo.png", None, "is not in chalicelib/web/static/brand"),
    "a byte too many": ("logo.png", PNG + bytes(MAX_LOGO - len(PNG) + 1), "at most 32 kB"),
    "a page that calls itself a picture": ("logo.png", b"<!doctype html><script>x</script>", "not the PNG, SVG or WebP"),
    "a WebP that calls itself PNG": ("logo.png", GOOD["Logo-2.webp"], "not the PNG, SVG or WebP"),
    "sound that begins like WebP": ("logo.webp", b"RIFF\x00\x00\x00\x00WAVEfmt ", "not the PNG, SVG or WebP"),
    "an SVG without its namespace": ("logo.svg", b"<svg viewBox='0 0 1 1'></svg>", "not the PNG, SVG or WebP"),
    "an SVG inside a page": ("logo.svg", b"<html><body>svg xmlns='http://www.w3.org/2000/svg'</body></html>", "not the PNG, SVG or WebP"),
    "nothing": ("logo.svg", b"", "not the PNG, SVG or WebP"),
    "a folder": ("logo.svg/", b"", "is not in chalicelib/web/static/brand"),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_a_picture_is_read_as_it_is(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(GOOD[name])
    assert branding.read_logo(name, tmp_path) == GOOD[name]


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_logo_is_refused_with_a_sentence(kind: str, tmp_path: Path) -> None:
    name, content, said = BAD[kind]
    if name.endswith("/"):
        (tmp_path / name).mkdir()
    elif content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(SettingsError, match=f"STANDPIPE_LOGO.*{said}"):
        branding.read_logo(name.rstrip("/"), tmp_path)


def test_a_stage_whose_logo_is_gone_says_so_in_its_log_and_shows_no_half_page(open_site: OpenSite, capsys: pytest.CaptureFixture[str]) -> None:
    site = open_site(STANDPIPE_LOGO="gone.png")
    capsys.readouterr()
    answer = site.gateway("GET", "/outcome/link_used")
    assert (answer.status, answer.json()["code"]) == (500, "not_configured")
    assert "STANDPIPE_LOGO names a file that is not in chalicelib/web/static/brand" in capsys.readouterr().out


def test_every_picture_of_the_page_about_it_is_there() -> None:
    docs = FOLDER.parents[3] / "docs"
    named = set(re.findall(r"\((pictures/[a-z-]+\.png)\)", (docs / "pages.md").read_text()))
    kept = {f"pictures/{file.name}" for file in (docs / "pictures").glob("page-*.png")}
    assert named and named <= kept
    # And the other way about, in at least one of its looks.
    assert {name.rsplit("-", 1)[0] for name in kept} == {name.rsplit("-", 1)[0] for name in named}
