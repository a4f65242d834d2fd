"""Floor 4: settings become engine objects, once a container. The only place that makes boto3 clients and that reads the clock.

doors.py makes the doors, trips.py what the API sets in motion, clockwork.py what the clock and the queues do; each part is imported and built on first use.
"""

import logging
from datetime import UTC, datetime
from functools import cache

from chalicelib.domain import settings as settings_module
from chalicelib.doors import journal
from chalicelib.wiring.clockwork import Clockwork

# At DEBUG these write requests and answers, bodies included; no log level of ours may turn that on.
LOUD = ("aws_encryption_sdk", "boto3", "botocore", "requests", "urllib3")


def now() -> datetime:
    return datetime.now(UTC)


class Engine(Clockwork):
    """Everything one stage runs on."""


@cache
def engine() -> Engine:
    """The engine of this process's environment. Raises SettingsError."""
    settings = settings_module.read()
    logging.getLogger().setLevel(settings.log_level)
    journal.of_stage(settings.stage)
    for library in LOUD:
        logging.getLogger(library).setLevel(logging.WARNING)
    return Engine(settings)
