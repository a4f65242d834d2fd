"""Calls every method of an installed `workos` of whatever age and prints what came of it, a line of JSON for each.

Rule: runs in a process of its own, without anything of ours but tests/sdk/documented.py. On its standard input: base_url, api_key, user (connected at `github`),
signature, secret and body of a delivery. A method of the package that has no story here fails.
"""

import json
import sys
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import workos
from workos import WorkOSClient
from workos.pipes import models as _models

from tests.sdk import documented

GITHUB, TYPES = "github", ["pipes.connected_account.connected", "pipes.connected_account.disconnected"]
SOON = (datetime.now(UTC) + timedelta(hours=1)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
given = json.load(sys.stdin)
client = WorkOSClient(api_key=given["api_key"], client_id="client_x", base_url=given["base_url"], max_retries=0)
stranger = WorkOSClient(api_key="sk_nobody_made_this", client_id="client_x", base_url=given["base_url"], max_retries=0)
used: dict[str, set[str]] = {}
errors: dict[str, set[str]] = {}
notes: dict[str, str] = {}
models: Any = _models  # its names differ from one version to the next


def new(word: str) -> str:
    return f"{word}-{uuid.uuid4().hex[:10]}"


def call(name: str, *positional: Any, **named: Any) -> Any:
    """Through the client, noting the parameters of what succeeded and the classes of what did not."""
    resource, method = name.split(".")
    function = getattr(getattr(client, resource), method)
    try:
        result = function(*positional, **named)
    except Exception as error:
        errors.setdefault(name, set()).add(type(error).__name__)
        raise
    order = function.__func__.__code__.co_varnames[1:]
    used.setdefault(name, set()).update({*order[: len(positional)], *named})
    return result


def refuses(kind: str, name: str, *positional: Any, **named: Any) -> None:
    try:
        call(name, *positional, **named)
    except Exception as error:  # noqa: BLE001
        assert type(error).__name__ == kind, error
    else:
        raise AssertionError(f"{name} did not raise {kind}")


def authorize() -> None:
    begun = call("pipes.authorize_data_integration", GITHUB, user_id=new("user"), organization_id=new("org"), return_to=given["return_to"])
    assert begun.url.startswith(given["base_url"])
    refuses("NotFoundError", "pipes.authorize_data_integration", new("nothing"), user_id="u")


def token() -> None:
    found = call("pipes.get_access_token", GITHUB, user_id=given["user"], organization_id=None)
    assert found.active is True and found.access_token.access_token and found.access_token.missing_scopes == []
    assert call("pipes.get_access_token", GITHUB, user_id=new("user"), organization_id=new("org")).error == "not_installed"
    refuses("NotFoundError", "pipes.get_access_token", new("nothing"), user_id="u")


def account() -> None:
    found = call("pipes.get_user_connected_account", given["user"], GITHUB)
    assert (found.user_id, found.state) == (given["user"], "connected")
    within = call("pipes.get_user_connected_account", given["member"], GITHUB, organization_id=given["organization"])
    assert within.organization_id == given["organization"]
    refuses("NotFoundError", "pipes.get_user_connected_account", new("user"), GITHUB)


def providers() -> None:
    rows = {row.slug: row for row in call("pipes.list_user_data_providers", given["user"], organization_id=None).data}
    assert rows[GITHUB].connected_account.state == "connected" and rows["slack"].connected_account is None
    assert call("pipes.list_user_data_providers", given["member"], organization_id=given["organization"]).data


def disconnect() -> None:
    assert call("pipes.delete_user_connected_account", given["member"], GITHUB, organization_id=given["organization"]) is None
    refuses("NotFoundError", "pipes.delete_user_connected_account", given["member"], GITHUB, organization_id=given["organization"])


def own_client(secret: str) -> Any:
    """The model was called otherwise once."""
    model = getattr(models, "DataIntegrationCredentialsInput", None) or models.DataIntegrationCredentialsDto
    return model.from_dict({"type": "custom", "client_id": "client-of-acme", "client_secret": secret})


def create_integration() -> None:
    given["slug"] = new("older")
    own = own_client("secret-of-acme-9876")
    definition = models.CustomProviderDefinition(name="Acme", authorization_url="https://id.acme.example/authorize", token_url="https://id.acme.example/token")
    made = call("pipes.create_data_integration", provider=given["slug"], description="Ours", enabled=True, scopes=["read"], credentials=own, custom_provider=definition)
    assert (made.slug, made.enabled, made.scopes, made.credentials.redacted_client_secret) == (given["slug"], True, ["read"], "9876")
    refuses("ConflictError", "pipes.create_data_integration", provider=given["slug"], credentials=own, custom_provider=definition)


def update_integration() -> None:
    own = own_client("another-secret-1111")
    renamed = models.UpdateCustomProviderDefinition(name="Renamed")
    changed = call("pipes.update_data_integration", given["slug"], description="Theirs", enabled=False, scopes=["write"], credentials=own, custom_provider=renamed)
    assert (changed.description, changed.enabled, changed.scopes, changed.custom_provider.name) == ("Theirs", False, ["write"], "Renamed")


def read_integration() -> None:
    assert call("pipes.get_data_integration", given["slug"]).custom_provider.name == "Renamed"
    refuses("NotFoundError", "pipes.get_data_integration", new("nothing"))


def list_integrations() -> None:
    page = call("pipes.list_data_integrations", limit=1, order="desc")
    assert page.data[0].slug == given["slug"]
    call("pipes.list_data_integrations", limit=1, after=page.data[0].id)
    assert call("pipes.list_data_integrations", limit=1, before=page.data[0].id).data == []
    try:
        client.pipes.list_data_integrations(limit=100)
    except Exception as error:  # noqa: BLE001
        notes["pipes.list_data_integrations"] = f"its reader fails at an integration with credentials null ({type(error).__name__}), which newer versions document"


def delete_integration() -> None:
    assert call("pipes.delete_data_integration", given["slug"]) is None
    refuses("NotFoundError", "pipes.delete_data_integration", given["slug"])


def credential() -> None:
    found = call("pipes.create_data_integration_credential", GITHUB, user_id=given["user"])
    assert found.active is True and found.credential.value
    assert call("pipes.create_data_integration_credential", GITHUB, user_id=new("user"), organization_id=new("org")).error == "not_installed"


def bring() -> None:
    given["brought"] = {"user_id": new("user"), "slug": GITHUB, "organization_id": new("org")}
    tokens = {"access_token": "gho_1", "refresh_token": new("ghr"), "expires_at": SOON, "scopes": ["repo"], "state": "connected"}
    made = call("pipes.create_user_connected_account", **given["brought"], **tokens)
    assert (made.user_id, made.scopes, made.state) == (given["brought"]["user_id"], ["repo"], "connected")
    refuses("ConflictError", "pipes.create_user_connected_account", **given["brought"], access_token="again")


def change() -> None:
    tokens = {"access_token": "gho_2", "refresh_token": new("ghr"), "expires_at": SOON, "scopes": ["repo", "gist"], "state": "connected"}
    assert sorted(call("pipes.update_user_connected_account", **given["brought"], **tokens).scopes) == ["gist", "repo"]


def api_key() -> None:
    made = call("pipes.update_data_integration_api_key", given["keyed"], user_id=new("user"), secret="sk-of-the-user-1234", organization_id=new("org"))
    assert (made.state, made.auth_method) == ("connected", "api_key")


def configurations() -> None:
    found = call("pipes_provider.list_organization_data_integration_configurations", given["organization"])
    assert {"github", "slack"} <= {each.slug for each in found.data}


def configure() -> None:
    name, where = "pipes_provider.update_organization_data_integration_configuration", (given["organization"], given["own_client"])
    assert call(name, *where, enabled=False, scopes=None).enabled is False
    own = call(name, *where, client_id="client-of-org", client_secret="secret-of-org-7777", enabled=True)
    assert own.credentials.client_secret_last_four == "7777"
    refuses("NotFoundError", name, given["organization"], new("nothing"), enabled=True)


def widget_token() -> None:
    made = call("widgets.create_token", user_id=new("user"), organization_id=new("org"), scopes=["widgets:pipes:manage"])
    assert made.token.count(".") == 2


def events() -> None:
    named = {"organization_id": given["organization"], "range_start": "2020-01-01T00:00:00.000Z", "range_end": "2100-01-01T00:00:00.000Z"}
    page = call("events.list_events", events=TYPES, limit=1, order="asc", **named)
    (event,) = page.data
    assert event.event == TYPES[0] and event.data.user_id == given["member"]
    assert call("events.list_events", events=TYPES, after=event.id, **named) and call("events.list_events", events=TYPES, before=event.id, **named).data == []


def endpoints() -> None:
    url = f"https://hooks.acme.example/{new('older')}"
    made = call("webhooks.create_webhook_endpoint", endpoint_url=url, events=TYPES)
    assert (made.endpoint_url, made.status, made.events) == (url, "enabled", TYPES)
    given["endpoint"] = made.id


def list_endpoints() -> None:
    page = call("webhooks.list_webhook_endpoints", limit=1, order="desc")
    assert page.data[0].id == given["endpoint"]
    call("webhooks.list_webhook_endpoints", after=given["endpoint"])
    call("webhooks.list_webhook_endpoints", before=given["endpoint"])


def update_endpoint() -> None:
    changed = call("webhooks.update_webhook_endpoint", given["endpoint"], endpoint_url=f"https://hooks.acme.example/{new('moved')}", status="disabled", events=TYPES[:1])
    assert (changed.status, changed.events) == ("disabled", TYPES[:1])


def delete_endpoint() -> None:
    call("webhooks.delete_webhook_endpoint", given["endpoint"])
    refuses("NotFoundError", "webhooks.delete_webhook_endpoint", given["endpoint"])


def verify(name: str) -> Callable[[], None]:
    def check() -> None:
        delivered = {"event_body": given["delivery"]["body"], "event_signature": given["delivery"]["signature"]}
        call(name, **delivered, secret=given["delivery"]["secret"], tolerance=600)
        refuses("ValueError", name, **delivered, secret="another", tolerance=600)

    return check


STORIES: dict[str, Callable[[], None]] = {
    "pipes.authorize_data_integration": authorize,
    "pipes.get_access_token": token,
    "pipes.get_user_connected_account": account,
    "pipes.list_user_data_providers": providers,
    "events.list_events": events,
    "pipes.delete_user_connected_account": disconnect,
    "pipes.create_data_integration": create_integration,
    "pipes.update_data_integration": update_integration,
    "pipes.get_data_integration": read_integration,
    "pipes.list_data_integrations": list_integrations,
    "pipes.delete_data_integration": delete_integration,
    "pipes.create_data_integration_credential": credential,
    "pipes.create_user_connected_account": bring,
    "pipes.update_user_connected_account": change,
    "pipes.update_data_integration_api_key": api_key,
    "pipes_provider.list_organization_data_integration_configurations": configurations,
    "pipes_provider.update_organization_data_integration_configuration": configure,
    "widgets.create_token": widget_token,
    "webhooks.create_webhook_endpoint": endpoints,
    "webhooks.list_webhook_endpoints": list_endpoints,
    "webhooks.update_webhook_endpoint": update_endpoint,
    "webhooks.delete_webhook_endpoint": delete_endpoint,
    "webhooks.verify_event": verify("webhooks.verify_event"),
    "webhooks.verify_header": verify("webhooks.verify_header"),
}


def main() -> None:
    methods = documented.methods(client)
    print(json.dumps({"package": workos.__file__, "elsewhere": sorted(documented.elsewhere(client)), "without_story": sorted(set(methods) - set(STORIES))}))
    for name, story in STORIES.items():
        if name not in methods:
            continue
        try:
            story()
            problem = ""
        except Exception as error:  # noqa: BLE001
            problem = f"{type(error).__name__}: {error}"
        untried = sorted(methods[name].parameters - used.get(name, set())) if not problem else []
        print(json.dumps({"method": name, "problem": problem, "untried": untried, "parameters": len(methods[name].parameters), "errors": sorted(errors.get(name, set())), "note": notes.get(name, "")}))


main()
