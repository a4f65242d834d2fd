"""Older majors of the Python client: each method they have, called in a process where nothing newer can be seen."""

import hmac
import json
import os
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from workos.pipes.models import DataIntegrationCredentialsInput

from tests import compatibility
from tests.sdk.older import install
from tests.sdk.stage import GITHUB, At

ROOT = Path(__file__).resolve().parents[2]
BODY = '{"object":"event","id":"event_01","event":"pipes.connected_account.connected","created_at":"2026-01-01T00:00:00.000Z","data":%s}'


def prepared(at: At) -> dict[str, Any]:
    """What an older client cannot make by itself: connected accounts, and a delivery as tests/sdk/told.py receives them."""
    user, member, organization = at.new("user"), at.new("user"), at.new("org")
    at.connect(user)
    at.pipes.create_user_connected_account(member, GITHUB, organization_id=organization, access_token="gho_1")
    account = at.pipes.get_user_connected_account(user, GITHUB).to_dict() | {"data_integration_id": "data_integration_01", "provider_slug": GITHUB}
    body, moment = BODY % json.dumps(account), str(int(time.time() * 1000))
    signature = hmac.new(b"whsec_1", f"{moment}.{body}".encode(), sha256).hexdigest()
    until = time.monotonic() + 60
    while not at.client.events.list_events(events=["pipes.connected_account.connected"], organization_id=organization).data and time.monotonic() < until:
        time.sleep(0.5)
    return {
        "base_url": at.url,
        "return_to": at.landing,
        "user": user,
        "member": member,
        "organization": organization,
        "keyed": at.custom("api_key"),
        "own_client": at.custom(credentials=DataIntegrationCredentialsInput(type="organization")),  # type: ignore[arg-type]
        "delivery": {"body": body, "signature": f"t={moment}, v1={signature}", "secret": "whsec_1"},
    }


@pytest.mark.parametrize("version", install.VERSIONS)
def test_every_method_of_an_older_major(at: At, version: str) -> None:
    folder = install.folder(version)
    given = {**prepared(at), "api_key": at.client.client._api_key}
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]), "PYTHONWARNINGS": "default"}
    done = subprocess.run([sys.executable, "-m", "tests.sdk.older.calls"], input=json.dumps(given), cwd=ROOT, env=environ, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    about, *lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert about["package"].startswith(str(folder)) and about["without_story"] == [] and about["elsewhere"] == []
    problems = {line["method"]: line["problem"] or line["untried"] for line in lines if line["problem"] or line["untried"]}
    assert problems == {}
    client = f"workos (Python) {version}"
    for line in lines:
        parameters = f"{line['parameters']} parameter{'s' if line['parameters'] != 1 else ''}"
        raised = [f"raised {' '.join(line['errors'])}"] if line["errors"] else []
        compatibility.record(client, line["method"], "works with a defect of its own" if line["note"] else "works", "; ".join([parameters, *raised, *filter(None, [line["note"]])]))
    assert compatibility.documented(client) == {line["method"] for line in lines}
