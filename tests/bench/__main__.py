"""`python -m tests.bench [fetch] [cold] [due] [worker] [paint] [package]`: all of them, or the named ones."""

import argparse
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench import cold, due, fetch, package, paint, worker
from tests.bench.table import Row, show
from tests.cloud import Cloud

NAMES = ("fetch", "cold", "due", "worker", "paint", "package")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="|".join(NAMES), help="which benchmarks; all by default")
    parser.add_argument("--rounds", type=int, help="fewer for a quick look, more on a noisy machine")
    given = parser.parse_args()
    names = given.names or list(NAMES)
    if unknown := set(names) - set(NAMES):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    rows: list[Row] = []
    lines: list[str] = []
    if set(names) - {"paint", "package"}:
        with _stage_of_its_own() as cloud:
            if {"fetch", "cold"} & set(names):
                scene = fetch.prepare(cloud.stage())
                if "fetch" in names:
                    rows += fetch.measure(scene, rounds=given.rounds or fetch.ROUNDS)
                if "cold" in names:
                    rows += cold.measure(scene, rounds=given.rounds or cold.ROUNDS)
            if "worker" in names:
                found, told = worker.measure(cloud.stage(), rounds=given.rounds or worker.ROUNDS)
                rows, lines = rows + found, lines + told.lines()
            if "due" in names:
                found, read = due.measure(cloud.stage(), cloud.stage(), rounds=given.rounds or due.ROUNDS)
                rows, lines = rows + found, lines + read.lines()
    if "paint" in names:
        found, told_of_paint = paint.measure(rounds=given.rounds or paint.ROUNDS)
        rows, lines = rows + found, lines + told_of_paint
    if rows:
        show(rows)
        print("\n".join(["", *lines]) if lines else "")
    if "package" in names:
        package.show()


@contextmanager
def _stage_of_its_own() -> Iterator[Cloud]:
    """An embedded AWS, and this process's environment pointed at it as a Lambda's would be."""
    with tempfile.TemporaryDirectory() as folder:
        cloud = Cloud(Path(folder))
        os.environ.pop("AWS_PROFILE", None)
        os.environ.update(cloud.environ)
        try:
            yield cloud
        finally:
            cloud.stop()


if __name__ == "__main__":
    main()
