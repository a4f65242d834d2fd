"""API keys, made and revoked by an operator with the stage's own environment: shown once, stored as a hash."""

from collections.abc import Mapping

from chalicelib.domain import settings
from chalicelib.wiring import Engine


def create(name: str, environ: Mapping[str, str], organization_id: str | None = None) -> str:
    """A new key of the stage that `environ` describes; `organization_id`: the only one it reaches."""
    return _engine(environ).api_keys.create(name, organization_id)[1]


def revoke(key_id: str, environ: Mapping[str, str]) -> bool:
    """False if there is no such key. Takes effect within half a minute."""
    return _engine(environ).api_keys.revoke(key_id)


def listed(environ: Mapping[str, str]) -> list[tuple[str, str, str, str]]:
    """Id, name, day of creation and state of every key."""
    found = _engine(environ).store.api_keys()
    return [(key.id, key.name, f"{key.created_at:%Y-%m-%d}", f"revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else "live") for key in found]


def rotate_widget_key(environ: Mapping[str, str]) -> str:
    """Id of the new key that signs widget tokens."""
    return _engine(environ).widget_tokens.rotate()


def _engine(environ: Mapping[str, str]) -> Engine:
    given = {"endpoint_url": "AWS_ENDPOINT_URL", "aws_access_key_id": "AWS_ACCESS_KEY_ID", "aws_secret_access_key": "AWS_SECRET_ACCESS_KEY", "aws_session_token": "AWS_SESSION_TOKEN"}
    return Engine(settings.read(environ), {argument: environ[name] for argument, name in given.items() if environ.get(name)})
