"""Our clients at providers: what may be configured, and with which endpoints and credentials a connection is made and kept.

Rule R8: a stored client secret only ever goes to the endpoints it was entered for. Changing where a secret would be sent asks for it again.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from hmac import compare_digest
from typing import Any

from pydantic import ValidationError

from chalicelib.domain import ids
from chalicelib.domain.errors import Conflict, IntegrityError, NotFound, Unprocessable
from chalicelib.domain.models import Authority, ClientSecret, Registration
from chalicelib.domain.schedule import Policy
from chalicelib.domain.secret import Secret
from chalicelib.domain.settings import Settings
from chalicelib.doors import journal
from chalicelib.doors.addresses import ForbiddenAddress, check_url
from chalicelib.doors.crypto import Facts, Sealer
from chalicelib.doors.oauth import Credentials
from chalicelib.doors.store import Store
from chalicelib.engine.effective import Effective
from chalicelib.providers import catalogue
from chalicelib.providers.spec import ConfigError, Provider, resolve

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
}
MAX_SLUG = 63
LIVE_SECRETS = 2  # the old one stays valid while the provider's own rotation overlaps


@dataclass(frozen=True)
class Change:
    """What an administrator asks for; None = leave as it is."""

    description: str | None = None
    enabled: bool | None = None
    scopes: tuple[str, ...] | None = None
    inherit_scopes: bool = False
    config: dict[str, str] | None = None
    client_id: str | None = None
    client_secret: Secret | None = None
    custom_provider: dict[str, Any] | None = None


class Registrations:
    """Registrations of a stage. `changed` hears of every change, by slug; `shared` looks up the operator's shared credentials, `simulated` points a provider at the simulator; both only in a sandbox."""

    def __init__(
        self,
        store: Store,
        sealer: Sealer,
        settings: Settings,
        clock: Callable[[], datetime],
        changed: Callable[[str], None],
        shared: Callable[[str], Credentials | None],
        simulates: Callable[[str], bool],
        simulated: Callable[[Provider, str], tuple[Provider, Credentials]],
    ) -> None:
        self._store, self._sealer, self._settings, self._clock, self._heard = store, sealer, settings, clock, changed
        self._shared, self._simulates, self._simulated = shared, simulates, simulated

    def get(self, slug: str) -> Registration:
        """Raises NotFound."""
        found = self._store.registration(slug) if len(slug) <= MAX_SLUG else None
        if found is None:
            raise NotFound(f"There is no data integration '{slug[:64]}'. Create it with POST /data-integrations.", "data_integration_not_found")
        return found

    def all(self) -> list[Registration]:
        return self._store.registrations()

    def provider(self, registration: Registration) -> Provider:
        """The provider as its file or its custom definition says, placeholders not yet filled."""
        if registration.custom_provider:
            return Provider.model_validate_json(registration.custom_provider)
        found = catalogue.load(registration.slug)
        if found is None:
            raise NotFound(f"'{registration.slug}' is no longer in the catalogue.", "provider_not_found")
        return found

    def policy(self, registration: Registration | None, idle_after: timedelta | None) -> Policy:
        """What is known of the time of a provider's connections. A registration that is gone knows nothing: the refresh itself says what is missing."""
        try:
            return Policy(self.provider(registration).lifetimes.refresh_token_idle if registration else 0, idle_after)
        except NotFound:
            return Policy(0, idle_after)

    def find(self, slug: str) -> Registration | None:
        """As `get`, for who goes on without."""
        try:
            return self.get(slug)
        except NotFound:
            return None

    def redirect_uri(self, registration: Registration) -> str:
        """One for each registration (rule R6), from configuration only (R11)."""
        return f"{self._settings.url}/callback/{registration.id}"

    def create(self, slug: str, change: Change) -> Registration:
        """Raises Conflict, Unprocessable or NotFound; nothing is stored then."""
        now = self._clock()
        if change.custom_provider is None and catalogue.load(slug) is None:
            known = ", ".join(catalogue.slugs())
            raise NotFound(f"There is no provider '{slug[:64]}' in the catalogue ({known}). For any other OAuth 2.0 provider send 'custom_provider'.", "provider_not_found")
        blank = Registration(id=f"data_integration_{ids.ulid(now)}", slug=slug, created_at=now, updated_at=now)
        registration = self._changed(blank, change, now)
        self._store.save_registration(registration, expected_version=None)
        self._store.audit(now, "api", "data_integration.created", {"slug": slug, "id": registration.id})
        return registration

    def update(self, slug: str, change: Change) -> Registration:
        now = self._clock()
        before = self.get(slug)
        after = replace(self._changed(before, change, now), version=before.version + 1)
        self._store.save_registration(after, expected_version=before.version)
        self._heard(slug)
        self._store.audit(now, "api", "data_integration.updated", {"slug": slug, "id": after.id, "secret_changed": change.client_secret is not None})
        return after

    def delete(self, slug: str) -> None:
        """Refused while connections live on it: nobody else could refresh or revoke them. Raises Conflict."""
        registration = self.get(slug)
        if self._store.has_connections(registration.id):
            raise Conflict(f"'{slug}' still has connections. Disconnect them first, or disable the data integration with PUT {{\"enabled\": false}}.", "data_integration_in_use")
        self._store.delete_registration(registration)
        self._heard(slug)
        self._store.audit(self._clock(), "api", "data_integration.deleted", {"slug": slug, "id": registration.id})

    def authority(self, registration: Registration) -> Authority | None:
        """Whose credentials a new connection would use now; None = there are none."""
        if registration.client_id:
            return "own"
        if not self._settings.sandbox or registration.custom_provider:
            return None
        if self._shared(registration.slug):
            return "shared"
        return "simulator" if self._simulates(registration.slug) else None

    def effective(self, registration: Registration, config: dict[str, str], authority: Authority | None = None) -> Effective:
        """What to use for a new flow, or, given its `authority`, for an existing connection. Raises Unprocessable or Conflict."""
        authority = authority or self.authority(registration)
        if authority is None or (authority != "own" and not self._settings.sandbox):
            raise Conflict(
                f"'{registration.slug}' has no credentials. Send its client id and secret with PUT /data-integrations/{registration.slug} (its redirect URI is {self.redirect_uri(registration)}).",
                "credentials_missing",
            )
        provider = self.provider(registration)
        try:
            provider = resolve(provider, {**registration.config, **config})
        except ConfigError as error:
            raise Unprocessable(str(error), "invalid_config", errors=[{"field": f"config.{error.field}", "code": "invalid"}]) from None
        if authority == "simulator":
            provider, simulated = self._simulated(provider, self._settings.url)
            return Effective(registration, provider, authority, simulated.client_id, self.redirect_uri(registration), lambda: [simulated])
        if authority == "shared":
            shared = self._shared(registration.slug)
            if shared is None:
                raise Conflict(f"The shared credentials of '{registration.slug}' are gone from the Parameter Store.", "credentials_missing")
            return Effective(registration, provider, authority, shared.client_id, self.redirect_uri(registration), lambda: [shared])
        if not registration.client_id:
            raise Conflict(f"'{registration.slug}' has no client id any more.", "credentials_missing")
        return Effective(registration, provider, authority, registration.client_id, self.redirect_uri(registration), cache(lambda: self._own(registration)))

    def _own(self, registration: Registration) -> list[Credentials]:
        client_id = registration.client_id or ""
        secrets = [Secret(self._sealer.open(kept.sealed, _facts(registration))["secret"]) for kept in registration.client_secrets]
        return [Credentials(client_id, secret) for secret in secrets] or [Credentials(client_id)]

    def _changed(self, before: Registration, change: Change, now: datetime) -> Registration:
        updates: dict[str, Any] = {"updated_at": now}
        for name in ("description", "enabled", "config"):
            if getattr(change, name) is not None:
                updates[name] = getattr(change, name)
        if change.inherit_scopes or change.scopes is not None:
            updates["scopes"] = None if change.inherit_scopes else change.scopes
        if change.custom_provider is not None:
            if catalogue.load(before.slug) is not None:
                # Also on update: a built-in provider's credentials, the operator's shared ones included, must not be led elsewhere.
                raise Unprocessable(f"'{before.slug}' is in the catalogue; give a custom provider a slug of its own.", "slug_taken", errors=[{"field": "provider", "code": "slug_taken"}])
            updates["custom_provider"] = self._custom(before, change.custom_provider)
        after = replace(before, **updates)
        provider = self.provider(after)
        client_id = change.client_id if change.client_id is not None else before.client_id
        moved = before.client_id is not None and (self._where(before) != self._where(after) or client_id != before.client_id)
        if moved and self._store.has_connections(before.id):
            raise Conflict(
                f"'{before.slug}' has connections, and their grants belong to this client at these endpoints. Disconnect them first; a new secret of the same client can be set at any time.",
                "data_integration_in_use",
            )
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
            kept = self._with(change.client_secret, kept, before, now)
        after = replace(after, client_id=client_id, client_secrets=kept)
        if provider.scopes_required and not (after.scopes or provider.default_scopes()):
            raise Unprocessable(f"{provider.name} needs at least one scope.", "scopes_required", errors=[{"field": "scopes", "code": "required"}])
        self.check_config(after, after.config)
        return after

    def _with(self, given: Secret, kept: tuple[ClientSecret, ...], registration: Registration, now: datetime) -> tuple[ClientSecret, ...]:
        """The given secret before the one it overlaps with. Sent once more it is a repeated request, and pushes nothing out.

        A kept one that no longer opens is dropped: entering the secret again is how a damaged one is mended.
        """
        facts = _facts(registration)
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

    def check_config(self, registration: Registration, values: dict[str, str]) -> None:
        """Raises Unprocessable for a field the provider has not, or a value it may not have."""
        provider = self.provider(registration)
        known = {field.name for field in provider.config}
        for name, value in values.items():
            if name not in known:
                raise Unprocessable(f"{provider.name} has no config field '{name[:64]}'.", "invalid_config", errors=[{"field": f"config.{name[:64]}", "code": "unknown"}])
            try:
                resolve(provider, {**{field.name: field.default or "x" for field in provider.config}, name: value})
            except ConfigError as error:
                if error.field == name:
                    raise Unprocessable(str(error), "invalid_config", errors=[{"field": f"config.{name}", "code": "invalid"}]) from None

    def _where(self, registration: Registration) -> Any:
        provider = self.provider(registration)
        return provider.endpoints(), sorted(registration.config.items())

    def _custom(self, before: Registration, given: dict[str, Any]) -> str:
        try:
            provider = Provider.model_validate({**given, "slug": before.slug, "custom": True})
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            path = ".".join(str(part) for part in first["loc"])
            field = next((name for start, name in CUSTOM_FIELDS.items() if path.startswith(start)), path)
            raise _wrong_custom(field, first["msg"]) from None
        for place, url in provider.endpoints().items():
            try:
                check_url(url, self._settings.allowed_private_hosts)
            except ForbiddenAddress as error:
                raise _wrong_custom(CUSTOM_FIELDS[f"{place}.endpoint" if place != "refresh" else "token.refresh_endpoint"], str(error)) from None
        return provider.model_dump_json(exclude_defaults=True)

    def name_of(self, slug: str) -> str:
        """What to call the provider to a person."""
        try:
            return self.provider(self.get(slug)).name
        except NotFound:
            return slug


def _wrong_custom(field: str, problem: str) -> Unprocessable:
    return Unprocessable(f"custom_provider.{field}: {problem}.", "invalid_custom_provider", errors=[{"field": f"custom_provider.{field}", "code": "invalid"}])


def _facts(registration: Registration) -> Facts:
    return Facts(registration.id, SECRET_FIELD)


def require_enabled(registration: Registration) -> None:
    """A disabled provider makes no new connections; the ones it has go on."""
    if not registration.enabled:
        raise Unprocessable(f"'{registration.slug}' is not enabled. Enable it with PUT /data-integrations/{registration.slug} {{\"enabled\": true}}.", "data_integration_disabled")
