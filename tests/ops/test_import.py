"""An import into a stage: what the plan says, what is written, what is refused, and that running it again loses and doubles nothing."""

import json
import re
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.errors import Conflict
from chalicelib.domain.models import COMPATIBILITY, Owner
from chalicelib.domain.secret import Secret
from chalicelib.engine.tokens import Live
from ops.errors import StepFailed
from ops.migration import handing
from ops.migration.scanning import Chosen
from tests.cloud import Stage
from tests.ops.migrations import CANARY, bring, connections, everything, found, lines, one, opened, plain_files, refreshed, registered, report, row, tokens

SECONDS = {"seconds_left": lambda: 25.0}


def test_a_dry_run_says_the_plan_and_writes_nothing(stage: Stage, tmp_path: Path) -> None:
    engine = registered(stage)
    engine.registrations.create("github", migrations_change())
    before, said = everything(stage), list[str]()
    file = lines(
        tmp_path / "rows.jsonl",
        row("ana"), row("bo", organization_id="o"), {"provider": "acme", "organization_id": "o", **tokens("o")}, {"provider": "acme", "user_id": "cy"},
        {"provider": "github", "user_id": "ana", "access_token": "x"}, {**row("di"), "state": "disconnected"}, row("ana"),
    )  # fmt: skip
    done = bring(engine, file, taking_over=None, dry_run=True, said=said)

    assert done.plan.problems and "organization_id" not in done.plan.problems[0]  # acme is not configured for organizations
    assert Counter(done.plan.counts) == {
        ("acme", "user", "oauth", "connected"): 1,
        ("acme", "user in organization", "oauth", "connected"): 1,
        ("acme", "user", "oauth", "needs_reauthorization"): 1,
        ("github", "user", "oauth", "connected"): 1,
    }
    assert (done.plan.rows, done.plan.to_import, done.plan.disconnected, len(done.plan.repeated)) == (7, 4, 1, 1)
    assert any(re.search(r"acme +user in organization +oauth +connected +1$", line) for line in said)
    assert everything(stage) == before and list(plain_files(tmp_path)) == [file]
    assert CANARY not in "\n".join(said)


def migrations_change(**more: Any) -> Any:
    from chalicelib.engine.registrations import Change

    return Change(**{"enabled": True, "client_id": "c", "client_secret": Secret("s"), **more})


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        (row(provider="nobody"), "line 2: provider: There is no data integration 'nobody'"),
        (row(provider="bare"), "line 2: provider: 'bare' has no credentials"),
        (row(organization_id="o", user_id=None), "line 2: provider: There is no data integration 'acme' for organizations"),
        ({"provider": "acme", "user_id": "u", "api_key": CANARY}, "line 2: 'acme' is configured for oauth, not for api_key"),
        (row(config={"color": "red"}), "line 2: config: Acme has no config field 'color'"),
        (row("bo", refresh_token=f"rt-first-{CANARY}"), "line 2: refresh_token: is the one of line 1 too"),
        (row(expires_at="soon"), "line 2: expires_at:"),
    ],
)
def test_what_stands_in_the_way_is_said_before_anything_is_written(stage: Stage, tmp_path: Path, entry: dict[str, Any], sentence: str) -> None:
    engine = registered(stage)
    registered(stage, "bare", client_id=None, client_secret=None)
    said = list[str]()
    file = lines(tmp_path / "rows.jsonl", row("first"), entry)
    with pytest.raises(StepFailed, match="1 rows have problems; nothing was written"):
        bring(engine, file, said=said)

    assert any(line.startswith(f"PROBLEM  {sentence}") for line in said), said
    assert connections(stage) == [] and CANARY not in "\n".join(said)
    assert bring(engine, file, skip_bad=True).counts == {"imported": 1, "done before": 0}
    assert one(engine, "first").state == "connected"


def test_one_cause_of_many_rows_is_said_once_with_their_number(stage: Stage, tmp_path: Path) -> None:
    done = bring(registered(stage), lines(tmp_path / "rows.jsonl", *(row(f"u{n}", provider="hubspott") for n in range(50))), taking_over=None, dry_run=True)

    (problem,) = done.plan.problems
    assert problem.startswith("line 1: provider: There is no data integration 'hubspott'") and "--map hubspott=…" in problem and problem.endswith("(50 rows)")


def test_who_refreshes_has_to_be_said_and_why(stage: Stage, tmp_path: Path) -> None:
    engine, file = registered(stage), lines(tmp_path / "rows.jsonl", row())
    with pytest.raises(StepFailed) as failure:
        bring(engine, file, taking_over=None)
    assert "each spends the refresh token the other needs" in str(failure.value)
    assert "--taking-over" in str(failure.value) and "--shadow" in str(failure.value)
    with pytest.raises(StepFailed, match="--verify refreshes each grant once, and with --shadow"):
        bring(engine, file, taking_over=False, verify=True)
    assert connections(stage) == []


def test_what_is_taken_over_is_refreshed_here(stage: Stage, tmp_path: Path) -> None:
    engine = registered(stage)
    rich = row("ana", scopes=["read", "write"], account_display_name="Work", account_identifier="acct_9")
    bring(engine, lines(tmp_path / "rows.jsonl", rich, row("bo", organization_id="o"), {"provider": "acme", "user_id": "cy"}))

    ana = one(engine)
    assert (ana.state, ana.account, ana.scopes_granted, ana.display_name, ana.account_identifier, ana.handed_over_at) == ("connected", COMPATIBILITY, ("read", "write"), "Work", "acct_9", None)
    assert ana.refresh_due_at is not None and opened(engine, ana).access_token.reveal() == f"at-ana-{CANARY}"
    assert one(engine, Owner(user_id="bo", organization_id="o")).state == "connected"
    assert (one(engine, "cy").state, one(engine, "cy").reason) == ("needs_reauthorization", "imported")


def test_a_shadow_serves_its_token_and_is_not_refreshed_until_it_is_taken_over(stage: Stage, tmp_path: Path) -> None:
    engine = registered(stage)
    soon = (engine.now() + timedelta(minutes=30)).isoformat()
    bring(engine, lines(tmp_path / "rows.jsonl", row(expires_at=soon), row("bo")), taking_over=False)

    shadow = one(engine)
    assert shadow.handed_over_at is not None and shadow.refresh_due_at is None
    assert isinstance(engine.tokens.answer(shadow.owner, "acme", **SECONDS), Live)
    assert isinstance(engine.tokens.answer(shadow.owner, "acme", min_ttl=timedelta(hours=1), **SECONDS), Live)  # would be refreshed first, but not here
    late = stage.engine()
    late.now = lambda: engine.now() + timedelta(hours=1)  # type: ignore[method-assign]
    with pytest.raises(Conflict) as refusal:
        late.tokens.answer(shadow.owner, "acme", **SECONDS)
    assert refusal.value.code == "handed_over"
    asked = list[str]()
    assert handing.run(engine, "take-over", Chosen(), confirm=lambda sentence: bool(asked.append(sentence)), say=lambda _: None).changed == 0
    assert asked[0].startswith("2 connections are handed over") and one(engine).handed_over_at is not None
    said = list[str]()
    assert handing.run(engine, "take-over", Chosen(user="ana"), confirm=lambda _: True, say=said.append).changed == 1
    assert one(engine).handed_over_at is None and one(engine).refresh_due_at is not None
    assert one(engine, "bo").handed_over_at is not None
    assert said[-1] == "1 connections are refreshed here from now on."


def test_a_newer_export_of_the_other_system_takes_the_place_of_the_shadow(stage: Stage, tmp_path: Path) -> None:
    engine = registered(stage)
    bring(engine, lines(tmp_path / "monday.jsonl", row(), row("bo")), taking_over=False)
    before = one(engine)
    done = bring(engine, lines(tmp_path / "friday.jsonl", row(**tokens("ana-2")), row("bo")))

    assert done.counts == {"replaced": 1, "taken_over": 1, "done before": 0}
    after = one(engine)
    assert (after.id, after.handed_over_at) == (before.id, None)
    assert opened(engine, after).access_token.reveal() == f"at-ana-2-{CANARY}"
    assert one(engine, "bo").handed_over_at is None


@pytest.mark.parametrize("taking_over", [True, False])
def test_a_file_that_is_imported_again_never_puts_back_a_spent_token(stage: Stage, tmp_path: Path, taking_over: bool) -> None:
    engine, file = registered(stage), lines(tmp_path / "rows.jsonl", row())
    bring(engine, file)
    refreshed(stage)
    before = one(engine)
    done = bring(engine, file, taking_over=taking_over, report=tmp_path / "another.jsonl")  # without the state, every row is looked at again

    assert done.counts == {"left": 1, "done before": 0} and one(engine) == before


def test_the_same_row_again_is_the_same_connection(stage: Stage, tmp_path: Path) -> None:
    engine = registered(stage, auth_methods=("oauth", "api_key"))
    file = lines(
        tmp_path / "rows.jsonl", row(), {"provider": "acme", "user_id": "bo", "access_token": CANARY}, {"provider": "acme", "user_id": "cy"}, {"provider": "acme", "user_id": "di", "api_key": CANARY}
    )
    bring(engine, file)
    before = connections(stage)
    again = bring(engine, file)
    assert again.counts == {"done before": 4}
    lost = bring(engine, file, report=tmp_path / "another.jsonl")

    assert lost.counts == {"already": 4, "done before": 0} and connections(stage) == before


def test_what_is_connected_here_with_other_tokens_is_left_alone(stage: Stage, tmp_path: Path) -> None:
    engine = registered(stage)
    bring(engine, lines(tmp_path / "first.jsonl", row()))
    before = one(engine)
    done = bring(engine, lines(tmp_path / "second.jsonl", row(**tokens("other"))))

    assert done.counts["refused"] == 1 and not done.is_done and one(engine) == before
    assert f"({before.id})" in report(done)[0]["detail"]


def test_a_connection_whose_grant_is_dead_gets_the_tokens_of_the_file(stage: Stage, tmp_path: Path) -> None:
    engine = registered(stage)
    bring(engine, lines(tmp_path / "first.jsonl", {"provider": "acme", "user_id": "ana"}))
    waiting = one(engine)
    done = bring(engine, lines(tmp_path / "second.jsonl", row()))

    assert done.counts["replaced"] == 1 and (one(engine).id, one(engine).state) == (waiting.id, "connected")


@pytest.mark.parametrize("taking_over", [True, False])
def test_a_refresh_token_that_another_connection_holds_is_refused_until_that_one_is_handed_over(stage: Stage, tmp_path: Path, taking_over: bool) -> None:
    engine = registered(stage)
    bring(engine, lines(tmp_path / "first.jsonl", row("ana")))
    stolen = lines(tmp_path / "second.jsonl", row("eve", **tokens("ana")))
    done = bring(engine, stolen, taking_over=taking_over)

    assert done.counts["refused"] == 1 and found(engine, "eve") == []
    assert "Another connection holds this refresh token already" in report(done)[0]["detail"]
    handing.run(engine, "hand-over", Chosen(user="ana"), confirm=lambda _: True, say=lambda _: None)
    assert bring(engine, stolen, taking_over=taking_over).counts["imported"] == 1
    if taking_over:
        left = handing.run(engine, "take-over", Chosen(user="ana"), confirm=lambda _: True, say=lambda _: None)
        assert left.changed == 0 and "Another connection holds" in left.left[one(engine).id]
        assert one(engine).handed_over_at is not None


def test_several_accounts_of_one_owner_keep_their_places(stage: Stage, tmp_path: Path) -> None:
    engine = registered(stage)

    def rows(generation: int) -> list[dict[str, Any]]:
        return [row(connected_account_id=f"acc_{n}", created_at=f"202{n}-01-01T00:00:00Z", **tokens(f"{n}-{generation}")) for n in (3, 1, 2)]

    bring(engine, lines(tmp_path / "monday.jsonl", *rows(1)), taking_over=False)
    before = {each.account: each for each in found(engine)}
    assert len(before) == 3 and opened(engine, before[COMPATIBILITY]).access_token.reveal().startswith("at-1-1")  # the oldest
    assert [each.account for each in found(engine)] == sorted(before, key=lambda account: (account != COMPATIBILITY, account))
    done = bring(engine, lines(tmp_path / "friday.jsonl", *reversed(rows(2))))

    assert done.counts["replaced"] == 3
    after = {each.account: each for each in found(engine)}
    assert {account: each.id for account, each in after.items()} == {account: each.id for account, each in before.items()}
    for account, each in after.items():
        assert opened(engine, each).access_token.reveal() == opened(engine, before[account]).access_token.reveal().replace("-1-canary", "-2-canary")


def test_roles_are_kept_and_an_owner_has_no_more_accounts_than_there_may_be(stage: Stage, tmp_path: Path) -> None:
    engine = registered(stage)
    file = lines(tmp_path / "rows.jsonl", *(row(connected_account_id=f"acc_{n}", connection_role="standard", **tokens(str(n))) for n in range(21)))
    done = bring(engine, file)

    assert done.counts == {"imported": 20, "refused": 1, "done before": 0}
    assert {each.role for each in found(engine)} == {"standard"}


def test_nango_keeps_what_the_provider_has_fields_for(stage: Stage, tmp_path: Path) -> None:
    engine = registered(stage)
    engine.registrations.create("salesforce", migrations_change(scopes=("api",)))
    credentials = {"type": "OAUTH2", **tokens("ana"), "raw": {"instance_url": "https://north.example", "secret": CANARY}}
    entry = {"connection_id": "c-1", "provider_config_key": "sf-prod", "end_user": {"id": "ana"}, "connection_config": {"whatever": "x"}, "credentials": credentials}
    bring(engine, lines(tmp_path / "nango.json", {"connections": [entry]}), format="nango", slugs={"sf-prod": "salesforce"})

    connection = one(engine, slug="salesforce")
    assert (connection.metadata, connection.config) == ({"instance_url": "https://north.example"}, {})


def test_no_secret_is_in_anything_but_the_file(stage: Stage, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    engine, said = registered(stage, auth_methods=("oauth", "api_key")), list[str]()
    bring(engine, lines(tmp_path / "first.jsonl", row("ana")))
    file = lines(tmp_path / "rows.jsonl", row("eve", **tokens("ana")), row("bo"), {"provider": "acme", "user_id": "cy", "api_key": CANARY}, row("di", expires_at=CANARY))
    done = bring(engine, file, said=said, skip_bad=True)

    assert done.counts == {"imported": 2, "refused": 1, "done before": 0}
    written = [path for path in plain_files(tmp_path) if ".report.jsonl" in path.name]
    assert len(written) == 4 and all(path.stat().st_mode & 0o077 == 0 for path in written)
    for text in (*(path.read_text() for path in written), *said, *capfd.readouterr()):
        assert CANARY not in text
    assert CANARY.encode() not in json.dumps(everything(stage), default=repr).encode()
