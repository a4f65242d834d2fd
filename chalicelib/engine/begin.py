"""How a connect flow begins: everything that decides where a code may go, and whose connection it becomes, is frozen here."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chalicelib.domain import ids
from chalicelib.domain.errors import InvalidRequest, Unprocessable
from chalicelib.domain.models import Owner, Pending
from chalicelib.domain.settings import PENDING_TTL, Settings
from chalicelib.doors import journal
from chalicelib.doors.crypto import Facts, Sealer
from chalicelib.doors.store import Store
from chalicelib.engine import accounts
from chalicelib.engine.registrations import Registrations, require_enabled, require_method

PENDING_FIELD, CODE_FIELD = "pending", "code"
Intent = Literal["add", "reauthorize"]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the application or the widget asks for, beside whose connection and at which provider."""

    return_to: str | None = None
    challenge: str | None = None
    config: dict[str, str] | None = None
    display_name: str | None = None
    user_display_name: str | None = None
    acting_user_id: str | None = None
    intent: Intent | None = None
    connection_id: str | None = None
    handoff: bool = False
    """The widget in the opener vouches for the person, by messages from `opener_origin`."""
    opener_origin: str | None = None
    trial: bool = False
    """An administrator tries the provider, which therefore need not be enabled yet."""


@dataclass(frozen=True)
class Begun:
    """Answer to `begin`: a link for one browser, good for ten minutes, the state the application may compare, and the opener's secret of a handoff."""

    url: str
    state: str
    finish_required: bool
    handoff_token: str | None = None


class Beginning:
    def __init__(self, store: Store, sealer: Sealer, registrations: Registrations, settings: Settings, clock: Callable[[], datetime]) -> None:
        self._store, self._sealer, self._registrations, self._settings, self._clock = store, sealer, registrations, settings, clock

    def begin(self, owner: Owner, slug: str, wanted: Wanted | None = None) -> Begun:
        """Freezes a flow for one owner. Raises NotFound, Unprocessable or Conflict; then nothing is kept."""
        wanted = wanted or Wanted()
        registration = self._registrations.for_owner(slug, owner)
        if not wanted.trial:
            require_enabled(registration)
        require_method(registration, "oauth")
        self._check(wanted)
        now = self._clock()
        account, existing = accounts.place_for(self._store, owner, slug, wanted.connection_id, add=wanted.intent == "add", now=now)
        existing = existing if existing and existing.state != "disconnected" else None
        given = wanted.config or {}
        self._registrations.check_config(registration, given)
        # Kept with the connection, so that what an organization changes later leads no grant elsewhere.
        config = {**(existing.config if existing else {}), **(registration.config if registration.organization_id else {}), **given}
        effective = self._registrations.effective(registration, config)
        pending_id = ids.random_token()
        handle, state = (f"{pending_id}.{ids.random_token()}" for _ in range(2))
        handoff_token = ids.random_token() if wanted.handoff else None
        sealed = self._sealer.seal({"state": state, "code_verifier": ids.random_token()}, pending_facts(pending_id, PENDING_FIELD, owner))
        self._store.begin(
            Pending(
                id=pending_id, handle_digest=ids.digest(handle), state_digest=ids.digest(state), sealed=sealed, user_id=owner.user_id, organization_id=owner.organization_id,
                slug=slug, account=account, registration_id=registration.id, authority=effective.authority, fingerprint=effective.fingerprint, user_display_name=wanted.user_display_name,
                scopes=registration.scopes if registration.scopes is not None else tuple(effective.provider.default_scopes()), config=config,
                return_to=wanted.return_to, code_challenge=wanted.challenge, display_name=wanted.display_name, connection_id=existing.id if existing else None,
                acting_user_id=wanted.acting_user_id, handoff_digest=ids.digest(handoff_token) if handoff_token else None, opener_origin=wanted.opener_origin,
                created_at=now, expires_at=now + PENDING_TTL, ttl=int((now + PENDING_TTL).timestamp()),
            )
        )  # fmt: skip
        journal.write(
            "connect_begun", provider=slug, user=owner.user_id or wanted.acting_user_id, organization=owner.organization_id, session_bound=wanted.challenge is not None, handoff=wanted.handoff
        )
        return Begun(f"{self._settings.url}/connect/{handle}", state, wanted.challenge is not None, handoff_token)

    def _check(self, wanted: Wanted) -> None:
        if wanted.return_to is not None and wanted.return_to not in self._settings.return_urls:
            raise InvalidRequest(
                "'return_to' is not one of the registered return URLs (STANDPIPE_RETURN_URLS); the whole URL has to match.",
                "invalid_return_to" if wanted.challenge is None else "return_to_requires_exact_match",
                errors=[{"field": "return_to", "code": "not_allowed"}],
            )
        if wanted.challenge is not None and wanted.return_to is None:
            raise Unprocessable("A session-bound flow ('code_challenge') ends at your application: give 'return_to'.", "return_to_required", errors=[{"field": "return_to", "code": "required"}])
        if wanted.challenge is None and not wanted.handoff and self._settings.require_proof:
            raise Unprocessable(
                "This stage wants proof of who finishes (STANDPIPE_REQUIRE_PROOF): send 'code_challenge' and finish with POST /data-integrations/finish.",
                "proof_required",
                errors=[{"field": "code_challenge", "code": "required"}],
            )


def pending_facts(pending_id: str, field: str, owner: Owner) -> Facts:
    """What the secrets of a flow are sealed for."""
    return Facts(ids.digest(pending_id), field, 0, owner)
