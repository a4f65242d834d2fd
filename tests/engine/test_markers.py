"""Nothing secret is anywhere it does not belong: every secret of a whole life is looked for in logs, output, table and queues."""

import json
import logging
from base64 import b64encode
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from chalicelib import wiring
from chalicelib.domain.errors import Conflict, StandpipeError
from chalicelib.domain.secret import Secret
from chalicelib.doors.crypto import token_facts
from chalicelib.doors.oauth import code_challenge
from chalicelib.engine.authorization_response import FlowError
from chalicelib.engine.registrations import Change
from chalicelib.engine.tokens import Live
from tests.engine.scenes import EXPIRED, SLUG, Process, Scene, new_owner
from tests.peers import faults

MARKER = "marked-5f0c"


class Secrets:
    """Every secret value that was seen, by what it is."""

    def __init__(self) -> None:
        self.seen: dict[str, str] = {}

    def add(self, what: str, value: str | None) -> None:
        if value:
            self.seen[value] = what

    def watch_data_keys(self, engine: Process) -> None:
        def note(parsed: dict[str, Any], **_event: Any) -> None:
            if isinstance(parsed.get("Plaintext"), bytes):
                self.add("data key", b64encode(parsed["Plaintext"]).decode())

        engine.client("kms").meta.events.register("after-call.kms.*", note)

    def add_requests(self, scene: Scene) -> None:
        """What went to the provider: codes, verifiers, tokens, credentials."""
        for request in scene.proxy.requests:
            for name in ("code", "code_verifier", "refresh_token", "token", "client_secret"):
                for value in request.form().get(name, []):
                    self.add(name, value)
            if authorization := request.headers.get("Authorization"):
                self.add("Authorization header", authorization.split(" ", 1)[1])

    def add_tokens(self, engine: Process, live: Live) -> None:
        self.add("access token", live.tokens.access_token.reveal())
        row = engine.row(live.connection.owner)
        stored = engine.sealer.open(row.sealed or b"", token_facts(row))
        self.add("refresh_token", stored["refresh_token"])

    def found_in(self, haystack: bytes) -> set[str]:
        """In clear, as a URL or a header would carry it, in base64, in JSON."""
        return {what for value, what in self.seen.items() for form in _forms(value) if form.encode() in haystack}


def _forms(value: str) -> Iterator[str]:
    yield from (value, quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1], repr(value)[1:-1])
    for shift in range(3):
        # Base64 of a longer text that holds it: the middle does not depend on what is around.
        yield b64encode(b" " * shift + value.encode())[4:-4].decode()


def table_bytes(scene: Scene) -> bytes:
    pages = scene.stage.cloud.client("dynamodb").get_paginator("scan").paginate(TableName=scene.stage.table)
    parts: list[bytes] = []

    def collect(value: Any) -> None:
        match value:
            case dict():
                for name, inner in value.items():
                    parts.append(str(name).encode())
                    collect(inner)
            case list():
                for inner in value:
                    collect(inner)
            case bytes():
                parts.append(value)
            case _:
                parts.append(str(value).encode())

    for page in pages:
        collect(page["Items"])
    return b"\n".join(parts)


def queue_bytes(scene: Scene) -> bytes:
    sqs = scene.stage.cloud.client("sqs")
    messages = [sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []) for url in sqs.list_queues().get("QueueUrls", [])]
    return json.dumps(messages, default=str).encode()


def live_a_life(scene: Scene, secrets: Secrets) -> None:
    """Connect in both ways, fetch, refresh with every kind of failure, reject, disconnect."""
    owner, other = new_owner(), new_owner()
    engine, later = scene.first, scene.process(EXPIRED, deadline=1.0)
    for each in (engine, later):
        secrets.watch_data_keys(each)
    secrets.add("API key", engine.api_keys.create("backend")[1].split("_", 2)[2])
    secrets.add("client secret", scene.peer.client_secret)
    secrets.add("client secret", f"{MARKER}-client-secret-that-is-wrong")

    back = scene.leave(owner, engine)
    note_flow(secrets, back)
    scene.arrive(back)
    with pytest.raises(FlowError):
        scene.arrive(back)
    verifier = f"{MARKER}-verifier-of-the-application-0123456789"
    secrets.add("the application's verifier", verifier)
    back = scene.leave(other, engine, return_to="https://app.example/connected", challenge=code_challenge(verifier))
    note_flow(secrets, back)
    parked = scene.arrive(back)
    assert parked.connect_code
    secrets.add("connect code", parked.connect_code.rsplit(".", 1)[1])
    engine.connect.finish(parked.connect_code, verifier)
    left = scene.leave(new_owner(), engine)
    note_flow(secrets, left)
    left.query = {**left.query, "iss": ["https://evil.example"]}
    with pytest.raises(FlowError):
        scene.arrive(left)

    for each in (owner, other):
        live = engine.fetch(each)
        assert isinstance(live, Live)
        secrets.add_tokens(engine, live)
    # A provider that says back what it was told, in every field there is.
    told = scene.process().row(owner)
    echo = engine.sealer.open(told.sealed or b"", token_facts(told))["refresh_token"]
    scene.fault(faults.status(400, {"error": "strange", "error_description": echo, "error_uri": echo, "detail": echo}))
    for fault in (faults.lose_answer(), faults.truncate(), faults.not_json(), faults.status(503, f"token {echo}"), faults.status(500, {"error": "server_error", "error_description": echo})):
        scene.fault(fault)
    for _ in range(8):
        later.ahead += EXPIRED
        try:
            fetched = later.fetch(owner)
        except StandpipeError:
            continue
        if isinstance(fetched, Live):
            secrets.add_tokens(later, fetched)
    assert scene.proxy.pending() == 0
    fetched = later.fetch(other)
    assert isinstance(fetched, Live)
    secrets.add_tokens(later, fetched)

    for number in range(2):
        engine.registrations.update(SLUG, Change(client_secret=Secret(f"{MARKER}-client-secret-that-is-wrong-{number}")))
    later.ahead += EXPIRED
    with pytest.raises(Conflict):
        later.fetch(other)
    engine.registrations.update(SLUG, Change(client_secret=Secret(scene.peer.client_secret)))
    scene.peer.revoke_user(owner.user_id or "")
    later.ahead += EXPIRED
    later.fetch(owner)
    engine.disconnect.disconnect(owner, SLUG, seconds_left=lambda: 29.0)
    secrets.add_requests(scene)


def note_flow(secrets: Secrets, back: Any) -> None:
    # A value's first half is only the row's name; the second is what proves anything.
    secrets.add("handle", back.begun.url.rsplit(".", 1)[1])
    secrets.add("state", back.begun.state.rsplit(".", 1)[1])
    secrets.add("browser", back.browser)
    for code in back.query.get("code", []):
        secrets.add("code", code)


@pytest.fixture
def loud(grace: Scene, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Logging as a stage sets it up whose operator asked for all there is."""
    caplog.set_level(logging.DEBUG)
    for name, value in {**grace.stage.environ, "STANDPIPE_LOG_LEVEL": "DEBUG"}.items():
        monkeypatch.setenv(name, value)
    wiring.engine.cache_clear()
    wiring.engine()
    assert logging.getLogger().level == logging.DEBUG
    yield
    wiring.engine.cache_clear()


@pytest.mark.usefixtures("loud")
def test_no_secret_is_in_logs_output_table_or_queues(grace: Scene, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    secrets = Secrets()
    live_a_life(grace, secrets)
    logging.getLogger("somebody").debug("heard")
    assert "heard" in caplog.text
    printed, complained = capfd.readouterr()
    kinds = {"access token", "refresh_token", "code", "code_verifier", "state", "handle", "browser", "connect code", "client secret", "API key", "Authorization header", "data key"}
    assert kinds <= {*secrets.seen.values()}
    # The search itself works: what was asked of the provider holds what is looked for.
    assert secrets.found_in(b"\n".join(request.body for request in grace.proxy.requests))
    places = {
        "logs": "\n".join(f"{record.getMessage()} {record.args} {record.exc_text}" for record in caplog.records).encode(),
        "standard output": printed.encode(),
        "standard error": complained.encode(),
        "table": table_bytes(grace),
        "queues": queue_bytes(grace),
    }
    assert all(len(places[name]) > 1000 for name in ("standard output", "table"))
    assert {name: secrets.found_in(content) for name, content in places.items()} == {name: set() for name in places}


def test_what_is_kept_shows_no_secret_when_it_is_shown(grace: Scene) -> None:
    owner, secrets = new_owner(), Secrets()
    grace.connected(owner)
    live = grace.first.fetch(owner)
    assert isinstance(live, Live)
    secrets.add_tokens(grace.first, live)
    secrets.add_requests(grace)
    effective = grace.first.registrations.effective(grace.first.registrations.get(SLUG), {})
    secrets.add("client secret", grace.peer.client_secret)
    shown = repr((live, live.tokens, live.connection, effective, effective.credentials(), grace.first.registrations.get(SLUG)))
    assert secrets.found_in(shown.encode()) == set()
