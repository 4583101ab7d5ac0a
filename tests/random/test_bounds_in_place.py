"""Draws are scaled and shifted in place, with the values of the separate operations."""

from __future__ import annotations

import numpy as np
import pytest

import ranvier as rv


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(), (0, 3), (5,), (300, 517)])
def test_the_values_are_those_of_multiply_and_add(shape, dtype):
    options = {"dtype": dtype, "seed": 5}
    unit = rv.random.uniform(shape, **options)
    expected = unit * np.asarray(0.75 - -0.3, dtype) + np.asarray(-0.3, dtype)
    np.testing.assert_array_equal(rv.random.uniform(shape, -0.3, 0.75, **options), expected)
    standard = rv.random.normal(shape, **options)
    expected = standard * np.asarray(0.3, dtype) + np.asarray(2.1, dtype)
    drawn = rv.random.normal(shape, 2.1, 0.3, **options)
    np.testing.assert_array_equal(drawn, expected)
    assert drawn.dtype == dtype and drawn.shape == shape
