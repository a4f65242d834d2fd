"""Flows that came back from the provider and ended without a connection: the product hears of them, in one write with their end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.events import of_failed_flow
from chalicelib.doors.store import Store
from chalicelib.engine.authorization_response import FlowError
from chalicelib.engine.outbox import Outbox

# Kind of the end -> error_code and error_reason. Not those that somebody else's browser brings about: nobody is told what a stranger tries.
TOLD = {
    "declined": ("authorization_declined", "The person declined at the provider."),
    "provider_error": ("authorization_error", "The provider did not let the person through."),
    "exchange_failed": ("authorization_code_exchange_error", "The provider did not give tokens for the code."),
    "other_account": ("other_account", "The person signed in with another account than the one connected before."),
    "configuration_changed": ("configuration_changed", "The settings of the provider were changed while the person was connecting."),
    "try_again": ("concurrent_change", "The connection was changed from somewhere else at the same moment."),
}


class FailedFlows:
    def __init__(self, store: Store, outbox: Outbox, clock: Callable[[], datetime]) -> None:
        self._store, self._outbox, self._clock = store, outbox, clock

    @contextmanager
    def told(self) -> Iterator[None]:
        """Tells of a FlowError on its way out."""
        try:
            yield
        except FlowError as error:
            if error.pending is not None and error.kind in TOLD:
                code, reason = TOLD[error.kind]
                event = of_failed_flow(error.pending, code, reason, error.provider_code or None, error.description or None, self._clock())
                try:
                    # With its kind, so that nobody who asks meanwhile sees a failure without a reason; the page adds what else there is to say.
                    if self._store.fail(error.pending, event, {"kind": error.kind}):
                        self._outbox.publish([event])
                except Unavailable:
                    pass  # the person's page is what matters now; the flow is over either way
            raise
