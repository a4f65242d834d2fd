"""A code becomes a connection: exchanged once, stored over whatever is there by then, and ended at the provider if it could not be kept."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain import ids, lifecycle
from chalicelib.domain.errors import ProviderError, Unavailable
from chalicelib.domain.models import COMPATIBILITY, Connection, Consent, Pending
from chalicelib.domain.schedule import Policy
from chalicelib.domain.settings import PROVIDER_DEADLINE
from chalicelib.domain.tokens import TokenAnswer
from chalicelib.doors.crypto import Sealer, token_facts
from chalicelib.doors.grants import Grants
from chalicelib.doors.oauth import OAuth
from chalicelib.doors.store import Store
from chalicelib.doors.table import LostRace
from chalicelib.engine import accounts
from chalicelib.engine.authorization_response import FlowError
from chalicelib.engine.commits import Commits, OutcomeUnknown
from chalicelib.engine.effective import Effective

TRIES = 3  # a commit that lost to a refresh in flight is repeated over what is there now


class Exchange:
    def __init__(self, store: Store, grants: Grants, sealer: Sealer, oauth: OAuth, commits: Commits, idle_after: timedelta | None, clock: Callable[[], datetime]) -> None:
        self._grants = grants
        self._store, self._sealer, self._oauth, self._commits, self._idle_after, self._clock = store, sealer, oauth, commits, idle_after, clock

    def exchange(self, pending: Pending, effective: Effective, code: str, code_verifier: str) -> Connection:
        """The connection, stored with its event. Raises FlowError, or Unavailable; a connection that was there before is unharmed then."""
        consent = pending.consent
        before = self._store.connection(consent.owner, consent.slug, consent.account)
        now = self._clock()
        fresh = blank(consent, now)
        # The data key first: a code is single use, and what it buys must not be lost to a key service that is down.
        ready = self._sealer.ready(token_facts(*next_of(before, fresh)))
        effective.credentials()
        try:
            answer = effective.ask(lambda credentials: self._oauth.exchange(effective.provider, credentials, code, code_verifier, effective.redirect_uri, now))
        except ProviderError as error:
            raise FlowError("exchange_failed", pending, error.provider_code) from None
        blob = ready.seal(answer.tokens.to_payload())
        if before is None and consent.account != COMPATIBILITY and (twin := self._twin(consent, answer)):
            # The person added an account that is here already: one grant is not kept twice, so the new word goes to the old connection.
            consent, before = replace(consent, account=twin.account), twin
            blob = self._sealer.seal(answer.tokens.to_payload(), token_facts(*next_of(before, fresh)))
        for _ in range(TRIES):
            if before is not None and before.state != "disconnected" and _is_other_account(before, answer):
                self._end_stray(effective, answer)
                raise FlowError("other_account", pending, other=answer.identity.name if answer.identity else None, held_by=before.external_name)
            lifetimes = effective.provider.lifetimes
            after, _generation = next_of(before, fresh)
            transition = lifecycle.connected(before, consent, after.id, answer, blob, policy=Policy(lifetimes.refresh_token_idle, self._idle_after), grant_limit=lifetimes.grant, now=self._clock())
            try:
                self._commits.commit(transition)
            except LostRace:
                # A refresh, a disconnect or another flow was first. The person's new word is newer: seal again for the next generation.
                before = self._store.connection(consent.owner, consent.slug, consent.account)
                blob = self._sealer.seal(answer.tokens.to_payload(), token_facts(*next_of(before, fresh)))
                continue
            except OutcomeUnknown:
                raise  # it may be stored, and what is stored must not be revoked
            except Unavailable:
                self._end_stray(effective, answer)
                raise
            self._note_holder(transition.after, answer)
            return transition.after
        self._end_stray(effective, answer)
        raise FlowError("try_again", pending)

    def _note_holder(self, connection: Connection, answer: TokenAnswer) -> None:
        """Some providers give a person the same refresh token each time: an import of it must find who has it."""
        if answer.tokens.refresh_token is None:
            return
        try:
            self._grants.claim(ids.digest(answer.tokens.refresh_token.reveal()), connection, self._clock())
        except Unavailable:
            pass  # the connection stands; what is lost is a warning to somebody who imports the same token

    def _twin(self, consent: Consent, answer: TokenAnswer) -> Connection | None:
        identity = answer.identity
        return accounts.twin(self._store, consent.owner, consent.slug, consent.account, identity.account_id, identity.team) if identity else None

    def _end_stray(self, effective: Effective, answer: TokenAnswer) -> None:
        """A grant we could not keep is ended, unless that could end another one: GitHub ends all of a person's, Slack's bot token is its workspace's."""
        if effective.provider.revocation.ends == "grant":
            effective.revoke(self._oauth, answer.tokens, lambda: PROVIDER_DEADLINE * 2)


def blank(consent: Consent, now: datetime) -> Connection:
    """A connection that is not there yet, with an id of its own: what its tokens are sealed for."""
    return Connection(
        id=lifecycle.new_connection_id(now),
        user_id=consent.owner.user_id,
        organization_id=consent.owner.organization_id,
        slug=consent.slug,
        account=consent.account,
        registration_id=consent.registration_id,
        state="connected",
        created_at=now,
        updated_at=now,
    )


def next_of(before: Connection | None, fresh: Connection) -> tuple[Connection, int]:
    """Whose tokens the new ones will be, and of which generation: a live connection keeps its id, an ended one is followed by another."""
    if before is None:
        return fresh, 1
    return (fresh if before.state == "disconnected" else replace(fresh, id=before.id)), before.generation + 1


def _is_other_account(before: Connection, answer: TokenAnswer) -> bool:
    new = answer.identity
    if new is None or new.account_id is None or before.external_account_id is None:
        return False
    return before.external_account_id != new.account_id or (before.external_team is not None and new.team is not None and before.external_team != new.team)
