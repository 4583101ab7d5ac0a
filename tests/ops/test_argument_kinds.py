"""Counts, axes and shapes of every kind that NumPy takes."""

import numpy as np
import pytest

from ranvier import ops

X = np.arange(24.0, dtype="float32").reshape(2, 3, 4)


@pytest.mark.parametrize("split", [ops.split, ops.array_split])
@pytest.mark.parametrize("three", [3, np.int64(3), np.array(3)])
def test_an_array_of_rank_0_is_a_count_of_parts(split, three):
    parts = split(X, three, axis=1)
    assert [part.shape for part in parts] == [(2, 1, 4)] * 3
    assert [part.shape for part in split(X, np.array([1]), axis=1)] == [(2, 1, 4), (2, 2, 4)]


@pytest.mark.parametrize("axes", [(0, 1), [0, 1], np.array([0, 1]), range(2)])
def test_several_axes(axes):
    assert ops.expand_dims(X, axes).shape == (1, 1, 2, 3, 4)
    assert ops.zeros(axes).shape == (0, 1)
