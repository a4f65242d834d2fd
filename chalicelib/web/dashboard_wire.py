"""Registrations, connections and events as the dashboard's JSON. Every field is named one by one: what is sealed has no name here."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.domain.circuit import Circuit
from chalicelib.domain.events import Event, timestamp
from chalicelib.domain.lifecycle import MESSAGES
from chalicelib.domain.models import Connection, Registration
from chalicelib.engine.dashboard_connections import reference
from chalicelib.engine.registrations import Registrations
from chalicelib.providers.spec import Provider


def time(at: datetime | None) -> str | None:
    return timestamp(at) if at else None


def provider_in_list(provider: Provider, registrations: list[Registration], known: Registrations, circuit: Circuit | None) -> dict[str, Any]:
    return {
        "slug": provider.slug,
        "name": provider.name,
        "description": provider.description,
        "custom": provider.custom,
        "auth_methods": list(provider.auth_methods),
        "registrations": [{"ownership": each.ownership, "enabled": each.enabled, "credentials": known.authority(each), "created_at": timestamp(each.created_at)} for each in registrations],
        "trouble": _trouble(circuit),
    }


def _trouble(circuit: Circuit | None) -> dict[str, Any] | None:
    if circuit is None or (circuit.misconfigured_since is None and circuit.open_until is None):
        return None
    return {"kind": "misconfigured" if circuit.misconfigured_since else "unavailable", "error": circuit.last_error, "since": time(circuit.misconfigured_since)}


def set_up(registration: Registration, known: Registrations) -> dict[str, Any]:
    """Everything the set-up drawer shows of one registration."""
    provider = known.provider(registration)
    redirect_uri = known.redirect_uri(registration)
    secrets = registration.client_secrets
    return {
        "id": registration.id,
        "slug": registration.slug,
        "ownership": registration.ownership,
        "name": provider.name,
        "custom": provider.custom,
        "provider_description": provider.description,
        "description": registration.description,
        "enabled": registration.enabled,
        "redirect_uri": redirect_uri,
        "setup": [step.replace("{redirect_uri}", redirect_uri) for step in provider.setup],
        "notes": list(provider.lifetimes.notes),
        "documentation": list(provider.documentation),
        "client_id": registration.client_id,
        "secrets": [{"last_four": each.last_four, "created_at": timestamp(each.created_at)} for each in secrets],
        "client_secret_required": provider.client_secret_required,
        "credentials": known.authority(registration),
        "sandbox_credentials": known.authority(replace(registration, client_id=None, client_secrets=())),
        "scopes": list(registration.scopes) if registration.scopes is not None else None,
        "default_scopes": provider.default_scopes(),
        "scopes_required": provider.scopes_required,
        "available_scopes": [{"name": each.name, "description": each.description, "required": each.required, "token": each.token} for each in provider.scopes],
        "auth_methods": list(registration.auth_methods),
        "available_auth_methods": list(provider.auth_methods),
        "config": registration.config,
        "config_fields": [{"name": each.name, "label": each.label, "description": each.description, "default": each.default, "example": each.example} for each in provider.config],
        "pkce": provider.authorization.code_challenge_method == "S256",
        "revocable": provider.revocation.endpoint is not None,
        "rotation": provider.lifetimes.rotation,
        "created_at": timestamp(registration.created_at),
        "updated_at": timestamp(registration.updated_at),
    }


def connection(found: Connection, name: str) -> dict[str, Any]:
    """One connection as it is, in a list and by itself."""
    reason = MESSAGES.get(found.reason or "", "")
    return {
        "reference": reference(found),
        "id": found.id,
        "slug": found.slug,
        "provider": name,
        "user_id": found.user_id,
        "organization_id": found.organization_id,
        "account": found.account,
        "role": found.role,
        "auth_method": found.auth_method,
        "display_name": found.display_name,
        "external_name": found.external_name,
        "external_account_id": found.external_account_id,
        "state": found.state,
        "reason": found.reason,
        "reason_text": reason.replace("{provider}", name) if reason else None,
        "health": _health(found),
        "generation": found.generation,
        "refreshable": found.refreshable,
        "scopes_granted": list(found.scopes_granted),
        "missing_scopes": found.missing_scopes(),
        "failures": found.failures,
        "failing_since": time(found.failing_since),
        "last_error": found.last_error,
        "retry_at": time(found.retry_at),
        "expires_at": time(found.expires_at),
        "refresh_due_at": time(found.refresh_due_at),
        "reauthorization_expected_at": time(found.reauthorization_expected_at),
        "handed_over_at": time(found.handed_over_at),
        "created_at": timestamp(found.created_at),
        "connected_at": time(found.connected_at),
        "refreshed_at": time(found.refreshed_at),
        "last_used_at": time(found.last_used_at),
        "authority": found.authority,
    }


def _health(found: Connection) -> str:
    if found.state != "connected":
        return found.state
    if found.handed_over_at is not None:
        return "handed_over"
    return "misconfigured" if found.misconfigured else "degraded" if found.degraded_since else "failing" if found.failures else "healthy"


def event(found: Event) -> dict[str, Any]:
    return {"id": found.id, "event": found.event, "created_at": timestamp(found.created_at), "subject": found.subject, "generation": found.generation, "data": found.data}
