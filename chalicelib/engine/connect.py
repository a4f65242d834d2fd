"""The connect trip: begin, the browser's hop out, the redirect back, finish. Verify before exchange, always.

A pending authorization moves through its stages by conditional writes, each of which only one request can win:
started -> opened (first browser) -> redirected -> taken (the redirect back) [-> parked -> finished]. Everything that decides
where a code may go was frozen at `begin`; a link alone connects nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import Any

from chalicelib.domain import ids
from chalicelib.domain.errors import Conflict, Forbidden, InvalidRequest, NotFound, Unprocessable
from chalicelib.domain.models import Connection, Owner, Pending
from chalicelib.domain.settings import PARKED_CODE_TTL, Settings
from chalicelib.doors import journal
from chalicelib.doors.crypto import Sealer
from chalicelib.doors.grants import Grants
from chalicelib.doors.oauth import OAuth, code_challenge
from chalicelib.doors.store import Store
from chalicelib.doors.table import LostRace
from chalicelib.engine.authorization_response import AuthorizationResponse, FlowError, validate
from chalicelib.engine.begin import CODE_FIELD, PENDING_FIELD, Beginning, pending_facts
from chalicelib.engine.commits import Commits
from chalicelib.engine.effective import Effective
from chalicelib.engine.exchange import Exchange
from chalicelib.engine.failed_flows import FailedFlows
from chalicelib.engine.registrations import Registrations

NO_CODE = "There is no such connect code, or it is older than 90 seconds. Start again with POST …/authorize."
PENDING_ID_LENGTH = 43  # of ids.random_token


@dataclass(frozen=True)
class Opened:
    """What the browser's first hop found. `redirect_to` is set where no confirmation is wanted; `browser` is the value of its cookie."""

    pending: Pending
    browser: str
    effective: Effective
    redirect_to: str | None = None


@dataclass(frozen=True)
class Returned:
    """How the redirect back ended: connected, or parked for the application's `finish` with a connect code."""

    pending: Pending
    connection: Connection | None = None
    connect_code: str | None = None


class Connect:
    def __init__(
        self,
        store: Store,
        grants: Grants,
        sealer: Sealer,
        oauth: OAuth,
        registrations: Registrations,
        settings: Settings,
        commits: Commits,
        failed_flows: FailedFlows,
        clock: Callable[[], datetime],
    ) -> None:
        self._store, self._sealer, self._oauth, self._registrations = store, sealer, oauth, registrations
        self._settings, self._failed_flows, self._clock = settings, failed_flows, clock
        self._exchanges = Exchange(store, grants, sealer, oauth, commits, settings.idle_after, clock)
        self.begin = Beginning(store, sealer, registrations, settings, clock).begin

    def open(self, unverified_handle: str, unverified_browser: str | None) -> Opened:
        """The browser opens the link. The first one to do so is bound to it; any other is refused. Raises FlowError."""
        pending = self._find(unverified_handle, "handle")
        if pending.stage == "opened" and unverified_browser and pending.browser_digest and ids.matches(unverified_browser, pending.browser_digest):
            browser = unverified_browser  # the same person reloads the confirmation page
        elif pending.stage != "started":
            raise FlowError("link_used", pending)
        else:
            browser = ids.random_token()
            pending = self._advance(pending, "opened", "link_used", browser_digest=ids.digest(browser))
        effective = self._effective(pending)
        if pending.code_challenge is not None:
            return Opened(pending, browser, effective, self._depart(pending, effective))
        return Opened(pending, browser, effective)

    def hand_off(self, unverified_handle: str, unverified_browser: str | None, unverified_token: str) -> str:
        """The widget in the opener vouches for the person: it showed its secret to the page in this browser. Returns the provider's URL. Raises FlowError."""
        pending = self._find(unverified_handle, "handle")
        self._same_browser(pending, unverified_browser)
        if pending.handoff_digest is None or not ids.matches(unverified_token, pending.handoff_digest):
            raise FlowError("wrong_browser", pending)
        if pending.stage != "opened":
            raise FlowError("link_used", pending)
        return self._depart(pending, self._effective(pending))

    def confirm(self, unverified_handle: str, unverified_browser: str | None) -> str:
        """The person said yes on the confirmation page, in the browser that opened it. Returns the provider's URL. Raises FlowError."""
        pending = self._find(unverified_handle, "handle")
        self._same_browser(pending, unverified_browser)
        if pending.handoff_digest is not None:
            raise FlowError("wrong_browser", pending)  # this one is the opener's to vouch for
        if pending.stage != "opened":
            raise FlowError("link_used", pending)
        return self._depart(pending, self._effective(pending))

    def callback(self, unverified_registration_id: str, unverified_query: dict[str, list[str]], cookie_of: Callable[[Pending], str | None]) -> Returned:
        """The redirect back. Takes the pending authorization before anything else; exchanges only what is proved. Raises FlowError, of which the product hears."""
        with self._failed_flows.told():
            return self._callback(unverified_registration_id, unverified_query, cookie_of)

    def _callback(self, unverified_registration_id: str, unverified_query: dict[str, list[str]], cookie_of: Callable[[Pending], str | None]) -> Returned:
        state = unverified_query.get("state", [])
        if len(state) != 1 or len(state[0]) > 512:
            raise FlowError("invalid_response")
        pending = self._find(state[0], "state")
        if pending.stage != "redirected":
            raise FlowError("link_used", pending)
        pending = self._advance(pending, "taken", "link_used")
        effective = self._effective(pending)
        response = validate(
            unverified_query, provider=effective.provider, pending=pending,
            same_browser=self._is_same_browser(pending, cookie_of(pending)), same_registration=unverified_registration_id == pending.registration_id,
        )  # fmt: skip
        if pending.return_to is not None and pending.return_to not in self._settings.return_urls:
            raise FlowError("configuration_changed", pending)
        if pending.code_challenge is None:
            kept = self._sealer.open(pending.sealed, pending_facts(pending.id, PENDING_FIELD, pending.owner))
            return Returned(pending, self._exchange(pending, effective, response.code, kept["code_verifier"]))
        return self._park(pending, response)

    def finish(self, unverified_connect_code: str, code_verifier: str, *, state: str | None = None, user_id: str | None = None, organization_id: str | None = None) -> Connection:
        """The application vouches for the person in front of it: only now is the code exchanged. `organization_id`: the only one the caller reaches.

        Raises InvalidRequest, Forbidden or FlowError.
        """
        pending = self._store.pending(unverified_connect_code.split(".")[0])
        if pending is None or pending.connect_code_digest is None or not ids.matches(unverified_connect_code, pending.connect_code_digest) or pending.expires_at <= self._clock():
            raise InvalidRequest(NO_CODE, "invalid_connect_code")
        if organization_id not in (None, pending.organization_id):
            raise InvalidRequest(NO_CODE, "invalid_connect_code")
        vouched = self._is_vouched(pending, code_verifier, state, user_id)
        if pending.stage == "finished" and vouched and (connection := self._made_by(pending)):
            return connection  # the same request once more, because its answer was lost
        if pending.stage != "parked":
            raise InvalidRequest("This connect code was used. Start again with POST …/authorize.", "invalid_connect_code")
        # Opened first: a key service that is down must not cost the person their consent.
        code = self._sealer.open(pending.sealed, pending_facts(pending.id, CODE_FIELD, pending.owner))
        try:
            pending = self._store.advance(pending, "finished")
        except LostRace:
            raise InvalidRequest("This connect code was used. Start again with POST …/authorize.", "invalid_connect_code") from None
        # From here on the code is burned, whatever comes: a wrong guess is not repeated.
        if not vouched:
            self._journal(pending, "binding_failed")
            raise Forbidden("The person who finished is not the one who started: the code_verifier, state or user does not fit. Nothing was connected.", "connection_could_not_be_verified")
        with self._failed_flows.told():
            return self._exchange(pending, self._effective(pending), code["code"], code["code_verifier"])

    def conclude(self, pending: Pending, outcome: dict[str, str]) -> None:
        """Keeps what the outcome page will say."""
        self._store.conclude(pending, outcome)

    def outcome(self, unverified_pending_id: str, cookie_of: Callable[[Pending], str | None]) -> Pending | None:
        """A concluded flow, for the browser it was bound to and nobody else."""
        pending = self._store.pending(unverified_pending_id) if len(unverified_pending_id) == PENDING_ID_LENGTH else None
        if pending is None or pending.outcome is None or pending.expires_at <= self._clock() or not self._is_same_browser(pending, cookie_of(pending)):
            return None
        return pending

    def progress(self, owner: Owner, slug: str, unverified_state: str) -> Pending | None:
        """A flow of this owner by the state it was begun with, as far as it got; None if there is none, or it is over by time."""
        pending = self._store.pending(unverified_state.split(".")[0]) if 40 < len(unverified_state) <= 512 else None
        if pending is None or not ids.matches(unverified_state, pending.state_digest) or (pending.owner, pending.slug) != (owner, slug) or pending.expires_at <= self._clock():
            return None
        return pending

    def _is_vouched(self, pending: Pending, code_verifier: str, state: str | None, user_id: str | None) -> bool:
        """Whether the application's word fits what the flow was begun with: its own verifier, and state and user where it names them."""
        verified = compare_digest(code_challenge(code_verifier).encode(), (pending.code_challenge or "").encode())
        return verified and (state is None or ids.matches(state, pending.state_digest)) and user_id in (None, pending.person)

    def _made_by(self, pending: Pending) -> Connection | None:
        connection = self._store.connection(pending.owner, pending.slug, pending.account)
        made = connection is not None and connection.state == "connected" and connection.connected_at is not None and connection.connected_at >= pending.created_at
        return connection if made else None

    # one step each

    def _depart(self, pending: Pending, effective: Effective) -> str:
        kept = self._sealer.open(pending.sealed, pending_facts(pending.id, PENDING_FIELD, pending.owner))
        self._advance(pending, "redirected", "link_used")
        return self._oauth.authorization_url(effective.provider, effective.client_id, effective.redirect_uri, pending.scopes, kept["state"], kept["code_verifier"])

    def _park(self, pending: Pending, response: AuthorizationResponse) -> Returned:
        kept = self._sealer.open(pending.sealed, pending_facts(pending.id, PENDING_FIELD, pending.owner))
        connect_code = f"{pending.id}.{ids.random_token()}"
        parked = self._sealer.seal({"code": response.code, "code_verifier": kept["code_verifier"]}, pending_facts(pending.id, CODE_FIELD, pending.owner))
        expires_at = self._clock() + PARKED_CODE_TTL
        pending = self._advance(pending, "parked", "link_used", sealed=parked, connect_code_digest=ids.digest(connect_code), expires_at=expires_at, ttl=int(expires_at.timestamp()))
        return Returned(pending, connect_code=connect_code)

    def _exchange(self, pending: Pending, effective: Effective, code: str, code_verifier: str) -> Connection:
        connection = self._exchanges.exchange(pending, effective, code, code_verifier)
        self._journal(pending, "success", connection=connection.id, missing_scopes=connection.missing_scopes())
        return connection

    def _find(self, unverified_value: str, kind: str) -> Pending:
        """The pending authorization of a handle or state. Unknown, tampered and expired look the same from outside."""
        pending = self._store.pending(unverified_value.split(".")[0]) if 40 < len(unverified_value) <= 512 else None
        if pending is None or not ids.matches(unverified_value, getattr(pending, f"{kind}_digest")):
            raise FlowError("link_unknown")
        if pending.expires_at <= self._clock():
            raise FlowError("link_expired", pending)
        return pending

    def _advance(self, pending: Pending, stage: str, otherwise: str, **sets: Any) -> Pending:
        try:
            return self._store.advance(pending, stage, **sets)
        except LostRace:
            raise FlowError(otherwise, pending) from None

    def _effective(self, pending: Pending) -> Effective:
        """The registration as it is now, if it still is what it was when the flow began."""
        try:
            registration = self._registrations.for_owner(pending.slug, pending.owner)
            effective = self._registrations.effective(registration, pending.config, pending.authority)
        except (Conflict, NotFound, Unprocessable):
            raise FlowError("configuration_changed", pending) from None
        if registration.id != pending.registration_id or effective.fingerprint != pending.fingerprint:
            raise FlowError("configuration_changed", pending)
        return effective

    def _is_same_browser(self, pending: Pending, unverified_browser: str | None) -> bool:
        return bool(unverified_browser and pending.browser_digest and ids.matches(unverified_browser, pending.browser_digest))

    def _same_browser(self, pending: Pending, unverified_browser: str | None) -> None:
        if not self._is_same_browser(pending, unverified_browser):
            raise FlowError("wrong_browser", pending)

    def _journal(self, pending: Pending, outcome: str, **facts: Any) -> None:
        journal.count("connect", self._clock(), outcome, provider=pending.slug, user=pending.user_id, organization=pending.organization_id, **facts)
