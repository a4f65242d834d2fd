"""What may go wrong in one action: at the provider, on the way to AWS, and with the process itself. Small values, so that a run can be printed and repeated."""

from dataclasses import dataclass
from typing import Literal

from tests.peers import faults
from tests.peers.faults import Fault

WRITES = frozenset({"UpdateItem", "PutItem", "DeleteItem", "TransactWriteItems"})
ANSWER = "answer"  # what a process is told by a provider counts as a call too

# What the provider, or the way to it, does to one request.
AT_PROVIDER: dict[str, Fault] = {
    "fine": faults.ok(),
    "lost": faults.lose_answer(),
    "truncated": faults.truncate(),
    "dropped": faults.drop_request(),
    "503": faults.status(503),
    "502 after the fact": faults.status(502, forward=True),
    "429 for a minute": faults.status(429, headers={"Retry-After": "60"}),
    "429 until a date": faults.status(429, headers={"Retry-After": "Wed, 21 Oct 2065 07:28:00 GMT"}),
    "429 with junk": faults.status(429, headers={"Retry-After": "soon"}),
    "later": faults.status(400, {"error": "temporarily_unavailable"}),
    "a page": faults.not_json(),
}


@dataclass(frozen=True)
class Break:
    """At the `number`-th matching call of an action, and with `onwards` at all that follow: its caller is told nothing, or is killed.

    `before` the call was made, or `after` it was done. `since_answer`: only calls after a provider's answer came count.
    """

    what: Literal["unreachable", "killed"]
    when: Literal["before", "after"]
    calls: frozenset[str]
    """Operations, or whole services."""
    number: int = 1
    onwards: bool = False
    since_answer: bool = False


@dataclass(frozen=True)
class Trouble:
    """`provider`: for its next token requests, in order; `revocation`: for its next revocations; `breaks`: keys of BREAKS."""

    provider: tuple[str, ...] = ()
    revocation: tuple[str, ...] = ()
    breaks: tuple[str, ...] = ()


CALM = Trouble()


def _table(what: Literal["unreachable", "killed"], when: Literal["before", "after"], number: int, **more: bool) -> Break:
    return Break(what, when, WRITES, number, **more)


BREAKS: dict[str, Break] = {
    **{f"{what} {when} write {number}": _table(what, when, number) for what in ("unreachable", "killed") for when in ("before", "after") for number in (1, 2, 3)},  # type: ignore[arg-type]
    **{f"{what} {when} the first write after the answer": _table(what, when, 1, since_answer=True) for what in ("unreachable", "killed") for when in ("before", "after")},  # type: ignore[arg-type]
    "killed before asking": Break("killed", "before", frozenset({ANSWER})),
    "killed after asking": Break("killed", "after", frozenset({ANSWER})),
    "killed before publishing": Break("killed", "before", frozenset({"Publish"})),
    "killed after publishing": Break("killed", "after", frozenset({"Publish"})),
    "publishing answered to nobody": Break("unreachable", "after", frozenset({"Publish"})),
    "killed after queueing": Break("killed", "after", frozenset({"SendMessageBatch"})),
    "table down": Break("unreachable", "before", frozenset({"dynamodb"}), onwards=True),
    "table down after the answer": Break("unreachable", "before", frozenset({"dynamodb"}), onwards=True, since_answer=True),
    "table takes no writes after the answer": _table("unreachable", "before", 1, onwards=True, since_answer=True),
    "queues down": Break("unreachable", "before", frozenset({"sqs"}), onwards=True),
    "queues down after the answer": Break("unreachable", "before", frozenset({"sqs"}), onwards=True, since_answer=True),
    "keys down": Break("unreachable", "before", frozenset({"kms"}), onwards=True),
    "keys down after the answer": Break("unreachable", "before", frozenset({"kms"}), onwards=True, since_answer=True),
}
TABLE_AND_QUEUES = ("table down after the answer", "queues down after the answer")


def excuses(fired: frozenset[str]) -> bool:
    """Whether what happened to a process may have kept it from storing what it got: it died, or neither table nor queue was there."""
    return any("killed" in name for name in fired) or (any("table" in name or "write" in name for name in fired) and any("queue" in name for name in fired))
