"""The probe of the processor's speed: it computes what it says, on every instruction set."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from tests.kernels.harness import FLOATS, ISAS, TABLES

COVERED = {f"probe_fma_{suffix}" for suffix in FLOATS}


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("suffix", FLOATS)
@pytest.mark.parametrize("steps", [0, 1, 7])
def test_chains_of_exact_numbers(isa: str, suffix: str, steps: int) -> None:
    """x = 1/2 and y = 3 keep all numbers short, so that they are exact in both precisions."""
    chains = [Fraction(i) for i in range(10)]
    for _ in range(steps):
        chains = [chain / 2 + 3 for chain in chains]
    flops = np.zeros(1, np.int64)
    result = TABLES[isa][f"probe_fma_{suffix}"](steps, 0.5, 3.0, flops)
    assert result == float(sum(chains))
    lanes = {"baseline": 16, "avx2": 32, "avx512": 64}[isa] // FLOATS[suffix].itemsize
    assert flops[0] == 2 * 10 * lanes
