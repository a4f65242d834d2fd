"""What an import has done, row by row: a report for people, and beside it a state file by which the next run knows what is left.

Rule: of a row only a digest is kept, keyed with a value of the state file's own; a line is written when its row is done, so what a killed
run did not write down is done once more, which finds it done.
"""

import fcntl
import hashlib
import hmac
import json
import os
import secrets
import threading
from collections import Counter
from pathlib import Path
from typing import Any, TextIO

from ops.errors import StepFailed
from ops.migration.rows import Row

DONE = {"imported", "replaced", "taken_over", "already", "left"}


class Ledger:
    """`how`: the stage and the way of the import; what was done another way is not done."""

    def __init__(self, report: Path, how: str) -> None:
        self.report, self.state = report, report.with_name(f"{report.name}.state")
        self._how, self._lock, self.counts = how, threading.Lock(), Counter[str]()
        self._salt, self._done = self._read()
        self._report, self._state = _append(report), _append(self.state)
        try:
            fcntl.flock(self._state, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StepFailed("Importing", f"another import writes {self.state} at this moment", "Wait for it, or name another report.") from None
        if not self._state.tell():
            self._line(self._state, {"standpipe_import": 1, "salt": self._salt})

    def _read(self) -> tuple[str, set[str]]:
        if not self.state.exists() or not self.state.stat().st_size:
            return secrets.token_hex(32), set()
        lines = self.state.read_text("utf-8").split("\n")
        whole = lines[:-1]  # the last one may have been cut off
        try:
            salt = str(json.loads(whole[0])["salt"])
            done = {str(json.loads(line)["done"]) for line in whole[1:]}
        except (ValueError, KeyError, IndexError):
            raise StepFailed(f"Reading {self.state}", "it is not the state of an import", "Name another report, or delete the state: then every row is looked at again.") from None
        if lines[-1]:
            with self.state.open("r+b") as file:
                file.truncate(len("\n".join(whole).encode()) + 1)
        return salt, done

    def mark(self, row: Row) -> str:
        """What the state file knows a row by."""
        brought = row.brought
        parts: list[Any] = [self._how, row.slug, row.owner.user_id, row.owner.organization_id, row.auth_method, row.source_id, row.role, row.account_identifier, row.display_name]
        parts += [row.client_id, brought.needs_reauthorization, brought.scopes, str(brought.expires_at), sorted(brought.config.items())]
        parts += [each.reveal() if each else None for each in (brought.access_token, brought.refresh_token, row.secret)]
        return hmac.new(self._salt.encode(), json.dumps(parts).encode(), hashlib.sha256).hexdigest()

    def is_done(self, row: Row) -> bool:
        return self.mark(row) in self._done

    def note(self, row: Row, result: str, facts: dict[str, Any], also: str | None = None) -> None:
        """One row's outcome, counted, and `also` counted. A row that failed is told, and not done."""
        told = {"row": row.where, "provider": row.slug, "user_id": row.owner.user_id, "organization_id": row.owner.organization_id, "result": result}
        with self._lock:
            self.counts.update([result] if also is None else [result, also])
            self._line(self._report, {**told, **facts})
            if result in DONE:
                self._line(self._state, {"done": self.mark(row)})

    def tell(self, facts: dict[str, Any]) -> None:
        """A line of the report that is of no row that could be read."""
        with self._lock:
            self._line(self._report, facts)

    def close(self) -> None:
        for file in (self._report, self._state):
            file.flush()
            os.fsync(file.fileno())
            file.close()

    def _line(self, file: TextIO, facts: dict[str, Any]) -> None:
        file.write(json.dumps({name: value for name, value in facts.items() if value is not None}, ensure_ascii=False) + "\n")
        file.flush()


def _append(path: Path) -> TextIO:
    try:
        file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8")
    except OSError as error:
        raise StepFailed(f"Writing {path}", str(error), "Name a place for the report: --report FILE") from None
    file.seek(0, os.SEEK_END)
    return file
