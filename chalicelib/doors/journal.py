"""One structured line for each exit of a trip, on standard output, where Lambda collects it. Ids, outcomes and durations; never a secret.

Written without the logging module: a token fetch writes one such line, and a third of its own time would go into a log record.
"""

import json
import sys
from typing import Any

from chalicelib.domain.secret import Secret


def write(event: str, **facts: Any) -> None:
    """Writes `{"event": …, …}`. A Secret among the facts is a bug and raises TypeError."""
    sys.stdout.write(json.dumps({"event": event, **facts}, separators=(",", ":"), default=_plain) + "\n")


def _plain(value: Any) -> Any:
    if isinstance(value, Secret):
        raise TypeError("a Secret does not go into the journal")
    return str(value)
