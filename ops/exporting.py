"""`python -m ops export`: connections into one file that only the named key opens, and with --hand-over the grants with them.

What is handed over was held first, then was in the file and the file on the disk, and only then is marked: a run that ends anywhere leaves
no grant that two systems refresh and none that nobody has. Run again, it goes on: the file itself says what is in it.
"""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from chalicelib.domain import ids
from chalicelib.domain.errors import Conflict, IntegrityError, NotFound, StandpipeError, Unavailable
from chalicelib.domain.models import Connection
from chalicelib.domain.settings import LEASE_TTL
from chalicelib.domain.tokens import TokenSet
from chalicelib.engine.hand_over import BUSY, Held
from chalicelib.wiring import Engine
from ops.errors import StepFailed
from ops.migration import keys, sealed
from ops.migration.pace import Pace, Progress
from ops.migration.records import record_of
from ops.migration.scanning import Chosen, chosen
from ops.migration.sealed import Noted, Opened, Record, Writer

THREADS = 8
PART = 64  # connections held at once: well within a lease
# Between two looks at those that were busy: together longer than a lease, after which nothing is in flight any more.
WAITS = (2.0, 5.0, 10.0, 20.0, LEASE_TTL.total_seconds())
NAMED = 20


@dataclass(frozen=True, kw_only=True)
class Wanted:
    to: Path
    recipient: Path
    chosen: Chosen = field(default_factory=Chosen)
    hand_over: bool = False
    format: str = "standpipe"


@dataclass
class Exported:
    """`exported`: connections in the file that are to be used; `left_out`: sentence by connection id."""

    exported: int = 0
    handed_over: int = 0
    waiting: int = 0
    """Of them, those whose user has to connect again."""
    left_out: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Ready:
    """A connection with its record; `held` if it is to be handed over."""

    connection: Connection
    record: Record
    held: Held | None = None


def run(engine: Engine, wanted: Wanted, say: Callable[[str], None] = print, *, threads: int = THREADS, part: int = PART) -> Exported:
    """Raises StepFailed; what is in the file by then stays, and the same command goes on with it."""
    recipients = keys.recipients(wanted.recipient)
    try:
        return _Run(engine, wanted, recipients, say, part).run(threads)
    except Unavailable as error:
        raise StepFailed("Exporting", error.message, "Run the same command again; it goes on where it stopped.") from error
    except OSError as error:
        raise StepFailed(f"Writing {wanted.to}", str(error), "Run the same command again when there is room; it goes on where it stopped.") from error


class _Run:
    def __init__(self, engine: Engine, wanted: Wanted, recipients: list[Any], say: Callable[[str], None], part: int) -> None:
        self._engine, self._wanted, self._say, self._part = engine, wanted, say, part
        self._pace, self._report = Pace(engine.sleep, engine.monotonic), Exported()
        about = {
            "standpipe_export": 1,
            "export": f"export_{ids.ulid(engine.now())}",
            "stage": engine.settings.stage,
            "format": wanted.format,
            "hand_over": wanted.hand_over,
            "recipients": keys.digest(wanted.recipient),
            **wanted.chosen.about(),
        }
        self._file = Writer(wanted.to, about, recipients)
        if self._file.index.ended:
            self._file.close()
            raise StepFailed("Exporting", f"{wanted.to} is complete: {len(self._file.index.recorded)} connections", "Name another file for another export.")
        if self._file.index.parts:
            say(f"Going on with {wanted.to}: {len(self._file.index.recorded)} connections are in it.")
        self._before = dict(self._file.index.recorded)  # of earlier runs
        self._settled: set[str] = set()  # in the file, and marked where that was asked for

    def run(self, threads: int) -> Exported:
        progress = Progress(None, self._say, self._engine.monotonic)
        try:
            with ThreadPoolExecutor(threads) as pool:
                busy: list[Connection] = []
                for some in _batches(chosen(self._engine, self._wanted.chosen), self._part):
                    busy += self._some(pool, some)
                    progress.add(len(some))
                for seconds in WAITS:
                    if not busy:
                        break
                    self._say(f"{len(busy)} are being refreshed or changed at this moment; trying them again in {seconds:.0f} s")
                    self._engine.sleep(seconds)
                    again, busy = busy, []
                    for at in range(0, len(again), self._part):
                        busy += self._some(pool, again[at : at + self._part])
            void = self._file.index.recorded.keys() - self._settled
            for identifier in void:
                self._report.left_out.setdefault(identifier, "It went away, or nobody knows whether it was handed over.")
            self._file.end(void)
        finally:
            self._file.close()
        self._report.exported = len(self._settled)
        self._say(progress.line())
        for line in self._conclusion():
            self._say(line)
        return self._report

    def _some(self, pool: ThreadPoolExecutor, some: list[Connection]) -> list[Connection]:
        """One part: held, written, marked. Returns those to be tried again."""
        looked = list(pool.map(lambda each: self._pace.run(lambda: self._look(each)), some))
        busy = [connection for connection, found in zip(some, looked, strict=True) if found == "busy"]
        ready = [found for found in looked if isinstance(found, _Ready)]
        written: list[tuple[Noted, Record]] = [(_noted(each.connection), each.record) for each in ready if not self._is_in(each.connection)]
        try:
            if written:
                self._file.append(written)
        except BaseException:
            for each in ready:
                self._let_go(each)
            raise
        for each, marked in zip(ready, pool.map(self._mark, ready), strict=True):
            if marked:
                self._settled.add(each.connection.id)
                self._report.left_out.pop(each.connection.id, None)
            else:
                busy.append(each.connection)
        return busy

    def _is_in(self, connection: Connection) -> bool:
        """Whether its last record is of this very generation, and says the same of it."""
        return _noted(connection) in self._file.index.recorded.items()

    def _look(self, connection: Connection) -> _Ready | str:
        """A record, or why there is none: "busy" comes again. Raises Unavailable."""
        try:
            if self._wanted.hand_over and connection.state == "connected":
                return self._held(connection)
            newest = self._engine.store.connection(connection.owner, connection.slug, connection.account)
            if newest is None or newest.state == "disconnected" or newest.id != connection.id:
                return "gone"
            if self._wanted.hand_over and newest.state == "connected":
                return self._held(newest)
            return _Ready(newest, self._record(newest, self._engine.hand_over.opened(newest) if newest.state == "connected" else None))
        except Conflict as error:
            if error.code in BUSY:
                self._report.left_out[connection.id] = error.message
                return "busy"
            return self._refused(connection, error)
        except NotFound:
            return "gone"
        except IntegrityError:
            self._report.left_out[connection.id] = "What is stored of it does not open; an operator must look into it."
            return "left out"

    def _held(self, connection: Connection) -> _Ready:
        held = self._engine.hand_over.hold(connection)
        return _Ready(held.connection, self._record(held.connection, held.tokens), held)

    def _refused(self, connection: Connection, error: Conflict) -> _Ready | str:
        newest = self._engine.store.connection(connection.owner, connection.slug, connection.account)
        if newest is None or newest.id != connection.id:
            return "gone"
        if error.code == "needs_reauthorization":
            return _Ready(newest, self._record(newest, None))
        if _noted(newest) in self._before.items():
            self._settled.add(newest.id)  # in the file, and marked by the run before this one or just now
            self._report.handed_over += 1
            return "done"
        self._report.left_out[newest.id] = "It was handed over before: another system has it."
        return "left out"

    def _mark(self, ready: _Ready) -> bool:
        """False: it comes again, and what is true of it by then is found out."""
        held = ready.held
        if held is None:
            self._report.waiting += ready.connection.state != "connected"
            return True
        try:
            self._pace.run(lambda: self._engine.hand_over.mark(held))
        except Conflict:
            # Or it was marked by a try whose answer was lost.
            self._before.update([_noted(ready.connection)])
            return False
        self._report.handed_over += 1
        return True

    def _let_go(self, ready: _Ready) -> None:
        if ready.held is not None:
            with suppress(StandpipeError):  # it lapses by itself
                self._engine.hand_over.let_go(ready.held)

    def _record(self, connection: Connection, tokens: TokenSet | None) -> Record:
        handed_over = self._wanted.hand_over or connection.handed_over_at is not None
        return record_of(self._wanted.format, connection, tokens, handed_over=handed_over)

    def _conclusion(self) -> list[str]:
        report, wanted = self._report, self._wanted
        lines = [f"{report.exported} connections in {wanted.to}, {report.waiting} of them waiting for their user."]
        if wanted.hand_over:
            lines.append(f"{report.handed_over} are handed over: here they are not refreshed any more, and are served as long as their access tokens live.")
        else:
            lines.append("They are refreshed here as before, so the file is a copy that grows old: it is not for another system to take over from.")
        lines += [f"LEFT OUT  {identifier}  {sentence}" for identifier, sentence in sorted(report.left_out.items())[:NAMED]]
        if len(report.left_out) > NAMED:
            lines.append(f"LEFT OUT  … and {len(report.left_out) - NAMED} more")
        if report.left_out and wanted.hand_over:
            lines.append("Run it again later with another file for those that can be had then; what is handed over already is left out of it.")
        return lines


def _noted(connection: Connection) -> Noted:
    """Its generation, negative where it waits for its user: that changes without another."""
    return connection.id, connection.generation if connection.state == "connected" else -connection.generation


def decrypt(path: Path, identity: Path, out: TextIO) -> int:
    """What an export holds, a line of JSON each, for whoever has the key. Returns how many. Raises StepFailed."""
    if not path.is_file() or not sealed.is_export(path):
        raise StepFailed(f"Reading {path}", "it is no export of Standpipe", "Name the file that 'python -m ops export' wrote.")
    opened, count = Opened(path, keys.identities(identity)), 0
    for _, record in opened.records():
        out.write(json.dumps(record, ensure_ascii=False) + "\n")
        count += 1
    return count


def _batches(found: Iterator[Connection], size: int) -> Iterator[list[Connection]]:
    some: list[Connection] = []
    for each in found:
        some.append(each)
        if len(some) == size:
            yield some
            some = []
    if some:
        yield some
