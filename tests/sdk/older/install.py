"""Folders with older versions of `workos`, installed once from files with hashes.

Rule: nothing is fetched unless a folder is missing or its file changed. Two test processes may ask at once; one installs.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
INSTALLED = HERE.parent / ".installed"
VERSIONS = sorted(file.stem.removeprefix("workos-") for file in HERE.glob("workos-*.txt"))
SECONDS = 300


def folder(version: str) -> Path:
    """Where that version is; to be put before everything else in PYTHONPATH."""
    wanted = HERE / f"workos-{version}.txt"
    place = INSTALLED / version
    stamp, digest = place / ".installed", hashlib.sha256(wanted.read_bytes()).hexdigest()
    INSTALLED.mkdir(exist_ok=True)
    with (INSTALLED / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != digest:
            shutil.rmtree(place, ignore_errors=True)
            command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes", "--target", str(place), "-r", str(wanted)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
            if done.returncode:
                raise RuntimeError(f"installing {wanted.name} failed:\n{done.stderr[-2000:]}")
            stamp.write_text(digest)
    return place
