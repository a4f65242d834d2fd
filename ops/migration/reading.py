"""Files of connections, entry by entry: JSON lines, a JSON array, a list envelope, CSV, and each of them encrypted with age.

Rule: a file is streamed, except an envelope around a list, which has to be read whole; and nothing decrypted touches the disk.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from ops.errors import StepFailed
from ops.migration import keys
from ops.migration.rows import BadRow

CHUNK = 1 << 16
LISTS = ("data", "connections", "connected_accounts")
Entry = tuple[str, Mapping[str, Any] | BadRow]
AGE = (b"age-encryption.org/", b"-----BEGIN AGE ENCRYPTED FILE-----")


def is_age(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(64).startswith(AGE)


@contextmanager
def text_of(path: Path, identity: Path | None) -> Iterator[TextIO]:
    """The file as text, decrypted on the way if it is an age file. Raises StepFailed."""
    if not is_age(path):
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield file
        return
    if identity is None:
        raise StepFailed(f"Reading {path}", "it is encrypted with age", "Name the file with the private key: --identity FILE")
    with keys.decrypting(path, keys.identities(identity)) as binary, io.TextIOWrapper(binary, encoding="utf-8-sig", newline="") as file:
        yield file


def entries(file: TextIO, format: str) -> Iterator[Entry]:
    """Each entry with its place in the file; what is no entry is a BadRow in its place."""
    yield from _csv(file) if format == "csv" else _json(file)


def _csv(file: TextIO) -> Iterator[Entry]:
    first = file.readline()
    delimiter = max(",;\t", key=first.count)
    names = [name.strip() for name in next(csv.reader([first], delimiter=delimiter), [])]
    if "provider" not in names:
        yield "line 1", BadRow("line 1", "", "is not a header with a column 'provider'.")
        return
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        yield "line 1", BadRow("line 1", sorted(twice)[0], "is there twice.")
        return
    reader, line = csv.reader(file, delimiter=delimiter, strict=True), 2
    while True:
        where = f"line {line}"
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield where, BadRow(where, "", f"is no CSV: {error}.")
            return
        if cells is None:
            return
        line = reader.line_num + 2
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(names):
            yield where, BadRow(where, "", f"has {len(cells)} cells where the header has {len(names)}.")
            continue
        yield where, {name: cell.strip() for name, cell in zip(names, cells, strict=True) if cell.strip()}


class _Text:
    """Text that grows as it is needed, and the line it is at."""

    def __init__(self, file: TextIO) -> None:
        self._file, self._text, self._at, self.line = file, "", 0, 1
        self._decoder = json.JSONDecoder()

    def _grow(self, size: int = CHUNK) -> bool:
        more = self._file.read(size)
        self._text, self._at = self._text[self._at :] + more, 0
        return bool(more)

    def peek(self) -> str:
        """The next character that is no space, or '' at the end."""
        while True:
            rest = self._text[self._at :]
            stripped = rest.lstrip()
            self.line += rest.count("\n", 0, len(rest) - len(stripped))
            self._at += len(rest) - len(stripped)
            if stripped:
                return stripped[0]
            if not self._grow():
                return ""

    def skip(self) -> None:
        self._at += 1

    def value(self) -> Any:
        """The JSON value that begins here. Raises ValueError."""
        size = CHUNK
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
                if end < len(self._text) or not self._grow(size):
                    break
            except json.JSONDecodeError:
                if not self._grow(size):
                    raise
            size *= 2  # each try begins anew, so there must be few of them
        value, end = self._decoder.raw_decode(self._text, self._at)
        self.line += self._text.count("\n", self._at, end)
        self._at = end
        return value


def _json(file: TextIO) -> Iterator[Entry]:
    text = _Text(file)
    in_array = text.peek() == "["
    if in_array:
        text.skip()
    number = 0
    while True:
        following = text.peek()
        if following == "" or (in_array and following == "]"):
            return
        if in_array and number and following == ",":
            text.skip()
            following = text.peek()
        where = f"line {text.line}"
        try:
            value = text.value()
        except (ValueError, RecursionError) as error:
            told = f"{error.msg} at column {error.colno}" if isinstance(error, json.JSONDecodeError) and following in "{[" else "it does not begin with '{'"
            yield where, BadRow(where, "", f"is no JSON: {told}.")
            return
        number += 1
        if number == 1 and not in_array and isinstance(value, dict) and (name := next((n for n in LISTS if isinstance(value.get(n), list)), None)):
            yield from (_checked(f"entry {at}", each) for at, each in enumerate(value[name], 1))
            continue
        yield _checked(where, value)


def _checked(where: str, value: Any) -> Entry:
    return where, value if isinstance(value, dict) else BadRow(where, "", "is not an object.")


Reader = Callable[[], Iterator[Entry]]
