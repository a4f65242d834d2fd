"""Floors and doors hold, and every rule that says so is shown to fire."""

import ast
from pathlib import Path

import pytest

from chalicelib.providers import catalogue
from tests import floors

ROOT = Path(__file__).resolve().parent.parent
SLUGS = tuple(sorted({*catalogue.slugs(), "github", "slack", "google", "salesforce"}))
RULES: list[floors.Rule] = [
    floors.imports_go_down,
    floors.is_on_a_floor,
    floors.libraries_stay_behind_their_door,
    floors.environment_is_read_once,
    floors.clock_is_an_argument,
    floors.secrets_are_revealed_where_listed,
    floors.secrets_are_not_compared_with_equals,
    floors.no_provider_by_name(SLUGS),
]
NAMES = {rule: getattr(rule, "__name__", "rule") for rule in RULES}
NAMES[RULES[-1]] = "no_provider_by_name"


def sources() -> dict[str, Path]:
    """Every file that ships, by its path in the package."""
    package = ROOT / floors.PACKAGE
    return {"app.py": ROOT / "app.py", **{path.relative_to(package).as_posix(): path for path in sorted(package.rglob("*.py"))}}


@pytest.mark.parametrize("rule", RULES, ids=NAMES.__getitem__)
def test_shipped_code_keeps_the_rule(rule: floors.Rule) -> None:
    found = [f"{path}: {sentence}" for path, file in sources().items() for sentence in rule(path, ast.parse(file.read_text("utf-8")))]

    assert found == []


def test_no_file_is_longer_than_one_can_hold_in_mind() -> None:
    long = {path: lines for path, file in sources().items() if (lines := len(file.read_text("utf-8").splitlines())) > floors.MAX_LINES}

    assert long == {}


def test_every_place_that_may_reveal_a_secret_still_does() -> None:
    """An allow list that nobody needs any more is a hole."""
    files = sources()
    unused = [path for path in floors.REVEALS if ".reveal()" not in files[path].read_text("utf-8")]

    assert unused == []


BAD = {
    "engine imports web": ("imports_go_down", "engine/x.py", "from chalicelib.web.edge import y"),
    "engine imports wiring as a module": ("imports_go_down", "engine/x.py", "from chalicelib import wiring"),
    "domain imports doors inside a function": ("imports_go_down", "domain/x.py", "def f():\n    import chalicelib.doors.http"),
    "doors import engine for types only": ("imports_go_down", "doors/x.py", "if TYPE_CHECKING:\n    from chalicelib.engine.connect import C"),
    "providers import doors": ("imports_go_down", "providers/x.py", "from chalicelib.doors import http"),
    "engine imports the simulator": ("imports_go_down", "engine/x.py", "from chalicelib.simulator import state"),
    "simulator imports engine": ("imports_go_down", "simulator/x.py", "from chalicelib.engine.tokens import Tokens"),
    "wiring imports web": ("imports_go_down", "wiring/x.py", "from chalicelib.web import api"),
    "a relative import": ("imports_go_down", "web/x.py", "from . import api"),
    "a new room": ("is_on_a_floor", "utils/x.py", ""),
    "a loose file": ("is_on_a_floor", "helpers.py", ""),
    "requests in another door": ("libraries_stay_behind_their_door", "doors/oauth.py", "import requests.adapters"),
    "requests with the addresses": ("libraries_stay_behind_their_door", "doors/addresses.py", "import requests_hardened"),
    "urllib3 upstairs": ("libraries_stay_behind_their_door", "engine/x.py", "from urllib3.util import parse_url"),
    "encryption sdk upstairs": ("libraries_stay_behind_their_door", "engine/x.py", "import aws_encryption_sdk as sdk"),
    "a boto3 client in a door": ("libraries_stay_behind_their_door", "doors/store.py", "import boto3"),
    "botocore upstairs": ("libraries_stay_behind_their_door", "engine/x.py", "from botocore.exceptions import ClientError"),
    "chalice below the edge": ("libraries_stay_behind_their_door", "engine/x.py", "from chalice import Response"),
    "os.environ": ("environment_is_read_once", "wiring/x.py", "import os\nx = os.environ['A']"),
    "os.getenv": ("environment_is_read_once", "web/x.py", "import os\nx = os.getenv('A')"),
    "environ imported": ("environment_is_read_once", "web/x.py", "from os import environ"),
    "datetime.now": ("clock_is_an_argument", "engine/x.py", "from datetime import datetime\nx = datetime.now()"),
    "datetime.datetime.utcnow": ("clock_is_an_argument", "engine/x.py", "import datetime\nx = datetime.datetime.utcnow()"),
    "time.time as a default": ("clock_is_an_argument", "doors/http.py", "import time\ndef f(clock=time.time): ..."),
    "monotonic in the engine": ("clock_is_an_argument", "engine/x.py", "import time\nx = time.monotonic()"),
    "sleep in the engine": ("clock_is_an_argument", "engine/x.py", "import time\ntime.sleep(1)"),
    "time imported by name": ("clock_is_an_argument", "engine/x.py", "from time import time"),
    "reveal in a page": ("secrets_are_revealed_where_listed", "web/pages.py", "x = token.reveal()"),
    "reveal passed on": ("secrets_are_revealed_where_listed", "doors/journal.py", "f = Secret.reveal"),
    "the inside of a Secret": ("secrets_are_revealed_where_listed", "web/pages.py", "x = token._value"),
    "secret ==": ("secrets_are_not_compared_with_equals", "engine/x.py", "a = given_secret == stored"),
    "digest !=": ("secrets_are_not_compared_with_equals", "engine/x.py", "a = x != record.secret_digest"),
    "called verifier": ("secrets_are_not_compared_with_equals", "engine/x.py", "a = code_challenge(v) != pending.code_challenge"),
    "chained": ("secrets_are_not_compared_with_equals", "engine/x.py", "a = x == y == refresh_token"),
    "slug tested by name": ("no_provider_by_name", "engine/x.py", "a = slug == 'slack'"),
    "slug inside an f-string": ("no_provider_by_name", "web/x.py", "a = f'https://api.github.com/{x}'"),
    "slug as a key": ("no_provider_by_name", "domain/x.py", "A = {'Salesforce': 1}"),
}  # fmt: skip


@pytest.mark.parametrize(("rule_name", "path", "source"), BAD.values(), ids=BAD)
def test_the_rule_fires(rule_name: str, path: str, source: str) -> None:
    (rule,) = [rule for rule in RULES if NAMES[rule] == rule_name]

    assert list(rule(path, ast.parse(source)))


GOOD = {
    "down": ("engine/x.py", "from chalicelib.doors.store import Store\nfrom chalicelib.domain import ids"),
    "the same floor": ("web/x.py", "from chalicelib.web import edge"),
    "simulator from web": ("web/x.py", "from chalicelib.simulator import dialects"),
    "simulator down": ("simulator/x.py", "from chalicelib.providers.spec import Provider\nfrom chalicelib.doors import http"),
    "types in wiring": ("wiring/x.py", "if TYPE_CHECKING:\n    from chalicelib.engine.connect import Connect"),
    "a schema word": ("doors/oauth.py", "a = scope.token == 'user'"),
    "a provider in prose": ("engine/x.py", '"""As Slack does."""\ndef f():\n    """GitHub too."""'),
    "monotonic where time is measured": ("doors/http.py", "import time\nx = time.monotonic()"),
    "the clock in wiring": ("wiring/x.py", "from datetime import datetime\nx = datetime.now()"),
}


@pytest.mark.parametrize(("path", "source"), GOOD.values(), ids=GOOD)
def test_the_rules_do_not_fire_on_what_is_allowed(path: str, source: str) -> None:
    assert [sentence for rule in RULES for sentence in rule(path, ast.parse(source))] == []
