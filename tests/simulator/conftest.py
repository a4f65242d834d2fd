"""A sandbox in memory: the simulator on a moto table, a clock that stands still, and a client that speaks as Standpipe does."""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from html.parser import HTMLParser
from json import loads
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import boto3
import pytest
from moto import mock_aws

from chalicelib.providers import catalogue as providers
from chalicelib.simulator.catalogue import SIMULATED
from chalicelib.simulator.messages import SimulatorRequest, SimulatorResponse
from chalicelib.simulator.routes import handle, spoken
from chalicelib.simulator.state import State

BASE = "http://localhost:8000"
CALLBACK = f"{BASE}/callback/data_integration_1"
VERIFIER = "v" * 43
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
WITH_OAUTH = [slug for slug in SIMULATED if "oauth" in getattr(providers.load(slug), "auth_methods", ())]


def path(written: str) -> str:
    """A real path of a route that is written with placeholders."""
    return written.replace("{tenant}", "common")


def plain_scopes(slug: str) -> str:
    provider = providers.load(slug)
    assert provider is not None
    return {"github": "repo read:user", "slack": "chat:write,channels:read"}.get(slug) or provider.authorization.scope_separator.join(provider.default_scopes())


TOKEN_PATHS = {slug: path(next(route.path for route in spoken(slug)[1] if route.kind == "token")) for slug in WITH_OAUTH}


class Form(HTMLParser):
    """The hidden fields and radio buttons of the one form of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.hidden: list[tuple[str, str]] = []
        self.radios: list[str] = []
        self.action = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = given["action"]
        if tag == "input" and given["type"] == "hidden":
            self.hidden.append((given["name"], given["value"]))
        if tag == "input" and given["type"] == "radio":
            self.radios.append(given["value"])


@dataclass
class World:
    state: State
    now: datetime = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    slept: list[float] = field(default_factory=list)

    def later(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    def call(self, method: str, path: str, **given: Any) -> SimulatorResponse:
        return handle(SimulatorRequest(method, path, **given), self.state, BASE, self.now, self.slept.append)

    def post(self, slug: str, path: str, form: dict[str, str], *, accept: str = "application/json", basic: bool = False) -> SimulatorResponse:
        client = {"client_id": f"simulated-{slug}", "client_secret": f"simulated-secret-{slug}"}
        headers = {"accept": accept}
        if basic:
            headers["authorization"] = "Basic " + b64encode(":".join(client.values()).encode()).decode()
            client = {}
        return self.call("POST", f"/{slug}{path}", headers=headers, form=list({**client, **form}.items()))

    def get(self, slug: str, path: str, token: str | None, **query: str) -> SimulatorResponse:
        return self.call("GET", f"/{slug}{path}", headers={"authorization": f"Bearer {token}"} if token else {}, query=list(query.items()))

    def ask(self, slug: str, **changes: str | None) -> SimulatorResponse:
        """The authorization request as Standpipe makes it, with changes; None leaves a parameter out."""
        asked = {
            "client_id": f"simulated-{slug}", "redirect_uri": CALLBACK, "response_type": "code", "state": "the state", "code_challenge": CHALLENGE, "code_challenge_method": "S256",
            "scope": plain_scopes(slug), **({"access_type": "offline", "prompt": "consent"} if slug == "google" else {}), **changes,
        }  # fmt: skip
        return self.call("GET", f"/{slug}{path(spoken(slug)[0].authorize_path)}", query=[(name, value) for name, value in asked.items() if value is not None])

    def decide(self, consent: SimulatorResponse, *, account: str | None = None, decision: str = "allow", origin: str | None = BASE) -> SimulatorResponse:
        assert consent.status == 200, consent.body
        form = Form(consent.body)
        pairs = [*form.hidden, ("account", account or form.radios[0]), ("decision", decision)]
        return self.call("POST", form.action.removeprefix("/simulator"), form=parse_qsl(urlencode(pairs), keep_blank_values=True), headers={"origin": origin} if origin else {})

    def code(self, slug: str, account: str | None = None, **changes: str | None) -> str:
        back = self.decide(self.ask(slug, **changes), account=account)
        assert back.status == 303 and back.location is not None and back.location.startswith(CALLBACK + "?")
        return parse_qs(urlsplit(back.location).query)["code"][0]

    def redeem(self, slug: str, code: str, **changes: str) -> SimulatorResponse:
        return self.post(slug, TOKEN_PATHS[slug], {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER, **changes})

    def connect(self, slug: str, account: str | None = None, **changes: str | None) -> dict[str, Any]:
        return dict(loads(self.redeem(slug, self.code(slug, account, **changes)).body))

    def refresh(self, slug: str, refresh_token: str) -> SimulatorResponse:
        return self.post(slug, TOKEN_PATHS[slug], {"grant_type": "refresh_token", "refresh_token": refresh_token})

    def turn(self, slug: str, **knobs: Any) -> dict[str, Any]:
        return dict(loads(self.call("POST", f"/{slug}/knobs", json=knobs).body))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    # Set for the whole session once a test has started the embedded AWS; moto is only asked where no endpoint is named.
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
        keys = [("pk", "HASH"), ("sk", "RANGE")]
        client.create_table(
            TableName="standpipe", BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys], KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
        )  # fmt: skip
        yield World(State(client, "standpipe"))
