"""Every catalogue file keeps the rules of the vocabulary, and what its provider really answers is read as its fixture says.

Rule: one fixture a provider (`fixtures/<slug>.json`), no provider named in a test. A new catalogue file without a fixture fails here.
"""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from chalicelib.providers import catalogue
from chalicelib.providers.spec import PLACEHOLDER, RESERVED_PARAMETERS, ApiKeyMethod, ClientCredentials, ConfigError, Provider, check_value, resolve

FIXTURES = Path(__file__).parent / "fixtures"
SLUGS = catalogue.slugs()


def with_method(method: str) -> list[str]:
    """Every slug that can be connected that way."""
    return [slug for slug in SLUGS if method in (catalogue.load(slug) or Provider(slug="none", name="none", auth_methods=("api_key",))).auth_methods]


OAUTH, API_KEY, CLIENT_CREDENTIALS = with_method("oauth"), with_method("api_key"), with_method("client_credentials")
NEEDS_TOKENS = sorted({*OAUTH, *CLIENT_CREDENTIALS})
# Rule R32, and what a browser or a resolver reads as something else than it looks like.
HOSTILE = [
    "evil.com", "evil.com/", "evil.com#", "evil.com?", "a@evil.com", "a.b", "%2e", "%2e%2e", "evil.com%2f", "x\n", "\nx", "x\r\ny", "a" * 300, "a." * 150 + "com",
    "evil\u3002com", "evil\uff0ecom", "evil\uff61com", "\u0430", "..", ".", "-", " ", "a b", "\\", "a\\b", "//evil.com", "https://evil.com", "evil.com:443", "127.0.0.1", "[::1]", "{hostname}",
]  # fmt: skip


def fixture(slug: str) -> dict[str, Any]:
    return dict(json.loads((FIXTURES / f"{slug}.json").read_text("utf-8")))


def filled(slug: str) -> Provider:
    provider = catalogue.load(slug)
    assert provider is not None
    return resolve(provider, fixture(slug).get("config", {}))


def under(host: str | None, domains: list[str]) -> bool:
    return bool(host) and any(host == domain or str(host).endswith(f".{domain}") for domain in domains)


def test_every_file_has_a_fixture_and_the_reverse() -> None:
    assert {file.stem for file in FIXTURES.glob("*.json")} == set(SLUGS)


def test_every_auth_method_is_shown_by_a_provider() -> None:
    assert OAUTH and API_KEY and CLIENT_CREDENTIALS and set(API_KEY) - set(OAUTH) and set(API_KEY) & set(OAUTH)


@pytest.mark.parametrize("slug", SLUGS)
class TestFile:
    def test_slug_is_the_file_name(self, slug: str) -> None:
        provider = catalogue.load(slug)
        assert provider is not None and provider.slug == slug and not provider.custom
        assert provider.description and provider.documentation and provider.setup and provider.lifetimes.notes

    def test_no_reserved_authorization_parameter(self, slug: str) -> None:
        provider = filled(slug)
        own = {name for name, _ in parse_qsl(urlsplit(provider.authorization.endpoint).query)}
        assert not RESERVED_PARAMETERS & (own | set(provider.authorization.parameters))
        assert not {"grant_type", "code", "redirect_uri", "code_verifier", "refresh_token"} & {*provider.token.parameters, *provider.token.refresh_parameters}

    def test_https_to_the_providers_own_hosts(self, slug: str) -> None:
        provider, domains = filled(slug), fixture(slug)["domains"]
        assert provider.endpoints()
        for url in [*provider.endpoints().values(), *provider.documentation, *filter(None, [provider.authorization.issuer])]:
            parts = urlsplit(url)
            assert parts.scheme == "https" and parts.port is None and under(parts.hostname, domains), url

    def test_only_placeholder_left_is_the_client_id(self, slug: str) -> None:
        for word, url in filled(slug).endpoints().items():
            assert set(PLACEHOLDER.findall(url)) <= ({"client_id"} if word == "revocation" else set()), url

    def test_scopes_are_described_once(self, slug: str) -> None:
        provider = filled(slug)
        names = [scope.name for scope in provider.scopes]
        assert len(names) == len(set(names)) >= (0 if slug not in OAUTH or fixture(slug).get("few_scopes") else 8)
        for scope in provider.scopes:
            assert scope.description != scope.name and scope.description[0].isupper() and not scope.description.endswith("."), scope.name
            assert provider.authorization.scope_separator not in scope.name
            assert scope.token == "main" or provider.authorization.user_scope_parameter, scope.name

    def test_few_sensible_defaults(self, slug: str) -> None:
        provider = filled(slug)
        assert set(provider.default_scopes()) <= {scope.name for scope in provider.scopes}
        assert provider.required_scopes() <= set(provider.default_scopes())
        assert (1 if provider.scopes else 0) <= len(provider.default_scopes()) <= 4

    def test_setup_tells_the_redirect_uri(self, slug: str) -> None:
        assert sum(step.count("{redirect_uri}") for step in filled(slug).setup) == (1 if slug in OAUTH else 0)
        assert all(set(PLACEHOLDER.findall(step)) <= {"redirect_uri"} for step in filled(slug).setup)

    def test_revocation_recipe_is_complete(self, slug: str) -> None:
        provider, recipe = filled(slug), filled(slug).revocation
        if slug not in OAUTH:
            assert recipe.recipe == "none"
            return
        if recipe.recipe == "none":
            assert any("no endpoint" in note for note in provider.lifetimes.notes), "what cannot be ended here has to be said"
            return
        if recipe.recipe in ("bearer", "basic_json"):
            assert recipe.token == "access_token"
            assert recipe.gone_statuses or recipe.gone_errors, "a second revocation must be told from a failed one"

    def test_every_error_of_the_fixture_is_classified(self, slug: str) -> None:
        if slug not in NEEDS_TOKENS:
            assert not filled(slug).errors
            return
        provider, errors = filled(slug), fixture(slug)["errors"]
        assert {"grant_dead", "registration", "transient"} <= set(provider.errors.values())
        assert {"grant_dead", "registration", "transient"} <= {error["class"] for error in errors}
        for error in errors:
            body = error["body"] if isinstance(error["body"], dict) else dict(parse_qsl(error["body"]))
            if error["status"] < 429 and error["class"] != "weird" and "already being processed" not in str(body):
                assert provider.errors[body.get("error") or body["status"]] == error["class"], error["name"]

    def test_only_the_sections_of_its_methods(self, slug: str) -> None:
        provider = filled(slug)
        assert bool(provider.authorization.endpoint) == (slug in OAUTH)
        assert (provider.api_key != ApiKeyMethod()) == (slug in API_KEY)
        assert (provider.client_credentials != ClientCredentials()) == (slug in CLIENT_CREDENTIALS)
        for method in (*[provider.api_key] * (slug in API_KEY), *[provider.client_credentials] * (slug in CLIENT_CREDENTIALS)):
            assert method.description.endswith("."), "people are told where to find it"
        assert all(set(field.auth_methods) <= set(provider.auth_methods) for field in provider.config)

    def test_a_method_asks_for_its_own_config_only(self, slug: str) -> None:
        provider = catalogue.load(slug)
        assert provider is not None
        for method in provider.auth_methods:
            own = {field.name for field in provider.config if not field.auth_methods or method in field.auth_methods}
            resolved = resolve(provider, {name: value for name, value in fixture(slug).get("config", {}).items() if name in own}, method)
            assert {field.name for field in resolved.config} == {field.name for field in provider.config} - own
            for name in [field.name for field in provider.config if field.name in own and field.default is None]:
                with pytest.raises(ConfigError, match=name):
                    resolve(provider, {}, method)

    def test_hostile_config_values_are_refused(self, slug: str) -> None:
        provider = catalogue.load(slug)
        assert provider is not None
        good = {**{field.name: field.default or field.example for field in provider.config}, **fixture(slug).get("config", {})}
        for field in provider.config:
            assert field.label and field.description and (field.default or field.example)
            for value in fixture(slug)["config_good"][field.name]:
                resolve(provider, {**good, field.name: value})
            for value in [*HOSTILE, *fixture(slug)["config_bad"][field.name]]:
                for ask in (lambda value=value: resolve(provider, {**good, field.name: value}), lambda value=value: check_value(provider, field.name, value)):
                    with pytest.raises(ConfigError) as refused:
                        ask()
                    assert refused.value.field == field.name
