"""Least privilege, held against what the code does: everything it asks of AWS in a whole life is allowed, and nothing is allowed that it never asks."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from chalicelib import wiring
from ops import keys
from tests.cloud import Cloud, Stage, free_port
from tests.ops.iam import ACCOUNT, REGION, Call, Role, calls_of
from tests.simulator.conftest import Form
from tests.web.gateway import Gateway
from tests.web.people import VERIFIER, Clock, Site, query_of

RETURN_TO = "https://app.example/connected"
# Asked by Lambda itself, which writes a function's output to its log with the function's role.
BY_LAMBDA = {"logs:CreateLogStream", "logs:PutLogEvents"}
# Asked only when the table or a provider fails (tests/engine/test_rescue.py), which nothing does in this life.
IN_NEED = {"sqs:SendMessage"}


@contextmanager
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Call]]:
    """Every call of every client made meanwhile, as IAM would see it."""
    calls: list[Call] = []
    make = wiring.Engine.client

    def record(params: dict[str, Any], model: Any, **_: Any) -> None:
        calls.extend(calls_of(model.service_model.service_name, model.name, params))

    def client(self: wiring.Engine, service: str) -> Any:
        made = make(self, service)
        made.meta.events.register("before-parameter-build", record)
        return made

    with monkeypatch.context() as patch:
        patch.setattr(wiring.Engine, "client", client)
        yield calls


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

    def live(self) -> None:
        site = self.site
        for slug in ("github", "google"):
            assert site.api("POST", "/data-integrations", {"provider": slug, "enabled": True}).status == 201
        assert site.api("PUT", "/data-integrations/google", {"description": "Calendars"}).status == 200
        own = {"provider": "slack", "enabled": True, "credentials": {"client_id": "ours", "client_secret": "sealed at once"}}
        assert site.api("POST", "/data-integrations", own).status == 201
        assert site.api("GET", "/data-integrations").status == 200

        assert "connected" in self.connect("ana", "github")
        assert "status=connected" in self.connect("ben", "github", return_to=RETURN_TO)
        from chalicelib.doors.oauth import code_challenge

        bound = self.connect("cem", "google", return_to=RETURN_TO, code_challenge=code_challenge(VERIFIER), code_challenge_method="S256")
        finished = site.api("POST", "/data-integrations/finish", {"connect_code": query_of(bound)["connect_code"][0], "code_verifier": VERIFIER})
        assert finished.status == 200, finished.text
        assert site.token("ana", "github")["active"]
        site.clock.ahead = timedelta(hours=9)
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
        for user, slug in (("ana", "github"), ("ben", "github"), ("cem", "google")):
            assert site.api("DELETE", f"/user_management/users/{user}/connected_accounts/{slug}").status == 204
        assert site.api("DELETE", "/data-integrations/github").status == 204


MODES = ["audited", "bound", "shared"]


@pytest.fixture(scope="module")
def lives(cloud: Cloud) -> Iterator[list[tuple[Stage, list[Call]]]]:
    """A whole life in each mode of sealing, and the calls it made."""
    found = []
    with pytest.MonkeyPatch.context() as patch:
        clock, gateway = Clock(), Gateway()
        patch.setattr(wiring, "now", clock)
        for mode in MODES:
            port = free_port()
            stage = cloud.stage(STANDPIPE_URL=f"http://localhost:{port}", STANDPIPE_ENCRYPTION=mode, STANDPIPE_RETURN_URLS=RETURN_TO)
            for name, value in stage.environ.items():
                patch.setenv(name, value)
            clock.ahead = timedelta()
            key = keys.create("tests", stage.environ)  # by the operator, not by the role
            with recorded(patch) as calls, gateway.served(port):
                wiring.engine.cache_clear()
                Life(Site(stage, gateway, clock, key)).live()
            wiring.engine.cache_clear()
            found.append((stage, calls))
        yield found


def role_of(stage: Stage, environment: str = "sandbox", **changes: str) -> Role:
    return Role("ApiRole", **{"stage": stage.environ["STANDPIPE_STAGE"], "environment": environment, "key_arn": stage.environ["STANDPIPE_KEY_ARN"], **changes})


@pytest.mark.parametrize("mode", MODES)
def test_everything_a_stage_asks_of_aws_is_allowed_by_its_role(lives: list[tuple[Stage, list[Call]]], mode: str) -> None:
    stage, calls = lives[MODES.index(mode)]
    role = role_of(stage)
    assert calls
    assert [call for call in calls if not role.allows(call)] == []


def test_production_needs_no_more_than_its_smaller_role(lives: list[tuple[Stage, list[Call]]]) -> None:
    """Shared credentials are the one thing that only a sandbox has."""
    for stage, calls in lives:
        role = role_of(stage, "production")
        refused = {call.action for call in calls if not role.allows(call)}
        assert refused == {"ssm:GetParameter"}


@pytest.mark.parametrize("environment", ["sandbox", "production"])
def test_nothing_is_granted_that_nothing_asks_for(lives: list[tuple[Stage, list[Call]]], environment: str) -> None:
    for stage, calls in lives:
        role = role_of(stage, environment)
        used = set().union(*(role.used_by(call) for call in calls))
        assert {grant for grant in role.grants() if grant not in used and grant[0] not in BY_LAMBDA | IN_NEED} == set()


@pytest.mark.parametrize("environment", ["sandbox", "production"])
def test_what_would_reach_further_is_refused(lives: list[tuple[Stage, list[Call]]], environment: str) -> None:
    stage, calls = lives[0]
    role = role_of(stage, environment)
    name, key = stage.environ["STANDPIPE_STAGE"], stage.environ["STANDPIPE_KEY_ARN"]
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/standpipe-"
    own, other = {"kms:EncryptionContext:standpipe:stage": name}, {"kms:EncryptionContext:standpipe:stage": "other"}
    assert role.allows(Call("dynamodb:GetItem", f"{table}{name}")) and role.allows(Call("kms:Decrypt", key, own))
    for action in ("DeleteTable", "UpdateTable", "Scan", "PartiQLSelect", "ExportTableToPointInTime", "RestoreTableToPointInTime", "UpdateTimeToLive", "CreateBackup", "DescribeStream"):
        assert not role.allows(Call(f"dynamodb:{action}", f"{table}{name}")), action
    # Another stage's table, also one whose name begins alike; no index but the one that is read.
    for resource in (f"{table}other", f"{table}{name}-2", f"{table}{name}/index/due", f"{table}other/index/registration"):
        for action in ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query"):
            assert not role.allows(Call(f"dynamodb:{action}", resource)), (action, resource)
    assert not role.allows(Call("kms:Decrypt", key.replace(key[-12:], "000000000000"), own))
    for context in (other, {}, {"kms:EncryptionContext:stage": name}):
        assert not role.allows(Call("kms:Decrypt", key, context))
        assert not role.allows(Call("kms:GenerateDataKey", key, context))
    for action in ("ScheduleKeyDeletion", "DisableKey", "PutKeyPolicy", "CreateGrant", "Encrypt", "ReEncryptFrom"):
        assert not role.allows(Call(f"kms:{action}", key, own)), action
    shared = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/standpipe/shared/github"
    assert role.allows(Call("ssm:GetParameter", shared)) is (environment == "sandbox")
    for call in (Call("ssm:GetParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/other"), Call("ssm:PutParameter", shared), Call("iam:PassRole", "*"), Call("sts:AssumeRole", "*")):
        assert not role.allows(call), call


def test_every_blob_names_its_stage_and_no_person_to_the_key_service(lives: list[tuple[Stage, list[Call]]]) -> None:
    for stage, calls in lives:
        contexts = [call.context for call in calls if call.action.startswith("kms:")]
        assert contexts
        assert {context["kms:EncryptionContext:standpipe:stage"] for context in contexts} == {stage.environ["STANDPIPE_STAGE"]}
        assert not any(name in json.dumps(contexts) for name in ('"ana"', '"ben"', "octocat", "@"))


def test_keys_are_made_by_the_operator_with_calls_of_their_own(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `make key` asks for is what docs/deploy.md says an operator needs."""
    stage = cloud.stage()
    with recorded(monkeypatch) as calls:
        made = keys.create("for the docs", stage.environ)
        keys.listed(stage.environ)
        assert keys.revoke(made.split("_")[1], stage.environ)
    assert {call.action for call in calls} == {"dynamodb:PutItem", "dynamodb:Query", "dynamodb:GetItem", "dynamodb:UpdateItem"}
    assert {call.resource for call in calls} == {f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{stage.table}"}
