"""Webhooks of a deployed stage: the real function, woken by its queue, with no more rights than its role has, calls a receiver on loopback."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import requests
from workos import WorkOSClient
from workos.common.models.pipes_connected_account_connected import PipesConnectedAccountConnected

from ops.local.sandbox import Sandbox, free_port
from tests.doors.lines import Line, Recorder, recorder
from tests.e2e.events_example import until
from tests.simulator.conftest import Form


class Receiver:
    """Fails once, then takes everything until it is gone."""

    def __init__(self) -> None:
        self.answers = [503]
        self.here: Recorder

    def act(self, line: Line) -> None:
        status = self.answers.pop(0) if self.answers else 200
        line.send(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode())

    def received(self) -> list[tuple[dict[str, str], bytes]]:
        found = []
        for request in self.here.requests:
            head, _, body = request.partition(b"\r\n\r\n")
            found.append(({name.lower(): value for name, _, value in (line.partition(": ") for line in head.decode().split("\r\n")[1:])}, body))
        return found


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    with recorder(made.act) as here:
        made.here = here
        yield made


@pytest.fixture
def deployed(tmp_path: Path, receiver: Receiver) -> Iterator[Sandbox]:
    port = free_port()
    settings = {"STANDPIPE_ALLOWED_PRIVATE_HOSTS": f"localhost:{port} localhost:{receiver.here.port}"}
    with Sandbox(tmp_path / "sandbox", port=port, settings=settings, say=lambda _: None) as sandbox:
        yield sandbox


def connect(sandbox: Sandbox, user: str) -> None:
    """GitHub's simulator, in a browser."""
    browser, headers = requests.Session(), {"Authorization": f"Bearer {sandbox.api_key}"}
    link = requests.post(f"{sandbox.url}/data-integrations/github/authorize", json={"user_id": user}, headers=headers, timeout=30).json()["url"]
    csrf = browser.get(link, timeout=30).text.split('name="csrf" value="')[1].split('"')[0]
    form = Form(browser.post(link, data={"csrf": csrf}, timeout=30).text)
    fields: Any = [*form.hidden, ("account", form.radios[0]), ("decision", "allow")]
    assert browser.post(urljoin(sandbox.url, form.action), data=fields, headers={"Origin": sandbox.url}, timeout=30).status_code == 200


def test_what_happens_is_told_by_the_functions_themselves(deployed: Sandbox, receiver: Receiver) -> None:
    with WorkOSClient(api_key=deployed.api_key, client_id="client_x", base_url=deployed.url) as workos:
        kinds = ["pipes.connected_account.connected", "webhook_endpoint.paused"]
        endpoint = workos.webhooks.create_webhook_endpoint(endpoint_url=f"http://localhost:{receiver.here.port}/hook", events=kinds)
        connect(deployed, "ana")
        until(lambda: len(receiver.received()) >= 2)  # the first was answered with 503
        (_, first), (headers, body) = receiver.received()[:2]
        assert first == body
        event = workos.webhooks.verify_event(event_body=body, event_signature=headers["workos-signature"], secret=endpoint.secret)
        assert isinstance(event, PipesConnectedAccountConnected) and event.data.user_id == "ana"

        listed = until(lambda: workos.events.list_events(events=kinds).data)
        assert [each.id for each in listed] == [event.id]
        deliveries = until(lambda: [each for each in _deliveries(deployed, endpoint.id) if each["outcome"] == "delivered"])
        assert [(each["attempt"], each["event_id"]) for each in deliveries] == [(2, event.id)]

        answer = requests.post(f"{deployed.url}/webhook_endpoints/{endpoint.id}/replay", json={"after": "event_01KJMG3C00ABCDEFGHJKMNPQRS"}, headers=_key(deployed), timeout=30)
        assert answer.status_code == 202, answer.text
        until(lambda: len(receiver.received()) >= 3)
        assert json.loads(receiver.received()[2][1])["id"] == event.id

        receiver.answers.append(410)
        connect(deployed, "ben")
        until(lambda: workos.webhooks.list_webhook_endpoints().data[0].status == "disabled")
        until(lambda: workos.events.list_events(events=["webhook_endpoint.paused"]).data)


def _key(sandbox: Sandbox) -> dict[str, str]:
    return {"Authorization": f"Bearer {sandbox.api_key}"}


def _deliveries(sandbox: Sandbox, endpoint_id: str) -> list[dict[str, Any]]:
    return list(requests.get(f"{sandbox.url}/webhook_endpoints/{endpoint_id}/deliveries", headers=_key(sandbox), timeout=30).json()["data"])
