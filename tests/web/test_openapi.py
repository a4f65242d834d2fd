"""GET /openapi.json: valid, in step with the routes both ways, and true of what is answered."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from chalicelib.domain.models import Owner
from chalicelib.engine.widget_tokens import MANAGE
from chalicelib.web import openapi
from chalicelib.web.edge import MOUNTED, Mounted
from tests.cloud import ROOT, Cloud
from tests.sdk.peer import Machines
from tests.web.documented import Document, Watched
from tests.web.foreign import TRIO, World, populated
from tests.web.matrix import ROUTES, Caller, Slot, ask, slots_of
from tests.web.people import VERIFIER, Site, somebody


@pytest.fixture
def document(site: Site) -> Document:
    answer = site.gateway("GET", "/openapi.json")
    assert answer.status == 200 and answer.one("Content-Type") == "application/json" and answer.one("Cache-Control") == "no-store"
    return Document(answer.json())


def test_it_is_valid_and_open_to_everybody(document: Document) -> None:
    assert list(OpenAPIV31SpecValidator(document.whole).iter_errors()) == []
    assert document.whole["openapi"].startswith("3.1.") and document.whole["servers"] == [{"url": "http://localhost:8000"}]


def test_its_address_is_the_configured_one_whatever_the_request_says(site: Site) -> None:
    answer = site.gateway("GET", "/openapi.json", headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
    assert "evil" not in answer.text and answer.json()["servers"] == [{"url": site.stage.environ["STANDPIPE_URL"]}]


def test_it_has_every_route_of_the_api_and_no_other(site: Site, document: Document) -> None:
    """By what the routes do: whatever wants a key or a widget token, or answers JSON to a stranger, is in the file."""
    wanted = set()
    for resource, methods in site.gateway.app.routes.items():
        for method in methods:
            answer = site.gateway(method, re.sub(r"\{[^}]+\}", "x", resource))
            said = answer.json() if answer.headers.get("content-type") == ["application/json"] and answer.body else {}
            if "www-authenticate" in answer.headers or said.get("code") == "invalid_widget_token" or answer.status == 200 and said and method == "GET":
                wanted.add((method, resource))
    assert document.operations == wanted
    assert len(wanted) >= 60


def test_every_operation_is_described_in_full(document: Document) -> None:
    names = set()
    for path, methods in document.whole["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert operation["operationId"] not in names and re.fullmatch(r"[a-z_]+", operation["operationId"]), where
            names.add(operation["operationId"])
            assert operation["summary"].endswith(".") and len(operation["summary"]) > 8, where
            (success,) = [status for status in operation["responses"] if status < "400"]
            assert ("content" in operation["responses"][success]) == (success != "204"), where
            assert {"500"} < set(operation["responses"]), where
            (security,) = operation["security"] or [{}]
            assert set(security) == ({"widgetToken"} if path.startswith("/_widgets/") else set() if path in ("/healthz", "/openapi.json") else {"apiKey"}), where
    routes = {(method, route.path): route for route in MOUNTED for method in route.methods}
    with_keys = {(method, path) for method, path in document.operations if any(each["name"] == "Idempotency-Key" for each in document.whole["paths"][path][method.lower()]["parameters"])}
    assert with_keys == {operation for operation in document.operations if routes[operation].creates} and len(with_keys) >= 5


def test_every_shape_and_every_body_is_used() -> None:
    """A name in `route(...)` that nothing has would fail the making of the file; a type that no route names is left over."""
    known = set(openapi.schemas())
    kept = {name for module in openapi.SHAPES for name, each in vars(module).items() if hasattr(each, "__total__") and each.__module__ == module.__name__}
    assert kept - known == {"ShownAccount"}  # the part that accounts and the widget's accounts have in common
    assert {route.body for route in ROUTES if route.body} <= known


@pytest.fixture
def machines() -> Iterator[Machines]:
    server = Machines()
    yield server
    server.stop()


@pytest.fixture
def walked(at_django: Site, machines: Machines, document: Document) -> tuple[World, Watched]:
    """A stage with something of everything, whose answers are watched from the first request."""
    watched = Watched(document)
    at_django.gateway = watched
    return populated(at_django, machines), watched


def owners(world: World, kind: str) -> Iterator[Caller]:
    """New people who may do everything: personally, in an organization, and for it."""
    user, organization = somebody(), f"org_{somebody()}"
    if kind == "api_key":
        yield Caller("the application", kind, world.site.key, user)
        yield Caller("the application for an organization", kind, world.site.key, user, organization, shared=True)
    else:
        yield Caller("a person", kind, world.widget(user), user)
        yield Caller("an administrator", kind, world.widget(user, organization, MANAGE), user, organization, manages=True)


def own(world: World, caller: Caller, route: Mounted, slot: Slot) -> list[str]:
    """What the caller may put there: something of its own, made for this, or a word that fits nothing."""
    owner = caller.owner(route)
    if slot.is_word or owner == Owner():
        return []
    if slot.kinds == ("account",):
        return [world.account(owner, caller.user) for _ in range(2)]
    if slot.kinds == ("endpoint",):
        return [world.endpoint()]
    return [world.flow(owner, caller.user)] if slot.kinds == ("state",) else ["nothing"] if slot.name == "slug" else []


def what_is_made_in_order(world: World) -> None:
    """What needs something before it: a flow to finish, events to send again, a data integration that nobody uses, a key's and a machine's credential."""
    world.call("POST", "/data-integrations/finish", {"connect_code": world.connect_code, "code_verifier": VERIFIER})
    told = world.call("GET", "/events?limit=1")["data"][0]["id"]
    world.call("GET", "/events?order=desc&limit=100")
    world.call("POST", f"/webhook_endpoints/{world.endpoint()}/replay", {"after": told}, status=202)
    for ownership, path in (("user", ""), ("organization", "/organization")):
        world.call("POST", "/data-integrations", {"provider": "zoom", "ownership": ownership}, status=201)
        world.call("DELETE", f"/data-integrations/zoom{path}", status=204)
    for owner in (Owner(user_id=somebody()), Owner(organization_id=somebody())):
        acting = owner.user_id or somebody()
        whose = {"user_id": acting, "organization_id": owner.organization_id, "connection_owner": "user" if owner.user_id else "organization"}
        for account in (world.account(owner, acting), *world.entered(owner, acting)):
            world.call("POST", f"/data-integrations/{TRIO}/credentials", {**whose, "connected_account_id": account})
    for path in ("/healthz", "/openapi.json"):
        world.call("GET", path)


def test_every_answer_of_a_walk_through_the_api_is_as_the_file_says(walked: tuple[World, Watched], document: Document) -> None:
    """Every operation, done well at least once, and refused in many ways on the way."""
    world, watched = walked
    world.machines.clients["client"] = "a-secret-of-nobody"
    for route, caller in ((route, caller) for route in ROUTES for caller in owners(world, route.caller)):
        ask(world, caller, route, route.methods[0])
        for more in ({f"{slot.place}__{slot.name}": value} for slot in slots_of(route) for value in own(world, caller, route, slot)):
            ask(world, caller, route, route.methods[0], **more)
    what_is_made_in_order(world)
    assert watched.problems == []
    missing = {operation for operation in document.operations if not any(status < 300 for status in document.seen.get(operation, ()))}
    assert sorted(missing) == []
    assert sum(len(statuses) for statuses in document.seen.values()) >= 100, "refusals are answers too"


FETCH = """
import json, sys
from tests.web.gateway import Gateway

answer = Gateway()("POST", "/data-integrations/github/token", headers={"Authorization": f"Bearer {sys.argv[1]}"}, body={"user_id": "u1"})
print(json.dumps([answer.status, sorted(name for name in sys.modules if name.startswith("chalicelib.web.")), "pydantic" in sys.modules]))
"""


def test_a_fetch_of_a_token_imports_neither_the_file_nor_the_shapes(site: Site, cloud: Cloud) -> None:
    """A fresh container's first answer does not wait for what only people's tools want."""
    assert site.api("POST", "/data-integrations", {"provider": "github", "enabled": True}).status == 201
    environ = {**os.environ, **cloud.environ, **site.stage.environ, "PYTHONPATH": str(ROOT)}
    made = {"access_token": "made-elsewhere", "user_id": "u1"}
    assert site.api("POST", "/user_management/users/u1/connected_accounts/github", made).status == 201
    ran = subprocess.run([sys.executable, "-c", FETCH, site.key], env=environ, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    status, modules, pydantic = json.loads(ran.stdout.splitlines()[-1])
    assert status == 200 and "chalicelib.web.wire" in modules
    assert [name for name in modules if "openapi" in name or "shapes" in name] == [] and not pydantic
