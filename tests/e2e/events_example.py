"""The events example in use: its scripts in a folder of their own, and what they did. `Reminded` has the real application beside it."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from email import message_from_string, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import boto3

from chalicelib import wiring
from chalicelib.domain import lifecycle
from chalicelib.domain.events import Event
from chalicelib.domain.lifecycle import Transition
from chalicelib.domain.models import Connection
from chalicelib.domain.schedule import Policy
from chalicelib.doors.topic import Topic
from chalicelib.engine.registrations import Change
from tests.domain import samples

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "events"


def until(what: Callable[[], Any], seconds: float = 30) -> Any:
    """The first true value of `what`; fails with its last one."""
    end = time.monotonic() + seconds
    while not (value := what()):
        assert time.monotonic() < end, f"not within {seconds} seconds: {value!r}"
        time.sleep(0.05)
    return value


class Example:
    """A copy of the example's folder, run with `environ` and nothing else of this process."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("handled.db", "__pycache__"))
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self.folder, self.environ = folder, {**kept, **environ}
        self.topic = environ["STANDPIPE_TOPIC_ARN"]
        self.name = self.topic.rpartition(":")[2]
        self._reminder: subprocess.Popen[bytes] | None = None

    def client(self, service: str) -> Any:
        e = self.environ
        return boto3.client(
            service, endpoint_url=e["AWS_ENDPOINT_URL"], region_name=e["AWS_DEFAULT_REGION"], aws_access_key_id=e["AWS_ACCESS_KEY_ID"], aws_secret_access_key=e["AWS_SECRET_ACCESS_KEY"]
        )

    def subscribe(self, *arguments: str) -> str:
        done = subprocess.run([sys.executable, "subscribe.py", *arguments], cwd=self.folder, env=self.environ, capture_output=True, text=True, timeout=120, check=False)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout

    def start(self) -> None:
        """The reminder, in the background."""
        with (self.folder / "mails").open("ab") as mails, (self.folder / "log").open("ab") as log:
            self._reminder = subprocess.Popen([sys.executable, "remind.py"], cwd=self.folder, env=self.environ, stdout=mails, stderr=log)

    def stop(self) -> None:
        if self._reminder is not None:
            self._reminder.terminate()
            self._reminder.wait(20)
            self._reminder = None

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def mails(self, user: str) -> list[EmailMessage]:
        """What was sent to somebody, in order."""
        texts = re.split(r"(?m)^(?=From: )", (self.folder / "mails").read_text())
        mails = [message_from_string(text, EmailMessage, policy=policy.default) for text in texts if text]
        return [mail for mail in mails if mail["To"] == f"{user}@example.com"]

    def chat(self) -> list[dict[str, Any]]:
        """What the function wrote to its log."""
        logs = self.client("logs")
        try:
            found = logs.filter_log_events(logGroupName=f"/aws/lambda/{self.name}-operators")["events"]
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [json.loads(line["message"]) for line in found if line["message"].startswith("{")]

    def publish(self, event: Event) -> None:
        Topic(self.client("sns"), self.topic).publish(event)

    def queue(self, suffix: str = "mail") -> str:
        return str(self.client("sqs").get_queue_url(QueueName=f"{self.name}-{suffix}")["QueueUrl"])

    def waiting(self, suffix: str = "mail") -> int:
        """Messages that are in a queue, or with a consumer."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        return sum(map(int, self.client("sqs").get_queue_attributes(QueueUrl=self.queue(suffix), AttributeNames=names)["Attributes"].values()))


class Reminded(Example):
    """The example beside the real application. What becomes of an account is stored; what is told of it, and when, is up to the test."""

    def __init__(self, folder: Path, environ: dict[str, str], engine: wiring.Engine) -> None:
        super().__init__(folder, environ)
        self._store, self._keys = engine.store, engine.api_keys
        self._registration = engine.registrations.create("github", Change(enabled=True))
        self.make_key()

    def make_key(self) -> None:
        self._key, self.environ["STANDPIPE_API_KEY"] = self._keys.create("remind.py")

    def revoke_key(self) -> None:
        self._keys.revoke(self._key.id)

    def connected(self, **changes: Any) -> Connection:
        """Somebody's account at GitHub."""
        names = {"id": lifecycle.new_connection_id(datetime.now(UTC)), "user_id": f"user_{uuid.uuid4().hex[:8]}", "organization_id": None, "display_name": "octocat"}
        made = samples.connection(slug="github", registration_id=self._registration.id, live_registration_id=self._registration.id, **{**names, **changes})
        return self.becomes(Transition(None, made))

    def becomes(self, transition: Transition) -> Connection:
        self._store.commit(transition)
        return transition.after

    def ended(self, connection: Connection) -> tuple[Connection, Event]:
        """GitHub refuses the grant."""
        transition = lifecycle.refused(connection, "refused", "bad_refresh_token", datetime.now(UTC))
        return self.becomes(transition), transition.events[0]

    def ending(self, connection: Connection) -> tuple[Connection, Event]:
        """The end of its consent is near."""
        transition = lifecycle.announced(connection, Policy(), datetime.now(UTC))
        return self.becomes(transition), transition.events[0]

    def again(self, connection: Connection, connection_id: str) -> Connection:
        """Its owner connects again."""
        consent = samples.pending(user_id=connection.user_id, organization_id=None, slug="github", registration_id=self._registration.id).consent
        return self.becomes(lifecycle.connected(connection, consent, connection_id, samples.answer(), b"blob", policy=Policy(), grant_limit=0, now=datetime.now(UTC)))

    def tell(self, *told: Event) -> None:
        """Publishes them in this order, and returns when the reminder has dealt with all of them."""
        before = self.log().count(told[-1].id)
        for event in told:
            self.publish(event)
        until(lambda: self.log().count(told[-1].id) > before and not self.waiting())
