"""A stage's whole life, and what each of its functions asks of AWS in it: the API at real HTTP, the others as Lambda calls them."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

import app as functions
from chalicelib import wiring
from chalicelib.domain import settings
from chalicelib.domain.events import TYPES
from chalicelib.doors.oauth import code_challenge
from chalicelib.engine.dashboard_connections import Filter
from chalicelib.web import background
from tests.cloud import Stage
from tests.ops.iam import Call, calls_of
from tests.simulator.conftest import Form
from tests.web.gateway import Context
from tests.web.people import VERIFIER, Site, query_of

RETURN_TO = "https://app.example/connected"
# Which role of the template each function beside the API runs with, as ops/stack.py has it.
ROLES = {"sweep": "SweepRole", "repair": "SweepRole", "refresh": "WorkerRole", "rescue": "WorkerRole", "revoke": "WorkerRole", "webhook": "WebhookRole"}
TIMER = {"version": "0", "id": "1", "detail-type": "Scheduled Event", "source": "aws.events", "account": "0", "time": "now", "region": "us-east-1", "resources": [], "detail": {}}
Refuses = Callable[[str, str, str], bool]  # service, operation, the request as it would be sent


class Recorded(wiring.Engine):
    """An engine whose every call is kept as IAM would see it, and whose AWS may refuse some of them. It waits without waiting."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.calls: list[Call] = []
        self.refuses: Refuses = lambda *_: False
        self._waited = 0.0

    def client(self, service: str) -> Any:
        made = super().client(service)
        made.meta.events.register("before-parameter-build", self._record)
        made.meta.events.register("before-call", self._refuse)
        return made

    def sleep(self, seconds: float) -> None:
        self._waited += seconds

    def monotonic(self) -> float:
        return time.monotonic() + self._waited

    def _record(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self.calls.extend(calls_of(model.service_model.service_name, model.name, params))

    def _refuse(self, model: Any, params: dict[str, Any], **_: Any) -> None:
        if self.refuses(model.service_model.service_name, model.name, str(params["body"])):
            raise EndpointConnectionError(endpoint_url="somewhere")


@contextmanager
def recorded(patch: pytest.MonkeyPatch) -> Iterator[list[Recorded]]:
    """The engines that the API's process makes meanwhile."""
    made: list[Recorded] = []

    def make(*given: Any) -> Recorded:
        made.append(Recorded(*given))
        return made[-1]

    with patch.context() as inner:
        inner.setattr(wiring, "Engine", make)
        wiring.engine.cache_clear()
        yield made
    wiring.engine.cache_clear()


def stored_no_more_after(updates: int) -> Refuses:
    """The table takes that many updates of connections, and then none."""
    seen = 0

    def refuses(_service: str, operation: str, request: str) -> bool:
        nonlocal seen
        concerned = operation == "UpdateItem" and "connection#" in request
        seen += concerned
        return concerned and seen > updates

    return refuses


class Background:
    """The functions that the schedule and the queues wake, each call a process of its own; `calls` by the role they run with."""

    def __init__(self, stage: Stage, patch: pytest.MonkeyPatch) -> None:
        self.stage, self._patch = stage, patch
        self.calls: dict[str, list[Call]] = {"WorkerRole": [], "SweepRole": [], "WebhookRole": []}
        self._sqs = stage.cloud.client("sqs")

    def wake(self, function: str, body: Any = None, refuses: Refuses | None = None) -> None:
        """Raises what the function raises."""
        engine = Recorded(settings.read(self.stage.environ))
        engine.refuses = refuses or engine.refuses
        event = TIMER if body is None else {"Records": [{"body": json.dumps(body), "receiptHandle": "of Lambda"}]}
        with self._patch.context() as inner:
            inner.setattr(background, "wiring", SimpleNamespace(engine=lambda: engine))
            getattr(functions, function)(event, Context(time.monotonic() + 120))
        self.calls[ROLES[function]] += engine.calls

    def messages(self, queue: str) -> list[Any]:
        """What waits in a queue, taken out of it."""
        url, found = self.stage.environ[f"STANDPIPE_{queue.upper()}_QUEUE_URL"], []
        while batch := self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            for message in batch:
                found.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found

    def row(self, user: str, slug: str, change: str, **values: str) -> None:
        """A connection's row changed by hand."""
        key = {"pk": {"S": f"owner#-#{user}"}, "sk": {"S": f"connection#{slug}#default"}}
        given = {"ExpressionAttributeValues": {f":{name}": {"S": value} for name, value in values.items()}} if values else {}
        self.stage.cloud.client("dynamodb").update_item(TableName=self.stage.table, Key=key, UpdateExpression=change, **given)


class Life:
    """One stage whose providers are its own simulator, at real HTTP on a loopback port."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def connect(self, user: str, slug: str, **more: Any) -> str:
        """By link, in a browser; where the browser is sent in the end."""
        browser = self.site.browser()
        consent = browser.confirm(self.site.authorize(user, slug, **more)["url"])
        form = Form(browser.get(consent).text)
        fields = "&".join(f"{name}={value}" for name, value in [*form.hidden, ("account", form.radios[0]), ("decision", "allow")])
        allowed = browser("POST", form.action, body=fields, headers={"Origin": browser.origin})
        assert allowed.status == 303, allowed.text
        answer = browser.get(allowed.location)
        while answer.status == 303 and answer.location.startswith((browser.origin, "/")):
            answer = browser.get(answer.location)
        return answer.location if answer.status == 303 else answer.text

    def knob(self, slug: str, **knob: Any) -> None:
        assert self.site.gateway("POST", f"/simulator/{slug}/knobs", body=knob).status == 200

    def generation(self, user: str, slug: str) -> int:
        return int(self.site.token(user, slug)["access_token"]["generation"])

    def disconnect(self, user: str, slug: str) -> None:
        assert self.site.api("DELETE", f"/user_management/users/{user}/connected_accounts/{slug}").status == 204

    def by_people(self) -> None:
        site = self.site
        for path in ("/nobody/is/here", "/nor/here"):
            hook = {"endpoint_url": f"{site.stage.environ['STANDPIPE_URL']}{path}", "events": list(TYPES)}
            made = site.api("POST", "/webhook_endpoints", hook)
            assert made.status == 201, made.text
            assert site.api("PATCH", f"/webhook_endpoints/{made.json()['id']}", {"events": list(TYPES)}).status == 200
        for slug in ("github", "google"):
            assert site.api("POST", "/data-integrations", {"provider": slug, "enabled": True}).status == 201
        assert site.api("PUT", "/data-integrations/google", {"description": "Calendars"}).status == 200
        own = {"provider": "slack", "enabled": True, "credentials": {"client_id": "ours", "client_secret": "sealed at once"}}
        assert site.api("POST", "/data-integrations", own).status == 201
        assert site.api("GET", "/data-integrations").status == 200

        assert "connected" in self.connect("ana", "github")
        assert "status=connected" in self.connect("ben", "github", return_to=RETURN_TO)
        bound = self.connect("cem", "google", return_to=RETURN_TO, code_challenge=code_challenge(VERIFIER), code_challenge_method="S256")
        finished = site.api("POST", "/data-integrations/finish", {"connect_code": query_of(bound)["connect_code"][0], "code_verifier": VERIFIER})
        assert finished.status == 200, finished.text
        assert site.token("ana", "github")["active"]
        site.clock.ahead += timedelta(hours=9)
        refreshed = site.token("ana", "github")
        assert refreshed["access_token"]["generation"] == 2, refreshed
        assert site.token("nobody", "github")["error"] == "not_installed"

        self.knob("github", action="revoke_grant")
        ended = site.api("POST", "/data-integrations/github/token/rejected", {"user_id": "ana", "generation": 2}).json()
        assert ended["error"] == "needs_reauthorization", ended
        assert "connected" in self.connect("ana", "github")
        for slug in ("github", "google"):
            assert site.gateway("GET", "/simulator").status == 200
            self.knob(slug, behaviour="slow", seconds=0, times=1)
            self.knob(slug, action="reset")
        assert site.gateway("DELETE", "/simulator/hits").status == 200
        assert site.api("GET", "/user_management/users/ana/data_providers").status == 200
        assert site.engine.dashboard_connections.search(Filter(organization_id="org_1")).connections == []
        for user, slug in (("ana", "github"), ("ben", "github"), ("cem", "google")):
            self.disconnect(user, slug)
        assert site.api("DELETE", "/data-integrations/github").status == 204

    def by_the_clock(self, woken: Background) -> None:
        """What the schedule and the queues do, and what is left to them: answers the table did not take, events the topic did not take."""
        site = self.site
        api = wiring.engine()
        assert isinstance(api, Recorded)
        api.refuses = lambda service, *_: service == "sns"
        for user in ("dan", "eva", "fay", "gil", "ida"):
            assert "connected" in self.connect(user, "google")
        assert site.api("POST", "/data-integrations", {"provider": "salesforce", "enabled": True}).status == 201
        assert "connected" in self.connect("hal", "salesforce")
        self.knob("salesforce", action="revoke_grant")
        woken.row("ida", "google", "SET authority = :shared", shared="shared")  # as if the operator's credentials had gone since

        site.clock.ahead += timedelta(hours=9)
        api.refuses = stored_no_more_after(1)
        assert self.generation("gil", "google") == 2
        api.refuses = lambda *_: False

        woken.wake("sweep")
        sent = {message["provider"]: message for message in woken.messages("refresh")}
        message, of = sent["google"], {key[0].rpartition("#")[2]: key for key in sent["google"]["keys"]}
        woken.wake("refresh", sent["salesforce"])
        assert site.token("hal", "salesforce")["error"] == "needs_reauthorization"
        agenda, now = woken.stage.engine().agenda, site.clock()
        for place in range(4):
            assert agenda.take_slot("google", place, "another worker", now, now + timedelta(minutes=1))
        woken.wake("refresh", {**message, "keys": [of["dan"]]})  # every place is taken: it comes back later
        for place in range(4):
            agenda.leave_slot("google", place, "another worker")
        woken.wake("refresh", {**message, "keys": [of["dan"], of["ida"]]})
        woken.wake("refresh", {**message, "keys": [of["eva"], of["fay"]]}, stored_no_more_after(2))  # the two leases
        self.disconnect("fay", "google")
        rescued = woken.messages("rescue")
        assert len(rescued) == 3
        for each in rescued:
            woken.wake("rescue", each)
        assert [self.generation(user, "google") for user in ("dan", "eva", "gil")] == [2, 2, 2]

        woken.row("dan", "google", "REMOVE due_shard, refresh_due_at")
        woken.wake("repair")

    def ended_by_the_clock(self, woken: Background) -> None:
        unended = woken.messages("revoke")
        assert len(unended) == 2
        for each in unended:
            woken.wake("revoke", each)

    def told_over_http(self, woken: Background) -> None:
        """Nobody is at the two endpoints: the first call fails, and three days later one is paused, which is told to the other and to the topic."""
        site, waiting = self.site, woken.messages("webhook")
        first = waiting[0]
        woken.wake("webhook", first)
        site.clock.ahead += timedelta(days=4)
        woken.wake("webhook", {**first, "attempt": 2})
        (paused, other) = sorted(site.api("GET", "/webhook_endpoints").json()["data"], key=lambda each: str(each["status"]))
        assert (paused["id"], paused["status_reason"], other["status"]) == (first["endpoint"], "failing", "enabled")
        told = [message for message in woken.messages("webhook") if message["endpoint"] == other["id"]]
        assert told
        site.clock.ahead += timedelta(minutes=1)
        (event,) = site.api("GET", "/events?events=webhook_endpoint.paused").json()["data"]
        assert event["data"]["id"] == paused["id"]
        oldest = site.api("GET", "/events?limit=1").json()["data"][0]["id"]
        assert site.api("POST", f"/webhook_endpoints/{other['id']}/replay", {"after": oldest}).status == 202
        (replay,) = [message for message in woken.messages("webhook") if "until" in message]  # beside it lies the second try, if its ten seconds are over
        woken.wake("webhook", replay)
        assert len(woken.messages("webhook")) > 5
        for path in ("", "/deliveries"):
            assert site.api("GET", f"/webhook_endpoints/{other['id']}{path}").status == 200
        assert site.api("POST", f"/webhook_endpoints/{other['id']}/rotate_secret").status == 200
        assert site.api("DELETE", f"/webhook_endpoints/{other['id']}").status == 204
