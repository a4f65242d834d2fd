"""The events example as a product runs it: its own scripts, real SNS filters and queue policies, a Lambda function's own log.

At an embedded AWS with IAM on, an event can be made to come twice, late or in the wrong order; accounts and events are those of the
lifecycle, and the application that the reminder asks is the real one. The last test is the whole story in a sandbox.
"""

import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from chalicelib import wiring
from chalicelib.domain import events, lifecycle, settings
from chalicelib.domain.lifecycle import Transition
from tests.cloud import CREDENTIALS, Cloud
from tests.domain import samples
from tests.e2e.conftest import Api
from tests.e2e.events_example import FOLDER, Example, Reminded, until
from tests.e2e.test_story import connect
from tests.web.gateway import Gateway

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = {events.REAUTHORIZATION_NEEDED, events.REAUTHORIZATION_EXPECTED}
OPERATORS = {events.MISCONFIGURED, events.DEGRADED}
ENDS = datetime(2030, 12, 24, 6, 24, 14, tzinfo=UTC)


@pytest.fixture(scope="module")
def strict_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """An embedded AWS in which policies count, as they do in AWS and in a sandbox."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTH", "true")
        running = Cloud(tmp_path_factory.mktemp("cloud"))
    yield running
    running.stop()


@pytest.fixture
def subscribed(strict_cloud: Cloud, tmp_path: Path) -> Iterator[Example]:
    """Both consumers at a topic of their own, and nobody takes from the queue."""
    topic = strict_cloud.client("sns").create_topic(Name=f"standpipe-t{uuid.uuid4().hex[:10]}-events")["TopicArn"]
    example = Example(tmp_path / "example", {**strict_cloud.environ, "STANDPIPE_TOPIC_ARN": topic})
    example.subscribe()
    yield example
    example.subscribe("--remove")


@pytest.fixture(scope="module")
def reminded(strict_cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reminded]:
    """A stage behind HTTP, with the reminder running for all the tests of its mails; each has people of its own."""
    stage = strict_cloud.stage()
    there = {"endpoint_url": strict_cloud.endpoint, "aws_access_key_id": CREDENTIALS["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": CREDENTIALS["AWS_SECRET_ACCESS_KEY"]}
    engine = wiring.Engine(settings.read(stage.environ), there)
    with pytest.MonkeyPatch.context() as patch, Gateway().served() as url:
        patch.setattr(wiring, "engine", lambda: engine)
        example = Reminded(tmp_path_factory.mktemp("reminder") / "example", {**stage.environ, **strict_cloud.environ, "STANDPIPE_URL": url}, engine)
        example.subscribe()
        # Not five minutes until a message that was not deleted comes again: also one that is given to a reminder that has just been ended.
        example.client("sqs").set_queue_attributes(QueueUrl=example.queue(), Attributes={"VisibilityTimeout": "0"})
        example.start()
        yield example
        example.stop()
        example.subscribe("--remove")


def test_each_consumer_is_given_what_its_filter_lets_through_and_nothing_else(subscribed: Example) -> None:
    now = datetime.now(UTC)
    of_accounts = set(events.TYPES) - {events.CONNECTION_FAILED, events.MISCONFIGURED, events.WEBHOOK_PAUSED}
    connection = samples.connection(slug="github", last_event=events.new_id(now, None))
    for event in [
        *(events.of_connection(kind, connection, now, previous=None) for kind in sorted(of_accounts)),
        events.of_failed_flow(samples.pending(), "authorization_code_exchange_error", "refused", "access_denied", None, now),
        events.of_misconfiguration("data_integration_01", "github", "invalid_client", now, last=None),
    ]:
        subscribed.publish(event)

    sqs, told = subscribed.client("sqs"), dict[str, Any]()
    while len(told) < len(PEOPLE):
        for message in until(lambda: sqs.receive_message(QueueUrl=subscribed.queue(), MaxNumberOfMessages=10).get("Messages")):
            event = json.loads(message["Body"])  # the event itself: RawMessageDelivery
            told[event["event"]] = event["data"]["user_id"]
    assert told == dict.fromkeys(PEOPLE, "user_1")
    assert subscribed.waiting() == len(PEOPLE)

    until(lambda: len(subscribed.chat()) >= len(OPERATORS))
    degraded, misconfigured = sorted(line["chat"] for line in subscribed.chat())
    assert degraded == "github of user_1 could not be refreshed for days and has no live token left. The grant is kept and tried again; the user cannot help."
    assert misconfigured.startswith("github refuses our client (invalid_client). The provider refuses this application's own client id")


def test_only_this_topic_may_send_to_the_queue_and_the_function_may_only_write_its_log(subscribed: Example) -> None:
    sns = subscribed.client("sns")
    other = sns.create_topic(Name=f"{subscribed.name}-other")["TopicArn"]
    queue = subscribed.client("sqs").get_queue_attributes(QueueUrl=subscribed.queue(), AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=other, Protocol="sqs", Endpoint=queue)
    sns.publish(TopicArn=other, Message="{}")
    now = datetime.now(UTC)
    subscribed.publish(events.of_connection(events.REAUTHORIZATION_NEEDED, samples.connection(last_event=events.new_id(now, None)), now, previous=None))
    assert until(subscribed.waiting) == 1

    (statement,) = json.loads(subscribed.client("lambda").get_policy(FunctionName=f"{subscribed.name}-operators")["Policy"])["Statement"]
    assert statement["Principal"] == {"Service": "sns.amazonaws.com"}
    assert statement["Condition"]["ArnLike"] == {"AWS:SourceArn": subscribed.topic}
    (attached,) = subscribed.client("iam").list_attached_role_policies(RoleName=f"{subscribed.name}-operators")["AttachedPolicies"]
    assert attached["PolicyName"] == "AWSLambdaBasicExecutionRole"


def test_subscribing_again_makes_nothing_twice_and_puts_back_what_was_changed(subscribed: Example) -> None:
    sns = subscribed.client("sns")

    def found() -> list[tuple[str, dict[str, str]]]:
        listed = sns.list_subscriptions_by_topic(TopicArn=subscribed.topic)["Subscriptions"]
        return sorted((one["Protocol"], sns.get_subscription_attributes(SubscriptionArn=one["SubscriptionArn"])["Attributes"]) for one in listed)

    before = found()
    assert [(protocol, set(json.loads(one["FilterPolicy"])["event"]), one["RawMessageDelivery"]) for protocol, one in before] == [("lambda", OPERATORS, "false"), ("sqs", PEOPLE, "true")]

    arn = before[1][1]["SubscriptionArn"]
    sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue='{"event": ["something.else"]}')
    (subscribed.folder / "lambda_function.py").write_text('def lambda_handler(event, context):\n    print(\'{"chat": "the new code"}\')\n')
    said = subscribed.subscribe()
    assert found() == before
    for kind in PEOPLE | OPERATORS:
        assert kind in said

    subscribed.publish(events.of_misconfiguration("data_integration_01", "github", "invalid_client", datetime.now(UTC), last=None))
    assert until(subscribed.chat) == [{"chat": "the new code"}]


def test_removing_leaves_nothing_and_can_be_repeated(subscribed: Example) -> None:
    subscribed.publish(events.of_misconfiguration("data_integration_01", "github", "invalid_client", datetime.now(UTC), last=None))
    until(subscribed.chat)
    subscribed.subscribe("--remove")
    assert subscribed.client("sns").list_subscriptions_by_topic(TopicArn=subscribed.topic)["Subscriptions"] == []
    assert not subscribed.client("sqs").list_queues(QueueNamePrefix=subscribed.name).get("QueueUrls")
    assert not [f for f in subscribed.client("lambda").list_functions()["Functions"] if f["FunctionName"].startswith(subscribed.name)]
    assert not [r for r in subscribed.client("iam").list_roles()["Roles"] if r["RoleName"].startswith(subscribed.name)]
    assert not subscribed.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{subscribed.name}")["logGroups"]
    subscribed.client("sns").delete_topic(TopicArn=subscribed.topic)
    subscribed.subscribe("--remove")


def test_the_person_is_sent_to_a_page_of_the_product_and_the_developer_to_a_fresh_link(reminded: Reminded) -> None:
    ana, ended = reminded.ended(reminded.connected())
    ben, ending = reminded.ending(reminded.connected(organization_id="org_1", display_name="Łukasz & Søn", grant_expires_at=ENDS))
    reminded.tell(ended, ending)

    (mail,) = reminded.mails(str(ana.user_id))
    assert mail["Subject"] == "Please reconnect GitHub"
    assert mail["Message-ID"] == f"<{ended.id}@app.example>"
    assert mail["From"] == "Acme <no-reply@app.example>"
    assert mail["Date"]
    assert mail.get_content().rstrip().split("\n\n") == [
        "GitHub no longer accepts this connection. It may have been revoked there. Connect again to continue.",
        "Reconnect GitHub (octocat) here:\nhttps://app.example/settings/connections?reconnect=github",
    ]
    (mail,) = reminded.mails(str(ben.user_id))
    assert mail["Subject"] == "GitHub asks for your consent again by 2030-12-24"
    assert mail.get_content().rstrip().split("\n\n") == [
        "Your connection to GitHub works, and GitHub ends it on 2030-12-24. Renew it before then and nothing stops.",
        "Reconnect GitHub (Łukasz & Søn) here:\nhttps://app.example/settings/connections?reconnect=github&organization=org_1",
    ]

    for event in (ended, ending):
        assert re.search(rf"{event.id} sandbox link: http://localhost:\d+/connect/[\w.-]+\n", reminded.log())
    assert "/connect/" not in (reminded.folder / "mails").read_text()


def test_an_event_that_comes_twice_is_one_mail_also_over_a_restart(reminded: Reminded) -> None:
    ana, ended = reminded.ended(reminded.connected())
    reminded.tell(ended)
    reminded.tell(ended)
    reminded.stop()
    reminded.publish(ended)
    reminded.start()
    until(lambda: reminded.log().count(f"{ended.id} dropped: handled before") == 2 and not reminded.waiting())
    assert len(reminded.mails(str(ana.user_id))) == 1


def test_an_event_that_comes_after_a_later_one_of_the_same_account_is_dropped(reminded: Reminded) -> None:
    ana, first = reminded.ending(reminded.connected(grant_expires_at=ENDS))
    ben, of_somebody_else = reminded.ending(reminded.connected(grant_expires_at=ENDS))
    ana, later = reminded.ended(ana)
    reminded.tell(later, first, of_somebody_else)
    assert [mail["Subject"] for mail in reminded.mails(str(ana.user_id))] == ["Please reconnect GitHub"]
    assert len(reminded.mails(str(ben.user_id))) == 1
    assert f"{first.id} dropped: {later.id} of the same account is later and was handled" in reminded.log()


@pytest.mark.parametrize("since", ["reconnected", "disconnected", "connected anew", "another end"])
def test_what_is_no_longer_so_is_not_mailed(reminded: Reminded, since: str) -> None:
    """The message waited, and the person acted in the meantime."""
    now = datetime.now(UTC)
    if since == "another end":
        ana, event = reminded.ending(reminded.connected(grant_expires_at=ENDS))
        reminded.becomes(Transition(ana, replace(ana, grant_expires_at=ENDS + timedelta(days=365))))
    else:
        ana, event = reminded.ended(reminded.connected())
        if since == "reconnected":
            reminded.again(ana, ana.id)
        else:
            gone = reminded.becomes(lifecycle.disconnected(ana, now))
            if since == "connected anew":
                new, _ = reminded.ended(reminded.again(gone, lifecycle.new_connection_id(now)))
                assert new.state == ana.state
    reminded.tell(event)
    assert reminded.mails(str(ana.user_id)) == []
    assert f"{event.id} dropped: it is no longer so" in reminded.log()


def test_an_event_that_cannot_be_handled_ends_in_the_dead_letter_queue_and_can_be_brought_back(reminded: Reminded) -> None:
    ana, ended = reminded.ended(reminded.connected())
    failed = reminded.log().count("left in the queue")
    reminded.revoke_key()
    reminded.publish(ended)
    until(lambda: reminded.waiting("mail-dead"))
    assert reminded.waiting() == 0
    assert reminded.log().count("left in the queue") == failed + 5
    assert reminded.mails(str(ana.user_id)) == []

    reminded.stop()
    reminded.make_key()
    reminded.start()
    sqs = reminded.client("sqs")
    (dead,) = sqs.receive_message(QueueUrl=reminded.queue("mail-dead"))["Messages"]
    sqs.send_message(QueueUrl=reminded.queue(), MessageBody=dead["Body"])
    until(lambda: f"{ended.id} sandbox link" in reminded.log() and not reminded.waiting())
    assert len(reminded.mails(str(ana.user_id))) == 1


@pytest.mark.parametrize("script", ["subscribe.py", "remind.py"])
def test_without_its_settings_a_script_says_where_they_are(script: str) -> None:
    done = subprocess.run([sys.executable, script], cwd=FOLDER, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "make run writes it to .local/standpipe.env" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_page_shows_the_filters_that_the_code_sets_and_the_versions_are_the_tested_ones() -> None:
    page, code = (FOLDER / "README.md").read_text(), (FOLDER / "subscribe.py").read_text()
    shown = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", page, re.S)]
    assert shown == [json.loads(value) for value in re.findall(r"(?m)^FOR_\w+ = (.*)$", code)]
    assert [set(filters["event"]) for filters in shown] == [PEOPLE, OPERATORS]
    tested = {line for name in ("requirements.txt", "tests/requirements.txt") for line in (ROOT / name).read_text().splitlines()}
    assert set((FOLDER / "requirements.txt").read_text().split()) <= tested


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

        # What could not be sent at once is sent by the clock, the minute after.
        (mail,) = until(lambda: example.mails(user), seconds=90)
        assert mail["Subject"] == "Please reconnect GitHub"
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
