"""What each system calls things: an entry of its file becomes the columns of a plain one.

Rule: names only. What is right or wrong with the values is said by rows.py.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ops.migration.rows import BadRow

Columns = dict[str, Any]
_AS_THEY_ARE = (
    "user_id", "organization_id", "connection_owner", "connection_role", "state", "auth_method", "access_token", "refresh_token", "expires_at", "scopes", "api_key", "client_id",
    "client_secret", "account_display_name", "account_identifier", "established_by_user_id", "created_at", "renewable", "config", "handed_over",
)  # fmt: skip


def plain(where: str, entry: Mapping[str, Any]) -> Columns:
    """A row of CSV or JSON; `config.subdomain` is a value of `config`."""
    columns = {name: value for name, value in entry.items() if not name.startswith("config.")}
    config = columns.get("config")
    if isinstance(config, str):
        try:
            columns["config"] = json.loads(config) if config.strip() else {}
        except ValueError:
            raise BadRow(where, "config", "is not a JSON object.") from None
    dotted = {name.removeprefix("config."): value for name, value in entry.items() if name.startswith("config.") and value not in (None, "")}
    if dotted:
        columns["config"] = {**_object(where, columns, "config"), **dotted}
    return columns


def workos(where: str, entry: Mapping[str, Any]) -> Columns:
    """A ConnectedAccount with its provider and tokens in it, or `connected_account` with what was answered for it beside: `access_token` or `credential`."""
    account = _object(where, entry, "connected_account")
    both = {**entry, **account}
    columns = {name: both[name] for name in _AS_THEY_ARE if both.get(name) is not None}
    columns["provider"] = _first(both, "provider", "provider_slug", "slug") or ""
    if account.get("id") or "connected_account" not in entry:
        columns["connected_account_id"] = account.get("id") or both.get("id")
    for answer in (entry.get("access_token"), entry.get("credential")):
        if isinstance(answer, Mapping):
            columns = _answered(columns, answer)
    return columns


def _answered(columns: Columns, answer: Mapping[str, Any]) -> Columns:
    """What POST …/token or …/credentials answered for it."""
    method = answer.get("auth_method", "oauth")
    value = answer.get("access_token") or answer.get("value")
    told = {"api_key": value} if method == "api_key" else {"access_token": value, "expires_at": answer.get("expires_at")} if method == "oauth" else {}
    scopes = answer.get("scopes")
    return {**columns, **told, "auth_method": method, **({"scopes": scopes} if scopes is not None and method != "api_key" else {}), **({"config": answer["config"]} if answer.get("config") else {})}


NANGO_METHODS = {"OAUTH2": "oauth", "API_KEY": "api_key", "OAUTH2_CC": "client_credentials"}


def nango(where: str, entry: Mapping[str, Any]) -> Columns:
    """A connection of Nango. Its owner is `end_user`, else the tags end_user_id and organization_id, else the connection_id."""
    credentials, config = _object(where, entry, "credentials"), _object(where, entry, "connection_config")
    kind = credentials.get("type")
    if kind is not None and (not isinstance(kind, str) or kind not in NANGO_METHODS):
        raise BadRow(where, "credentials.type", f"'{str(kind)[:40]}' has no place here; known are {', '.join(NANGO_METHODS)}.")
    end_user, tags = _object(where, entry, "end_user"), _object(where, entry, "tags")
    organization = _object(where, end_user, "organization") or _object(where, entry, "organization")
    organization_id = organization.get("id") or tags.get("organization_id")
    raw = _object(where, credentials, "raw")
    columns: Columns = {
        "provider": entry.get("provider_config_key") or "",
        "connected_account_id": entry.get("connection_id"),
        "user_id": end_user.get("id") or tags.get("end_user_id") or (None if organization_id else entry.get("connection_id")),
        "organization_id": organization_id,
        "connection_owner": entry.get("connection_owner"),
        "auth_method": NANGO_METHODS.get(kind or "OAUTH2"),
        "account_display_name": tags.get("end_user_display_name") or end_user.get("display_name"),
        "created_at": entry.get("created_at"),
        "config": {name: value for name, value in config.items() if isinstance(value, str) and value},
        "metadata": dict(_told({**config, **raw})),
    }
    if kind == "API_KEY":
        return {**columns, "api_key": _first(credentials, "apiKey", "api_key")}
    if kind == "OAUTH2_CC":
        return {**columns, "client_id": credentials.get("client_id"), "client_secret": credentials.get("client_secret")}
    errors = entry.get("errors")
    refused = isinstance(errors, list) and any(isinstance(each, Mapping) and each.get("type") == "auth" for each in errors)
    return {
        **columns,
        "access_token": credentials.get("access_token"),
        "refresh_token": credentials.get("refresh_token"),
        "expires_at": credentials.get("expires_at"),
        "scopes": raw.get("scope"),
        "state": "needs_reauthorization" if refused and not credentials.get("access_token") else None,
    }


FORMATS: dict[str, Callable[[str, Mapping[str, Any]], Columns]] = {"workos": workos, "nango": nango, "csv": plain, "json": plain, "standpipe": plain}
LOOSE = {"nango"}  # config and metadata hold more than a provider has fields for, the provider's whole answer among it


def _told(answer: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Everything of an answer by its path, as a provider's file names it."""
    for name, value in answer.items():
        if isinstance(value, Mapping):
            yield from _told(value, f"{before}{name}.")
        elif isinstance(value, (str, int)) and value != "":
            yield f"{before}{name}", str(value)[:2048]


def _object(where: str, entry: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = entry.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise BadRow(where, name, "is not an object.")
    return value


def _first(entry: Mapping[str, Any], *names: str) -> Any:
    return next((entry[name] for name in names if entry.get(name)), None)
