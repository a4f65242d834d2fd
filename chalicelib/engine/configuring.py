"""What an administrator may change of our client at a provider, and what has to be right about it.

Rule R8: a stored client secret only ever goes to the endpoints it was entered for. Changing where a secret would be sent asks for it again.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from hmac import compare_digest
from typing import Any

from pydantic import ValidationError

from chalicelib.domain.errors import Conflict, IntegrityError, NotFound, Unprocessable
from chalicelib.domain.models import AuthMethod, ClientSecret, Registration
from chalicelib.domain.secret import Secret
from chalicelib.doors import journal
from chalicelib.doors.addresses import ForbiddenAddress, check_url
from chalicelib.doors.crypto import Facts, Sealer
from chalicelib.providers import catalogue
from chalicelib.providers.spec import ConfigError, Provider, check_value

SECRET_FIELD = "client_secret"
# The vocabulary's words for what the contract calls otherwise.
CUSTOM_FIELDS = {
    "authorization.endpoint": "authorization_url",
    "authorization.parameters": "additional_authorization_parameters",
    "authorization.issuer": "issuer",
    "authorization": "authorization_url",
    "token.endpoint": "token_url",
    "token.refresh_endpoint": "refresh_token_url",
    "revocation.endpoint": "revocation_url",
    "identity.endpoint": "userinfo_url",
    "auth_methods": "auth_methods",
}
ENDPOINT_FIELDS = {"authorization": "authorization_url", "token": "token_url", "refresh": "refresh_token_url", "revocation": "revocation_url", "identity": "userinfo_url"}
LIVE_SECRETS = 2  # the old one stays valid while the provider's own rotation overlaps


@dataclass(frozen=True)
class Change:
    """What an administrator asks for; None = leave as it is."""

    description: str | None = None
    enabled: bool | None = None
    scopes: tuple[str, ...] | None = None
    inherit_scopes: bool = False
    auth_methods: tuple[AuthMethod, ...] | None = None
    config: dict[str, str] | None = None
    organization_credentials: bool | None = None
    client_id: str | None = None
    client_secret: Secret | None = None
    forget_client: bool = False
    custom_provider: dict[str, Any] | None = None


def provider_of(registration: Registration) -> Provider:
    """The provider as its file or its custom definition says, placeholders not yet filled. Raises NotFound."""
    if registration.custom_provider:
        return Provider.model_validate_json(registration.custom_provider)
    found = catalogue.load(registration.slug)
    if found is None:
        raise NotFound(f"'{registration.slug}' is no longer in the catalogue.", "provider_not_found")
    return found


def secret_facts(registration_id: str) -> Facts:
    """What a client secret is sealed for."""
    return Facts(registration_id, SECRET_FIELD)


def check_config(provider: Provider, values: dict[str, str]) -> None:
    """Raises Unprocessable for a field the provider has not, or a value it may not have."""
    for name, value in values.items():
        try:
            check_value(provider, name, value)
        except ConfigError as error:
            raise wrong_config(error) from None


def wrong_config(error: ConfigError) -> Unprocessable:
    return Unprocessable(str(error), "invalid_config", errors=[{"field": f"config.{error.field[:64]}", "code": "invalid"}])


class Configuring:
    """`has_connections`: whether anything lives on a registration id."""

    def __init__(self, sealer: Sealer, allowed_private_hosts: tuple[str, ...], has_connections: Callable[[str], bool]) -> None:
        self._sealer, self._allowed_private_hosts, self._has_connections = sealer, allowed_private_hosts, has_connections

    def changed(self, before: Registration, change: Change, now: datetime) -> Registration:
        """The registration with the change. Raises Unprocessable or Conflict; nothing is stored here."""
        updates: dict[str, Any] = {"updated_at": now}
        for name in ("description", "enabled", "config", "organization_credentials"):
            if getattr(change, name) is not None:
                updates[name] = getattr(change, name)
        if change.inherit_scopes or change.scopes is not None:
            updates["scopes"] = None if change.inherit_scopes else change.scopes
        if change.custom_provider is not None:
            if catalogue.load(before.slug) is not None:
                # Also on update: a built-in provider's credentials, the operator's shared ones included, must not be led elsewhere.
                raise Unprocessable(f"'{before.slug}' is in the catalogue; give a custom provider a slug of its own.", "slug_taken", errors=[{"field": "provider", "code": "slug_taken"}])
            updates["custom_provider"] = self._custom(before, change)
        after = replace(before, **updates)
        provider = provider_of(after)
        after = replace(after, auth_methods=_methods(provider, change.auth_methods or before.auth_methods, asked=change.auth_methods is not None))
        after = self._with_client(before, after, provider, change, now)
        if "oauth" in after.auth_methods and provider.scopes_required and not (after.scopes or provider.default_scopes()):
            raise Unprocessable(f"{provider.name} needs at least one scope.", "scopes_required", errors=[{"field": "scopes", "code": "required"}])
        check_config(provider, after.config)
        return after

    def with_secret(self, given: Secret, kept: tuple[ClientSecret, ...], registration_id: str, now: datetime) -> tuple[ClientSecret, ...]:
        """The given secret before the one it overlaps with. Sent once more it is a repeated request, and pushes nothing out.

        A kept one that no longer opens is dropped: entering the secret again is how a damaged one is mended.
        """
        facts = secret_facts(registration_id)
        known = []
        for each in kept:
            try:
                known.append((self._sealer.open(each.sealed, facts)["secret"], each))
            except IntegrityError as error:
                journal.count("integrity_error", now, "registration", alarm="integrity", detail=error.detail)
        if known and compare_digest(known[0][0].encode(), given.reveal().encode()):
            return tuple(each for _, each in known)
        fresh = ClientSecret(sealed=self._sealer.seal({"secret": given.reveal()}, facts), last_four=given.last_four(), created_at=now)
        return (fresh, *(each for _, each in known))[:LIVE_SECRETS]

    def _with_client(self, before: Registration, after: Registration, provider: Provider, change: Change, now: datetime) -> Registration:
        if change.forget_client:
            self._require_unused(before, "Disconnect them first.")
            return replace(after, client_id=None, client_secrets=())
        client_id = change.client_id if change.client_id is not None else before.client_id
        moved = (before.client_id is not None and client_id != before.client_id) or _where(before) not in (None, _where(after))
        if moved:
            self._require_unused(before, "Disconnect them first; a new secret of the same client can be set at any time.")
        if moved and before.client_secrets and change.client_secret is None:
            raise Unprocessable(
                "Changing where the client secret is sent (an endpoint or the client id) asks for 'credentials.client_secret' again.",
                "client_secret_required",
                errors=[{"field": "credentials.client_secret", "code": "required"}],
            )
        if change.client_id is not None and change.client_secret is None and not before.client_secrets and provider.client_secret_required:
            raise Unprocessable(f"{provider.name} needs a client secret with its client id.", "client_secret_required", errors=[{"field": "credentials.client_secret", "code": "required"}])
        if change.client_secret is not None and not client_id:
            raise Unprocessable("A client secret needs its client id.", "client_id_required", errors=[{"field": "credentials.client_id", "code": "required"}])
        kept = () if moved else before.client_secrets
        if change.client_secret is not None:
            kept = self.with_secret(change.client_secret, kept, before.id, now)
        return replace(after, client_id=client_id, client_secrets=kept)

    def _require_unused(self, registration: Registration, what_to_do: str) -> None:
        if self._has_connections(registration.id):
            raise Conflict(f"'{registration.slug}' has connections, and their grants belong to this client at these endpoints. {what_to_do}", "data_integration_in_use")

    def _custom(self, before: Registration, change: Change) -> str:
        methods = change.auth_methods or before.auth_methods
        given = {**(change.custom_provider or {}), "auth_methods": methods}
        if "oauth" not in methods:
            given = {name: value for name, value in given.items() if name not in ("authorization", "token") or value.get("endpoint")}
        try:
            provider = Provider.model_validate({**given, "slug": before.slug, "custom": True})
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            path = ".".join(str(part) for part in first["loc"])
            field = next((name for start, name in CUSTOM_FIELDS.items() if path.startswith(start)), path)
            raise wrong_custom(field, first["msg"]) from None
        for place, url in provider.endpoints().items():
            try:
                check_url(url, self._allowed_private_hosts)
            except ForbiddenAddress as error:
                raise wrong_custom(ENDPOINT_FIELDS.get(place, place), str(error)) from None
        return provider.model_dump_json(exclude_defaults=True)


def wrong_custom(field: str, problem: str) -> Unprocessable:
    return Unprocessable(f"custom_provider.{field}: {problem}.", "invalid_custom_provider", errors=[{"field": f"custom_provider.{field}", "code": "invalid"}])


def _methods(provider: Provider, wanted: tuple[AuthMethod, ...], *, asked: bool) -> tuple[AuthMethod, ...]:
    """The methods in the provider's order. A provider without OAuth has its own as the default."""
    known = tuple(method for method in provider.auth_methods if method in wanted)
    if asked and (unknown := [method for method in wanted if method not in provider.auth_methods]):
        raise Unprocessable(f"{provider.name} knows {', '.join(provider.auth_methods)}, not {unknown[0]}.", "invalid_auth_method", errors=[{"field": "auth_methods", "code": "invalid"}])
    return known or provider.auth_methods[:1]


def _where(registration: Registration) -> Any:
    """Where secrets are sent, those of connections included; None before it is known."""
    try:
        return provider_of(registration).endpoints(), sorted(registration.config.items())
    except NotFound:
        return None
