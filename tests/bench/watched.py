"""An engine to measure with: its clock can be moved on, so that what was refreshed is due again, and every call it makes to AWS can be written down."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.domain import settings
from chalicelib.wiring import Engine
from tests.cloud import Stage

CAPACITY = {"GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "TransactWriteItems"}  # of DynamoDB: what tells its capacity if asked


@dataclass(frozen=True)
class Call:
    """One call to AWS: what was asked, what came, and how many bytes of answer that was."""

    name: str
    request: dict[str, Any]
    answer: dict[str, Any]
    size: int

    @property
    def units(self) -> float:
        """Capacity units as the table reports them, its indexes' included."""
        return float(self.answer.get("ConsumedCapacity", {}).get("CapacityUnits", 0))


class Watched(Engine):
    """`calls`: None, or the list that calls are written into."""

    ahead = timedelta()
    calls: list[Call] | None = None

    def __init__(self, stage: Stage) -> None:
        super().__init__(settings.read(stage.environ))

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def client(self, service: str) -> Any:
        client = super().client(service)
        client.meta.events.register(f"provide-client-params.{service}", self._asks)
        client.meta.events.register(f"after-call.{service}", self._got)
        return client

    def _asks(self, params: dict[str, Any], model: Any, context: dict[str, Any], **_more: Any) -> None:
        if self.calls is not None:
            context["asked"] = dict(params)
            if model.service_model.service_name == "dynamodb" and model.name in CAPACITY:
                params["ReturnConsumedCapacity"] = "INDEXES"

    def _got(self, http_response: Any, parsed: dict[str, Any], model: Any, context: dict[str, Any], **_more: Any) -> None:
        if self.calls is not None:
            self.calls.append(Call(model.name, context["asked"], parsed, len(http_response.content)))
