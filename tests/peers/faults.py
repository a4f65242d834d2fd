"""Faults a `FaultProxy` can commit on one request, as small values.

Rule: a fault says for itself whether the peer got to see the request; that is what decides if a token was spent.
"""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Answer:
    """A complete HTTP answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes = field(repr=False)


class Exchange(Protocol):
    """One request in the proxy's hands."""

    def forward(self) -> Answer:
        """Let the peer answer (and spend what there is to spend)."""

    def send(self, answer: Answer) -> None:
        """Answer in full."""

    def head(self, answer: Answer, length: int | None) -> None:
        """Only status and headers, promising `length` bytes (None: until the connection ends)."""

    def write(self, data: bytes) -> None:
        """Some bytes of a body."""

    def close(self) -> None:
        """End the connection after this."""

    def sleep(self, seconds: float) -> bool:
        """Wait; False if the proxy is being stopped."""


@dataclass(frozen=True)
class Fault:
    """A named way to treat one request."""

    name: str
    act: Callable[[Exchange], None] = field(repr=False)


def _json(body: Any) -> bytes:
    return body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()


def ok() -> Fault:
    """No fault: lets one matching request through, to place the next fault behind it."""
    return Fault("ok", lambda x: x.send(x.forward()))


def drop_request() -> Fault:
    """Undelivered: the connection ends before the peer hears of it."""
    return Fault("drop_request", lambda x: x.close())


def lose_answer() -> Fault:
    """The peer did its work; the caller never learns."""

    def act(x: Exchange) -> None:
        x.forward()
        x.close()

    return Fault("lose_answer", act)


def truncate() -> Fault:
    """The peer did its work; half of the body arrives under the full length."""

    def act(x: Exchange) -> None:
        answer = x.forward()
        x.head(answer, len(answer.body))
        x.write(answer.body[: len(answer.body) // 2])
        x.close()

    return Fault("truncate", act)


def drip(interval: float = 1.0) -> Fault:
    """The peer did its work; its body comes byte by byte."""

    def act(x: Exchange) -> None:
        answer = x.forward()
        x.head(answer, len(answer.body))
        for value in answer.body:
            x.write(bytes([value]))
            if not x.sleep(interval):
                break
        x.close()

    return Fault("drip", act)


def status(code: int, body: Any = b"", headers: Mapping[str, str] | None = None, *, forward: bool = False) -> Fault:
    """An answer of ours; with `forward` the peer did its work first (a gateway's 502 after the fact)."""

    def act(x: Exchange) -> None:
        if forward:
            x.forward()
        kind = [] if isinstance(body, bytes | str) else [("Content-Type", "application/json")]
        x.send(Answer(code, [*kind, *(headers or {}).items()], _json(body)))

    return Fault(f"status({code})", act)


def delay(seconds: float, then: Fault | None = None) -> Fault:
    """Wait, then forward, or commit `then`."""

    def act(x: Exchange) -> None:
        if x.sleep(seconds):
            (then or ok()).act(x)
        else:
            x.close()

    return Fault(f"delay({seconds})", act)


def rewrite(change: Callable[[Any], Any]) -> Fault:
    """The peer's JSON, changed on its way."""

    def act(x: Exchange) -> None:
        answer = x.forward()
        x.send(Answer(answer.status, answer.headers, _json(change(json.loads(answer.body)))))

    return Fault("rewrite", act)


def redirect(location: str, code: int = 307) -> Fault:
    """Ask the caller to take its secrets elsewhere."""
    return Fault("redirect", lambda x: x.send(Answer(code, [("Location", location)], b"")))


def huge(size: int) -> Fault:
    """Valid JSON with one token of about `size` bytes, streamed without a length."""

    def act(x: Exchange) -> None:
        x.head(Answer(200, [("Content-Type", "application/json")], b""), None)
        x.write(b'{"token_type":"Bearer","access_token":"')
        left = size
        while left > 0:
            x.write(b"a" * min(left, 65536))
            left -= 65536
        x.write(b'"}')
        x.close()

    return Fault(f"huge({size})", act)


def gzip_bomb(size: int = 50_000_000) -> Fault:
    """A few kilobytes that unpack to `size` bytes of JSON."""

    def act(x: Exchange) -> None:
        packed = gzip.compress(b'{"access_token":"' + b"a" * size + b'"}', compresslevel=6)
        x.send(Answer(200, [("Content-Type", "application/json"), ("Content-Encoding", "gzip")], packed))

    return Fault(f"gzip_bomb({size})", act)


def not_json() -> Fault:
    """200 with a page, as a captive portal or a maintenance page does."""
    return Fault("not_json", status(200, b"<html><body>down</body></html>", {"Content-Type": "text/html"}).act)


def empty(code: int = 200) -> Fault:
    """No body at all."""
    return Fault(f"empty({code})", status(code).act)


class Gate:
    """Holds requests until a test lets them go: `reached` tells that one is waiting, `open()` frees all."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._free = threading.Event()

    def open(self) -> None:
        """Let them go."""
        self._free.set()

    def wait(self, x: Exchange) -> bool:
        """Wait for `open`, in steps so that a stopping proxy is not held up."""
        self.reached.set()
        ends = time.monotonic() + 60
        while not self._free.wait(0.02):
            if time.monotonic() > ends or not x.sleep(0):
                return False
        return True


def hold(gate: Gate, *, forward_first: bool = True) -> Fault:
    """Stop at the gate with the peer's answer in hand, or (not `forward_first`) before the peer hears of it."""

    def act(x: Exchange) -> None:
        answer = x.forward() if forward_first else None
        if not gate.wait(x):
            return x.close()
        return x.send(answer or x.forward())

    return Fault("hold", act)
