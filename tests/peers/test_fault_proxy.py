"""Proof of the fault proxy: each fault as a caller meets it, and whether the peer was reached.

Rule: the upstream here is a counter of ten lines, so that a failure is the proxy's.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from . import faults
from .fault_proxy import FaultProxy


class Upstream:
    """Answers {"n": count, "path": ..., "sent": ...} and counts."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.seen.append((self.path, self.headers.get("Authorization", ""), body))
                text = json.dumps({"n": len(outer.seen), "path": self.path, "sent": body.decode()}).encode()
                self.send_response(201)
                self.send_header("Content-Length", str(len(text)))
                self.send_header("X-Kept", "yes")
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base_url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    up = Upstream()
    yield up
    up.server.shutdown()
    up.server.server_close()


@pytest.fixture
def proxy(upstream: Upstream) -> Iterator[FaultProxy]:
    with FaultProxy(upstream.base_url) as made:
        yield made


def ask(proxy: FaultProxy, path: str = "/o/token/?q=1", **options: Any) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        options = {"data": "a=b%20c", "timeout": 10, "allow_redirects": False, **options}
        return session.post(proxy.base_url + path, headers={"Authorization": "Basic x"}, **options)


def test_passes_and_records(proxy: FaultProxy, upstream: Upstream) -> None:
    got = ask(proxy)
    assert (got.status_code, got.headers["X-Kept"]) == (201, "yes")
    assert got.json() == {"n": 1, "path": "/o/token/?q=1", "sent": "a=b%20c"}
    assert upstream.seen == [("/o/token/?q=1", "Basic x", b"a=b%20c")]
    (record,) = proxy.requests
    assert (record.path, record.query, record.form(), record.fault) == ("/o/token/", "q=1", {"a": ["b c"]}, None)
    assert record.forwarded and record.status == 201 and "Basic" not in repr(record)


@pytest.mark.parametrize(("fault", "reached"), [(faults.drop_request(), 0), (faults.lose_answer(), 1), (faults.truncate(), 1)])
def test_no_complete_answer(proxy: FaultProxy, upstream: Upstream, fault: faults.Fault, reached: int) -> None:
    proxy.add("/token/", fault)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        ask(proxy)
    assert len(upstream.seen) == reached == proxy.count("/token/", forwarded=True)
    assert proxy.pending() == 0
    assert ask(proxy).status_code == 201


def test_truncate_sends_half_under_the_full_length(proxy: FaultProxy) -> None:
    proxy.add("/token/", faults.truncate())
    got = ask(proxy, stream=True)
    body = got.raw._fp.fp.read()  # past the library's length check, as the bytes came
    assert got.status_code == 201 and len(body) == int(got.headers["Content-Length"]) // 2


def test_drip_outlives_a_read_timeout_and_stops_with_the_proxy(upstream: Upstream) -> None:
    with FaultProxy(upstream.base_url) as proxy:
        proxy.add("/token/", faults.drip(0.3))
        began = time.monotonic()
        # Each read is in time, so a per-read timeout alone never fires.
        got = ask(proxy, stream=True, timeout=0.8)
        parts = got.iter_content(1)
        taken = [next(parts) for _ in range(5)]
        assert b"".join(taken) == b'{"n":' and time.monotonic() - began > 1.0
        got.close()


def test_status_with_body_and_headers(proxy: FaultProxy, upstream: Upstream) -> None:
    proxy.add("/token/", faults.status(429, {"error": "slow_down"}, {"Retry-After": "7"}))
    got = ask(proxy)
    assert (got.status_code, got.json(), got.headers["Retry-After"]) == (429, {"error": "slow_down"}, "7")
    assert upstream.seen == []
    proxy.add("/token/", faults.status(502, "bad gateway", forward=True))
    assert ask(proxy).status_code == 502 and len(upstream.seen) == 1


def test_delay_before_and_in_front_of_another(proxy: FaultProxy) -> None:
    proxy.add("/token/", faults.delay(0.3), faults.delay(0.3, faults.status(503)))
    began = time.monotonic()
    assert [ask(proxy).status_code, ask(proxy).status_code] == [201, 503]
    assert time.monotonic() - began > 0.6


def test_rewrite_redirect_not_json_empty(proxy: FaultProxy, upstream: Upstream) -> None:
    proxy.add("/token/", faults.rewrite(lambda body: {**body, "scope": "read"}))
    assert ask(proxy).json() == {"n": 1, "path": "/o/token/?q=1", "sent": "a=b%20c", "scope": "read"}
    proxy.add("/token/", faults.redirect("http://169.254.169.254/"), faults.not_json(), faults.empty(204))
    got = ask(proxy)
    assert (got.status_code, got.headers["Location"]) == (307, "http://169.254.169.254/")
    assert "<html>" in ask(proxy).text
    got = ask(proxy)
    assert (got.status_code, got.content) == (204, b"")
    assert len(upstream.seen) == 1


def test_huge_and_gzip_bomb(proxy: FaultProxy) -> None:
    proxy.add("/token/", faults.huge(1_000_000), faults.gzip_bomb(5_000_000))
    got = ask(proxy)
    assert len(got.json()["access_token"]) == 1_000_000
    got = ask(proxy)
    assert int(got.headers["Content-Length"]) < 20_000 and len(got.content) > 5_000_000


def test_hold_keeps_the_answer_until_the_gate_opens(proxy: FaultProxy, upstream: Upstream) -> None:
    gate, got = faults.Gate(), []
    proxy.add("/token/", faults.hold(gate))
    caller = threading.Thread(target=lambda: got.append(ask(proxy).status_code))
    caller.start()
    assert gate.reached.wait(5) and len(upstream.seen) == 1 and got == []
    gate.open()
    caller.join(5)
    assert got == [201]


def test_queue_matches_suffix_and_method_in_order(proxy: FaultProxy) -> None:
    proxy.add("/revoke/", faults.status(500))
    proxy.add("/token/", faults.ok(), faults.status(501), method="POST")
    proxy.add("/token/", faults.status(502), method="GET")
    codes = [ask(proxy).status_code, ask(proxy).status_code, ask(proxy).status_code]
    assert codes == [201, 501, 201] and proxy.pending() == 2
    assert ask(proxy, "/revoke/").status_code == 500
    proxy.clear()
    assert proxy.pending() == 0


def test_chooser_decides_when_the_queue_is_empty(upstream: Upstream) -> None:
    with FaultProxy(upstream.base_url, lambda r: faults.status(418) if r.path == "/tea" else None) as proxy:
        assert [ask(proxy, "/tea").status_code, ask(proxy, "/token").status_code] == [418, 201]


def test_peer_gone_is_an_ended_connection(upstream: Upstream) -> None:
    upstream.server.shutdown()
    upstream.server.server_close()
    with FaultProxy(upstream.base_url) as proxy, pytest.raises(requests.ConnectionError):
        ask(proxy)
