"""Connected accounts brought from elsewhere as tokens: of users, of users within an organization, of organizations."""

from datetime import UTC, datetime, timedelta
from typing import Any

import workos

from tests.sdk.stage import GITHUB, At, case


def soon() -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(hours=2)


@case
def the_state_follows_from_the_tokens(at: At) -> None:
    for given, state in (
        ({}, "needs_reauthorization"),
        ({"access_token": "gho_1"}, "connected"),
        ({"access_token": "gho_2", "expires_at": soon(), "refresh_token": at.new("ghr")}, "connected"),
        ({"access_token": "gho_3", "state": "needs_reauthorization"}, "needs_reauthorization"),
        ({"access_token": "gho_4", "state": "connected"}, "connected"),
    ):
        made = at.pipes.create_user_connected_account(at.new("user"), GITHUB, **given)
        assert (made.state, made.auth_method, made.connection_role) == (state, "oauth", "compatibility"), given
    user = at.new("user")
    at.refused(workos.UnprocessableEntityError, "invalid_token_combination", at.pipes.create_user_connected_account, user, GITHUB, access_token="gho_5", expires_at=soon())
    at.refused(workos.UnprocessableEntityError, "invalid_token_combination", at.pipes.create_user_connected_account, user, GITHUB, refresh_token=at.new("ghr"))
    at.refused(workos.NotFoundError, None, at.pipes.get_user_connected_account, user, GITHUB)


@case
def a_users_account_is_brought_with_all_that_is_known(at: At) -> None:
    user, organization, refresh, ends = at.new("user"), at.new("org"), at.new("ghr"), soon()
    made = at.pipes.create_user_connected_account(
        user,
        GITHUB,
        organization_id=organization,
        access_token="gho_first",
        refresh_token=refresh,
        expires_at=ends,
        scopes=["repo", "read:user"],
        state="connected",
        account_display_name="Work",
        account_identifier="583231",
        connection_intent="add",
        idempotency_key=at.new("key"),
    )
    assert (made.user_id, made.organization_id, made.account_display_name, made.account_identifier) == (user, organization, "Work", "583231")
    assert (sorted(made.scopes), made.state, made.config, made.api_key_last_4) == (["read:user", "repo"], "connected", {}, None)
    token = at.pipes.get_access_token(GITHUB, user_id=user, organization_id=organization)
    assert (token.access_token.access_token, token.access_token.expires_at) == ("gho_first", ends)
    vended = at.pipes.create_data_integration_credential(GITHUB, user_id=user, organization_id=organization, connection_owner="user").credential
    assert (vended.auth_method, vended.value, sorted(vended.scopes)) == ("oauth", "gho_first", ["read:user", "repo"])
    held_by_another = {"access_token": "x", "refresh_token": refresh, "expires_at": ends}
    at.refused(workos.ConflictError, "refresh_token_in_use", at.pipes.create_user_connected_account, at.new("user"), GITHUB, **held_by_another)
    at.refused(workos.ConflictError, None, at.pipes.create_user_connected_account, user, GITHUB, organization_id=organization, access_token="gho_again")


@case
def a_users_account_is_changed(at: At) -> None:
    user = at.new("user")
    at.refused(workos.NotFoundError, None, at.pipes.update_user_connected_account, user, GITHUB, access_token="gho_none")
    made = at.pipes.create_user_connected_account(user, GITHUB, access_token="gho_first", account_display_name="Work")
    exactly = {"connected_account_id": made.id, "connection_intent": "reauthorize", "supports_multiple_connections": True}
    tokens = {"access_token": "gho_second", "refresh_token": at.new("ghr"), "expires_at": soon().isoformat().replace("+00:00", "Z"), "scopes": ["repo"], "state": "connected"}
    changed = at.pipes.update_user_connected_account(user, GITHUB, **tokens, **exactly, account_display_name="Home", account_identifier="7")
    assert (changed.id, changed.scopes, changed.account_display_name, changed.account_identifier) == (made.id, ["repo"], "Home", "7")
    assert at.pipes.get_access_token(GITHUB, user_id=user).access_token.access_token == "gho_second"
    assert at.pipes.update_user_connected_account(user, GITHUB, account_display_name=None).account_display_name != "Home"
    marked = at.pipes.update_user_connected_account(user, GITHUB, state="needs_reauthorization")
    assert marked.state == "needs_reauthorization"
    assert at.pipes.get_access_token(GITHUB, user_id=user).error == "needs_reauthorization"
    within = at.new("org")
    at.refused(workos.NotFoundError, None, at.pipes.update_user_connected_account, user, GITHUB, organization_id=within, scopes=["repo"])
    at.pipes.create_user_connected_account(user, GITHUB, organization_id=within, access_token="gho_within")
    assert at.pipes.update_user_connected_account(user, GITHUB, organization_id=within, scopes=["repo"]).organization_id == within
    bad = {"access_token": "x", "expires_at": soon()}
    at.refused(workos.UnprocessableEntityError, "invalid_token_combination", at.pipes.update_user_connected_account, user, GITHUB, **bad)
    at.refused(workos.NotFoundError, None, at.pipes.update_user_connected_account, user, GITHUB, scopes=["repo"], connected_account_id="data_installation_nothing")


@case
def several_accounts_of_a_user_are_told_apart(at: At) -> None:
    user = at.new("user")
    first = at.pipes.create_user_connected_account(user, GITHUB, access_token="gho_one", account_display_name="One")
    second = at.pipes.create_user_connected_account(user, GITHUB, access_token="gho_two", account_display_name="Two", connection_intent="add")
    assert (first.connection_role, second.connection_role) == ("compatibility", "standard")
    several: dict[str, Any] = {"supports_multiple_connections": True}
    get, token = at.pipes.get_user_connected_account, at.pipes.get_access_token
    assert get(user, GITHUB).id == first.id
    at.refused(workos.ConflictError, "account_selection_required", get, user, GITHUB, **several)
    assert get(user, GITHUB, **several, connected_account_id=second.id).account_display_name == "Two"
    at.refused(workos.ConflictError, "account_selection_required", token, GITHUB, user_id=user, **several)
    assert token(GITHUB, user_id=user, connected_account_id=second.id, **several).access_token.access_token == "gho_two"
    assert token(GITHUB, user_id=user).access_token.access_token == "gho_one"
    at.refused(workos.NotFoundError, None, get, at.new("user"), GITHUB, connected_account_id=second.id)

    listed = next(row for row in at.pipes.list_user_data_providers(user).data if row.slug == GITHUB)
    assert (listed.connected_account.id, [each.id for each in listed.connected_accounts]) == (first.id, [first.id])
    listed = next(row for row in at.pipes.list_user_data_providers(user, **several).data if row.slug == GITHUB)
    assert {each.id for each in listed.connected_accounts} == {first.id, second.id} and listed.connected_account.id == first.id
    assert (listed.connection_owner, listed.ownership, listed.credentials_type, listed.name) == ("user", "userland_user", "oauth2", "GitHub")

    at.refused(workos.ConflictError, "account_selection_required", at.pipes.delete_user_connected_account, user, GITHUB, **several)
    at.pipes.delete_user_connected_account(user, GITHUB, **several, connected_account_id=second.id)
    assert get(user, GITHUB, **several).id == first.id
    at.pipes.delete_user_connected_account(user, GITHUB)
    at.refused(workos.NotFoundError, None, at.pipes.delete_user_connected_account, user, GITHUB)
    assert token(GITHUB, user_id=user).error == "not_installed"


@case
def a_user_within_an_organization_is_another_owner(at: At) -> None:
    user, organization = at.new("user"), at.new("org")
    inside = at.pipes.create_user_connected_account(user, GITHUB, organization_id=organization, access_token="gho_inside")
    at.refused(workos.NotFoundError, None, at.pipes.get_user_connected_account, user, GITHUB)
    assert at.pipes.get_user_connected_account(user, GITHUB, organization_id=organization).id == inside.id
    rows = {row.slug: row for row in at.pipes.list_user_data_providers(user, organization_id=organization).data}
    assert rows[GITHUB].connected_account.id == inside.id
    assert {row.slug: row for row in at.pipes.list_user_data_providers(user).data}[GITHUB].connected_account is None
    at.pipes.delete_user_connected_account(user, GITHUB, organization_id=organization)
    at.refused(workos.NotFoundError, None, at.pipes.get_user_connected_account, user, GITHUB, organization_id=organization)


@case
def an_organizations_account_is_shared_by_its_members(at: At) -> None:
    slug, organization, member = at.custom(ownership="organization"), at.new("org"), at.new("user")
    pipes = at.pipes
    brought = {"access_token": "org_first", "refresh_token": at.new("refresh"), "expires_at": soon(), "scopes": ["read"], "state": "connected"}
    labels = {"account_display_name": "Company", "account_identifier": "company-1"}
    made = pipes.create_organization_connected_account(organization, slug, user_id=member, **brought, **labels, connection_intent="add", idempotency_key=at.new("key"))
    assert (made.user_id, made.organization_id, made.established_by_user_id, made.connection_role) == (None, organization, member, "compatibility")
    assert (made.scopes, made.account_display_name, made.account_identifier) == (["read"], "Company", "company-1")
    at.refused(workos.ConflictError, None, pipes.create_organization_connected_account, organization, slug, user_id=member, access_token="again")
    for who in (member, at.new("user")):
        vended = pipes.get_access_token(slug, user_id=who, organization_id=organization, connection_owner="organization")
        assert vended.access_token.access_token == "org_first"
    assert pipes.get_access_token(slug, user_id=member, organization_id=at.new("org"), connection_owner="organization").error == "not_installed"
    assert pipes.get_organization_connected_account(organization, slug).id == made.id

    second = pipes.create_organization_connected_account(organization, slug, user_id=member, access_token="org_second", connection_intent="add")
    several: dict[str, Any] = {"supports_multiple_connections": True}
    at.refused(workos.ConflictError, "account_selection_required", pipes.get_organization_connected_account, organization, slug, **several)
    assert pipes.get_organization_connected_account(organization, slug, **several, connected_account_id=second.id).id == second.id
    (row,) = [each for each in pipes.list_organization_data_providers(organization).data if each.slug == slug]
    assert (row.connection_owner, row.ownership, row.connected_account.id, len(row.connected_accounts)) == ("organization", "organization", made.id, 1)
    (row,) = [each for each in pipes.list_organization_data_providers(organization, **several).data if each.slug == slug]
    assert {each.id for each in row.connected_accounts} == {made.id, second.id}
    of_users = at.custom()
    assert of_users not in {each.slug for each in pipes.list_organization_data_providers(organization).data}

    exactly = {**several, "connected_account_id": second.id, "connection_intent": "reauthorize"}
    fresh = {"access_token": "org_third", "refresh_token": at.new("refresh"), "expires_at": soon(), "scopes": ["read", "write"], "state": "connected"}
    changed = pipes.update_organization_connected_account(organization, slug, user_id=member, **fresh, **exactly, account_display_name="Second", account_identifier=None)
    assert (changed.id, changed.account_display_name, sorted(changed.scopes)) == (second.id, "Second", ["read", "write"])
    at.refused(workos.UnprocessableEntityError, "invalid_token_combination", pipes.update_organization_connected_account, organization, slug, user_id=member, access_token="x", expires_at=soon())
    at.refused(workos.UnprocessableEntityError, "invalid_token_combination", pipes.create_organization_connected_account, at.new("org"), slug, user_id=member, access_token="x", expires_at=soon())
    at.refused(workos.NotFoundError, None, pipes.update_organization_connected_account, at.new("org"), slug, user_id=member, scopes=["read"])
    at.refused(workos.NotFoundError, None, pipes.create_organization_connected_account, organization, at.slug("nothing"), user_id=member, access_token="x")

    at.refused(workos.ConflictError, "account_selection_required", pipes.delete_organization_connected_account, organization, slug, **several)
    pipes.delete_organization_connected_account(organization, slug, **several, connected_account_id=second.id)
    pipes.delete_organization_connected_account(organization, slug)
    at.refused(workos.NotFoundError, None, pipes.get_organization_connected_account, organization, slug)
    at.refused(workos.NotFoundError, None, pipes.delete_organization_connected_account, organization, slug)


@case
def what_cannot_be_brought_says_why(at: At) -> None:
    keyed, user = at.custom("api_key"), at.new("user")
    at.refused(workos.UnprocessableEntityError, "invalid_data_integration_state", at.pipes.create_user_connected_account, user, keyed, access_token="x")
    at.refused(workos.NotFoundError, None, at.pipes.create_user_connected_account, user, at.slug("nothing"), access_token="x")


@case
def ids_are_opaque(at: At) -> None:
    for word in ("ana@acme.test", "a b", "a/b", "ü-ñ-日本", "50%", "a?b#c&d=e", "a+b", "%2e%2e", "...", "-", "a:b"):
        user, organization = f"{word}{at.new('')}", f"{at.new('')}{word}"
        made = at.pipes.create_user_connected_account(user, GITHUB, organization_id=organization, access_token=f"gho_{word}")
        assert (made.user_id, made.organization_id) == (user, organization)
        assert at.pipes.get_user_connected_account(user, GITHUB, organization_id=organization).id == made.id
        assert at.pipes.get_access_token(GITHUB, user_id=user, organization_id=organization).access_token.access_token == f"gho_{word}"
        assert at.pipes.list_organization_data_providers(organization).data is not None
        at.pipes.delete_user_connected_account(user, GITHUB, organization_id=organization)


@case
def dots_are_no_ids(at: At) -> None:
    """The client itself refuses what would lead to another path; nothing is sent."""
    for word in (".", "..", ""):
        for call, given in (
            (at.client.client.pipes.delete_user_connected_account, (word, GITHUB)),
            (at.client.client.pipes.get_data_integration, (word,)),
            (at.client.client.webhooks.delete_webhook_endpoint, (word,)),
        ):
            try:
                at.client.settle(call(*given))
            except ValueError as error:
                assert "path segment" in str(error)
            else:
                raise AssertionError(f"{call} took {word!r}")
