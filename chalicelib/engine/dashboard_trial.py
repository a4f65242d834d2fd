"""A provider put to the test: a throwaway connection is made, refreshed and revoked, and each step says what came of it.

The connection belongs to a user of its own (`TESTER`), one for each provider; beginning again ends what an earlier trial left behind.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from chalicelib.domain.errors import Conflict, NotFound
from chalicelib.domain.models import Connection, Owner
from chalicelib.doors.dashboard_rows import DashboardRows
from chalicelib.doors.store import Store
from chalicelib.engine.begin import Wanted
from chalicelib.engine.circuits import Circuits
from chalicelib.engine.connect import Connect
from chalicelib.engine.disconnect import Disconnect
from chalicelib.engine.refresh import Refresher

TESTER = Owner(user_id="standpipe-trial")
Verdict = Literal["waiting", "passed", "failed", "skipped"]
Step = dict[str, Any]  # name, verdict, text, and milliseconds where something was asked
STEPS = ("connect", "refresh", "revoke")
REFRESHED = ("success_fresh", "success_waited", "success_retry_after_lost", "success_rescued")
# How a flow ends, by what the outcome page calls it, for the administrator who tries it.
ENDED = {
    "declined": "Consent was declined at the provider.",
    "wrong_browser": "It was finished in another browser than it was begun in.",
    "link_expired": "The link was older than ten minutes.",
}


class Trial:
    def __init__(
        self,
        rows: DashboardRows,
        store: Store,
        connect: Callable[[], Connect],
        refresher: Callable[[], Refresher],
        circuits: Callable[[], Circuits],
        disconnect: Callable[[], Disconnect],
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._rows, self._store, self._connect, self._refresher, self._circuits, self._disconnect = rows, store, connect, refresher, circuits, disconnect
        self._clock, self._monotonic = clock, monotonic

    def begin(self, slug: str, config: dict[str, str], seconds_left: Callable[[], float]) -> str:
        """The link to open. The provider need not be enabled: a trial comes before people may connect it. Raises NotFound, Conflict or Unprocessable: the provider is not ready to be tried."""
        left_behind = self._store.connection(TESTER, slug)
        if left_behind is not None and left_behind.state != "disconnected":
            self._disconnect().disconnect(TESTER, slug, seconds_left=seconds_left)
        begun = self._connect().begin(TESTER, slug, Wanted(config=config, display_name="Trial", user_display_name="A trial from the dashboard", trial=True))
        now = self._clock()
        self._rows.save_trial(slug, {"began_at": now, "pending": begun.state.split(".")[0], "steps": [_step("connect", "waiting", "Allow it at the provider, in the window that opened.")]}, now)
        return begun.url

    def steps(self, slug: str) -> list[Step]:
        """How far the last trial got; nothing if there was none."""
        trial = self._rows.trial(slug)
        if trial is None:
            return []
        steps: list[Step] = trial["steps"]
        if steps[0]["verdict"] != "waiting":
            return steps
        connection = self._store.connection(TESTER, slug)
        if connection is not None and connection.state != "disconnected" and connection.connected_at is not None and connection.connected_at >= datetime.fromisoformat(trial["began_at"]):
            return self._keep(slug, trial, [_connected(connection)])
        pending = self._store.pending(trial["pending"])
        if pending is None or pending.expires_at <= self._clock():
            return self._keep(slug, trial, [_step("connect", "failed", "Nobody finished it within ten minutes.")])
        if pending.outcome is not None and pending.outcome.get("kind") != "connected":
            kind, detail = pending.outcome.get("kind", ""), pending.outcome.get("detail", "")
            text = ENDED.get(kind, f"The provider's answer could not be used ({kind.replace('_', ' ')}).")
            return self._keep(slug, trial, [_step("connect", "failed", f"{text} {detail}".strip())])
        return steps

    def refresh(self, slug: str, seconds_left: Callable[[], float]) -> list[Step]:
        """Raises Conflict out of turn."""
        trial, steps, connection = self._turn(slug, "refresh")
        if not connection.refreshable:
            text = "The provider gave no refresh token. " + ("The access token does not expire." if connection.expires_at is None else "When the access token ends, the person has to connect again.")
            return self._keep(slug, trial, [*steps, _step("refresh", "skipped", text)])
        started = self._monotonic()
        outcome = self._refresher().refresh(connection, lambda newer: newer.generation != connection.generation, seconds_left=seconds_left, patience=3)
        self._circuits().note(slug, connection.registration_id, outcome.tally)
        good = outcome.bucket in REFRESHED
        said = f" The provider says: {outcome.error.provider_code or outcome.error.detail}." if outcome.error else ""
        text = "The refresh token was accepted and new tokens are stored." if good else f"No new tokens came ({outcome.bucket.replace('_', ' ')}).{said}"
        return self._keep(slug, trial, [*steps, _step("refresh", "passed" if good else "failed", text, self._since(started))])

    def revoke(self, slug: str, seconds_left: Callable[[], float]) -> list[Step]:
        """Ends the throwaway connection, at the provider and here. Raises Conflict out of turn."""
        trial, steps, _ = self._turn(slug, "revoke")
        started = self._monotonic()
        revoked = self._disconnect().disconnect(TESTER, slug, seconds_left=seconds_left)
        told: dict[str, tuple[Verdict, str]] = {
            "revoked": ("passed", "The provider ended the grant, and the tokens are forgotten here."),
            "unsupported": ("skipped", "The provider offers no way to end a grant. The tokens are forgotten here."),
            "failed": ("failed", "The provider did not end the grant; it is tried again for days. The tokens are forgotten here."),
        }
        verdict, text = told.get(revoked, ("skipped", "The tokens are forgotten here."))
        return self._keep(slug, trial, [*steps, _step("revoke", verdict, text, self._since(started))])

    def _turn(self, slug: str, step: str) -> tuple[dict[str, Any], list[Step], Connection]:
        trial, steps = self._rows.trial(slug), self.steps(slug)
        connection = self._store.connection(TESTER, slug)
        if trial is None or connection is None:
            raise NotFound("There is no such trial. Begin one.", "trial_not_found")
        if steps[0]["verdict"] != "passed" or len(steps) != STEPS.index(step):
            raise Conflict("It is not this step's turn.", "trial_out_of_turn")
        return trial, steps, connection

    def _keep(self, slug: str, trial: dict[str, Any], steps: list[Step]) -> list[Step]:
        self._rows.save_trial(slug, {"began_at": trial["began_at"], "pending": trial["pending"], "steps": steps}, self._clock())
        return steps

    def _since(self, started: float) -> int:
        return round((self._monotonic() - started) * 1000)


def _step(name: str, verdict: Verdict, text: str, milliseconds: int | None = None) -> Step:
    return {"name": name, "verdict": verdict, "text": text, **({"milliseconds": milliseconds} if milliseconds is not None else {})}


def _connected(connection: Connection) -> Step:
    who = f" as {connection.external_name}" if connection.external_name else ""
    missing = connection.missing_scopes()
    scopes = f" Not granted: {', '.join(missing)}." if missing else " Every scope that was asked for was granted." if connection.scopes_requested else ""
    ends = " The access token expires and can be refreshed." if connection.refreshable else " It came without a refresh token."
    return _step("connect", "passed", f"Connected{who}.{scopes}{ends}")
