"""Each example as a newcomer runs it: not connected, connected, revoked at the provider, reconnected."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import Api
from tests.e2e.test_story import connect
from tests.peers.node import NODE_DIR, ensure_node_packages, node_binary

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
REPOSITORIES = {"octocat/hello-world", "octocat/linguist", "octocat/secret-garden"}


def command(example: str, folder: Path) -> list[str]:
    """What the comment at the head of the example says to run, in a copy with its packages installed."""
    shutil.copytree(EXAMPLES / example.split("-")[0], folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))
    if example.startswith("node"):
        (folder / "node_modules").symlink_to(ensure_node_packages() / "node_modules")
        of_the_system = shutil.which("node")
        assert of_the_system, "make test says so before"
        return [of_the_system if example == "node-system" else node_binary(), "list-repositories.mjs"]
    return [sys.executable, "list_repositories.py"] if example == "python" else ["sh", "list-repositories.sh"]


class Example:
    """An example and somebody to run it for. `run` returns its exit code, its lines, and the connect link it printed, if any."""

    def __init__(self, api: Api, name: str, folder: Path) -> None:
        self._folder, self.user = folder, f"user_example_{name}"
        self._command = command(name, folder)
        self._environ = api.sandbox.directory / "standpipe.env"

    def run(self) -> tuple[int, list[str], str]:
        # The very line of the README: nothing else of the environment file reaches the example.
        script = '. "$0" && export STANDPIPE_URL STANDPIPE_API_KEY && exec "$@"'
        clean = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        done = subprocess.run(["sh", "-c", script, str(self._environ), *self._command, self.user], cwd=self._folder, env=clean, capture_output=True, text=True, timeout=60, check=False)
        assert "Traceback" not in done.stderr and "at async" not in done.stderr, done.stderr
        lines = done.stdout.splitlines()
        return done.returncode, lines, next((line for line in lines if line.startswith("http")), "")


@pytest.fixture
def example(request: pytest.FixtureRequest, api: Api, tmp_path: Path) -> Example:
    return Example(api, request.param, tmp_path)


@pytest.mark.parametrize("example", ["node", "python", "curl"], indirect=True)
def test_an_example_tells_what_to_do_until_it_can_list(example: Example, api: Api, page: Page) -> None:
    code, lines, link = example.run()
    assert code == 2, lines
    assert lines[0] == f"GitHub is not connected for {example.user}. Connect it here:"
    assert re.fullmatch(rf"{api.sandbox.url}/connect/[\w.-]+", link)

    connect(page, link)
    page.get_by_role("heading", name="GitHub is connected").wait_for()
    code, lines, link = example.run()
    assert (code, link) == (0, ""), lines
    assert {line.split()[0] for line in lines} == REPOSITORIES

    api.knob("github", action="revoke_grant", account="octocat")
    for _ in range(2):  # found out by the 401, and then known
        code, lines, link = example.run()
        assert code == 3, lines
        assert lines[0] == "GitHub has to be connected again (refused). Reconnect here:"

    connect(page, link)
    page.get_by_role("heading", name="GitHub is connected").wait_for()
    code, lines, _ = example.run()
    assert code == 0, lines
    assert {line.split()[0] for line in lines} == REPOSITORIES


@pytest.mark.parametrize("example", ["node-system"], indirect=True)
def test_the_node_example_also_runs_on_the_node_that_is_installed(example: Example, page: Page) -> None:
    """Node 20 or later, whichever the machine has; the story above runs on the newest that the lockfile pins."""
    code, _, link = example.run()
    assert code == 2
    connect(page, link)
    page.get_by_role("heading", name="GitHub is connected").wait_for()
    assert example.run()[0] == 0


@pytest.mark.parametrize("example", ["node", "python", "curl"], indirect=True)
def test_without_a_key_an_example_says_where_it_is(example: Example) -> None:
    done = subprocess.run(example._command, cwd=example._folder, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert "make run writes it to .local/standpipe.env" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_examples_ask_for_the_versions_that_are_tested() -> None:
    pinned = json.loads((NODE_DIR / "package.json").read_text())["dependencies"]
    wanted = json.loads((EXAMPLES / "node" / "package.json").read_text())["dependencies"]
    assert wanted.items() <= pinned.items()
    tested = {line for name in ("requirements.txt", "tests/requirements.txt") for line in (ROOT / name).read_text().splitlines()}
    assert set((EXAMPLES / "python" / "requirements.txt").read_text().split()) <= tested
