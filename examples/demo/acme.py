"""Acme, a small product that embeds Standpipe's widget: its server, with pages, sessions, and the three calls its script makes.

python examples/demo/acme.py        (beside `make run`; Ctrl-C ends it)

Rules: what matters for Standpipe is in connections.py; whoever asks is who the session says; what changes something needs the session's own
token; every text is escaped where it enters a page; it listens on this machine only.
"""

import argparse
import hmac
import json
import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from http import cookies
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from string import Template
from urllib.parse import parse_qs, urlsplit

import requests
from botocore.exceptions import BotoCoreError, ClientError
from connections import Connections, NoAccess
from events import Feed, Subscription, in_words
from workos import WorkOSError

HERE = Path(__file__).resolve().parent
ENVIRONMENT = HERE.parents[1] / ".local" / "standpipe.env"
NEEDED = ("STANDPIPE_URL", "STANDPIPE_API_KEY", "STANDPIPE_TOPIC_ARN")
FILES = {"/acme.css": "text/css", "/acme.js": "text/javascript", "/icon.svg": "image/svg+xml"}
MAX_BODY = 4096
MAX_SESSIONS = 1000
POLICY = (
    "default-src 'none'; script-src 'self' {standpipe}; connect-src 'self' {standpipe}; style-src 'self'; img-src 'self' {standpipe}; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)


@dataclass(frozen=True)
class User:
    id: str
    name: str
    organization_id: str
    organization: str


USERS = {
    user.id: user
    for user in (
        User("user_ana", "Ana", "org_globex", "Globex"),
        User("user_ben", "Ben", "org_globex", "Globex"),
        User("user_carla", "Carla", "org_initech", "Initech"),
    )
}


@dataclass(frozen=True)
class Session:
    """Somebody signed in. Your product has its own; this one asks for no password."""

    user: User
    id: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)


class Acme:
    """The application: what each request is answered with."""

    def __init__(self, standpipe: str, connections: Connections, feed: Feed, port: int) -> None:
        self.connections, self.feed, self.port = connections, feed, port
        self.cookie = f"acme_{port}"  # cookies do not tell ports apart
        self.hosts = {f"localhost:{port}", f"127.0.0.1:{port}"}
        self.headers = {
            "Content-Security-Policy": POLICY.format(standpipe=standpipe),
            "Cache-Control": "no-store",
            "Referrer-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
        }
        self._standpipe = standpipe
        self._page = Template((HERE / "page.html").read_text("utf-8"))
        self._sessions: dict[str, Session] = {}

    def session(self, cookie_header: str) -> Session | None:
        try:
            sent = cookies.SimpleCookie(cookie_header).get(self.cookie)
        except cookies.CookieError:
            return None
        return self._sessions.get(sent.value) if sent else None

    def sign_in(self, user: User, before: Session | None = None) -> Session:
        """Always a new session: a page that is still open for somebody else then has no token any more."""
        if before:
            self._sessions.pop(before.id, None)
        while len(self._sessions) >= MAX_SESSIONS:
            self._sessions.pop(next(iter(self._sessions)), None)
        session = Session(user)
        self._sessions[session.id] = session
        return session

    def page(self, session: Session) -> str:
        user = session.user
        choices = "".join(
            f'<button name="user" value="{escape(each.id)}" aria-pressed="{"true" if each == user else "false"}">{escape(each.name)}<small>{escape(each.organization)}</small></button>'
            for each in USERS.values()
        )
        values = {
            "csrf": session.csrf,
            "name": user.name,
            "user_id": user.id,
            "organization": user.organization,
            "organization_id": user.organization_id,
            "standpipe": self._standpipe,
            "return_to": f"http://localhost:{self.port}/connected",
        }
        return self._page.substitute({name: escape(value) for name, value in values.items()}, choices=choices)


class Handler(BaseHTTPRequestHandler):
    acme: Acme
    session: Session | None

    def do_GET(self) -> None:
        path = self._begin()
        if path in ("/", "/connected"):  # the second is where a trip in the same tab comes back to
            session = self.session or self.acme.sign_in(USERS["user_ana"])
            self._send(200, "text/html", self.acme.page(session), self._cookie(session))
        elif path in FILES:
            self._send(200, FILES[path], (HERE / "static" / path[1:]).read_text("utf-8"))
        elif path == "/api/events" and self.session:
            self._stream()
        elif path is not None:
            self._send(404, "text/plain", "There is no such page.")

    def do_POST(self) -> None:
        path = self._begin()
        fields = parse_qs(self._body())
        if path is None:
            return
        token = self.headers.get("X-CSRF-Token") or fields.get("csrf", [""])[0]
        if not self.session or not hmac.compare_digest(token.encode(), self.session.csrf.encode()):
            self._send(403, "text/plain", "Your session has ended. Reload the page.")
        elif path == "/sign-in":
            wanted = USERS.get(fields.get("user", [""])[0])
            session = self.acme.sign_in(wanted, self.session) if wanted else self.session
            self._send(303, "text/plain", "", {"Location": "/", **self._cookie(session)})
        elif path == "/api/widget-token":
            self._call(lambda user: self._send(200, "text/plain", self.acme.connections.widget_token(user.id, user.organization_id)))
        elif path == "/api/repositories":
            self._call(lambda user: self._json(200, {"repositories": self.acme.connections.repositories(user.id, user.organization_id)}))
        else:
            self._send(404, "text/plain", "There is no such page.")

    def _call(self, answer: Callable[[User], None]) -> None:
        """What goes through Standpipe, and the sentence for what may come of it instead."""
        assert self.session is not None
        try:
            answer(self.session.user)
        except NoAccess as missing:
            self._json(200, {"error": missing.error, "text": str(missing)})
        except WorkOSError as error:
            print(f"Standpipe: {type(error).__name__}: {error}", file=sys.stderr)
            self._json(502, {"error": "standpipe", "text": "Standpipe does not answer as it should. Try again in a moment."})

    def _stream(self) -> None:
        """Server-sent events: first what was told so far, then each new one; a comment now and then, to notice that nobody is there any more."""
        self._head(200, {"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        known: set[str] = set()
        try:
            past = self.acme.feed.so_far()
            self._say(f"event: past\ndata: {json.dumps(past)}\n\n")
            known |= {event["id"] for event in past}
            while True:
                for event in (fresh := self.acme.feed.others(known, seconds=10)):
                    self._say(f"data: {json.dumps(event)}\n\n")
                    known.add(event["id"])
                if not fresh:
                    self._say(": still here\n\n")
        except OSError:
            return  # the page was closed

    def _begin(self) -> str | None:
        """The path, once it is known who asks; None if that was answered already. A name that points here is not ours: see DNS rebinding."""
        if self.headers.get("Host", "") not in self.acme.hosts:
            self._send(421, "text/plain", f"Acme is at http://localhost:{self.acme.port}")
            return None
        self.session = self.acme.session(self.headers.get("Cookie", ""))
        return urlsplit(self.path).path

    def _body(self) -> str:
        length = self.headers.get("Content-Length", "0")
        return self.rfile.read(min(int(length), MAX_BODY)).decode("utf-8", "replace") if length.isdecimal() else ""

    def _cookie(self, session: Session) -> dict[str, str]:
        """Lax, because a person who comes back from a provider comes from another site and is still signed in. Over https also Secure, named `__Host-…`."""
        return {"Set-Cookie": f"{self.acme.cookie}={session.id}; Path=/; HttpOnly; SameSite=Lax"}

    def _json(self, status: int, value: object) -> None:
        self._send(status, "application/json", json.dumps(value))

    def _send(self, status: int, kind: str, text: str, headers: dict[str, str] | None = None) -> None:
        self._head(status, {"Content-Type": f"{kind}; charset=utf-8", "Content-Length": str(len(text.encode())), **(headers or {})})
        self._say(text)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**self.acme.headers, **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def _say(self, text: str) -> None:
        self.wfile.write(text.encode())
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: what matters is on the page."""


def environment(file: Path) -> None:
    """What `make run` wrote becomes this process's environment: the key, the topic, and the embedded AWS instead of any other."""
    if file.exists():
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            os.environ.pop(name, None)
        for line in file.read_text("utf-8").splitlines():
            name, _, value = line.partition("=")
            os.environ[name] = value.strip("'")
        os.environ["NO_PROXY"] = os.environ["no_proxy"] = "localhost,127.0.0.1"
    try:
        missing = [name for name in NEEDED if name not in os.environ]
        if missing or requests.get(f"{os.environ['STANDPIPE_URL']}/healthz", timeout=10).status_code != 200:
            raise requests.ConnectionError
    except requests.RequestException:
        sys.exit("Standpipe is not running here: start it with 'make run' in another terminal, wait until it is ready, and run this again.")


def listening(port: int) -> ThreadingHTTPServer:
    """A server on this port or one of the next nineteen. One that answers on any address of localhost is taken: the browser would find that one."""
    for tried in range(port, port + 20):
        try:
            socket.create_connection(("localhost", tried), timeout=1).close()
        except OSError:
            try:
                server = ThreadingHTTPServer(("127.0.0.1", tried), Handler)
            except OSError:
                continue
            server.daemon_threads = True
            return server
    sys.exit(f"Ports {port} to {port + 19} are taken. Name another: make demo DEMO_PORT={port + 1000}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Acme, a product that embeds Standpipe's widget.")
    parser.add_argument("--port", type=int, default=3000, help="3000 if not given; the next free one if it is taken")
    parser.add_argument("--environment", type=Path, default=ENVIRONMENT, metavar="FILE", help="what 'make run' wrote; .local/standpipe.env if not given")
    arguments = parser.parse_args()
    environment(arguments.environment)
    standpipe = os.environ["STANDPIPE_URL"]
    server = listening(arguments.port)
    port, feed = server.server_port, Feed()
    connections = Connections(standpipe, os.environ["STANDPIPE_API_KEY"], os.environ.get("GITHUB_API_URL", f"{standpipe}/simulator/github"))
    names = {user.id: user.name for user in USERS.values()}
    subscription = Subscription(os.environ["STANDPIPE_TOPIC_ARN"], f"acme-{port}", lambda told: feed.tell(in_words(told, names)))
    Handler.acme = Acme(standpipe, connections, feed, port)
    ending = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: ending.set())
    try:
        subscription.start()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"Acme is at http://localhost:{port}\nCtrl-C ends it.", flush=True)
        ending.wait()
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"Acme cannot subscribe to Standpipe's events: {error}")
    finally:
        removed = subscription.stop()
    print("\nStopped, and its queue is removed." if removed else f"\nStopped. Its queue is left, because the sandbox does not answer; the next run on port {port} removes it.")


if __name__ == "__main__":
    main()
