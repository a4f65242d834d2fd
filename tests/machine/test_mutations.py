"""The machine can fail: each small mistake in the protocol is found, and by the promise that it breaks."""

import pytest

from tests.machine.mutations import MUTATIONS, Mutation
from tests.machine.running import run_with
from tests.machine.world import Setting, Violation

SEED = 20260101  # one that is kept: what is shown here is that the mistakes can be found, and not luck
ENOUGH = 60


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_a_mistake_in_the_protocol_is_found(mutation: Mutation, strict: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    mutation(monkeypatch)
    with pytest.raises(Violation) as found:
        run_with(strict, SEED, ENOUGH)
    assert MUTATIONS[mutation] in str(found.value)
