"""The trips of a person: links, the way back, tokens, and what becomes of them."""

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import workos

from tests.sdk.stage import GITHUB, At, case

VERIFIER = "the-application-keeps-this-verifier-to-itself-1234"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@case
def a_user_connects_fetches_and_disconnects(at: At) -> None:
    user = at.new("user")
    nothing = at.pipes.get_access_token(GITHUB, user_id=user)
    assert (nothing.active, nothing.access_token, nothing.error) == (False, None, "not_installed")
    assert at.pipes.create_data_integration_credential(GITHUB, user_id=user).error == "not_installed"
    begun = at.pipes.authorize_data_integration(GITHUB, user_id=user, return_to=at.landing, account_display_name="Work")
    assert begun.state and begun.completion is None and begun.url.startswith(at.url)
    assert at.person().connect(begun.url, "octocat").startswith(at.landing)
    account = at.pipes.get_user_connected_account(user, GITHUB)
    assert (account.state, account.user_id, account.account_display_name, account.account_identifier, account.auth_method) == ("connected", user, "Work", "583231", "oauth")
    token = at.pipes.get_access_token(GITHUB, user_id=user, organization_id=None, connection_owner="user").access_token
    assert (token.object, token.scopes, token.missing_scopes) == ("access_token", account.scopes, []) and token.access_token.startswith("gh")
    credential = at.pipes.create_data_integration_credential(GITHUB, user_id=user).credential
    assert (credential.value, credential.auth_method, credential.object) == (token.access_token, "oauth", "credential")
    assert credential.config == {} and isinstance(credential.metadata, dict)
    at.pipes.delete_user_connected_account(user, GITHUB)
    at.refused(workos.NotFoundError, None, at.pipes.get_user_connected_account, user, GITHUB)


@case
def an_application_vouches_for_the_person(at: At) -> None:
    def back(challenge: dict[str, str]) -> tuple[str, str, str]:
        user = at.new("user")
        begun = at.pipes.authorize_data_integration(GITHUB, user_id=user, return_to=at.landing, **challenge)
        assert begun.completion == "finish_required"
        arrived = parse_qs(urlsplit(at.person().connect(begun.url, "hubot")).query)
        assert arrived["state"] == [begun.state]
        return user, arrived["connect_code"][0], begun.state

    user, code, state = back({"code_challenge": CHALLENGE, "code_challenge_method": "S256"})
    done = at.pipes.finish_connection(connect_code=code, code_verifier=VERIFIER, state=state)
    assert (done.connected_account.user_id, done.connected_account.state) == (user, "connected")
    user, code, _ = back({"code_challenge": CHALLENGE})  # S256 is the default
    assert at.pipes.finish_connection(connect_code=code, code_verifier=VERIFIER).connected_account.user_id == user

    at.refused(workos.BadRequestError, "invalid_connect_code", at.pipes.finish_connection, connect_code="nothing", code_verifier=VERIFIER)
    user, code, _ = back({"code_challenge": CHALLENGE})
    at.refused(workos.AuthorizationError, "connection_could_not_be_verified", at.pipes.finish_connection, connect_code=code, code_verifier="w" * 43)
    at.refused(workos.BadRequestError, "invalid_connect_code", at.pipes.finish_connection, connect_code=code, code_verifier=VERIFIER)  # it was used up
    assert at.pipes.get_access_token(GITHUB, user_id=user).error == "not_installed"


@case
def a_link_may_add_or_renew_one_exact_account(at: At) -> None:
    user = at.new("user")
    first = at.connect(user, connection_intent="add")
    begun = at.pipes.authorize_data_integration(GITHUB, user_id=user, connection_intent="add", account_display_name="Other")
    at.person().connect(begun.url, "hubot")
    rows = {row.slug: row for row in at.pipes.list_user_data_providers(user, supports_multiple_connections=True).data}
    both = {each.connection_role: each for each in rows[GITHUB].connected_accounts}
    assert (both["compatibility"].id, both["standard"].account_display_name) == (first.id, "Other")
    again = at.pipes.authorize_data_integration(GITHUB, user_id=user, connection_intent="reauthorize", connected_account_id=both["standard"].id)
    at.person().connect(again.url, "hubot")
    kept = at.pipes.get_user_connected_account(user, GITHUB, connected_account_id=both["standard"].id)
    assert (kept.account_display_name, kept.state) == ("Other", "connected")
    at.refused(
        workos.NotFoundError, "connected_account_not_found", at.pipes.authorize_data_integration, GITHUB, user_id=user, connection_intent="reauthorize", connected_account_id="data_installation_0"
    )


@case
def a_link_for_an_organization_is_used_by_a_member(at: At) -> None:
    made = at.pipes.create_data_integration(provider="slack", ownership="organization", enabled=True)
    try:
        organization, member = at.new("org"), at.new("user")
        owner = {"user_id": member, "organization_id": organization, "connection_owner": "organization"}
        at.person().connect(at.pipes.authorize_data_integration("slack", **owner).url, "ada")
        shared = at.pipes.get_organization_connected_account(organization, "slack")
        assert (shared.user_id, shared.organization_id, shared.established_by_user_id) == (None, organization, member)
        assert at.pipes.get_access_token("slack", **{**owner, "user_id": at.new("user")}).active is True
        at.pipes.delete_organization_connected_account(organization, "slack")
    finally:
        at.pipes.delete_data_integration_organization(made.slug)


@case
def a_link_takes_config_of_the_fields_declared(at: At) -> None:
    begun = at.pipes.authorize_data_integration("salesforce", user_id=at.new("user"), config={"hostname": "login.salesforce.com"})
    assert begun.url.startswith(at.url)
    at.refused(workos.UnprocessableEntityError, None, at.pipes.authorize_data_integration, "salesforce", user_id="u", config={"hostname": "evil.example"})
    at.refused(workos.UnprocessableEntityError, None, at.pipes.authorize_data_integration, GITHUB, user_id="u", config={"nothing": "x"})


@case
def what_cannot_be_begun_says_why(at: At) -> None:
    begin, keyed = at.pipes.authorize_data_integration, at.custom("api_key")
    at.refused(workos.NotFoundError, None, begin, at.slug("nothing"), user_id="u")
    at.refused(workos.UnprocessableEntityError, None, begin, GITHUB, user_id="")
    at.refused(workos.BadRequestError, "invalid_return_to", begin, GITHUB, user_id="u", return_to="https://evil.example/")
    for wrong in (
        {"connection_owner": "organization"},
        {"code_challenge": CHALLENGE},
        {"code_challenge_method": "S256"},
        {"connection_intent": "reauthorize"},
    ):
        try:
            begin(GITHUB, user_id="u", **wrong)
        except (workos.BadRequestError, workos.UnprocessableEntityError) as error:
            assert error.request_id and error.message
        else:
            raise AssertionError(f"{wrong} was taken")
    try:
        begin(keyed, user_id="u")
    except (workos.ConflictError, workos.UnprocessableEntityError) as error:
        assert error.message
    else:
        raise AssertionError("a link for API keys")
    slug = at.custom()
    at.pipes.update_data_integration(slug, enabled=False)
    at.refused(workos.UnprocessableEntityError, None, begin, slug, user_id="u")


@case
def a_token_is_asked_of_what_is_there(at: At) -> None:
    at.refused(workos.NotFoundError, None, at.pipes.get_access_token, at.slug("nothing"), user_id="u")
    at.refused(workos.NotFoundError, None, at.pipes.create_data_integration_credential, at.slug("nothing"), user_id="u")
    at.refused(workos.UnprocessableEntityError, None, at.pipes.get_access_token, GITHUB, user_id="")
    at.refused(workos.UnprocessableEntityError, None, at.pipes.create_data_integration_credential, GITHUB, user_id="")
    at.refused(workos.NotFoundError, None, at.pipes.get_access_token, GITHUB, user_id="u", connected_account_id="data_installation_0")
    slug, user = at.custom(), at.new("user")
    at.pipes.create_user_connected_account(user, slug, access_token="stays")
    at.pipes.update_data_integration(slug, enabled=False)  # no new connections; those there are go on
    assert at.pipes.get_access_token(slug, user_id=user).access_token.access_token == "stays"
