"""Each provider's own words: token answers, refusals, revocation, APIs."""

from json import loads
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest

from .conftest import BASE, CALLBACK, VERIFIER, World


def body(answer: Any) -> Any:
    return loads(answer.body)


class TestGitHub:
    def test_app_tokens(self, world: World) -> None:
        answer = world.connect("github")
        assert answer["access_token"].startswith("ghu_") and answer["refresh_token"].startswith("ghr_")
        assert (answer["expires_in"], answer["refresh_token_expires_in"], answer["scope"], answer["token_type"]) == (28800, 15897600, "", "bearer")

    def test_oauth_app_tokens_do_not_expire_and_have_commas(self, world: World) -> None:
        world.turn("github", action="set", expiring="off")
        answer = world.connect("github")
        assert answer["access_token"].startswith("gho_") and set(answer) == {"access_token", "token_type", "scope"} and answer["scope"] == "read:user,repo"
        world.later(10**8)
        assert world.get("github", "/user", answer["access_token"]).status == 200

    def test_offline_access_makes_an_oauth_app_token_expire(self, world: World) -> None:
        world.turn("github", expiring=False)
        answer = world.connect("github", scope="repo offline_access")
        assert answer["access_token"].startswith("gho_") and answer["expires_in"] == 28800
        assert body(world.refresh("github", answer["refresh_token"]))["refresh_token"] != answer["refresh_token"]

    def test_form_encoded_unless_json_is_asked_for(self, world: World) -> None:
        form = {"code": world.code("github"), "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        answer = world.post("github", "/login/oauth/access_token", form, accept="*/*")
        assert answer.headers["Content-Type"].startswith("application/x-www-form-urlencoded") and parse_qs(answer.body)["access_token"]
        again = world.post("github", "/login/oauth/access_token", form, accept="*/*")
        assert (again.status, parse_qs(again.body)["error"]) == (200, ["bad_verification_code"])

    def test_refusals_are_200(self, world: World) -> None:
        wrong = world.redeem("github", world.code("github"), client_secret="wrong")
        assert (wrong.status, body(wrong)["error"]) == (200, "incorrect_client_credentials")
        dead = world.refresh("github", "ghr_nothing")
        assert (dead.status, body(dead)["error"]) == (200, "bad_refresh_token")
        assert body(world.redeem("github", world.code("github"), redirect_uri=CALLBACK + "2"))["error"] == "redirect_uri_mismatch"
        unknown = world.redeem("github", world.code("github"), client_id="nobody")
        assert (unknown.status, body(unknown)["error"]) == (404, "Not Found")

    def test_refresh_ends_the_old_access_token(self, world: World) -> None:
        first = world.connect("github")
        second = body(world.refresh("github", first["refresh_token"]))
        assert world.get("github", "/user", first["access_token"]).status == 401
        assert world.get("github", "/user", second["access_token"]).status == 200

    def test_user_and_repositories(self, world: World) -> None:
        token = world.connect("github", "hubot")["access_token"]
        user = body(world.get("github", "/user", token))
        assert (user["login"], user["id"], user["type"]) == ("hubot", 480938, "User")
        listed = world.get("github", "/user/repos", token)
        assert listed.headers["Content-Type"] == "application/json; charset=utf-8"
        assert [repository["full_name"] for repository in body(listed)] == ["hubot/hello-world", "hubot/linguist", "hubot/secret-garden"]
        assert len(body(world.get("github", "/user/repos", token, per_page="2", page="2"))) == 1
        assert body(world.get("github", "/user/repos", None))["message"] == "Requires authentication"
        bad = world.get("github", "/user", "nothing")
        assert (bad.status, body(bad)["message"]) == (401, "Bad credentials")

    def test_deleting_the_grant_ends_all_of_this_person(self, world: World) -> None:
        one, two, other = world.connect("github"), world.connect("github"), world.connect("github", "hubot")
        path, basic = "/github/applications/simulated-github/grant", world.post("github", "/none", {}, basic=True)
        assert basic.status == 404
        authorization = {"authorization": "Basic c2ltdWxhdGVkLWdpdGh1YjpzaW11bGF0ZWQtc2VjcmV0LWdpdGh1Yg=="}
        assert world.call("DELETE", path, json={"access_token": one["access_token"]}).status == 401
        assert world.call("DELETE", path, headers=authorization, json={}).status == 422
        assert world.call("DELETE", path.replace("simulated-github/", "x/"), headers=authorization, json={"access_token": one["access_token"]}).status == 404
        assert world.call("DELETE", path, headers=authorization, json={"access_token": one["access_token"]}).status == 204
        assert world.get("github", "/user", two["access_token"]).status == 401 and world.get("github", "/user", other["access_token"]).status == 200
        assert world.call("DELETE", path, headers=authorization, json={"access_token": one["access_token"]}).status == 404
        assert body(world.refresh("github", two["refresh_token"]))["error"] == "bad_refresh_token"


class TestSlack:
    def test_bot_and_user_tokens_rotate_apart(self, world: World) -> None:
        answer = world.connect("slack", user_scope="search:read")
        bot, user = answer, answer["authed_user"]
        assert bot["access_token"].startswith("xoxe.xoxb-") and user["access_token"].startswith("xoxe.xoxp-") and bot["refresh_token"] != user["refresh_token"]
        assert (bot["scope"], user["scope"], bot["expires_in"], user["expires_in"]) == ("chat:write,channels:read", "search:read", 43200, 43200)
        assert answer["team"] == {"id": "T0ACME0001", "name": "Acme"} and answer["enterprise"] is None and answer["bot_user_id"] and user["id"] == "U0ADA00001"
        fresh = body(world.refresh("slack", user["refresh_token"]))
        assert fresh["ok"] and fresh["token_type"] == "user" and fresh["access_token"].startswith("xoxe.xoxp-") and "bot_user_id" not in fresh
        assert body(world.refresh("slack", bot["refresh_token"]))["token_type"] == "bot"

    def test_user_scopes_only(self, world: World) -> None:
        answer = world.connect("slack", scope=None, user_scope="search:read")
        assert "access_token" not in answer and answer["authed_user"]["access_token"]

    def test_rotation_off(self, world: World) -> None:
        world.turn("slack", expiring="off")
        answer = world.connect("slack")
        assert answer["access_token"].startswith("xoxb-") and "refresh_token" not in answer and "expires_in" not in answer

    @pytest.mark.parametrize(
        ("changes", "word"),
        [
            ({"client_secret": "wrong"}, "bad_client_secret"),
            ({"client_id": "wrong"}, "invalid_client_id"),
            ({"code": "wrong"}, "invalid_code"),
            ({"redirect_uri": CALLBACK + "2"}, "bad_redirect_uri"),
            ({"grant_type": "wrong"}, "invalid_grant_type"),
        ],
    )
    def test_refusals_are_200(self, world: World, changes: dict[str, str], word: str) -> None:
        answer = world.redeem("slack", **{"code": world.code("slack"), **changes})
        assert (answer.status, body(answer)) == (200, {"ok": False, "error": word})

    def test_code_used_and_refresh_token_unknown(self, world: World) -> None:
        code = world.code("slack")
        world.redeem("slack", code)
        assert body(world.redeem("slack", code))["error"] == "code_already_used"
        assert body(world.refresh("slack", "xoxe-nothing"))["error"] == "invalid_refresh_token"

    def test_two_access_tokens_live_beside_each_other(self, world: World) -> None:
        first = world.connect("slack")
        second = body(world.refresh("slack", first["refresh_token"]))
        assert body(world.get("slack", "/api/auth.test", first["access_token"]))["ok"]
        third = body(world.refresh("slack", second["refresh_token"]))
        assert body(world.get("slack", "/api/auth.test", first["access_token"])) == {"ok": False, "error": "token_expired"}
        assert body(world.get("slack", "/api/auth.test", second["access_token"]))["ok"] and body(world.get("slack", "/api/auth.test", third["access_token"]))["ok"]

    def test_auth_test_and_revoke(self, world: World) -> None:
        answer = world.connect("slack", user_scope="search:read")
        assert body(world.get("slack", "/api/auth.test", answer["access_token"]))["bot_id"]
        assert body(world.get("slack", "/api/auth.test", answer["authed_user"]["access_token"]))["user_id"] == "U0ADA00001"
        assert body(world.get("slack", "/api/auth.test", None))["error"] == "not_authed" and body(world.get("slack", "/api/auth.test", "x"))["error"] == "invalid_auth"
        headers = {"authorization": f"Bearer {answer['access_token']}"}
        assert body(world.call("POST", "/slack/api/auth.revoke", headers=headers)) == {"ok": True, "revoked": True}
        assert body(world.call("POST", "/slack/api/auth.revoke", headers=headers))["error"] == "token_revoked"
        assert body(world.refresh("slack", answer["refresh_token"]))["error"] == "token_revoked"

    def test_client_authentication_by_basic(self, world: World) -> None:
        form = {"grant_type": "authorization_code", "code": world.code("slack"), "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        assert body(world.post("slack", "/api/oauth.v2.access", form, basic=True))["ok"]


class TestGoogle:
    @pytest.mark.filterwarnings("ignore::jwt.InsecureKeyLengthWarning")  # the client's secret is the key, and a sandbox's is short
    def test_offline_answer_with_id_token(self, world: World) -> None:
        answer = world.connect("google")
        assert (answer["expires_in"], answer["token_type"]) == (3599, "Bearer") and answer["refresh_token"].startswith("1//")
        assert answer["scope"] == "openid https://www.googleapis.com/auth/userinfo.email https://www.googleapis.com/auth/userinfo.profile"
        secret, checks = "simulated-secret-google", {"verify_exp": False, "verify_iat": False}
        claims = jwt.decode(answer["id_token"], secret, algorithms=["HS256"], audience="simulated-google", issuer=f"{BASE}/simulator/google", options=checks)  # type: ignore[arg-type]
        assert (claims["sub"], claims["email"], claims["hd"], claims["name"]) == ("110169484474386276334", "ada@acme.example", "acme.example", "Ada Lovelace")

    def test_refresh_answers_without_refresh_token_again_and_again(self, world: World) -> None:
        first = world.connect("google")
        for _ in range(3):
            answer = body(world.refresh("google", first["refresh_token"]))
            assert "refresh_token" not in answer and answer["access_token"] != first["access_token"]
        assert world.get("google", "/v1/userinfo", first["access_token"]).status == 200

    def test_refresh_token_only_offline_and_at_first_or_forced_consent(self, world: World) -> None:
        assert "refresh_token" not in world.connect("google", access_type=None)
        assert "refresh_token" in world.connect("google", "grace", prompt=None)
        assert "refresh_token" not in world.connect("google", "grace", prompt=None)
        assert "refresh_token" in world.connect("google", "grace", prompt="consent")

    @pytest.mark.parametrize(
        ("changes", "status", "word"),
        [
            ({"client_secret": "x"}, 401, "invalid_client"),
            ({"code": "x"}, 400, "invalid_grant"),
            ({"redirect_uri": CALLBACK + "2"}, 400, "redirect_uri_mismatch"),
            ({"grant_type": "x"}, 400, "unsupported_grant_type"),
        ],
    )
    def test_refusals(self, world: World, changes: dict[str, str], status: int, word: str) -> None:
        answer = world.redeem("google", **{"code": world.code("google"), **changes})
        assert (answer.status, body(answer)["error"]) == (status, word)

    def test_revoke_without_client_authentication_ends_all(self, world: World) -> None:
        one, two = world.connect("google"), world.connect("google")
        assert world.call("POST", "/google/revoke", form=[("token", one["refresh_token"])]).status == 200
        assert body(world.refresh("google", two["refresh_token"])) == {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
        gone = world.call("POST", "/google/revoke", form=[("token", one["refresh_token"])])
        assert (gone.status, body(gone)["error"]) == (400, "invalid_token")

    def test_userinfo(self, world: World) -> None:
        answer = world.connect("google", "grace")
        assert body(world.get("google", "/v1/userinfo", answer["access_token"]))["email"] == "grace.hopper@gmail.example"
        world.later(3599)
        late = world.get("google", "/v1/userinfo", answer["access_token"])
        assert (late.status, body(late)["error"]["status"]) == (401, "UNAUTHENTICATED")


class TestSalesforce:
    def test_answer_without_expires_in(self, world: World) -> None:
        answer = world.connect("salesforce")
        assert "expires_in" not in answer and answer["instance_url"] == f"{BASE}/simulator/salesforce"
        assert answer["id"].endswith("/id/00D5g000000AcmeEAG/0055g00000AdaAdAAA") and answer["issued_at"].isdecimal() and answer["signature"] and answer["token_type"] == "Bearer"

    def test_without_the_scope_there_is_no_refresh_token(self, world: World) -> None:
        assert "refresh_token" not in world.connect("salesforce", scope="api openid")

    def test_rotation_is_a_choice(self, world: World) -> None:
        first = world.connect("salesforce")
        assert "refresh_token" not in body(world.refresh("salesforce", first["refresh_token"]))
        world.turn("salesforce", rotation="on")
        second = body(world.refresh("salesforce", first["refresh_token"]))
        assert second["refresh_token"] != first["refresh_token"]
        dead = world.refresh("salesforce", first["refresh_token"])
        assert (dead.status, body(dead)) == (400, {"error": "invalid_grant", "error_description": "expired access/refresh token"})
        assert body(world.refresh("salesforce", second["refresh_token"]))["error"] == "invalid_grant"

    @pytest.mark.parametrize(
        ("changes", "word"),
        [({"client_secret": "x"}, "invalid_client"), ({"client_id": "x"}, "invalid_client_id"), ({"code": "x"}, "invalid_grant"), ({"redirect_uri": CALLBACK + "2"}, "redirect_uri_mismatch")],
    )
    def test_refusals_are_400(self, world: World, changes: dict[str, str], word: str) -> None:
        answer = world.redeem("salesforce", **{"code": world.code("salesforce"), **changes})
        assert (answer.status, body(answer)["error"]) == (400, word)

    def test_userinfo_query_and_revoke(self, world: World) -> None:
        answer = world.connect("salesforce")
        assert body(world.get("salesforce", "/services/oauth2/userinfo", answer["access_token"]))["user_id"] == "0055g00000AdaAdAAA"
        rows = body(world.get("salesforce", "/services/data/v62.0/query", answer["access_token"], q="SELECT Id, Name FROM Account"))
        assert rows["done"] and rows["totalSize"] == 3 and rows["records"][0]["attributes"]["url"].startswith("/services/data/v62.0/")
        assert body(world.get("salesforce", "/services/data/v62.0/query", answer["access_token"], q="drop"))[0]["errorCode"] == "MALFORMED_QUERY"
        assert world.call("POST", "/salesforce/services/oauth2/revoke", form=[("token", answer["refresh_token"])]).status == 200
        assert world.call("POST", "/salesforce/services/oauth2/revoke", form=[("token", answer["refresh_token"])]).status == 400
        late = world.get("salesforce", "/services/data/v62.0/query", answer["access_token"], q="SELECT Id FROM Account")
        assert (late.status, body(late)[0]["errorCode"]) == (401, "INVALID_SESSION_ID")
        assert world.get("salesforce", "/services/oauth2/userinfo", answer["access_token"]).status == 403
