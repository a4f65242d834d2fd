"""The processes of a soak: started, killed at random and started again, and what their journals say."""

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.cloud import ROOT, Stage


@dataclass
class Fleet:
    """`kills`: when (monotonic) a process was killed."""

    folder: Path
    endpoint: str
    kills: list[float] = field(default_factory=list)
    _running: list[tuple[subprocess.Popen[bytes], Stage, str]] = field(default_factory=list)
    _started: int = 0

    def start(self, stage: Stage, role: str) -> None:
        self._started += 1
        environ = {**os.environ, **stage.cloud.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]), "PYTHONUNBUFFERED": "1"}
        with (self.folder / f"{self._started:04}.out").open("wb") as out:
            process = subprocess.Popen([sys.executable, "-m", "tests.soak.process"], env=environ, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT)
        assert process.stdin
        process.stdin.write(json.dumps({"environ": stage.environ, "endpoint": self.endpoint, "role": role}).encode() + b"\n")
        process.stdin.flush()
        self._running.append((process, stage, role))

    def kill_one(self, chance: random.Random) -> None:
        """SIGKILL, in whatever it is doing, and another in its place."""
        place = chance.randrange(len(self._running))
        process, stage, role = self._running.pop(place)
        process.kill()
        self.kills.append(time.monotonic())
        process.wait()
        self.start(stage, role)

    def dead(self) -> list[int]:
        """Exit codes of those that ended by themselves, which none should."""
        return [code for process, _, _ in self._running if (code := process.poll()) is not None]

    def stop(self) -> None:
        for process, _, _ in self._running:
            process.kill()
        for process, _, _ in self._running:
            process.wait()
            if process.stdin:
                process.stdin.close()
        self._running = []

    def outcomes(self, event: str = "refresh") -> Counter[str]:
        counted: Counter[str] = Counter()
        for file in self.folder.glob("*.out"):
            for line in file.read_text(errors="replace").splitlines():
                if line.startswith("{"):
                    try:
                        told = json.loads(line)
                    except ValueError:
                        continue  # killed in the middle of it
                    if told.get("event") == event:
                        counted[told.get("outcome", "")] += 1
        return counted

    def text(self) -> str:
        return "\n".join(file.read_text(errors="replace") for file in self.folder.glob("*.out"))
