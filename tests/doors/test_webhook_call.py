"""The call of a webhook endpoint: what WorkOS's own clients make of it, and what is made of the receiver's answer."""

import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from workos import WorkOSClient
from workos.common.models.pipes_connected_account_connected import PipesConnectedAccountConnected

from chalicelib.domain import events
from chalicelib.domain.events import Event
from chalicelib.domain.secret import Secret
from chalicelib.doors.webhook_calls import Called, WebhookCaller, body_of, signature
from tests.domain.samples import CANARY, pending
from tests.domain.webhook_samples import endpoint, event
from tests.doors.lines import Authority, Line, Recorder, recorder
from tests.doors.posting import client
from tests.peers.node import ensure_node_packages, node_binary

SECRET = Secret(f"whsec_{CANARY}-and-more")
VERIFY = """
import { WorkOS } from "@workos-inc/node";
const [secret, header, body] = process.argv.slice(1);
const workos = new WorkOS("sk_test");
try {
  const event = await workos.webhooks.constructEvent({ payload: body, sigHeader: header, secret });
  console.log(JSON.stringify({ event: event.event, id: event.id, user: event.data.userId, provider: event.data.providerSlug }));
} catch (error) {
  console.log(JSON.stringify({ refused: error.message }));
}
"""


def by_node(secret: str, header: str, body: str) -> dict[str, str]:
    command = [node_binary(), "--input-type=module", "-e", VERIFY, secret, header, body]
    done = subprocess.run(command, cwd=ensure_node_packages(), capture_output=True, text=True, timeout=60, check=True)
    return dict(json.loads(done.stdout))


def by_python(secret: str, header: str, body: bytes) -> object:
    with WorkOSClient(api_key="sk_test", client_id="client_x") as workos:
        return workos.webhooks.verify_event(event_body=body, event_signature=header, secret=secret)


@pytest.fixture
def receiver() -> Iterator[Recorder]:
    with recorder() as here:
        yield here


def current() -> datetime:
    """The clients look at the clock: what was signed three minutes ago is too old for them."""
    return datetime.now(UTC)


def call(here: Recorder, told: Event | None = None, now: datetime | None = None, path: str = "/hook?key=k", deadline: float = 5) -> Called:
    return WebhookCaller(client(deadline=deadline)).call(endpoint(url=f"http://localhost:{here.port}{path}"), SECRET, told or event(), now or current())


def received(here: Recorder) -> tuple[str, dict[str, str], bytes]:
    """The last request: its first line, its headers, its body."""
    head, _, body = here.requests[-1].partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return first, {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}, body


def test_both_of_workos_clients_take_what_arrives_and_refuse_what_was_touched(receiver: Recorder) -> None:
    told = replace(event(), data={**event().data, "account_display_name": "Zoë ✓ \u2028"})
    assert call(receiver, told) == Called(status=200)
    first, headers, body = received(receiver)
    assert first == "POST /hook?key=k HTTP/1.1" and headers["content-type"] == "application/json"
    header, secret = headers["workos-signature"], SECRET.reveal()

    found = by_python(secret, header, body)
    assert isinstance(found, PipesConnectedAccountConnected)
    assert (found.id, found.data.user_id, found.data.account_display_name) == (told.id, "user_1", "Zoë ✓ \u2028")
    assert by_node(secret, header, body.decode()) == {"event": told.event, "id": told.id, "user": "user_1", "provider": "acme"}

    for other_secret, other_header, other_body in (
        (secret + "x", header, body),
        (secret, header[:-1] + ("0" if header[-1] != "0" else "1"), body),
        (secret, header, body.replace(b"user_1", b"user_2")),
    ):
        with pytest.raises(ValueError, match="does not match"):
            by_python(other_secret, other_header, other_body)
        assert "does not match" in by_node(other_secret, other_header, other_body.decode())["refused"]


@pytest.mark.parametrize("kind", sorted(set(events.TYPES)))
def test_every_event_reaches_the_clients(receiver: Recorder, kind: str) -> None:
    failed = events.of_failed_flow(pending(), "access_denied", "The person declined.", "access_denied", None, current())
    told = failed if kind == events.CONNECTION_FAILED else replace(event(), event=kind)
    call(receiver, told)
    _, headers, body = received(receiver)

    assert told.id in repr(by_python(SECRET.reveal(), headers["workos-signature"], body))


def test_each_try_is_signed_with_its_own_time(receiver: Recorder) -> None:
    """A client refuses what is older than three minutes, and a retry may come days later."""
    told, now = event(), current()
    later = now + timedelta(hours=10)
    call(receiver, told, now)
    call(receiver, told, later)
    (one, other) = (dict(line.split(": ", 1) for line in request.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:])["WorkOS-Signature"] for request in receiver.requests)

    assert receiver.requests[0].endswith(body_of(told)) and receiver.requests[1].endswith(body_of(told))
    assert one.startswith(f"t={int(now.timestamp() * 1000)}, v1=") and other.startswith(f"t={int(later.timestamp() * 1000)}, v1=")
    with pytest.raises(ValueError, match="tolerance"):
        by_python(SECRET.reveal(), signature(SECRET, datetime.fromtimestamp(time.time() - 200, UTC), b"{}"), b"{}")


def test_the_secret_does_not_go_with_it(receiver: Recorder) -> None:
    call(receiver)

    assert CANARY.encode() not in receiver.requests[0]


ANSWERS = {
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", Called(204)),
    "202 with a body": (b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok", Called(202)),
    "200 that says nowhere where it ends": (b"HTTP/1.0 200 OK\r\nServer: BaseHTTP\r\n\r\n", Called(200)),
    "200 with half a body": (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", Called(200)),
    "200 with a body that is too large to read": (b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n" + b"x" * 300_000, Called(200)),
    "500": (b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", Called(500, "http_500")),
    "404": (b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", Called(404, "http_404")),
    "410": (b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n", Called(410, "http_410")),
    "429 with a wait": (b"HTTP/1.1 429 Slow\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n", Called(429, "http_429", 120)),
    "503 with junk for a wait": (b"HTTP/1.1 503 No\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n", Called(503, "http_503", None)),
    "hangs up": (b"", Called(error="no_answer")),
    "no HTTP": (b"hello\r\n\r\n", Called(error="no_answer")),
    "half a head": (b"HTTP/1.1 200 OK\r\nContent-Ty", None),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_judged_by_its_status_alone(name: str) -> None:
    given, expected = ANSWERS[name]
    with recorder(given) as here:
        called = call(here)

    assert called == expected or (expected is None and called in (Called(200), Called(error="no_answer")))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_r31_a_redirect_is_a_failure_and_is_not_followed(status: int) -> None:
    with recorder() as elsewhere, recorder(f"HTTP/1.1 {status} Go\r\nLocation: http://localhost:{elsewhere.port}/\r\nContent-Length: 0\r\n\r\n".encode()) as here:
        called = call(here)

    assert called == Called(status, "redirected") and elsewhere.accepted == 0


def test_a_receiver_that_takes_its_time_is_hung_up_on() -> None:
    with recorder(Line.wait) as here:
        assert call(here, deadline=0.5) == Called(error="no_answer")


def test_nobody_there() -> None:
    with recorder() as here:
        port = here.port
    called = WebhookCaller(client()).call(endpoint(url=f"http://localhost:{port}/"), SECRET, event(), current())

    assert called == Called(error="unreachable")


@pytest.mark.parametrize("url", ["http://hooks.example.com/", "https://127.0.0.1/", "https://169.254.169.254/latest/meta-data", "https://[::1]/", "https://internal.test/", "ftp://hooks.example.com/"])
def test_r30_a_receiver_is_called_over_https_at_public_addresses_only(url: str) -> None:
    guarded = client(allowed_private_hosts=(), resolver=lambda host, _port: [host.strip("[]") if host != "internal.test" else "10.0.0.7"])

    assert WebhookCaller(guarded).call(endpoint(url=url), SECRET, event(), current()) == Called(error="forbidden_address")


def test_over_tls_the_certificate_is_looked_at(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    for host, expected in (("localhost", Called(200)), ("other.test", Called(error="unreachable"))):
        with recorder(tls=authority.server(host)) as here:
            caller = WebhookCaller(client(deadline=5, ca_file=str(authority.file)))
            assert caller.call(endpoint(url=f"https://localhost:{here.port}/"), SECRET, event(), current()) == expected
