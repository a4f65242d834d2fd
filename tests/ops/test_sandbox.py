"""`make run` and `make stop`: what is refused before anything starts, and two runs of one folder with a murder between them."""

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import boto3
import pytest
import requests

from ops import __main__ as commands
from ops import deploy
from ops.errors import StepFailed
from ops.local import sandbox
from ops.local.sandbox import REGION, ROOT, SHIPPED, STAGE, Sandbox, free_port, read_environ
from tests.simulator.conftest import Form

TIMER = {"version": "0", "id": "1", "detail-type": "Scheduled Event", "source": "aws.events", "account": "0", "time": "now", "region": REGION, "resources": [], "detail": {}}
SAVED_WITHIN = 6.0  # seconds after which nothing is lost any more, however the run ends


@contextmanager
def occupied() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_a_taken_port_is_named_with_a_way_out(tmp_path: Path) -> None:
    with occupied() as port, pytest.raises(StepFailed, match=rf"(?s)Opening port {port} failed.*make run PORT={port + 1}"):
        Sandbox(tmp_path, port=port).start()
    with occupied() as port, pytest.raises(StepFailed, match=r"(?s)embedded AWS failed.*AWS_PORT="):
        Sandbox(tmp_path, port=free_port(), aws_port=port).start()
    assert not (tmp_path / "aws.log").exists(), "nothing was started"


def test_the_deployment_is_known_again_until_something_of_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = copy_of_the_project(tmp_path / "project")
    monkeypatch.setattr(sandbox, "ROOT", project)

    def fingerprint(**settings: str) -> str:
        return Sandbox(tmp_path / "state", port=8000, aws_port=1, settings=settings)._fingerprint()

    first = fingerprint()
    (project / "chalicelib" / "__pycache__").mkdir()
    (project / "chalicelib" / "__pycache__" / "x.pyc").write_text("anything")
    (project / "ops" / "keys.py").write_text("# not part of a deployment\n")
    assert fingerprint() == first
    seen = {first, fingerprint(STANDPIPE_APP_NAME="Other")}
    for name in ("app.py", "chalicelib/providers/catalogue/github.toml", "requirements.txt", ".chalice/resources.json"):
        with (project / name).open("a") as file:
            file.write("\n")
        seen.add(fingerprint())
    (project / "chalicelib" / "new.py").touch()
    seen.add(fingerprint())
    assert len(seen) == 7


def test_a_file_that_only_names_a_process_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A process id is used again some day, also for something called 'ops'."""
    monkeypatch.setattr(commands, "LOCAL", tmp_path)
    monkeypatch.setattr(commands, "PID", tmp_path / "run.pid")
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", "-m", "ops", "run"])
    try:
        (tmp_path / "run.pid").write_text(str(bystander.pid))
        commands.stop(None)  # type: ignore[arg-type]
        assert capsys.readouterr().out == "No sandbox of this folder is running.\n"
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def copy_of_the_project(folder: Path) -> Path:
    for name in (*SHIPPED, "ops"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / name, folder / name)
    return folder


class Folder:
    """A checkout with nothing kept from before, in which the commands of the Makefile are run."""

    def __init__(self, folder: Path) -> None:
        self.path = copy_of_the_project(folder)
        self.local = self.path / ".local"
        self.port, self.aws_port = free_port(), free_port()
        self.output = folder / "output"
        self.process: subprocess.Popen[bytes] | None = None

    def run(self) -> float:
        """`make run` until it says that it is ready; how many seconds that took."""
        started = time.monotonic()
        with self.output.open("wb") as output:
            command = [sys.executable, "-m", "ops", "run", "--port", str(self.port), "--aws-port", str(self.aws_port)]
            self.process = subprocess.Popen(command, cwd=self.path, stdout=output, stderr=subprocess.STDOUT)
        while "is ready at" not in (said := self.output.read_text()):
            assert self.process.poll() is None and time.monotonic() - started < 120, said
            time.sleep(0.1)
        return time.monotonic() - started

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", "ops", *arguments], cwd=self.path, capture_output=True, text=True, timeout=60, check=False)

    def api(self, method: str, path: str, body: Any = None) -> requests.Response:
        key = read_environ(self.local)["STANDPIPE_API_KEY"]
        return requests.request(method, f"http://localhost:{self.port}{path}", json=body, headers={"Authorization": f"Bearer {key}"}, timeout=30)

    def client(self, service: str) -> Any:
        """As the operator of the embedded AWS."""
        return boto3.client(service, endpoint_url=f"http://127.0.0.1:{self.aws_port}", region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test")

    def connect(self, user: str) -> None:
        """GitHub's simulator, in a browser."""
        browser = requests.Session()
        link = self.api("POST", "/data-integrations/github/authorize", {"user_id": user}).json()["url"]
        csrf = browser.get(link, timeout=30).text.split('name="csrf" value="')[1].split('"')[0]
        form = Form(browser.post(link, data={"csrf": csrf}, timeout=30).text)
        origin = f"http://localhost:{self.port}"
        done = browser.post(urljoin(origin, form.action), data=[*form.hidden, ("account", form.radios[0]), ("decision", "allow")], headers={"Origin": origin}, timeout=30)
        assert "is connected" in done.text, done.text

    def make_due(self, user: str) -> None:
        """As if its token were about to end."""
        key = {"pk": {"S": f"owner#-#{user}"}, "sk": {"S": "connection#github#default"}}
        past = {":past": {"S": "2026-01-01T00:00:00.000Z"}}
        self.client("dynamodb").update_item(TableName=f"standpipe-{STAGE}", Key=key, UpdateExpression="SET refresh_due_at = :past", ExpressionAttributeValues=past)

    def token(self, user: str) -> Any:
        return self.api("POST", "/data-integrations/github/token", {"user_id": user}).json()

    def subscribe(self) -> None:
        """A queue that hears of every event."""
        arn, sqs = f"arn:aws:sqs:{REGION}:000000000000:heard", self.client("sqs")
        policy = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn}]}
        sqs.create_queue(QueueName="heard", Attributes={"Policy": json.dumps(policy)})
        self.client("sns").subscribe(TopicArn=read_environ(self.local)["STANDPIPE_TOPIC_ARN"], Protocol="sqs", Endpoint=arn)

    def heard(self) -> list[str]:
        """What arrived there since the last time."""
        sqs, found = self.client("sqs"), []
        url = sqs.get_queue_url(QueueName="heard")["QueueUrl"]
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            found.append(json.loads(json.loads(message["Body"])["Message"])["event"].rsplit(".", 1)[-1])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found

    def children(self) -> list[int]:
        assert self.process is not None
        found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True, check=False).stdout.split()
        return [int(pid) for pid in found]

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    made = Folder(tmp_path / "checkout")
    yield made
    made.end()


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").exists() and Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def wait_until(true: Any, seconds: float, what: str) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, what
        time.sleep(0.1)


def the_clock_runs(folder: Folder) -> None:
    """Schedules, triggers and the topic, after a murder."""
    assert folder.heard() == ["connected"], "what the topic put into a queue was saved too"
    folder.make_due("ana")
    wait_until(lambda: folder.token("ana")["access_token"]["generation"] == 2, 80, "the schedule wakes the sweep each minute, and its message the worker")
    assert folder.heard() == []


def a_verdict_is_heard_of(folder: Folder) -> None:
    """The functions after a second deployment, each with its role."""
    roles = {function["FunctionName"]: function["Role"].rsplit("-", 1)[-1] for function in folder.client("lambda").list_functions()["Functions"]}
    name = f"standpipe-{STAGE}"
    assert roles == {
        name: "api",
        f"{name}-sweep": "sweep",
        f"{name}-repair": "sweep",
        f"{name}-refresh": "worker",
        f"{name}-rescue": "worker",
        f"{name}-revoke": "worker",
        f"{name}-webhook": "webhook",
    }
    assert requests.post(f"http://localhost:{folder.port}/simulator/github/knobs", json={"action": "revoke_grant"}, timeout=30).status_code == 200
    folder.make_due("ana")
    assert "FunctionError" not in folder.client("lambda").invoke(FunctionName=f"{name}-sweep", Payload=json.dumps(TIMER))
    wait_until(lambda: "reauthorization_needed" in folder.heard(), 20, "the worker's verdict is heard of")
    assert folder.token("ana")["error"] == "needs_reauthorization"


def test_a_run_that_is_killed_is_found_again_by_the_next(folder: Folder) -> None:
    first = folder.run()
    environ = folder.local / "standpipe.env"
    assert stat.S_IMODE(environ.stat().st_mode) == 0o600
    api_id = deploy.api_url(folder.local / "app", STAGE)
    deployed = (folder.local / "app" / ".chalice" / "deployed" / "local.json").read_text()
    assert '"arn:aws:lambda:us-east-1:000000000000:function:standpipe-local"' in deployed, "the template's log group is of this name"

    again = folder.command("run", "--port", str(folder.port))
    assert again.returncode == 1
    assert f"running already (process {folder.process.pid})" in again.stderr and "make stop" in again.stderr  # type: ignore[union-attr]
    assert folder.command("key", "--name", "second").stdout.startswith("sk_")
    assert "second  " in folder.command("key", "--list").stdout

    folder.subscribe()
    folder.connect("ana")
    assert folder.token("ana")["access_token"]["generation"] == 1
    assert folder.api("PUT", "/data-integrations/github", {"description": "written before the end"}).status_code == 200
    time.sleep(SAVED_WITHIN)
    (cloud,) = folder.children()
    # The embedded AWS first, so that it cannot save when it sees its parent go.
    os.kill(cloud, signal.SIGKILL)
    assert folder.process is not None
    folder.process.kill()
    folder.process.wait()

    second = folder.run()
    assert second < max(6.0, first * 0.6)
    assert "unchanged since the last run" in folder.output.read_text()
    assert deploy.api_url(folder.local / "app", STAGE) == api_id
    assert folder.api("GET", "/data-integrations/github").json()["description"] == "written before the end"
    the_clock_runs(folder)
    listed = folder.command("key", "--list").stdout
    assert listed.count("make run") == 1 and listed.count("second") == 1, "the key of the first run goes on"

    # A deployment over the one that is there keeps the API's id, so every address stays.
    route = folder.local / "app" / "chalicelib" / "web" / "api.py"
    route.write_text(route.read_text().replace('answer({"status": "ok"})', 'answer({"status": "ok again"})'))
    known = read_environ(folder.local)
    deploy.chalice(folder.local / "app", STAGE, {**os.environ, **{name: value for name, value in known.items() if name.startswith("AWS_")}})
    assert deploy.api_url(folder.local / "app", STAGE) == api_id
    assert requests.get(f"http://localhost:{folder.port}/healthz", timeout=30).json() == {"status": "ok again"}

    a_verdict_is_heard_of(folder)

    (cloud,) = folder.children()
    stopped = folder.command("stop")
    assert (stopped.returncode, stopped.stdout) == (0, "Stopped.\n")
    assert folder.process.wait(10) == 0
    wait_until(lambda: gone(cloud), 10, "the embedded AWS ends with its run")
    assert folder.command("stop").stdout == "No sandbox of this folder is running.\n"
    assert sandbox.port_is_free(folder.port) and sandbox.port_is_free(folder.aws_port)
