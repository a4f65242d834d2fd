"""A config value chooses a tenant, never another host: rule R32 as a property, over lax patterns and every catalogue file."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from chalicelib.providers import catalogue
from chalicelib.providers.spec import ConfigError, Provider, check_value, resolve


def provider(endpoint: str, **field: Any) -> Provider:
    """A provider whose pattern forbids nothing, so that only `resolve` itself is between the value and the host."""
    config = [{"name": "tenant", "label": "Tenant", "description": "whose", "pattern": "^(?s:.)*$", **field}]
    return Provider.model_validate({"slug": "lax", "name": "Lax", "config": config, "authorization": {"endpoint": endpoint}, "token": {"endpoint": endpoint}})


SUFFIXED = provider("https://{tenant}/oauth/token", suffixes=["one.example", "two.example"])
TAILED = provider("https://{tenant}.fixed.example/oauth/token")
IN_PATH = provider("https://fixed.example/{tenant}/token")
HOSTISH = st.text(alphabet=st.sampled_from("ab.-_~@/\\#?%:[] \n\r\t\0\u3002\uff0e{}")) | st.text() | st.from_regex(r"[a-z@/#?.:%]*(one|two)\.example[a-z@/#?.:%\n]*", fullmatch=True)


@given(HOSTISH)
@example("evil.com/.one.example")
@example("evil.com#.one.example")
@example("evil.com\\.one.example")
@example("a@one.example")
@example("one.example\n")
@example("one.example:8443")
@example("..")
def test_r32_resolve_never_leaves_the_suffixes(value: str) -> None:
    for lax, ends in ((SUFFIXED, ("one.example", "two.example")), (TAILED, ("fixed.example",)), (IN_PATH, ("fixed.example",))):
        try:
            resolved = resolve(lax, {"tenant": value})
        except ConfigError as error:
            assert error.field == "tenant"
            continue
        for url in resolved.endpoints().values():
            parts = urlsplit(url)
            assert parts.scheme == "https" and parts.username is None and parts.port is None
            assert any(parts.hostname == end or str(parts.hostname).endswith("." + end) for end in ends)
            assert parts.path in ("/oauth/token", f"/{value}/token") and not parts.query and not parts.fragment


@given(HOSTISH)
def test_r32_no_catalogue_file_can_be_led_elsewhere(value: str) -> None:
    for slug in catalogue.slugs():
        known = catalogue.load(slug)
        assert known is not None
        # What follows the last placeholder of a host is fixed.
        allowed = {urlsplit(url).netloc.rpartition("}")[2].lstrip(".") for url in known.endpoints().values()} | {suffix for field in known.config for suffix in field.suffixes}
        try:
            resolved = resolve(known, {field.name: value for field in known.config})
        except ConfigError:
            continue
        assert all(any(f".{urlsplit(url).hostname}".endswith(f".{end}") for end in allowed) for url in resolved.endpoints().values())


@pytest.mark.parametrize("endpoint", ["https://{tenant}/token", "https://api.{tenant}/token", "https://{tenant}.com/token", "https://{tenant}-api.com/token", "https://{tenant}:8443/token"])
def test_a_placeholder_that_could_choose_the_domain_needs_suffixes(endpoint: str) -> None:
    with pytest.raises(ValidationError, match="needs suffixes"):
        provider(endpoint)


@pytest.mark.parametrize("url", ["https://x.example/{client_id}/token", "https://{client_id}.x.example/token"])
def test_the_client_id_stands_in_a_revocation_path_only(url: str) -> None:
    with pytest.raises(ValidationError, match="no config field"):
        provider(url)
    revoking = Provider.model_validate(
        {
            "slug": "x",
            "name": "X",
            "authorization": {"endpoint": "https://x.example/a"},
            "token": {"endpoint": "https://x.example/t"},
            "revocation": {"recipe": "basic_json", "endpoint": "https://x.example/{client_id}/grant"},
        }
    )
    assert revoking.revocation.endpoint == "https://x.example/{client_id}/grant"


def test_the_client_id_survives_resolve() -> None:
    both = TAILED.model_copy(update={"revocation": TAILED.revocation.model_copy(update={"recipe": "basic_json", "endpoint": "https://{tenant}.fixed.example/{client_id}/grant"})})
    assert resolve(both, {"tenant": "acme"}).revocation.endpoint == "https://acme.fixed.example/{client_id}/grant"


BOTH = Provider.model_validate(
    {
        "slug": "x",
        "name": "X",
        "auth_methods": ["oauth", "api_key", "client_credentials"],
        "authorization": {"endpoint": "https://{tenant}.x.example/a"},
        "token": {"endpoint": "https://{tenant}.x.example/t"},
        "client_credentials": {"endpoint": "https://{tenant}.x.example/cc", "parameters": {"account": "{number}", "fixed": "yes"}},
        "api_key": {"verify": {"endpoint": "https://{tenant}.x.example/me", "send": "basic_password", "username": "{mail}/token"}},
        "config": [
            {"name": "tenant", "label": "Tenant", "description": "whose", "pattern": "^[a-z.]+$"},
            {"name": "number", "label": "Number", "description": "which", "pattern": "^[0-9]+$", "auth_methods": ["client_credentials"]},
            {"name": "mail", "label": "Mail", "description": "who", "pattern": "^(?s:.)+$", "auth_methods": ["api_key"]},
        ],
    }
)


def test_what_another_method_needs_may_be_missing_and_stays_open() -> None:
    oauth = resolve(BOTH, {"tenant": "acme"}, "oauth")
    assert set(oauth.endpoints().values()) == {"https://acme.x.example/a", "https://acme.x.example/t", "https://acme.x.example/cc", "https://acme.x.example/me"}
    assert [field.name for field in oauth.config] == ["number", "mail"] and oauth.client_credentials.parameters["account"] == "{number}"
    assert resolve(oauth, {"number": "17"}, "client_credentials").client_credentials.parameters == {"account": "17", "fixed": "yes"}
    for method, name in (("client_credentials", "number"), ("api_key", "mail")):
        with pytest.raises(ConfigError, match=f"needs '{name}'"):
            resolve(BOTH, {"tenant": "acme"}, method)


@given(HOSTISH)
@example("ada@acme.example")
@example("a:b")
def test_a_value_that_stands_in_no_url_is_one_printable_word_without_a_colon(value: str) -> None:
    """A user name for Basic authentication, which a colon would end (RFC 7617 2)."""
    try:
        resolved = resolve(BOTH, {"tenant": "acme", "mail": value}, "api_key")
    except ConfigError as error:
        assert error.field == "mail"
        return
    assert resolved.api_key.verify is not None and resolved.api_key.verify.username == f"{value}/token"
    assert all("!" <= c <= "~" and c != ":" for c in value) and 0 < len(value) <= 253


def test_a_mail_address_is_a_value_that_stands_in_no_url() -> None:
    resolved = resolve(BOTH, {"tenant": "acme", "mail": "ada+1@acme.example"}, "api_key")
    assert resolved.api_key.verify is not None and resolved.api_key.verify.username == "ada+1@acme.example/token"


def test_one_value_is_checked_by_itself() -> None:
    """Whatever the other fields have or lack, so that an error names the value that was given."""
    check_value(BOTH, "number", "17")
    for name, value in (("number", "x"), ("tenant", ".."), ("tenant", "A"), ("nothing", "x")):
        with pytest.raises(ConfigError) as refused:
            check_value(BOTH, name, value)
        assert refused.value.field == name
    with pytest.raises(ConfigError, match="must lie under"):
        check_value(SUFFIXED, "tenant", "evil.example")


def test_a_missing_value_without_default_is_named() -> None:
    with pytest.raises(ConfigError, match="needs 'tenant'") as refused:
        resolve(TAILED, {})
    assert refused.value.field == "tenant"
