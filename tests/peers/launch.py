"""Start a peer as a child process, talk to its test routes, and play the person at the browser.

Rule: a peer is reached only over HTTP and ended only through its own Popen handle.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any
from urllib.parse import urljoin, urlsplit

import requests

from .node import ensure_node_packages, node_binary

HERE = Path(__file__).resolve().parent
START_SECONDS = 30.0
# Loopback only: a proxy of the environment must neither see nor break these requests.
NO_PROXY = {"http": "", "https": ""}


class PeerFailed(RuntimeError):
    """A peer did not start, or did not behave like a browser's counterpart."""


@dataclass(frozen=True)
class Peer:
    """One running authorization server and the one client registered there."""

    base_url: str
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    revocation_endpoint: str
    userinfo_endpoint: str
    client_id: str
    client_secret: str = field(repr=False)
    process: subprocess.Popen[str] = field(repr=False)
    log: IO[str] = field(repr=False)

    # ---- what the peer saw
    def hits(self) -> dict[str, Any]:
        """`{"counts": {"token:refresh_token": 2, "revoke": 1, ...}, "requests": [metadata, no secrets]}`."""
        seen = self._control("GET", "/__hits")["requests"]
        counts: dict[str, int] = {}
        for entry in seen:
            name = f"token:{entry['grant_type']}" if entry["role"] == "token" else entry["role"]
            counts[name] = counts.get(name, 0) + 1
        return {"counts": counts, "requests": seen}

    def token_posts(self, grant_type: str | None = None) -> int:
        """How many POSTs reached the token endpoint, of one grant type or of all."""
        seen = self.hits()["requests"]
        return sum(1 for e in seen if e["role"] == "token" and grant_type in (None, e["grant_type"]))

    def reset_hits(self) -> None:
        """Forget what was counted."""
        self._control("DELETE", "/__hits")

    # ---- what the person does
    def approve(self, authorization_url: str, user: str = "alice") -> str:
        """Log in as `user`, consent, and return the redirect to the client (which is not requested)."""
        return self._browse(authorization_url, {"X-Peer-User": user})

    def deny(self, authorization_url: str, user: str = "alice") -> str:
        """Log in as `user`, decline, and return the redirect to the client."""
        return self._browse(authorization_url, {"X-Peer-User": user, "X-Peer-Deny": "1"})

    def set_browser(self, user: str = "alice", deny: bool = False) -> None:
        """Who logs in and what they decide where no header can be sent (a real browser)."""
        self._control("POST", "/__browser", {"user": user, "deny": deny})

    def revoke_user(self, user: str) -> None:
        """The user takes all access away at the provider."""
        self._control("POST", "/__revoke_user", {"user": user})

    def expire_access_tokens(self) -> None:
        """Every access token handed out so far is over."""
        self._control("POST", "/__expire", {})

    # ---- life
    def stop(self) -> None:
        """End the process; harmless when it has ended already."""
        if self.process.stdin and not self.process.stdin.closed:
            self.process.stdin.close()
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)
        if self.process.stdout:
            self.process.stdout.close()
        self.log.close()

    def output(self) -> str:
        """The end of what the process wrote to its error stream."""
        return _tail(self.log)

    def via(self, base_url: str) -> Peer:
        """The same peer with token, revocation and userinfo endpoints reached through a proxy at `base_url`."""
        names = ("token_endpoint", "revocation_endpoint", "userinfo_endpoint")
        return replace(self, **{n: base_url + getattr(self, n).removeprefix(self.base_url) for n in names})

    def _control(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = requests.request(method, self.base_url + path, json=body, timeout=60, proxies=NO_PROXY)
        answer.raise_for_status()
        return answer.json()

    def _browse(self, url: str, headers: dict[str, str]) -> str:
        with requests.Session() as session:
            session.trust_env = False
            session.headers.update(headers)
            for _ in range(12):
                answer = session.get(url, allow_redirects=False, timeout=30)
                if answer.status_code not in (302, 303):
                    raise PeerFailed(f"no redirect but {answer.status_code}: {answer.text[:1500]}")
                # Location is bytes on the wire that requests decodes as latin-1; urljoin keeps it as it is.
                url = urljoin(url, answer.headers["Location"])
                if urlsplit(url).netloc != urlsplit(self.base_url).netloc:
                    return url
        raise PeerFailed("the peer redirects to itself without end")


def _tail(log: IO[str]) -> str:
    log.flush()
    return Path(log.name).read_text(errors="replace")[-3000:]


def _start(command: list[str], env: dict[str, str], options: dict[str, Any]) -> Peer:
    options = {"client_id": "standpipe-test", "client_secret": "test-secret", **options}
    # Closed (and so removed) by Peer.stop.
    log = tempfile.NamedTemporaryFile("w+", prefix="peer-", suffix=".log")  # noqa: SIM115
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, encoding="utf-8", env=env)
    assert process.stdin and process.stdout
    first: list[str] = []
    reader = threading.Thread(target=lambda out: first.append(out.readline()), args=(process.stdout,), daemon=True)
    reader.start()
    try:
        process.stdin.write(json.dumps(options) + "\n")
        process.stdin.flush()
    except BrokenPipeError:
        pass  # it died at once; its output says why, below
    reader.join(START_SECONDS)
    if not first or not first[0].strip():
        # An empty line means it is ending by itself: give it the time to say why, and its exit code.
        with suppress(subprocess.TimeoutExpired):
            process.wait(5 if first else 0)
        process.kill()
        process.wait(5)
        for stream in (process.stdin, process.stdout):
            with suppress(OSError):
                stream.close()
        with log:
            raise PeerFailed(f"peer {command[-1]} was not ready (exit {process.returncode}):\n{_tail(log)}")
    made = {"client_id": options["client_id"], "client_secret": options["client_secret"]}
    return Peer(**json.loads(first[0]), **made, process=process, log=log)


@contextmanager
def start_django(**options: Any) -> Iterator[Peer]:
    """django-oauth-toolkit; options are DEFAULTS of `django_server.py`."""
    package = __package__ or "peers"
    # The package may be called `peers` or `tests.peers`, as pytest was told; the child must find it by the same name.
    root = HERE.parents[package.count(".")]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])}
    peer = _start([sys.executable, "-m", f"{package}.django_server"], env, options)
    try:
        yield peer
    finally:
        peer.stop()


@contextmanager
def start_oidc(**options: Any) -> Iterator[Peer]:
    """node-oidc-provider; options are DEFAULTS of `oidc_server.mjs`."""
    ensure_node_packages()
    env = {key: value for key, value in os.environ.items() if key not in ("NODE_OPTIONS", "DEBUG")}
    peer = _start([node_binary(), str(HERE / "oidc_server.mjs")], env, options)
    try:
        yield peer
    finally:
        peer.stop()
