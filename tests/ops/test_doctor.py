"""The doctor and the plan, at a deployment that runs and at one that is broken on purpose."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chalicelib.domain import lifecycle
from chalicelib.domain.circuit import Circuit
from chalicelib.domain.models import Owner
from ops import clock, doctor
from ops.errors import StepFailed
from ops.local.sandbox import Sandbox
from tests.cloud import ROOT, free_port
from tests.simulator.conftest import Form


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox(tmp_path_factory.mktemp("doctor"), port=free_port(), aws_port=free_port(), say=lambda _: None) as running:
        yield running


def verdicts(found: list[doctor.Finding]) -> dict[str, str]:
    return {finding.what: finding.verdict for finding in found}


def connect(sandbox: Sandbox, user: str) -> None:
    """As a person does, without a browser: confirm, allow, come back."""
    import requests

    headers = {"Authorization": f"Bearer {sandbox.api_key}"}
    begun = requests.post(f"{sandbox.url}/data-integrations/github/authorize", headers=headers, json={"user_id": user}, timeout=30).json()
    browser = requests.Session()
    page = Form(browser.get(begun["url"], timeout=30).text)
    action = page.action if page.action.startswith("http") else sandbox.url + page.action
    consent = browser.post(action, data=dict(page.hidden), headers={"Origin": sandbox.url}, timeout=30)
    form = Form(consent.text)
    target = form.action if form.action.startswith("http") else sandbox.url + form.action
    done = browser.post(target, data={**dict(form.hidden), "account": form.radios[0], "decision": "allow"}, headers={"Origin": sandbox.url}, timeout=30)
    assert "is connected" in done.text, done.text[:500]


def test_a_fresh_deployment_is_well_once_its_sweep_has_run(sandbox: Sandbox) -> None:
    clock.sweep_now(sandbox.environ, say=lambda _: None)
    found = doctor.run(sandbox.environ, say=lambda _: None)
    wrong = [finding.line() for finding in found if finding.verdict == "WRONG"]
    assert wrong == []
    assert {"the address", "the table", "the key", "last sweep", "trigger of refresh", "schedule of sweep", "rescue dead letters"} <= set(verdicts(found))


def test_what_is_wrong_is_named_with_what_to_do(sandbox: Sandbox) -> None:
    from ops.keys import _engine

    engine = _engine(sandbox.environ)
    engine.agenda.save_circuit(Circuit(slug="slack", misconfigured_since=datetime.now(UTC), open_until=datetime.now(UTC), last_error="invalid_client", version=1))
    engine.queue(engine.settings.rescue_queue_url + "-dead").send({"v": 0})
    said: list[str] = []
    found = verdicts(doctor.run(sandbox.environ, say=said.append))
    assert (found["provider slack"], found["rescue dead letters"]) == ("WRONG", "WRONG")
    assert any("PUT /data-integrations/slack" in line for line in said) and any("never purge" in line for line in said)
    engine.circuits.reset("slack")


def test_the_command_ends_with_1_if_anything_is_wrong(sandbox: Sandbox) -> None:
    environ = {**sandbox.environ, "STANDPIPE_TABLE": "no-such-table"}
    found = doctor.run(environ, say=lambda _: None)
    assert any(finding.verdict == "WRONG" for finding in found)
    done = subprocess.run([sys.executable, "-m", "ops", "doctor", "--stage", "nowhere"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "has not been deployed from here" in done.stderr


def test_the_deployed_worker_refreshes_what_an_operator_asks_for_and_the_plan_names_it(sandbox: Sandbox) -> None:
    connect(sandbox, "user_plan")
    said: list[str] = []
    assert clock.plan(sandbox.environ, within=timedelta(days=7), provider="github", limit=10, say=said.append) >= 1
    assert any("user_plan" in line and "github" in line for line in said)
    after = clock.now(sandbox.environ, Owner(user_id="user_plan"), "github", say=said.append)
    assert (after.generation, after.state) == (2, "connected")
    with pytest.raises(StepFailed, match="no such connection"):
        clock.now(sandbox.environ, Owner(user_id="nobody"), "github", say=said.append)


def test_what_was_handed_over_is_not_waited_for(sandbox: Sandbox) -> None:
    from ops.keys import _engine

    connect(sandbox, "user_handed_over")
    engine, owner = _engine(sandbox.environ), Owner(user_id="user_handed_over")
    before = engine.store.connection(owner, "github")
    assert before is not None
    engine.store.commit(lifecycle.handed_over(before, datetime.now(UTC)))
    with pytest.raises(StepFailed, match="handed over"):
        clock.now(sandbox.environ, owner, "github", say=lambda _: None)


def test_the_deployed_sweep_publishes_and_the_deployed_schedule_wakes_it(sandbox: Sandbox) -> None:
    """EventBridge, Lambda, DynamoDB, SQS and SNS of the embedded AWS, none of them called by this test but to look."""
    from ops.keys import _engine

    agenda = _engine(sandbox.environ).agenda
    before, until = agenda.progress().swept_until, time.monotonic() + 100
    while agenda.progress().swept_until == before and time.monotonic() < until:
        time.sleep(1)
    assert agenda.progress().swept_until != before


def test_nothing_of_what_is_said_is_secret(sandbox: Sandbox, tmp_path: Path) -> None:
    said: list[str] = []
    doctor.run(sandbox.environ, say=said.append)
    clock.plan(sandbox.environ, within=timedelta(days=7), provider=None, limit=10, say=said.append)
    assert sandbox.api_key not in json.dumps(said)
