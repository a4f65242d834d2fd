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
from dataclasses import dataclass
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


class _Call(threading.local):
    """What the running thread's call has reached; set by the connection, read by `send`."""

    connected = False
    line: socket.socket | None = None
    address = ""


_call = _Call()


def _dial(connection: Any, make: Any) -> Any:
    line = make()
    # A second handle on the same connection: shutting it down ends reads, writes and handshakes alike, also after TLS has taken the first.
    _call.line = socket.socket(fileno=os.dup(line.fileno()))
    return line


class _PlainConnection(HTTPConnection):
    def _new_conn(self) -> Any:
        return _dial(self, super()._new_conn)

    def connect(self) -> None:
        super().connect()
        _call.connected = True


class _TlsConnection(HTTPSConnection):
    def _new_conn(self) -> Any:
        return _dial(self, super()._new_conn)

    def connect(self) -> None:
        super().connect()
        _call.connected = True


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
        literal = f"[{_call.address}]" if ":" in _call.address else _call.address
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


class ProviderHttp:
    """Sends requests to providers. Thread-safe: a call shares nothing with another but the TLS context."""

    def __init__(self, *, allowed_private_hosts: Collection[str], connect_timeout: float, deadline: float, resolver: Resolver = resolve, ca_file: str | None = None) -> None:
        self._allowed = frozenset(allowed_private_hosts)
        self._connect_timeout, self._deadline = connect_timeout, deadline
        self._resolver = resolver
        self._context = urllib3.util.create_urllib3_context()
        self._context.verify_mode = ssl.CERT_REQUIRED
        self._context.load_verify_locations(ca_file or requests.certs.where())

    def send(self, method: str, url: str, *, headers: dict[str, str], body: bytes | None = None) -> Answer:
        """One request, one answer, within the deadline. Raises ForbiddenAddress, Undelivered or AnswerLost."""
        started = time.monotonic()
        host, port, listed = check_url(url, self._allowed)
        try:
            address = pick(host, port, listed, self._resolver)
        except (OSError, UnicodeError) as error:
            raise Undelivered(f"{host} cannot be resolved ({type(error).__name__})") from None
        remaining = self._deadline - (time.monotonic() - started)
        if remaining <= 0:
            raise Undelivered(f"{host} took too long to resolve")
        _call.connected, _call.line, _call.address = False, None, address
        line_of_this_thread = _call.__dict__
        timer = threading.Timer(remaining, _hang_up, (line_of_this_thread,))
        timer.daemon = True
        timer.start()
        try:
            with requests.Session() as session:
                session.trust_env = False
                session.mount("https://", _PinnedAdapter(True, self._context, listed))
                session.mount("http://", _PinnedAdapter(False, self._context, listed))
                answer = session.request(
                    method,
                    url,
                    headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity", "Connection": "close", **headers},
                    data=body,
                    timeout=(min(self._connect_timeout, remaining), remaining),
                    allow_redirects=False,
                    stream=True,
                )
                return Answer(answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, _read(answer, started + self._deadline))
        except ForbiddenAddress:
            raise
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError, AttributeError) as error:
            # AttributeError and ValueError: what http.client makes of a connection hung up under it.
            reason = f"{host}: {type(error).__name__}"
            raise (AnswerLost if _call.connected else Undelivered)(reason) from None
        finally:
            timer.cancel()
            if _call.line is not None:
                _call.line.close()


def _hang_up(call: dict[str, Any]) -> None:
    line = call.get("line")
    if line is not None:
        try:
            line.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def _read(answer: requests.Response, deadline: float) -> bytes:
    parts, size = [], 0
    while True:
        part = answer.raw.read1(65536, decode_content=False)
        if not part:
            break
        size += len(part)
        if size > MAX_BODY:
            raise ValueError("the answer is too large")
        if time.monotonic() > deadline:
            raise ValueError("the answer took too long")
        parts.append(part)
    declared = answer.headers.get("Content-Length", "")
    if declared.isdigit() and int(declared) != size and answer.request.method != "HEAD":
        raise ValueError("the answer is cut short")
    return b"".join(parts)
