from __future__ import annotations

import numpy as np
import pytest

from ranvier.datasets import digits


def test_shapes_types_and_range():
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    assert x_train.shape == (1437, 8, 8) and y_train.shape == (1437,)
    assert x_test.shape == (360, 8, 8) and y_test.shape == (360,)
    for array in (x_train, y_train, x_test, y_test):
        assert array.dtype == np.uint8
    assert x_train.min() == 0 and x_train.max() == 16
    # The class counts of the published data set.
    counts = np.bincount(np.concatenate([y_train, y_test]))
    assert counts.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_same_seed_same_split():
    (x1, y1), _ = digits.load_data(seed=7)
    (x2, y2), _ = digits.load_data(seed=7)
    (x3, _), _ = digits.load_data(seed=8)
    assert np.array_equal(x1, x2) and np.array_equal(y1, y2)
    assert not np.array_equal(x1, x3)


def test_split_is_a_partition():
    (x_train, _), (x_test, _) = digits.load_data(test_split=0.5)
    (everything, _), (nothing, _) = digits.load_data(test_split=0.0)
    assert len(nothing) == 0
    both = np.concatenate([x_train, x_test]).reshape(-1, 64)
    assert np.array_equal(np.unique(both, axis=0), np.unique(everything.reshape(-1, 64), axis=0))
    assert len(both) == len(everything) == 1797


@pytest.mark.parametrize("split", [-0.1, 1.0, float("nan")])
def test_refuses_a_split_outside_the_unit_interval(split):
    with pytest.raises(ValueError, match="test_split"):
        digits.load_data(test_split=split)
