"""The real WorkOS client for Python, unchanged but for its base URL, with an authorization server nobody here wrote; tests/sdk has every method of it."""

from collections.abc import Iterator

import pytest
import workos
from workos import WorkOSClient
from workos.pipes.models import CustomProviderDefinition, DataIntegrationCredentialsInput

from tests.engine.scenes import SLUG
from tests.web.people import RETURN_TO, VERIFIER, Site, query_of, somebody
from tests.web.test_connect_rules import BOUND


@pytest.fixture
def client(at_django: Site) -> Iterator[WorkOSClient]:
    with at_django.gateway.served() as url:
        with WorkOSClient(api_key=at_django.key, client_id="client_x", base_url=url, max_retries=0) as made:
            yield made


def test_connect_fetch_look_and_disconnect(at_django: Site, client: WorkOSClient) -> None:
    user, browser = somebody(), at_django.browser()
    nothing = client.pipes.get_access_token(SLUG, user_id=user)
    assert (nothing.active, nothing.error) == (False, "not_installed")
    begun = client.pipes.authorize_data_integration(SLUG, user_id=user, return_to=RETURN_TO)
    browser.arrive(browser.back_from(at_django.peer, begun.url, user))
    token = client.pipes.get_access_token(SLUG, user_id=user)
    assert token.active is True and token.access_token.missing_scopes == [] and token.access_token.scopes == ["read"]
    account = client.pipes.get_user_connected_account(user, SLUG)
    assert (account.user_id, account.state, account.account_identifier) == (user, "connected", user)
    (provider,) = client.pipes.list_user_data_providers(user).data
    assert provider.slug == SLUG and provider.connected_account is not None and provider.connected_account.id == account.id
    client.pipes.delete_user_connected_account(user, SLUG)
    with pytest.raises(workos.NotFoundError):
        client.pipes.get_user_connected_account(user, SLUG)


def test_a_session_bound_connection(at_django: Site, client: WorkOSClient) -> None:
    user, browser = somebody(), at_django.browser()
    begun = client.pipes.authorize_data_integration(SLUG, user_id=user, **BOUND)  # type: ignore[arg-type]
    arrived = query_of(browser.arrive(browser.back_from(at_django.peer, begun.url, user)).location)
    done = client.pipes.finish_connection(connect_code=arrived["connect_code"][0], code_verifier=VERIFIER, state=arrived["state"][0])
    assert done.connected_account.user_id == user
    with pytest.raises(workos.BadRequestError):
        client.pipes.finish_connection(connect_code=arrived["connect_code"][0] + "x", code_verifier=VERIFIER)


def test_an_email_address_as_user_id(at_django: Site, client: WorkOSClient) -> None:
    user, browser = f"{somebody()}@example.com", at_django.browser()
    browser.arrive(browser.back_from(at_django.peer, client.pipes.authorize_data_integration(SLUG, user_id=user).url, user))
    assert client.pipes.get_access_token(SLUG, user_id=user).active is True
    assert client.pipes.get_user_connected_account(user, SLUG).user_id == user


def test_data_integrations_are_created_listed_changed_and_deleted(client: WorkOSClient) -> None:
    made = client.pipes.create_data_integration(provider="github", enabled=True, scopes=["repo"])
    assert (made.slug, made.enabled, made.scopes, made.credentials, made.custom_provider) == ("github", True, ["repo"], None, None)
    custom = client.pipes.create_data_integration(
        provider="acme",
        credentials=DataIntegrationCredentialsInput(type="custom", client_id="c1", client_secret="secret-of-acme-9876"),
        custom_provider=CustomProviderDefinition(name="Acme", authorization_url="https://id.acme.example/a", token_url="https://id.acme.example/t"),
    )
    assert custom.credentials is not None and custom.credentials.redacted_client_secret == "9876"
    assert custom.custom_provider is not None and custom.custom_provider.token_url == "https://id.acme.example/t"
    listed = [each.slug for each in client.pipes.list_data_integrations(limit=1).auto_paging_iter()]
    assert sorted(listed) == ["acme", "github", SLUG] and listed.index("acme") < listed.index("github")
    assert [each.slug for each in client.pipes.list_data_integrations(ownership="organization").data] == []
    changed = client.pipes.update_data_integration("acme", enabled=True, description="Ours")
    assert (changed.enabled, changed.description) == (True, "Ours")
    assert client.pipes.get_data_integration("acme").enabled is True
    client.pipes.delete_data_integration("acme")
    with pytest.raises(workos.NotFoundError):
        client.pipes.get_data_integration("acme")


def test_errors_reach_the_client_as_its_own_kinds(at_django: Site, client: WorkOSClient) -> None:
    with pytest.raises(workos.NotFoundError) as missing:
        client.pipes.get_access_token("nobody", user_id="u1")
    assert "There is no data integration" in str(missing.value) and missing.value.request_id
    with pytest.raises(workos.UnprocessableEntityError):
        client.pipes.authorize_data_integration(SLUG, user_id="")
    with pytest.raises(workos.ConflictError):
        client.pipes.create_data_integration(provider="github")
        client.pipes.create_data_integration(provider="github")
    with pytest.raises(workos.AuthorizationError):
        browser = at_django.browser()
        user = somebody()
        begun = client.pipes.authorize_data_integration(SLUG, user_id=user, **BOUND)  # type: ignore[arg-type]
        arrived = query_of(browser.arrive(browser.back_from(at_django.peer, begun.url, user)).location)
        client.pipes.finish_connection(connect_code=arrived["connect_code"][0], code_verifier="w" * 43)
    with WorkOSClient(api_key="sk_wrong", client_id="client_x", base_url=client.base_url, max_retries=0) as stranger, pytest.raises(workos.AuthenticationError):
        stranger.pipes.list_data_integrations()
