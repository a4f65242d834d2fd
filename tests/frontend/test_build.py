"""The sources and what was built from them: types, units, size, and that the committed files are what the sources give."""

import gzip
import json
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from chalicelib.providers import catalogue
from tests.frontend.conftest import ROOT

STATIC = ROOT / "chalicelib" / "web" / "static"
WIDGET = "standpipe-connections.js"
SVG = "{http://www.w3.org/2000/svg}"
CONSUMER = """
import { createRef } from "react";
import { define, ENGLISH, type Messages, StandpipeConnections } from "@standpipe/connections";
import { StandpipeConnections as Connections, type StandpipeConnectionsElement } from "@standpipe/connections-react";
define();
const words: Messages = { connect: "Verbinden" };
const element: StandpipeConnections = document.createElement("standpipe-connections");
element.token = async () => "token";
element.filter = (integration) => integration.slug !== ENGLISH.title;
// @ts-expect-error: a theme there is not
element.theme = "purple";
const ref = createRef<StandpipeConnectionsElement>();
export const app = <Connections ref={ref} token={async () => "token"} baseUrl="https://pipes.acme.test" messages={words} filter={["github"]} theme="dark" onConnected={({ provider }) => provider.toUpperCase()} />;
// @ts-expect-error: no token
export const wrong = <Connections baseUrl="https://pipes.acme.test" />;
"""


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_the_committed_files_are_what_the_sources_give(tools: Path, tmp_path: Path) -> None:
    run(["node", "build.mjs", "--out", str(tmp_path)], tools)
    built = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert {WIDGET, "icon-github.svg", "icon-github.dark.svg"} <= built.keys()
    different = [name for name, content in built.items() if not (STATIC / name).exists() or (STATIC / name).read_bytes() != content]
    assert different == [], "run `make frontend` and commit what it built"


def test_every_icon_that_a_provider_names_is_shipped_and_is_nothing_but_a_shape() -> None:
    """They are shown inside pages of others; and a deployment has to carry them all."""
    named = {slug for slug in catalogue.slugs() if (provider := catalogue.load(slug)) and provider.icon}
    shipped = {slug: ElementTree.fromstring((STATIC / f"icon-{slug}.svg").read_text("utf-8")) for slug in named}
    assert len(shipped) >= 10
    for slug, drawn in shipped.items():
        (path,) = drawn
        assert (drawn.tag, drawn.attrib.keys(), path.tag, path.attrib.keys()) == (f"{SVG}svg", {"viewBox", "fill"}, f"{SVG}path", {"d"}), slug
    assert sum(file.stat().st_size for file in STATIC.glob("icon-*.svg")) < 60_000


def test_the_types_hold(tools: Path) -> None:
    run(["node", "types.mjs"], tools)


def test_the_widget_is_small_and_asks_nothing_of_a_policy() -> None:
    script = (STATIC / WIDGET).read_bytes()
    assert len(gzip.compress(script, 9)) < 30_000
    for forbidden in (b"innerHTML", b"outerHTML", b"insertAdjacentHTML", b"document.write", b"eval(", b"new Function", b"<style", b'setAttribute("style"', b"srcdoc"):
        assert forbidden not in script


def test_the_units_pass(tools: Path) -> None:
    """The widget's pure parts, under Node's own test runner."""
    counted = dict(line[2:].split(" ", 1) for line in run(["node", "units.mjs"], tools).stdout.splitlines() if line.startswith(("# pass ", "# fail ")))
    assert counted["fail"] == "0"
    assert int(counted["pass"]) > 0


@pytest.fixture(scope="module")
def consumer(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A customer's project with both packages as npm would hand them out."""
    folder = tmp_path_factory.mktemp("consumer")
    scope = folder / "node_modules" / "@standpipe"
    for part, name in (("widget", "connections"), ("react", "connections-react")):
        run(["npm", "pack", "--silent", "--pack-destination", str(folder)], tools / part)
        (scope / name).mkdir(parents=True)
        run(["tar", "-xzf", next(str(file) for file in folder.glob(f"standpipe-{name}-[0-9]*.tgz")), "-C", str(scope / name), "--strip-components=1"], folder)
    for name in ("react", "react-dom", "scheduler", "@types", "csstype"):
        (folder / "node_modules" / name).symlink_to(tools / "node_modules" / name)
    (folder / "package.json").write_text('{"type": "module"}')
    return folder


@pytest.mark.parametrize(("module", "resolution"), [("nodenext", "nodenext"), ("esnext", "bundler")])
def test_the_published_types_serve_a_customer(tools: Path, consumer: Path, module: str, resolution: str) -> None:
    (consumer / "app.tsx").write_text(CONSUMER)
    options = {"strict": True, "noEmit": True, "jsx": "react-jsx", "module": module, "moduleResolution": resolution, "target": "es2022", "types": ["react"], "lib": ["es2023", "dom", "dom.iterable"]}
    (consumer / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "files": ["app.tsx"]}))
    run(["node", str(tools / "node_modules/typescript/bin/tsc"), "-p", "."], consumer)


def test_a_server_may_import_and_render_it(consumer: Path) -> None:
    """Frameworks import components where there is no document."""
    (consumer / "server.mjs").write_text(
        'import { createElement } from "react";\nimport { renderToString } from "react-dom/server";\nimport { StandpipeConnections } from "@standpipe/connections-react";\n'
        'console.log(renderToString(createElement(StandpipeConnections, { token: "secret-token", baseUrl: "https://pipes.acme.test", theme: "dark" })));\n'
    )
    shown = run(["node", "server.mjs"], consumer).stdout
    assert '<standpipe-connections base-url="https://pipes.acme.test" theme="dark">' in shown
    assert "secret-token" not in shown
