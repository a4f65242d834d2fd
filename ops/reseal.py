"""After a change of the KMS key: everything that a former key sealed is sealed again with the current one, while the stage runs.

Each row is replaced by one conditional write, or left as it is, so every row opens at every moment, and the job may end anywhere and be
run again. What a refresh stores meanwhile is sealed with the current key already: where the two meet, the refresh wins.
"""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.errors import IntegrityError, Unavailable
from chalicelib.domain.events import timestamp
from chalicelib.domain.models import Connection, Registration
from chalicelib.domain.stored import DamagedRow, read
from chalicelib.doors.crypto import Facts, token_facts
from chalicelib.doors.keys import WEBHOOK_ENDPOINTS, WIDGET_KEYS
from chalicelib.doors.table import Item, LostRace
from chalicelib.doors.webhooks import facts_of
from chalicelib.engine.configuring import secret_facts
from chalicelib.engine.widget_tokens import key_facts
from chalicelib.wiring import Engine
from ops.errors import StepFailed
from ops.keys import _engine

PAGE = 500
THREADS = 8  # a row is two calls to KMS and one to the table, and most of its time is waiting for them
TRIES = 5
NAMED = 20  # rows that failed are named one by one up to here: if it is all of them, they have one cause


@dataclass
class Report:
    """What became of the rows. `flows`: connect flows under way that began with a former key; `queued` and `dead`: messages that waited in the
    rescue and revoke queues and among their dead letters before or after, which may hold sealed tokens too, or None if nobody could tell."""

    rows: int = 0
    resealed: int = 0
    current: int = 0
    flows: int = 0
    failed: list[str] = field(default_factory=list)
    queued: int | None = 0
    dead: int | None = 0

    @property
    def is_done(self) -> bool:
        """Whether nothing needs a former key any more."""
        return not self.failed and not self.flows and self.queued == 0 and self.dead == 0

    def __str__(self) -> str:
        return f"{self.rows} rows looked at: {self.resealed} sealed anew, {self.current} skipped (current already), {len(self.failed)} failed"


@dataclass(frozen=True)
class _Looked:
    kind: Literal["resealed", "current", "flow", "failed", "nothing"]
    why: str = ""


@dataclass(frozen=True)
class _Change:
    sets: Item
    condition: str
    values: Item


def run(environ: Mapping[str, str], say: Callable[[str], None] = print, *, page: int = PAGE) -> Report:
    """Goes through the whole table once. Raises StepFailed where AWS does not answer; what is done by then stays done."""
    logging.getLogger("aws_encryption_sdk").setLevel(logging.CRITICAL)  # what does not open is said in one line, not in a traceback
    engine = _engine(environ)
    rows, report, start, waited = _Rows(engine), Report(), None, _waiting(engine)
    try:
        with ThreadPoolExecutor(THREADS) as pool:
            while True:
                found, start = engine.table.scan(start, limit=page)
                for looked in pool.map(rows.look, found):
                    _count(report, looked)
                say(str(report))
                if start is None:
                    break
    except Unavailable as error:
        remedy = "Everything can be read as before. Mend the cause and run it again: it goes on with what is left."
        raise StepFailed("Sealing anew", f"{error.message} ({report})", remedy) from error
    # Before, because what leaves a queue may go into a row that was looked at already; and after, because a disconnect puts into it what a row held.
    report.queued, report.dead = map(_more, waited, _waiting(engine))
    for line in _conclusion(report):
        say(line)
    return report


class _Rows:
    def __init__(self, engine: Engine) -> None:
        self._table, self._sealer, self._now, self._listed = engine.table, engine.sealer, engine.now, engine.settings.former_key_arns

    def look(self, row: Item) -> _Looked:
        """Seals a row anew if it needs it. Raises Unavailable."""
        try:
            if row["sk"].startswith("connection#"):
                return self._again(row, self._tokens)
            if row["pk"].split("#")[0] == "registration":
                return self._again(row, self._secrets)
            if row["pk"] == WEBHOOK_ENDPOINTS:
                return self._again(row, self._webhook_secret)
            if row["pk"] == WIDGET_KEYS["pk"]:
                return self._again(row, self._widget_keys)
        except (IntegrityError, DamagedRow) as error:
            return _Looked("failed", f"{row.get('id', row['pk'])}: {error.detail if isinstance(error, IntegrityError) else error}")
        is_flow = row["pk"].startswith("pending#") and str(row.get("expires_at")) > timestamp(self._now())  # a row is deleted long after its time
        return _Looked("flow" if is_flow and not self._sealer.is_current(row.get("sealed", b"")) else "nothing")

    def _again(self, row: Item, change_of: Callable[[Item], _Change | None]) -> _Looked:
        for _ in range(TRIES):
            change = change_of(row)
            if change is None:
                return _Looked("current")
            try:
                # A note: a refresh may be at work on this row, and has to find its own write id after this.
                self._table.note({"pk": row["pk"], "sk": row["sk"]}, change.sets, condition=change.condition, values=change.values)
                return _Looked("resealed")
            except LostRace as race:
                if race.item is None:
                    return _Looked("nothing")
                row = race.item
        return _Looked("failed", f"{row['id']}: it changed at every try")

    def _tokens(self, row: Item) -> _Change | None:
        blob = row.get("sealed")
        if blob is None or self._sealer.is_current(blob):
            return None
        connection = read(Connection, row)
        sealed = self._resealed(blob, token_facts(connection))
        return _Change({"sealed": sealed}, "sealed = :blob AND generation = :generation", {"blob": blob, "generation": connection.generation})

    def _secrets(self, row: Item) -> _Change | None:
        """A new version, so that an administrator who read the one before cannot put back the old blobs with it."""
        registration = read(Registration, row)
        if all(self._sealer.is_current(secret.sealed) for secret in registration.client_secrets):
            return None
        facts = secret_facts(registration.id)
        secrets: list[dict[str, Any]] = [{**secret, "sealed": self._resealed(secret["sealed"], facts)} for secret in row["client_secrets"]]
        sets = {"client_secrets": secrets, "version": registration.version + 1}
        return _Change(sets, "id = :id AND version = :version", {"id": registration.id, "version": registration.version})

    def _webhook_secret(self, row: Item) -> _Change | None:
        blob = row["sealed"]
        if self._sealer.is_current(blob):
            return None
        return _Change({"sealed": self._resealed(blob, facts_of(row["id"]))}, "sealed = :blob", {"blob": blob})

    def _widget_keys(self, row: Item) -> _Change | None:
        if all(self._sealer.is_current(key["sealed"]) for key in row["keys"]):
            return None
        sealed = [{**key, "sealed": self._resealed(key["sealed"], key_facts(key["id"]))} for key in row["keys"]]
        return _Change({"keys": sealed}, "write_id = :seen", {"seen": row["write_id"]})

    def _resealed(self, blob: bytes, facts: Facts) -> bytes:
        if self._sealer.is_current(blob):
            return blob
        key = self._sealer.key_of(blob)
        try:
            return self._sealer.seal(self._sealer.open(blob, facts), facts)
        except IntegrityError as error:
            if key is not None and key not in self._listed:
                raise IntegrityError(f"{error.detail}: it names the key {key!r}, which STANDPIPE_FORMER_KEY_ARNS does not name") from None
            raise


def _waiting(engine: Engine) -> tuple[int | None, int | None]:
    """About how many messages that may hold sealed tokens are in the queues, and among their dead letters; None if nobody may tell."""
    urls = (engine.settings.rescue_queue_url, engine.settings.revoke_queue_url)
    try:
        return _depth(engine, urls), _depth(engine, [dead for url in urls if (dead := _dead_letters(engine, url))])
    except (Unavailable, ClientError, BotoCoreError):
        return None, None


def _more(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else max(one, other)


def _depth(engine: Engine, urls: Iterable[str]) -> int:
    return sum(engine.queue(url).depth() for url in urls)


def _dead_letters(engine: Engine, url: str) -> str | None:
    """The queue that takes what could not be handled: of the same account and region, as SQS demands."""
    attributes = engine.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"]).get("Attributes", {})
    if "RedrivePolicy" not in attributes:
        return None
    name = json.loads(attributes["RedrivePolicy"])["deadLetterTargetArn"].rsplit(":", 1)[1]
    return f"{url.rsplit('/', 1)[0]}/{name}"


def _count(report: Report, looked: _Looked) -> None:
    report.rows += 1
    report.resealed += looked.kind == "resealed"
    report.current += looked.kind == "current"
    report.flows += looked.kind == "flow"
    if looked.kind == "failed":
        report.failed.append(looked.why)


def _conclusion(report: Report) -> list[str]:
    lines = [f"FAILED  {why}" for why in report.failed[:NAMED]]
    if len(report.failed) > NAMED:
        lines.append(f"FAILED  … and {len(report.failed) - NAMED} more")
    if report.flows:
        lines.append(f"WAIT    {report.flows} connect flows under way began with a former key; within ten minutes they are over.")
    if report.queued is None or report.dead is None:
        lines.append("WAIT    The rescue and revoke queues could not be looked at (sqs:GetQueueAttributes); their messages may hold tokens that a former key sealed.")
    if report.queued:
        lines.append(f"WAIT    About {report.queued} messages in the rescue and revoke queues may hold tokens that a former key sealed.")
    if report.dead:
        lines.append(f"WAIT    About {report.dead} dead letters of these queues may hold tokens that a former key sealed. Put them back, or delete those nobody needs.")
    if not report.is_done:
        return [*lines, "Keep the former key enabled and listed. When the above is settled, run this again."]
    return [
        *lines,
        "Nothing in the table and the queues needs a former key any more.",
        "Now empty STANDPIPE_FORMER_KEY_ARNS, deploy, and disable the former key. Do not delete it while a backup from before today may be restored.",
    ]
