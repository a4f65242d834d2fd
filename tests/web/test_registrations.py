"""Data integrations over HTTP: what can be configured, what is shown of it, and pages of them."""

from typing import Any

import pytest

from chalicelib.providers import catalogue
from chalicelib.providers.spec import Provider
from tests.engine.scenes import SLUG
from tests.web.people import Site, query_of, somebody

ROW = {"name": "Acme ID", "authorization_url": "https://id.acme.example/authorize", "token_url": "https://id.acme.example/token"}
# Every field of the contract's custom provider and of ours, with a value that is not its default.
EVERYTHING: dict[str, Any] = {
    **ROW,
    "refresh_token_url": "https://id.acme.example/refresh",
    "pkce_enabled": False,
    "request_scope_separator": ",",
    "scopes_required": True,
    "client_secret_required": False,
    "additional_authorization_parameters": {"access_type": "offline"},
    "token_body_content_type": "application/json",
    "authenticate_via": "basic_auth_header",
    "issuer": "https://id.acme.example",
    "revocation_url": "https://id.acme.example/revoke",
    "userinfo_url": "https://id.acme.example/userinfo",
}
SECRET = "client-secret-of-acme-1234"


def create(site: Site, provider: str, **body: Any) -> dict[str, Any]:
    answer = site.api("POST", "/data-integrations", {"provider": provider, **body})
    assert answer.status == 201, answer.text
    return dict(answer.json())


def put(site: Site, slug: str, **body: Any) -> dict[str, Any]:
    answer = site.api("PUT", f"/data-integrations/{slug}", body)
    assert answer.status == 200, answer.text
    return dict(answer.json())


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status, answer.json()["code"]


def test_a_catalogue_provider_is_created_disabled_with_its_defaults(site: Site) -> None:
    made = create(site, "github")
    provider = catalogue.load("github")
    assert isinstance(provider, Provider)
    assert (made["object"], made["slug"], made["integration_type"], made["name"]) == ("data_integration", "github", "github", "GitHub")
    assert (made["enabled"], made["state"], made["scopes"], made["credentials"], made["custom_provider"], made["installation"]) == (False, "valid", None, None, None, None)
    assert made["auth_methods"] == ["oauth"] and made["config"] == {}
    assert made["redirect_uri"] == f"http://localhost:8000/callback/{made['id']}"
    assert all(made["redirect_uri"] in step or "{" not in step for step in made["setup"])
    assert site.api("GET", "/data-integrations/github").json() == made
    assert code_of(site.api("POST", "/data-integrations/github/authorize", {"user_id": "u1"})) == (422, "data_integration_disabled")
    assert code_of(site.api("POST", "/data-integrations", {"provider": "github"})) == (409, "data_integration_exists")


@pytest.mark.parametrize("slug", ["github", "slack", "google", "salesforce"])
def test_no_custom_provider_shadows_the_catalogue(site: Site, slug: str) -> None:
    before = site.rows()
    refused = site.api("POST", "/data-integrations", {"provider": slug, "custom_provider": ROW})
    assert code_of(refused) == (422, "slug_taken")
    create(site, slug)
    before = [row for row in site.rows() if row["pk"] == "registration"]
    answer = site.api("PUT", f"/data-integrations/{slug}", {"custom_provider": {"token_url": "https://evil.example/token"}, "credentials": {"client_id": "c", "client_secret": SECRET}})
    assert answer.status == 422, "a catalogue provider's endpoints are the catalogue's"
    assert [row for row in site.rows() if row["pk"] == "registration"] == before


def test_an_unknown_provider_needs_its_endpoints(site: Site) -> None:
    refused = site.api("POST", "/data-integrations", {"provider": "acme"})
    assert code_of(refused) == (404, "provider_not_found") and "custom_provider" in refused.json()["message"] and "github" in refused.json()["message"]
    for missing in ("authorization_url", "token_url"):
        refused = site.api("POST", "/data-integrations", {"provider": "acme", "custom_provider": {name: value for name, value in ROW.items() if name != missing}})
        assert code_of(refused) == (422, "invalid_custom_provider") and missing.split("_")[0] in refused.json()["message"]
    assert site.api("GET", "/data-integrations").json()["data"] == []


def test_a_custom_provider_has_every_field_of_the_contract(site: Site) -> None:
    plain = create(site, "acme", custom_provider={**ROW, "refresh_token_url": None})
    assert plain["custom_provider"] == {
        **ROW, "refresh_token_url": None, "pkce_enabled": True, "request_scope_separator": " ", "scopes_required": False, "client_secret_required": True, "additional_authorization_parameters": {},
        "token_body_content_type": "application/x-www-form-urlencoded", "authenticate_via": "request_body", "issuer": None, "revocation_url": None, "userinfo_url": None,
    }  # fmt: skip
    assert plain["state"] == "invalid", "it has no credentials"
    whole = create(site, "acme-2", custom_provider=EVERYTHING, scopes=["a", "b"], credentials={"type": "custom", "client_id": "c1"}, enabled=True, description="Ours")
    assert whole["custom_provider"] == EVERYTHING
    assert (whole["state"], whole["scopes"], whole["description"]) == ("valid", ["a", "b"], "Ours")
    asked = query_of(site.browser().confirm(site.authorize("u1", "acme-2")["url"]))
    assert asked["scope"] == ["a,b"] and asked["access_type"] == ["offline"] and "code_challenge" not in asked


@pytest.mark.parametrize("field", [name for name in EVERYTHING if not name.endswith("_url") and name not in ("issuer",)])
def test_one_field_of_a_custom_provider_changes_alone(site: Site, field: str) -> None:
    before = create(site, "acme", custom_provider=ROW, scopes=["a"])
    after = put(site, "acme", custom_provider={field: EVERYTHING[field]})
    assert after["custom_provider"] == {**before["custom_provider"], field: EVERYTHING[field]}
    changed = {name for name in before if before[name] != after[name]}
    assert changed <= {"custom_provider", "updated_at", "name"}


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x.example/a",
        "//x.example",
        "x.example/token",
        "https://user:pass@x.example/t",
        "https://x.example/t#frag",
        "https://x.example/a b",
        "javascript:alert(1)",
        "https://",
        "https://x.example\\@evil.example/",
        "https://{host}/token",
        "https://x.example/\r\nHost: evil",
    ],
)
@pytest.mark.parametrize("field", ["authorization_url", "token_url", "refresh_token_url", "revocation_url", "userinfo_url"])
def test_an_endpoint_is_an_absolute_address_without_user_or_fragment(site: Site, field: str, url: str) -> None:
    refused = site.api("POST", "/data-integrations", {"provider": "acme", "custom_provider": {**ROW, field: url}})
    assert code_of(refused) == (422, "invalid_custom_provider"), refused.text
    assert site.api("GET", "/data-integrations").json()["data"] == []


def test_only_the_last_four_characters_of_a_secret_are_shown(site: Site) -> None:
    made = create(site, "acme", custom_provider=ROW, credentials={"client_id": "c1", "client_secret": SECRET})
    assert made["credentials"] == {"type": "custom", "client_id": "c1", "redacted_client_secret": "1234"}
    assert (made["state"], made["credentials_type"]) == ("valid", "custom")
    assert SECRET not in repr(site.rows()) and all(SECRET not in answer.text for answer in site.gateway.answers)
    assert put(site, "acme", credentials={"client_secret": "short"})["credentials"]["redacted_client_secret"] == ""


def test_credentials_come_complete_or_not_at_all(site: Site) -> None:
    for credentials, field in (({"client_id": "c1"}, "credentials.client_secret"), ({"client_secret": SECRET}, "credentials.client_id")):
        refused = site.api("POST", "/data-integrations", {"provider": "acme", "custom_provider": ROW, "credentials": credentials})
        assert refused.status == 422 and refused.json()["errors"] == [{"field": field, "code": "required"}]
    assert create(site, "acme", custom_provider={**ROW, "client_secret_required": False}, credentials={"client_id": "public"})["state"] == "valid"


def test_two_secrets_overlap_and_no_third(at_django: Site) -> None:
    user = somebody()
    for number in range(1, 5):
        assert put(at_django, SLUG, credentials={"client_secret": f"not-known-at-the-provider-{number}"})["credentials"]["redacted_client_secret"] == f"er-{number}"
        (row,) = [row for row in at_django.rows() if row["pk"] == "registration"]
        assert len(row["client_secrets"]) == 2
    put(at_django, SLUG, credentials={"client_secret": at_django.peer.client_secret})
    put(at_django, SLUG, credentials={"client_secret": "the-next-one-not-yet-known"})
    assert at_django.connected(user)["state"] == "connected" and at_django.works(user)
    put(at_django, SLUG, credentials={"client_secret": "and-one-after-that"})
    page = at_django.connect(somebody())
    assert page.status == 502 and "invalid_client" in page.text


def test_disabling_stops_new_connections_and_keeps_old_ones(at_django: Site) -> None:
    user = somebody()
    at_django.connected(user)
    begun = at_django.authorize(somebody())
    assert put(at_django, SLUG, enabled=False)["enabled"] is False
    assert code_of(at_django.api("POST", f"/data-integrations/{SLUG}/authorize", {"user_id": user})) == (422, "data_integration_disabled")
    assert at_django.works(user)
    assert at_django.browser().get(begun["url"]).status in (200, 400, 409)
    listed = at_django.api("GET", f"/user_management/users/{user}/data_providers").json()["data"]
    assert [provider["slug"] for provider in listed] == [SLUG]
    assert at_django.api("GET", f"/user_management/users/{somebody()}/data_providers").json()["data"] == []


def test_scopes_null_goes_back_to_the_providers_defaults(site: Site) -> None:
    made = create(site, "github", scopes=["repo"])
    assert made["scopes"] == ["repo"] and made["default_scopes"]
    assert put(site, "github", description="kept")["scopes"] == ["repo"]
    assert put(site, "github", scopes=None)["scopes"] is None
    assert code_of(site.api("POST", "/data-integrations", {"provider": "acme", "custom_provider": {**ROW, "scopes_required": True}})) == (422, "scopes_required")


def test_config_fields_are_the_providers_own_and_checked(site: Site) -> None:
    made = create(site, "salesforce", enabled=True)
    names = [field["name"] for field in made["config_fields"]]
    assert names and all({"name", "label", "description", "pattern"} <= set(field) for field in made["config_fields"])
    name = names[0]
    for value in ("evil.example/", "evil.example#", "a@evil.example", "%2e", "a\nb", "x" * 255, ".."):
        refused = site.api("PUT", "/data-integrations/salesforce", {"config": {name: value}})
        assert code_of(refused) == (422, "invalid_config"), value
        assert refused.json()["errors"][0]["field"] == f"config.{name}"
        assert site.api("POST", "/data-integrations/salesforce/authorize", {"user_id": "u1", "config": {name: value}}).status == 422
    refused = site.api("PUT", "/data-integrations/salesforce", {"config": {"nonsense": "x"}})
    assert code_of(refused) == (422, "invalid_config") and "nonsense" in refused.json()["message"]
    example = made["config_fields"][0]["example"] or made["config_fields"][0]["default"]
    assert put(site, "salesforce", config={name: example})["config"] == {name: example}


def test_a_data_integration_with_connections_is_not_deleted(at_django: Site) -> None:
    at_django.connected(user := somebody())
    path = f"/data-integrations/{SLUG}"
    assert code_of(at_django.api("DELETE", path)) == (409, "data_integration_in_use")
    assert at_django.works(user)
    at_django.api("DELETE", f"/user_management/users/{user}/connected_accounts/{SLUG}")
    gone = at_django.api("DELETE", path)
    assert (gone.status, gone.body) == (204, b"")
    assert at_django.api("GET", path).status == 404 and at_django.api("DELETE", path).status == 404


def test_every_change_is_audited_without_its_secret(site: Site) -> None:
    create(site, "acme", custom_provider=ROW, credentials={"client_id": "c1", "client_secret": SECRET})
    put(site, "acme", credentials={"client_secret": SECRET + "5"})
    site.api("DELETE", "/data-integrations/acme")
    audit = [row for row in site.rows() if row["pk"].startswith("audit#")]
    assert [row["action"] for row in audit if row["action"].startswith("data_")] == ["data_integration.created", "data_integration.updated", "data_integration.deleted"]
    assert SECRET not in repr(audit)


def pages(site: Site, forward: str = "after", **query: str) -> list[list[str]]:
    """Every page from the first to the last, as ids. `forward`: the cursor that leads to the next."""
    found, after = [], None
    while True:
        asked = {**query, **({forward: after} if after else {})}
        page = site.api("GET", "/data-integrations?" + "&".join(f"{name}={value}" for name, value in asked.items())).json()
        assert page["object"] == "list" and set(page["list_metadata"]) == {"before", "after"}
        found.append([each["id"] for each in page["data"]])
        after = page["list_metadata"][forward]
        if after is None:
            return found


def test_pages_go_forward_and_back_over_everything_once(site: Site) -> None:
    made = [create(site, f"acme-{number:02}", custom_provider=ROW)["id"] for number in range(7)]
    newest_first = made[::-1]
    assert pages(site) == [newest_first]
    for limit in ("1", "2", "3", "7", "100"):
        found = pages(site, limit=limit)
        assert sum(found, []) == newest_first and all(len(page) <= int(limit) for page in found)
    assert sum(pages(site, limit="2", order="asc"), []) == made
    assert sum(pages(site, "before", limit="2", order="normal"), []) == newest_first

    back = site.api("GET", f"/data-integrations?limit=2&before={newest_first[5]}").json()
    assert [each["id"] for each in back["data"]] == newest_first[3:5]
    assert back["list_metadata"] == {"before": newest_first[3], "after": newest_first[4]}
    first = site.api("GET", f"/data-integrations?limit=5&before={newest_first[1]}").json()
    assert [each["id"] for each in first["data"]] == newest_first[:1] and first["list_metadata"]["before"] is None


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=-1", "limit=x", "limit=1e1", "limit=%C2%B2", "limit=%D9%A1", "limit=", "order=random", "before=a&after=b", "after=nobody", "before=nobody"]
)
def test_a_page_that_does_not_exist_is_refused(site: Site, query: str) -> None:
    create(site, "acme", custom_provider=ROW)
    answer = site.api("GET", f"/data-integrations?{query}")
    if query == "limit=":
        assert answer.status == 200
    else:
        assert code_of(answer) == (422, "validation_error")
        assert answer.json()["errors"][0]["field"] == query.split("=")[0]


def test_a_page_of_nothing(site: Site) -> None:
    assert site.api("GET", "/data-integrations").json() == {"object": "list", "data": [], "list_metadata": {"before": None, "after": None}}


def test_a_slug_that_is_a_route_of_its_own_is_refused(site: Site) -> None:
    """It could be created and then never be read, changed or deleted."""
    said = site.api("POST", "/data-integrations", {"provider": "finish", "custom_provider": {"name": "F", "authorization_url": "https://f.example/a", "token_url": "https://f.example/t"}})
    assert said.status == 422 and said.json()["errors"][0]["field"] == "provider"
