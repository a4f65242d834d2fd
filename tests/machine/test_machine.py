"""Whatever is done to a vault, in any order, and whatever breaks meanwhile: a live grant stays, a token returned is good, and each edge is told once.

A run prints its seed; `--hypothesis-seed=N` repeats it. STANDPIPE_MACHINE_EXAMPLES=500 looks longer.
"""

import pytest

from tests.machine.running import run
from tests.machine.world import Setting


@pytest.mark.parametrize("provider", ["strict", "strict_in_node", "grace"])
def test_no_grant_is_lost_that_was_not_really_lost(provider: str, request: pytest.FixtureRequest) -> None:
    setting: Setting = request.getfixturevalue(provider)
    run(setting, request.node.nodeid, examples=12)
