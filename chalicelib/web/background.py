"""What the schedule and the queues wake: an event of Lambda's made plain, one call of the engine, and an end that tells Lambda whether to come again."""

import json
from collections.abc import Callable
from typing import Any

from chalice.app import SQSEvent

from chalicelib import wiring
from chalicelib.domain.errors import IntegrityError, StandpipeError
from chalicelib.doors import journal

Handle = Callable[[Any, Callable[[], float]], Any]


def sweep(context: Any) -> None:
    """Each minute. What fails is tried by the next minute, so nothing is raised for Lambda to repeat."""
    engine = wiring.engine()
    try:
        engine.sweep.run(_seconds_left(context))
    except StandpipeError as error:
        journal.count("sweep_failed", engine.now(), error.code)


def repair(context: Any) -> None:
    """Often, for a pass a day: it goes on from where it was."""
    engine = wiring.engine()
    try:
        engine.repair.run(_seconds_left(context))
    except StandpipeError as error:
        journal.count("repair_failed", engine.now(), error.code)


def refresh(event: SQSEvent) -> None:
    _each(event, wiring.engine().worker.handle)


def rescue(event: SQSEvent) -> None:
    _each(event, wiring.engine().rescue.handle)


def revoke(event: SQSEvent) -> None:
    _each(event, wiring.engine().revocations.handle)


def webhook(event: SQSEvent) -> None:
    _each(event, wiring.engine().deliveries.handle)


class NotHandled(Exception):
    """Raised for Lambda, which leaves the message in the queue. Its text has a type and a place only."""


def _each(event: SQSEvent, handle: Handle) -> None:
    """The one message of the event: a batch of one, so that a message that cannot be handled comes back alone."""
    engine = wiring.engine()
    for record in event:
        try:
            handle(json.loads(record.body), _seconds_left(event.context))
        except Exception as error:  # noqa: BLE001
            # Its text and its traceback may hold anything, and Lambda writes what is raised to the log.
            cause = error.code if isinstance(error, StandpipeError) else type(error).__name__
            if isinstance(error, IntegrityError):
                journal.count("integrity_error", engine.now(), "queue", alarm="integrity", detail=error.detail)
            journal.count("message_failed", engine.now(), cause, where=_place(error))
            raise NotHandled(cause) from None


def _place(error: BaseException) -> str:
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return f"{at.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{at.tb_lineno}" if at else ""


def _seconds_left(context: Any) -> Callable[[], float]:
    return lambda: float(context.get_remaining_time_in_millis()) / 1000
