"""R30, R31, R33 on the wire: what a hostile, broken or slow provider can do to a call, and what the call knows of it afterwards."""

import gzip
import socket
import threading
import time
from pathlib import Path

import pytest
import urllib3.util.connection

from chalicelib.doors.http import MAX_BODY, AnswerLost, Undelivered
from tests.doors.lines import OK, Act, recorder
from tests.doors.posting import DEADLINE, client, post

CANARY = "canary-Zx81"


def head(*lines: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode()


def test_the_request_is_what_was_given_and_nothing_more() -> None:
    with recorder() as here:
        answer = post(here, path="/token?a=b%20c")

        assert (answer.status, answer.headers["content-type"], answer.body) == (200, "application/json", b"{}")
        lines = here.requests[0].split(b"\r\n")
        assert lines[0] == b"POST /token?a=b%20c HTTP/1.1"
        assert {line.split(b":")[0].lower() for line in lines[1:-2]} == {b"host", b"user-agent", b"accept-encoding", b"connection", b"content-type", b"content-length"}
        assert f"Host: localhost:{here.port}".encode() in lines and b"Accept-Encoding: identity" in lines and lines[-1] == b"client_secret=canary-Zx81"


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_r31_redirects_are_not_followed(code: int) -> None:
    """Nothing reaches the other place, least of all the client secret; the answer is given back as it is."""
    with recorder() as elsewhere:
        away = head(f"Location: http://localhost:{elsewhere.port}/", "Content-Length: 3", status=f"{code} Away") + b"bye"
        with recorder(away) as here:
            answer = post(here)

        assert (answer.status, answer.body, elsewhere.accepted) == (code, b"bye", 0)


def test_r31_a_redirects_body_is_limited_like_any_other() -> None:
    """Libraries read it to the end, and unpack it, before they look at whether to follow."""
    bomb = gzip.compress(b"a" * 20_000_000)
    with recorder(head("Location: /x", "Content-Encoding: gzip", f"Content-Length: {len(bomb)}", status="302 Away") + bomb) as here:
        assert post(here).body == bomb
    with recorder(head("Location: http://[", "Content-Length: 0", status="302 Away")) as here:
        assert post(here).status == 302


SLOW: dict[str, Act] = {
    "no answer": lambda line: line.wait(),
    "status line drips": lambda line: line.drip(b"H"),
    "headers drip": lambda line: (line.send(b"HTTP/1.1 200 OK\r\n"), line.drip(b"X-A: b\r\n")),
    "one header drips": lambda line: (line.send(b"HTTP/1.1 200 OK\r\nX-A: "), line.drip(b"b")),
    "interim answers for ever": lambda line: line.drip(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body drips under a length": lambda line: (line.send(head("Content-Length: 1000")), line.drip(b" ")),
    "body drips without a length": lambda line: (line.send(head()), line.drip(b" ")),
    "body drips in chunks": lambda line: (line.send(head("Transfer-Encoding: chunked")), line.drip(b"1\r\n \r\n")),
    "chunk size drips": lambda line: (line.send(head("Transfer-Encoding: chunked")), line.drip(b"0")),
    "trailers drip": lambda line: (line.send(head("Transfer-Encoding: chunked") + b"2\r\n{}\r\n0\r\n"), line.drip(b"X-A: b\r\n")),
    "body stops": lambda line: (line.send(head("Content-Length: 5") + b"{"), line.wait()),
}  # fmt: skip


@pytest.mark.parametrize("act", SLOW.values(), ids=SLOW)
def test_r33_a_dripping_server_is_cut_at_the_total_deadline(act: Act) -> None:
    """Each read is in time, so a timeout per read would never fire; what came so far is no answer."""
    with recorder(act) as here:
        began = time.monotonic()
        with pytest.raises(AnswerLost):
            post(here, client())

        assert DEADLINE * 0.9 < time.monotonic() - began < DEADLINE * 2


def test_r33_a_dripping_handshake_is_cut_too() -> None:
    with recorder(lambda line: line.drip(b"\x16"), read_first=False) as here:
        began = time.monotonic()
        with pytest.raises(Undelivered):
            post(here, client(), "https")

        assert time.monotonic() - began < DEADLINE * 2


def test_r33_a_resolver_that_hangs_is_not_waited_for() -> None:
    """The system's own limits are longer than a lease."""
    never = threading.Event()
    began = time.monotonic()
    with pytest.raises(Undelivered):
        client(resolver=lambda _h, _p: [str(never.wait(20))]).send("GET", "http://localhost/", headers={})

    never.set()
    assert time.monotonic() - began < DEADLINE * 2


def test_r33_a_connection_opened_when_time_was_up_carries_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The alarm may ring while there is no connection yet to hang up."""
    real = urllib3.util.connection.create_connection
    with recorder() as here:
        monkeypatch.setattr(urllib3.util.connection, "create_connection", lambda *a, **k: (threading.Event().wait(0.4), real(*a, **k))[1])
        with pytest.raises((Undelivered, AnswerLost)):
            post(here, client(deadline=0.2))

        assert b"canary" not in b"".join(here.requests)


TOO_LARGE: dict[str, Act] = {
    "with a length": lambda line: line.send(head("Content-Length: 10000000") + b" " * 10_000_000),
    "without a length": lambda line: line.send(head() + b" " * 10_000_000),
    "in chunks": lambda line: (line.send(head("Transfer-Encoding: chunked")), [line.send(b"10000\r\n" + b" " * 65536 + b"\r\n") for _ in range(150)]),
    "one byte more than allowed": lambda line: line.send(head(f"Content-Length: {MAX_BODY + 1}") + b" " * (MAX_BODY + 1)),
    "a header without end": lambda line: line.send(b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 10_000_000),
    "headers without end": lambda line: line.send(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 1_000_000),
}


@pytest.mark.parametrize("act", TOO_LARGE.values(), ids=TOO_LARGE)
def test_r33_an_answer_that_is_too_large_is_not_read(act: Act) -> None:
    with recorder(act) as here, pytest.raises(AnswerLost):
        post(here)


def test_r33_the_largest_answer_allowed_is_read() -> None:
    with recorder(head(f"Content-Length: {MAX_BODY}") + b" " * MAX_BODY) as here:
        assert len(post(here).body) == MAX_BODY


def test_r33_nothing_is_unpacked() -> None:
    bomb = gzip.compress(b"a" * 50_000_000)
    with recorder(head("Content-Encoding: gzip", f"Content-Length: {len(bomb)}") + bomb) as here:
        assert post(here).body == bomb


def test_r33_cookies_are_not_kept() -> None:
    with recorder(head("Set-Cookie: session=x; Path=/", "Content-Length: 2") + b"{}") as here:
        http = client()
        post(here, http)
        post(here, http)

        assert b"cookie" not in b"".join(here.requests).lower()


def test_r33_the_environment_chooses_neither_proxy_nor_authority_nor_login(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("machine localhost login canary password canary")
    with recorder() as proxy, recorder() as here:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
        post(here)

        assert (proxy.accepted, here.accepted) == (0, 1)
        assert b"authorization" not in here.requests[0].lower()


# what the server does -> may the request have reached it?
NO_ANSWER: dict[str, tuple[Act, type[Exception]]] = {
    "reset after the request": (lambda line: line.reset(), AnswerLost),
    "closed without an answer": (lambda line: None, AnswerLost),
    "not HTTP": (lambda line: line.send(b"SSH-2.0-OpenSSH\r\n"), AnswerLost),
    "status line cut": (lambda line: line.send(b"HTTP/1.1 20"), AnswerLost),
    "cut after the status line": (lambda line: line.send(b"HTTP/1.1 400 Bad Request\r\n"), AnswerLost),
    "cut in a header": (lambda line: line.send(b"HTTP/1.1 401 No\r\nContent-Le"), AnswerLost),
    "cut before the body": (lambda line: line.send(head("Content-Length: 2")), AnswerLost),
    "cut in the body": (lambda line: line.send(head("Content-Length: 20") + b'{"access'), AnswerLost),
    "cut between chunks": (lambda line: line.send(head("Transfer-Encoding: chunked") + b"2\r\n{}\r\n"), AnswerLost),
    "cut in a chunk": (lambda line: line.send(head("Transfer-Encoding: chunked") + b"ff\r\n{}"), AnswerLost),
    "a chunk size of nonsense": (lambda line: line.send(head("Transfer-Encoding: chunked") + b"zz\r\n{}\r\n"), AnswerLost),
    "a length of nonsense and no body": (lambda line: line.send(head("Content-Length: -1", "Transfer-Encoding: chunked")), AnswerLost),
}  # fmt: skip


@pytest.mark.parametrize(("act", "expected"), NO_ANSWER.values(), ids=NO_ANSWER)
def test_a_request_that_may_have_arrived_is_in_doubt(act: Act, expected: type[Exception]) -> None:
    with recorder(act) as here, pytest.raises(expected) as caught:
        post(here)

    assert CANARY not in str(caught.value) and here.accepted == 1


WHOLE = {
    "204": (head(status="204 No Content"), (204, b"")),
    "204 that claims a length": (head("Content-Length: 5", status="204 No Content"), (204, b"")),
    "empty, and says so": (head("Content-Length: 0", status="400 Bad Request"), (400, b"")),
    "ended by the connection": (head() + b"{}", (200, b"{}")),
    "chunked": (head("Transfer-Encoding: chunked") + b"1\r\n{\r\n1;x=y\r\n}\r\n0\r\nX-T: 1\r\n\r\n", (200, b"{}")),
    "empty and chunked": (head("Transfer-Encoding: chunked") + b"0\r\n\r\n", (200, b"")),
    "after an interim answer": (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, (200, b"{}")),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\n\r\n{}", (200, b"{}")),
    "more than promised": (head("Content-Length: 2") + b"{}<html>", (200, b"{}")),
}


@pytest.mark.parametrize(("data", "expected"), WHOLE.values(), ids=WHOLE)
def test_a_whole_answer_is_read_whole(data: bytes, expected: tuple[int, bytes]) -> None:
    with recorder(data) as here:
        answer = post(here)

    assert (answer.status, answer.body) == expected


def test_a_refused_connection_is_undelivered() -> None:
    with recorder() as here:
        pass

    with pytest.raises(Undelivered):
        post(here)


def test_a_connection_that_never_opens_is_undelivered() -> None:
    """A full backlog: no answer to the first packet."""
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    waiting = [socket.socket() for _ in range(3)]
    for each in waiting:
        each.setblocking(False)
        each.connect_ex(full.getsockname())
    began = time.monotonic()
    with pytest.raises(Undelivered):
        client(connect_timeout=0.3, deadline=5).send("GET", f"http://localhost:{full.getsockname()[1]}/", headers={})

    assert time.monotonic() - began < 2
    for each in (*waiting, full):
        each.close()


@pytest.mark.parametrize("headers", [{"Authorization": "Bearer a\r\nX: y"}, {"Authorization": "Bearer a\nb"}, {"A\r\nB": "c"}], ids=["CRLF", "LF", "in the name"])
def test_a_token_cannot_add_a_header(headers: dict[str, str]) -> None:
    with recorder() as here, pytest.raises(Undelivered) as caught:
        client().send("GET", f"http://localhost:{here.port}/", headers=headers)

    assert here.requests == [] and "Bearer" not in str(caught.value)
