"""`make test`: says which parts of the machine it needs, installs what it may, and runs everything, one step after the other.

Under CI=true a missing part is a failure; elsewhere it is named, with the command that brings it.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""What is looked for, in this order: Chromium without its windows takes a third of the processor's time that the whole one takes."""


def main() -> int:
    started = time.monotonic()
    missing = [text for text in (_node(), _chromium()) if text]
    for text in missing:
        print(f"MISSING  {text}", flush=True)
    if missing and os.environ.get("CI") == "true":
        return 1
    steps: list[tuple[str, list[str]]] = [
        ("format", [str(BIN / "ruff"), "format", "--check", "."]),
        ("lint", [str(BIN / "ruff"), "check", "."]),
        ("types", [str(BIN / "mypy")]),
        ("template", [str(BIN / "cfn-lint"), ".chalice/resources.json"]),
        ("tests", [sys.executable, "-m", "pytest", *sys.argv[1:]]),
    ]
    failed = []
    for name, command in steps:
        print(f"\n== {name} ({time.monotonic() - started:.0f} s)", flush=True)
        if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
            failed.append(name)
    print(f"\n{'FAILED: ' + ', '.join(failed) if failed else 'All good'} after {time.monotonic() - started:.0f} s", flush=True)
    return 1 if failed or missing else 0


def _node() -> str | None:
    if not shutil.which("node") or not shutil.which("npm"):
        return "Node 20 or later with npm (https://nodejs.org): the real WorkOS client, Octokit and oidc-provider run on it."
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return None if int(version.lstrip("v").split(".")[0]) >= 20 else f"Node 20 or later; this is {version}."


def _chromium() -> str | None:
    if shutil.which(CHROMIUM[0]):
        return None
    if shutil.which("apt-get") and os.geteuid() == 0:
        _apt_get("update")
        for package in CHROMIUM[:2]:  # the first is Debian's alone
            if not any(map(shutil.which, CHROMIUM)) or package == CHROMIUM[0]:
                print(f"installing Chromium (apt-get install {package})", flush=True)
                _apt_get("install", "-y", package)
    return None if any(map(shutil.which, CHROMIUM)) else "Chromium, for the tests in a browser. On Debian: sudo apt-get install chromium-headless-shell"


def _apt_get(*words: str) -> None:
    subprocess.run(["apt-get", "-qq", *words], env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, stdout=subprocess.DEVNULL, check=False)


if __name__ == "__main__":
    sys.exit(main())
