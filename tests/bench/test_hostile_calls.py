"""The attack with hostile calls: it passes, can be repeated, and sees words that are not ours."""

from __future__ import annotations

import importlib
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FOLDER = Path(__file__).parents[2] / "bench" / "attacks"


@pytest.fixture(scope="module")
def modules() -> Any:
    """The modules calls, hostile and victim of the attack."""
    sys.path.insert(0, str(FOLDER))
    try:
        yield [importlib.import_module(name) for name in ("calls", "hostile", "victim")]
    finally:
        sys.path.remove(str(FOLDER))


@pytest.fixture
def state(modules: Any) -> Any:
    with np.errstate():  # which it changes
        yield modules[0].prepare()


def test_a_few_calls() -> None:
    done = subprocess.run(
        [sys.executable, FOLDER / "calls.py", "--count", "400", "--seed", "4"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("calls: 400 cases in ")
    counts = {line.split()[0]: int(line.split()[-1]) for line in done.stdout.splitlines()[1:3]}
    assert min(counts["accepted"], counts["refused"]) > 80  # neither all right nor all wrong


def test_every_room_of_the_api_is_attacked(state: Any) -> None:
    names = {target.name for target in state.targets}
    assert len(names) == len(state.targets) > 600
    assert names >= {
        "ops.matmul",
        "layers.Dense",
        "metrics.Precision",
        "optimizers.Adam",
        "losses.Huber",
        "Model",
    }
    assert not names & {"utils.get_file", "utils.clear_session", "utils.set_random_seed"}


def test_values_can_be_repeated_and_are_of_many_kinds(modules: Any) -> None:
    def drawn(seed: int) -> list[Any]:
        values = modules[1].Values(random.Random(seed), lambda shape, dtype: (shape, dtype))
        return [values.hostile() for _ in range(400)]

    assert [type(value) for value in drawn(1)] == [type(value) for value in drawn(1)]
    assert len({type(value) for value in drawn(1)}) > 25


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (ValueError("said in words"), None),
        (IndexError("not in the docstring"), "undocumented exception"),
        (OverflowError("int too large to convert to float"), "undocumented exception"),
        (OverflowError("`k` does not fit 64 bits."), None),
        (MemoryError(), "undocumented exception"),
        (np.exceptions.AxisError("of NumPy's"), "undocumented exception"),
        (KeyError("of Python's"), "undocumented exception"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_a_call_ends_with_is_judged(modules: Any, state: Any, error: Exception, fault: Any) -> None:
    calls, _, victim = modules

    def function(x: Any) -> None:
        raise error

    target = calls.Target("ops.function", function, calls.drive_function)
    only = calls.State([target], [1.0], state.tensor)
    kind, what = victim._run_case(calls.ATTACK, only, victim._case(1, 1, victim.Board()))
    assert (kind, what) == ("refused", type(error).__name__) if fault is None else kind == fault
