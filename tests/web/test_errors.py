"""What cannot be done is said in one sentence that names the field, in one shape, and leaves nothing behind."""

import json
from typing import Any

import pytest

from tests.web.people import Site

TOKEN = "/data-integrations/github/token"
AUTHORIZE = "/data-integrations/github/authorize"
REJECTED = "/data-integrations/github/token/rejected"
FINISH = "/data-integrations/finish"
CREATE = "/data-integrations"
UPDATE = "/data-integrations/github"


@pytest.fixture
def with_github(site: Site) -> Site:
    assert site.api("POST", CREATE, {"provider": "github", "enabled": True}).status == 201
    return site


def refused(site: Site, status: int, code: str, method: str, path: str, body: Any = None, **more: Any) -> dict[str, Any]:
    """The refusal's body; it has the one shape, and the table is as it was."""
    before = site.rows()
    answer = site.api(method, path, body, **more)
    assert answer.status == status, answer.text
    said = dict(answer.json())
    assert said["code"] == code, said
    assert set(said) <= {"message", "code", "errors"}
    assert said["message"].endswith((".", ")", "}", "'")) and 10 < len(said["message"]) < 600, said["message"]
    assert answer.one("X-Request-ID") == answer.request and answer.one("Content-Type") == "application/json"
    assert site.rows() == before, "nothing half-written"
    return said


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ('{"user_id": ', "line 1, column 13"),
        ('{"user_id": "a",}', "line 1, column 17"),
        ("{\n  user_id: 1}", "line 2, column 3"),
        ("nothing", "line 1, column 1"),
        ('{"a": 1} {"b": 2}', "line 1, column 10"),
        ("{'a': 1}", "line 1, column 2"),
    ],
)
def test_broken_json_is_answered_with_its_place(with_github: Site, sent: str, says: str) -> None:
    assert says in refused(with_github, 400, "invalid_json", "POST", TOKEN, sent)["message"]


@pytest.mark.parametrize("sent", ["[]", "null", '"text"', "1", "true", '[{"user_id": "u1"}]', "NaN", "Infinity"])
def test_a_body_that_is_no_object_is_refused(with_github: Site, sent: str) -> None:
    assert "must be a JSON object" in refused(with_github, 400, "invalid_json", "POST", TOKEN, sent)["message"]


@pytest.mark.parametrize("path", [TOKEN, CREATE, FINISH])
def test_a_body_that_cannot_be_read_is_refused(with_github: Site, path: str) -> None:
    assert "UTF-8" in refused(with_github, 400, "invalid_json", "POST", path, b'{"user_id": "\xff\xfe"}')["message"]
    refused(with_github, 400, "invalid_json", "POST", path, "[" * 30000)
    refused(with_github, 400, "invalid_json", "POST", path, '{"a":' * 10000 + "1" + "}" * 10000)
    refused(with_github, 413, "payload_too_large", "POST", path, json.dumps({"user_id": "u" * 70000}))
    refused(with_github, 413, "payload_too_large", "POST", path, b"\xff" * 70000)
    refused(with_github, 400, "invalid_json", "POST", path, '{"n": ' + "9" * 10000 + "}")


def test_an_empty_body_is_an_empty_object(with_github: Site) -> None:
    said = refused(with_github, 422, "validation_error", "POST", TOKEN, "")
    assert said == {"message": "'user_id' is required.", "code": "validation_error", "errors": [{"field": "user_id", "code": "required"}]}


OPAQUE: list[Any] = [None, "", 1, True, [], {}, "u" * 256, "line\nbreak", "nul\0", "\x7f"]


@pytest.mark.parametrize("path", [TOKEN, AUTHORIZE, REJECTED])
@pytest.mark.parametrize("field", ["user_id", "organization_id", "connected_account_id"])
def test_an_id_of_the_application_is_a_text_of_1_to_255_characters(with_github: Site, path: str, field: str) -> None:
    for value in OPAQUE:
        if value is None and field != "user_id":
            continue  # null and absent are the same
        body = {"user_id": "u1", "generation": 1, field: value}
        said = refused(with_github, 422, "validation_error", "POST", path, body)
        assert f"'{field}'" in said["message"] and [error["field"] for error in said["errors"]] == [field]


WRONG: list[tuple[str, str, dict[str, Any], str]] = [
    ("POST", TOKEN, {"min_ttl": -1}, "min_ttl"),
    ("POST", TOKEN, {"min_ttl": 86401}, "min_ttl"),
    ("POST", TOKEN, {"min_ttl": "soon"}, "min_ttl"),
    ("POST", TOKEN, {"min_ttl": 1.5}, "min_ttl"),
    ("POST", TOKEN, {"connection_owner": "organization"}, "organization_id"),
    ("POST", REJECTED, {"generation": 0}, "generation"),
    ("POST", REJECTED, {"generation": None}, "generation"),
    ("POST", REJECTED, {"generation": "one"}, "generation"),
    ("POST", AUTHORIZE, {"code_challenge": "short", "code_challenge_method": "S256"}, "code_challenge"),
    ("POST", AUTHORIZE, {"code_challenge": "c" * 43, "code_challenge_method": "plain"}, "code_challenge_method"),
    ("POST", AUTHORIZE, {"code_challenge_method": "S256"}, "code_challenge_method"),
    ("POST", AUTHORIZE, {"config": ["x"]}, "config"),
    ("POST", AUTHORIZE, {"config": {"subdomain": 1}}, "config.subdomain"),
    ("POST", AUTHORIZE, {"connection_intent": "anything"}, "connection_intent"),
    ("POST", AUTHORIZE, {"connection_owner": "nobody"}, "connection_owner"),
    ("POST", AUTHORIZE, {"account_display_name": "n" * 256}, "account_display_name"),
    ("POST", FINISH, {"code_verifier": "v" * 43, "connect_code": None}, "connect_code"),
    ("POST", FINISH, {"connect_code": "c", "code_verifier": "short"}, "code_verifier"),
    ("POST", FINISH, {"connect_code": "c", "code_verifier": "v" * 129}, "code_verifier"),
    ("POST", FINISH, {"connect_code": "c", "code_verifier": "v" * 42 + "!"}, "code_verifier"),
    ("POST", FINISH, {"connect_code": 7, "code_verifier": "v" * 43}, "connect_code"),
    ("POST", CREATE, {}, "provider"),
    ("POST", CREATE, {"provider": "Not A Slug"}, "provider"),
    ("POST", CREATE, {"provider": "slack", "enabled": "maybe"}, "enabled"),
    ("POST", CREATE, {"provider": "slack", "scopes": "read"}, "scopes"),
    ("POST", CREATE, {"provider": "slack", "scopes": ["with space"]}, "scopes.0"),
    ("POST", CREATE, {"provider": "slack", "scopes": ["ok", 'quo"te']}, "scopes.1"),
    ("POST", CREATE, {"provider": "slack", "auth_methods": ["magic"]}, "auth_methods.0"),
    ("POST", CREATE, {"provider": "slack", "credentials": "x"}, "credentials"),
    ("PUT", UPDATE, {"description": "d" * 501}, "description"),
    ("PUT", UPDATE, {"credentials": {"client_id": ""}}, "credentials.client_id"),
    ("PUT", UPDATE, {"credentials": {"client_secret": 1}}, "credentials.client_secret"),
    ("PUT", UPDATE, {"custom_provider": {"token_body_content_type": "text/plain"}}, "custom_provider.token_body_content_type"),
]


@pytest.mark.parametrize(("method", "path", "body", "field"), WRONG, ids=[f"{path} {field} {index}" for index, (_m, path, _b, field) in enumerate(WRONG)])
def test_a_wrong_field_is_named(with_github: Site, method: str, path: str, body: dict[str, Any], field: str) -> None:
    sent = body if path in (CREATE, UPDATE, FINISH) else {"user_id": "u1", **body}
    said = refused(with_github, 422, "validation_error", method, path, sent)
    assert f"'{field}'" in said["message"], said["message"]
    assert field in [error["field"] for error in said["errors"]]


def test_no_refusal_repeats_a_secret_it_was_sent(with_github: Site) -> None:
    secret = "s3cret-that-was-typed-in-the-wrong-place"
    for body in ({"credentials": {"client_secret": [secret]}}, {"credentials": {"client_secret": {"x": secret}}}, {"credentials": secret}, {"credentials": {"client_secret": secret}}):
        answer = with_github.api("PUT", UPDATE, body)
        assert answer.status == 422 and secret not in answer.whole()


def test_several_wrong_fields_are_told_at_once(with_github: Site) -> None:
    said = refused(with_github, 422, "validation_error", "POST", TOKEN, {"user_id": 1, "min_ttl": "x"})
    assert [error["field"] for error in said["errors"]] == ["user_id", "min_ttl"]


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/data-integrations/github/token/else", "/data-integrations/", "//data-integrations//x/y/z", "/user_management/users/u1", "/.env", "/callback", "/connect", "/%2e%2e/etc"]
)
def test_an_unknown_path_is_a_json_404(site: Site, path: str) -> None:
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        answer = site.api(method, path)
        if answer.status == 404:
            assert answer.json()["code"] == "not_found" and method in answer.json()["message"]
            assert answer.one("X-Request-ID") == answer.request
        else:
            assert path == "/data-integrations/" and answer.status in (200, 405, 422)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", TOKEN, "POST"),
        ("DELETE", TOKEN, "POST"),
        ("PATCH", UPDATE, "DELETE, GET, PUT"),
        ("PUT", FINISH, "POST"),
        ("DELETE", CREATE, "GET, POST"),
        ("POST", "/user_management/users/u1/data_providers", "GET"),
        ("POST", "/callback/x", "GET"),
        ("PUT", "/connect/x", "GET, POST"),
        ("POST", "/healthz", "GET"),
    ],
)
def test_a_wrong_method_names_the_right_ones(site: Site, method: str, path: str, allowed: str) -> None:
    answer = site.api(method, path)
    assert (answer.status, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.one("Allow") == allowed and allowed in answer.json()["message"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/data-integrations/nobody/token", {"user_id": "u1"}),
        ("POST", "/data-integrations/nobody/token/rejected", {"user_id": "u1", "generation": 1}),
        ("POST", "/data-integrations/nobody/authorize", {"user_id": "u1"}),
        ("GET", "/data-integrations/nobody", None),
        ("PUT", "/data-integrations/nobody", {"enabled": True}),
        ("DELETE", "/data-integrations/nobody", None),
        ("GET", "/data-integrations/" + "x" * 300, None),
        ("GET", "/data-integrations/%3Cscript%3E", None),
    ],
)
def test_an_unknown_provider_is_a_404_that_says_what_to_do(site: Site, method: str, path: str, body: Any) -> None:
    assert "POST /data-integrations" in refused(site, 404, "entity_not_found", method, path, body)["message"]


def test_a_path_that_is_not_utf8_is_refused(site: Site) -> None:
    refused(site, 400, "bad_request", "GET", "/user_management/users/%ff%fe/data_providers")


@pytest.mark.parametrize("query", ["organization_id=a&organization_id=b", "connected_account_id=a&connected_account_id=a"])
def test_a_query_parameter_is_given_once(site: Site, query: str) -> None:
    assert "give it once" in refused(site, 400, "bad_request", "GET", f"/user_management/users/u1/connected_accounts/github?{query}")["message"]


@pytest.mark.parametrize("query", ["organization_id=", "organization_id=%00", "organization_id=" + "x" * 300])
def test_a_query_parameter_follows_the_same_rules_as_a_field(site: Site, query: str) -> None:
    refused(site, 422, "validation_error", "GET", f"/user_management/users/u1/data_providers?{query}")
