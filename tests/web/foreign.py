"""Two owners who know nothing of each other: everything one of them has, by the kind of its id, and everything secret about it.

Rule: made through the API as an application makes it, but for what only a provider or the queue could make.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chalicelib.domain import ids
from chalicelib.domain.models import Owner
from chalicelib.domain.webhooks import Delivery
from chalicelib.doors.widget_keys import WidgetKeys
from chalicelib.engine.widget_tokens import key_facts
from tests.sdk.peer import Machines
from tests.web.people import Site, somebody
from tests.web.test_connect_rules import parked

TRIO = "trio"  # a provider with every way to connect
METHODS = ["oauth", "api_key", "client_credentials"]
OURS, THEIRS = "org_ours", "org_theirs"


@dataclass(frozen=True)
class Foreign:
    """One id of somebody: its kind, and whose it is."""

    kind: str
    value: str
    owner: Owner


@dataclass
class World:
    """`victim` has something of everything, personally, within THEIRS, and shared in THEIRS; `others` are people besides."""

    site: Site
    machines: Machines
    victim: str = field(default_factory=somebody)
    member: str = field(default_factory=somebody)
    stranger: str = field(default_factory=somebody)
    foreign: list[Foreign] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    our_key: str = field(default="", repr=False)
    their_key: str = field(default="", repr=False)
    our_endpoint: str = ""
    connect_code: str = field(default="", repr=False)

    def secret(self, word: str) -> str:
        """A new one, which no answer may hold."""
        self.secrets.append(f"{uuid.uuid4().hex[:10]}-canary-{word}-{uuid.uuid4().hex[:10]}")
        return self.secrets[-1]

    def call(self, method: str, path: str, body: Any = None, *, key: str | None = None, status: int = 200) -> dict[str, Any]:
        answer = self.site.api(method, path, body, key=key)
        assert answer.status == status, f"{method} {path} {answer.text}"
        return dict(answer.json()) if answer.body else {}

    def account(self, owner: Owner, acting: str) -> str:
        """An account brought from elsewhere; the first of an owner at this provider, or one more."""
        place = f"/user_management/users/{owner.user_id}" if owner.user_id else f"/organizations/{owner.organization_id}"
        query = f"?organization_id={owner.organization_id}" if owner.user_id and owner.organization_id else ""
        body = {"access_token": self.secret("access"), "refresh_token": self.secret("refresh"), "expires_at": "2099-01-01T00:00:00Z", "connection_intent": "add", "user_id": acting}
        return str(self.call("POST", f"{place}/connected_accounts/{TRIO}{query}", body, status=201)["id"])

    def entered(self, owner: Owner, acting: str) -> Iterator[str]:
        """An account by an API key, and one by client credentials."""
        body = {"user_id": acting, "organization_id": owner.organization_id, "connection_owner": "user" if owner.user_id else "organization", "connection_intent": "add"}
        yield self.call("POST", f"/data-integrations/{TRIO}/api-key", {**body, "secret": self.secret("key")}, status=201)["id"]
        client, secret = f"machine-{uuid.uuid4().hex}", self.secret("machine")
        self.machines.clients[client] = secret
        yield self.call("POST", f"/data-integrations/{TRIO}/client-credentials", {**body, "client_id": client, "client_secret": secret}, status=201)["id"]

    def flow(self, owner: Owner, acting: str) -> str:
        """The state of a flow that was begun."""
        more = {"organization_id": owner.organization_id, "connection_owner": "user" if owner.user_id else "organization"}
        return str(self.site.authorize(acting, TRIO, **more)["state"])

    def widget(self, user: str, organization: str | None = None, *scopes: str) -> str:
        body = {"user_id": user, "scopes": list(scopes), **({"organization_id": organization} if organization else {})}
        return str(self.call("POST", "/widgets/token", body, status=201)["token"])

    def endpoint(self, key: str | None = None) -> str:
        made = self.call("POST", "/webhook_endpoints", {"endpoint_url": f"https://hooks.example/{somebody()}", "events": ["pipes.connected_account.connected"]}, key=key, status=201)
        self.secrets.append(made["secret"])
        return str(made["id"])

    def delivery(self, endpoint_id: str) -> str:
        now = self.site.clock()
        told = Delivery(id=f"delivery_{ids.ulid(now)}", endpoint_id=endpoint_id, event_id=f"event_{ids.ulid(now)}", event="pipes.connected_account.connected", attempt=1, outcome="delivered", at=now)
        self.site.engine.webhook_rows.record(told)
        return told.id


def configured(site: Site, machines: Machines) -> World:
    """A stage with the provider, for users and for organizations, and with nobody yet."""
    world = World(site, machines)
    endpoints = {"name": "Trio", "authorization_url": f"{machines.url}/authorize", "token_url": machines.token_url}
    for ownership in ("user", "organization"):
        client = {"type": "custom", "client_id": "client-of-trio", "client_secret": world.secret("client")}
        world.call("POST", "/data-integrations", {"provider": TRIO, "ownership": ownership, "enabled": True, "custom_provider": endpoints, "auth_methods": METHODS, "credentials": client}, status=201)
    return world


def populated(site: Site, machines: Machines) -> World:
    """With everything."""
    world = configured(site, machines)
    engine, stage = site.engine, Owner()
    world.our_key, world.their_key = (engine.api_keys.create(name, name)[1] for name in (OURS, THEIRS))
    world.secrets += [world.our_key, world.their_key, site.key, signing_key(site)[1]]
    personal, within, shared = Owner(user_id=world.victim), Owner(user_id=world.victim, organization_id=THEIRS), Owner(organization_id=THEIRS)
    for owner in (personal, within, shared):
        accounts = [world.account(owner, world.victim), *(world.entered(owner, world.victim) if owner != within else ())]
        world.foreign += [Foreign("account", each, owner) for each in accounts]
        world.foreign.append(Foreign("state", world.flow(owner, world.victim), owner))
    theirs = list(world.secrets)
    for owner in (Owner(user_id=world.member), Owner(user_id=world.member, organization_id=OURS), Owner(organization_id=OURS)):
        world.account(owner, world.member)
    world.secrets = theirs  # the callers may read their own
    world.foreign += [Foreign("user", world.victim, personal), Foreign("organization", THEIRS, shared)]
    own = {"client_id": "client-of-theirs", "client_secret": world.secret("override")}
    for integration, where in (("user", ""), ("organization", "?ownership=organization")):
        made = world.call("PUT", f"/organizations/{THEIRS}/data_integration_configurations/{TRIO}{where}", own)
        world.foreign += [Foreign("integration", made["id"], stage), Foreign("configuration", made["credentials"]["redirect_uri"].rsplit("/", 1)[1], shared)]
    for key, owner in ((None, stage), (world.their_key, shared)):
        endpoint = world.endpoint(key)
        world.foreign += [Foreign("endpoint", endpoint, owner), Foreign("delivery", world.delivery(endpoint), owner)]
    world.our_endpoint = world.endpoint(world.our_key)
    told = [row for row in site.rows() if row["pk"].startswith("events#") and row.get("data", {}).get("organization_id") == THEIRS]
    world.foreign.append(Foreign("event", told[0]["sk"], shared))
    world.connect_code, state = parked(site, world.victim)
    world.foreign += [Foreign("connect_code", world.connect_code, personal), Foreign("state", state, personal), Foreign("pending", state.split(".")[0], personal)]
    return world


def signing_key(site: Site) -> tuple[str, str]:
    """Id and secret of what signs the stage's widget tokens."""
    site.engine.widget_tokens.mint("anybody", None, ())
    (kept,) = WidgetKeys(site.engine.table).all()
    return kept.id, str(site.engine.sealer.open(kept.sealed, key_facts(kept.id))["key"])


def random_like(known: Foreign, now: datetime) -> str:
    """What nobody has, as long as the real one and from the same alphabet. Of an event or a delivery, one of the same time: it is a place in an order."""
    if known.kind in ("event", "delivery"):
        prefix, made = known.value.rsplit("_", 1)
        return f"{prefix}_{made[:10]}{'Z' * 16}"
    if known.kind in ("state", "connect_code", "pending"):
        return ".".join(ids.random_token() for _ in known.value.split("."))
    prefix, _, rest = known.value.rpartition("_")
    return f"{prefix}_{ids.ulid(now)}" if len(rest) == 26 else somebody() if known.kind == "user" else f"org_{uuid.uuid4().hex[:6]}"
