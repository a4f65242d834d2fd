"""What a backup brings back: rows of a stage that no provider has to be asked for, a job that marks them, and what it lists and says."""

import io
import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.domain.lifecycle import Transition
from chalicelib.domain.models import Connection, Registration
from ops import restored
from tests.cloud import Stage
from tests.domain.samples import connection

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)


def run(stage: Stage, **more: Any) -> tuple[restored.Report, list[dict[str, Any]], list[str]]:
    listing, said = io.StringIO(), list[str]()
    report = restored.run(stage.environ, said.append, listing=listing, **more)
    return report, [json.loads(line) for line in listing.getvalue().splitlines()], said


class Rows:
    """Connections of a stage that no provider has to be asked for."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.engine = stage, stage.engine()
        for slug in ("github", "google"):
            self.engine.store.save_registration(Registration(id=f"data_integration_{slug}", slug=slug, created_at=NOW, updated_at=NOW), expected_version=None)

    def add(self, name: str, **changes: Any) -> Connection:
        times = {"created_at": NOW - 3 * HOUR, "connected_at": NOW - 3 * HOUR, "refreshed_at": NOW - 2 * HOUR, "updated_at": NOW - 2 * HOUR, "expires_at": NOW + HOUR}
        made = connection(**{"id": name, "user_id": name, "organization_id": None, "slug": "github", "refresh_due_at": NOW - HOUR, **times, **changes})
        self.engine.store.commit(Transition(None, made))
        return self.now(made)

    def now(self, of: Connection) -> Connection:
        found = self.engine.store.connection(of.owner, of.slug, of.account)
        assert found is not None
        return found

    def unchanged(self, of: Connection) -> bool:
        return asdict(self.now(of)) == asdict(of)
