"""What an organization sets for itself over the stage's registrations: on or off, fewer scopes, config, and a client of its own with its own redirect URI."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chalicelib.domain.errors import Conflict, Unprocessable
from chalicelib.domain.models import Override, Ownership, Registration
from chalicelib.domain.secret import Secret
from chalicelib.doors.store import Store
from chalicelib.engine.configuring import check_config
from chalicelib.engine.registrations import Registrations, override_id


@dataclass(frozen=True, kw_only=True)
class OwnSettings:
    """What an organization asks for; None = leave as it is. `inherit_scopes`: the registration's again; so `inherit_enabled`."""

    enabled: bool | None = None
    scopes: tuple[str, ...] | None = None
    inherit_scopes: bool = False
    config: dict[str, str] | None = None
    client_id: str | None = None
    client_secret: Secret | None = None

    @property
    def is_empty(self) -> bool:
        return self == OwnSettings()


@dataclass(frozen=True)
class Configured:
    """A registration, what the organization set over it, and what comes of both."""

    organization_id: str
    root: Registration
    override: Override | None
    effective: Registration


class Configurations:
    def __init__(self, store: Store, registrations: Registrations, clock: Callable[[], datetime]) -> None:
        self._store, self._registrations, self._clock = store, registrations, clock

    def all(self, organization_id: str, ownership: Ownership | None = None) -> list[Configured]:
        """One for each registration, oldest first."""
        own = {(each.slug, each.ownership): each for each in self._store.overrides(organization_id)}
        roots = [root for root in self._registrations.all() if ownership in (None, root.ownership)]
        return [self._configured(organization_id, root, own.get((root.slug, root.ownership))) for root in roots]

    def get(self, organization_id: str, slug: str, ownership: Ownership) -> Configured:
        """Raises NotFound."""
        root = self._registrations.get(slug, ownership)
        return self._configured(organization_id, root, self._store.override(organization_id, slug, ownership))

    def configure(self, organization_id: str, slug: str, ownership: Ownership, wanted: OwnSettings, *, actor: str = "api") -> Configured:
        """Sets what is given. Raises NotFound, Unprocessable or Conflict; nothing is stored then."""
        now = self._clock()
        found = self.get(organization_id, slug, ownership)
        blank = Override(id=override_id(organization_id, slug, ownership), organization_id=organization_id, slug=slug, ownership=ownership, created_at=now, updated_at=now)
        before = found.override or blank
        updates: dict[str, Any] = {"updated_at": now, "version": before.version + (found.override is not None)}
        if wanted.enabled is not None:
            updates["enabled"] = wanted.enabled
        if wanted.inherit_scopes or wanted.scopes is not None:
            self._check_scopes(found.root, wanted.scopes or ())
            updates["scopes"] = wanted.scopes
        if wanted.config is not None:
            check_config(self._registrations.provider(found.root), wanted.config)
            updates["config"] = wanted.config
        after = replace(before, **updates, **self._client(before, wanted, now))
        self._store.save_override(after, expected_version=found.override.version if found.override else None)
        self._store.audit(now, actor, "data_integration_configuration.updated", {"slug": slug, "organization": organization_id, "id": after.id, "secret_changed": wanted.client_secret is not None})
        return self._configured(organization_id, found.root, after)

    def reset(self, organization_id: str, slug: str, ownership: Ownership, *, actor: str = "api") -> None:
        """Everything is as the stage has it again. Raises Conflict while connections live on the organization's own client."""
        found = self.get(organization_id, slug, ownership)
        if found.override is None:
            return
        if found.override.client_id and self._store.has_connections(found.override.id):
            raise in_use(slug)
        self._store.delete_override(found.override)
        self._store.audit(self._clock(), actor, "data_integration_configuration.deleted", {"slug": slug, "organization": organization_id, "id": found.override.id})

    def _configured(self, organization_id: str, root: Registration, override: Override | None) -> Configured:
        return Configured(organization_id, root, override, self._registrations.over(root, override))

    def _client(self, before: Override, wanted: OwnSettings, now: datetime) -> dict[str, Any]:
        if wanted.client_id is None and wanted.client_secret is None:
            return {}
        client_id = wanted.client_id or before.client_id
        if client_id is None or (wanted.client_secret is None and client_id != before.client_id):
            missing = "client_id" if client_id is None else "client_secret"
            raise Unprocessable("'client_id' and 'client_secret' go together.", "incomplete_credentials", errors=[{"field": missing, "code": "required"}])
        moved = before.client_id is not None and client_id != before.client_id
        if moved and self._store.has_connections(before.id):
            raise in_use(before.slug)
        kept = () if moved else before.client_secrets
        secrets = self._registrations.configuring.with_secret(wanted.client_secret, kept, before.id, now) if wanted.client_secret is not None else kept
        return {"client_id": client_id, "client_secrets": secrets}

    def _check_scopes(self, root: Registration, scopes: tuple[str, ...]) -> None:
        provider = self._registrations.provider(root)
        allowed = set(root.scopes) if root.scopes is not None else {scope.name for scope in provider.scopes}
        if not allowed and root.scopes is None:
            return  # a custom provider whose scopes nobody listed
        if foreign := [scope for scope in scopes if scope not in allowed]:
            raise Unprocessable(
                f"'{foreign[0]}' is not among the scopes configured for '{root.slug}': {', '.join(sorted(allowed))}.", "scopes_not_configured", errors=[{"field": "scopes", "code": "not_configured"}]
            )


def in_use(slug: str) -> Conflict:
    return Conflict(f"'{slug}' has connections of this organization's own client. Disconnect them first; a new secret of the same client can be set at any time.", "data_integration_in_use")
