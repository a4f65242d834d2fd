"""The front passes a request on as it was sent, against an upstream that records raw bytes."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from ops.local.front import MAX_BODY, Front
from ops.local.sandbox import free_port


class Upstream:
    """Answers every request with `answer` and keeps what it was sent, byte for byte."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        with line, line.makefile("rb") as incoming:
            while True:
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    read = incoming.readline()
                    if not read:
                        return
                    head += read
                lengths = [int(row.split(b":")[1]) for row in head.lower().split(b"\r\n") if row.startswith(b"content-length:")]
                self.seen.append(head + incoming.read(lengths[0] if lengths else 0))
                line.sendall(self.answer)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    running = Upstream()
    yield running
    running.close()


@pytest.fixture
def front(upstream: Upstream) -> Iterator[Front]:
    running = Front(0, f"http://127.0.0.1:{upstream.port}/base")
    running.start()
    yield running
    running.stop()


def exchange(front: Front, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", front.port), 5) as line:
        line.sendall(request)
        line.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: line.recv(65536), b""))


def test_the_target_goes_through_byte_for_byte(front: Front, upstream: Upstream) -> None:
    exchange(front, b"GET //a%2Fb/%2e%2e/c%20d?x=1&x=2&y=%ff&z= HTTP/1.1\r\nHost: h:1\r\n\r\n")
    assert upstream.seen[0].startswith(b"GET /base//a%2Fb/%2e%2e/c%20d?x=1&x=2&y=%ff&z= HTTP/1.1\r\n")


def test_repeated_headers_stay_repeated_and_hop_by_hop_ones_stay_behind(front: Front, upstream: Upstream) -> None:
    exchange(front, b"GET / HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nX-A: 2\r\nConnection: close, X-Mine\r\nX-Mine: 3\r\nTE: trailers\r\n\r\n")
    assert b"X-A: 1\r\nX-A: 2\r\n" in upstream.seen[0]
    assert b"X-Mine" not in upstream.seen[0] and b"TE:" not in upstream.seen[0]


def test_every_cookie_of_an_answer_arrives(front: Front, upstream: Upstream) -> None:
    upstream.answer = b"HTTP/1.1 303 See Other\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nLocation: https://x.example/?a=%20\r\nContent-Length: 0\r\n\r\n"
    answer = exchange(front, b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 303 See Other\r\n")
    assert b"Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nLocation: https://x.example/?a=%20\r\n" in answer


def test_one_connection_carries_many_requests_with_and_without_bodies(front: Front, upstream: Upstream) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", front.port, timeout=5)) as connection:
        for _ in range(2):
            connection.request("POST", "/form", body=iter([b"ab", b"cd"]), encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
            assert connection.getresponse().read() == b"ok"
            connection.request("PUT", "/empty")
            assert connection.getresponse().read() == b"ok"
    assert upstream.seen[0].endswith(b"Content-Length: 4\r\n\r\nabcd")
    assert b"Transfer-Encoding" not in upstream.seen[0]
    assert upstream.seen[1].endswith(b"Content-Length: 0\r\n\r\n")


def test_head_and_204_have_no_body(front: Front, upstream: Upstream) -> None:
    upstream.answer = b"HTTP/1.1 204 No Content\r\n\r\n"
    with closing(http.client.HTTPConnection("127.0.0.1", front.port, timeout=5)) as connection:
        for method in ("HEAD", "DELETE"):
            connection.request(method, "/")
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (204, b"")


@pytest.mark.parametrize(
    ("head", "status", "code"),
    [
        (f"Content-Length: {MAX_BODY + 1}", 413, "payload_too_large"),
        ("Content-Length: 1\r\nContent-Length: 2", 400, "invalid_request"),
        ("Content-Length: ten", 400, "invalid_request"),
        (f"Transfer-Encoding: chunked\r\n\r\n{MAX_BODY + 1:x}", 413, "payload_too_large"),
    ],
)
def test_what_is_refused_is_refused_as_json(front: Front, upstream: Upstream, head: str, status: int, code: str) -> None:
    answer = exchange(front, f"POST / HTTP/1.1\r\nHost: h\r\n{head}\r\n\r\n".encode())
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == code
    assert not upstream.seen


def test_a_target_that_is_not_a_path_is_refused(front: Front, upstream: Upstream) -> None:
    assert exchange(front, b"GET http://evil.example/ HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    assert not upstream.seen


def test_a_cloud_that_is_gone_is_a_502_with_a_sentence() -> None:
    front = Front(0, f"http://127.0.0.1:{free_port()}")
    front.start()
    answer = exchange(front, b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    front.stop()
    assert answer.startswith(b"HTTP/1.1 502 ")
    assert "embedded AWS does not answer" in json.loads(answer.partition(b"\r\n\r\n")[2])["message"]
