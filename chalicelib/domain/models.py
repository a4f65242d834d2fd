"""What is stored, as frozen dataclasses.

Evolution rule: a new field goes to the end of its group with a default and is never given another meaning; unknown attributes of a row
are left alone, because every write names the attributes it changes. Times are aware UTC.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

State = Literal["connected", "needs_reauthorization", "disconnected"]
Authority = Literal["own", "shared", "simulator", "organization", "connection"]
AuthMethod = Literal["oauth", "api_key", "client_credentials"]
AUTH_METHODS: tuple[AuthMethod, ...] = ("oauth", "api_key", "client_credentials")
Ownership = Literal["userland_user", "organization"]
COMPATIBILITY = "default"  # the account that clients which know of one connection only see


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Whose connection: opaque ids of the application. A user's, a user's within an organization, or an organization's own (no user)."""

    user_id: str | None = None
    organization_id: str | None = None

    @property
    def ownership(self) -> Ownership:
        return "userland_user" if self.user_id is not None else "organization"


@dataclass(frozen=True, kw_only=True)
class Connection:
    """An owner's authorization at a provider. On the wire: connected_account."""

    id: str
    user_id: str | None = None
    organization_id: str | None = None
    slug: str
    account: str = COMPATIBILITY
    registration_id: str
    authority: Authority = "own"
    """Whose client credentials the grant belongs to; a refresh uses the same. connection: its own, sealed with its token."""

    state: State
    reason: str | None = None
    generation: int = 0
    """+1 whenever the tokens change or end; the fence of every write."""
    sealed: bytes | None = field(default=None, repr=False)
    refreshable: bool = False
    token_type: str = "bearer"
    scopes_requested: tuple[str, ...] = ()
    scopes_granted: tuple[str, ...] = ()
    expires_at: datetime | None = None
    """When the access token ends; None = it does not expire."""
    refresh_expires_at: datetime | None = None
    grant_expires_at: datetime | None = None
    token_life: int = 0
    """Seconds the access token lived when it was issued; margins are parts of it."""

    live_registration_id: str | None = None
    """`registration_id` while there is something to end; the sparse index of a registration's connections."""
    refresh_due_at: datetime | None = None
    """When the sweep has to look at it next: to refresh it, to announce its end, or to end it. None = never."""
    lease_owner: str | None = None
    lease_until: datetime | None = None
    intent_attempt: int = 0
    """How often the refresh token of this generation may have been sent without a known answer."""
    write_id: str | None = None
    failures: int = 0
    failing_since: datetime | None = None
    last_error: str | None = None
    retry_at: datetime | None = None
    hold_until: datetime | None = None
    """Until when a fetch does not ask a failing provider again."""
    weird_failures: int = 0
    weird_since: datetime | None = None
    """Answers of no known meaning in a row, and since when; any other outcome starts the count again."""
    misconfigured: bool = False
    """The last failure was ours: the provider refused our client, not this grant."""

    external_account_id: str | None = None
    external_name: str | None = None
    external_team: str | None = None
    config: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    display_name: str | None = None

    created_at: datetime
    updated_at: datetime
    connected_at: datetime | None = None
    refreshed_at: datetime | None = None
    last_used_at: datetime | None = None
    ttl: int | None = None

    refresh_limit_fixed: bool = False
    """The last refresh did not move the end of the refresh token: it is a limit, and no refresh gets past it."""
    announced_end: datetime | None = None
    """The end that was announced; another one is announced again."""
    degraded_since: datetime | None = None
    last_event: str | None = None
    """Id of the last event that told of it: fences the next one, and is where that one's id begins to count."""

    auth_method: AuthMethod = "oauth"
    client_id: str | None = None
    """Of a client_credentials connection; its secret is sealed with the token."""
    secret_last_four: str | None = None
    """Of the API key or client secret that was entered: all of it that is ever shown."""
    established_by: str | None = None
    """Which member connected an account that belongs to the organization."""
    account_identifier: str | None = None
    """The account's id as the application attests it; what the provider told is in external_account_id."""
    handed_over_at: datetime | None = None
    """Since when another system refreshes this grant: here it is not, until it is taken over."""

    @property
    def owner(self) -> Owner:
        return Owner(user_id=self.user_id, organization_id=self.organization_id)

    @property
    def reauthorization_expected_at(self) -> datetime | None:
        """When a known limit ends the grant, whatever is done here: of the consent, of a refresh token that is not extended, or, without one, of the access token."""
        limits = [self.grant_expires_at, self.refresh_expires_at if self.refresh_limit_fixed else None, None if self.refreshable else self.expires_at]
        return min((at for at in limits if at), default=None) if self.state == "connected" else None

    @property
    def role(self) -> Literal["compatibility", "standard"]:
        return "compatibility" if self.account == COMPATIBILITY else "standard"

    def missing_scopes(self) -> list[str]:
        """Scopes that were asked for and not granted, in the order asked."""
        granted = set(self.scopes_granted)
        return [scope for scope in self.scopes_requested if scope not in granted]

    def lives(self, now: datetime, at_least: timedelta = timedelta()) -> bool:
        """Whether the access token is still good `at_least` that long from now."""
        return self.expires_at is None or self.expires_at > now + at_least


@dataclass(frozen=True, kw_only=True)
class ClientSecret:
    """One sealed client secret; two may be live while the provider's own rotation overlaps."""

    sealed: bytes = field(repr=False)
    last_four: str = ""
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Registration:
    """Our client at a provider. On the wire: data_integration."""

    id: str
    slug: str
    organization_id: str | None = None
    """Set where an organization's own settings lie over the stage's; then `id` is that organization's own if it brought a client of its own."""
    ownership: Ownership = "userland_user"
    description: str = ""
    enabled: bool = False
    auth_methods: tuple[AuthMethod, ...] = ("oauth",)
    scopes: tuple[str, ...] | None = None
    client_id: str | None = None
    client_secrets: tuple[ClientSecret, ...] = ()
    """Newest first."""
    config: dict[str, str] = field(default_factory=dict)
    custom_provider: str | None = None
    """The JSON of a custom provider's row, as given."""
    organization_credentials: bool = False
    """Each organization brings a client of its own; there is none of the stage's."""
    version: int = 1
    write_id: str | None = None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class Override:
    """What an organization sets for itself over a registration; None = as the registration says. On the wire: data_integration_configuration."""

    id: str
    organization_id: str
    slug: str
    ownership: Ownership = "userland_user"
    enabled: bool | None = None
    scopes: tuple[str, ...] | None = None
    config: dict[str, str] = field(default_factory=dict)
    client_id: str | None = None
    """Of the organization's own client; its connections belong to that one, with a redirect URI of its own."""
    client_secrets: tuple[ClientSecret, ...] = ()
    """Newest first."""
    version: int = 1
    write_id: str | None = None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class Consent:
    """Whose connection is made, with what, and for whom: everything of it that is known before the provider answers."""

    owner: Owner
    slug: str
    account: str = COMPATIBILITY
    registration_id: str
    authority: Authority
    auth_method: AuthMethod = "oauth"
    scopes: tuple[str, ...] = ()
    config: dict[str, str] = field(default_factory=dict)
    display_name: str | None = None
    account_identifier: str | None = None
    established_by: str | None = None
    client_id: str | None = None
    secret_last_four: str | None = None


Stage = Literal["started", "opened", "redirected", "taken", "parked", "finished", "failed"]


@dataclass(frozen=True, kw_only=True)
class Pending:
    """A pending authorization: what is kept between the redirect out and the redirect back.

    Everything that decides where a code may go is frozen here when the flow begins.
    """

    id: str
    stage: Stage = "started"
    handle_digest: str
    state_digest: str
    sealed: bytes = field(repr=False)
    """state and code_verifier; after the redirect back of a session-bound flow, the parked code too."""
    user_id: str | None = None
    organization_id: str | None = None
    slug: str
    account: str = "default"
    registration_id: str
    authority: Authority
    fingerprint: str
    """Digest of every endpoint and the client id, as they were; a change in mid-flow ends the flow."""
    user_display_name: str | None = None
    """How the application calls the person: what they are asked to recognise themselves by."""
    scopes: tuple[str, ...] = ()
    config: dict[str, str] = field(default_factory=dict)
    return_to: str | None = None
    code_challenge: str | None = None
    """The application's own challenge: the flow is bound to its session and ends at `finish`."""
    display_name: str | None = None
    connection_id: str | None = None
    browser_digest: str | None = None
    connect_code_digest: str | None = None
    outcome: dict[str, str] | None = None
    """How it ended, for the page the person is sent to: the address they came back to holds the code and is left at once."""
    acting_user_id: str | None = None
    """The member who connects for an organization."""
    handoff_digest: str | None = None
    """Of the secret that the widget in the opener shows: the flow is bound to its session."""
    opener_origin: str | None = None
    """The only origin whose messages the handoff page listens to."""
    write_id: str | None = None
    created_at: datetime
    expires_at: datetime
    ttl: int

    @property
    def owner(self) -> Owner:
        return Owner(user_id=self.user_id, organization_id=self.organization_id)

    @property
    def person(self) -> str | None:
        """Who is to be in front of the browser: the owner, or the member who acts for the organization."""
        return self.user_id or self.acting_user_id

    @property
    def consent(self) -> Consent:
        return Consent(
            owner=self.owner,
            slug=self.slug,
            account=self.account,
            registration_id=self.registration_id,
            authority=self.authority,
            scopes=self.scopes,
            config=self.config,
            display_name=self.display_name,
            established_by=self.person,
        )


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """A key of the application's backend; its secret part is stored as SHA-256 only."""

    id: str
    name: str
    secret_digest: str
    created_at: datetime
    revoked_at: datetime | None = None
    organization_id: str | None = None
    """If set, the key reaches what belongs to this organization and nothing else."""
    last_used_at: datetime | None = None
    """To about a day: it is noted no more often."""
