"""`python -m ops doctor`: a deployment looked at from end to end. Each check says what it saw, and, where something is wrong, what to do."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import urllib3
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.errors import StandpipeError
from chalicelib.domain.settings import Settings
from chalicelib.wiring import Engine
from ops.keys import _engine

Verdict = Literal["ok", "look", "WRONG"]
FUNCTIONS = ("", "-sweep", "-refresh", "-rescue", "-revoke", "-webhook", "-repair")
QUEUES = ("refresh", "rescue", "revoke", "webhook")
SWEPT_WITHIN, REPAIRED_WITHIN, LATE, WAITED = timedelta(minutes=5), timedelta(days=2), timedelta(minutes=10), timedelta(minutes=15)


@dataclass(frozen=True)
class Finding:
    verdict: Verdict
    what: str
    seen: str
    remedy: str = ""

    def line(self) -> str:
        return f"{self.verdict:<6}{self.what:<36}{self.seen}" + (f"\n{'':42}→ {self.remedy}" if self.remedy else "")


def run(environ: Mapping[str, str], say: Callable[[str], None] = print) -> list[Finding]:
    """Every finding, said as it is found. What cannot be looked at is a finding too."""
    engine = _engine(environ)
    found: list[Finding] = []
    for check in (_http, _table, _key, _queues, _topic, _functions, _triggers, _clockwork, _due, _outbox, _circuits, _api_keys):
        try:
            findings = list(check(engine))
        except (ClientError, BotoCoreError, StandpipeError) as error:
            findings = [Finding("WRONG", check.__name__.strip("_"), f"cannot be looked at: {_said(error)}", "Check the operator's credentials, and that the stage is deployed.")]
        for finding in findings:
            say(finding.line())
        found += findings
    wrong, look = (sum(finding.verdict == verdict for finding in found) for verdict in ("WRONG", "look"))
    say("\nAll is well." if not wrong and not look else f"\n{wrong} wrong, {look} to look at.")
    return found


def _http(engine: Engine) -> Iterator[Finding]:
    url = f"{engine.settings.url}/healthz"
    try:
        answer = urllib3.PoolManager(retries=False, timeout=15).request("GET", url)
    except urllib3.exceptions.HTTPError as error:
        yield Finding("WRONG", "the address", f"{url}: {type(error).__name__}", "Point the domain's DNS at API Gateway's target (chalice deploy names it), and look at its certificate.")
        return
    good = answer.status == 200
    yield Finding("ok" if good else "WRONG", "the address", f"{url}: HTTP {answer.status}", "" if good else "Look at the API function's log; settings_error names a missing setting.")


def _table(engine: Engine) -> Iterator[Finding]:
    dynamodb, name = engine.dynamodb, engine.settings.table
    table = dynamodb.describe_table(TableName=name)["Table"]
    yield _if(table["TableStatus"] in ("ACTIVE", "UPDATING"), "the table", f"{name} is {table['TableStatus']}", "Wait for it, or restore it: docs/deploy.md, Restoring.")
    missing = {"due", "registration"} - {index["IndexName"] for index in table.get("GlobalSecondaryIndexes", []) if index.get("IndexStatus", "ACTIVE") == "ACTIVE"}
    yield _if(not missing, "its indexes", "active" if not missing else f"{', '.join(sorted(missing))} missing or not active", "Deploy again: make deploy.")
    if not engine.settings.sandbox:
        yield _if(table.get("DeletionProtectionEnabled") is True, "deletion protection", "on" if table.get("DeletionProtectionEnabled") else "off", "Deploy again: the template turns it on.")
        backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
        on = backups.get("PointInTimeRecoveryStatus") == "ENABLED"
        yield _if(on, "point-in-time recovery", "on" if on else "off", "Deploy again: the template turns it on.")


def _key(engine: Engine) -> Iterator[Finding]:
    kms = engine.client("kms")
    for arn in (engine.settings.key_arn, *engine.settings.former_key_arns):
        state = kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"]
        name = "the key" if arn == engine.settings.key_arn else "a former key"
        yield _if(state == "Enabled", name, f"{arn.rsplit('/', 1)[-1]} is {state}", "Nothing it sealed can be opened. Enable it, or cancel its deletion, at once.")


def _queues(engine: Engine) -> Iterator[Finding]:
    for queue in QUEUES:
        url = getattr(engine.settings, f"{queue}_queue_url")
        attributes = engine.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        waiting = int(attributes.get("ApproximateNumberOfMessages", 0))
        seen = f"{waiting} waiting, {attributes.get('ApproximateNumberOfMessagesNotVisible', 0)} at work"
        yield Finding(
            "look" if queue == "rescue" and waiting else "ok", f"{queue} queue", seen, "New tokens wait to be stored: look at the rescue function's log." if queue == "rescue" and waiting else ""
        )
        dead = json.loads(attributes.get("RedrivePolicy", "{}")).get("deadLetterTargetArn", "").rsplit(":", 1)[-1]
        if not dead:
            yield Finding("WRONG", f"{queue} dead letters", "there is no dead-letter queue", "Deploy again: make deploy.")
            continue
        lying = engine.queue(url.rsplit("/", 1)[0] + "/" + dead).depth()
        yield _if(not lying, f"{queue} dead letters", f"{lying}", "Read them, mend the cause, then redrive the queue in the SQS console. Those of the rescue queue hold live tokens: never purge them.")


def _topic(engine: Engine) -> Iterator[Finding]:
    attributes = engine.client("sns").get_topic_attributes(TopicArn=engine.settings.topic_arn)["Attributes"]
    confirmed = int(attributes.get("SubscriptionsConfirmed", 0) or 0)
    yield Finding("ok" if confirmed else "look", "events topic", f"{confirmed} subscriptions", "" if confirmed else "Nobody hears that a user has to connect again: see examples/events.")


def _functions(engine: Engine) -> Iterator[Finding]:
    client, stage = engine.client("lambda"), engine.settings.stage
    for suffix in FUNCTIONS:
        name = f"standpipe-{stage}{suffix}"
        try:
            function = client.get_function_configuration(FunctionName=name)
        except client.exceptions.ResourceNotFoundException:
            yield Finding("WRONG", f"function {name}", "is not there", "Deploy again: make deploy.")
            continue
        state, update = function.get("State", "Active"), function.get("LastUpdateStatus", "Successful")
        problem = [] if state in ("Active", "Inactive") and update != "Failed" else [f"{state}, last update {update}"]
        variables = function.get("Environment", {}).get("Variables", {})
        differs = [setting for setting, value in _settings(engine.settings).items() if variables.get(setting) != value]
        problem += [f"{', '.join(differs)} differ from .chalice/config.json"] if differs else []
        yield _if(not problem, f"function {name}", "; ".join(problem) or f"{state}, {function.get('Timeout')} s", "Deploy again: make deploy. If it stays, read the function's log.")


def _triggers(engine: Engine) -> Iterator[Finding]:
    stage, events = engine.settings.stage, engine.client("events")
    mappings = engine.client("lambda")
    for queue in QUEUES:
        found = mappings.list_event_source_mappings(FunctionName=f"standpipe-{stage}-{queue}").get("EventSourceMappings", [])
        on = [mapping for mapping in found if mapping.get("State") in ("Enabled", "Enabling", "Updating", "Creating")]
        yield _if(bool(on), f"trigger of {queue}", "enabled" if on else "missing or disabled", "Deploy again: make deploy.")
    rules = {rule["Name"]: rule for rule in events.list_rules(NamePrefix=f"standpipe-{stage}-").get("Rules", [])}
    for name, rule in ((name, next((rule for known, rule in rules.items() if known.startswith(f"standpipe-{stage}-{name}")), None)) for name in ("sweep", "repair")):
        runs = rule is not None and rule.get("State") == "ENABLED"
        yield _if(runs, f"schedule of {name}", rule["ScheduleExpression"] if rule and runs else "missing or disabled", "Deploy again: make deploy.")


def _clockwork(engine: Engine) -> Iterator[Finding]:
    now, progress, repair = datetime.now(UTC), engine.agenda.progress(), engine.agenda.repair_progress()
    swept = progress.swept_until
    if swept is None:
        yield Finding("look", "last sweep", "not yet", "After a deployment it takes a minute. If it stays, the schedule or the sweep function does not run: its log says why.")
    else:
        yield _if(now - swept < SWEPT_WITHIN, "last sweep", f"{_ago(now - swept)} ago", "The schedule or the sweep function does not run: its log says why.")
    began = repair.began_at if repair else None
    late = began is not None and now - began > REPAIRED_WITHIN
    yield Finding("look" if late else "ok", "last repair pass", f"began {_ago(now - began)} ago" if began else "not yet", "The repair function does not run: its log says why." if late else "")


def _due(engine: Engine) -> Iterator[Finding]:
    now, count, oldest = datetime.now(UTC), 0, None
    for shard in range(engine.agenda.shards):
        for due in engine.agenda.due(shard, now):
            count, oldest = count + 1, min(oldest or due.since, due.since)
    late = oldest is not None and now - oldest > LATE
    seen = f"{count} due" + (f", the oldest for {_ago(now - oldest)}" if oldest else "")
    yield Finding("look" if late else "ok", "due connections", seen, "The workers do not keep up, or a provider is closed: see the circuits below and the refresh function's log." if late else "")


def _outbox(engine: Engine) -> Iterator[Finding]:
    now = datetime.now(UTC)
    oldest = min((event.created_at for shard in range(8) if (event := next(engine.outbox_rows.waiting(shard), None))), default=None)
    late = oldest is not None and now - oldest > WAITED
    yield _if(not late, "events to be published", f"the oldest waits for {_ago(now - oldest)}" if oldest else "none wait", "Look at the topic and at the publish lines of the sweep's log.")


def _circuits(engine: Engine) -> Iterator[Finding]:
    now = datetime.now(UTC)
    for slug, circuit in sorted(engine.agenda.circuits().items()):
        if circuit.misconfigured_since is not None:
            yield Finding(
                "WRONG",
                f"provider {slug}",
                f"refuses our client ({circuit.last_error}) since {circuit.misconfigured_since:%Y-%m-%d %H:%M} UTC",
                f"Enter a good secret: PUT /data-integrations/{slug}. No user has to act.",
            )
        elif circuit.open_until is not None:
            yield Finding("look", f"provider {slug}", f"does not answer ({circuit.last_error}); one connection a minute asks", "Nothing, unless it is our network: it closes by itself.")
        elif circuit.paused_until is not None and circuit.paused_until > now:
            yield Finding("look", f"provider {slug}", f"asked us to wait until {circuit.paused_until:%H:%M:%S} UTC", "Nothing; if it happens often, lower STANDPIPE_REFRESH_CONCURRENCY.")


def _api_keys(engine: Engine) -> Iterator[Finding]:
    live = sum(key.revoked_at is None for key in engine.store.api_keys())
    yield Finding("ok" if live else "look", "API keys", f"{live} live", "" if live else "Make one: make key.")


def _if(good: bool, what: str, seen: str, remedy: str) -> Finding:
    return Finding("ok", what, seen) if good else Finding("WRONG", what, seen, remedy)


def _settings(settings: Settings) -> dict[str, str]:
    return {"STANDPIPE_STAGE": settings.stage, "STANDPIPE_TABLE": settings.table, "STANDPIPE_KEY_ARN": settings.key_arn, "STANDPIPE_TOPIC_ARN": settings.topic_arn}


def _said(error: Exception) -> str:
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "refused"))
    return getattr(error, "code", type(error).__name__)


def _ago(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h" if seconds < 172800 else f"{seconds // 86400} d"
