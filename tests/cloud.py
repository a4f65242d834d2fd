"""The embedded AWS for tests: one ministack a session on a free loopback port, and as many stages in it as tests ask for.

Tables and keys are made from the same template a deployment uses, so a test never runs on a table nobody has.
"""

import json
import os
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import boto3

from chalicelib.domain import settings
from chalicelib.wiring import Engine

ROOT = Path(__file__).resolve().parent.parent
REGION = "us-east-1"
QUEUES = ("refresh", "rescue", "revoke", "webhook")
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def table_definition() -> dict[str, Any]:
    """The CreateTable request the template describes."""
    resources = json.loads((ROOT / ".chalice" / "resources.json").read_text())["Resources"]
    (table,) = [r["Properties"] for r in resources.values() if r["Type"] == "AWS::DynamoDB::Table"]
    return {name: table[name] for name in ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")}


def _refused(*_arguments: Any, **_more: Any) -> None:
    raise AssertionError("this client is everybody's: take client_of_its_own to hook into it")


class Cloud:
    """A running ministack. Not for moto: what is proved with it needs atomic conditions."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.environ = {**CREDENTIALS, "AWS_ENDPOINT_URL": self.endpoint}
        self._clients: dict[str, Any] = {}
        self._log = (directory / "ministack.log").open("w")
        environ = {**os.environ, **CREDENTIALS, "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(self.port), "STATE_DIR": str(directory / "state")}
        environ.pop("AWS_ENDPOINT_URL", None)
        self._process = subprocess.Popen([sys.executable, "-m", "ministack"], env=environ, stdout=self._log, stderr=subprocess.STDOUT, cwd=directory)
        until = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                break
            except OSError:
                if time.monotonic() > until or self._process.poll() is not None:
                    raise RuntimeError(f"ministack did not start; see {self._log.name}") from None
                time.sleep(0.1)

    def client(self, service: str) -> Any:
        """One for each service: making one takes as long as ten calls, and every test has a stage made. It takes no handlers: they would stay for the tests after."""
        if service not in self._clients:
            made = self._clients[service] = self.client_of_its_own(service)
            made.meta.events.register = made.meta.events.register_first = made.meta.events.register_last = _refused
        return self._clients[service]

    def client_of_its_own(self, service: str) -> Any:
        """For a test that hooks into its calls."""
        return boto3.client(service, endpoint_url=self.endpoint, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test")

    def stage(self, **overrides: str) -> "Stage":
        """A stage of its own: a new table, a new key."""
        name = f"t{uuid.uuid4().hex[:10]}"
        self.client("dynamodb").create_table(TableName=f"standpipe-{name}", **table_definition())
        arn = self.client("kms").create_key()["KeyMetadata"]["Arn"]
        sqs = self.client("sqs")
        queues = {f"STANDPIPE_{queue.upper()}_QUEUE_URL": sqs.create_queue(QueueName=f"standpipe-{name}-{queue}")["QueueUrl"] for queue in QUEUES}
        topic = self.client("sns").create_topic(Name=f"standpipe-{name}-events")["TopicArn"]
        environ = {
            "STANDPIPE_ENVIRONMENT": "sandbox",
            "STANDPIPE_STAGE": name,
            "STANDPIPE_URL": "http://localhost:8000",
            "STANDPIPE_TABLE": f"standpipe-{name}",
            "STANDPIPE_KEY_ARN": arn,
            "STANDPIPE_TOPIC_ARN": topic,
            **queues,
            "STANDPIPE_APP_NAME": "Acme",
            "STANDPIPE_RETURN_URLS": "https://app.example/connected",
            "STANDPIPE_ALLOWED_PRIVATE_HOSTS": "localhost 127.0.0.1",
            **overrides,
        }
        return Stage(self, environ)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(15)
        self._log.close()


class Stage:
    """One stage's environment. `engine()` makes a new process's worth of engine each time."""

    def __init__(self, cloud: Cloud, environ: dict[str, str]) -> None:
        self.cloud = cloud
        self.environ = environ
        self.table = environ["STANDPIPE_TABLE"]

    def engine(self) -> Engine:
        return Engine(settings.read(self.environ))
