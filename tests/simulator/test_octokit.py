"""GitHub's own client as the judge of the simulated GitHub: real @octokit/rest, only its base URL changed."""

import json
import subprocess

import pytest

from tests.peers.node import ensure_node_packages, node_binary

from .conftest import World
from .listen import listening

SCRIPT = """
import { Octokit } from "@octokit/rest";
const octokit = new Octokit({ auth: process.argv[1], baseUrl: process.argv[2], log: { debug() {}, info() {}, warn() {}, error() {} } });
try {
  const user = await octokit.rest.users.getAuthenticated();
  const listed = await octokit.rest.repos.listForAuthenticatedUser();
  const paged = await octokit.paginate(octokit.rest.repos.listForAuthenticatedUser, { per_page: 100 });
  console.log(JSON.stringify({ login: user.data.login, names: listed.data.map((repo) => repo.full_name), paged: paged.length, owner: listed.data[0].owner.login, private: listed.data.at(-1).private }));
} catch (error) {
  console.log(JSON.stringify({ status: error.status, message: error.message }));
}
"""


@pytest.fixture
def octokit(world: World) -> object:
    folder = ensure_node_packages()

    def run(token: str) -> dict[str, object]:
        with listening(world) as url:
            command = [node_binary(), "--input-type=module", "-e", SCRIPT, token, f"{url}/github"]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        return dict(json.loads(done.stdout))

    return run


def test_octokit_lists_repositories(world: World, octokit: object) -> None:
    assert callable(octokit)
    told = octokit(world.connect("github")["access_token"])
    assert told == {"login": "octocat", "names": ["octocat/hello-world", "octocat/linguist", "octocat/secret-garden"], "paged": 3, "owner": "octocat", "private": True}


def test_octokit_sees_a_401_after_expiry(world: World, octokit: object) -> None:
    assert callable(octokit)
    token = world.connect("github")["access_token"]
    world.later(28800)
    told = octokit(token)
    assert told["status"] == 401 and "Bad credentials" in str(told["message"])
