"""Who may use the dashboard: whoever holds a one-time link that an operator's AWS credentials minted, for as long as a session lasts.

IAM is the identity; there are no passwords. A link is good for five minutes and once, a session for eight hours or until it is revoked.
Both are 256 random bits, kept as hashes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hmac import compare_digest

from chalicelib.domain import ids
from chalicelib.domain.errors import StandpipeError
from chalicelib.doors import journal
from chalicelib.doors.dashboard_rows import REFUSALS_WINDOW, DashboardRows, Link, Role, Session
from chalicelib.doors.store import Store

LINK_TTL = timedelta(minutes=5)
SESSION_TTL = timedelta(hours=8)
MAX_REFUSALS = 10  # of one address in five minutes; a link cannot be guessed, so this is for the log's and the table's sake
LINK_LENGTH = 43


class SignedOut(StandpipeError):
    status, code = 401, "signed_out"

    def __init__(self) -> None:
        super().__init__("You are signed out. Make a new link with 'python -m ops dashboard'.")


class LinkRefused(StandpipeError):
    """The same for a link that is unknown, used or expired."""

    status, code = 403, "link_refused"

    def __init__(self) -> None:
        super().__init__("This link was used already, or is older than five minutes. Make a new one with 'python -m ops dashboard'.")


class TooManyAttempts(StandpipeError):
    status, code = 429, "too_many_attempts"

    def __init__(self) -> None:
        super().__init__("Too many links were refused from your address. Wait five minutes, then open a fresh one.")
        self.retry_after = int(REFUSALS_WINDOW.total_seconds())


@dataclass(frozen=True)
class Visitor:
    """A signed-in administrator. `csrf` goes with every change, in a header that no other site can set."""

    session: Session
    csrf: str = field(repr=False)

    @property
    def actor(self) -> str:
        return self.session.actor


class SignIn:
    def __init__(self, rows: DashboardRows, store: Store, clock: Callable[[], datetime]) -> None:
        self._rows, self._store, self._clock = rows, store, clock

    def mint(self, actor: str, role: Role) -> str:
        """The token of a new link, which is not kept."""
        now, token = self._clock(), ids.random_token()
        self._rows.save_link(ids.digest(token), Link(actor=actor, role=role, created_at=now, expires_at=now + LINK_TTL))
        self._store.audit(now, actor, "dashboard.link_created", {"role": role})
        return token

    def exchange(self, unverified_token: str, address: str) -> tuple[Session, str]:
        """A link's token for a session, and what its cookie holds. Raises LinkRefused or TooManyAttempts."""
        now = self._clock()
        if self._rows.refusals(address, now) >= MAX_REFUSALS:
            raise TooManyAttempts
        link = self._rows.spend_link(unverified_token, now) if len(unverified_token) == LINK_LENGTH and unverified_token.isascii() else None
        if link is None:
            self._rows.note_refusal(address, now)
            journal.write("dashboard", outcome="link_refused")
            raise LinkRefused
        cookie = ids.random_token()
        session = Session(id=ids.digest(cookie), actor=link.actor, role=link.role, created_at=now, expires_at=now + SESSION_TTL)
        self._rows.save_session(session)
        self._store.audit(now, link.actor, "dashboard.signed_in", {"role": link.role})
        journal.write("dashboard", outcome="signed_in", actor=link.actor)
        return session, cookie

    def visitor(self, unverified_cookie: str | None) -> Visitor:
        """Raises SignedOut."""
        session = self._rows.session(unverified_cookie, self._clock()) if unverified_cookie and len(unverified_cookie) == LINK_LENGTH else None
        if session is None:
            raise SignedOut
        return Visitor(session, _csrf(unverified_cookie or ""))

    def is_csrf(self, visitor: Visitor, unverified: str) -> bool:
        return compare_digest(visitor.csrf.encode(), unverified.encode())

    def sign_out(self, visitor: Visitor) -> None:
        self._rows.end_session(visitor.session.id)
        self._store.audit(self._clock(), visitor.actor, "dashboard.signed_out", {})

    def revoke_all(self, actor: str) -> int:
        """Ends every session of the stage at once; how many."""
        ended = self._rows.end_all()
        self._store.audit(self._clock(), actor, "dashboard.sessions_revoked", {"sessions": ended})
        return ended


def _csrf(cookie: str) -> str:
    return ids.digest(f"dashboard csrf:{cookie}")
