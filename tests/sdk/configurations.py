"""What an organization sets for itself over an integration, and the tokens of widgets."""

import base64
import json

import workos
from workos.pipes.models import DataIntegrationCredentialsInput

from tests.sdk.stage import GITHUB, At, case


@case
def an_organization_disables_and_narrows(at: At) -> None:
    slug, organization = at.custom(scopes=["read", "write"]), at.new("org")
    configure = at.client.pipes_provider.update_organization_data_integration_configuration

    def listed() -> object:
        found = at.client.pipes_provider.list_organization_data_integration_configurations(organization)
        assert found.object == "list" and {"github", "slack"} <= {each.slug for each in found.data}
        (own,) = [each for each in found.data if each.slug == slug]
        return own

    before = listed()
    assert (before.object, before.organization_id, before.name, before.enabled) == ("data_integration_configuration", organization, "Acme oauth", True)  # type: ignore[attr-defined]
    assert (sorted(before.scopes), before.config) == (["read", "write"], {})  # type: ignore[attr-defined]
    changed = configure(organization, slug, enabled=False, scopes=["read"])
    assert (changed.enabled, changed.scopes) == (False, ["read"]) and listed().to_dict() == changed.to_dict()  # type: ignore[attr-defined]
    user = at.new("user")
    at.refused(workos.UnprocessableEntityError, None, at.pipes.authorize_data_integration, slug, user_id=user, organization_id=organization)
    assert at.pipes.authorize_data_integration(slug, user_id=user).url
    back = configure(organization, slug, enabled=True, scopes=None)
    assert (back.enabled, sorted(back.scopes)) == (True, ["read", "write"])
    at.refused(workos.UnprocessableEntityError, None, configure, organization, slug, scopes=["admin"])
    at.refused(workos.NotFoundError, None, configure, organization, at.slug("nothing"), enabled=True)
    try:
        configure(organization, slug)
    except (workos.BadRequestError, workos.UnprocessableEntityError) as error:
        assert error.message
    else:
        raise AssertionError("nothing was asked for")


@case
def an_organization_brings_its_own_client(at: At) -> None:
    slug = at.custom(credentials=DataIntegrationCredentialsInput(type="organization"))  # type: ignore[arg-type]
    organization, other, user = at.new("org"), at.new("org"), at.new("user")
    configure = at.client.pipes_provider.update_organization_data_integration_configuration
    own = configure(organization, slug, client_id="client-of-org", client_secret="secret-of-org-7777")
    shown = own.credentials.to_dict()
    assert (shown["credentials_type"], shown["has_credentials"], shown["client_id"], shown["client_secret_last_four"]) == ("organization", True, "client-of-org", "7777")
    assert shown["redirect_uri"].startswith(at.url)
    (bare,) = [each for each in at.client.pipes_provider.list_organization_data_integration_configurations(other).data if each.slug == slug]
    assert (bare.credentials.has_credentials, bare.credentials.client_id, bare.credentials.client_secret_last_four) == (False, None, None)
    assert at.pipes.authorize_data_integration(slug, user_id=user, organization_id=organization).url
    at.refused(workos.ConflictError, None, at.pipes.authorize_data_integration, slug, user_id=user, organization_id=other)
    at.refused(workos.UnprocessableEntityError, None, configure, other, slug, client_id="alone")


@case
def an_organization_sets_config_where_it_brings_the_client(at: At) -> None:
    configure, organization = at.client.pipes_provider.update_organization_data_integration_configuration, at.new("org")
    at.pipes.create_data_integration(provider="salesforce", ownership="organization", enabled=True, credentials=DataIntegrationCredentialsInput(type="organization"))  # type: ignore[arg-type]
    try:
        rows = {(each.id): each for each in at.client.pipes_provider.list_organization_data_integration_configurations(organization).data if each.slug == "salesforce"}
        assert rows
    finally:
        at.pipes.delete_data_integration_organization("salesforce")
    slug = "salesforce"
    changed = configure(organization, slug, config={"hostname": "acme.my.salesforce.com"}, client_id="client-of-org", client_secret="secret-of-org-7777")
    assert changed.config == {"hostname": "acme.my.salesforce.com"}
    at.refused(workos.UnprocessableEntityError, None, configure, organization, slug, config={"hostname": "evil.example"})
    at.refused(workos.UnprocessableEntityError, None, configure, organization, slug, config={"nothing": "x"})


@case
def a_widget_token_is_a_users_within_an_organization(at: At) -> None:
    user, organization = at.new("user"), at.new("org")
    token = at.client.widgets.create_token(user_id=user, organization_id=organization, scopes=["widgets:pipes:manage"]).token
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert (claims["sub"], claims["org_id"], claims["permissions"]) == (user, organization, ["widgets:pipes:manage"])
    assert 3000 < claims["exp"] - claims["iat"] <= 3600
    alone = at.client.widgets.create_token(user_id=user)
    assert json.loads(base64.urlsafe_b64decode(alone.token.split(".")[1] + "=="))["permissions"] == []
    at.refused(workos.UnprocessableEntityError, None, at.client.widgets.create_token, user_id=user, organization_id=organization, scopes=["widgets:nothing:manage"])
    at.refused(workos.UnprocessableEntityError, None, at.client.widgets.create_token)


@case
def a_provider_listing_needs_no_account(at: At) -> None:
    rows = {row.slug: row for row in at.pipes.list_user_data_providers(at.new("user")).data}
    github = rows[GITHUB]
    assert (github.object, github.integration_type, github.connected_account, github.connected_accounts) == ("data_provider", "github", None, [])
    assert [method.value for method in github.auth_methods] == ["oauth"] and github.description
