"""The shapes of what the widgets read: WorkOS's private API, mostly in camel case. No token and no secret is in any of them."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from chalicelib.domain.models import AuthMethod, Ownership, State
from chalicelib.web.shapes import CredentialsType, ShownAccount
from chalicelib.web.shapes_registrations import CredentialsKind


class WidgetInstallation(ShownAccount):
    """An account as the person in front of the widget sees it."""

    lastFour: str | None


class WidgetConfigField(TypedDict):
    """A value that the person gives; what is not known of it is left out."""

    key: str
    name: str
    label: str
    required: bool
    scope: Literal["installation"]
    authMethods: list[AuthMethod]
    order: int
    secret: Literal[False]
    description: NotRequired[str]
    pattern: NotRequired[str]
    example: NotRequired[str]
    default: NotRequired[str]


class WidgetApiKeyField(TypedDict):
    """What to tell a person who enters a key."""

    label: str
    description: NotRequired[str]
    pattern: NotRequired[str]
    example: NotRequired[str]


class WidgetClientCredentialsFields(TypedDict):
    """What to tell a person who enters a client id and secret."""

    clientIdLabel: str
    clientSecretLabel: str
    description: str


class WidgetIntegration(TypedDict):
    """A provider with one owner's accounts; `installation` is the one that widgets which know of one only show."""

    object: Literal["data_integration"]
    id: str
    name: str
    description: str
    slug: str
    integrationType: str
    ownership: Ownership
    credentialsType: CredentialsType
    scopes: list[str]
    authMethods: list[AuthMethod]
    configFields: list[WidgetConfigField]
    config: dict[str, str]
    apiKey: WidgetApiKeyField | None
    clientCredentials: WidgetClientCredentialsFields | None
    iconSlug: str
    iconUrl: str | None
    iconDarkUrl: str | None
    installation: WidgetInstallation | None
    connected_accounts: list[WidgetInstallation]
    createdAt: str
    updatedAt: str
    created_at: str
    updated_at: str


class WidgetIntegrations(TypedDict):
    """All that the person may connect, or has connected."""

    data: list[WidgetIntegration]


class WidgetSettings(TypedDict):
    """What the widget is dressed with, and where its popup opens."""

    object: Literal["settings"]
    authkitOrigin: str
    teamName: str
    logoLightPath: str | None
    logoDarkPath: str | None
    logoLightIconPath: str | None
    logoDarkIconPath: str | None


class WidgetOrganization(TypedDict):
    """An organization by the name the token gives it."""

    id: str
    name: str | None
    current: bool
    favicon: str | None


class WidgetOrganizations(TypedDict):
    """The token's organization, if it has one."""

    data: list[WidgetOrganization]


class WidgetSharedAccount(TypedDict):
    """An account of the organization, as a member sees it: whether it can be used."""

    object: Literal["connected_account"]
    id: str
    state: State
    availability: Literal["available", "needs_admin_attention"]
    account_display_name: str | None
    created_at: str
    updated_at: str


class WidgetSharedConnection(TypedDict):
    """A provider with what the organization shares of it."""

    object: Literal["data_integration"]
    id: str
    name: str
    description: str
    slug: str
    iconSlug: str
    iconUrl: str | None
    iconDarkUrl: str | None
    ownership: Literal["organization"]
    connected_accounts: list[WidgetSharedAccount]


class WidgetSharedConnections(TypedDict):
    """What the organization has connected for its members."""

    data: list[WidgetSharedConnection]


class WidgetAuthorize(TypedDict):
    """A link for the popup, and what the two windows show each other; no proof of anything outside of them."""

    url: str
    state: str
    redirectToken: str
    handoffToken: NotRequired[str]


class WidgetAuthorizationStatus(TypedDict):
    """How far a flow is; `outcome` is a word once it has ended."""

    isConnecting: bool
    outcome: str | None


class WidgetDisconnected(TypedDict):
    """The account is gone here; `revocation` is what became of its grant at the provider."""

    success: Literal[True]
    revocation: Literal["revoked", "failed", "unsupported"]


class WidgetConfigurationCredentials(TypedDict):
    """Whose OAuth client it is; of its secret, the last four characters."""

    credentialsType: CredentialsKind
    hasCredentials: bool
    client_id: str | None
    redactedClientSecret: str | None
    redirectUri: str


class WidgetConfiguration(TypedDict):
    """What an administrator of the organization may set."""

    object: Literal["data_integration_configuration"]
    id: str
    name: str
    description: str
    slug: str
    iconSlug: str
    iconUrl: str | None
    iconDarkUrl: str | None
    integrationType: str
    ownership: Ownership
    hasOverride: bool
    rootEnabled: bool
    overrideEnabled: bool | None
    enabled: bool
    disabledSource: Literal["organization", "developer"] | None
    configured: bool
    scopes: list[str]
    defaultScopes: list[str]
    availableScopes: list[str]
    credentials: WidgetConfigurationCredentials
    authMethods: list[AuthMethod]
    configFields: list[WidgetConfigField]
    config: dict[str, str]
    createdAt: str
    updatedAt: str
    created_at: str
    updated_at: str


class WidgetConfigurations(TypedDict):
    """All of what members connect for themselves."""

    data: list[WidgetConfiguration]


class WidgetCapabilities(TypedDict):
    """What the administrator's buttons are for."""

    canConfigure: bool
    canConnect: bool
    canUpdateCredentials: bool
    canReauthorize: bool
    canDisconnect: bool


class WidgetOrganizationIntegration(WidgetIntegration):
    """A provider of the organization's own accounts."""

    configuration: WidgetConfiguration
    capabilities: WidgetCapabilities


class WidgetOrganizationIntegrations(TypedDict):
    """All that the organization shares, or may share."""

    data: list[WidgetOrganizationIntegration]
