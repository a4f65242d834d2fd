"""`python -m ops take-over` and `hand-over`: which of two systems refreshes grants that both have, for one connection or for all.

Both are asked about first, with their number: of a grant that two refresh, or that the wrong one refreshes, nothing is left.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Literal

from chalicelib.domain.errors import Conflict, NotFound, StandpipeError, Unavailable
from chalicelib.domain.models import Connection
from chalicelib.domain.settings import LEASE_TTL
from chalicelib.engine.hand_over import BUSY
from chalicelib.wiring import Engine
from ops.errors import StepFailed
from ops.migration.pace import Pace, Progress
from ops.migration.scanning import Chosen, chosen

Way = Literal["take-over", "hand-over"]
THREADS = 8
WAITS = (2.0, 5.0, 10.0, 20.0, LEASE_TTL.total_seconds())
NAMED = 20
WHAT = {
    "take-over": "are handed over and would be refreshed here from now on. The other system must have stopped, and must not have refreshed them since they came here: "
    "where it has, import its newest export with --taking-over instead.",
    "hand-over": "are refreshed here and would not be any more. The other system must have their present tokens already: where it has not, use 'export --hand-over'.",
}


@dataclass
class Handed:
    """`changed` of `found`; `left`: why not, by connection id."""

    found: int = 0
    changed: int = 0
    left: dict[str, str] = field(default_factory=dict)


def run(engine: Engine, way: Way, wanted: Chosen, *, confirm: Callable[[str], bool], say: Callable[[str], None] = print, threads: int = THREADS) -> Handed:
    """`confirm` is asked with a sentence that has the number in it; False ends it, and nothing was changed. Raises StepFailed."""
    try:
        counts = Counter(connection.slug for connection in _meant(engine, way, wanted))
        report = Handed(found=counts.total())
        for slug, count in sorted(counts.items()):
            say(f"  {count:>7}  {slug}")
        if not report.found:
            say("There is none that this would change.")
            return report
        if not confirm(f"{report.found} connections {WHAT[way]}"):
            say("Nothing was changed.")
            return report
        _Run(engine, way, report, say).run(_meant(engine, way, wanted), threads)
    except Unavailable as error:
        raise StepFailed(f"The {way}", error.message, "What is done stays done. Run it again.") from error
    say(f"{report.changed} connections are " + ("refreshed here from now on." if way == "take-over" else "not refreshed here any more; their access tokens are served as long as they live."))
    for identifier, sentence in sorted(report.left.items())[:NAMED]:
        say(f"LEFT AS IT IS  {identifier}  {sentence}")
    if len(report.left) > NAMED:
        say(f"LEFT AS IT IS  … and {len(report.left) - NAMED} more")
    return report


def _meant(engine: Engine, way: Way, wanted: Chosen) -> Iterable[Connection]:
    return (each for each in chosen(engine, wanted) if each.state == "connected" and (each.handed_over_at is not None) == (way == "take-over"))


class _Run:
    def __init__(self, engine: Engine, way: Way, report: Handed, say: Callable[[str], None]) -> None:
        self._engine, self._way, self._report, self._say = engine, way, report, say
        self._pace = Pace(engine.sleep, engine.monotonic)

    def run(self, found: Iterable[Connection], threads: int) -> None:
        progress = Progress(self._report.found, self._say, self._engine.monotonic)
        with ThreadPoolExecutor(threads) as pool:
            busy = list(found)
            for seconds in (0.0, *WAITS):
                if not busy:
                    return
                if seconds:
                    self._say(f"{len(busy)} are being refreshed at this moment; trying them again in {seconds:.0f} s")
                    self._engine.sleep(seconds)
                again = []
                for connection, done in zip(busy, pool.map(self._one, busy), strict=True):
                    progress.add(done)
                    again += [] if done else [connection]
                busy = again

    def _one(self, connection: Connection) -> bool:
        """False: it comes again."""
        engine = self._engine
        try:
            if self._way == "take-over":
                self._pace.run(lambda: engine.hand_over.take_over(connection))
            else:
                held = self._pace.run(lambda: engine.hand_over.hold(connection))
                engine.hand_over.mark(held)
        except NotFound:
            self._report.left[connection.id] = "It is not there any more."
        except Conflict as error:
            self._report.left[connection.id] = error.message
            return error.code not in BUSY
        except Unavailable:
            raise
        except StandpipeError as error:
            self._report.left[connection.id] = error.message
        else:
            self._report.left.pop(connection.id, None)
            self._report.changed += 1
        return True
