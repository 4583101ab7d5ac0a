"""NumPy's indexing on tensors: the same elements, gradients where they came from, and refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.tracing import run_traced, traced_gradient

import ranvier as rv
from ranvier import ops

X = np.arange(120, dtype="float32").reshape(4, 5, 6)
ROW, COLUMN = np.array([0, -1]), np.array([[0], [2], [1]])
MASK = np.array([True, False, True, True])
KEYS = (
    np.s_[2],
    np.s_[-1, 0, 3],
    np.s_[::2, ::-1],
    np.s_[5:1:-2, 10:],
    np.s_[..., None, ::-3],
    np.s_[None, 1, ..., 2:4],
    np.s_[()],
    np.s_[[1, 1, 3]],
    np.s_[[]],
    np.s_[COLUMN],
    np.s_[:, ROW],
    np.s_[..., COLUMN],
    np.s_[ROW, COLUMN],
    np.s_[:, ROW, COLUMN],
    np.s_[1:, COLUMN, ROW],
    np.s_[ROW, :, COLUMN],
    np.s_[ROW, None, COLUMN],
    np.s_[ROW, COLUMN, [1]],
    # Integers count as arrays where there are any, so a slice between sends the places to the front.
    np.s_[0, :, ROW],
    np.s_[:, 0, ROW],
    np.s_[ROW, :, 0],
    np.s_[ROW, 0],
    np.s_[0, None, ROW, ::2],
    np.s_[np.uint8([3, 0]), ..., np.int64([[5], [1]])],
    np.s_[MASK],
    np.s_[MASK, np.array([0, 1, 2])],
    np.s_[:, np.ones((5, 6), bool)],
    np.s_[np.array(2)],
)


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_same_elements_as_numpy(key: Any) -> None:
    expected = np.asarray(X[key])
    for found in (ops.get_item(X, key), rv.Variable(X)[key], run_traced(lambda x: x[key], X)):
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
    counts = np.zeros_like(X)
    np.add.at(counts, key, 1.0)
    np.testing.assert_array_equal(traced_gradient(lambda x: x[key], [X]), counts)


@pytest.mark.parametrize("at", [np.s_[0], np.s_[:, 0], np.s_[0, :, 0]], ids=str)
def test_tensors_as_indices(at: Any) -> None:
    def take(x: Any, i: Any, j: Any) -> Any:
        keys = iter((i, j))
        return x[tuple(next(keys, 1) if k == 0 else k for k in (at if isinstance(at, tuple) else (at,)))]

    i, j = ROW.astype("int32"), COLUMN.astype("int64")
    np.testing.assert_array_equal(run_traced(take, X, i, j), take(X, i, j))


def test_an_index_out_of_range() -> None:
    for key in (
        np.s_[4],
        np.s_[:, -6],
        np.s_[ROW, np.array([0, 5])],
        np.s_[np.array([4])],
        np.s_[0, 0, 0, 0],
    ):
        with pytest.raises(IndexError):
            run_traced(lambda x, key=key: x[key], X)
    # Of a tensor it is known when the program runs; a place outside of one axis is none in the next.
    with pytest.raises(ValueError, match="outside"):
        run_traced(lambda x, i: x[i, i], X, np.int32([0, 4]))


def test_keys_that_are_refused() -> None:
    for key, message in ((1.0, "float"), ("a", "numbers"), (True, "boolean"), (np.float32([1]), "float32")):
        with pytest.raises(TypeError, match=message):
            run_traced(lambda x, key=key: x[key], X)
    with pytest.raises(TypeError, match=r"test_subscript\.py:\d+: A boolean index"):
        run_traced(lambda x: x[x > 1], X)
    with pytest.raises(IndexError, match="single ellipsis"):
        run_traced(lambda x: x[..., ...], X)
    with pytest.raises(ValueError, match="broadcast"):
        run_traced(lambda x: x[np.array([0, 1]), np.array([0, 1, 2])], X)
