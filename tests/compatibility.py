"""docs/compatibility.md: every method of every client of WorkOS, and how it fared against a deployed Standpipe.

Rule: a row is what a test saw. `record` holds it against the committed table at once, so a test that saw something else fails;
`python -m tests.compatibility --write` runs the tests and writes the table from what they saw. Whoever records every row of a client
also asserts that `documented(client)` names nothing else.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import astuple, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "compatibility.md"
WRITING = "STANDPIPE_COMPATIBILITY"  # names the directory in which rows are collected while the table is written
TESTS = ("tests/sdk", "tests/widgets")
CLIENTS = {
    "workos (Python) 10.8.0": "Sync and async client, in the process of the test.",
    "workos (Python) 9.1.0": "An older major, in a process of its own.",
    "workos (Python) 8.3.0": "An older major, in a process of its own.",
    "@workos-inc/node 11.0.0": "On Node 22.",
    "@workos-inc/widgets 1.18.0": "`<Pipes>` and `<PipesAdmin>` in headless Chromium.",
}
INTRODUCTION = """# What WorkOS's own clients do here

Written by `python -m tests.compatibility --write` and held against each run of `make test`. The clients are the packages as they are published; only their base
URL is set. They speak to a stage that `chalice deploy` made in the embedded cloud. The lists of methods are read from the packages, so a method that no test calls
fails the tests.

- **works**: every parameter of its signature was sent, the answer became the client's own object, and each error it documents came as the client's own class, from
  the stage where the stage answers so. `429` and `5xx` are what a gateway or an outage says; they are put in the way of every method by a proxy.
- *also* are statuses the client does not document for that method and takes all the same, as the class it has for them.
- *not met* are statuses the client documents for that method and no story of the tests was answered with.
"""


@dataclass(frozen=True, order=True)
class Row:
    client: str
    method: str
    result: str
    notes: str = ""


def record(client: str, method: str, result: str, notes: str = "") -> None:
    """What a test saw of one method, component or state. Raises AssertionError if the committed table says otherwise."""
    assert client in CLIENTS, f"add {client!r} to tests/compatibility.py"
    row = Row(client, method, result, notes)
    assert not any(mark in "".join(astuple(row)) for mark in "|\n"), "a cell of a table holds neither '|' nor a line break"
    if folder := os.environ.get(WRITING):
        with (Path(folder) / f"{os.getpid()}.jsonl").open("a") as lines:
            lines.write(json.dumps(astuple(row)) + "\n")
        return
    committed = [each for each in read() if (each.client, each.method) == (client, method)]
    assert committed == [row], f"docs/compatibility.md says {committed}, this run {row}; if this run is right: python -m tests.compatibility --write"


def documented(client: str) -> set[str]:
    """The methods the committed table has of a client; while the table is being written, those recorded by this process."""
    if folder := os.environ.get(WRITING):
        own = Path(folder) / f"{os.getpid()}.jsonl"
        return {row.method for row in _lines(own) if row.client == client} if own.exists() else set()
    return {row.method for row in read() if row.client == client}


def read() -> list[Row]:
    """The committed rows."""
    rows, client = [], ""
    for line in TABLE.read_text().splitlines() if TABLE.exists() else ():
        if line.startswith("## "):
            client = line.removeprefix("## ")
        elif line.startswith("| `"):
            method, result, notes = (cell.strip() for cell in line.strip("|").split("|"))
            rows.append(Row(client, method.strip("`"), result, notes))
    return rows


def written(rows: set[Row]) -> str:
    """The whole document."""
    parts = [INTRODUCTION]
    for client, remark in CLIENTS.items():
        own = sorted(row for row in rows if row.client == client)
        if own:
            works = sum(row.result == "works" for row in own)
            lines = [f"## {client}", "", f"{remark} {works} of {len(own)} work.", "", "| | result | seen |", "|---|---|---|"]
            parts.append("\n".join([*lines, *(f"| `{row.method}` | {row.result} | {row.notes} |".replace("|  |", "| |") for row in own)]) + "\n")
    return "\n".join(parts)


def _lines(file: Path) -> list[Row]:
    return [Row(*json.loads(line)) for line in file.read_text().splitlines()]


def main() -> int:
    parser = argparse.ArgumentParser(description="Writes docs/compatibility.md from a run of the tests.")
    parser.add_argument("--write", action="store_true", required=True)
    parser.add_argument("tests", nargs="*", help="files or folders to run; clients they do not record keep their rows", default=[t for t in TESTS if list((ROOT / t).glob("test_*.py"))])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([sys.executable, "-m", "pytest", *given.tests], cwd=ROOT, env={**os.environ, WRITING: folder}, check=False)
        seen = {row for file in Path(folder).glob("*.jsonl") for row in _lines(file)}
    if done.returncode:
        print("The tests failed; the table stays as it is.", file=sys.stderr)
        return done.returncode
    twice = {(row.client, row.method) for row in seen}
    if len(twice) != len(seen):
        print("Two tests recorded different results for one method.", file=sys.stderr)
        return 1
    fresh = {row.client for row in seen}
    TABLE.write_text(written({row for row in read() if row.client not in fresh} | seen))
    return 0


if __name__ == "__main__":
    sys.exit(main())
