"""The shapes of events, and of the webhook endpoints that are told them."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from chalicelib.domain.models import AuthMethod, State
from chalicelib.domain.webhooks import Outcome, Reason, Status
from chalicelib.web.shapes import ListMetadata, Role


class WebhookEndpoint(TypedDict):
    """`secret` is whole in the answer that made it and cut everywhere else. `missed_since`: not later than the oldest event it was not told of."""

    object: Literal["webhook_endpoint"]
    id: str
    endpoint_url: str
    secret: str
    status: Status
    events: list[str]
    organization_id: str | None
    status_reason: str | None
    paused_at: str | None
    failing_since: str | None
    missed_since: str | None
    created_at: str
    updated_at: str


class WebhookEndpointPage(TypedDict):
    """A page of them."""

    object: Literal["list"]
    data: list[WebhookEndpoint]
    list_metadata: ListMetadata


class WebhookReplay(TypedDict):
    """What is sent again: everything told after that place and until that time."""

    object: Literal["webhook_replay"]
    webhook_endpoint_id: str
    after: str
    until: str


class WebhookDelivery(TypedDict):
    """One call of one endpoint with one event."""

    object: Literal["webhook_delivery"]
    id: str
    event_id: str
    event: str
    attempt: int
    outcome: Outcome
    http_status: int | None
    error: str | None
    milliseconds: int
    created_at: str
    next_attempt_at: str | None


class WebhookDeliveryPage(TypedDict):
    """A page of them; it has no page before."""

    object: Literal["list"]
    data: list[WebhookDelivery]
    list_metadata: ListMetadata


class AccountEvent(TypedDict):
    """The connected account as it is after the change."""

    object: Literal["connected_account"]
    id: str
    data_integration_id: str
    provider_slug: str
    user_id: str | None
    organization_id: str | None
    scopes: list[str]
    state: State
    state_reason: str | None
    connection_role: Role
    account_identifier: str | None
    account_display_name: str | None
    auth_method: AuthMethod
    api_key_last_4: NotRequired[str | None]
    established_by_user_id: NotRequired[str | None]
    generation: int
    reauthorization_expected_at: str | None
    created_at: str
    updated_at: str


class FailedFlowEvent(TypedDict):
    """A person came back from the provider and no connection came of it. What the provider said is data, cut and cleaned."""

    object: Literal["connection_failed"]
    data_integration_id: str
    provider_slug: str
    user_id: str | None
    organization_id: str | None
    error_code: str
    error_reason: str
    provider_error: str | None
    provider_error_description: str | None
    created_at: str


class MisconfigurationEvent(TypedDict):
    """The provider refuses the application's own client: an operator has to act, and no user."""

    object: Literal["provider_misconfiguration"]
    data_integration_id: str
    provider_slug: str
    error_code: str
    message: str
    created_at: str


class PausedEndpointEvent(TypedDict):
    """Nobody is told over this webhook endpoint any more until it is enabled again."""

    object: Literal["webhook_endpoint"]
    id: str
    organization_id: str | None
    host: str
    status: Literal["disabled"]
    status_reason: Reason
    last_error: str
    failing_since: str | None
    paused_at: str
    created_at: str


class Event(TypedDict):
    """Something that happened, as a webhook tells it too."""

    object: Literal["event"]
    id: str
    event: str
    created_at: str
    data: AccountEvent | FailedFlowEvent | MisconfigurationEvent | PausedEndpointEvent


class EventPage(TypedDict):
    """A page of them; cursors stay good when the events are no longer kept."""

    object: Literal["list"]
    data: list[Event]
    list_metadata: ListMetadata
