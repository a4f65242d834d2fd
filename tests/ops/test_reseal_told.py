"""What becomes of a change of the KMS key when something is in its way, and what the operator is told: when the former key may go, and when it has to stay."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.lifecycle import Transition
from chalicelib.doors import keys
from chalicelib.doors.crypto import Facts
from ops import reseal
from ops.errors import StepFailed
from tests.cloud import ROOT, Stage
from tests.domain.samples import CANARY, pending
from tests.ops import hooks
from tests.ops.key_changes import Change


@pytest.fixture
def change(stage: Stage) -> Change:
    return Change(stage)


def test_a_damaged_blob_is_named_and_the_rest_is_done(change: Change) -> None:
    good, bad, moved = (change.connected(user) for user in ("good", "bad", "moved"))
    for row, blob in ((bad, b"\x02" + bytes(100)), (moved, good.sealed)):
        change.after.table.note(keys.connection(row.owner, row.slug), {"sealed": blob}, condition="attribute_exists(pk)", values={})
    report = change.run()

    assert change.key_of(good) == "current"
    assert len(report.failed) == 2 and all(any(each.id in why for why in report.failed) for each in (bad, moved))
    assert not report.is_done and "run this again" in change.said[-1]
    assert change.row(bad).state == "connected"


def test_a_key_that_is_not_listed_is_named(change: Change) -> None:
    made = change.connected("u")
    report = reseal.run({**change.environ, "STANDPIPE_FORMER_KEY_ARNS": ""}, change.said.append)

    assert len(report.failed) == 1 and change.former in report.failed[0] and "STANDPIPE_FORMER_KEY_ARNS" in report.failed[0]
    assert change.row(made).sealed == made.sealed


def test_many_failures_are_not_all_printed(change: Change) -> None:
    for number in range(reseal.NAMED + 2):
        change.connected(f"u{number}")
    reseal.run({**change.environ, "STANDPIPE_FORMER_KEY_ARNS": ""}, change.said.append)

    assert sum(line.startswith("FAILED") for line in change.said) == reseal.NAMED + 1
    assert "and 2 more" in "\n".join(change.said)


@pytest.mark.parametrize("which", ["former", "current"])
def test_case_53_a_key_that_is_disabled_stops_it_and_nothing_is_lost(change: Change, which: str) -> None:
    made = change.connected("u")
    change.kms.disable_key(KeyId=getattr(change, which))
    with pytest.raises(StepFailed, match="DisabledException"):
        change.run()
    assert change.row(made) == made
    change.kms.enable_key(KeyId=getattr(change, which))

    assert change.run().resealed == 1


def test_a_flow_under_way_keeps_the_former_key(change: Change) -> None:
    for name, minutes in (("now", 9), ("long ago", -1)):
        change.before.store.begin(replace(pending(), id=name, sealed=change.before.sealer.seal({}, Facts(name, "pending")), expires_at=datetime.now(UTC) + timedelta(minutes=minutes)))
    report = change.run()

    assert (report.flows, report.is_done) == (1, False)
    assert "1 connect flows" in "\n".join(change.said)


@pytest.mark.parametrize("queue", ["RESCUE", "REVOKE"])
def test_messages_that_hold_tokens_keep_the_former_key(change: Change, queue: str) -> None:
    change.after.sqs.send_message(QueueUrl=change.environ[f"STANDPIPE_{queue}_QUEUE_URL"], MessageBody="{}")
    report = change.run()

    assert (report.queued, report.dead, report.is_done) == (1, 0, False)
    assert "Keep the former key" in change.said[-1]


@pytest.mark.parametrize("queue", ["RESCUE", "REVOKE"])
def test_dead_letters_that_hold_tokens_keep_the_former_key(change: Change, queue: str) -> None:
    sqs, url = change.after.sqs, change.environ[f"STANDPIPE_{queue}_QUEUE_URL"]
    dead = sqs.create_queue(QueueName=url.rsplit("/", 1)[1] + "-dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 50})})
    assert change.run().is_done
    sqs.send_message(QueueUrl=dead, MessageBody="{}")
    report = change.run()

    assert (report.queued, report.dead, report.is_done) == (0, 1, False)
    assert "dead letters" in change.said[-2] and "Keep the former key" in change.said[-1]


def test_a_grant_that_is_queued_to_be_revoked_meanwhile_keeps_the_former_key(change: Change) -> None:
    """A disconnect takes the blob with it, and the job never sees it."""
    change.connected("u")
    leaving = change.connected("leaving")
    with hooks.once_before("dynamodb.Scan") as act:
        act(lambda: change.after.keeping.revoke_later(leaving) and change.after.table.delete(keys.connection(leaving.owner, leaving.slug)))
        report = change.run()

    assert (report.resealed, report.queued, report.is_done) == (1, 1, False)


def test_queues_that_may_not_be_looked_at_are_said_to_be(change: Change) -> None:
    gone = change.environ["STANDPIPE_RESCUE_QUEUE_URL"] + "-gone"
    report = reseal.run({**change.environ, "STANDPIPE_RESCUE_QUEUE_URL": gone}, change.said.append)

    assert (report.queued, report.dead, report.is_done) == (None, None, False)
    assert "sqs:GetQueueAttributes" in "\n".join(change.said)


def test_a_name_that_somebody_wrote_into_a_blob_cannot_write_to_the_terminal(change: Change) -> None:
    made = change.connected("u")
    forged = (made.sealed or b"").replace(change.former.encode(), b"\x1b[2J".ljust(len(change.former), b"x"))
    change.after.store.commit(Transition(made, replace(made, sealed=forged)))
    report = change.run()

    assert len(report.failed) == 1 and "STANDPIPE_FORMER_KEY_ARNS" in report.failed[0]
    assert "\x1b" not in "\n".join(change.said)


def test_progress_is_said_page_by_page_and_nothing_secret(change: Change) -> None:
    for number in range(25):
        change.connected(f"u{number}")
    change.run(page=10)

    progress = [line for line in change.said if "rows looked at" in line]
    assert len(progress) >= 3 and progress[0].startswith("10 rows")
    assert "25 sealed anew" in progress[-1]
    assert "may be" not in progress[0] and "disable the former key" in change.said[-1]
    assert CANARY not in "\n".join(change.said)


def test_what_an_operator_needs_to_be_allowed(change: Change) -> None:
    """As docs/keys.md lists it."""
    change.connected("u")
    change.registered()
    with hooks.actions_noted() as calls:
        change.run()

    assert calls == {"dynamodb:Scan", "dynamodb:UpdateItem", "kms:Decrypt", "kms:GenerateDataKey", "sqs:GetQueueAttributes"}
    page = (ROOT / "docs" / "keys.md").read_text().split("## After a restore")[0]
    assert [call for call in calls if f"`{call}`" not in page] == []
