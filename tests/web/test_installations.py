"""Accounts that are connected by a secret: an API key, or client credentials whose tokens the same engine renews."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.cloud import free_port
from tests.web.conftest import OpenSite
from tests.web.gateway import Gateway
from tests.web.people import Answer, Site, somebody
from tests.web.test_widget_tokens import minted, widget

KEY, KEYED = "linear", "lin_api_" + "k" * 40
CLIENT = "zoom"


@pytest.fixture
def simulated(open_site: OpenSite, gateway_once: Gateway) -> Iterator[Site]:
    """A sandbox whose simulated providers answer over HTTP, as they do when it is deployed."""
    port = free_port()
    site = open_site(STANDPIPE_URL=f"http://localhost:{port}")
    with gateway_once.served(port):
        for slug, methods in ((KEY, ["oauth", "api_key"]), (CLIENT, ["client_credentials"])):
            made = site.api("POST", "/data-integrations", {"provider": slug, "enabled": True, "auth_methods": methods})
            assert made.status == 201, made.text
        yield site


def enter(site: Site, user: str, secret: str = KEYED, method: str = "PUT", **more: Any) -> Answer:
    return site.api(method, f"/data-integrations/{KEY}/api-key", {"user_id": user, "secret": secret, **more})


def client(site: Site, user: str, secret: str = "secret-of-their-client-4321", method: str = "PUT", **more: Any) -> Answer:
    return site.api(method, f"/data-integrations/{CLIENT}/client-credentials", {"user_id": user, "client_id": "their-client", "client_secret": secret, "config": CONFIG, **more})


CONFIG = {"account_id": "abcDEF123_-4567"}


def credential(site: Site, user: str, slug: str, **more: Any) -> dict[str, Any]:
    answer = site.api("POST", f"/data-integrations/{slug}/credentials", {"user_id": user, **more})
    assert answer.status == 200, answer.text
    return dict(answer.json())


def test_a_key_is_entered_handed_out_and_never_shown_again(simulated: Site) -> None:
    user = somebody()
    made = enter(simulated, user, account_display_name="Production")
    assert made.status == 200, made.text
    account = made.json()
    assert (account["auth_method"], account["api_key_last_4"], account["client_secret_last_4"], account["account_display_name"]) == ("api_key", "kkkk", None, "Production")
    assert KEYED not in made.text
    given = credential(simulated, user, KEY)
    assert given["active"] and (given["credential"]["value"], given["credential"]["auth_method"]) == (KEYED, "api_key")
    mismatch = simulated.api("POST", f"/data-integrations/{KEY}/token", {"user_id": user})
    assert (mismatch.status, mismatch.json()["code"]) == (422, "auth_method_mismatch") and KEYED not in mismatch.text
    assert KEYED not in repr(simulated.rows())


def test_a_key_is_rotated_in_place(simulated: Site) -> None:
    user = somebody()
    first = enter(simulated, user, account_display_name="Production").json()
    again = enter(simulated, user, KEYED[:-4] + "zzzz").json()
    assert (again["id"], again["generation"], again["api_key_last_4"], again["account_display_name"]) == (first["id"], 2, "zzzz", "Production")
    assert credential(simulated, user, KEY)["credential"]["value"].endswith("zzzz")
    cleared = enter(simulated, user, account_display_name=None).json()
    assert cleared["account_display_name"] != "Production"


@pytest.mark.parametrize("secret", ["lin_api_refused" + "k" * 33, "not-a-key-of-theirs"])
def test_a_key_the_provider_does_not_take_is_not_stored(simulated: Site, secret: str) -> None:
    user = somebody()
    refused = enter(simulated, user, secret)
    assert (refused.status, refused.json()["code"]) == (422, "invalid_credentials") and secret not in refused.text
    assert simulated.connections() == []


def test_several_keys_of_one_person(simulated: Site) -> None:
    user = somebody()
    made = [enter(simulated, user, KEYED[:-4] + f"000{n}", "POST", connection_intent="add").json() for n in range(2)]
    assert [each["connection_role"] for each in made] == ["compatibility", "standard"]
    values = {credential(simulated, user, KEY, connected_account_id=each["id"])["credential"]["value"][-4:] for each in made}
    assert values == {"0000", "0001"}
    assert simulated.api("POST", f"/data-integrations/{KEY}/api-key", {"user_id": user, "secret": KEYED}).status == 422


def test_a_key_and_a_grant_do_not_take_each_others_place(simulated: Site) -> None:
    user = somebody()
    made = simulated.api("POST", f"/user_management/users/{user}/connected_accounts/{KEY}", {"access_token": "t"})
    assert made.status == 201, made.text
    refused = enter(simulated, user)
    assert (refused.status, refused.json()["code"]) == (422, "auth_method_mismatch")
    assert simulated.token(user, KEY)["access_token"]["access_token"] == "t"


def test_client_credentials_get_a_token_at_once_and_a_new_one_in_time(simulated: Site) -> None:
    user = somebody()
    made = client(simulated, user)
    assert made.status == 200, made.text
    account = made.json()
    assert (account["auth_method"], account["client_id"], account["client_secret_last_4"], account["config"]) == ("client_credentials", "their-client", "4321", CONFIG)
    first = credential(simulated, user, CLIENT)["credential"]
    assert first["auth_method"] == "client_credentials" and first["expires_at"] and first["config"] == CONFIG
    assert simulated.token(user, CLIENT)["access_token"]["access_token"] == first["value"]
    simulated.clock.ahead = timedelta(hours=2)
    later = credential(simulated, user, CLIENT)["credential"]
    assert later["value"] != first["value"] and later["generation"] == 2
    assert "secret-of-their-client" not in repr(simulated.rows()) + made.text


def test_the_clock_renews_them_as_it_does_a_grant(simulated: Site) -> None:
    from chalicelib.domain.models import Owner
    from chalicelib.doors import keys

    user = somebody()
    client(simulated, user)
    simulated.clock.ahead = timedelta(minutes=55)
    place = keys.connection(Owner(user_id=user), CLIENT)
    worked = simulated.engine.worker.handle({"v": 1, "provider": CLIENT, "keys": [[place["pk"], place["sk"]]]}, lambda: 100.0)
    assert worked.done == {"success_fresh": 1}


def test_client_credentials_that_are_refused_are_not_stored_and_later_ask_for_their_owner(simulated: Site) -> None:
    user = somebody()
    refused = client(simulated, user, "refused-secret-of-theirs")
    assert (refused.status, refused.json()["code"]) == (422, "invalid_credentials") and "refused-secret" not in refused.text
    assert simulated.connections() == []


def test_a_config_field_is_checked(simulated: Site) -> None:
    wrong = client(simulated, somebody(), config={"account_id": "a/b#c"})
    assert (wrong.status, wrong.json()["code"]) == (422, "invalid_config")


def test_a_method_that_is_not_configured_is_refused(simulated: Site) -> None:
    for path, body in ((f"/data-integrations/{CLIENT}/api-key", {"secret": "x" * 20}), (f"/data-integrations/{KEY}/client-credentials", {"client_id": "c", "client_secret": "s"})):
        refused = simulated.api("PUT", path, {"user_id": somebody(), **body})
        assert (refused.status, refused.json()["code"]) == (422, "auth_method_mismatch")
    assert simulated.api("POST", f"/data-integrations/{CLIENT}/authorize", {"user_id": "u"}).json()["code"] == "auth_method_mismatch"


def test_a_data_integration_comes_with_its_first_key_or_not_at_all(simulated: Site) -> None:
    user = somebody()
    body = {"provider": "openai", "auth_methods": ["api_key"], "enabled": True}
    refused = simulated.api("POST", "/data-integrations", {**body, "api_key": {"secret": "sk-refused-0000000000000000000000", "user_id": user}})
    assert refused.status == 422 and simulated.api("GET", "/data-integrations/openai").status == 404
    made = simulated.api("POST", "/data-integrations", {**body, "api_key": {"secret": "sk-proj-000000000000000000009876", "user_id": user}})
    assert made.status == 201, made.text
    assert (made.json()["installation"]["user_id"], made.json()["installation"]["api_key_last_4"], made.json()["redirect_uri"], made.json()["credentials"]) == (user, "9876", "", None)


def test_a_reported_key_that_the_provider_still_takes_stays(simulated: Site) -> None:
    user = somebody()
    enter(simulated, user)
    reported = simulated.api("POST", f"/data-integrations/{KEY}/credentials/rejected", {"user_id": user, "generation": 1}).json()
    assert reported["active"] and reported["credential"]["value"] == KEYED


def test_the_widget_enters_and_shows_them_without_telling(simulated: Site) -> None:
    user = somebody()
    token = minted(simulated, user)
    entered = widget(simulated, "PUT", f"/_widgets/DataIntegrations/{KEY}/api-key", token, {"secret": KEYED})
    assert entered.status == 200, entered.text
    body = {"client_id": "their-client", "client_secret": "secret-of-their-client-4321", "config": CONFIG}
    assert widget(simulated, "PUT", f"/_widgets/DataIntegrations/{CLIENT}/client-credentials", token, body).status == 200
    mine = widget(simulated, "GET", "/_widgets/DataIntegrations/mine", token)
    rows = {row["slug"]: row for row in mine.json()["data"]}
    assert rows[KEY]["installation"]["api_key_last_4"] == "kkkk" and rows[CLIENT]["installation"]["client_secret_last_4"] == "4321"
    assert [field["key"] for field in rows[CLIENT]["configFields"]] == ["account_id"] and rows[KEY]["apiKey"]["label"]
    assert KEYED not in mine.text and "secret-of-their-client" not in mine.text


@pytest.mark.parametrize(("secret", "said"), [("k" * 4097, "has more than 4096 characters."), (" \t ", "is empty.")])
def test_what_nobody_can_have_meant_as_a_key_is_refused_and_not_repeated(simulated: Site, secret: str, said: str) -> None:
    user = somebody()
    answer = enter(simulated, user, secret)
    assert answer.status == 422 and f"'secret': {said}" in answer.json()["message"] and secret not in answer.text
    assert simulated.api("GET", f"/user_management/users/{user}/connected_accounts/{KEY}").status == 404
