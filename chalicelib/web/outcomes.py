"""What each end of a connect flow says to the person in front of it: what happened, and what to do. Plain words, one table.

Rule: only what is true wherever it is shown. After `unavailable` and `ended` a connection may be there.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from chalicelib.doors import journal


@dataclass(frozen=True)
class Shown:
    tone: Literal["good", "neutral", "bad"]
    status: int
    title: str
    text: str
    todo: str


OUTCOMES = {
    "connected": Shown("good", 200, "{provider} is connected", "{app} can now use your {provider} account.", "You can close this window and go back to {app}."),
    "declined": Shown("neutral", 200, "You declined", "{provider} was told no, so nothing was connected. What was connected before is untouched.", "If that was a mistake, go back to {app} and click Connect again."),
    "link_used": Shown("neutral", 400, "This link was already used", "A connect link works once, in the browser that opened it first.", "Go back to {app} and click Connect again."),
    "link_expired": Shown("neutral", 400, "This link has expired", "A connect link is good for ten minutes. Nothing was connected.", "Go back to {app} and click Connect again."),
    "link_unknown": Shown("neutral", 400, "This link does not work", "It is incomplete, too old, or was not made here.", "Go back to {app} and click Connect again."),
    "invalid_response": Shown("bad", 400, "That answer cannot be used", "The answer of the other site is incomplete or was changed on its way. Nothing was connected.", "Go back to {app} and click Connect again."),
    "wrong_browser": Shown("bad", 400, "Please stay in one browser", "This was started in another browser, or your browser did not keep the cookie it was given. To protect your account, nothing was connected.", "Go back to {app} in this browser and click Connect again. Cookies of this site must be allowed."),
    "wrong_issuer": Shown("bad", 400, "The answer came from somewhere else", "It does not name {provider} as its sender. Nothing was connected.", "Go back to {app} and click Connect again. If this happens twice, tell {app}."),
    "wrong_registration": Shown("bad", 400, "The answer came to the wrong address", "It belongs to another provider. Nothing was connected.", "Go back to {app} and click Connect again. If this happens twice, tell {app}."),
    "configuration_changed": Shown("neutral", 409, "Something changed meanwhile", "{app} changed its settings for {provider} while you were connecting. Nothing was connected.", "Go back to {app} and click Connect again."),
    "provider_error": Shown("bad", 502, "{provider} reported a problem", "It did not let you through, so nothing was connected.", "Wait a minute, go back to {app} and click Connect again. If this happens twice, tell {app} what is written below."),
    "exchange_failed": Shown("bad", 502, "{provider} did not finish", "You allowed it, but then {provider} did not answer as it should. What was connected before is untouched.", "Wait a minute, go back to {app} and click Connect again."),
    "other_account": Shown("neutral", 409, "That is another {provider} account", "You signed in as {other}, but what {app} uses is {held_by}. Nothing was changed.", "Sign in to {provider} as {held_by} and click Connect again in {app}. To use {other} instead, disconnect {held_by} there first."),
    "try_again": Shown("neutral", 409, "Please try once more", "Your connection was changed from somewhere else at the same moment.", "Go back to {app} and click Connect again."),
    "ended": Shown("neutral", 200, "Go back to {app}", "You are through, but how it ended cannot be shown just now.", "{app} knows whether your account is connected."),
    "unavailable": Shown("bad", 503, "That did not work just now", "Something on our side did not answer, so this could not be finished.", "Wait a minute and go back to {app}. If your account is not connected there, click Connect again."),
}  # fmt: skip


# What may be told without knowing the flow; the other pages are only shown for one that ended so.
GENERAL = frozenset({"ended", "unavailable", "invalid_response", "link_expired", "link_unknown", "link_used", "wrong_browser"})


def journal_flow(now: datetime, outcome: str, **facts: Any) -> None:
    """One line for a flow that ended without a connection."""
    journal.count("connect", now, outcome, **facts)
