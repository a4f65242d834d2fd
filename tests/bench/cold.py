"""A fresh container: importing `app.py` and answering the first fetch, against importing the libraries and making the two clients.

Each side is a new process, the two in turn. The clock starts at the first line, so the interpreter's own start is in neither.
The floor answers nothing; ours makes three calls to AWS besides (API key, connection, data key).
"""

import json
import os
import subprocess
import sys
from typing import Any

from tests.bench.fetch import Scene
from tests.bench.table import Row
from tests.cloud import REGION, ROOT

ROUNDS = 40

CLOCKED = """
import time
cpu, wall = time.process_time(), time.perf_counter()
{work}
print(time.process_time() - cpu, time.perf_counter() - wall)
"""
OURS = """
import json, sys
event = json.loads(sys.argv[1])
class Context:
    aws_request_id = "8a0d3f0e-52f8-4b0c-9f6a-0b6f1a6e2c11"
    def get_remaining_time_in_millis(self):
        return 29_000
import app
answer = app.app(event, Context())
assert answer["statusCode"] == 200, answer
"""
FLOOR = f"""
import boto3, aws_encryption_sdk, requests_oauthlib, pydantic
boto3.client("dynamodb", region_name="{REGION}")
boto3.client("kms", region_name="{REGION}")
"""


def measure(scene: Scene, *, rounds: int = ROUNDS) -> list[Row]:
    """CPU and wall seconds of one process, a round each."""
    sides = {"ours": (CLOCKED.format(work=OURS), json.dumps(scene.event)), "floor": (CLOCKED.format(work=FLOOR), "")}
    environ = {**os.environ, **scene.environ, "PYTHONPATH": str(ROOT)}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)  # compiled in the first round, as a package is before it is shipped
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for number in range(rounds + 1):
        for name in ("ours", "floor") if number % 2 else ("floor", "ours"):
            taken[name].append(_run(*sides[name], environ=environ))
    ours, floor = taken["ours"][1:], taken["floor"][1:]
    return [Row(f"first fetch, {rounds} processes", clock, [pair[index] for pair in ours], [pair[index] for pair in floor], 1.0) for index, clock in enumerate(("cpu", "wall"))]


def _run(program: str, argument: str, *, environ: dict[str, Any]) -> tuple[float, float]:
    done = subprocess.run([sys.executable, "-c", program, argument], env=environ, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"the process to measure failed:\n{done.stderr}")
    cpu, wall = done.stdout.splitlines()[-1].split()
    return float(cpu), float(wall)
