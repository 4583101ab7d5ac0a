"""Largest errors of unary operations, over a dense sample of all float32 and around borders of regions.

bench/ulp_sweep.py takes every float32; docs/numerics.md has its table, from which the bounds are.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from tests.kernels.harness import KERNELS, TABLES

BENCH = Path(__file__).parents[2] / "bench"
STRIDE = 1009  # prime, so that every pattern of low bits comes up
AROUND = 300  # floats on each side of a border

# Every other operation is correctly rounded.
BOUNDS = {
    "rsqrt": 1.50,
    "exp": 1.00,
    "expm1": 0.89,
    "log": 0.87,
    "log1p": 1.42,
    "sin": 0.501,
    "cos": 0.501,
    "tanh": 1.34,
    "sigmoid": 1.97,
    "softplus": 1.69,
    "erf": 1.00,
    "erfc": 1.63,
    "erfinv": 1.59,
    "arctan": 1.85,
}
# Where the kernels take another course, and where results become 0, denormal, 1 or infinite.
BORDERS = [0.0, 1.2e-38, 2.0**-26, 2.0**-13, 0.3466, 0.4142, 0.5, 0.625, 0.70711, 0.8814, 1.0, 1.4142, 2.0]
BORDERS += [3.92, 4.0, 9.02, 10.0, 16.6, 50.0, 87.34, 88.73, 89.0, 103.98, 104.0, 2.0**21, 2.0**24, 2.0**40]


@pytest.fixture
def sweep(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCH))
    import ulp_sweep

    return ulp_sweep


def sample() -> np.ndarray:
    """Every STRIDE-th float32, and those around the borders of both signs."""
    centres = np.array(BORDERS + [-border for border in BORDERS] + [np.inf, -np.inf], np.float32)
    near = centres.view(np.uint32)[:, None] + np.arange(-AROUND, AROUND + 1)
    dense = np.arange(0, 2**32, STRIDE)
    return np.concatenate([dense, near.ravel() % 2**32]).astype(np.uint32).view(np.float32)


def test_a_dense_sample_is_within_the_measured_errors(sweep: ModuleType) -> None:
    x = sample()
    table = TABLES[KERNELS.isas[-1]]
    for op in sweep.UNARY:
        worst, at = -1.0, np.float32(0)
        for part in np.array_split(x, len(x) // sweep.CHUNK + 1):
            with np.errstate(all="ignore"):
                exact = sweep.apply(table, op, part.astype(np.float64))
                error, i = sweep.largest_error(sweep.apply(table, op, part), exact)
            if error > worst:
                worst, at = error, part[i]
        assert worst <= BOUNDS.get(op, 0.5), f"{op} of {at!r}: {worst} ulp"


def test_the_largest_error_is_found(sweep: ModuleType) -> None:
    exact = np.linspace(1.0, 2.0, 1000)
    actual = exact.astype(np.float32)
    assert sweep.largest_error(actual, exact)[0] == sweep.HALF
    for steps, nan in ((1, False), (3, False), (1, True)):
        wrong = actual.copy()
        wrong[77] = wrong[77] + np.float32(steps * 2.0**-23)
        truth = exact.copy()
        if nan:  # two NaN of different signs are equal, and hide nothing
            wrong[5], truth[5] = -np.float32(np.nan), np.nan
        error, at = sweep.largest_error(wrong, truth)
        assert at == 77
        assert steps - 0.5 <= error <= steps + 0.5
    wrong = actual.copy()
    wrong[9] = np.nan
    assert sweep.largest_error(wrong, exact) == (np.inf, 9)
    assert sweep.largest_error(np.float32([0.0]), np.float64([-0.0]))[0] == np.inf
