"""The one guarded HTTP client for everything that goes to a provider.

https only, the name resolved once and every address checked, the connection made to the checked address; no redirects, cookies,
proxies or decompression; connect, total and size limits. A call knows whether its request may have reached the provider, because a
refresh token that may have been spent is handled differently from one that certainly was not.
"""

import os
import socket
import ssl
import threading
import time
from collections.abc import Collection
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests_hardened.ip_filter_adapter import IPFilterAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from chalicelib.doors.addresses import ForbiddenAddress, Resolver, check_url, pick, resolve

MAX_BODY = 256 * 1024
USER_AGENT = "standpipe"


class Undelivered(Exception):
    """The request certainly did not reach the provider."""


class AnswerLost(Exception):
    """The request may have reached the provider, and no whole answer came back."""


@dataclass(frozen=True)
class Answer:
    """A complete answer. `headers` names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class _Call:
    """One call, as far as it got. Its connection finds it through the thread both run in."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.connected = False
        self.is_over = False
        self._line: socket.socket | None = None
        self._lock = threading.Lock()

    def dialed(self, line: socket.socket) -> None:
        with self._lock:
            # A second handle on the same connection: shutting it down ends reads, writes and handshakes alike, also after TLS has taken the first.
            self._line = socket.socket(fileno=os.dup(line.fileno()))
        if self.is_over:
            self.hang_up()

    def hang_up(self) -> None:
        """The time is up, in whatever part of the call: nothing is sent or read after this."""
        self.is_over = True
        with self._lock:
            if self._line is not None:
                with suppress(OSError):
                    self._line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with self._lock:
            if self._line is not None:
                self._line.close()
                self._line = None


class _Running(threading.local):
    call: _Call


_running = _Running()


class _Watched:
    """Tells the running call how far its connection got; mixed into both kinds."""

    def _new_conn(self) -> Any:
        line = super()._new_conn()  # type: ignore[misc]
        _running.call.dialed(line)
        return line

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        _running.call.connected = True


class _PlainConnection(_Watched, HTTPConnection):
    pass


class _TlsConnection(_Watched, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _PinnedAdapter(IPFilterAdapter):
    """requests-hardened's adapter, given the address that was already checked.

    It looks at one address of a name only, so the name is resolved and every address checked before; handed the address instead of the
    name it makes no look-up of its own, checks that address by its own table as well, and keeps the name for SNI and the certificate.
    """

    def __init__(self, tls: bool, context: ssl.SSLContext, listed: bool) -> None:
        self._context, self._listed = context, listed
        super().__init__(is_https_proto=tls)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Nothing: the shared context verifies, and loading the bundle again for every connection costs more than the call."""

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        name = urllib3.util.parse_url(request.url)
        numeric = request.copy()
        address = _running.call.address
        literal = f"[{address}]" if ":" in address else address
        numeric.url = name._replace(host=literal).url
        if self._listed:
            host_params, pool_kwargs = HTTPAdapter.build_connection_pool_key_attributes(self, numeric, verify, cert)
        else:
            host_params, pool_kwargs = super().build_connection_pool_key_attributes(numeric, verify, cert)
        request.headers["Host"] = name.netloc
        for unused in ("ca_certs", "ca_cert_dir", "cert_reqs"):
            pool_kwargs.pop(unused, None)
        if host_params["scheme"] == "https":
            pool_kwargs |= {"ssl_context": self._context, "assert_hostname": name.host, "server_hostname": name.host}
        return host_params, pool_kwargs


@cache
def _tls_context(ca_file: str) -> ssl.SSLContext:
    """Read once a process: parsing all authorities takes 30 ms."""
    context = urllib3.util.create_urllib3_context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(ca_file)
    return context


class ProviderHttp:
    """Sends requests to providers. Thread-safe: a call shares nothing with another but the TLS context."""

    def __init__(self, *, allowed_private_hosts: Collection[str], connect_timeout: float, deadline: float, resolver: Resolver = resolve, ca_file: str | None = None) -> None:
        self._allowed = frozenset(allowed_private_hosts)
        self._connect_timeout, self._deadline = connect_timeout, deadline
        self._resolver = resolver
        self._context = _tls_context(ca_file or requests.certs.where())

    def send(self, method: str, url: str, *, headers: dict[str, str], body: bytes | None = None, reads_body: bool = True) -> Answer:
        """One request, one answer, within the deadline. Raises ForbiddenAddress, Undelivered or AnswerLost.

        Without `reads_body` the answer is its status and headers: for who wants to know no more, and must not take a body that is
        large or cut short for no answer.
        """
        started = time.monotonic()
        host, port, listed = check_url(url, self._allowed)
        address = _look_up(host, port, listed, self._resolver, min(self._connect_timeout, self._deadline))
        remaining = self._deadline - (time.monotonic() - started)
        call = _running.call = _Call(address)
        timer = threading.Timer(remaining, call.hang_up)
        timer.daemon = True
        timer.start()
        try:
            request = requests.Request(method, url, headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity", "Connection": "close", **headers}, data=body).prepare()
            # The adapter by itself: a session would add cookies, proxies, .netrc, and read a redirect's body to look where it leads.
            with ExitStack() as stack:
                adapter = stack.enter_context(closing(_PinnedAdapter(url.lower().startswith("https:"), self._context, listed)))
                answer = stack.enter_context(closing(adapter.send(request, stream=True, timeout=(min(self._connect_timeout, remaining), remaining))))
                return Answer(answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, _read(answer, call) if reads_body else b"")
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError, AttributeError) as error:
            # AttributeError and ValueError: what http.client makes of a connection hung up under it.
            reason = f"{host}: {'out of time' if call.is_over else type(error).__name__}"
            raise (AnswerLost if call.connected else Undelivered)(reason) from None
        finally:
            timer.cancel()
            call.close()


def _look_up(host: str, port: int, listed: bool, resolver: Resolver, seconds: float) -> str:
    """`pick`, but not for longer than a connection may take: the system's resolver has limits of its own, and they may outlast a lease."""
    found: list[str | ForbiddenAddress | OSError | ValueError] = []

    def look_up() -> None:
        try:
            found.append(pick(host, port, listed, resolver))
        except (ForbiddenAddress, OSError, ValueError) as error:
            found.append(error)

    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(seconds)
    match found:
        case [str(address)]:
            return address
        case [ForbiddenAddress() as error]:
            raise error
        case [Exception() as error]:
            raise Undelivered(f"{host} cannot be resolved ({type(error).__name__})") from None
    raise Undelivered(f"{host} took too long to resolve")


def _read(answer: requests.Response, call: _Call) -> bytes:
    parts, size = [], 0
    while part := answer.raw.read1(65536, decode_content=False):
        size += len(part)
        if size > MAX_BODY:
            raise ValueError("the answer is too large")
        parts.append(part)
    if call.is_over:
        raise ValueError("the answer took too long")
    bodiless = answer.status_code in (204, 304)
    declared = answer.headers.get("Content-Length", "")
    if declared.isdigit() and int(declared) != size and not bodiless:
        raise ValueError("the answer is cut short")
    if not (declared or parts or bodiless or "Transfer-Encoding" in answer.headers):
        # Nothing says where the answer ends but the end of the connection, and that came before any of it: as likely in the middle of the headers.
        raise ValueError("the answer ends before its body")
    return b"".join(parts)
