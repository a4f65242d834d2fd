"""Rows read into frozen dataclasses: every field is checked against its annotation, unknown attributes are left alone.

Not pydantic, on purpose: importing it and building these models took a quarter of a fresh container's first answer, and nothing else a
token fetch runs through needs it (`make bench`). What comes from outside is still pydantic's to check.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

Stored = TypeVar("Stored")
Reader = Callable[[Any], Any]


class DamagedRow(Exception):
    """A row is not what was written here. The text names the field, never its value."""


def read(kind: type[Stored], row: Mapping[str, Any]) -> Stored:
    """The row as a `kind`. Raises DamagedRow."""
    shape: Any = kind
    readers = _readers(shape)
    values = {}
    for name, value in row.items():
        reader = readers.get(name)
        if reader is not None:
            try:
                values[name] = reader(value)
            except (TypeError, ValueError, AttributeError):
                raise DamagedRow(f"{kind.__name__}.{name} cannot be read") from None
    try:
        return kind(**values)
    except TypeError:
        raise DamagedRow(f"a {kind.__name__} lacks {', '.join(sorted(readers.keys() - values.keys()))}") from None


@cache
def _readers(kind: Any) -> dict[str, Reader]:
    return {field.name: _reader(field.type) for field in fields(kind)}


def _reader(kind: Any) -> Reader:
    """How a value of this annotation is read. Only the shapes that are stored are known."""
    origin, parts = get_origin(kind), get_args(kind)
    if kind is Any:
        return lambda value: value
    if origin in (UnionType, Union):  # typing's where a part is an alias of a Literal
        (inner,) = [part for part in parts if part is not NoneType]
        return _or_none(_reader(inner))
    if origin is Literal:
        return _one_of(parts)
    if origin is tuple:
        return _tuple_of(_reader(parts[0]))
    if origin is dict:
        return _dict_of(_reader(parts[1]))
    if kind is datetime:
        return _time
    if is_dataclass(kind):
        return _nested(kind)
    return _plain(kind)


def _plain(kind: type) -> Reader:
    def reader(value: Any) -> Any:
        if type(value) is not kind:
            raise TypeError
        return value

    return reader


def _nested(kind: Any) -> Reader:
    return lambda value: read(kind, value)


def _or_none(reader: Reader) -> Reader:
    return lambda value: None if value is None else reader(value)


def _one_of(words: tuple[str, ...]) -> Reader:
    def reader(value: Any) -> Any:
        if value not in words:
            raise ValueError
        return value

    return reader


def _tuple_of(reader: Reader) -> Reader:
    def read_parts(value: Any) -> Any:
        if not isinstance(value, list | tuple):  # a text is no list of its letters
            raise TypeError
        return tuple([reader(part) for part in value])

    return read_parts


def _dict_of(reader: Reader) -> Reader:
    return lambda value: {name: reader(part) for name, part in value.items()}


def _time(value: Any) -> datetime:
    at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    if at.tzinfo is None:
        raise ValueError
    return at
