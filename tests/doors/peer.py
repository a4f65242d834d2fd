"""A provider that says what it is told to say."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from chalicelib.doors.oauth import OAuth
from tests.doors.lines import Line, Recorder, recorder
from tests.doors.posting import client


class Peer:
    """A provider on loopback that gives the answers it was told, in order, and records the questions."""

    def __init__(self, here: Recorder) -> None:
        self._here = here
        self.origin = f"http://localhost:{here.port}"
        self.oauth = OAuth(client(deadline=5))

    @property
    def heads(self) -> list[list[str]]:
        return [request.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n") for request in self._here.requests]

    @property
    def bodies(self) -> list[bytes]:
        return [request.partition(b"\r\n\r\n")[2] for request in self._here.requests]

    def header(self, name: str, number: int = 0) -> str | None:
        return next((line.partition(": ")[2] for line in self.heads[number] if line.lower().startswith(f"{name.lower()}:")), None)


@contextmanager
def peer(*answers: tuple[int, Any] | None) -> Iterator[Peer]:
    left = list(answers)

    def act(line: Line) -> None:
        answer = left.pop(0)
        if answer is None:
            return  # hangs up
        body = answer[1] if isinstance(answer[1], bytes) else json.dumps(answer[1]).encode()
        line.send(f"HTTP/1.1 {answer[0]} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    with recorder(act) as here:
        yield Peer(here)
