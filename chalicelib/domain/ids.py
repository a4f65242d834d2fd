"""Identifiers and random values. Random comes from the operating system; time is an argument."""

import hashlib
import hmac
import secrets
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ulid(now: datetime) -> str:
    """26 characters that sort by time: 48 bits of milliseconds, 80 random bits (github.com/ulid/spec)."""
    milliseconds = (now - _EPOCH) // timedelta(milliseconds=1)  # whole numbers: a float loses one now and then
    number = milliseconds << 80 | secrets.randbits(80)
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def ulid_after(now: datetime, last: str | None) -> str:
    """A ULID of `now`, or of the millisecond after `last`, whatever two clocks say: so what is written one after the other sorts so."""
    fresh = ulid(now)
    if last is None or fresh[:10] > last[:10]:
        return fresh
    return ulid(time_of(last) + timedelta(milliseconds=1))


def time_of(made: str) -> datetime:
    """When a ULID says it was made, to the millisecond. Raises ValueError."""
    milliseconds = 0
    for letter in made[:10]:
        milliseconds = milliseconds << 5 | _CROCKFORD.index(letter)
    return _EPOCH + timedelta(milliseconds=milliseconds)


def random_token() -> str:
    """256 random bits, 43 URL-safe characters: a state, a handle, a cookie, and long enough for a code_verifier (RFC 7636 4.1)."""
    return secrets.token_urlsafe(32)


def digest(value: str) -> str:
    """SHA-256 of a high-entropy value as hex, which is how such values are stored."""
    return hashlib.sha256(value.encode()).hexdigest()


def matches(unverified_value: str, stored_digest: str) -> bool:
    """Whether the value is the one whose digest was stored, in constant time."""
    return hmac.compare_digest(digest(unverified_value), stored_digest)
