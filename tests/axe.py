"""axe-core on a page as it is: WCAG 2.2 AA and what axe holds to be good practice.

Rule: the package is `frontend/`'s, installed from its lockfile if it is missing.
"""

from functools import cache

from playwright.sync_api import Page

from tests.cloud import ROOT
from tests.peers.node import ensure_node_packages

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Fading in is not how a page looks; what turns for ever is.
SETTLED = """() => Promise.all(
  [document, ...[...document.querySelectorAll('*')].flatMap(each => each.shadowRoot ?? [])]
    .flatMap(root => root.getAnimations({ subtree: true }))
    .filter(each => each.effect.getComputedTiming().iterations !== Infinity)
    .map(each => each.finished))"""


@cache
def _source() -> str:
    return (ensure_node_packages(ROOT / "frontend") / "node_modules" / "axe-core" / "axe.min.js").read_text()


def findings(page: Page) -> list[str]:
    """What axe has to say, a line for each element it says it of."""
    page.evaluate(_source())
    page.evaluate(SETTLED)
    found = page.evaluate("rules => axe.run(document, { runOnly: rules })", RULES)
    return [f"{each['id']}: {node['target']} {node.get('failureSummary')}" for each in found["violations"] for node in each["nodes"]]
