"""Operands of elementwise chains that are walked along some axes only."""

from __future__ import annotations

import numpy as np
import pytest

import ranvier as rv
from ranvier import ops

# Of two operands. Blocks have 1,024 elements and tasks several blocks: both end within rows of every kind.
SHAPES = [
    ((3, 40, 1, 16), (3, 1, 40, 16)),  # every pair of rows, as in attention
    ((200, 1, 16), (1, 70, 16)),
    ((200, 1, 3), (70, 3)),
    ((64, 50, 8), (64, 1, 8)),
    ((64, 50, 8), (64, 50, 1)),
    ((64, 1, 8), (1, 50, 1)),
    ((7, 1, 30, 1), (1, 11, 1, 5)),
    ((5, 1, 3, 1, 2), (1, 400, 1, 3, 1)),
    ((5000, 1), (1, 3)),
    ((1, 3, 1), (700, 1, 3)),
    ((3, 1, 300), (1, 50, 300)),  # rows as long as these are walked one by one
    ((3, 1, 2000), (1, 5, 1)),
]


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "bool"])
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_broadcasts(shapes, dtype):
    rng = np.random.default_rng(0)
    a, b = (rng.integers(0, 2 if dtype == "bool" else 1000, shape).astype(dtype) for shape in shapes)
    expected = np.logical_xor(a, b) if dtype == "bool" else a - b
    got = rv.jit(lambda x, y: ops.logical_xor(x, y) if dtype == "bool" else x - y)(a, b)
    np.testing.assert_array_equal(got, expected)
    if dtype == "float32":  # a chain, with both orders of operands and an operand as large as the result
        chain = rv.jit(lambda x, y, z: (y * 2.0 - x) * z + (x - y))
        z = rng.normal(size=expected.shape).astype(dtype)
        np.testing.assert_allclose(chain(a, b, z), (b * 2 - a) * z + (a - b), rtol=1e-6, atol=1e-3)
