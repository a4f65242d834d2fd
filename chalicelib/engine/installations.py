"""Connections that need no trip to the provider: an API key or client credentials that were entered, and tokens that the application brings."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from chalicelib.domain import ids, lifecycle
from chalicelib.domain.errors import Conflict, GrantRefused, ProviderError, RegistrationRefused, Unavailable, Unprocessable
from chalicelib.domain.lifecycle import Transition
from chalicelib.domain.models import AuthMethod, Connection, Consent, Owner
from chalicelib.domain.schedule import Policy
from chalicelib.domain.secret import Secret
from chalicelib.domain.tokens import AdditionalToken, ExternalIdentity, TokenAnswer, TokenSet
from chalicelib.doors import journal
from chalicelib.doors.crypto import Sealer, token_facts
from chalicelib.doors.grants import Grants
from chalicelib.doors.oauth import OAuth
from chalicelib.doors.store import Store
from chalicelib.doors.table import LostRace
from chalicelib.engine import accounts
from chalicelib.engine.commits import Commits
from chalicelib.engine.effective import Effective
from chalicelib.engine.exchange import blank, next_of
from chalicelib.engine.registrations import Registrations, require_enabled, require_method

TRIES = 3
ANSWER_LIFE = 3600  # seconds assumed of a token whose end is known and whose whole life is not


@dataclass(frozen=True, kw_only=True)
class Place:
    """Whose connection, at which provider, and which of several. `add`: another one; `connection_id`: exactly that one."""

    owner: Owner
    slug: str
    add: bool = False
    connection_id: str | None = None
    account: str | None = None
    """Exactly this account, there or not yet: an import puts the same row in the same place each time."""
    acting_user_id: str | None = None
    display_name: str | None = None
    """None = as it is, "" = none any more; so for account_identifier."""
    account_identifier: str | None = None


@dataclass(frozen=True, kw_only=True)
class Brought:
    """Tokens from another system, and what else that one knows of them."""

    access_token: Secret | None = None
    refresh_token: Secret | None = None
    expires_at: datetime | None = None
    scopes: tuple[str, ...] | None = None
    needs_reauthorization: bool = False
    renewable: bool = True
    """False = the access token ends and it is known that nothing renews it."""
    config: dict[str, str] = field(default_factory=dict)
    additional: dict[str, AdditionalToken] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    """What the provider told beside the tokens, such as the address of its API."""
    identity: ExternalIdentity | None = None
    refresh_expires_at: datetime | None = None
    grant_expires_at: datetime | None = None


class Installations:
    def __init__(
        self,
        store: Store,
        grants: Grants,
        sealer: Sealer,
        oauth: OAuth,
        registrations: Registrations,
        commits: Commits,
        idle_after: timedelta | None,
        clock: Callable[[], datetime],
    ) -> None:
        self._store, self._grants, self._sealer, self._oauth, self._registrations, self._commits = store, grants, sealer, oauth, registrations, commits
        self._idle_after, self._clock = idle_after, clock

    def enter_api_key(self, place: Place, secret: Secret, config: dict[str, str] | None = None, *, enabled_only: bool = True) -> Connection:
        """Stores a key, or rotates the one there is. The provider is asked once whether it takes it, where it tells. Raises Unprocessable (invalid_credentials)."""
        consent, effective = self._prepare(place, "api_key", config, enabled_only=enabled_only, secret_last_four=secret.last_four())
        if not effective.provider.api_key.allows(secret.reveal()):
            example = effective.provider.api_key.example
            raise Unprocessable(
                f"This does not look like {effective.provider.name}'s {effective.provider.api_key.label}{f', for example {example}' if example else ''}. Nothing was stored.",
                "invalid_credentials",
                errors=[{"field": "secret", "code": "invalid"}],
            )
        accepted, identity = self._oauth.check_api_key(effective.provider, secret)
        if accepted is False:
            raise _refused(effective, "secret", "this API key")
        answer = TokenAnswer(TokenSet(secret), None, 0, scopes=(), identity=identity)
        return self._install(place, consent, effective, answer)

    def enter_client_credentials(self, place: Place, client_id: str, client_secret: Secret, config: dict[str, str] | None = None) -> Connection:
        """Gets a first token with them (RFC 6749 4.4), so that what does not work is never stored. Raises Unprocessable (invalid_credentials) or Unavailable."""
        consent, effective = self._prepare(place, "client_credentials", config, client_id=client_id, secret_last_four=client_secret.last_four())
        trial = replace(blank(consent, self._clock()), auth_method="client_credentials", client_id=client_id, scopes_requested=consent.scopes)
        held = TokenSet(client_secret, client_secret=client_secret)
        try:
            answer = effective.renew(self._oauth, trial, held, self._clock())
        except (GrantRefused, RegistrationRefused) as error:
            raise _refused(effective, "client_id", f"these client credentials ({error.provider_code})") from None
        except ProviderError as error:
            raise Unavailable(f"{effective.provider.name} did not answer ({error.provider_code or 'unavailable'}). Nothing was stored; try again.") from None
        return self._install(place, consent, effective, answer)

    def bring(self, place: Place, brought: Brought, *, replaces: bool, handed_over: bool = False) -> Connection:
        """A connection from tokens of another system; its state follows from what there is. `replaces`: one that is there already is updated.

        `handed_over`: the other system still refreshes the grant, so it is not refreshed here. Raises Unprocessable, Conflict.
        """
        check_combination(brought)
        registration = self._registrations.for_owner(place.slug, place.owner)
        if "oauth" not in registration.auth_methods:
            raise Unprocessable(f"'{place.slug}' has no OAuth tokens to import; it is configured for {', '.join(registration.auth_methods)}.", "invalid_data_integration_state")
        now = self._clock()
        account, existing = self._account(place, now)
        live = existing is not None and existing.state != "disconnected"
        if live and not replaces:
            raise Conflict("This account is connected already; change it with PUT, or add another with connection_intent 'add'.", "connected_account_exists")
        self._registrations.check_config(registration, brought.config)
        config = {**(existing.config if existing and live else {}), **registration.config, **brought.config}
        authority = self._registrations.authority(registration) or ("own" if brought.refresh_token is None else None)
        if authority is None:
            raise Conflict(
                f"'{place.slug}' has no client id and secret: a refresh token works only with the client it was issued to. Send them with PUT /data-integrations/{place.slug} first.",
                "credentials_missing",
            )
        consent = Consent(
            owner=place.owner, slug=place.slug, account=account, registration_id=registration.id, authority=authority, scopes=brought.scopes or registration.scopes or (), config=config,
            display_name=place.display_name, account_identifier=place.account_identifier, established_by=place.owner.user_id or place.acting_user_id,
        )  # fmt: skip
        if brought.access_token is None:
            return self._commit(consent, lambda before: lifecycle.expected(before, consent, next_of(before, blank(consent, now))[0].id, self._clock()))
        fresh = blank(consent, now)
        holder, generation = next_of(existing, fresh)
        holder = replace(holder, generation=generation)
        if brought.refresh_token is not None:
            self.refuse_second_holder(brought.refresh_token, holder)
        provider = self._registrations.provider(registration)
        left = int((brought.expires_at - now).total_seconds()) if brought.expires_at else 0
        # A far end tells how long its tokens live; of one that is near or past only the provider's file knows.
        life = max(left, provider.lifetimes.access_token or ANSWER_LIFE) if brought.expires_at else 0
        tokens = TokenSet(brought.access_token, brought.refresh_token, brought.additional)
        answer = TokenAnswer(
            tokens, brought.expires_at, life, refresh_expires_at=brought.refresh_expires_at, scopes=brought.scopes, metadata=brought.metadata, identity=brought.identity
        )  # fmt: skip
        limit = max(1, int((brought.grant_expires_at - now).total_seconds())) if brought.grant_expires_at else provider.lifetimes.grant
        connection = self._store_tokens(consent, fresh, answer, Policy(provider.lifetimes.refresh_token_idle, self._idle_after), limit, handed_over=handed_over)
        if brought.refresh_token is not None and (connection.id, connection.generation) != (holder.id, holder.generation):
            self.note_holder(brought.refresh_token, connection)  # somebody changed it meanwhile, and it is another than was noted
        if brought.needs_reauthorization:
            return self._commit(consent, lambda before: lifecycle.refused(before or connection, "marked", "", self._clock()))
        return connection

    def update(self, place: Place, brought: Brought) -> Connection:
        """Another label or scopes alone, tokens, or "needs reauthorization" of one that is there. Raises NotFound and as `bring`."""
        existing = accounts.live_one(self._store, place.owner, place.slug, place.connection_id)
        if brought.access_token or brought.refresh_token or brought.expires_at:
            return self.bring(replace(place, connection_id=existing.id), brought, replaces=True)
        consent = Consent(owner=place.owner, slug=place.slug, account=existing.account, registration_id=existing.registration_id, authority=existing.authority)
        if brought.needs_reauthorization and existing.state == "connected":
            existing = self._commit(consent, lambda before: lifecycle.refused(_same(before, existing), "marked", "", self._clock()))
        labels = {
            "display_name": existing.display_name if place.display_name is None else place.display_name or None,
            "account_identifier": existing.account_identifier if place.account_identifier is None else place.account_identifier or None,
        }
        return self._commit(consent, lambda before: lifecycle.labelled(_same(before, existing), **labels, scopes=brought.scopes, now=self._clock()))

    def _prepare(self, place: Place, method: AuthMethod, config: dict[str, str] | None, *, enabled_only: bool = True, **secrets: str | None) -> tuple[Consent, Effective]:
        registration = self._registrations.for_owner(place.slug, place.owner)
        require_method(registration, method)
        if enabled_only:
            require_enabled(registration)
        account, existing = self._account(place, self._clock())
        self._registrations.check_config(registration, config or {})
        live = existing if existing is not None and existing.state != "disconnected" else None
        if live is not None and live.auth_method != method:
            raise Unprocessable(f"This account is connected by {live.auth_method}. Disconnect it first, or add another with connection_intent 'add'.", "auth_method_mismatch")
        values = {**(live.config if live else {}), **(registration.config if registration.organization_id else {}), **(config or {})}
        effective = self._registrations.effective(registration, values, method=method)
        provider = self._registrations.provider(registration)
        scopes = registration.scopes if registration.scopes is not None else tuple(provider.default_scopes())
        consent = Consent(
            owner=place.owner, slug=place.slug, account=account, registration_id=registration.id, authority="connection", auth_method=method, config=values,
            scopes=scopes if method == "client_credentials" else (), display_name=place.display_name, account_identifier=place.account_identifier,
            established_by=place.owner.user_id or place.acting_user_id, **secrets,
        )  # fmt: skip
        return consent, effective

    def _install(self, place: Place, consent: Consent, effective: Effective, answer: TokenAnswer) -> Connection:
        connection = self._store_tokens(consent, blank(consent, self._clock()), answer, Policy(0, self._idle_after), 0)
        journal.count(
            "connect", self._clock(), "success", provider=consent.slug, user=consent.established_by, organization=place.owner.organization_id, connection=connection.id, method=consent.auth_method
        )
        return connection

    def _store_tokens(self, consent: Consent, fresh: Connection, answer: TokenAnswer, policy: Policy, grant_limit: int, *, handed_over: bool = False) -> Connection:
        def transition(before: Connection | None) -> Transition:
            after, _generation = next_of(before, fresh)
            sealed = self._sealer.seal(answer.tokens.to_payload(), token_facts(after, _generation))
            made = lifecycle.connected(before, consent, after.id, answer, sealed, policy=policy, grant_limit=grant_limit, now=self._clock())
            return replace(made, after=lifecycle.handed_over(made.after, self._clock()).after) if handed_over else made

        return self._commit(consent, transition)

    def _commit(self, consent: Consent, change: Callable[[Connection | None], Transition]) -> Connection:
        """The change, over whatever is there by then. Raises Conflict if it never settles."""
        for _ in range(TRIES):
            transition = change(self._store.connection(consent.owner, consent.slug, consent.account))
            try:
                self._commits.commit(transition)
            except LostRace:
                continue
            return transition.after
        raise Conflict("The connection kept changing; read it again and repeat.", "concurrent_update")

    def note_holder(self, refresh_token: Secret, connection: Connection) -> None:
        """So that whoever brings this token again finds who has it. Raises Unavailable."""
        self._grants.claim(ids.digest(refresh_token.reveal()), connection, self._clock())

    def refuse_second_holder(self, refresh_token: Secret, holder: Connection, *, has_it: bool = False) -> None:
        """Two connections that refresh one grant end it for both. Claimed before it is looked for: of two at once none gets past the other.

        `holder` with the generation it has or will have, `has_it`: it is stored with it already. Raises Conflict.
        """
        token = ids.digest(refresh_token.reveal())
        self._grants.claim(token, holder, self._clock())
        for noted in self._grants.holders(token):
            other = self._store.connection_at(noted.key) if noted.connection_id != holder.id else None
            if other is not None and other.id == noted.connection_id and other.handed_over_at is None and self._holds(other, token):
                if not has_it:
                    self._grants.give_up(token, holder)
                raise Conflict("Another connection holds this refresh token already. Two that use one grant would end it for both; disconnect or hand over the other first.", "refresh_token_in_use")

    def _holds(self, other: Connection, token: str) -> bool:
        if other.sealed is None or other.state == "disconnected":
            return False
        held = TokenSet.from_payload(self._sealer.open(other.sealed, token_facts(other))).refresh_token
        return held is not None and ids.matches(held.reveal(), token)

    def _account(self, place: Place, now: datetime) -> tuple[str, Connection | None]:
        if place.account is not None:
            return place.account, self._store.connection(place.owner, place.slug, place.account)
        return accounts.place_for(self._store, place.owner, place.slug, place.connection_id, add=place.add, now=now)


def check_combination(brought: Brought) -> None:
    """Raises Unprocessable for tokens that make no connection."""
    if brought.access_token is None and (brought.refresh_token is not None or brought.expires_at is not None):
        field = "refresh_token" if brought.refresh_token is not None else "expires_at"
        raise Unprocessable(f"'{field}' needs an 'access_token' beside it.", "invalid_token_combination", errors=[{"field": "access_token", "code": "required"}])
    if brought.access_token is not None and brought.expires_at is not None and brought.refresh_token is None and brought.renewable:
        raise Unprocessable(
            "An 'access_token' that ends ('expires_at') needs the 'refresh_token' that renews it.", "invalid_token_combination", errors=[{"field": "refresh_token", "code": "required"}]
        )


def _same(before: Connection | None, existing: Connection) -> Connection:
    if before is None or before.id != existing.id or before.state == "disconnected":
        raise accounts.not_found()
    return before


def _refused(effective: Effective, field: str, what: str) -> Unprocessable:
    return Unprocessable(f"{effective.provider.name} does not accept {what}. Nothing was stored.", "invalid_credentials", errors=[{"field": field, "code": "refused"}])
