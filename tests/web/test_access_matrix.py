"""Rules R21, R25 and R27 over every route there is: whoever asks for what is somebody else's learns and changes as much as with an id nobody has.

Generated from the mounted routes. A route whose parameters, query or fields are in no class of matrix.py fails the first test.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import jwt
import pytest

from chalicelib.domain.models import Owner
from chalicelib.doors.keys import owner_partition
from chalicelib.engine.widget_tokens import AUDIENCE, MANAGE
from chalicelib.web.edge import MOUNTED
from tests.cloud import Cloud
from tests.dashboard.conftest import ACTOR, Administrator, cookie_of, exchange
from tests.sdk.peer import Machines
from tests.web.foreign import THEIRS, TRIO, Foreign, World, populated, random_like, signing_key
from tests.web.gateway import Answer
from tests.web.matrix import KINDS, OPEN, PLAIN, ROUTES, Caller, Slot, as_it_was, ask, callers, closed, foreign_to, has, is_management, pairs, parameters_of, plain, rows_of, slots_of
from tests.web.people import VERIFIER, Site, somebody


@pytest.fixture
def machines() -> Iterator[Machines]:
    server = Machines()
    yield server
    server.stop()


@pytest.fixture
def world(at_django: Site, machines: Machines) -> World:
    return populated(at_django, machines)


def test_every_route_is_in_a_class() -> None:
    """A new parameter, query or field says here whether it can name something of somebody."""
    for route in MOUNTED:
        assert route.caller in ("api_key", "widget", "anyone"), route.path
        if route.caller == "anyone":
            assert set(parameters_of(route.path)) <= OPEN and route.body is None, route.path
            continue
        for slot in slots_of(route):
            name = slot.name.split(".")[-1]
            assert (name in KINDS) != (name in PLAIN), f"{route.methods} {route.path}: {slot.place} {slot.name} is in no class"
        assert route.body is not None or not {"POST", "PUT", "PATCH"} & set(route.methods) or route.path.endswith("/rotate_secret"), route.path
    assert len(ROUTES) >= 50


def test_r25_somebody_elses_ids_are_answered_like_ids_nobody_has(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Every route, asked by every caller with every kind of foreign id: the same status and body as for a random one, nothing changed, nothing told."""
    site, wrong, asked, began = world.site, list[str](), 0, world.site.clock()
    everybody, first = callers(world), len(world.site.gateway.answers)
    before = rows_of(site)
    for caller, route in ((caller, route) for caller in everybody for route in closed(caller.kind)):
        randoms, reachable = dict[tuple[Any, ...], tuple[int, str]](), foreign_to(world, caller, route)

        def asked_with(method: str, slot: Slot, value: str) -> Answer:
            answer = ask(world, caller, route, method, **{f"{slot.place}__{slot.name}": value})
            if answer.status < 300 and method != "GET":
                as_it_was(world, before)
            return answer

        for method, slot, theirs in pairs(world, caller, route):
            where = f"{caller.name}: {method} {route.path} with {theirs.kind} of {theirs.owner} in {slot.place} {slot.name}"
            same = (method, slot, theirs.kind, theirs.value[-26:-16] if theirs.kind in ("event", "delivery") else None)
            if same not in randoms:
                nobodys = random_like(theirs, site.clock())
                randoms[same] = plain(asked_with(method, slot, nobodys), nobodys)
            answer, asked = asked_with(method, slot, theirs.value), asked + 1
            if plain(answer, theirs.value) != randoms[same]:
                wrong.append(f"{where}: {plain(answer, theirs.value)} is not {randoms[same]}")
            wrong += [f"{where}: tells {each.value}" for each in reachable if each.value in answer.text and each.kind != "integration" and each.value not in (theirs.value, THEIRS)]
        after = rows_of(site)
        changed = [key for key in after.keys() | before.keys() if after.get(key) != before.get(key)]
        # The caller's own account may have been used or named again: where only the acting user was foreign, that is what was asked for.
        wrong += [f"{caller.name}: {route.methods} {route.path} changed {key}" for key in changed if not (caller.bound and key[0] == owner_partition(caller.owner(route)))]
        before = after
    assert not wrong, "\n".join(wrong)
    assert asked > 1000
    said = "".join(answer.whole() for answer in site.gateway.answers[first:]) + capsys.readouterr().out
    assert [secret for secret in world.secrets if secret in said] == []
    # Nothing of it was lost by all this: what was parked can still be finished by the one it belongs to, in its ninety seconds, which a slow machine takes longer than.
    site.clock.ahead -= site.clock() - began
    assert site.api("POST", "/data-integrations/finish", {"connect_code": world.connect_code, "code_verifier": VERIFIER}).status == 200


def test_r25_the_same_ids_mean_something_to_their_owner(world: World) -> None:
    """What the matrix proves would be empty if these places were not looked at: an owner's own id is answered unlike a random one."""
    site, seen = world.site, set[str]()
    for route, method, slot in ((route, method, slot) for route in ROUTES for method in route.methods for slot in slots_of(route)):
        if slot.name not in ("connected_account_id", "id", "state", "endpoint_id") or slot.is_word or has(route, "connect_code"):
            continue
        for shared in (False, True) if has(route, "connection_owner") else (False,):
            user, organization = somebody(), f"org_{somebody()}"
            credential = site.key if route.caller == "api_key" else world.widget(user, organization, MANAGE)
            caller = Caller("the owner", route.caller, credential, user, organization, shared, manages=route.caller == "widget")
            owner = caller.owner(route) if "{organization_id}" not in route.path else Owner(organization_id=organization)
            kind = slot.kinds[0]
            make = {
                "account": lambda owner=owner, user=user: [world.account(owner, user) for _ in range(2)][1],
                "state": lambda owner=owner, user=user: world.flow(owner, user),
                "endpoint": world.endpoint,
            }
            value = make[kind]()
            nobodys = random_like(Foreign(kind, value, owner), site.clock())
            random = ask(world, caller, route, method, **{f"{slot.place}__{slot.name}": nobodys})
            answer = ask(world, caller, route, method, **{f"{slot.place}__{slot.name}": value})
            where = f"{method} {route.path} {slot.place} {slot.name} of {owner}: {answer.status} {answer.text[:200]}"
            if answer.status == 422 and {"field": slot.name, "code": "not_allowed"} in answer.json().get("errors", []):
                continue  # said whatever the id is
            assert plain(answer, value) != plain(random, nobodys), where
            assert random.status == 404 or kind == "state", where
            seen.add(kind)
    assert seen == {"account", "state", "endpoint"}


def test_r25_a_bound_key_reaches_no_other_organization_and_nothing_of_the_stage(world: World) -> None:
    caller = Caller("bound key", "api_key", world.our_key, world.member, bound=True)
    places = 0
    for route, method in ((route, method) for route in closed("api_key") for method in route.methods):
        if route.stage_wide:
            refused = ask(world, caller, route, method)
            assert (refused.status, refused.json()["code"]) == (403, "organization_bound_key"), route.path
            continue
        for slot in (slot for slot in slots_of(route) if slot.name == "organization_id"):
            answer, places = ask(world, caller, route, method, **{f"{slot.place}__{slot.name}": THEIRS}), places + 1
            found = (answer.status, answer.json().get("code"), answer.json().get("data"))
            assert found in ((404, "organization_not_found", None), (200, None, [])), f"{method} {route.path} {found}"
    assert places >= 15
    listed = site_ids(world.site.api("GET", "/webhook_endpoints", key=world.our_key))
    assert listed == [world.our_endpoint]


def site_ids(answer: Answer) -> list[str]:
    return [each["id"] for each in answer.json()["data"]]


def signed(claims: dict[str, Any], secret: str, key_id: str, algorithm: str = "HS256") -> str:
    return jwt.encode(claims, secret, algorithm=algorithm, headers={"kid": key_id})


def bad_tokens(world: World, cloud: Cloud) -> dict[str, str | None]:
    """Authorization headers that look like a widget token of the victim, an administrator's, but for one thing."""
    good = world.widget(world.victim, THEIRS, MANAGE)
    key_id, secret = signing_key(world.site)
    claims = jwt.decode(good, options={"verify_signature": False})
    assert signed(claims, secret, key_id) != "" and jwt.decode(good, secret, algorithms=["HS256"], audience=AUDIENCE)
    past = int((world.site.clock() - timedelta(seconds=1)).timestamp())
    head, body, signature = good.split(".")
    tokens = {
        "expired": signed({**claims, "exp": past}, secret, key_id),
        "of another issuer": signed({**claims, "iss": "https://other.example"}, secret, key_id),
        "of another stage": cloud.stage().engine().widget_tokens.mint(world.victim, THEIRS, (MANAGE,)).reveal(),
        "for another audience": signed({**claims, "aud": "standpipe:dashboard"}, secret, key_id),
        "for two audiences without ours": signed({**claims, "aud": ["a", "b"]}, secret, key_id),
        "signed by another key": signed(claims, "x" * 43, key_id),
        "signed by the id of the key": signed(claims, key_id, key_id),
        "of an unknown key": signed(claims, secret, "widget_key_01ZZZZZZZZZZZZZZZZZZZZZZZZ"),
        "of no key": jwt.encode(claims, secret, algorithm="HS256"),
        "alg none": jwt.encode(claims, None, algorithm="none", headers={"kid": key_id}),
        "alg none with the signature": f"{jwt.encode(claims, None, algorithm='none', headers={'kid': key_id})}{signature}",
        "another algorithm": signed(claims, secret, key_id, "HS512"),
        "cut": good[:-1],
        "without signature": f"{head}.{body}.",
        "with other claims": f"{head}.{good.split('.')[1][:-4]}AAAA.{signature}",
        "permissions as text": signed({**claims, "permissions": MANAGE}, secret, key_id),
        "a number as person": signed({**claims, "sub": 7}, secret, key_id),
        **{f"without {name}": signed({each: value for each, value in claims.items() if each != name}, secret, key_id) for name in ("exp", "iat", "sub", "aud", "iss", "permissions")},
        "an API key": world.site.key,
        "a bound API key": world.their_key,
        "too long": good + "A" * 8192,
        "not ASCII": "é" * 20,
    }
    return {"none": None, "empty": "", "another scheme": f"Basic {good}", "no scheme": good, **{name: f"Bearer {token}" for name, token in tokens.items()}}


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_r27_every_widget_route_refuses_every_bad_token_alike(world: World, cloud: Cloud) -> None:
    site, accepted = world.site, list[str]()
    bad, before = bad_tokens(world, cloud), rows_of(site)
    account = next(each.value for each in world.foreign if each.kind == "account")
    for route, method in ((route, method) for route in closed("widget") for method in route.methods):
        path = re.sub(r"\{(\w+)\}", lambda found: {"slug": TRIO, "id": account}.get(found[1], "x"), route.path)
        alike = set()
        for name, header in bad.items():
            answer = site.gateway(
                method, f"{path}?access_token={quote(world.site.key)}", headers={"Origin": "https://app.example", **({"Authorization": header} if header is not None else {})}, body={}
            )
            if answer.status != 403:
                accepted.append(f"{method} {route.path} {name}: {answer.status}")
            alike.add(answer.body)
            assert set(answer.json()) == {"message", "code"} and answer.json()["code"] == "invalid_widget_token", f"{path} {name}"
            assert answer.one("Access-Control-Allow-Origin") == "*" and answer.one("Cache-Control") == "no-store" and "access-control-allow-credentials" not in answer.headers
        assert len(alike) == 1, path
        preflight = site.gateway("OPTIONS", path, headers={"Origin": "https://app.example", "Access-Control-Request-Method": method})
        assert preflight.status == 204 and preflight.one("Access-Control-Allow-Origin") == "*" and method in preflight.one("Access-Control-Allow-Methods"), path
    assert accepted == [] and rows_of(site) == before
    assert site.gateway("GET", "/_widgets/settings", headers={"Authorization": f"Bearer {world.widget(world.victim)}"}).status == 200


def test_r27_managing_needs_the_scope_and_an_organization(world: World) -> None:
    """For every route of the administrators' widget and for no other; said before anything is looked at."""
    site = world.site
    member, nowhere = world.widget(world.member, THEIRS), signed_for(world, {"sub": world.member, "permissions": [MANAGE]})
    before = rows_of(site)
    for route, method in ((route, method) for route in closed("widget") for method in route.methods):
        for token in (member, nowhere):
            answer = ask(world, Caller("", "widget", token, world.member, THEIRS), route, method)
            assert (answer.status == 403 and answer.json()["code"] == "missing_permission") == is_management(route), f"{method} {route.path} {answer.text}"
            if is_management(route):
                assert rows_of(site) == before
            else:
                as_it_was(world, before)


def signed_for(world: World, claims: dict[str, Any]) -> str:
    """A good token with claims that the API does not give."""
    key_id, secret = signing_key(world.site)
    now = int(world.site.clock().timestamp())
    return signed({"iss": world.site.stage.environ["STANDPIPE_URL"], "aud": AUDIENCE, "iat": now, "exp": now + 600, "jti": "x", **claims}, secret, key_id)


def test_r24_every_route_of_the_api_refuses_every_other_credential_alike(world: World, cloud: Cloud) -> None:
    site = world.site
    record, revoked = site.engine.api_keys.create("revoked", THEIRS)
    assert site.engine.api_keys.revoke(record.id)
    elsewhere = cloud.stage().engine().api_keys.create("elsewhere")[1]
    headers = [
        None,
        "",
        f"Bearer {revoked}",
        f"Bearer {elsewhere}",
        f"Bearer {site.key[:-1]}",
        f"Bearer {world.widget(world.victim, THEIRS, MANAGE)}",
        f"Basic {site.key}",
        f"Bearer {world.connect_code}",
    ]
    before, bodies_seen = rows_of(site), set()
    for route, method in ((route, method) for route in closed("api_key") for method in route.methods):
        path = re.sub(r"\{(\w+)\}", lambda found: {"slug": TRIO, "user_id": world.victim, "organization_id": THEIRS}.get(found[1], "x"), route.path)
        for header in headers:
            answer = site.gateway(method, f"{path}?api_key={site.key}", headers={} if header is None else {"Authorization": header}, body={"user_id": world.victim})
            assert answer.status == 401 and answer.one("WWW-Authenticate"), f"{method} {path}"
            bodies_seen.add(answer.body)
    assert len(bodies_seen) == 1 and rows_of(site) == before


def test_r25_a_credential_makes_no_difference_where_none_is_wanted(world: World) -> None:
    """Pages, files, the dashboard: an API key or a widget token opens none of them, and ids of connections mean nothing in their paths."""
    site, widget = world.site, world.widget(world.victim, THEIRS, MANAGE)
    before, ids = rows_of(site), [(each.value, random_like(each, site.clock())) for each in world.foreign if each.kind in ("account", "endpoint", "pending", "state", "connect_code")]
    for route, method in ((route, method) for route in closed("anyone") for method in route.methods if "/simulator" not in route.path):
        for theirs, nobodys in ids if parameters_of(route.path) else ids[:1]:
            told = set()
            for value in (theirs, nobodys):
                path = re.sub(r"\{[^}]+\}", quote(value, safe=""), route.path)
                for headers in ({}, {"Authorization": f"Bearer {site.key}"}, {"Authorization": f"Bearer {widget}"}):
                    answer = site.gateway(method, path, headers=headers, body={})
                    told.add(plain(answer, value))
                    assert answer.status >= 400 or "/dashboard/api" not in route.path or method == "OPTIONS", path
            assert len(told) == 1, f"{method} {route.path} {told}"
    counted = {key: row for key, row in rows_of(site).items() if not key[0].startswith("dashboard_refusals#")}  # a sign-in that failed is counted
    assert counted == before


def test_r21_no_widget_and_no_dashboard_answers_a_secret(world: World) -> None:
    """Everything the owner, the organization's administrator and the stage's own can look at or change there, and not eight characters of any secret."""
    site = world.site
    first = len(site.gateway.answers)
    statuses: dict[str, set[int]] = {}
    world.machines.clients["client"] = "a-secret-of-nobody"
    world.secrets += ["a-secret-of-nobody", "a-key-of-nobody"]
    olga = Administrator(site, site.browser())
    olga.browser.cookies |= cookie_of(exchange(site, site.engine.sign_in.mint(ACTOR, "administrator")))
    references = [each["reference"] for each in olga.get("/connections")["connections"]]
    endpoint = next(each.value for each in world.foreign if each.kind == "endpoint")
    for route in (route for route in closed("anyone") if route.path.startswith("/dashboard/api/") and route.methods == ("GET",)):
        for reference in references if "{reference}" in route.path else references[:1]:
            path = route.path.replace("{reference}", reference).replace("{slug}", TRIO).replace("{endpoint_id}", endpoint)
            statuses.setdefault(route.path, set()).add(olga.browser("GET", path).status)
    for organization, scopes in ((None, ()), (THEIRS, (MANAGE,))):
        caller = Caller("the owner", "widget", world.widget(world.victim, organization, *scopes), world.victim, organization, manages=bool(scopes))
        for route in sorted(closed("widget"), key=lambda route: "DELETE" in route.methods):
            slots = [slot for slot in slots_of(route) if slot.name in ("id", "connected_account_id", "state")]
            asked = [{}, *({f"{slot.place}__{slot.name}": each.value} for slot in slots for each in world.foreign if each.kind in slot.kinds)]
            statuses[f"{route.methods} {route.path}"] = statuses.get(f"{route.methods} {route.path}", set()) | {ask(world, caller, route, route.methods[0], **more).status for more in asked}
    # Everything was answered in full at least once.
    assert [name for name, seen in statuses.items() if 200 not in seen] == [] and len(statuses) >= 25
    for answer in site.gateway.answers[first:]:
        for secret in world.secrets:
            assert secret[:8] not in answer.text and secret[-8:] not in answer.text, f"{answer.request} {answer.text[:300]}"
