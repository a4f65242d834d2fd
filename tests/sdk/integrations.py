"""Data integrations: made, read, listed, changed and deleted, the user-owned and the organization-owned ones."""

from datetime import datetime
from typing import Any

import workos
from workos.pipes.models import ApiKeyInstallation, CustomProviderDefinition, DataIntegrationCredentialsInput, UpdateCustomProviderDefinition

from tests.sdk.stage import At, case

ENDPOINTS: dict[str, Any] = {"authorization_url": "https://id.acme.example/authorize", "token_url": "https://id.acme.example/token"}


def own(secret: str = "secret-of-acme-9876") -> DataIntegrationCredentialsInput:
    return DataIntegrationCredentialsInput(type="custom", client_id="client-of-acme", client_secret=secret)  # type: ignore[arg-type]


@case
def a_custom_provider_is_created_with_all_of_its_fields(at: At) -> None:
    slug = at.slug("acme")
    whole = CustomProviderDefinition(
        name="Acme Cloud",
        **ENDPOINTS,
        refresh_token_url="https://id.acme.example/refresh",
        pkce_enabled=False,
        request_scope_separator=",",
        scopes_required=True,
        client_secret_required=True,
        additional_authorization_parameters={"audience": "api"},
        token_body_content_type="application/json",
        authenticate_via="basic_auth_header",  # type: ignore[arg-type]
    )
    made = at.pipes.create_data_integration(
        provider=slug, ownership="user", description="Ours", enabled=True, scopes=["read", "write"], auth_methods=["oauth"], credentials=own(), custom_provider=whole
    )
    assert (made.object, made.slug, made.integration_type, made.ownership, made.description) == ("data_integration", slug, slug, "user", "Ours")
    assert (made.enabled, made.state, made.scopes, made.auth_methods, made.installation, made.config) == (True, "valid", ["read", "write"], ["oauth"], None, {})
    assert made.redirect_uri.startswith(at.url) and isinstance(made.created_at, datetime) and made.id.startswith("data_integration_")
    assert made.credentials.to_dict() == {"type": "custom", "client_id": "client-of-acme", "redacted_client_secret": "9876"}
    assert made.custom_provider.to_dict() == {**whole.to_dict(), "authenticate_via": "basic_auth_header"}
    assert at.pipes.get_data_integration(slug).to_dict() == made.to_dict()
    at.refused(workos.ConflictError, None, at.pipes.create_data_integration, provider=slug, scopes=["read"], credentials=own(), custom_provider=whole)
    at.pipes.delete_data_integration(slug)


@case
def one_is_changed_field_by_field(at: At) -> None:
    slug = at.custom()
    changed = at.pipes.update_data_integration(slug, description="Theirs", enabled=False, scopes=["read"], credentials=own("another-secret-1111"))
    assert (changed.description, changed.enabled, changed.scopes, changed.credentials.redacted_client_secret) == ("Theirs", False, ["read"], "1111")
    assert at.pipes.update_data_integration(slug, scopes=None).scopes is None
    assert at.pipes.update_data_integration(slug, description=None).enabled is False
    renamed = at.pipes.update_data_integration(slug, custom_provider=UpdateCustomProviderDefinition(name="Acme renamed"), credentials=own())
    assert renamed.custom_provider.name == "Acme renamed" and renamed.custom_provider.token_url.startswith(at.url)
    at.refused(workos.NotFoundError, None, at.pipes.update_data_integration, at.slug("nothing"), enabled=True)
    at.refused(workos.UnprocessableEntityError, None, at.pipes.update_data_integration, slug, scopes=["a scope with spaces"])
    at.pipes.create_user_connected_account(at.new("user"), slug, access_token="kept-by-its-client")
    at.refused(workos.ConflictError, None, at.pipes.update_data_integration, slug, credentials=DataIntegrationCredentialsInput(type="custom", client_id="other", client_secret="x" * 20))  # type: ignore[arg-type]


@case
def what_cannot_be_made_says_why(at: At) -> None:
    missing = at.refused(workos.UnprocessableEntityError, None, at.pipes.create_data_integration, provider=at.slug("acme"), custom_provider=CustomProviderDefinition(name="No endpoints"))
    assert missing.errors
    at.refused(workos.NotFoundError, None, at.pipes.create_data_integration, provider=at.slug("not-in-the-catalogue"))
    at.refused(
        workos.UnprocessableEntityError, None, at.pipes.create_data_integration, provider="github", ownership="organization", custom_provider=CustomProviderDefinition(name="Shadow", **ENDPOINTS)
    )
    at.refused(workos.NotFoundError, None, at.pipes.get_data_integration, at.slug("nothing"))
    at.refused(workos.NotFoundError, None, at.pipes.delete_data_integration, at.slug("nothing"))


@case
def one_of_each_ownership_lives_under_a_slug(at: At) -> None:
    slug = at.custom()
    shared = at.pipes.create_data_integration(provider=slug, ownership="organization", enabled=True, credentials=own())
    assert (shared.ownership, shared.slug, shared.custom_provider.name) == ("organization", slug, "Acme oauth")
    assert at.pipes.list_data_integration_organization(slug).id == shared.id != at.pipes.get_data_integration(slug).id
    both = {each.ownership.value for each in at.client.every(at.pipes.list_data_integrations(limit=50)) if each.slug == slug}
    assert both == {"user", "organization"}
    changed = at.pipes.update_data_integration_organization(slug, description="Shared", enabled=False, scopes=["read"], credentials=own("another-secret-2222"))
    assert (changed.description, changed.enabled, changed.scopes, changed.credentials.redacted_client_secret) == ("Shared", False, ["read"], "2222")
    assert at.pipes.get_data_integration(slug).enabled is True
    renamed = at.pipes.update_data_integration_organization(slug, custom_provider=UpdateCustomProviderDefinition(name="Both renamed"), credentials=own())
    assert renamed.custom_provider.name == "Both renamed" == at.pipes.get_data_integration(slug).custom_provider.name  # the definition is one
    at.refused(workos.UnprocessableEntityError, None, at.pipes.update_data_integration_organization, slug, scopes=["a scope with spaces"])
    organization, member = at.new("org"), at.new("user")
    at.pipes.update_data_integration_organization(slug, enabled=True)
    at.pipes.create_organization_connected_account(organization, slug, user_id=member, access_token="kept")
    other = DataIntegrationCredentialsInput(type="custom", client_id="other", client_secret="x" * 20)  # type: ignore[arg-type]
    at.refused(workos.ConflictError, None, at.pipes.update_data_integration_organization, slug, credentials=other)
    at.pipes.delete_organization_connected_account(organization, slug)
    at.pipes.delete_data_integration_organization(slug)
    at.refused(workos.NotFoundError, None, at.pipes.list_data_integration_organization, slug)
    at.refused(workos.NotFoundError, None, at.pipes.delete_data_integration_organization, slug)
    at.refused(workos.NotFoundError, None, at.pipes.update_data_integration_organization, slug, enabled=True)
    assert at.pipes.get_data_integration(slug).enabled is True


@case
def each_organization_may_have_to_bring_its_own_client(at: At) -> None:
    slug = at.custom(credentials=DataIntegrationCredentialsInput(type="organization"))  # type: ignore[arg-type]
    found = at.pipes.get_data_integration(slug)
    assert found.credentials.to_dict() == {"type": "organization", "client_id": None, "redacted_client_secret": None}


@case
def config_belongs_to_the_fields_a_provider_declares(at: At) -> None:
    made = at.pipes.create_data_integration(provider="salesforce", ownership="organization", config={"hostname": "acme.my.salesforce.com"})
    try:
        assert made.config == {"hostname": "acme.my.salesforce.com"} and made.custom_provider is None
    finally:
        at.pipes.delete_data_integration_organization("salesforce")
    at.refused(workos.UnprocessableEntityError, None, at.pipes.create_data_integration, provider="salesforce", ownership="organization", config={"hostname": "evil.example"})
    at.refused(workos.UnprocessableEntityError, None, at.pipes.create_data_integration, provider="salesforce", ownership="organization", config={"nothing": "x"})


@case
def a_first_api_key_is_installed_with_its_integration(at: At) -> None:
    slug, user, organization = at.slug("keyed"), at.new("user"), at.new("org")
    key = ApiKeyInstallation(secret="sk-of-the-tenant-1234", user_id=user, organization_id=organization)
    made = at.pipes.create_data_integration(provider=slug, enabled=True, auth_methods=["api_key"], api_key=key, custom_provider=CustomProviderDefinition(name="Keyed"))
    assert (made.redirect_uri, made.credentials, made.auth_methods) == ("", None, ["api_key"])
    installed = made.installation
    assert (installed.user_id, installed.organization_id, installed.api_key_last_4, installed.connection_role) == (user, organization, "1234", "compatibility")
    assert (installed.account_identifier, installed.account_display_name) == (None, None)
    assert at.pipes.get_data_integration(slug).installation is None
    assert at.pipes.get_user_connected_account(user, slug, organization_id=organization).id == installed.id
    at.pipes.update_data_integration(slug, api_key=ApiKeyInstallation(secret="sk-rotated-5678", user_id=user, organization_id=organization))
    rotated = at.pipes.get_user_connected_account(user, slug, organization_id=organization)
    assert (rotated.id, rotated.api_key_last_4) == (installed.id, "5678")

    shared = at.pipes.create_data_integration(provider=slug, ownership="organization", enabled=True, auth_methods=["api_key"], api_key=key)
    assert (shared.installation.user_id, shared.installation.organization_id, shared.installation.api_key_last_4) == (None, organization, "1234")
    at.pipes.update_data_integration_organization(slug, api_key=ApiKeyInstallation(secret="sk-shared-9999", user_id=user, organization_id=organization))
    renewed = at.pipes.get_organization_connected_account(organization, slug)
    assert (renewed.id, renewed.api_key_last_4) == (shared.installation.id, "9999")


@case
def lists_come_in_pages_in_both_orders(at: At) -> None:
    mine = [at.custom("api_key") for _ in range(3)]
    whole = at.client.every(at.pipes.list_data_integrations(limit=2))
    newest = [each.id for each in whole]
    assert len(set(newest)) == len(newest) and [each.slug for each in whole[:3]] == mine[::-1]
    assert [each.id for each in at.client.every(at.pipes.list_data_integrations(limit=100, order="asc"))] == newest[::-1]
    first = at.pipes.list_data_integrations(limit=2)
    assert (first.before, first.after) == (None, newest[1])
    second = at.pipes.list_data_integrations(limit=2, after=first.after)
    assert [each.id for each in second.data] == newest[2:4] and second.before == newest[2]
    assert [each.id for each in at.pipes.list_data_integrations(limit=2, before=second.before).data] == newest[:2]
    backwards = at.pipes.list_data_integrations(limit=2, order="normal", before=newest[1])  # newest first, and "before" is older
    assert [each.id for each in backwards.data] == newest[2:4]
    forwards = at.pipes.list_data_integrations(limit=2, order="normal", after=newest[2])
    assert [each.id for each in forwards.data] == newest[:2]
    assert {each.ownership.value for each in at.pipes.list_data_integrations(ownership="user", limit=100).data} == {"user"}
    assert {each.ownership.value for each in at.client.every(at.pipes.list_data_integrations(ownership="organization"))} <= {"organization"}
    for wrong in ({"limit": 0}, {"limit": 101}, {"order": "sideways"}, {"after": "data_integration_nothing"}, {"ownership": "nobody"}):
        at.refused(workos.UnprocessableEntityError, None, at.pipes.list_data_integrations, **wrong)
