"""`python -m tests.soak [--minutes 10] [--connections 1000] [--faults 0.01] [--seed N]`: prints what happened, and ends with 1 if a promise was broken."""

import argparse
import os
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path

from tests.soak.run import Plan, soak


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--faults", type=float, default=0.01, help="share of the calls to providers and to AWS that go wrong")
    parser.add_argument("--seed", type=int, help="of an earlier run: the same faults in the same order, as far as threads allow")
    given = parser.parse_args()
    # The lines that this process's own fetches write are the workers' business; what is said here goes past them.
    with tempfile.TemporaryDirectory(prefix="soak-") as folder, open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        return soak(Plan(given.minutes * 60, given.connections, given.faults, given.seed), Path(folder))


if __name__ == "__main__":
    sys.exit(main())
