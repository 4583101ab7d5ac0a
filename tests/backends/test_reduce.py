"""Long reductions are shared out over threads without a change of bits; groups of axes follow one another."""

from __future__ import annotations

import numpy as np
import pytest
from tests.kernels.harness import ISAS, TABLES, assert_same_bits

from ranvier import ops

OPS = ("sum", "prod", "max", "min", "argmax", "argmin")
# One or several chunks along the axis, with and without a ragged one; tall, narrow, wide and many.
SHAPES = [
    (1, 300_001, 1),
    (3, 200_000, 1),
    (1, 70_001, 5),
    (2, 40_000, 33),
    (1, 257, 3000),
    (5, 129, 700),
    (1500, 70, 3),
]


def one_call(op: str, x: np.ndarray) -> np.ndarray:
    """The kernel's result for the whole array at once."""
    outer, rows, inner = x.shape
    table = TABLES[ISAS[0]]
    if op.startswith("arg"):
        out = np.empty((outer, inner), np.int32)
        fn = table["arg_reduce_lookup"](op == "argmax", x.dtype.name, "int32")
    else:
        out = np.empty((outer, inner), x.dtype)
        fn = table["reduce_lookup"](op, x.dtype.name)
    fn(rows, inner, 0, outer, 0, inner, x, out)
    return out


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
@pytest.mark.parametrize("shape", SHAPES)
def test_chunks_give_the_bits_of_one_call(shape: tuple[int, int, int], dtype: str) -> None:
    rng = np.random.default_rng(0)
    x = (rng.normal(size=shape) * 1000).astype(dtype)
    for op in OPS:
        assert_same_bits(np.asarray(getattr(ops, op)(x, axis=1)), one_call(op, x), f"{op} of {shape} {dtype}")
    ties = np.minimum(x, np.percentile(x, 90).astype(dtype))  # the first of many equal extremes
    np.testing.assert_array_equal(ops.argmax(ties, axis=1), ties.argmax(axis=1))
    if dtype != "int32":
        x[:, shape[1] // 2 :: 1000] = np.nan
        for op in OPS:
            assert_same_bits(
                np.asarray(getattr(ops, op)(x, axis=1)), one_call(op, x), f"{op} of {shape} with NaN"
            )


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("axes", [(0, 2), (0, 2, 4), (1, 3), (0, 1, 3), (1, 4), (2, 3), (0, 1, 2, 3, 4), ()])
def test_groups_of_axes(axes: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    for shape in ((6, 5, 4, 3, 7), (40, 1, 30, 1, 90), (3, 50, 2, 64, 20), (2, 0, 3, 2, 2)):
        x = rng.integers(-100, 100, shape).astype("float32")  # sums are exact in any order
        np.testing.assert_array_equal(ops.sum(x, axis=axes), x.sum(axis=axes))
        if x.size:
            np.testing.assert_array_equal(ops.max(x, axis=axes), x.max(axis=axes))
            np.testing.assert_array_equal(ops.any(x > 98, axis=axes), (x > 98).any(axis=axes))
