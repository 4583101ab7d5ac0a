"""No kernel without a test, and the test's own door to the kernels."""

from __future__ import annotations

import numpy as np
import pytest
from tests.kernels import (
    test_elementwise,
    test_gather,
    test_gemm,
    test_gemm_bf16,
    test_pairs,
    test_pool,
    test_probe,
    test_random,
    test_reduce,
    test_softmax,
)
from tests.kernels.harness import ISAS, KERNELS, REFERENCE, TABLES

FAMILIES = (
    test_elementwise,
    test_gather,
    test_gemm,
    test_gemm_bf16,
    test_pairs,
    test_pool,
    test_probe,
    test_random,
    test_reduce,
    test_softmax,
)


def test_every_kernel_has_its_tests() -> None:
    """A new row of kernels.def must be added to a family's COVERED, together with its tests."""
    covered = set().union(*(family.COVERED for family in FAMILIES))
    for isa in ISAS:
        assert set(TABLES[isa]) == covered
    # References: not of fill (NumPy has it), pairs (their two operations), probes, parts of a product
    # (it has its own).
    without = {"fill", "ew_pair_lookup"}
    assert set(REFERENCE) == {name for name in covered - without if not name.startswith(("gemm_", "probe_"))}


def test_instruction_sets_are_those_of_this_processor() -> None:
    from ranvier import _core

    assert list(ISAS) == _core.build_info()["isas_supported"]
    with pytest.raises(ValueError, match="Instruction set 'sse9'"):
        KERNELS.table("sse9")


def test_arguments_are_checked() -> None:
    fn = TABLES[ISAS[0]]["softmax_f32"]
    x = np.ones((2, 3), np.float32)
    with pytest.raises(TypeError, match="takes 4 arguments, got 3"):
        fn(2, 3, x)
    with pytest.raises(TypeError, match="Expected an array of float32"):
        fn(2, 3, x.astype(np.float64), x)
    with pytest.raises(TypeError, match="takes an array or None"):
        fn(2, 3, [1.0], x)
    x.flags.writeable = False
    with pytest.raises(ValueError, match="not writeable"):
        fn(2, 3, x, x)
