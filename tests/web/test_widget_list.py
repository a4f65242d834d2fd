"""What the widget in front of a person lists: what can be connected or is, each with its picture where there is one."""

from typing import Any
from urllib.parse import urlsplit

from tests.web.people import Site, somebody
from tests.web.test_widget_tokens import minted, widget

ENDPOINTS = {"authorization_url": "https://id.example.com/authorize", "token_url": "https://id.example.com/token"}
CLIENT = {"type": "custom", "client_id": "ours", "client_secret": "a-client-secret-of-ours"}


def listed(site: Site, user: str, organization: str | None = None) -> dict[str, dict[str, Any]]:
    answer = widget(site, "GET", "/_widgets/DataIntegrations/mine", minted(site, user, organization))
    assert answer.status == 200, answer.text
    return {each["slug"]: each for each in answer.json()["data"]}


def offer(site: Site, slug: str, *methods: str, **more: Any) -> None:
    body = {"provider": slug, "enabled": True, "auth_methods": list(methods), "custom_provider": {"name": slug.title(), **ENDPOINTS}, **more}
    answer = site.api("POST", "/data-integrations", body)
    assert answer.status == 201, answer.text


def test_a_provider_without_a_client_is_not_offered_until_there_is_one(site: Site) -> None:
    offer(site, "clientless", "oauth")
    assert "clientless" not in listed(site, "user_ana")
    assert site.api("PUT", "/data-integrations/clientless", {"credentials": CLIENT}).status == 200
    assert "clientless" in listed(site, "user_ana")


def test_a_provider_that_takes_keys_needs_no_client_and_is_offered_by_key_alone_until_there_is_one(site: Site) -> None:
    offer(site, "by-key", "oauth", "api_key")
    row = listed(site, "user_ana")["by-key"]
    assert (row["authMethods"], row["credentialsType"]) == (["api_key"], "api_key") and row["apiKey"] is not None
    assert site.api("PUT", "/data-integrations/by-key", {"credentials": CLIENT}).status == 200
    assert listed(site, "user_ana")["by-key"]["authMethods"] == ["oauth", "api_key"]


def test_what_is_connected_is_shown_though_nobody_else_can_connect_it_any_more(site: Site) -> None:
    offer(site, "once-by-key", "oauth", "api_key")
    user = somebody()
    assert site.api("PUT", "/data-integrations/once-by-key/api-key", {"user_id": user, "secret": "key_of_ana_1234567890"}).status == 200
    assert site.api("PUT", "/data-integrations/once-by-key", {"auth_methods": ["oauth"]}).status == 200
    assert "once-by-key" in listed(site, user)
    assert "once-by-key" not in listed(site, somebody())


def test_an_organization_that_has_not_brought_its_client_yet_is_not_offered_the_provider(site: Site) -> None:
    own = {"type": "organization"}
    offer(site, "bring-yours", "oauth", credentials=own)
    assert "bring-yours" not in listed(site, "user_ana", "org_bring")
    answer = site.api("PUT", "/organizations/org_bring/data_integration_configurations/bring-yours", {"client_id": "theirs", "client_secret": "a-client-secret-of-theirs"})
    assert answer.status == 200, answer.text
    assert "bring-yours" in listed(site, "user_ana", "org_bring")
    assert "bring-yours" not in listed(site, "user_ana", "org_other")


def test_pictures_are_of_this_deployment_and_are_there(site: Site) -> None:
    for slug in ("github", "google", "slack"):
        assert site.api("POST", "/data-integrations", {"provider": slug, "enabled": True}).status == 201
    rows = listed(site, "user_ana")
    home = site.stage.environ["STANDPIPE_URL"]
    assert [rows["github"][name] for name in ("iconUrl", "iconDarkUrl")] == [f"{home}/static/icon-github.svg", f"{home}/static/icon-github.dark.svg"]
    assert rows["google"]["iconDarkUrl"] is None, "its colour is seen on any ground"
    assert (rows["slack"]["iconUrl"], rows["slack"]["iconDarkUrl"]) == (None, None)
    for address in (rows["github"]["iconUrl"], rows["github"]["iconDarkUrl"], rows["google"]["iconUrl"]):
        answer = site.gateway("GET", urlsplit(address).path)
        assert (answer.status, answer.one("content-type")) == (200, "image/svg+xml") and answer.text.startswith("<svg ")
