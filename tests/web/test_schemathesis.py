"""Schemathesis on GET /openapi.json against a served stage: what the file says is asked in ways nobody thought of, one after another along its links.

Nothing is drawn by chance, so a run is the same run everywhere. Its phase "coverage" is left out: four thousand requests, a minute or more. Where it fails, its own report is printed with a curl line for each failure.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.domain.models import Owner
from chalicelib.engine.widget_tokens import MANAGE
from tests.cloud import free_port
from tests.sdk.peer import Machines
from tests.web.conftest import OpenSite
from tests.web.documented import Document, Watched
from tests.web.foreign import TRIO, World, configured, signing_key

USER, ORGANIZATION = "user_ana", "org_acme"
TOKENS = ("token", "credentials", "rejected")  # how the paths end that answer an access token or an API key
# A run is to meet what is there, not only what is not: these are drawn besides what is made up.
CONFIG = """
[auth.openapi.apiKey]
bearer = "{key}"
[auth.openapi.widgetToken]
bearer = "{widget}"

[dictionaries]
slugs = {{ values = ["{slug}", "github"] }}
users = {{ values = ["{user}"] }}
organizations = {{ values = ["{organization}"] }}
events = {{ values = ["pipes.connected_account.connected", "pipes.connected_account.disconnected"] }}
providers = {{ values = ["slack", "zoom", "linear", "asana"] }}
addresses = {{ values = ["https://hooks.example/standpipe"] }}
returns = {{ values = ["https://app.example/connected"] }}

[parameters]
"path.slug" = {{ dictionary = "slugs", probability = 0.8 }}
"path.user_id" = {{ dictionary = "users", probability = 0.6 }}
"path.organization_id" = {{ dictionary = "organizations", probability = 0.6 }}
"query.organization_id" = {{ dictionary = "organizations", probability = 0.5 }}
"body.user_id" = {{ dictionary = "users", probability = 0.6 }}
"body.organization_id" = {{ dictionary = "organizations", probability = 0.5 }}
"body.events[*]" = {{ dictionary = "events", probability = 0.9 }}
"body.provider" = {{ dictionary = "providers", probability = 0.8 }}
"body.endpoint_url" = {{ dictionary = "addresses", probability = 0.9 }}
"body.return_to" = {{ dictionary = "returns", probability = 0.7 }}

[checks]
positive_data_acceptance.enabled = false  # some rules are between fields, which a schema does not say
negative_data_rejection.enabled = false  # bodies and queries are read with lenience: 1 for true, nothing for "as it is"
missing_required_header.enabled = false  # it knows 401 alone, and a widget is answered 403

[phases.stateful]
max-steps = 8
generation.max-examples = 25
generation.mode = "positive"

[generation]
deterministic = true
database = "none"
no-shrink = true
"""


@pytest.fixture
def machines() -> Iterator[Machines]:
    server = Machines()
    yield server
    server.stop()


@pytest.fixture
def served(open_site: OpenSite, machines: Machines) -> Iterator[tuple[World, Watched, str]]:
    """A stage on a port, whose simulated providers are there too; somebody has accounts of every kind."""
    port = free_port()
    site = open_site(STANDPIPE_URL=f"http://localhost:{port}")
    watched = Watched(Document(site.gateway("GET", "/openapi.json").json()))
    site.gateway = watched
    with watched.served(port) as url:
        world = configured(site, machines)
        for ownership in ("user", "organization"):
            world.call("POST", "/data-integrations", {"provider": "github", "ownership": ownership, "enabled": True}, status=201)
        for owner in (Owner(user_id=USER), Owner(user_id=USER, organization_id=ORGANIZATION), Owner(organization_id=ORGANIZATION)):
            world.account(owner, USER)
            list(world.entered(owner, USER))
        world.secrets += [site.key, signing_key(site)[1]]
        yield world, watched, url


def run(world: World, url: str, directory: Path, *options: str) -> str:
    """What schemathesis printed. It fails the test if anything was found."""
    config = directory / "schemathesis.toml"
    config.write_text(CONFIG.format(key=world.site.key, widget=world.widget(USER, ORGANIZATION, MANAGE), slug=TRIO, user=USER, organization=ORGANIZATION))
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "--no-color", "run", f"{url}/openapi.json", "--url", url, *options]
    ran = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=300, check=False)
    print(ran.stdout)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_nothing_that_schemathesis_asks_is_answered_otherwise_than_the_file_says(served: tuple[World, Watched, str], tmp_path: Path) -> None:
    world, watched, url = served
    said = run(world, url, tmp_path, "--phases", "fuzzing,stateful", "--max-examples", "8")
    assert "stateful" in said.lower()
    assert watched.problems == []
    assert max(answer.status for answer in watched.answers) < 500
    for path, answer in watched.answered:
        for secret in world.secrets:
            assert secret not in answer.text or (path.endswith(TOKENS) and "refresh" not in secret), path
