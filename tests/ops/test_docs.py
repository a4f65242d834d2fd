"""docs/deploy.md against what it describes."""

import json
import re
from dataclasses import MISSING, fields
from pathlib import Path

from chalicelib.domain.settings import PREFIX, Settings
from tests.ops.iam import Role

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "deploy.md").read_text()
CONFIG = json.loads((ROOT / ".chalice" / "config.json").read_text())


def rows(first: str) -> dict[str, list[str]]:
    """Rows of the tables whose first cell is code: by that code, the other cells."""
    found = {}
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `") and re.match(first, cells[0].strip("`")):
            for name in re.findall(r"`([^`]+)`", cells[0]):
                found[name] = cells[1:]
    return found


def test_every_setting_is_explained_with_its_default() -> None:
    explained = rows(PREFIX)
    assert set(explained) == {f"{PREFIX}{field.name.upper()}" for field in fields(Settings)}
    for field in fields(Settings):
        default = explained[f"{PREFIX}{field.name.upper()}"][0]
        if field.default is MISSING:
            assert default in ("none", "written")
        else:
            shown = {(): "empty", False: "`false`"}.get(field.default, f"`{field.default}`")
            assert default == shown, field.name


def test_everything_in_the_configuration_is_explained() -> None:
    explained = rows("")
    names = {name for name in CONFIG if name not in ("version", "app_name", "stages")}
    for section in CONFIG["stages"].values():
        for name, value in section.items():
            if name != "environment_variables":
                names |= {f"{name}.{inner}" for inner in value} if isinstance(value, dict) else {name}
    assert names <= set(explained)


def test_every_statement_of_the_role_is_explained() -> None:
    role = Role("ApiRole", "prod", "sandbox", "arn:aws:kms:us-east-1:000000000000:key/k")
    assert {statement["Sid"] for statement in role.statements} <= set(rows("[A-Z]"))
