"""What the sweep asks the workers to look at: keys of connections of one provider. Ids only; a worker reads each row again before it does anything."""

from dataclasses import dataclass
from typing import Any

from chalicelib.doors.keys import Key
from chalicelib.engine.keeping import UnknownMessage

VERSION = 1
KEYS = 20  # a message of these is two rounds of a worker's threads, well within its time even if every call takes all of its own


@dataclass(frozen=True)
class RefreshMessage:
    """`generation`: refresh although nothing is due, unless the connection has moved on from this one (an operator asks for it). `turned_away`:
    how often it found no free place."""

    slug: str
    keys: tuple[Key, ...]
    generation: int | None = None
    turned_away: int = 0

    def body(self) -> dict[str, Any]:
        given: dict[str, Any] = {"generation": self.generation} if self.generation is not None else {}
        given |= {"turned_away": self.turned_away} if self.turned_away else {}
        return {"v": VERSION, "provider": self.slug, "keys": [[key["pk"], key["sk"]] for key in self.keys], **given}


def read(body: Any) -> RefreshMessage:
    """Raises UnknownMessage."""
    try:
        if body["v"] != VERSION:
            raise ValueError("another version")
        found = tuple({"pk": str(pk), "sk": str(sk)} for pk, sk in body["keys"])
        generation = body.get("generation")
        if not all(key["pk"].startswith("owner#") and key["sk"].startswith("connection#") for key in found):
            raise ValueError("not a connection")
        return RefreshMessage(str(body["provider"]), found, None if generation is None else int(generation), int(body.get("turned_away", 0)))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnknownMessage(f"a refresh message that cannot be read ({type(error).__name__})") from None
