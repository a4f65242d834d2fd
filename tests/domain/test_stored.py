"""Rows become models, or a plain refusal that shows no value."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, Optional

import pytest

from chalicelib.domain.models import Connection, Registration
from chalicelib.domain.stored import DamagedRow, read
from tests.domain.samples import CANARY, NOW, connection

ROW = asdict(connection())


def test_a_row_comes_back_as_it_was() -> None:
    """Times may be text, as the table has them; lists become tuples; what a newer release added is left alone."""
    as_stored = {name: value.isoformat() if isinstance(value, datetime) else list(value) if isinstance(value, tuple) else value for name, value in ROW.items() if value is not None}

    assert read(Connection, {**as_stored, "future": 1}) == connection()


def test_nested_rows_are_read_too() -> None:
    row = {"id": "r", "slug": "acme", "client_secrets": [{"sealed": b"x", "created_at": NOW, "future": 1}], "created_at": NOW, "updated_at": NOW}

    assert read(Registration, row).client_secrets[0].sealed == b"x"


DAMAGED: dict[str, dict[str, Any]] = {
    "a word that is none of ours": {"state": CANARY},
    "text for a number": {"generation": CANARY},
    "a number for text": {"slug": 7},
    "true for a number": {"generation": True},
    "a time without a zone": {"created_at": "2026-03-01T12:00:00"},
    "no time at all": {"expires_at": CANARY},
    "text for bytes": {"sealed": CANARY},
    "a number in a list of texts": {"scopes_granted": ["read", 7]},
    "a list for a mapping": {"metadata": [CANARY]},
    "text for a list": {"scopes_granted": CANARY},
    "nothing where something must be": {"slug": None},
}


@pytest.mark.parametrize("changes", DAMAGED.values(), ids=DAMAGED)
def test_r19_a_damaged_row_is_refused_by_field_and_not_shown(changes: dict[str, Any]) -> None:
    with pytest.raises(DamagedRow) as caught:
        read(Connection, {**ROW, **changes})

    assert next(iter(changes)) in str(caught.value) and CANARY not in str(caught.value) and caught.value.__cause__ is None


def test_a_row_that_lacks_a_field_says_which() -> None:
    with pytest.raises(DamagedRow, match="slug"):
        read(Connection, {name: value for name, value in ROW.items() if name != "slug"})


def test_a_word_of_a_named_set_may_be_missing() -> None:
    """`Alias | None` of a Literal is typing's union, not the one of types."""
    Word = Literal["one", "two"]

    @dataclass(frozen=True)
    class Row:
        word: Optional[Word] = None  # noqa: UP045

    assert (read(Row, {}).word, read(Row, {"word": "two"}).word) == (None, "two")
    with pytest.raises(DamagedRow):
        read(Row, {"word": "three"})
