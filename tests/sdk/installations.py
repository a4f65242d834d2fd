"""API keys and client credentials that are entered: created, rotated, added, labelled, vended."""

import workos

from tests.sdk.stage import At, case


@case
def an_api_key_is_entered_rotated_and_vended(at: At) -> None:
    slug, user = at.custom("api_key"), at.new("user")
    made = at.pipes.update_data_integration_api_key(slug, user_id=user, secret="sk-first-1111", account_display_name="Work", account_identifier="acct-1")
    assert (made.object, made.auth_method, made.api_key_last_4, made.state, made.connection_role) == ("connected_account", "api_key", "1111", "connected", "compatibility")
    assert (made.user_id, made.organization_id, made.account_display_name, made.account_identifier, made.scopes) == (user, None, "Work", "acct-1", [])
    rotated = at.pipes.update_data_integration_api_key(slug, user_id=user, secret="sk-second-2222")
    assert (rotated.id, rotated.api_key_last_4, rotated.account_display_name, rotated.account_identifier) == (made.id, "2222", "Work", "acct-1")
    cleared = at.pipes.update_data_integration_api_key(slug, user_id=user, secret="sk-second-2222", account_display_name=None, account_identifier=None)
    assert (cleared.account_display_name, cleared.account_identifier) == (None, None)
    vended = at.pipes.create_data_integration_credential(slug, user_id=user)
    assert vended.active is True and vended.error is None
    assert vended.credential.to_dict() == {"object": "credential", "auth_method": "api_key", "value": "sk-second-2222", "config": {}}
    at.refused(workos.UnprocessableEntityError, "auth_method_mismatch", at.pipes.get_access_token, slug, user_id=user)
    exact = at.pipes.update_data_integration_api_key(slug, user_id=user, secret="sk-third-3333", connection_intent="reauthorize", connected_account_id=made.id)
    assert (exact.id, exact.api_key_last_4) == (made.id, "3333")
    assert at.pipes.update_data_integration_api_key(slug, user_id=user, secret="sk-4th-4444", connected_account_id=made.id).id == made.id


@case
def more_api_keys_are_added_and_told_apart(at: At) -> None:
    slug, user = at.custom("api_key"), at.new("user")

    def add(secret: str, **more: object) -> object:
        return at.pipes.create_data_integration_api_key(slug, user_id=user, secret=secret, connection_intent="add", **more)

    first, second = add("sk-first-1111", account_display_name="One", account_identifier="acct-1"), add("sk-second-2222", idempotency_key=at.new("key"))
    assert (first.connection_role, second.connection_role) == ("compatibility", "standard") and first.id != second.id  # type: ignore[attr-defined]
    twin = add("sk-third-3333", account_display_name="One")
    assert [warning.code for warning in twin.warnings] == ["duplicate_account_display_name"]  # type: ignore[attr-defined]
    at.refused(workos.ConflictError, "account_selection_required", at.pipes.create_data_integration_credential, slug, user_id=user, supports_multiple_connections=True)
    named = at.pipes.create_data_integration_credential(slug, user_id=user, supports_multiple_connections=True, connected_account_id=second.id)  # type: ignore[attr-defined]
    assert named.credential.value == "sk-second-2222"
    assert at.pipes.create_data_integration_credential(slug, user_id=user).credential.value == "sk-first-1111"
    at.refused(workos.NotFoundError, None, at.pipes.create_data_integration_credential, slug, user_id=at.new("user"), connected_account_id=second.id)  # type: ignore[attr-defined]
    at.refused(
        workos.NotFoundError, None, at.pipes.update_data_integration_api_key, slug, user_id=at.new("user"), secret="sk-theirs-0000", connected_account_id=second.id  # type: ignore[attr-defined]
    )  # fmt: skip


@case
def an_api_key_may_belong_to_an_organization(at: At) -> None:
    slug = at.custom("api_key", ownership="organization")
    organization, member = at.new("org"), at.new("user")
    made = at.pipes.update_data_integration_api_key(slug, user_id=member, secret="sk-first-1111", organization_id=organization, connection_owner="organization")
    assert (made.user_id, made.organization_id, made.established_by_user_id) == (None, organization, member)
    added = at.pipes.create_data_integration_api_key(slug, user_id=member, secret="sk-2nd-2222", connection_intent="add", organization_id=organization, connection_owner="organization")
    assert (added.organization_id, added.connection_role) == (organization, "standard")
    another = at.new("user")
    vended = at.pipes.create_data_integration_credential(slug, user_id=another, organization_id=organization, connection_owner="organization")
    assert vended.credential.value == "sk-first-1111"


@case
def client_credentials_are_entered_rotated_and_vended(at: At) -> None:
    slug, user, machine = at.custom("client_credentials", scopes=["read"]), at.new("user"), at.credentials()
    made = at.pipes.update_data_integration_client_credentials(slug, user_id=user, **machine, account_display_name="Robot", account_identifier="robot-1", config={})
    assert (made.auth_method, made.client_id, made.client_secret_last_4, made.state) == ("client_credentials", machine["client_id"], machine["client_secret"][-4:], "connected")
    assert (made.account_display_name, made.account_identifier, made.api_key_last_4) == ("Robot", "robot-1", None)
    vended = at.pipes.create_data_integration_credential(slug, user_id=user).credential
    assert (vended.auth_method, vended.scopes, vended.missing_scopes, vended.config, vended.metadata) == ("client_credentials", ["read"], [], {}, {})
    assert vended.value in at.machines.issued and vended.expires_at is not None
    other = at.credentials()
    rotated = at.pipes.update_data_integration_client_credentials(slug, user_id=user, **other)
    assert (rotated.id, rotated.client_id) == (made.id, other["client_id"])
    exact = at.pipes.update_data_integration_client_credentials(slug, user_id=user, **other, connection_intent="reauthorize", connected_account_id=made.id)
    assert exact.id == made.id
    again = at.pipes.create_data_integration_credential(slug, user_id=user).credential
    assert again.value in at.machines.issued and again.value != vended.value


@case
def more_client_credentials_are_added(at: At) -> None:
    slug, user, organization = at.custom("client_credentials"), at.new("user"), at.new("org")
    owner = {"user_id": user, "organization_id": organization, "connection_owner": "user"}
    labels = {"account_display_name": "One", "account_identifier": "robot-1"}
    first = at.pipes.create_data_integration_client_credential(slug, **owner, **at.credentials(), connection_intent="add", config={}, idempotency_key=at.new("key"), **labels)
    second = at.pipes.create_data_integration_client_credential(slug, **owner, **at.credentials(), connection_intent="add")
    assert (first.connection_role, second.connection_role, first.organization_id) == ("compatibility", "standard", organization)
    kept = at.pipes.update_data_integration_client_credentials(slug, **owner, **at.credentials())
    assert (kept.id, kept.account_display_name, kept.account_identifier) == (first.id, "One", "robot-1")
    theirs = {"user_id": at.new("user"), **at.credentials()}
    at.refused(workos.NotFoundError, None, at.pipes.update_data_integration_client_credentials, slug, **theirs, connected_account_id=first.id)


@case
def client_credentials_may_belong_to_an_organization(at: At) -> None:
    slug = at.custom("client_credentials", ownership="organization")
    organization, member = at.new("org"), at.new("user")
    owner = {"user_id": member, "organization_id": organization, "connection_owner": "organization"}
    made = at.pipes.create_data_integration_client_credential(slug, **owner, **at.credentials(), connection_intent="add")
    assert (made.user_id, made.organization_id) == (None, organization)
    assert at.pipes.update_data_integration_client_credentials(slug, **owner, **at.credentials()).id == made.id


@case
def what_cannot_be_entered_says_why(at: At) -> None:
    keys, machines, user, nothing = at.custom("api_key"), at.custom("client_credentials"), at.new("user"), at.slug("nothing")
    key, bad = {"user_id": user, "secret": "sk-1111"}, {"user_id": user, "client_id": "nobody", "client_secret": "wrong-wrong"}
    pipes, add = at.pipes, {"connection_intent": "add"}
    at.refused(workos.NotFoundError, None, pipes.update_data_integration_api_key, nothing, **key)
    at.refused(workos.NotFoundError, None, pipes.create_data_integration_api_key, nothing, **key, **add)
    at.refused(workos.NotFoundError, None, pipes.update_data_integration_client_credentials, nothing, **bad)
    at.refused(workos.NotFoundError, None, pipes.create_data_integration_client_credential, nothing, **bad, **add)
    at.refused(workos.UnprocessableEntityError, None, pipes.update_data_integration_client_credentials, machines, **bad)
    at.refused(workos.UnprocessableEntityError, None, pipes.update_data_integration_client_credentials, machines, user_id=user, **at.credentials(), config={"nothing": "x"})
    at.refused(workos.UnprocessableEntityError, "auth_method_mismatch", pipes.update_data_integration_api_key, machines, **key)
    at.refused(workos.UnprocessableEntityError, "auth_method_mismatch", pipes.update_data_integration_client_credentials, keys, **bad)
    at.refused(workos.UnprocessableEntityError, None, pipes.update_data_integration_api_key, keys, user_id=user, secret="")
    pipes.update_data_integration(keys, enabled=False)
    at.refused(workos.UnprocessableEntityError, None, pipes.update_data_integration_api_key, keys, **key)
    pipes.update_data_integration(machines, enabled=False)
    at.refused(workos.UnprocessableEntityError, None, pipes.update_data_integration_client_credentials, machines, user_id=user, **at.credentials())


@case
def twenty_accounts_are_the_limit(at: At) -> None:
    slug, user = at.custom("api_key"), at.new("user")
    for number in range(20):
        at.pipes.create_data_integration_api_key(slug, user_id=user, secret=f"sk-number-{number:04}", connection_intent="add")
    at.refused(workos.ConflictError, "connected_account_limit_reached", at.pipes.create_data_integration_api_key, slug, user_id=user, secret="sk-one-more", connection_intent="add")
    listed = next(row for row in at.pipes.list_user_data_providers(user, supports_multiple_connections=True).data if row.slug == slug)
    assert len(listed.connected_accounts) == 20
