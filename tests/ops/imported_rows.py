"""Rows as each system's file says them, read without a stage."""

import io
import json
from typing import Any

from ops.migration import reading, sources
from ops.migration.rows import BadRow, Row, row_of
from tests.ops.migrations import CANARY


def read(text: str, format: str = "json", **slugs: str) -> list[Row | BadRow]:
    rows: list[Row | BadRow] = []
    for where, entry in reading.entries(io.StringIO(text, newline=""), format):
        try:
            if isinstance(entry, BadRow):
                raise entry
            rows.append(row_of(where, sources.FORMATS[format](where, entry), slugs))
        except BadRow as bad:
            rows.append(bad)
    return rows


def good(text: str | dict[str, Any], format: str = "json", **slugs: str) -> Row:
    (row,) = read(text if isinstance(text, str) else json.dumps(text), format, **slugs)
    assert isinstance(row, Row), row
    return row


def bad(text: str | dict[str, Any], format: str = "json") -> str:
    rows = read(text if isinstance(text, str) else json.dumps(text), format)
    assert isinstance(rows[-1], BadRow), rows[-1]
    assert CANARY not in str(rows[-1])
    return str(rows[-1])


def revealed(row: Row) -> tuple[str | None, str | None]:
    return tuple(each.reveal() if each else None for each in (row.brought.access_token, row.brought.refresh_token))  # type: ignore[return-value]
