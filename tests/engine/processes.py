"""Starts `worker` processes, lets them go together, and collects what they say."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

from chalicelib.domain.models import Owner
from tests.cloud import ROOT
from tests.engine.scenes import Scene

LIMIT = 60.0


class Worker:
    def __init__(self, scene: Scene, owner: Owner, ahead: timedelta, job: dict[str, Any]) -> None:
        environ = {**os.environ, **scene.stage.cloud.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
        self.process = subprocess.Popen([sys.executable, "-m", "tests.engine.worker"], env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self._say({"environ": scene.stage.environ, "owner": owner.user_id, "ahead": ahead.total_seconds(), "work": "fetch", **job})

    def _say(self, line: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()

    def await_ready(self) -> None:
        assert self.process.stdout and self.process.stderr
        line = self.process.stdout.readline()
        assert line == "ready\n", self.process.stderr.read()

    def go(self) -> None:
        self._say("go")

    def kill(self) -> None:
        self.process.kill()

    def end(self) -> tuple[int, list[dict[str, Any]]]:
        """Exit code (-9: killed) and results."""
        out, _err = self.process.communicate(timeout=LIMIT)
        lines = [json.loads(line) for line in out.splitlines() if line.startswith('{"results"')]
        return self.process.returncode, lines[0]["results"] if lines else []


@contextmanager
def workers(scene: Scene, owner: Owner, ahead: timedelta, *jobs: dict[str, Any]) -> Iterator[list[Worker]]:
    """Ready to go; whatever is still running at the end is ended."""
    with ExitStack() as stack:
        made = [Worker(scene, owner, ahead, job) for job in jobs]
        for worker in made:
            stack.enter_context(worker.process)
            stack.callback(worker.kill)
        for worker in made:
            worker.await_ready()
        yield made
