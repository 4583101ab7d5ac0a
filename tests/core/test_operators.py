"""Python's and NumPy's operators on tensors and variables."""

from __future__ import annotations

import operator

import numpy as np
import pytest

import ranvier as rv
from ranvier import ops

A, B = np.float32([3, 4, 5]), np.float32([2, 4, 8])
ARITHMETIC = ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"]
COMPARISONS = ["eq", "ne", "lt", "le", "gt", "ge"]


@pytest.mark.parametrize("name", ARITHMETIC + COMPARISONS)
def test_an_array_and_a_tensor_in_either_order(name: str) -> None:
    fn = getattr(operator, name)
    expected = fn(A, B)
    variable = rv.Variable(B)
    for value in (rv.jit(lambda t: fn(A, t))(B), rv.jit(lambda t: fn(t, B))(A), fn(A, variable)):
        np.testing.assert_array_equal(value, expected)
        assert value.dtype == expected.dtype


@pytest.mark.parametrize("name", ["and_", "or_", "xor"])
def test_booleans(name: str) -> None:
    fn, a, b = getattr(operator, name), np.array([True, True, False]), np.array([True, False, False])
    np.testing.assert_array_equal(rv.jit(lambda t: fn(a, t))(b), fn(a, b))


def test_functions_of_numpy_take_variables_as_arrays() -> None:
    v = rv.Variable(A)
    np.testing.assert_array_equal(np.exp(v), np.exp(A))
    np.testing.assert_array_equal(np.maximum(B, v), np.maximum(A, B))
    assert np.add.reduce(v) == 12
    total = B.copy()
    total += v
    np.testing.assert_array_equal(total, A + B)


@pytest.mark.parametrize("name", ["iadd", "isub", "imul", "itruediv", "ipow"])
def test_an_array_that_a_tensor_is_added_to_becomes_a_tensor(name: str) -> None:
    def step(t):
        total = start = np.ones_like(A)
        total = getattr(operator, name)(total, t)
        np.testing.assert_array_equal(start, 1.0)
        return total

    expected = getattr(operator, name)(np.ones_like(A), B)
    np.testing.assert_array_equal(rv.jit(step)(B), expected)
    with rv.GradientTape() as tape:
        t = tape.watch(B)
        np.testing.assert_array_equal(value := step(t), expected)
        total = ops.sum(value)
    assert tape.gradient(total, t) is not None
    with pytest.raises(TypeError, match=r"np\.add\(\.\.\., out=\.\.\.\)"):
        rv.jit(lambda t: np.add(A, t, out=np.empty_like(A)))(B)


def test_rounding() -> None:
    a = np.float32([1.26, 2.5, -0.4])
    for found in (round(rv.Variable(a), 1), rv.jit(lambda t: round(t, 1))(a)):
        np.testing.assert_allclose(found, [1.3, 2.5, -0.4], rtol=1e-6)
    assert rv.jit(lambda t: round(t))(a).tolist() == [1, 2, 0]
    assert round(rv.Input((3,))).shape == (None, 3)


def test_items_are_not_assigned() -> None:
    for value in (rv.Variable(A), rv.Input((3,))):
        with pytest.raises(TypeError, match=r"test_operators\.py:\d+: .*item assignment.*ops\.slice_update"):
            value[0] = 1.0
