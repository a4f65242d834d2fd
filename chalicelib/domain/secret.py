"""A string that cannot be shown by accident. Every token, client secret, code and verifier is one from the moment it enters."""

from typing import Any, NoReturn


class Secret:
    """Holds a secret string; only `reveal` gives it back.

    `repr`, `str` and f-strings show a mask; JSON and pickle refuse it. Equality is by identity on purpose:
    secrets are compared as hashes with `hmac.compare_digest`, never with `==`.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        if not isinstance(value, str):
            raise TypeError("a Secret holds a str")
        self._value = value

    def reveal(self) -> str:
        """The secret itself; call it only where it is sealed, sent to its provider or answered to its owner."""
        return self._value

    def last_four(self) -> str:
        """What an administrator may see; nothing of a secret too short to hide the rest."""
        return self._value[-4:] if len(self._value) >= 12 else ""

    @property
    def is_blank(self) -> bool:
        return not self._value.strip()

    def is_longer_than(self, characters: int) -> bool:
        return len(self._value) > characters

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled")

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> Any:
        from pydantic_core import core_schema

        def refuse(_value: Any) -> NoReturn:
            raise TypeError("a Secret cannot be serialized")

        return core_schema.no_info_wrap_validator_function(
            lambda value, read: value if isinstance(value, cls) else cls(read(value)),
            core_schema.str_schema(max_length=65536),
            serialization=core_schema.plain_serializer_function_ser_schema(refuse),
        )
