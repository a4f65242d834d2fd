"""docs/cases.md: every fault has a test, and every test it names exists."""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).resolve().parent
PAGE = (TESTS.parent / "docs" / "cases.md").read_text()
CASES = {*range(1, 36), *range(52, 63), 64, 66, 67, 69}


def rows() -> dict[int, list[str]]:
    """The tests of each case."""
    found = {}
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        for number in re.findall(r"\d+", cells[0]) if re.match(r"^[\d, ]+$", cells[0]) else []:
            found[int(number)] = re.findall(r"`(test_\w+)`", cells[-1])
    return found


def test_every_case_has_a_test() -> None:
    assert {number for number, tests in rows().items() if tests} == CASES


def test_every_test_on_the_page_exists() -> None:
    known = {node.name for file in TESTS.rglob("test_*.py") if "node_modules" not in file.parts for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.FunctionDef)}

    assert {name for tests in rows().values() for name in tests} - known == set()
