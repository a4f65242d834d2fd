"""An export: one file, part after part, each an age file of its own that is whole on the disk before anything else happens.

Before each part stands a line in clear: which connections are in it, and of which generation. So the file itself tells how far an export
got, without the key that opens it, and a part that was cut off is cut away. The last part tells that there are no more, and which of
the connections are not to be used. The last word on a connection counts.
"""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from ops.errors import StepFailed
from ops.migration import keys

FIRST = b'# {"standpipe_export":'
BEGIN, END = b"-----BEGIN AGE ENCRYPTED FILE-----", b"-----END AGE ENCRYPTED FILE-----"
Record = dict[str, Any]
Noted = tuple[str, int]  # id of a connection, and a number that is another when its record would be


def is_export(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(FIRST)) == FIRST


@dataclass(frozen=True)
class Part:
    """`notes`: what stands in clear before it; `armored`: the age file."""

    notes: dict[str, Any]
    armored: bytes


@dataclass
class Index:
    """What an export says of itself in clear. `at`: where the last whole part ends; `recorded`: the number noted for each connection's last record."""

    about: dict[str, Any] = field(default_factory=dict)
    parts: int = 0
    recorded: dict[str, int] = field(default_factory=dict)
    records: int = 0
    ended: bool = False
    at: int = 0


def index(path: Path) -> Index:
    """Raises StepFailed if it is no export."""
    found = Index()
    with path.open("rb") as file:
        try:
            found.about = json.loads(file.readline()[2:])
            found.at = file.tell()
        except ValueError:
            raise StepFailed(f"Reading {path}", "it is no export of Standpipe", "Name the file that 'python -m ops export' wrote.") from None
        for part in _parts(file):
            found.parts += 1
            found.ended = bool(part.notes.get("end"))
            found.recorded.update((connection, generation) for connection, generation in part.notes.get("connections", ()))
            found.records += len(part.notes.get("connections", ()))
            found.at = file.tell()
    return found


def _parts(file: BinaryIO) -> Iterator[Part]:
    """Whole parts; one that was cut off ends them."""
    while line := file.readline():
        try:
            notes = json.loads(line[2:])
        except ValueError:
            return
        armored = [begin := file.readline()]
        if not begin.startswith(BEGIN):
            return
        while not (line := file.readline()).startswith(END):
            if not line:
                return
            armored.append(line)
        if not line.endswith(b"\n"):
            return
        yield Part(notes, b"".join([*armored, line]))


class Writer:
    """Appends parts to an export, new or begun. `about`: what it is of, which stands in clear and in every part."""

    def __init__(self, path: Path, about: dict[str, Any], recipients: list[Any]) -> None:
        self._recipients, self.path = recipients, path
        begun = path.exists() and path.stat().st_size > 0
        self.index = index(path) if begun else Index(about=about)
        for name in sorted({*about, *self.index.about} - {"export"}):
            if self.index.about.get(name) != about.get(name):
                raise StepFailed(
                    f"Going on with {path}", f"it was begun with another {name} ({self.index.about.get(name)!r}, not {about.get(name)!r})", "Run the same command again, or name another file."
                )
        self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
        if begun:
            self._file.truncate(self.index.at)
            self._file.seek(self.index.at)
        else:
            self._append(b"# " + json.dumps(self.index.about).encode() + b"\n")
            directory = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)

    def append(self, records: list[tuple[Noted, Record]]) -> None:
        """One part. When this returns it is on the disk."""
        self._part({"connections": [list(noted) for noted, _ in records]}, [record for _, record in records])
        for (connection, generation), _ in records:
            self.index.recorded[connection] = generation
        self.index.records += len(records)

    def end(self, void: Iterable[str]) -> None:
        """The last part. `void`: ids whose records are not to be used."""
        self._part({"end": True}, [{"end": True, "connections": len(self.index.recorded), "void": sorted(void)}])
        self.index.ended = True

    def close(self) -> None:
        self._file.close()

    def _part(self, notes: dict[str, Any], records: list[Record]) -> None:
        number = self.index.parts + 1
        lines = [{**self.index.about, "part": number}, *records]
        body = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines).encode()
        clear = json.dumps({"part": number, **notes}, separators=(",", ":")).encode()
        self._append(b"# " + clear + b"\n" + keys.seal(body, self._recipients))
        self.index.parts = number

    def _append(self, text: bytes) -> None:
        self._file.write(text)
        self._file.flush()
        os.fsync(self._file.fileno())


class Opened:
    """An export that is read. `about` and `ended` are as the parts themselves say, not what stands in clear. Raises StepFailed for one that is damaged or not for this key."""

    def __init__(self, path: Path, identities: list[Any]) -> None:
        self._path, self._identities = path, identities
        self.about: dict[str, Any] = {}
        self.ended, self.void = False, frozenset[str]()
        self._last: dict[str, tuple[int, int]] = {}
        for part, at, record in self._records():
            if record.get("end"):
                self.ended, self.void = True, frozenset(record["void"])
            else:
                self._last[_id(record)] = (part, at)

    def __len__(self) -> int:
        return len(self._last.keys() - self.void)

    def records(self) -> Iterator[tuple[str, Record]]:
        """The last record of each connection that is to be used, with its place."""
        for part, at, record in self._records():
            identifier = _id(record)
            if self._last.get(identifier) == (part, at) and identifier not in self.void:
                yield f"part {part}, record {at}", record

    def _records(self) -> Iterator[tuple[int, int, Record]]:
        step = f"Reading {self._path}"
        with self._path.open("rb") as file:
            file.readline()
            for number, part in enumerate(_parts(file), 1):
                opened = keys.open_(part.armored, self._identities)
                if opened is None:
                    raise StepFailed(step, f"part {number} does not open", "Is it the key it was encrypted to, and the file as it was written?")
                lines = opened.decode().rstrip("\n").split("\n")
                about, *records = [json.loads(line) for line in lines]
                if about.pop("part") != number or (self.about and about != self.about):
                    raise StepFailed(step, f"part {number} is of another export or another place", "Use the file as it was written.")
                self.about = about
                yield from ((number, at, record) for at, record in enumerate(records, 1))


def _id(record: Record) -> str:
    """By Standpipe's name for it or by WorkOS's; the end has none."""
    return str(record.get("connected_account_id") or record.get("id", ""))
