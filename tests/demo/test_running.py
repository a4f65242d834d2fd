"""Starting and ending the demo: what it says when Standpipe is not there, which port it takes, and that it leaves nothing behind."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest

from ops.local.sandbox import Sandbox, free_port
from tests.cloud import ROOT
from tests.demo.acme import FOLDER, Demo, Start


def left(sandbox: Sandbox, port: int) -> list[str]:
    """Queues and subscriptions of the demo on this port."""
    given = {
        "endpoint_url": sandbox.environ["AWS_ENDPOINT_URL"],
        "region_name": sandbox.environ["AWS_DEFAULT_REGION"],
        "aws_access_key_id": sandbox.environ["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": sandbox.environ["AWS_SECRET_ACCESS_KEY"],
    }
    sqs: Any = boto3.client("sqs", **given)
    sns: Any = boto3.client("sns", **given)
    topic = sandbox.environ["STANDPIPE_TOPIC_ARN"]
    name = f"{topic.rpartition(':')[2]}-acme-{port}-"
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    return [*sqs.list_queues(QueueNamePrefix=name).get("QueueUrls", []), *(each["Endpoint"] for page in pages for each in page["Subscriptions"] if name in each["Endpoint"])]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ending_it_removes_its_queue_and_its_subscription(start: Start, sandbox: Sandbox, number: int) -> None:
    demo = start()
    assert len(left(sandbox, demo.port)) == 2
    code, out, err = demo.end(number)
    assert (code, err) == (0, "") and "its queue is removed" in out
    assert left(sandbox, demo.port) == []


def test_what_a_killed_one_left_is_removed_by_the_next_on_its_port(start: Start, sandbox: Sandbox) -> None:
    killed = start()
    killed.end(signal.SIGKILL)
    lost = left(sandbox, killed.port)
    assert len(lost) == 2
    after = left(sandbox, start(port=killed.port).port)
    assert len(after) == 2 and not set(after) & set(lost)


def test_two_demos_do_not_take_each_others_port_or_queue(start: Start, sandbox: Sandbox) -> None:
    first = start()
    second = start(port=first.port)
    assert first.url != second.url
    second.end()
    assert len(left(sandbox, first.port)) == 2


@pytest.mark.parametrize("missing", ["file", "sandbox"])
def test_without_a_running_sandbox_it_says_what_to_do_in_one_sentence(sandbox: Sandbox, tmp_path: Path, missing: str) -> None:
    file = tmp_path / "standpipe.env"
    if missing == "sandbox":
        file.write_text((sandbox.directory / "standpipe.env").read_text().replace(f"STANDPIPE_URL='{sandbox.url}'", f"STANDPIPE_URL='http://localhost:{free_port()}'"))
    done = subprocess.run([sys.executable, str(FOLDER / "acme.py"), "--environment", str(file)], env={}, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Standpipe is not running here: start it with 'make run' in another terminal, wait until it is ready, and run this again.\n"


def test_it_asks_for_the_versions_that_are_tested() -> None:
    tested = {line.split()[0] for name in ("requirements.txt", "tests/requirements.txt") for line in (ROOT / name).read_text().splitlines() if line}
    assert set((FOLDER / "requirements.txt").read_text().split()) <= tested


def test_it_listens_on_this_machine_only(demo: Demo) -> None:
    """Not on another address of loopback either."""
    listening = {line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if line.split()[3] == "0A"}
    port = f":{int(demo.url.rpartition(':')[2]):04X}"
    assert {address for address in listening if address.endswith(port)} == {f"0100007F{port}"}
