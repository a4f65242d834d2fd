"""What a file has to say for each auth method it names, and what the rows refuse."""

from typing import Any

import pytest
from pydantic import ValidationError

from chalicelib.providers.spec import Provider, with_endpoints

ENDPOINT = {"endpoint": "https://x.example/x"}
OTHER = {"endpoint": "https://y.example/y"}


def row(*methods: str, **sections: Any) -> Provider:
    return Provider.model_validate({"slug": "x", "name": "X", "auth_methods": methods, **sections})


def test_a_provider_of_keys_alone_has_no_oauth_endpoint() -> None:
    provider = row("api_key", api_key={"verify": ENDPOINT})
    assert (provider.authorization.endpoint, provider.token.endpoint) == ("", "")
    assert provider.endpoints() == {"verify": "https://x.example/x"}
    assert row("client_credentials", client_credentials=ENDPOINT).endpoints() == {"client_credentials": "https://x.example/x"}
    assert row("client_credentials", token=ENDPOINT).endpoints() == {"token": "https://x.example/x"}


MISSING: dict[str, tuple[tuple[str, ...], dict[str, Any], str]] = {
    "oauth without both": (("oauth",), {}, "authorization"),
    "oauth without the authorization endpoint": (("oauth", "api_key"), {"token": ENDPOINT}, "authorization"),
    "oauth without the token endpoint": (("oauth",), {"authorization": ENDPOINT}, "token"),
    "client credentials without either": (("client_credentials",), {}, "client_credentials"),
    "client credentials beside keys": (("api_key", "client_credentials"), {"api_key": {"verify": ENDPOINT}}, "client_credentials"),
}


@pytest.mark.parametrize(("methods", "sections", "place"), MISSING.values(), ids=MISSING)
def test_a_method_without_its_endpoint_is_refused_by_the_section(methods: tuple[str, ...], sections: dict[str, Any], place: str) -> None:
    with pytest.raises(ValidationError, match="needs an endpoint") as refused:
        row(*methods, **sections)
    assert place in [error["loc"][0] for error in refused.value.errors()]


REFUSED: dict[str, tuple[tuple[str, ...], dict[str, Any], str]] = {
    "no method": ((), {}, "at least 1 item"),
    "a method twice": (("api_key", "api_key"), {}, "listed twice"),
    "an unknown method": (("password",), {}, "oauth"),
    "a loose key pattern": (("api_key",), {"api_key": {"pattern": "sk_.*"}}, "anchored"),
    "a broken key pattern": (("api_key",), {"api_key": {"pattern": "^(sk_$"}}, "no regular expression"),
    "a key in the query": (("api_key",), {"api_key": {"verify": {**ENDPOINT, "send": "query"}}}, "basic_username"),
    "a header that is two": (("api_key",), {"api_key": {"verify": {**ENDPOINT, "send": "header", "header": "X-Key\r\nHost"}}}, "pattern"),
    "a prefix with a line end": (("api_key",), {"api_key": {"verify": {**ENDPOINT, "prefix": "Key \r\n"}}}, "pattern"),
    "an extra header with a line end": (("api_key",), {"api_key": {"verify": {**ENDPOINT, "headers": {"X-Version": "1\n"}}}}, "pattern"),
    "a placeholder nobody fills": (("client_credentials",), {"client_credentials": {**ENDPOINT, "parameters": {"account": "{account}"}}}, "no config field"),
    "a user name nobody fills": (("api_key",), {"api_key": {"verify": {**ENDPOINT, "username": "{mail}"}}}, "no config field"),
    "a host anybody chooses": (
        ("api_key",),
        {"api_key": {"verify": {"endpoint": "https://{host}/me"}}, "config": [{"name": "host", "label": "H", "description": "h", "pattern": "^.+$"}]},
        "needs suffixes",
    ),
    "a client's host anybody chooses": (
        ("client_credentials",),
        {"client_credentials": {"endpoint": "https://api.{host}/t"}, "config": [{"name": "host", "label": "H", "description": "h", "pattern": "^.+$"}]},
        "needs suffixes",
    ),
}


@pytest.mark.parametrize(("methods", "sections", "words"), REFUSED.values(), ids=REFUSED)
def test_what_a_row_may_not_say(methods: tuple[str, ...], sections: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        row(*methods, **sections)


def test_every_endpoint_can_be_pointed_elsewhere() -> None:
    full = row(
        "oauth", "api_key", "client_credentials",
        authorization={**ENDPOINT, "issuer": "https://x.example"}, token={**ENDPOINT, "refresh_endpoint": "https://x.example/r"}, revocation=ENDPOINT, identity={**ENDPOINT, "source": "endpoint"},
        client_credentials=OTHER, api_key={"verify": OTHER},
    )  # fmt: skip
    assert len(full.endpoints()) == 7
    moved = with_endpoints(full, lambda url: url.replace("https://", "http://localhost/"))
    assert {name: url.replace("http://localhost/", "https://") for name, url in moved.endpoints().items()} == full.endpoints()
    assert all(url.startswith("http://localhost/") for url in moved.endpoints().values()) and moved.authorization.issuer == "http://localhost/x.example"


def test_a_key_without_a_pattern_is_not_judged_by_its_form() -> None:
    assert row("api_key").api_key.allows("anything") and not row("api_key", api_key={"pattern": "^k[0-9]+$"}).api_key.allows("k1\n")
