"""A small stage to play on: one registration at a real peer, reached through a fault proxy, and processes with clocks of their own."""

import json
import os
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3

from chalicelib import wiring
from chalicelib.domain import settings as settings_module
from chalicelib.domain.events import Event
from chalicelib.domain.models import Connection, Owner, Pending, Registration
from chalicelib.domain.secret import Secret
from chalicelib.domain.settings import PROVIDER_DEADLINE, Settings
from chalicelib.doors.http import ProviderHttp
from chalicelib.engine.begin import Begun, Wanted
from chalicelib.engine.connect import Returned
from chalicelib.engine.registrations import Change
from chalicelib.engine.tokens import Inactive, Live
from chalicelib.wiring.doors import AWS_CONFIG
from tests.cloud import REGION, Stage
from tests.peers import FaultProxy, Peer

SLUG = "peer"
# Fixed, because a peer is started once with its redirect URI and serves every stage of the session.
REGISTRATION_ID = "data_integration_01TESTS0000000000000000000"
CALLBACK = f"http://localhost:8000/callback/{REGISTRATION_ID}"
CLIENT_ID = "vault:special/+%"
ASCII_SECRET = "s:/+%&=~ with spaces %3A and more"
UNICODE_SECRET = ASCII_SECRET + " pässwörd 🔑"
API_SECONDS = 29.0
EXPIRED = timedelta(hours=2)  # the peers' tokens live one hour
NEARLY = timedelta(minutes=59, seconds=30)  # inside the margin of a fetch, and still alive
PAST_LEASE = settings_module.LEASE_TTL + timedelta(seconds=1)


@cache
def one_session() -> boto3.session.Session:
    """What is read from disk for a client is the same for every process, and half of the time of these tests."""
    return boto3.session.Session(region_name=REGION)


class Clients:
    """What processes that have ended leave for later ones, because making a client takes as long as three calls. One that somebody hooked into is not left."""

    def __init__(self) -> None:
        self._left: dict[tuple[str, str | None], list[Any]] = {}
        self._hooked: set[int] = set()

    def take(self, service: str, endpoint: str | None) -> Any:
        left = self._left.setdefault((service, endpoint), [])
        return left.pop() if left else self._made(service, endpoint)

    def leave(self, service: str, endpoint: str | None, client: Any) -> None:
        if id(client) in self._hooked:
            self._hooked.discard(id(client))
            client.close()
        else:
            self._left[service, endpoint].append(client)

    def _made(self, service: str, endpoint: str | None) -> Any:
        client = one_session().client(service, config=AWS_CONFIG, endpoint_url=endpoint)
        events = client.meta.events
        for name in ("register", "register_first", "register_last"):
            setattr(events, name, self._noting(client, getattr(events, name)))
        return client

    def _noting(self, client: Any, register: Callable[..., None]) -> Callable[..., None]:
        def noted(*arguments: Any, **more: Any) -> None:
            self._hooked.add(id(client))
            register(*arguments, **more)

        return noted


CLIENTS = Clients()


class Process(wiring.Engine):
    """The engine of one process whose clock runs `ahead`. `ahead` may be changed at any time; clients are kept, so that hooks can be put on them."""

    def __init__(self, settings: Settings, ahead: timedelta = timedelta(), *, deadline: float = PROVIDER_DEADLINE, endpoint: str | None = None) -> None:
        super().__init__(settings)
        self.ahead, self._deadline, self._endpoint = ahead, deadline, endpoint or os.environ.get("AWS_ENDPOINT_URL")
        self._clients: dict[str, Any] = {}

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = CLIENTS.take(service, self._endpoint)
        return self._clients[service]

    @cached_property
    def http(self) -> ProviderHttp:
        return ProviderHttp(allowed_private_hosts=self.settings.allowed_private_hosts, connect_timeout=5, deadline=self._deadline)

    def fetch(self, owner: Owner, *, min_ttl: timedelta = timedelta(seconds=60), seconds: float = API_SECONDS) -> Live | Inactive:
        return self.tokens.answer(owner, SLUG, min_ttl=min_ttl, seconds_left=lambda: seconds)

    def rejected(self, owner: Owner, generation: int) -> Live | Inactive:
        return self.tokens.rejected(owner, SLUG, generation, seconds_left=lambda: API_SECONDS)

    def row(self, owner: Owner) -> Connection:
        found = self.store.connection(owner, SLUG)
        assert found is not None
        return found

    def close(self) -> None:
        while self._clients:
            service, client = self._clients.popitem()
            CLIENTS.leave(service, self._endpoint, client)

    def warm(self) -> "Process":
        """Everything built, so that threads race over the work and not over the building."""
        for part in (
            "store",
            "sealer",
            "tokens",
            "oauth",
            "registrations",
            "refresher",
            "rejections",
            "connect",
            "disconnect",
            "circuits",
            "outbox",
            "keeping",
            "sweep",
            "worker",
            "rescue",
            "revocations",
        ):
            getattr(self, part)
        return self


@dataclass
class Back:
    """A browser on its way back from the provider."""

    begun: Begun
    browser: str
    query: dict[str, list[str]]

    def cookie(self, _pending: Pending) -> str | None:
        return self.browser


@dataclass
class Scene:
    stage: Stage
    peer: Peer
    proxy: FaultProxy
    processes: list[Process] = field(default_factory=list)

    @property
    def token_path(self) -> str:
        return urlsplit(self.peer.token_endpoint).path

    @cached_property
    def first(self) -> Process:
        """A process with the right time."""
        return self.process()

    def process(self, ahead: timedelta = timedelta(), *, deadline: float = PROVIDER_DEADLINE, endpoint: str | None = None) -> Process:
        self.processes.append(Process(settings_module.read(self.stage.environ), ahead, deadline=deadline, endpoint=endpoint))
        return self.processes[-1]

    def row_of_provider(self, **token: Any) -> dict[str, Any]:
        peer = self.peer.via(self.proxy.base_url)
        return {
            "name": "Peer",
            "authorization": {"endpoint": peer.authorization_endpoint, "issuer": peer.issuer, "iss_parameter_supported": True},
            "token": {"endpoint": peer.token_endpoint, "authentication": "client_secret_basic", **token},
            "revocation": {"recipe": "rfc7009", "endpoint": peer.revocation_endpoint},
            "identity": {"source": "endpoint", "endpoint": peer.userinfo_endpoint, "account_id": "sub"},
        }

    def register(self, **change: Any) -> None:
        engine = self.first
        now = engine.now()
        engine.store.save_registration(Registration(id=REGISTRATION_ID, slug=SLUG, created_at=now, updated_at=now), expected_version=None)
        scopes = ("openid", "read") if self.token_path == "/token" else ("read",)
        given = {"enabled": True, "custom_provider": self.row_of_provider(), "scopes": scopes, "client_id": self.peer.client_id, "client_secret": Secret(self.peer.client_secret)}
        engine.registrations.update(SLUG, Change(**{**given, **change}))

    def change_provider(self, **words: Any) -> None:
        """Straight into the table: more of the vocabulary than the API takes of a custom provider."""
        store = self.first.store
        registration = store.registration(SLUG)
        assert registration is not None
        row = json.loads(registration.custom_provider or "")
        for word, value in words.items():
            row[word] = {**row.get(word, {}), **value} if isinstance(value, dict) else value
        store.save_registration(replace(registration, custom_provider=json.dumps(row), version=registration.version + 1), expected_version=registration.version)

    def leave(self, owner: Owner, engine: Process | None = None, user: str | None = None, **begin: Any) -> Back:
        """Begin, open, confirm, and approve at the provider: everything but the redirect back."""
        engine = engine or self.first
        begun = engine.connect.begin(owner, SLUG, Wanted(**begin))
        handle = begun.url.rsplit("/", 1)[1]
        opened = engine.connect.open(handle, None)
        url = opened.redirect_to or engine.connect.confirm(handle, opened.browser)
        back = self.peer.approve(url, user=user or owner.user_id or "alice")
        return Back(begun, opened.browser, parse_qs(urlsplit(back).query))

    def arrive(self, back: Back, engine: Process | None = None) -> Returned:
        return (engine or self.first).connect.callback(REGISTRATION_ID, back.query, back.cookie)

    def connected(self, owner: Owner, **more: Any) -> Connection:
        connection = self.arrive(self.leave(owner, **more)).connection
        assert connection is not None
        return connection

    def posts(self, grant_type: str = "refresh_token", *, forwarded: bool | None = None) -> int:
        """Token requests of this scene as the proxy saw them, of all or only those that did (not) reach the peer."""
        seen = [r for r in self.proxy.requests if r.path == self.token_path and r.form().get("grant_type") == [grant_type]]
        return sum(1 for r in seen if forwarded is None or r.forwarded is forwarded)

    def revocations(self) -> int:
        return self.proxy.count(urlsplit(self.peer.revocation_endpoint).path)

    def works(self, live: Any) -> bool:
        """Whether the provider itself takes the token of an answer."""
        import requests

        assert isinstance(live, Live), live
        header = {"Authorization": f"Bearer {live.tokens.access_token.reveal()}"}
        return requests.get(self.peer.userinfo_endpoint, headers=header, timeout=10).status_code == 200

    def fault(self, *faults: Any, times: int = 1) -> None:
        self.proxy.add(self.token_path, *faults, times=times)


@contextmanager
def staged(stage: Stage, peer: Peer) -> Iterator[Scene]:
    with FaultProxy(peer.base_url) as proxy:
        scene = Scene(stage, peer, proxy)
        scene.register()
        yield scene
        for process in scene.processes:
            process.close()


def new_owner() -> Owner:
    """Somebody nobody else in the session is; also their name at the peer."""
    return Owner(user_id=f"u{uuid.uuid4().hex[:12]}")


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    """`work(0) … work(count - 1)` in as many threads, started together; an exception is a result."""
    start = threading.Barrier(count)

    def run(number: int) -> Any:
        start.wait(30)
        try:
            return work(number)
        except Exception as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def told(engine: Process, connection: Connection) -> list[str]:
    """The events of a connection in order, by the last part of their names."""
    return [event.event.rsplit(".", 1)[1] for event in engine.outbox_rows.log(connection.id)]


def reauthorization_events(engine: Process, connection: Connection) -> list[Event]:
    return [event for event in engine.outbox_rows.log(connection.id) if event.event.endswith("reauthorization_needed")]


def outcomes(printed: str) -> list[str]:
    """The outcomes of the refreshes a process journalled, in order."""
    lines = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    return [line["outcome"] for line in lines if line["event"] == "refresh"]
