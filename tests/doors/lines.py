"""Raw servers on loopback that record what reaches them and answer byte by byte as told, with TLS from a test authority where asked.

For what an HTTP library would not send: half headers, no headers, endless ones. Whole faults of a real peer are in tests/peers.
"""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Act = Callable[["Line"], None]
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Line:
    """One accepted connection."""

    def __init__(self, sock: socket.socket, stopping: threading.Event) -> None:
        self.sock, self._stopping = sock, stopping

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def drip(self, data: bytes, interval: float = 0.05, pieces: int = 1000) -> None:
        """`data` again and again, until the other side hangs up or the test ends."""
        for _ in range(pieces):
            self.send(data)
            if self._stopping.wait(interval):
                return

    def wait(self) -> None:
        """Nothing at all until the test ends."""
        self._stopping.wait(30)

    def reset(self) -> None:
        """Ends with RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self.sock.close()


class Recorder:
    """`accepted` counts connections, `requests` holds what came over each, `names` the server names asked for by TLS."""

    def __init__(self, act: Act, tls: ssl.SSLContext | None, read_first: bool) -> None:
        self.accepted = 0
        self.requests: list[bytes] = []
        self.names: list[str | None] = []
        self._act, self._tls, self._read_first = act, tls, read_first
        self._stopping = threading.Event()
        if tls is not None:
            tls.sni_callback = lambda _sock, name, _context: self.names.append(name)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._talk, args=(sock,), daemon=True).start()

    def _talk(self, sock: socket.socket) -> None:
        with suppress(OSError):
            try:
                sock = self._tls.wrap_socket(sock, server_side=True) if self._tls else sock
                if self._read_first:
                    self.requests.append(_request(sock))
                self._act(Line(sock, self._stopping))
            finally:
                sock.close()


@contextmanager
def recorder(act: Act | bytes = OK, *, tls: ssl.SSLContext | None = None, read_first: bool = True) -> Iterator[Recorder]:
    """A server that reads one request and then does `act`, or answers the given bytes."""
    made = Recorder(act if callable(act) else lambda line: line.send(act), tls, read_first)
    try:
        yield made
    finally:
        made.stop()


def _request(sock: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        part = sock.recv(65536)
        if not part:
            return data
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    while len(body) < length:
        body += sock.recv(65536)
    return head + b"\r\n\r\n" + body


class Authority:
    """A certificate authority of a test, and the certificates it gives."""

    def __init__(self, directory: Path, name: str = "authority") -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = _certificate(f"{name}.test", self._key, f"{name}.test", self._key, is_ca=True)
        self.file = directory / f"{name}.pem"
        self.file.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def server(self, host: str, *, expired: bool = False, self_signed: bool = False) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        issuer, issuer_key = (host, key) if self_signed else ("authority.test", self._key)
        certificate = _certificate(host, key, issuer, issuer_key, is_ca=False, expired=expired)
        file = self._directory / f"{host}-{expired}-{self_signed}.pem"
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


def _certificate(host: str, key: ec.EllipticCurvePrivateKey, issuer: str, issuer_key: ec.EllipticCurvePrivateKey, *, is_ca: bool, expired: bool = False) -> x509.Certificate:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + timedelta(days=-1 if expired else 1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )
