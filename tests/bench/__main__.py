"""`python -m tests.bench [fetch] [cold] [package]`: all three, or the named ones."""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench import cold, fetch, package
from tests.bench.table import Row, show
from tests.cloud import Cloud

NAMES = ("fetch", "cold", "package")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="|".join(NAMES), help="which benchmarks; all by default")
    parser.add_argument("--rounds", type=int, help="fewer for a quick look, more on a noisy machine")
    given = parser.parse_args()
    names = given.names or list(NAMES)
    if unknown := set(names) - set(NAMES):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    rows: list[Row] = []
    if {"fetch", "cold"} & set(names):
        with _stage_of_its_own() as cloud:
            scene = fetch.prepare(cloud.stage())
            if "fetch" in names:
                rows += fetch.measure(scene, rounds=given.rounds or fetch.ROUNDS)
            if "cold" in names:
                rows += cold.measure(scene, rounds=given.rounds or cold.ROUNDS)
    if rows:
        show(rows)
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
    sys.exit(main())
