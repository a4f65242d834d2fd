"""The commands `import` and `take-over` as an operator runs them."""

from pathlib import Path

from tests.cloud import Stage
from tests.ops.migrations import CANARY, LATER, command, found, one, registered


def test_the_command_says_what_is_missing_and_then_does_it(stage: Stage, tmp_path: Path) -> None:
    engine = registered(stage)
    file = tmp_path / "rows.csv"
    file.write_text(f"provider,user_id,access_token,refresh_token,expires_at\nacme-x,ana,a-{CANARY},r-{CANARY},{LATER}\n")
    words = ("import", str(file), "--stage", "t", "--format", "csv")
    unsaid = command(stage, *words, "--map", "acme-x=acme")
    assert unsaid.returncode == 1 and "--taking-over" in unsaid.stderr and "Traceback" not in unsaid.stderr
    unmapped = command(stage, *words, "--shadow")
    assert unmapped.returncode == 1 and "--map acme-x=…" in unmapped.stdout
    assert command(stage, *words, "--map", "acme-x=acme", "--dry-run").returncode == 0 and found(engine) == []
    done = command(stage, *words, "--map", "acme-x=acme", "--shadow")
    assert done.returncode == 0 and "1 of 1 done" in done.stdout and one(engine).handed_over_at is not None
    unsure = command(stage, "take-over", "--stage", "t")
    assert unsure.returncode == 1 and "Say --yes" in unsure.stderr and one(engine).handed_over_at is not None
    assert command(stage, "take-over", "--stage", "t", "--yes").returncode == 0 and one(engine).handed_over_at is None
    for each in (unsaid, unmapped, done, unsure):
        assert CANARY not in each.stdout + each.stderr
