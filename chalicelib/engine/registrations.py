"""Our clients at providers: with which endpoints and credentials a connection is made and kept.

What may be configured is in configuring.py; what an organization sets for itself lies over it (configurations.py).
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache

from chalicelib.domain import ids
from chalicelib.domain.errors import Conflict, NotFound, Unprocessable
from chalicelib.domain.models import AuthMethod, Authority, Connection, Override, Owner, Ownership, Registration
from chalicelib.domain.schedule import Policy
from chalicelib.domain.secret import Secret
from chalicelib.domain.settings import Settings
from chalicelib.doors.crypto import Sealer
from chalicelib.doors.oauth import Credentials
from chalicelib.doors.store import Store
from chalicelib.engine.configuring import Change, Configuring, check_config, provider_of, secret_facts, wrong_config
from chalicelib.engine.effective import Effective
from chalicelib.providers import catalogue
from chalicelib.providers.spec import ConfigError, Provider, resolve

MAX_SLUG = 63
OVERRIDE_PREFIX = "data_integration_configuration_"
__all__ = ["Change", "Registrations", "require_enabled"]


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
        self.configuring = Configuring(sealer, settings.allowed_private_hosts, store.has_connections)

    def get(self, slug: str, ownership: Ownership = "userland_user") -> Registration:
        """The stage's own, for users' connections or for organizations'. Raises NotFound."""
        found = self._store.registration(slug, ownership) if len(slug) <= MAX_SLUG else None
        if found is None:
            shared = "" if ownership == "userland_user" else " for organizations"
            ask = "" if ownership == "userland_user" else ' with {"ownership": "organization"}'
            raise NotFound(f"There is no data integration '{slug[:64]}'{shared}. Create it with POST /data-integrations{ask}.", "entity_not_found")
        return found

    def all(self) -> list[Registration]:
        return self._store.registrations()

    def for_owner(self, slug: str, owner: Owner) -> Registration:
        """What a new connection of this owner is made with: the stage's registration, and over it what the organization sets. Raises NotFound."""
        root = self.get(slug, owner.ownership)
        return self.over(root, self._store.override(owner.organization_id, slug, owner.ownership)) if owner.organization_id else root

    def of(self, connection: Connection) -> Registration:
        """Whose client the connection's grant belongs to. Raises NotFound."""
        root = self.get(connection.slug, connection.owner.ownership)
        if connection.authority != "organization" or connection.organization_id is None:
            return root
        return self.over(root, self._store.override(connection.organization_id, connection.slug, connection.owner.ownership))

    def effective_of(self, connection: Connection, known: Registration | None = None) -> Effective:
        """What to refresh or end this connection with. `known`: a registration of its provider, read already. Raises NotFound, Unprocessable or Conflict."""
        fits = known is not None and known.ownership == connection.owner.ownership and connection.authority != "organization"
        return self.effective(known if known is not None and fits else self.of(connection), connection.config, connection.authority, method=connection.auth_method)

    def over(self, root: Registration, override: Override | None) -> Registration:
        """The registration as an organization has it. The developer's "off" and the organization's are both off."""
        if override is None:
            return root
        merged = replace(
            root,
            organization_id=override.organization_id,
            enabled=root.enabled and override.enabled is not False,
            scopes=root.scopes if override.scopes is None else override.scopes,
            config={**root.config, **override.config},
        )
        return replace(merged, id=override.id, client_id=override.client_id, client_secrets=override.client_secrets) if override.client_id else merged

    def provider(self, registration: Registration) -> Provider:
        """The provider as its file or its custom definition says, placeholders not yet filled."""
        return provider_of(registration)

    def policy(self, registration: Registration | None, idle_after: timedelta | None) -> Policy:
        """What is known of the time of a provider's connections. A registration that is gone knows nothing: the refresh itself says what is missing."""
        try:
            return Policy(provider_of(registration).lifetimes.refresh_token_idle if registration else 0, idle_after)
        except NotFound:
            return Policy(0, idle_after)

    def find(self, slug: str) -> Registration | None:
        """Any registration of the provider, for who goes on without."""
        for ownership in ("userland_user", "organization"):
            found = self._store.registration(slug, ownership) if len(slug) <= MAX_SLUG else None
            if found is not None:
                return found
        return None

    def redirect_uri(self, registration: Registration) -> str:
        """One for each registration, an organization's own client included (rule R6), from configuration only (R11)."""
        return self.redirect_uri_of(registration.id)

    def redirect_uri_of(self, registration_id: str) -> str:
        return f"{self._settings.url}/callback/{registration_id}"

    def create(self, slug: str, change: Change, ownership: Ownership = "userland_user", *, actor: str = "api") -> Registration:
        """Raises Conflict, Unprocessable or NotFound; nothing is stored then."""
        now = self._clock()
        twin = self._other_root(slug, ownership)
        if change.custom_provider is None and catalogue.load(slug) is None and not (twin and twin.custom_provider):
            known = ", ".join(catalogue.slugs())
            raise NotFound(f"There is no provider '{slug[:64]}' in the catalogue ({known}). For any other OAuth 2.0 provider send 'custom_provider'.", "provider_not_found")
        # A custom provider is one, whoever connects to it: its definition is shared by both registrations.
        definition = twin.custom_provider if twin and change.custom_provider is None else None
        blank = Registration(id=f"data_integration_{ids.ulid(now)}", slug=slug, ownership=ownership, custom_provider=definition, created_at=now, updated_at=now)
        registration = self.configuring.changed(blank, change, now)
        self._store.save_registration(registration, expected_version=None)
        self._store.audit(now, actor, "data_integration.created", {"slug": slug, "id": registration.id, "ownership": ownership})
        return registration

    def update(self, slug: str, change: Change, ownership: Ownership = "userland_user", *, actor: str = "api") -> Registration:
        now = self._clock()
        before = self.get(slug, ownership)
        after = replace(self.configuring.changed(before, change, now), version=before.version + 1)
        twin = self._other_root(slug, ownership) if change.custom_provider is not None else None
        if twin is not None and twin.custom_provider:
            moved = replace(self.configuring.changed(twin, Change(custom_provider=change.custom_provider), now), version=twin.version + 1)
            self._store.save_registration(moved, expected_version=twin.version)
        self._store.save_registration(after, expected_version=before.version)
        self._heard(slug)
        self._store.audit(now, actor, "data_integration.updated", {"slug": slug, "id": after.id, "ownership": ownership, "secret_changed": change.client_secret is not None})
        return after

    def _other_root(self, slug: str, ownership: Ownership) -> Registration | None:
        return self._store.registration(slug, "organization" if ownership == "userland_user" else "userland_user") if len(slug) <= MAX_SLUG else None

    def delete(self, slug: str, ownership: Ownership = "userland_user", *, actor: str = "api") -> None:
        """Refused while connections live on it: nobody else could refresh or revoke them. Raises Conflict."""
        registration = self.get(slug, ownership)
        if self._store.has_connections(registration.id):
            raise Conflict(f"'{slug}' still has connections. Disconnect them first, or disable the data integration with PUT {{\"enabled\": false}}.", "data_integration_in_use")
        self._store.delete_registration(registration)
        self._heard(slug)
        self._store.audit(self._clock(), actor, "data_integration.deleted", {"slug": slug, "id": registration.id, "ownership": ownership})

    def authority(self, registration: Registration) -> Authority | None:
        """Whose credentials a new OAuth connection would use now; None = there are none."""
        if registration.client_id:
            return "organization" if registration.id.startswith(OVERRIDE_PREFIX) else "own"
        if not self._settings.sandbox or registration.custom_provider or registration.organization_credentials:
            return None
        if self._shared(registration.slug):
            return "shared"
        return "simulator" if self._simulates(registration.slug) else None

    def effective(self, registration: Registration, config: dict[str, str], authority: Authority | None = None, *, method: AuthMethod = "oauth") -> Effective:
        """What to use for a new flow, or, given its `authority`, for an existing connection. Raises Unprocessable or Conflict."""
        if method != "oauth":
            return self._of_connection(registration, config, method)
        authority = authority or self.authority(registration)
        if authority is None and registration.organization_credentials:
            raise Conflict(f"Each organization brings its own client for '{registration.slug}', and this one has not entered it yet.", "credentials_missing")
        if authority is None or (authority in ("shared", "simulator") and not self._settings.sandbox):
            raise Conflict(
                f"'{registration.slug}' has no credentials. Send its client id and secret with PUT /data-integrations/{registration.slug} (its redirect URI is {self.redirect_uri(registration)}).",
                "credentials_missing",
            )
        provider = self._resolved(registration, config, "oauth")
        if authority == "simulator":
            provider, simulated = self._simulated(provider, self._settings.url)
            return Effective(registration, provider, authority, simulated.client_id, self.redirect_uri(registration), lambda: [simulated])
        if authority == "shared":
            shared = self._shared(registration.slug)
            if shared is None:
                raise Conflict(f"The shared credentials of '{registration.slug}' are gone from the Parameter Store.", "credentials_missing")
            return Effective(registration, provider, authority, shared.client_id, self.redirect_uri(registration), lambda: [shared])
        if not registration.client_id or (authority == "organization") != registration.id.startswith(OVERRIDE_PREFIX):
            raise Conflict(f"'{registration.slug}' has no client id any more.", "credentials_missing")
        return Effective(registration, provider, authority, registration.client_id, self.redirect_uri(registration), cache(lambda: self._own(registration)))

    def _of_connection(self, registration: Registration, config: dict[str, str], method: AuthMethod) -> Effective:
        """Where the connection brings its own secret. In a sandbox without a client of our own its provider is the simulated one, as for OAuth."""
        provider = self._resolved(registration, config, method)
        if self.authority(registration) == "simulator":
            provider, _ = self._simulated(provider, self._settings.url)
        return Effective(registration, provider, "connection", "", self.redirect_uri(registration), lambda: [Credentials("")])

    def _resolved(self, registration: Registration, config: dict[str, str], method: AuthMethod) -> Provider:
        try:
            return resolve(provider_of(registration), {**registration.config, **config}, method)
        except ConfigError as error:
            raise wrong_config(error) from None

    def _own(self, registration: Registration) -> list[Credentials]:
        client_id = registration.client_id or ""
        secrets = [Secret(self._sealer.open(kept.sealed, secret_facts(registration.id))["secret"]) for kept in registration.client_secrets]
        return [Credentials(client_id, secret) for secret in secrets] or [Credentials(client_id)]

    def check_config(self, registration: Registration, values: dict[str, str]) -> None:
        """Raises Unprocessable for a field the provider has not, or a value it may not have."""
        check_config(provider_of(registration), values)

    def name_of(self, slug: str) -> str:
        """What to call the provider to a person."""
        found = self.find(slug)
        try:
            return provider_of(found).name if found else slug
        except NotFound:
            return slug


def override_id(organization_id: str, slug: str, ownership: Ownership) -> str:
    """Known before anything is stored: the redirect URI of an organization's own client is entered at the provider first."""
    return OVERRIDE_PREFIX + ids.digest(f"{organization_id}\0{slug}\0{ownership}")[:26]


def require_enabled(registration: Registration) -> None:
    """A disabled provider makes no new connections; the ones it has go on. Raises Unprocessable."""
    if not registration.enabled:
        raise Unprocessable(f"'{registration.slug}' is not enabled. Enable it with PUT /data-integrations/{registration.slug} {{\"enabled\": true}}.", "data_integration_disabled")


def require_method(registration: Registration, method: AuthMethod) -> None:
    """Raises Unprocessable (auth_method_mismatch)."""
    if method not in registration.auth_methods:
        raise Unprocessable(f"'{registration.slug}' is configured for {', '.join(registration.auth_methods)}, not for {method}.", "auth_method_mismatch")
