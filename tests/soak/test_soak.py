"""A soak of seconds: that it runs, says what happened, and finds every promise kept. `make soak` is the one of ten minutes."""

import subprocess
import sys

from tests.cloud import ROOT


def test_a_short_soak_keeps_every_promise_and_prints_its_buckets() -> None:
    done = subprocess.run([sys.executable, "-m", "tests.soak", "--minutes", "0.5", "--connections", "30"], cwd=ROOT, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for said in ("seed ", "success_fresh", "SLO", "processes killed:", "every promise held"):
        assert said in done.stdout
