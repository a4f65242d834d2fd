"""Least privilege, held against what the code does: everything it asks of AWS in a whole life is allowed, and nothing is allowed that it never asks."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from chalicelib import wiring
from ops import keys
from tests.cloud import QUEUES, Cloud, Stage, free_port
from tests.ops.iam import ACCOUNT, REGION, Call, Role, calls_of
from tests.ops.lives import RETURN_TO, Background, Life, Recorded, recorded
from tests.web.gateway import Gateway
from tests.web.people import Clock, Site

ROLES = ("ApiRole", "WorkerRole", "SweepRole", "WebhookRole")
MODES = ("audited", "bound", "shared")
# Asked by Lambda itself with a function's role: its output goes to its log, and a queue's messages come to it.
BY_LAMBDA = {"logs:CreateLogStream", "logs:PutLogEvents"}
POLLED = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
FORMER = "arn:aws:kms:us-east-1:000000000000:key/of-last-year"

Lives = list[tuple[Stage, dict[str, list[Call]]]]


@pytest.fixture(scope="module")
def lives(cloud: Cloud) -> Iterator[Lives]:
    """A whole life in each mode of sealing, and the calls it made, by the role they were made with."""
    found = []
    with pytest.MonkeyPatch.context() as patch:
        clock, gateway = Clock(), Gateway()
        patch.setattr(wiring, "now", clock)
        for mode in MODES:
            port = free_port()
            stage = cloud.stage(STANDPIPE_URL=f"http://localhost:{port}", STANDPIPE_ENCRYPTION=mode, STANDPIPE_RETURN_URLS=RETURN_TO)
            for name, value in stage.environ.items():
                patch.setenv(name, value)
            clock.ahead = timedelta()
            life = Life(Site(stage, gateway, clock, keys.create("tests", stage.environ)))  # the key by the operator, not by the role
            woken = Background(stage, patch)
            with recorded(patch) as of_the_api:
                with gateway.served(port):
                    life.by_people()
                    life.by_the_clock(woken)
                life.disconnect("dan", "google")  # while the provider cannot be reached
                with gateway.served(port):
                    life.ended_by_the_clock(woken)
                    life.told_over_http(woken)
            found.append((stage, {"ApiRole": [call for engine in of_the_api for call in engine.calls], **woken.calls}))
        yield found


def role_of(stage: Stage, name: str, environment: str = "sandbox", **more: Any) -> Role:
    return Role(name, stage.environ["STANDPIPE_STAGE"], environment, stage.environ["STANDPIPE_KEY_ARN"], **more)


def queues_of(stage: Stage, *names: str) -> set[str]:
    return {f"arn:aws:sqs:{REGION}:{ACCOUNT}:standpipe-{stage.environ['STANDPIPE_STAGE']}-{name}" for name in names}


@pytest.mark.parametrize("name", ROLES)
@pytest.mark.parametrize("mode", MODES)
def test_everything_a_stage_asks_of_aws_is_allowed_by_the_role_it_asks_with(lives: Lives, mode: str, name: str) -> None:
    stage, calls = lives[MODES.index(mode)]
    role = role_of(stage, name)
    assert calls[name]
    assert [call for call in calls[name] if not role.allows(call)] == []


@pytest.mark.parametrize("name", ROLES)
def test_production_needs_no_more_than_its_smaller_role(lives: Lives, name: str) -> None:
    """Shared credentials are the one thing that only a sandbox has."""
    for stage, calls in lives:
        role = role_of(stage, name, "production")
        refused = {call.action for call in calls[name] if not role.allows(call)}
        assert refused == ({"ssm:GetParameter"} if name in ("ApiRole", "WorkerRole") else set())


@pytest.mark.parametrize("name", ROLES)
@pytest.mark.parametrize("environment", ["sandbox", "production"])
def test_nothing_is_granted_that_nothing_asks_for(lives: Lives, environment: str, name: str) -> None:
    for stage, calls in lives:
        role = role_of(stage, name, environment)
        used = set().union(*(role.used_by(call) for call in calls[name]))
        by_lambda = BY_LAMBDA | (POLLED if name in ("WorkerRole", "WebhookRole") else set())
        assert {grant for grant in role.grants() if grant not in used and grant[0] not in by_lambda} == set()


def test_lambda_may_read_the_queues_for_the_workers_and_for_nobody_else(lives: Lives) -> None:
    stage, _ = lives[0]
    polled = {name: {grant for grant in role_of(stage, name).grants() if grant[0] in POLLED} for name in ROLES}
    assert polled["WorkerRole"] == {(action, queue) for action in POLLED for queue in queues_of(stage, "refresh", "rescue", "revoke")}
    assert polled["WebhookRole"] == {(action, queue) for action in POLLED for queue in queues_of(stage, "webhook")}
    assert polled["ApiRole"] == set()
    assert polled["SweepRole"] == {("sqs:GetQueueAttributes", queue) for queue in queues_of(stage, "refresh")}


@pytest.mark.parametrize("name", ROLES)
@pytest.mark.parametrize("environment", ["sandbox", "production"])
def test_what_would_reach_further_is_refused(lives: Lives, environment: str, name: str) -> None:
    stage, _ = lives[0]
    role = role_of(stage, name, environment)
    of, key = stage.environ["STANDPIPE_STAGE"], stage.environ["STANDPIPE_KEY_ARN"]
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/standpipe-"
    own = {"dynamodb:LeadingKeys": "webhook_endpoints"}  # of the function that calls webhooks; the others may read any row
    assert role.allows(Call("dynamodb:GetItem", f"{table}{of}", own))
    for action in ("DeleteTable", "UpdateTable", "PartiQLSelect", "ExportTableToPointInTime", "RestoreTableToPointInTime", "UpdateTimeToLive", "CreateBackup", "DescribeStream"):
        assert not role.allows(Call(f"dynamodb:{action}", f"{table}{of}")), action
    # Another stage's table, also one whose name begins alike; no index but the one that is read.
    index = {"ApiRole": "registration", "SweepRole": "due"}.get(name)
    for resource in (f"{table}other", f"{table}{of}-2", *(f"{table}{of}/index/{each}" for each in ("due", "registration") if each != index), f"{table}other/index/{index}"):
        for action in ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"):
            assert not role.allows(Call(f"dynamodb:{action}", resource, own)), (action, resource)
    topic = stage.environ["STANDPIPE_TOPIC_ARN"]
    for resource in (topic.replace("-events", "-alarms"), topic.replace(of, "other"), "*"):
        assert not role.allows(Call("sns:Publish", resource)), resource
    for action in ("sns:Subscribe", "sns:SetTopicAttributes", "sns:DeleteTopic"):
        assert not role.allows(Call(action, topic)), action
    for queue in queues_of(stage, *QUEUES, *(f"{queue}-dead" for queue in QUEUES)):
        for action in ("PurgeQueue", "DeleteQueue", "SetQueueAttributes", "AddPermission"):
            assert not role.allows(Call(f"sqs:{action}", queue)), (action, queue)
    for action in ("ScheduleKeyDeletion", "DisableKey", "PutKeyPolicy", "CreateGrant", "Encrypt", "ReEncryptFrom"):
        assert not role.allows(Call(f"kms:{action}", key, {"kms:EncryptionContext:standpipe:stage": of})), action
    shared = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/standpipe/shared/github"
    assert role.allows(Call("ssm:GetParameter", shared)) is (environment == "sandbox" and name in ("ApiRole", "WorkerRole"))
    for call in (Call("ssm:GetParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/other"), Call("ssm:PutParameter", shared), Call("iam:PassRole", "*"), Call("sts:AssumeRole", "*")):
        assert not role.allows(call), call


def test_who_reads_the_whole_table_opens_nothing_in_it_and_who_opens_cannot_read_all_of_it(lives: Lives) -> None:
    stage, _ = lives[0]
    of, key = stage.environ["STANDPIPE_STAGE"], stage.environ["STANDPIPE_KEY_ARN"]
    scan = Call("dynamodb:Scan", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/standpipe-{of}")
    opening = [Call(f"kms:{action}", key, {"kms:EncryptionContext:standpipe:stage": of}) for action in ("Decrypt", "GenerateDataKey")]
    for name in ROLES:
        role = role_of(stage, name)
        assert role.allows(scan) is (name == "SweepRole")
        assert [role.allows(call) for call in opening] == [name in ("ApiRole", "WorkerRole")] * 2


def test_who_calls_strange_hosts_reaches_webhooks_and_nothing_else_in_the_table_and_opens_no_token(lives: Lives) -> None:
    stage, _ = lives[0]
    role, of, key = role_of(stage, "WebhookRole", former_keys=[FORMER]), stage.environ["STANDPIPE_STAGE"], stage.environ["STANDPIPE_KEY_ARN"]
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/standpipe-{of}"
    for action in ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query"):
        reached = {"webhook_endpoints", "webhook_deliveries#e", "events#s", "log#2026-03-01#1", "outbox#1"}
        beyond = {"owner#-#ana", "api_key#k", "api_keys", "registration", "pending#p", "clockwork", "audit#2026-03-01", "idempotency#k#i"}
        assert {pk for pk in reached | beyond if role.allows(Call(f"dynamodb:{action}", table, {"dynamodb:LeadingKeys": pk}))} == reached, action
    for field in ("standpipe:field", "standpipe:purpose"):
        context = {"kms:EncryptionContext:standpipe:stage": of, f"kms:EncryptionContext:{field}": "webhook_secret"}
        for each in (key, FORMER):
            assert role.allows(Call("kms:Decrypt", each, context)) and not role.allows(Call("kms:GenerateDataKey", each, context))
            for what in ("tokens", "client_secret", "answer", "flow"):
                assert not role.allows(Call("kms:Decrypt", each, {**context, f"kms:EncryptionContext:{field}": what}))
            assert not role.allows(Call("kms:Decrypt", each, {**context, "kms:EncryptionContext:standpipe:stage": "other"}))


def test_a_worker_lists_nothing_but_the_endpoints_that_its_events_are_for(lives: Lives) -> None:
    stage, _ = lives[0]
    role, table = role_of(stage, "WorkerRole"), f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/standpipe-{stage.environ['STANDPIPE_STAGE']}"
    assert [role.allows(Call("dynamodb:Query", table, {"dynamodb:LeadingKeys": pk})) for pk in ("webhook_endpoints", "api_keys", "owner#-#ana")] == [True, False, False]


@pytest.mark.parametrize("name", ["ApiRole", "WorkerRole"])
def test_the_key_opens_what_this_stage_sealed_and_a_former_one_only_opens(lives: Lives, name: str) -> None:
    stage, _ = lives[0]
    of, key = stage.environ["STANDPIPE_STAGE"], stage.environ["STANDPIPE_KEY_ARN"]
    own = {"kms:EncryptionContext:standpipe:stage": of}
    role, changing = role_of(stage, name), role_of(stage, name, former_keys=[FORMER])
    assert role.allows(Call("kms:Decrypt", key, own)) and not role.allows(Call("kms:Decrypt", FORMER, own))
    assert changing.allows(Call("kms:Decrypt", key, own)) and changing.allows(Call("kms:Decrypt", FORMER, own))
    assert not changing.allows(Call("kms:GenerateDataKey", FORMER, own))
    for context in ({"kms:EncryptionContext:standpipe:stage": "other"}, {}, {"kms:EncryptionContext:stage": of}):
        for each, action in ((key, "Decrypt"), (key, "GenerateDataKey"), (FORMER, "Decrypt")):
            assert not changing.allows(Call(f"kms:{action}", each, context)), (each, action, context)
    assert set(role_of(stage, "SweepRole", former_keys=[FORMER]).grants()) == set(role_of(stage, "SweepRole").grants())


def test_messages_go_one_way(lives: Lives) -> None:
    """The sweep sends to the workers, who put off what finds no place; whoever holds tokens sends to the two queues that keep them; whoever publishes sends to webhooks."""
    stage, _ = lives[0]
    every = queues_of(stage, *QUEUES, *(f"{queue}-dead" for queue in QUEUES))
    sent = {name: {queue for queue in every if role_of(stage, name).allows(Call("sqs:SendMessage", queue))} for name in ROLES}
    assert sent == {
        "ApiRole": queues_of(stage, "rescue", "revoke", "webhook"),
        "WorkerRole": queues_of(stage, *QUEUES),
        "SweepRole": queues_of(stage, "refresh", "webhook"),
        "WebhookRole": queues_of(stage, "webhook"),
    }


def test_every_blob_names_its_stage_and_no_person_to_the_key_service(lives: Lives) -> None:
    for stage, calls in lives:
        contexts = [call.context for name in ROLES for call in calls[name] if call.action.startswith("kms:")]
        assert contexts
        assert {context["kms:EncryptionContext:standpipe:stage"] for context in contexts} == {stage.environ["STANDPIPE_STAGE"]}
        assert not any(name in json.dumps(contexts) for name in ('"ana"', '"ben"', "octocat", "@"))


def test_a_batch_and_a_transaction_are_asked_for_as_their_parts() -> None:
    entry = {"QueueUrl": f"http://localhost/{ACCOUNT}/standpipe-x-refresh", "Entries": []}
    assert list(calls_of("sqs", "SendMessageBatch", entry)) == [Call("sqs:SendMessage", f"arn:aws:sqs:{REGION}:{ACCOUNT}:standpipe-x-refresh")]
    parts = {"TransactItems": [{"Update": {"TableName": "t"}}, {"Put": {"TableName": "t"}}]}
    assert [call.action for call in calls_of("dynamodb", "TransactWriteItems", parts)] == ["dynamodb:UpdateItem", "dynamodb:PutItem"]


def test_keys_are_made_by_the_operator_with_calls_of_their_own(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `make key` asks for is what docs/deploy.md says an operator needs."""
    stage = cloud.stage()
    made: list[Recorded] = []
    monkeypatch.setattr(keys, "Engine", lambda *given: made.append(Recorded(*given)) or made[-1])
    key = keys.create("for the docs", stage.environ)
    keys.listed(stage.environ)
    assert keys.revoke(key.split("_")[1], stage.environ)
    calls = [call for engine in made for call in engine.calls]
    assert {call.action for call in calls} == {"dynamodb:PutItem", "dynamodb:Query", "dynamodb:GetItem", "dynamodb:UpdateItem"}
    assert {call.resource for call in calls} == {f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{stage.table}"}
