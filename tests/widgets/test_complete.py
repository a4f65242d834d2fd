"""Nothing of the widgets is left out: every sentence they have was seen by a test, every request they know was made, and the table names all of it."""

import ast
import os
import re
from collections.abc import Iterator

import pytest

from tests import compatibility
from tests.widgets.packages import HERE, WIDGETS, ensure_packages
from tests.widgets.product import MANAGE, View
from tests.widgets.screen import CLIENT, Screen, template
from tests.widgets.stage import CLIENT as CLIENT_ID
from tests.widgets.stage import GITHUB, SECRET, Stage

SOURCES = ("lib/pipes.js", "lib/pipes-admin.js", "lib/generic-error.js")
NEVER_SHOWN = {
    "This field is required": "the button that would say it cannot be clicked while a required field is empty",
    "An error occurred. You may need to configure CORS in the WorkOS Dashboard.": "the widgets throw one FetchError class and look for another",
}
OURS = re.compile(r"/_widgets/(?:DataIntegrations/|settings$|UserManagement/organizations$)")
GENERATED = "generated client: "
CALLED_BY_NO_WIDGET = {"GET /_widgets/DataIntegrations/{}/authorize", "GET /_widgets/DataIntegrations/{}/authorization-status/{}"}


def sentences() -> set[str]:
    """Every text of the package's two widgets."""
    ensure_packages()
    text = "".join((WIDGETS / "dist" / "esm" / source).read_text() for source in SOURCES)
    return {ast.literal_eval(found) for found in re.findall(r'defaultMessage: ("(?:[^"\\]|\\.)*")', text)}


def shown() -> Iterator[tuple[str, list[str]]]:
    """(state, texts) of every `shows` in the tests of this folder."""
    for file in sorted(HERE.glob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "shows":
                state, *texts = [ast.literal_eval(argument) for argument in node.args]
                yield state, texts


def generated() -> dict[str, str]:
    """The functions of the package's generated client that are about Pipes, and the request each makes."""
    ensure_packages()
    text = (WIDGETS / "dist" / "esm" / "experimental" / "api" / "fetch.js").read_text()
    found = {}
    for name, body in re.findall(r"^const (\w+) = async .*?\{\n(.*?)^\};", text, re.DOTALL | re.MULTILINE):
        url_of = re.search(r"(get\w+Url)\(", body)
        method = re.search(r'method: "(\w+)"', body)
        assert url_of and method, name
        address = re.search(rf"const {url_of[1]} = .*?`https://api.workos.com([^`?]*)[`?]", text, re.DOTALL)
        assert address, name
        path = re.sub(r"\$\{\w+\}", "x", address[1])
        if OURS.search(path):
            found[name] = template(method[1], path)
    return found


def test_every_sentence_of_the_widgets_was_seen_or_cannot_be() -> None:
    seen = {text for _, texts in shown() for text in texts}
    known = sentences()
    assert len(known) > 90, "the package's sentences are no longer found"

    def was_seen(sentence: str) -> bool:
        pattern = re.compile("".join(".+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{\w+\})", sentence)))
        return any(pattern.fullmatch(text) for text in seen)

    assert {sentence for sentence in known if not was_seen(sentence)} == set(NEVER_SHOWN)


def test_the_generated_client_works_too(screen: Screen, stage: Stage) -> None:
    """WorkOS's own client for whoever builds a widget of their own: every function of it that is about Pipes."""
    stage.offer(GITHUB, "oauth", ownership="organization")
    stage.offer("openai", "api_key")
    stage.offer("stripe", "api_key", ownership="organization")
    stage.offer("zendesk", "client_credentials")
    stage.offer("zendesk", "client_credentials", ownership="organization")
    view = View(user=stage.new("user"), organization=stage.new("org"), scopes=(MANAGE,))
    screen.open(view)
    token = screen.product.mint(view)

    def call(name: str, *given: object) -> dict[str, object]:
        program = "([name, given, token]) => window.generated[name](...given, { headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' } }).then(({ data, status }) => ({ data, status }))"
        answer = screen.page.evaluate(program, [name, list(given), token])
        assert answer["status"] == 200, (name, answer)
        compatibility.record(CLIENT, GENERATED + name, "works")
        called.add(name)
        return dict(answer["data"])

    called: set[str] = set()
    client = {"client_id": stage.new("client"), "client_secret": "secret-of-acme-1234", "config": {"subdomain": "acme"}}
    assert {each["slug"] for each in call("myDataIntegrations")["data"]} >= {GITHUB, "openai"}  # type: ignore[attr-defined]
    assert call("settings")["teamName"] == "Acme"
    assert [each["id"] for each in call("organizations")["data"]] == [view.organization]  # type: ignore[attr-defined]
    begun = call("authorizeDataIntegration", GITHUB, {"requireHandoff": True})
    assert begun["url"] and begun["redirectToken"] and begun["handoffToken"]
    assert call("getDataInstallationAuthorizationStatus", GITHUB, begun["state"])["isConnecting"] is True
    assert "handoffToken" not in call("getDataIntegrationAuthorizeUrl", GITHUB, {"requireHandoff": False})
    assert call("authorizeOrganizationDataIntegration", GITHUB, {})["handoffToken"]
    key = call("upsertDataIntegrationApiKey", "openai", {"secret": "sk-proj-00000000000000000000AbCd"})
    assert (key["api_key_last_4"], key["user_id"], key["organization_id"]) == ("AbCd", view.user, view.organization)
    assert call("upsertDataIntegrationClientCredentials", "zendesk", client)["client_id"] == client["client_id"]
    shared = call("upsertOrganizationDataIntegrationApiKey", "stripe", {"secret": "rk_test_12345678901234567890WxYz"})
    assert (shared["user_id"], shared["organization_id"], shared["established_by_user_id"]) == (None, view.organization, view.user)
    assert call("upsertOrganizationDataIntegrationClientCredentials", "zendesk", client)["user_id"] is None
    assert {each["slug"] for each in call("sharedDataConnections")["data"]} == {"stripe", "zendesk"}  # type: ignore[attr-defined]
    assert {each["slug"] for each in call("organizationDataIntegrations")["data"]} >= {GITHUB, "stripe", "zendesk"}  # type: ignore[attr-defined]
    assert {each["slug"] for each in call("listDataIntegrationConfigurations")["data"]} >= {GITHUB, "openai"}  # type: ignore[attr-defined]
    own = call("upsertDataIntegrationConfiguration", GITHUB, {"enabled": False})
    assert (own["enabled"], own["ownership"]) == (False, "userland_user")
    own = call("upsertOrganizationDataIntegrationConfiguration", GITHUB, {"client_id": CLIENT_ID, "client_secret": SECRET})
    assert (own["enabled"], own["ownership"], own["credentials"]["redactedClientSecret"]) == (True, "organization", SECRET[-4:])  # type: ignore[index]
    assert call("deleteDataInstallation", key["id"])["success"] is True
    assert call("deleteOrganizationDataInstallation", shared["id"])["success"] is True
    assert called == set(generated())


@pytest.mark.skipif(compatibility.WRITING in os.environ, reason="the table is being written, by several processes")
def test_the_table_names_every_state_every_request_and_every_function() -> None:
    states = {state for state, _ in shown()}
    requests = set(generated().values())
    assert CALLED_BY_NO_WIDGET < requests
    assert compatibility.documented(CLIENT) == states | requests | {GENERATED + name for name in generated()}
