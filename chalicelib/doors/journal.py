"""The structured log: one line of JSON an occurrence, to standard output, where Lambda collects it. Ids, outcomes and durations; never a secret.

A line with numbers in CloudWatch's embedded metric format is its own metric: one line, one write, no call. Written without the logging
module: a token fetch writes one such line, and a third of its own time would go into a log record.
"""

import json
import sys
from datetime import datetime
from typing import Any

from chalicelib.domain.secret import Secret

NAMESPACE = "Standpipe"
_stage = "unknown"


def of_stage(stage: str) -> None:
    """Which stage this process's metrics are of."""
    global _stage
    _stage = stage


def write(event: str, **facts: Any) -> None:
    """Writes `{"event": …, …}`. A Secret among the facts is a bug and raises TypeError."""
    sys.stdout.write(json.dumps({"event": event, **facts}, separators=(",", ":"), default=_plain) + "\n")


def count(event: str, now: datetime, outcome: str, *, alarm: str | None = None, **facts: Any) -> None:
    """`write`, and one more of `event` with this `outcome` in CloudWatch. What else is in the line is for searching, not a dimension: each would be a metric to pay for.

    `alarm`: a metric of the stage that is one more too, for an alarm to watch whatever the outcome is called.
    """
    directives = [_directive({event: "Count"}, ("stage", "outcome"))]
    if alarm is not None:
        directives.append(_directive({alarm: "Count"}, ("stage",)))
        facts[alarm] = 1
    _write(event, now, directives, {"outcome": outcome, event: 1, **facts})


def measure(event: str, now: datetime, units: dict[str, str], **facts: Any) -> None:
    """`write`, with the facts named in `units` as metrics of the stage."""
    _write(event, now, [_directive(units, ("stage",))], facts)


def _directive(units: dict[str, str], dimensions: tuple[str, ...]) -> dict[str, Any]:
    return {"Namespace": NAMESPACE, "Dimensions": [list(dimensions)], "Metrics": [{"Name": name, "Unit": unit} for name, unit in units.items()]}


def _write(event: str, now: datetime, directives: list[dict[str, Any]], facts: dict[str, Any]) -> None:
    write(event, stage=_stage, **facts, _aws={"Timestamp": int(now.timestamp() * 1000), "CloudWatchMetrics": directives})


def _plain(value: Any) -> Any:
    if isinstance(value, Secret):
        raise TypeError("a Secret does not go into the journal")
    return str(value)
