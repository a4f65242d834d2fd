"""Runs the machine with a seed of its own that is printed at the start and with a failure."""

import os
import random
import sys
from typing import Any

from hypothesis import HealthCheck, Phase, core, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.machine.machine import Machine
from tests.machine.world import Setting

EXAMPLES = "STANDPIPE_MACHINE_EXAMPLES"
STEPS = 30


def run(setting: Setting, test: str, examples: int) -> None:
    """Raises what the machine found, with the steps that led there and how to take them again."""
    chosen = core.global_force_seed if core.global_force_seed is not None else random.SystemRandom().getrandbits(32)
    examples = int(os.environ.get(EXAMPLES, examples))
    again = f"{EXAMPLES}={examples} .venv/bin/python -m pytest -n 0 '{test}' --hypothesis-seed={chosen}"
    _say(again)
    try:
        run_with(setting, chosen, examples)
    except BaseException as error:
        error.add_note(f"once more: {again}")
        raise
    finally:
        _say(f"reached {dict(setting.reached.most_common())}")


def run_with(setting: Setting, chosen: int, examples: int) -> None:
    machine = seed(chosen)(type("Run", (Machine,), {"setting": setting}))
    run_state_machine_as_test(machine, settings=_settings(examples))


def _settings(examples: int) -> Any:
    """Nothing is shrunk: a step is real requests, and minutes of them make a run of thirty steps little shorter."""
    return settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
    )


def _say(text: str) -> None:
    # Past pytest's capture, and past the worker processes it may run in.
    print(f"machine: {text}", file=sys.__stderr__, flush=True)
