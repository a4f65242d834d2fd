"""Widget tokens: a JWT for one person, in one organization or none, for an hour at most, signed with a key that only lies sealed in the table.

WorkOS's widgets read the claims with `atob`, which knows no "-" or "_". So the claims are written in ASCII, and with the four characters
escaped whose last six bits are all but ones: no such text has either letter in base64url, wherever they stand.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.domain import ids
from chalicelib.domain.errors import Forbidden, Unprocessable
from chalicelib.domain.secret import Secret
from chalicelib.doors.crypto import Facts, Sealer
from chalicelib.doors.widget_keys import WidgetKey, WidgetKeys

AUDIENCE = "standpipe:widgets"
LIFE = timedelta(hours=1)
SHORTEST = timedelta(minutes=1)  # the widget asks for a new one half a minute before the end
OVERLAP = LIFE + timedelta(minutes=5)  # how long a replaced key still verifies: every token it signed has ended by then
REMEMBERED_FOR = 60.0
SCOPES = (
    "widgets:users-table:manage", "widgets:user-api-keys:manage-self", "widgets:user-api-keys:manage-all", "widgets:domain-verification:manage", "widgets:sso:manage",
    "widgets:api-keys:manage", "widgets:dsync:manage", "widgets:audit-log-streaming:manage", "widgets:pipes:manage",
)  # fmt: skip
MANAGE = "widgets:pipes:manage"


class _Plain(json.JSONEncoder):
    """JSON whose base64url has neither "-" nor "_"."""

    def encode(self, o: Any) -> str:
        text = super().encode(o)
        for letter in ">?~\x7f":
            text = text.replace(letter, f"\\u{ord(letter):04x}")
        return text


@dataclass(frozen=True)
class WidgetToken:
    """A verified token."""

    user_id: str
    organization_id: str | None
    organization_name: str | None
    permissions: tuple[str, ...]

    @property
    def manages(self) -> bool:
        return MANAGE in self.permissions


class WidgetTokens:
    """Makes and verifies them. Keys are looked up at most once a minute; a key nobody has made yet is made on first use."""

    def __init__(self, keys: WidgetKeys, sealer: Sealer, issuer: str, clock: Callable[[], datetime], monotonic: Callable[[], float]) -> None:
        self._rows, self._sealer, self._issuer, self._clock, self._monotonic = keys, sealer, issuer, clock, monotonic
        self._known: tuple[float, list[tuple[WidgetKey, Secret]]] | None = None

    def mint(self, user_id: str, organization_id: str | None, scopes: tuple[str, ...], *, organization_name: str | None = None, life: timedelta = LIFE) -> Secret:
        """A token for this person. Raises Unavailable if the signing key cannot be opened."""
        import jwt

        now = self._clock()
        key, secret = self._keys()[0]
        claims = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": user_id,
            "org_id": organization_id,
            "org_name": organization_name,
            "permissions": list(scopes),
            "jti": ids.ulid(now),
            "iat": int(now.timestamp()),
            "exp": int((now + min(life, LIFE)).timestamp()),
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        return Secret(jwt.encode(claims, secret.reveal(), algorithm="HS256", headers={"kid": key.id}, json_encoder=_Plain))

    def authenticate(self, unverified_header: str | None) -> WidgetToken:
        """The token of an Authorization header. Raises Forbidden, the same for every cause: a widget asks for a new token then."""
        import jwt

        scheme, _, unverified = (unverified_header or "").partition(" ")
        if scheme.lower() != "bearer" or not unverified.isascii() or len(unverified) > 8192:
            raise _refused()
        try:
            key_id = jwt.get_unverified_header(unverified).get("kid")
            claims = self._verified(unverified, str(key_id))
        except jwt.PyJWTError:
            raise _refused() from None
        return WidgetToken(claims["sub"], claims.get("org_id"), claims.get("org_name"), tuple(claims["permissions"]))

    def rotate(self) -> str:
        """A new key signs from now on; the one before verifies until its last token has ended. Returns the new key's id."""
        now = self._clock()
        fresh = self._fresh(now)
        self._rows.replace(lambda kept: _living([fresh, *kept], now))
        self._known = None
        return fresh.id

    def _verified(self, unverified: str, key_id: str) -> dict[str, Any]:
        import jwt

        secret = next((secret for key, secret in self._keys() if key.id == key_id), None)
        if secret is None:
            self._known = None  # a key that was made elsewhere a moment ago
            secret = next((secret for key, secret in self._keys() if key.id == key_id), None)
        if secret is None:
            raise jwt.InvalidKeyError
        now = self._clock()
        claims: dict[str, Any] = jwt.decode(
            unverified, secret.reveal(), algorithms=["HS256"], audience=AUDIENCE, issuer=self._issuer, options={"require": ["exp", "iat", "sub"], "verify_exp": False, "verify_iat": False}
        )
        # By the stage's clock, which is an argument here.
        if datetime.fromtimestamp(claims["exp"], UTC) <= now or not isinstance(claims.get("permissions"), list) or not isinstance(claims["sub"], str):
            raise jwt.ExpiredSignatureError
        return claims

    def _keys(self) -> list[tuple[WidgetKey, Secret]]:
        """Newest first; those that are over are left out."""
        if self._known is None or self._monotonic() - self._known[0] > REMEMBERED_FOR:
            now = self._clock()
            rows = self._rows.all() or self._rows.first(self._fresh(now))
            self._known = (self._monotonic(), [(key, Secret(self._sealer.open(key.sealed, key_facts(key.id))["key"])) for key in _living(rows, now)])
        return self._known[1]

    def _fresh(self, now: datetime) -> WidgetKey:
        key_id = f"widget_key_{ids.ulid(now)}"
        return WidgetKey(id=key_id, sealed=self._sealer.seal({"key": ids.random_token()}, key_facts(key_id)), created_at=now)


def _living(keys: list[WidgetKey], now: datetime) -> list[WidgetKey]:
    """The newest, and those that were replaced so lately that a token of theirs may still live."""
    return [key for index, key in enumerate(keys) if index == 0 or keys[index - 1].created_at + OVERLAP > now]


def check_scopes(scopes: list[str]) -> tuple[str, ...]:
    """Raises Unprocessable for a scope WorkOS has not."""
    if unknown := [scope for scope in scopes if scope not in SCOPES]:
        raise Unprocessable(f"There is no widget scope '{unknown[0][:64]}'. Pipes knows {MANAGE}.", "invalid_scope", errors=[{"field": "scopes", "code": "invalid"}])
    return tuple(dict.fromkeys(scopes))


def key_facts(key_id: str) -> Facts:
    """What a signing key is sealed for."""
    return Facts(key_id, "widget_key")


def _refused() -> Forbidden:
    return Forbidden("No valid widget token: get one from your own backend, which asks POST /widgets/token.", "invalid_widget_token")
