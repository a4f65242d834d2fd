"""`python -m ops import`: connections of another system, from its file. First a plan, then one row after another, each of them whole or not at all.

Which of the two systems refreshes the grants has to be said: with --taking-over it is this one, with --shadow the other. A run that ends
anywhere is run again: what is done is passed over, and what was being done is found done.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from chalicelib.domain.errors import IntegrityError, StandpipeError, Unavailable
from chalicelib.domain.events import timestamp
from chalicelib.domain.models import Connection, Owner
from chalicelib.engine.refresh import Outcome
from chalicelib.wiring import Engine
from ops.errors import StepFailed
from ops.migration import planning
from ops.migration.ledger import Ledger
from ops.migration.pace import Pace, Progress
from ops.migration.placing import Placed, Placing
from ops.migration.planning import Plan, Registered, Source
from ops.migration.rows import BadRow, Row

THREADS = 8  # a row is some calls to the table and two to KMS, and most of its time is waiting for them
BATCH = 64
VERIFY_TRIES = 6
REFRESH_SECONDS = 50.0
WORKS = {"success_fresh", "success_waited", "success_retry_after_lost", "success_rescued", "fresh_enough"}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """`slugs`: what a provider of the file is called here. `taking_over` None = nobody has said, which only a dry run may leave open."""

    file: Path
    format: str | None = None
    taking_over: bool | None = None
    dry_run: bool = False
    verify: bool = False
    skip_bad: bool = False
    slugs: dict[str, str]
    identity: Path | None = None
    report: Path | None = None


@dataclass
class Imported:
    """What came of it. `counts`: rows by result; verified ones by what the provider said too."""

    plan: Plan
    counts: dict[str, int]
    report: Path | None = None

    @property
    def is_done(self) -> bool:
        return not any(self.counts.get(name) for name in ("refused", "failed", "verified: refused", "verified: no answer", "verified: our client was refused"))


def run(engine: Engine, wanted: Wanted, say: Callable[[str], None] = print, *, threads: int = THREADS) -> Imported:
    """Raises StepFailed where nothing was written: the words are missing, the file cannot be read, or rows have problems."""
    if wanted.taking_over is None and not wanted.dry_run:
        raise StepFailed("Importing", "it is not said which system refreshes these grants", planning.WHY_ONE)
    if wanted.verify and wanted.taking_over is False:
        raise StepFailed("Importing", "--verify refreshes each grant once, and with --shadow the other system does that", "Leave one of them out.")
    registered = Registered(engine)
    source = Source(wanted.file, wanted.format, wanted.slugs, wanted.identity, registered)
    made = planning.plan(source, registered, taking_over=bool(wanted.taking_over))
    for line in made.lines():
        say(line)
    if wanted.dry_run:
        say("Nothing was written.")
        return Imported(made, {})
    if made.problems and not wanted.skip_bad:
        raise StepFailed("Importing", f"{len(made.bad) or 1} rows have problems; nothing was written", "Mend them, or leave them out with --skip-bad.")
    if made.problems and made.unfinished:
        raise StepFailed("Importing", "the export has not come to its end; nothing was written", "Run the same export again; it goes on where it stopped.")
    return _Run(engine, source, made, wanted, say).run(threads)


class _Run:
    def __init__(self, engine: Engine, source: Source, plan: Plan, wanted: Wanted, say: Callable[[str], None]) -> None:
        self._engine, self._source, self._plan, self._say = engine, source, plan, say
        self._taking_over, self._verify = bool(wanted.taking_over), wanted.verify
        self._placing = Placing(engine, taking_over=self._taking_over, further=plan.further)
        self._pace = Pace(engine.sleep, engine.monotonic)
        how = f"{engine.settings.stage} {'taking over' if self._taking_over else 'shadow'}{' verify' if wanted.verify else ''}"
        self._ledger = Ledger(wanted.report or wanted.file.with_name(f"{wanted.file.name}.report.jsonl"), how)

    def run(self, threads: int) -> Imported:
        progress = Progress(self._plan.to_import, self._say, self._engine.monotonic)
        ledger = self._ledger
        ledger.tell({"import": str(self._source.path), "began_at": timestamp(self._engine.now()), "rows": self._plan.rows})
        for sentence in self._plan.problems:
            ledger.tell({"problem": sentence})
        passed = 0
        try:
            with ThreadPoolExecutor(threads) as pool:
                for rows in _batches(self._rows()):
                    left = [row for row in rows if not ledger.is_done(row)]
                    passed += len(rows) - len(left)
                    progress.add(len(rows) - len(left))
                    for done in pool.map(self._some, _by_owner(left)):
                        progress.add(done)
        finally:
            counts = dict(ledger.counts)
            ledger.tell({"ended_at": timestamp(self._engine.now()), "counts": {**counts, "done before": passed}})
            ledger.close()
        self._say(progress.line())
        for line in _conclusion(counts, passed, self._taking_over):
            self._say(line)
        self._say(f"Row by row: {ledger.report}")
        return Imported(self._plan, {**counts, "done before": passed}, ledger.report)

    def _rows(self) -> Iterator[Row]:
        for row in self._source.rows():
            if not isinstance(row, BadRow) and not row.disconnected and row.where not in self._plan.bad and row.where not in self._plan.repeated:
                yield row

    def _some(self, rows: list[Row]) -> int:
        for row in rows:
            self._one(row)
        return len(rows)

    def _one(self, row: Row) -> None:
        try:
            placed = self._pace.run(lambda: self._placing.place(row))
            verified = self._pace.run(lambda: self._verified(placed)) if self._verify and placed.connection is not None else None
        except Unavailable as error:
            self._ledger.note(row, "failed", {"detail": error.message})
            return
        except Exception as error:  # noqa: BLE001
            # Its text may hold anything, so only its type is told; the other rows are none the worse.
            self._ledger.note(row, "failed", {"detail": f"{type(error).__name__}, which nobody foresaw"})
            return
        connection = placed.connection
        facts = {"connection": connection.id if connection else None, "state": connection.state if connection else None, "detail": placed.detail or None, "verified": verified}
        self._ledger.note(row, placed.result, facts, None if verified is None else f"verified: {verified.partition(' (')[0]}")

    def _verified(self, placed: Placed) -> str | None:
        """What the provider says to one real refresh. Raises Unavailable."""
        connection = placed.connection
        if connection is None or placed.result == "refused":
            return None
        if connection.state != "connected":
            return "needs its user"
        if connection.auth_method != "oauth":
            return "asked when it was entered" if placed.result in ("imported", "replaced") else "asked before"
        if not connection.refreshable:
            return "nothing to refresh"
        if connection.refreshed_at and connection.connected_at and connection.refreshed_at > connection.connected_at:
            return "works"  # it was refreshed here already, by an earlier run or by the clock
        return self._refreshed(connection)

    def _refreshed(self, connection: Connection) -> str:
        engine, generation, said = self._engine, connection.generation, "no answer"
        for _ in range(VERIFY_TRIES):
            refusal = engine.circuits.refuses_fetch(connection.slug)
            if refusal is not None:
                said = f"no answer ({refusal.code})"
                self._pace.slow(refusal.retry_after)
                self._pace.wait()
                continue
            try:
                outcome = engine.refresher.refresh(connection, lambda newer: newer.generation != generation, seconds_left=lambda: REFRESH_SECONDS, patience=12.0, used=False)
            except (Unavailable, IntegrityError):
                raise
            except StandpipeError as error:
                return f"no answer ({error.code})"
            if outcome.asked:
                engine.circuits.note(connection.slug, connection.registration_id, outcome.tally)
            connection, said = outcome.connection, _said(outcome)
            if not said.startswith("no answer"):
                return said
            held = (connection.hold_until - engine.now()).total_seconds() if connection.hold_until else None
            self._pace.slow(held)
            self._pace.wait()
        return said


def _said(outcome: Outcome) -> str:
    code = outcome.error.provider_code if outcome.error else outcome.connection.last_error
    if outcome.bucket in WORKS:
        return "works"
    if outcome.bucket in ("refused_expected", "lost_outcome_unknown", "disconnected"):
        return f"refused ({code or outcome.connection.reason})"
    if outcome.bucket == "client_error":
        return f"our client was refused ({code})"
    return f"no answer ({code or outcome.bucket})"


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


def _by_owner(rows: list[Row]) -> list[list[Row]]:
    """An owner's accounts at a provider come one after another: where each goes depends on those before."""
    groups: dict[tuple[str, Owner], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.slug, row.owner), []).append(row)
    return list(groups.values())


def _conclusion(counts: dict[str, int], passed: int, taking_over: bool) -> list[str]:
    words = {
        "imported": "imported",
        "replaced": "took the place of what was here",
        "taken_over": "were here and are refreshed here from now on",
        "already": "were here already",
        "left": "left as they are here, which is later",
        "refused": "REFUSED",
        "failed": "FAILED",
    }
    lines = [f"  {counts[name]:>7}  {text}" for name, text in words.items() if counts.get(name)]
    lines += [f"  {passed:>7}  done by an earlier run"] if passed else []
    lines += [f"  {count:>7}  {name}" for name, count in sorted(counts.items()) if name.startswith("verified: ")]
    if counts.get("failed"):
        lines.append("Run the same again: it goes on with what failed.")
    if not taking_over:
        lines.append("Nothing of this is refreshed here. When the other system has stopped: import its newest export with --taking-over, or, if it has not refreshed since, 'python -m ops take-over'.")
    return lines
