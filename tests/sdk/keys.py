"""What a key may not do, and what a repeated or overlong idempotency key says."""

from typing import Any

import workos

from tests.sdk.stage import GITHUB, At, case

EVERYWHERE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("pipes.create_data_integration", {"provider": "github"}),
    ("pipes.update_data_integration", {"slug": GITHUB, "enabled": True}),
    ("pipes.delete_data_integration", {"slug": GITHUB}),
    ("pipes.update_data_integration_organization", {"slug": GITHUB, "enabled": True}),
    ("pipes.delete_data_integration_organization", {"slug": GITHUB}),
)


@case
def a_key_of_an_organization_reaches_its_own_only(at: At) -> None:
    organization, other, user = at.new("org"), at.new("org"), at.new("user")
    own, slug = at.bound(organization), at.custom(ownership="organization")
    for method, given in EVERYWHERE:
        at.refused(workos.AuthorizationError, "organization_bound_key", own.call, method, **given)
    assert own.pipes.create_user_connected_account(user, GITHUB, organization_id=organization, access_token="gho_1").organization_id == organization
    at.pipes.create_user_connected_account(user, GITHUB, organization_id=other, access_token="gho_2")
    at.pipes.create_organization_connected_account(other, slug, user_id=user, access_token="t")
    for method, foreign in (
        ("pipes.get_user_connected_account", {"user_id": user, "slug": GITHUB, "organization_id": other}),
        ("pipes.update_user_connected_account", {"user_id": user, "slug": GITHUB, "organization_id": other, "scopes": ["repo"]}),
        ("pipes.delete_user_connected_account", {"user_id": user, "slug": GITHUB, "organization_id": other}),
        ("pipes.get_organization_connected_account", {"organization_id": other, "slug": slug}),
        ("pipes.update_organization_connected_account", {"organization_id": other, "slug": slug, "user_id": user, "scopes": ["read"]}),
        ("pipes.delete_organization_connected_account", {"organization_id": other, "slug": slug}),
    ):
        at.refused(workos.NotFoundError, None, own.call, method, **foreign)
    assert at.pipes.get_access_token(GITHUB, user_id=user, organization_id=other).access_token.access_token == "gho_2"


@case
def an_idempotency_key_is_not_overlong_and_not_used_for_two(at: At) -> None:
    keyed, machines, shared, machine = at.custom("api_key"), at.custom("client_credentials"), at.custom(ownership="organization"), at.credentials()
    add: dict[str, Any] = {"connection_intent": "add"}
    for create, given in (
        (at.pipes.create_data_integration_api_key, {"slug": keyed, "secret": "sk-of-the-user-1", **add}),
        (at.pipes.create_data_integration_client_credential, {"slug": machines, **machine, **add}),
        (at.pipes.create_user_connected_account, {"slug": GITHUB, "access_token": "t", **add}),
        (at.pipes.create_organization_connected_account, {"organization_id": at.new("org"), "slug": shared, "access_token": "t", **add}),
    ):
        key = at.new("key")
        made = create(**given, user_id=at.new("user"), idempotency_key=key)
        at.refused(workos.ConflictError, "idempotency_key_conflict", create, **given, user_id=at.new("user"), idempotency_key=key)
        at.refused(workos.BadRequestError, "invalid_idempotency_key", create, **given, user_id=at.new("user"), idempotency_key="k" * 256)
        assert made.id
    overlong: dict[str, Any] = {"request_options": {"idempotency_key": "k" * 256}}
    at.refused(workos.BadRequestError, "invalid_idempotency_key", at.pipes.create_data_integration, provider=at.slug("acme"), **overlong)


@case
def a_refresh_token_has_one_holder(at: At) -> None:
    slug, organization, refresh = at.custom(ownership="organization"), at.new("org"), at.new("refresh")
    user, member = at.new("user"), at.new("user")
    ends = "2100-01-01T00:00:00.000Z"
    taken = {"access_token": "t", "refresh_token": refresh, "expires_at": ends}
    at.pipes.create_user_connected_account(user, GITHUB, **taken)
    at.pipes.create_user_connected_account(member, GITHUB, access_token="other")
    at.refused(workos.ConflictError, "refresh_token_in_use", at.pipes.update_user_connected_account, member, GITHUB, **taken)
    at.pipes.create_organization_connected_account(organization, slug, user_id=user, access_token="t", refresh_token=at.new("refresh"), expires_at=ends)
    held = {"access_token": "t", "refresh_token": at.new("refresh"), "expires_at": ends}
    at.pipes.create_organization_connected_account(at.new("org"), slug, user_id=user, **held)
    at.refused(workos.ConflictError, "refresh_token_in_use", at.pipes.update_organization_connected_account, organization, slug, user_id=user, **held)
