from __future__ import annotations

import numpy as np
import pytest

from ranvier.core.keras_tensor import KerasTensor, is_keras_tensor, standardize_shape


def test_attributes():
    t = KerasTensor((None, 3), dtype="int32", name="t")
    assert (t.shape, t.dtype, t.ndim, t.name) == ((None, 3), "int32", 2, "t")
    assert "shape=(None, 3)" in repr(t) and is_keras_tensor(t) and not is_keras_tensor(np.ones(2))


@pytest.mark.parametrize(
    "use", [float, int, bool, len, iter, np.asarray], ids=["float", "int", "bool", "len", "iter", "array"]
)
def test_it_has_no_value(use):
    with pytest.raises((ValueError, TypeError, NotImplementedError), match="symbolic"):
        use(KerasTensor((2,)))


@pytest.mark.parametrize("flag", ["sparse", "ragged"])
def test_sparse_and_ragged_are_refused_by_name(flag):
    with pytest.raises(ValueError, match=flag):
        KerasTensor((2,), **{flag: True})


@pytest.mark.parametrize("shape", [3, None, "ab", (3, -1), (2.5,), (True,)])
def test_bad_shapes(shape):
    with pytest.raises(ValueError):
        standardize_shape(shape)


def test_shapes_take_numpy_integers():
    assert standardize_shape([np.int64(3), None]) == (3, None)
