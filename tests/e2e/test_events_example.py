"""The events example as a product runs it: its own scripts, real SNS filters and queue policies, a Lambda function's own log.

The first half publishes what Standpipe publishes, at an embedded AWS with IAM on and beside a stand-in that answers as Standpipe does: there
an event can come twice, late, or in the wrong order. The second half is the whole story in a sandbox.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_string, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from playwright.sync_api import Page

from chalicelib.domain import events, ids
from tests.cloud import Cloud
from tests.e2e.conftest import Api
from tests.e2e.test_story import connect

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "events"
PEOPLE = {events.REAUTHORIZATION_NEEDED, events.REAUTHORIZATION_EXPECTED}
OPERATORS = {events.MISCONFIGURED, events.DEGRADED}
ENDS = "2026-12-24T06:24:14.121Z"


def until(what: Callable[[], Any], seconds: float = 20) -> Any:
    """The first true value of `what`; fails with its last one."""
    end = time.monotonic() + seconds
    while not (value := what()):
        assert time.monotonic() < end, f"not within {seconds} seconds: {value!r}"
        time.sleep(0.1)
    return value


class StandIn:
    """Standpipe's two answers that the reminder asks for: a user's providers, with the accounts put here, and a link."""

    def __init__(self) -> None:
        self.accounts: dict[str, dict[str, Any]] = {}
        self.broken = False
        self.asked: list[str] = []
        here = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                here.asked.append(self.path)
                match = re.fullmatch(r"/user_management/users/([^/]+)/data_providers(\?organization_id=org_1)?", self.path)
                assert match, self.path
                account = here.accounts.get(match[1])
                providers = [{"slug": "github", "name": "GitHub", "connected_account": account}, {"slug": "slack", "name": "Slack", "connected_account": None}]
                self.answer(400 if here.broken else 200, {"message": "broken", "code": "broken"} if here.broken else {"object": "list", "data": providers})

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                assert self.path == "/data-integrations/github/authorize"
                self.answer(200, {"url": f"https://standpipe.example/connect/{body['user_id']}", "state": "s"})

            def answer(self, status: int, body: dict[str, Any]) -> None:
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Example:
    """A copy of the example's folder, run with `environ` and nothing else of this process."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("handled.db", "__pycache__"))
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

    def mails(self) -> list[EmailMessage]:
        """What was sent, in order."""
        texts = re.split(r"(?m)^(?=From: )", (self.folder / "mails").read_text())
        return [message_from_string(text, EmailMessage, policy=policy.default) for text in texts if text]

    def chat(self) -> list[dict[str, Any]]:
        """What the function wrote to its log."""
        logs = self.client("logs")
        try:
            found = logs.filter_log_events(logGroupName=f"/aws/lambda/{self.name}-operators")["events"]
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [json.loads(line["message"]) for line in found if line["message"].startswith("{")]

    def queue(self, suffix: str = "mail") -> str:
        return str(self.client("sqs").get_queue_url(QueueName=f"{self.name}-{suffix}")["QueueUrl"])

    def waiting(self, suffix: str = "mail") -> int:
        """Messages that are in a queue, or with a consumer."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        return sum(map(int, self.client("sqs").get_queue_attributes(QueueUrl=self.queue(suffix), AttributeNames=names)["Attributes"].values()))


class Published(Example):
    """Told by this test what Standpipe would tell, of accounts that are at the stand-in."""

    def __init__(self, folder: Path, environ: dict[str, str], standpipe: StandIn) -> None:
        super().__init__(folder, environ)
        self.standpipe = standpipe
        self._clock = datetime.now(UTC)

    def event(self, kind: str, user: str = "user_ana", **more: Any) -> dict[str, Any]:
        """An event of the user's account, later than every one before. The account is as the event says, until a test changes it."""
        self._clock += timedelta(milliseconds=1)
        at = events.timestamp(self._clock)
        data: dict[str, Any] = {"object": "connected_account", "id": f"data_installation_{user}", "data_integration_id": "data_integration_1", "provider_slug": "github", "user_id": user}
        ended = kind == events.REAUTHORIZATION_NEEDED
        data |= {"organization_id": None, "scopes": ["repo"], "state": "needs_reauthorization" if ended else "connected", "state_reason": "refused" if ended else None}
        data |= {"account_display_name": "octocat", "reauthorization_expected_at": ENDS if kind == events.REAUTHORIZATION_EXPECTED else None, "created_at": at, "updated_at": at, **more}
        if kind == events.MISCONFIGURED:
            data = {"object": "provider_misconfiguration", "data_integration_id": "data_integration_1", "provider_slug": "github", "error_code": "invalid_client", "message": "Nobody but us."}
        else:
            message = "GitHub no longer accepts this connection. Connect again to continue." if ended else None
            self.standpipe.accounts[user] = {**data, "message": message}
        return {"object": "event", "id": f"event_{ids.ulid(self._clock)}", "event": kind, "created_at": at, "data": data}

    def publish(self, told: dict[str, Any]) -> None:
        known = {"event": told["event"], "provider": told["data"]["provider_slug"], "organization_id": told["data"].get("organization_id")}
        attributes = {name: {"DataType": "String", "StringValue": value} for name, value in known.items() if value}
        self.client("sns").publish(TopicArn=self.topic, Message=json.dumps(told), MessageAttributes=attributes)

    def handled(self) -> list[EmailMessage]:
        """The mails, once every event that was published is dealt with."""
        until(lambda: not self.waiting())
        return self.mails()


@pytest.fixture(scope="module")
def strict_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """An embedded AWS in which policies count, as they do in AWS and in a sandbox."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTH", "true")
        running = Cloud(tmp_path_factory.mktemp("cloud"))
    yield running
    running.stop()


@pytest.fixture
def example(strict_cloud: Cloud, tmp_path: Path) -> Iterator[Published]:
    """The example, subscribed to a topic of its own."""
    topic = strict_cloud.client("sns").create_topic(Name=f"standpipe-t{uuid.uuid4().hex[:10]}-events")["TopicArn"]
    standpipe = StandIn()
    settings = {"STANDPIPE_URL": standpipe.url, "STANDPIPE_API_KEY": "sk_test", "STANDPIPE_TOPIC_ARN": topic, "STANDPIPE_ENVIRONMENT": "sandbox"}
    running = Published(tmp_path / "example", {**strict_cloud.environ, **settings}, standpipe)
    running.subscribe()
    yield running
    running.stop()
    running.subscribe("--remove")
    standpipe.stop()


def test_each_consumer_is_given_what_its_filter_lets_through_and_nothing_else(example: Published) -> None:
    for kind in events.TYPES:
        example.publish(example.event(kind))
    sqs = example.client("sqs")
    kinds: set[str] = set()
    for message in until(lambda: sqs.receive_message(QueueUrl=example.queue(), MaxNumberOfMessages=10)["Messages"]):
        told = json.loads(message["Body"])  # the event itself: RawMessageDelivery
        kinds.add(told["event"])
    assert kinds == PEOPLE
    assert example.waiting() == len(PEOPLE)

    until(lambda: len(example.chat()) >= len(OPERATORS))
    said = sorted(line["chat"] for line in example.chat())
    assert said == [
        "github of user_ana could not be refreshed for days and has no live token left. The grant is kept and tried again; the user cannot help.",
        "github refuses our client (invalid_client). Nobody but us.",
    ]


def test_the_person_is_sent_to_a_page_of_the_product_and_the_developer_to_a_fresh_link(example: Published) -> None:
    example.start()
    ended = example.event(events.REAUTHORIZATION_NEEDED)
    ending = example.event(events.REAUTHORIZATION_EXPECTED, "user_ben", organization_id="org_1", account_display_name="Łukasz & Søn")
    example.publish(ended)
    example.publish(ending)
    mails = {mail["To"]: mail for mail in example.handled()}

    ana = mails["user_ana@example.com"]
    assert ana["Subject"] == "Please reconnect GitHub"
    assert ana["Message-ID"] == f"<{ended['id']}@app.example>"
    assert ana["From"] == "Acme <no-reply@app.example>"
    assert ana["Date"]
    assert ana.get_content().rstrip() == (
        "GitHub no longer accepts this connection. Connect again to continue.\n\nReconnect GitHub (octocat) here:\nhttps://app.example/settings/connections?reconnect=github"
    )
    ben = mails["user_ben@example.com"]
    assert ben["Subject"] == "GitHub asks for your consent again by 2026-12-24"
    assert "https://app.example/settings/connections?reconnect=github&organization=org_1\n" in ben.get_content()
    assert "Reconnect GitHub (Łukasz & Søn) here:\n" in ben.get_content()
    assert example.standpipe.asked[-1] == "/user_management/users/user_ben/data_providers?organization_id=org_1"

    assert f"{ended['id']} sandbox link: https://standpipe.example/connect/user_ana\n" in example.log()
    assert not any("standpipe.example/connect" in str(mail) for mail in mails.values())


def test_an_event_that_comes_twice_is_one_mail_also_over_a_restart(example: Published) -> None:
    # The one that ended may have been asking: what is given to it then comes again after this time, to the next.
    example.client("sqs").set_queue_attributes(QueueUrl=example.queue(), Attributes={"VisibilityTimeout": "2"})
    told = example.event(events.REAUTHORIZATION_NEEDED)
    example.start()
    example.publish(told)
    example.publish(told)
    assert len(example.handled()) == 1
    example.stop()

    example.publish(told)
    example.start()
    assert len(example.handled()) == 1
    assert example.log().count(f"{told['id']} dropped: handled before") >= 2


def test_an_event_that_comes_after_a_later_one_of_the_same_account_is_dropped(example: Published) -> None:
    first = example.event(events.REAUTHORIZATION_EXPECTED)
    of_somebody_else = example.event(events.REAUTHORIZATION_EXPECTED, "user_ben")
    later = example.event(events.REAUTHORIZATION_NEEDED)
    example.start()
    example.publish(later)
    until(lambda: example.mails())
    example.publish(first)
    example.publish(of_somebody_else)
    assert [mail["To"] for mail in example.handled()] == ["user_ana@example.com", "user_ben@example.com"]
    assert f"{first['id']} dropped: {later['id']} of the same account is later and was handled" in example.log()


@pytest.mark.parametrize("since", ["reconnected", "disconnected", "connected anew", "another end"])
def test_what_is_no_longer_so_is_not_mailed(example: Published, since: str) -> None:
    """The consumer was down, or the message waited: the person acted in the meantime."""
    told = example.event(events.REAUTHORIZATION_EXPECTED if since == "another end" else events.REAUTHORIZATION_NEEDED)
    accounts = example.standpipe.accounts
    if since == "disconnected":
        del accounts["user_ana"]
    else:
        accounts["user_ana"] |= {"reconnected": {"state": "connected"}, "connected anew": {"id": "data_installation_2"}, "another end": {"reauthorization_expected_at": None}}[since]
    example.publish(told)
    example.start()
    assert example.handled() == []
    assert f"{told['id']} dropped: it is no longer so" in example.log()


def test_an_event_that_cannot_be_handled_ends_in_the_dead_letter_queue_and_can_be_brought_back(example: Published) -> None:
    sqs = example.client("sqs")
    sqs.set_queue_attributes(QueueUrl=example.queue(), Attributes={"VisibilityTimeout": "0"})  # not five minutes between two tries
    example.standpipe.broken = True
    told = example.event(events.REAUTHORIZATION_NEEDED)
    example.publish(told)
    example.start()
    until(lambda: example.waiting("mail-dead"))
    assert example.waiting() == 0
    assert example.log().count("left in the queue") == 5
    assert example.mails() == []

    example.standpipe.broken = False
    (dead,) = sqs.receive_message(QueueUrl=example.queue("mail-dead"))["Messages"]
    sqs.send_message(QueueUrl=example.queue(), MessageBody=dead["Body"])
    assert len(example.handled()) == 1


def test_subscribing_again_makes_nothing_twice_and_puts_back_what_was_changed(example: Published) -> None:
    sns = example.client("sns")

    def found() -> dict[str, dict[str, str]]:
        listed = sns.list_subscriptions_by_topic(TopicArn=example.topic)["Subscriptions"]
        return {one["Protocol"]: sns.get_subscription_attributes(SubscriptionArn=one["SubscriptionArn"])["Attributes"] for one in listed}

    before = found()
    assert len(sns.list_subscriptions_by_topic(TopicArn=example.topic)["Subscriptions"]) == 2
    assert {protocol: set(json.loads(one["FilterPolicy"])["event"]) for protocol, one in before.items()} == {"sqs": PEOPLE, "lambda": OPERATORS}
    assert (before["sqs"]["RawMessageDelivery"], before["lambda"]["RawMessageDelivery"]) == ("true", "false")

    arn = before["sqs"]["SubscriptionArn"]
    sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue='{"event": ["something.else"]}')
    (example.folder / "lambda_function.py").write_text('def lambda_handler(event, context):\n    print(\'{"chat": "the new code"}\')\n')
    said = example.subscribe()
    assert found() == before
    for kind in PEOPLE | OPERATORS:
        assert kind in said

    example.publish(example.event(events.DEGRADED))
    assert until(example.chat) == [{"chat": "the new code"}]


def test_only_this_topic_may_send_to_the_queue_and_the_function_may_only_write_its_log(example: Published) -> None:
    sns = example.client("sns")
    other = sns.create_topic(Name=f"{example.name}-other")["TopicArn"]
    queue = example.client("sqs").get_queue_attributes(QueueUrl=example.queue(), AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=other, Protocol="sqs", Endpoint=queue)
    sns.publish(TopicArn=other, Message="{}")
    told = example.event(events.REAUTHORIZATION_NEEDED)
    example.publish(told)
    assert until(example.waiting) == 1

    (statement,) = json.loads(example.client("lambda").get_policy(FunctionName=f"{example.name}-operators")["Policy"])["Statement"]
    assert statement["Principal"] == {"Service": "sns.amazonaws.com"}
    assert statement["Condition"]["ArnLike"] == {"AWS:SourceArn": example.topic}
    (attached,) = example.client("iam").list_attached_role_policies(RoleName=f"{example.name}-operators")["AttachedPolicies"]
    assert attached["PolicyName"] == "AWSLambdaBasicExecutionRole"


def test_removing_leaves_nothing_and_can_be_repeated(example: Published) -> None:
    example.publish(example.event(events.DEGRADED))
    until(example.chat)
    example.subscribe("--remove")
    assert example.client("sns").list_subscriptions_by_topic(TopicArn=example.topic)["Subscriptions"] == []
    assert not example.client("sqs").list_queues(QueueNamePrefix=example.name).get("QueueUrls")
    assert not [f for f in example.client("lambda").list_functions()["Functions"] if f["FunctionName"].startswith(example.name)]
    assert not [r for r in example.client("iam").list_roles()["Roles"] if r["RoleName"].startswith(example.name)]
    assert not example.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{example.name}")["logGroups"]
    example.subscribe("--remove")
    example.client("sns").delete_topic(TopicArn=example.topic)
    example.subscribe("--remove")


@pytest.mark.parametrize("script", ["subscribe.py", "remind.py"])
def test_without_its_settings_a_script_says_where_they_are(script: str) -> None:
    done = subprocess.run([sys.executable, script], cwd=EXAMPLE, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "make run writes it to .local/standpipe.env" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_page_shows_the_filters_that_the_code_sets_and_the_versions_are_the_tested_ones() -> None:
    page, code = (EXAMPLE / "README.md").read_text(), (EXAMPLE / "subscribe.py").read_text()
    shown = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", page, re.S)]
    assert shown == [json.loads(value) for value in re.findall(r"(?m)^FOR_\w+ = (.*)$", code)]
    assert [set(filters["event"]) for filters in shown] == [PEOPLE, OPERATORS]
    tested = {line for name in ("requirements.txt", "tests/requirements.txt") for line in (ROOT / name).read_text().splitlines()}
    assert set((EXAMPLE / "requirements.txt").read_text().split()) <= tested


# ENABLE: remove this mark when the sandbox publishes events and writes STANDPIPE_TOPIC_ARN to standpipe.env.
@pytest.mark.skip(reason="the sandbox does not publish events yet")
def test_a_grant_revoked_at_the_provider_becomes_a_mail_and_its_link_reconnects(api: Api, page: Page, tmp_path: Path) -> None:
    """The story of README.md, with the settings exactly as its first line gives them to the scripts."""
    script = 'set -a && . "$0" && exec "$1" -c "import json, os; print(json.dumps(dict(os.environ)))"'
    told = subprocess.run(["sh", "-c", script, str(api.sandbox.directory / "standpipe.env"), sys.executable], env={}, capture_output=True, text=True, timeout=30, check=True)
    example = Example(tmp_path / "example", json.loads(told.stdout))
    user = "user_of_the_events_example"
    example.subscribe()
    try:
        connect(page, api.authorize("github", user)["url"])
        page.get_by_role("heading", name="GitHub is connected").wait_for()
        generation = api.token("github", user)["access_token"]["generation"]
        example.start()
        api.knob("github", action="revoke_grant", account="octocat")
        assert api.rejected("github", user, generation)["error"] == "needs_reauthorization"

        # A sandbox's clock sends what was not sent at once: the minute after.
        (mail,) = until(lambda: [mail for mail in example.mails() if mail["To"] == f"{user}@example.com"], seconds=90)
        assert mail["Subject"] == "Please reconnect GitHub"
        assert mail["Message-ID"].startswith("<event_")
        assert "GitHub (" in mail.get_content()
        assert "https://app.example/settings/connections?reconnect=github\n" in mail.get_content()

        event = mail["Message-ID"].strip("<>").partition("@")[0]
        link = until(lambda: re.search(rf"{event} sandbox link: (\S+)", example.log()))[1]
        connect(page, link)
        page.get_by_role("heading", name="GitHub is connected").wait_for()
        assert api.token("github", user)["active"] is True
        until(lambda: not example.waiting())
        assert "Traceback" not in example.log()
    finally:
        example.stop()
        example.subscribe("--remove")
