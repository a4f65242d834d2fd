"""What tells one simulated provider from another, as far as data can say it; the rest is in the provider's own module."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from chalicelib.simulator.messages import Sandbox, SimulatorRequest, SimulatorResponse

Kind = Literal["page", "token", "revocation", "api"]
Handler = Callable[[Sandbox, SimulatorRequest, dict[str, str]], SimulatorResponse]


@dataclass(frozen=True)
class Route:
    """`path` is the provider's real one below `/simulator/{slug}`; a `{name}` stands for one segment."""

    method: str
    path: str
    kind: Kind
    handler: Handler


@dataclass(frozen=True)
class Dialect:
    slug: str
    name: str
    authorize_path: str
    scope_separator: str = " "
    user_scope_parameter: str = ""
    issuer_path: str | None = None
    """Where the provider sends `iss` (RFC 9207): its issuer's path. None = it sends none."""
    denied: dict[str, str] = field(default_factory=dict)
    """What comes back beside `error=access_denied`."""
    throttled: dict[str, object] = field(default_factory=dict)
    """The body of a 429."""
    client_credentials_grant: str = ""
    """What the grant of RFC 6749 4.4 is called there; "" = there is none."""
    can_be_endless: bool = False
    """Whether the knob `expiring` does anything."""
    own: bool = True
    """Speaks the provider's real dialect, and not what its file says of it."""
