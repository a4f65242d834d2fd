"""API keys of an application's backend: 256 random bits, shown once, stored as SHA-256, looked up by key id, revocable."""

from collections.abc import Callable
from datetime import datetime, timedelta

from chalicelib.domain import ids
from chalicelib.domain.errors import Unauthorized, Unavailable
from chalicelib.domain.models import ApiKey
from chalicelib.doors.store import Store
from chalicelib.doors.table import LostRace

PREFIX = "sk_"
REMEMBERED_FOR = 30.0  # seconds a verified key is not looked up again: also how long a revoked key may still work
REMEMBERED = 256
NOTED_EVERY = timedelta(days=1)  # that a key is used is written no more often: a fetch is one read, and stays one
NOT_NOTED_FOR = 3600.0  # seconds without a further try in this process, when a note was not taken: a table that takes no writes must not slow down what only reads


class ApiKeys:
    """Verifies keys; remembers good ones for a short while, because a fetch would otherwise read the table twice."""

    def __init__(self, store: Store, clock: Callable[[], datetime], monotonic: Callable[[], float]) -> None:
        self._store, self._clock, self._monotonic = store, clock, monotonic
        self._known: dict[str, tuple[float, ApiKey]] = {}
        self._noting_again_at = 0.0

    def create(self, name: str, organization_id: str | None = None, *, actor: str = "operator") -> tuple[ApiKey, str]:
        """The key's record and the key itself, which is not kept. `organization_id`: the only one it reaches."""
        now = self._clock()
        key_id, secret = ids.ulid(now), ids.random_token()
        record = ApiKey(id=key_id, name=name, secret_digest=ids.digest(secret), created_at=now, organization_id=organization_id)
        self._store.save_api_key(record)
        self._store.audit(now, actor, "api_key.created", {"id": key_id, "name": name, "organization": organization_id})
        return record, f"{PREFIX}{key_id}_{secret}"

    def revoke(self, key_id: str, *, actor: str = "operator") -> bool:
        self._known.clear()
        now = self._clock()
        done = self._store.revoke_api_key(key_id, now)
        if done:
            self._store.audit(now, actor, "api_key.revoked", {"id": key_id})
        return done

    def authenticate(self, unverified_header: str | None) -> ApiKey:
        """The key of an Authorization header. Raises Unauthorized, the same for every cause."""
        scheme, _, unverified_key = (unverified_header or "").partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthorized
        fingerprint = ids.digest(unverified_key)
        known = self._known.get(fingerprint)
        if known is not None and self._monotonic() - known[0] < REMEMBERED_FOR:
            return known[1]
        key_id, _, unverified_secret = unverified_key.strip().removeprefix(PREFIX).partition("_")
        if not unverified_key.startswith(PREFIX) or len(key_id) != 26 or len(unverified_secret) != 43 or not unverified_key.isascii():
            raise Unauthorized
        record = self._store.api_key(key_id)
        good = ids.matches(unverified_secret, record.secret_digest if record else ids.digest(""))
        if record is None or not good or record.revoked_at is not None:
            raise Unauthorized
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[fingerprint] = (self._monotonic(), record)
        self._note_use(record)
        return record

    def _note_use(self, record: ApiKey) -> None:
        """For whoever wonders whether a key may go. A note that is not taken is taken another time: no call fails for it."""
        now = self._clock()
        if self._monotonic() < self._noting_again_at or (record.last_used_at is not None and now - record.last_used_at < NOTED_EVERY):
            return
        try:
            self._store.note_api_key_used(record.id, now)
        except LostRace:
            pass  # gone since it was read
        except Unavailable:
            self._noting_again_at = self._monotonic() + NOT_NOTED_FOR
