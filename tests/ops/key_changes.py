"""A stage whose KMS key is changed, and what happens on it meanwhile."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.domain import lifecycle, settings
from chalicelib.domain.lifecycle import Transition
from chalicelib.domain.models import ClientSecret, Connection, Registration
from chalicelib.domain.schedule import Policy
from chalicelib.doors.crypto import Facts, Sealer, token_facts
from chalicelib.engine.configuring import SECRET_FIELD
from chalicelib.wiring import Engine
from ops import reseal
from tests.cloud import Stage
from tests.domain.samples import CANARY, answer, connection

NOW = datetime.now(UTC).replace(microsecond=0)
LEASE = timedelta(minutes=1)


class Change:
    """A stage whose key is changed: `before` is a function from before, `after` one that was deployed since."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.kms = stage.cloud.client("kms")
        self.former, self.current = stage.environ["STANDPIPE_KEY_ARN"], str(self.kms.create_key()["KeyMetadata"]["Arn"])
        self.environ = {**stage.environ, "STANDPIPE_KEY_ARN": self.current, "STANDPIPE_FORMER_KEY_ARNS": self.former}
        self.before, self.after = stage.engine(), Engine(settings.read(self.environ))
        for engine in (self.before, self.after):  # built now, so that hooks on the command's clients are on none of theirs
            assert engine.store and engine.sealer
        self.said: list[str] = []

    def run(self, **more: Any) -> reseal.Report:
        return reseal.run(self.environ, self.said.append, **more)

    def connected(self, user: str, engine: Engine | None = None, **changes: Any) -> Connection:
        engine = engine or self.before
        made = connection(id=f"data_installation_{user}", user_id=user, organization_id=None, **changes)
        made = replace(made, sealed=engine.sealer.seal({"access_token": f"{CANARY} {user}"}, token_facts(made)))
        engine.store.commit(Transition(None, made))
        return self.row(made)

    def row(self, of: Connection) -> Connection:
        found = self.after.store.connection(of.owner, of.slug)
        assert found is not None
        return found

    def registered(self, slug: str = "acme", secrets: int = 2) -> Registration:
        made = Registration(id=f"data_integration_{slug}", slug=slug, created_at=NOW, updated_at=NOW)
        sealed = (self.before.sealer.seal({"secret": f"{CANARY} {number}"}, Facts(made.id, SECRET_FIELD)) for number in range(secrets))
        made = replace(made, client_secrets=tuple(ClientSecret(sealed=each, last_four="abcd", created_at=NOW) for each in sealed))
        self.before.store.save_registration(made, expected_version=None)
        return made

    def secrets(self, slug: str = "acme", sealer: Sealer | None = None) -> list[str]:
        found = self.after.store.registration(slug)
        assert found is not None
        return [(sealer or self.after.sealer).open(each.sealed, Facts(found.id, SECRET_FIELD))["secret"] for each in found.client_secrets]

    def opened(self, of: Connection, sealer: Sealer | None = None) -> str:
        row = self.row(of)
        return str((sealer or self.after.sealer).open(row.sealed or b"", token_facts(row))["access_token"])

    def key_of(self, of: Connection) -> str:
        return {self.former: "former", self.current: "current", None: "none"}[self.after.sealer.key_of(self.row(of).sealed or b"")]

    @property
    def without_the_former(self) -> Sealer:
        return Sealer(self.kms, self.current, self.stage.environ["STANDPIPE_STAGE"], "bound")


def leased(change: Change, of: Connection, engine: Engine | None = None) -> Connection:
    now = datetime.now(UTC)
    return (engine or change.after).store.lease(change.row(of), "holder", now + LEASE, now)


def stored(engine: Engine, held: Connection) -> None:
    sealed = engine.sealer.seal({"access_token": "refreshed"}, token_facts(held, held.generation + 1))
    engine.store.commit(lifecycle.refreshed(held, answer(), sealed, policy=Policy(), now=NOW), holder="holder")
