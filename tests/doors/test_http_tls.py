"""R30, R33: whose server it is, and twenty calls at once."""

import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import urllib3.util.connection

from chalicelib.doors.http import AnswerLost, Undelivered
from tests.doors.lines import OK, Authority, Line, recorder
from tests.doors.posting import DEADLINE, client, post


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def test_r33_a_certificate_of_a_known_authority_for_this_name_is_accepted(authority: Authority) -> None:
    """The connection goes to an address; name, SNI and Host stay the provider's."""
    with recorder(tls=authority.server("provider.test")) as here:
        answer = post(here, client(ca_file=str(authority.file)), "https", "provider.test")

        assert (answer.status, here.names) == (200, ["provider.test"])
        assert f"Host: provider.test:{here.port}".encode() in here.requests[0]


def test_r30_a_checked_address_keeps_the_name_for_tls(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for a host nobody listed, whose public address the test leads to loopback."""
    real, dialed = urllib3.util.connection.create_connection, list[str]()
    with recorder(tls=authority.server("provider.test")) as here:
        monkeypatch.setattr(urllib3.util.connection, "create_connection", lambda address, *a, **k: (dialed.append(address[0]), real(("127.0.0.1", here.port), *a, **k))[1])
        http = client(ca_file=str(authority.file), allowed_private_hosts=(), resolver=lambda _h, _p: ["93.184.215.14"])
        answer = http.send("POST", "https://provider.test/token", headers={}, body=b"a=b")

        assert (answer.status, here.names, dialed) == (200, ["provider.test"], ["93.184.215.14"])
        assert b"Host: provider.test\r\n" in here.requests[0]


NOT_TRUSTED: dict[str, Callable[[Authority], ssl.SSLContext]] = {
    "for another name": lambda a: a.server("other.test"),
    "for a name above": lambda a: a.server("test"),
    "expired": lambda a: a.server("provider.test", expired=True),
    "self-signed": lambda a: a.server("provider.test", self_signed=True),
    "of another authority": lambda a: Authority(a.file.parent, "stranger").server("provider.test"),
}


@pytest.mark.parametrize("made", NOT_TRUSTED.values(), ids=NOT_TRUSTED)
def test_r33_any_other_certificate_is_refused_before_a_byte_is_said(made: Callable[[Authority], ssl.SSLContext], authority: Authority) -> None:
    with recorder(tls=made(authority)) as here:
        with pytest.raises(Undelivered):
            post(here, client(ca_file=str(authority.file), deadline=5), "https", "provider.test")

        assert b"canary" not in b"".join(here.requests)


def test_r33_a_test_authority_is_nobody_without_being_named(authority: Authority) -> None:
    with recorder(tls=authority.server("provider.test")) as here, pytest.raises(Undelivered):
        post(here, client(), "https", "provider.test")


def test_r33_an_old_tls_is_refused(authority: Authority) -> None:
    context = authority.server("provider.test")
    context.set_ciphers("ALL:@SECLEVEL=0")  # or the server itself would refuse to be that old
    with pytest.warns(DeprecationWarning):
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1
    with recorder(tls=context) as here, pytest.raises(Undelivered):
        post(here, client(ca_file=str(authority.file)), "https", "provider.test")


def _echo(line: Line) -> None:
    line.drip(b"", 0.05, 2)
    line.send(OK)


@pytest.fixture
def twenty() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(20) as pool:
        yield pool


def test_twenty_calls_at_once_know_each_its_own_fate(twenty: ThreadPoolExecutor, authority: Authority) -> None:
    """One client, threads used again and again: no call hangs up, answers for, or judges another."""
    http = client(ca_file=str(authority.file), deadline=5)
    with recorder(_echo, tls=authority.server("provider.test")) as good, recorder(lambda line: line.reset()) as lost, recorder() as gone:
        gone.stop()

        def call(number: int) -> str:
            here, scheme = [(good, "https"), (lost, "http"), (gone, "http")][number % 3]
            try:
                return str(post(here, http, scheme, "provider.test").status)
            except (AnswerLost, Undelivered) as error:
                return type(error).__name__

        found = list(twenty.map(call, range(120)))

    assert found == ["200", "AnswerLost", "Undelivered"] * 40


def test_twenty_slow_calls_end_together_and_leave_nothing_open(twenty: ThreadPoolExecutor) -> None:
    before = set(_open_sockets())
    with recorder(lambda line: (line.send(b"HTTP/1.1 200 OK\r\n"), line.drip(b"X-A: b\r\n"))) as here:
        http, began = client(), time.monotonic()

        def call(_number: int) -> str:
            with pytest.raises(AnswerLost):
                post(here, http)
            return "lost"

        assert list(twenty.map(call, range(20))) == ["lost"] * 20
        assert time.monotonic() - began < DEADLINE * 2.5
        ours = f"127.0.0.1:{here.port}"
        assert [end for end in _open_sockets() if end not in before and end == ours] == []


def _open_sockets() -> list[str]:
    """The far ends of this process's own connections that are still established."""
    found = []
    for fd in Path("/proc/self/fd").iterdir():
        try:
            if str(fd.readlink()).startswith("socket:"):
                with socket.socket(fileno=os.dup(int(fd.name))) as sock:
                    found.append(":".join(map(str, sock.getpeername()[:2])))
        except OSError:
            continue
    return found
