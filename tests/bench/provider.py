"""A provider that answers a token request after 200 ms: `python -m tests.bench.provider`, in a process of its own, so that its CPU is nobody's.

It keeps books: how often it was asked, how many of its refresh tokens were spent twice, and how many requests were open at a time.
Each grant's refresh token works once.
"""

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs
from urllib.request import urlopen

from tests.cloud import ROOT

SECONDS = 0.2
LIFE = 3600
PADDING = "x" * 200  # tokens as long as Google's


def tokens_of(grant: str, number: int) -> dict[str, Any]:
    """The `number`-th pair of tokens of a grant."""
    return {"access_token": f"ya29.{PADDING}{grant}.{number}", "refresh_token": f"1//{PADDING[:80]}.{grant}.{number}", "token_type": "Bearer", "expires_in": LIFE}


@dataclass
class _Books:
    spent: dict[str, int] = field(default_factory=dict)
    asked: int = 0
    refused: int = 0
    spans: list[tuple[float, float]] = field(default_factory=list)

    def answer(self, refresh_token: str) -> tuple[int, dict[str, Any]]:
        self.asked += 1
        _start, grant, number = refresh_token.rsplit(".", 2)
        if self.spent.get(grant, 0) >= int(number):
            self.refused += 1
            return 400, {"error": "invalid_grant"}
        self.spent[grant] = int(number)
        return 200, tokens_of(grant, int(number) + 1)

    def closed(self) -> dict[str, Any]:
        """What was counted since the last time."""
        spans, self.spans = self.spans, []
        told = {"asked": self.asked, "refused": self.refused, "spans": spans}
        self.asked = self.refused = 0
        return told


async def _serve(books: _Books, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    arrived = time.monotonic()
    if head.startswith("GET"):
        status, answer = 200, books.closed()
    else:
        (length,) = [int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-length")]
        form = parse_qs((await reader.readexactly(length)).decode())
        status, answer = books.answer(form["refresh_token"][0])
        await asyncio.sleep(SECONDS)
        books.spans.append((arrived, time.monotonic()))
    body = json.dumps(answer).encode()
    writer.write(f"HTTP/1.1 {status} Any\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
    await writer.drain()
    writer.close()


async def _main() -> None:
    books = _Books()
    server = await asyncio.start_server(lambda reader, writer: _serve(books, reader, writer), "127.0.0.1", 0, backlog=128)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class SlowProvider:
    """The process, for as long as the block lasts."""

    def __enter__(self) -> "SlowProvider":
        self._process = subprocess.Popen([sys.executable, "-m", "tests.bench.provider"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        return self

    def __exit__(self, *_: Any) -> None:
        self._process.terminate()
        self._process.wait(10)

    def books(self) -> dict[str, Any]:
        """What it counted since the last time it was asked this."""
        with urlopen(f"{self.url}/books", timeout=10) as answer:
            told: dict[str, Any] = json.load(answer)
        return told


if __name__ == "__main__":
    asyncio.run(_main())
