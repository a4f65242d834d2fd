"""Every mounted route with every place an id can stand in, and everybody who may ask: what test_access_matrix.py is made of."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from chalicelib.domain.models import Owner
from chalicelib.engine.widget_tokens import MANAGE
from chalicelib.web import bodies, webhook_bodies
from chalicelib.web.edge import MOUNTED, Mounted
from tests.web.foreign import OURS, THEIRS, TRIO, Foreign, World
from tests.web.gateway import Answer
from tests.web.people import Site

# What an id in that place may be of. `slug` names a provider of the whole stage, and is no id; it is given ids all the same.
KINDS: dict[str, tuple[str, ...]] = {
    "user_id": ("user",),
    "organization_id": ("organization",),
    "connected_account_id": ("account",),
    "id": ("account",),
    "state": ("state",),
    "connect_code": ("connect_code",),
    "endpoint_id": ("endpoint",),
    "after": ("event", "endpoint", "delivery", "integration"),
    "before": ("event", "endpoint", "delivery", "integration"),
    "slug": ("integration", "configuration", "account"),
}
# What holds no id of ours, with something good where it is required.
PLAIN: dict[str, Any] = {
    "access_token": None, "account_display_name": None, "account_identifier": None, "api_key": None, "auth_methods": None, "client_id": "client", "client_secret": "a-secret-of-nobody",
    "code_challenge": None, "code_challenge_method": None, "code_verifier": "w" * 43, "config": None, "connection_intent": "add", "connection_owner": None, "credentials": None, "custom_provider": None,
    "description": None, "enabled": True, "endpoint_url": "https://hooks.example/x", "events": ["pipes.connected_account.connected"], "expires_at": None, "expires_in": None, "generation": 99, "limit": None,
    "min_ttl": None, "order": None, "organization_name": None, "ownership": None, "provider": "github", "range_end": None, "range_start": None, "refresh_token": None, "requireHandoff": None, "return_to": None,
    "scopes": None, "secret": "a-key-of-nobody", "status": None, "supports_multiple_connections": None, "user_display_name": None,
    # inside the three that are objects: a provider's own definition
    "type": None, "name": None, "authorization_url": None, "token_url": None, "refresh_token_url": None, "pkce_enabled": None, "request_scope_separator": None, "scopes_required": None,
    "client_secret_required": None, "additional_authorization_parameters": None, "token_body_content_type": None, "authenticate_via": None, "issuer": None, "revocation_url": None, "userinfo_url": None,
}  # fmt: skip
# Parameters of what is open to everybody: pages, the dashboard (a session of its own), the simulator.
OPEN = {"handle", "registration_id", "name", "proxy+", "reference", "key_id", "step", "slug", "endpoint_id", "id", "state", "user_id", "organization_id"}


@dataclass(frozen=True)
class Slot:
    place: str
    name: str
    required: bool
    is_word: bool = False
    """One of a few words of ours, so no id, whatever it is called."""

    @property
    def kinds(self) -> tuple[str, ...]:
        return () if self.is_word else KINDS.get(self.name.split(".")[-1], ())


def parameters_of(path: str) -> list[str]:
    return re.findall(r"\{([^}]+)\}", path)


def model_of(route: Mounted) -> type[BaseModel] | None:
    return getattr(bodies, route.body, None) or getattr(webhook_bodies, route.body) if route.body else None


def fields_of(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    for name, info in model.model_fields.items():
        yield f"{prefix}{name}", info
        for inner in (info.annotation, *getattr(info.annotation, "__args__", ())):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                yield from fields_of(inner, f"{prefix}{name}.")


def slots_of(route: Mounted) -> list[Slot]:
    found = [Slot("path", name, True) for name in parameters_of(route.path)] + [Slot("query", name, False) for name in route.query]
    model = model_of(route)
    return found + [Slot("body", name, info.is_required() and "." not in name, "Literal[" in str(info.annotation)) for name, info in fields_of(model)] if model else found


def closed(*callers: str) -> list[Mounted]:
    return [route for route in MOUNTED if route.caller in callers]


ROUTES = closed("api_key", "widget")


@dataclass(frozen=True)
class Caller:
    """Who asks: a credential, and as whom. `bound`: an API key of OURS alone."""

    name: str
    kind: str
    credential: str = field(repr=False)
    user: str = ""
    organization: str | None = None
    shared: bool = False
    bound: bool = False
    manages: bool = False

    def owner(self, route: Mounted) -> Owner:
        """Whose things the request is about."""
        organization = OURS if self.bound else self.organization
        if "{organization_id}" in route.path:
            return Owner(organization_id=organization or OURS)
        if self.kind == "widget" and is_management(route):
            return Owner(organization_id=organization)
        return Owner(organization_id=organization) if self.shared and has(route, "connection_owner") else Owner(user_id=self.user, organization_id=organization)


def has(route: Mounted, name: str) -> bool:
    return any(slot.name == name for slot in slots_of(route))


def is_management(route: Mounted) -> bool:
    return route.view.__module__.endswith("widgets_admin_api")


def callers(world: World) -> list[Caller]:
    site, victim, member, stranger = world.site, world.victim, world.member, world.stranger

    def widget(name: str, user: str, organization: str | None = None, *scopes: str) -> Caller:
        return Caller(f"widget of {name}", "widget", world.widget(user, organization, *scopes), user, organization, manages=MANAGE in scopes)

    return [
        Caller("key as another user", "api_key", site.key, member),
        Caller("key as nobody yet", "api_key", site.key, stranger),
        Caller("key as the same user elsewhere", "api_key", site.key, victim, OURS),
        Caller("key as another user in the organization", "api_key", site.key, member, THEIRS),
        Caller("key as another organization", "api_key", site.key, member, OURS, shared=True),
        Caller("bound key", "api_key", world.our_key, member, bound=True),
        Caller("bound key as the same user", "api_key", world.our_key, victim, OURS, bound=True),
        Caller("bound key as its organization", "api_key", world.our_key, member, OURS, shared=True, bound=True),
        widget("another user", member),
        widget("another organization", member, OURS),
        widget("another organization's administrator", member, OURS, MANAGE),
        widget("the same user elsewhere", victim, OURS),
        widget("the same user as administrator elsewhere", victim, OURS, MANAGE),
        widget("the same user without organization", victim),
        widget("another user in the organization", member, THEIRS),
        widget("an administrator of the organization", member, THEIRS, MANAGE),
    ]


def foreign_to(world: World, caller: Caller, route: Mounted) -> list[Foreign]:
    """What of the victim's is not the caller's to use on this route. An API key that is bound to nobody may name any user, and everything of the stage."""
    own = {caller.owner(route)}
    if caller.manages:
        own.add(Owner(organization_id=caller.organization))  # a flow of the organization's, on a member's route
    of_stage = () if caller.bound else ("user", "organization", "endpoint", "delivery", "event", "connect_code")
    return [each for each in world.foreign if each.owner not in own and each.kind not in of_stage and each.value != caller.user]


def pairs(world: World, caller: Caller, route: Mounted) -> Iterator[tuple[str, Slot, Foreign]]:
    """Every method, place and foreign id that a request of this caller can be made of."""
    for method in route.methods:
        for slot in slots_of(route):
            for theirs in foreign_to(world, caller, route):
                # The stage's providers are no secret from a key of the stage.
                if theirs.kind in slot.kinds and (slot.name == "slug" or theirs.kind != "integration" or caller.bound):
                    yield method, slot, theirs


def ask(world: World, caller: Caller, route: Mounted, method: str, **values: str) -> Answer:
    """The route with what it requires, as the caller, and these values in its slots (`place__name`)."""
    own = {"user_id": caller.user, "organization_id": caller.organization or OURS, "slug": TRIO, "endpoint_id": world.our_endpoint, "id": "x", "state": "x"}
    path, query, body = route.path, {}, dict[str, Any]()
    for slot in slots_of(route):
        value: Any = values.get(f"{slot.place}__{slot.name}")
        if slot.place == "path":
            path = path.replace(f"{{{slot.name}}}", quote(value or own[slot.name], safe=""))
        elif value is None and slot.name == "organization_id" and caller.organization is not None and caller.kind == "api_key":
            value = caller.organization
        elif value is None and (slot.required or slot.name in ("enabled", "user_id")):
            value = own.get(slot.name, PLAIN.get(slot.name, "x" * 50))
        elif value is None and slot.name == "connection_owner" and caller.shared:
            value = "organization"
        if slot.place == "query" and value is not None:
            query[slot.name] = value
        if slot.place == "body" and value is not None:
            *outer, name = slot.name.split(".")
            inner = body.setdefault(outer[0], {"secret": "a-key-of-nobody", "user_id": caller.user}) if outer else body
            inner[name] = value
    target = f"{path}?{urlencode(query)}" if query else path
    return world.site.gateway(method, target, headers={"Authorization": f"Bearer {caller.credential}"}, body=body if route.body else None)


def plain(answer: Answer, sent: str) -> tuple[int, str]:
    """An answer without what is new in every one: the id that was asked for, ids and secrets made by it, and its time."""
    text = answer.text.replace(sent, "(asked)").replace(quote(sent, safe=""), "(asked)")
    text = re.sub(r"eyJ[\w-]+\.[\w-]+\.[\w-]+", "(token)", text)
    text = re.sub(r"[0-9A-HJKMNP-TV-Z]{26}", "(ulid)", text)
    text = re.sub(r"[\w-]{43}", "(random)", text)
    return answer.status, re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "(time)", text)


Rows = dict[tuple[str, str], dict[str, Any]]


def rows_of(site: Site) -> Rows:
    return {(row["pk"], row["sk"]): row for row in site.rows()}


def as_it_was(world: World, before: Rows) -> None:
    """Forgets what a caller made of its own, so that the next request finds what this one found. Nothing that was there may have changed."""
    table = world.site.stage.table
    for pk, sk in rows_of(world.site).keys() - before.keys():
        world.site.engine.dynamodb.delete_item(TableName=table, Key={"pk": {"S": pk}, "sk": {"S": sk}})
