"""Request bodies of webhook endpoints. In a file of their own, because pydantic is imported by whoever reads a body and by nobody else."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from chalicelib.domain.events import TYPES, told_at


def _types(names: list[str]) -> list[str]:
    unknown = [name for name in names if name not in TYPES]
    if unknown:
        raise ValueError(f"names no type of event there is: '{unknown[0][:100]}'")
    return list(dict.fromkeys(names))


def _event_id(value: str) -> str:
    try:
        told_at(value)
    except ValueError:
        raise ValueError("is not the id of an event") from None
    return value


Types = Annotated[list[str], Field(min_length=1, max_length=100), AfterValidator(_types)]
Url = Annotated[str, Field(min_length=1, max_length=2048)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)


class CreateWebhookEndpointBody(_Body):
    endpoint_url: Url
    events: Types


class UpdateWebhookEndpointBody(_Body):
    endpoint_url: Url | None = None
    events: Types | None = None
    status: Literal["enabled", "disabled"] | None = None


class ReplayBody(_Body):
    after: Annotated[str, AfterValidator(_event_id)] | None = None
