"""Tensors without elements, however long their other axes: computed at once, or refused at once."""

from __future__ import annotations

import numpy as np
import pytest

import ranvier as rv
from ranvier import _core, ops

LONG = 2**40


def empty(*shape: int) -> np.ndarray:
    return np.zeros(shape, "float32")


RESULTS = {
    "lu": (lambda: ops.lu_factor(empty(LONG, 0, 0))[0], (LONG, 0, 0)),
    "svd": (lambda: ops.svd(empty(0, 2**33), full_matrices=False)[2], (0, 2**33)),
    "softmax": (lambda: ops.softmax(empty(LONG, 0)), (LONG, 0)),
    "add": (lambda: ops.add(empty(LONG, 0), empty(0)), (LONG, 0)),
    "transpose": (lambda: ops.transpose(empty(LONG, 0, 3)), (3, 0, LONG)),
    "matmul": (lambda: ops.matmul(empty(LONG, 0, 3), empty(3, 5)), (LONG, 0, 5)),
    "max_pool": (lambda: ops.max_pool(empty(0, LONG, 3), 2), (0, LONG // 2, 3)),
    "adaptive_pool": (lambda: rv.layers.AdaptiveAveragePooling1D(2**31)(empty(0, 3, 4)), (0, 2**31, 4)),
    "argmax": (lambda: ops.argmax(empty(0, LONG), axis=1), (0,)),
    "cumsum": (lambda: ops.cumsum(empty(LONG, 0), axis=1), (LONG, 0)),
    "LSTM": (lambda: rv.layers.LSTM(2)(empty(0, LONG, 3)), (0, 2)),
    "GRU": (lambda: rv.layers.GRU(2, return_sequences=True)(empty(0, LONG, 3)), (0, LONG, 2)),
    "Bidirectional": (lambda: rv.layers.Bidirectional(rv.layers.SimpleRNN(2))(empty(0, LONG, 3)), (0, 4)),
    "slice of one": (lambda: ops.slice(empty(3, 0), (1, 0), (1, 0)), (1, 0)),
}


@pytest.mark.parametrize("name", RESULTS)
def test_nothing_is_computed_at_once(name: str) -> None:
    call, shape = RESULTS[name]
    assert call().shape == shape


TOO_LARGE = {
    "svd": lambda: ops.svd(empty(0, 2**33)),
    "qr": lambda: ops.qr(empty(2**33, 0), mode="complete"),
    "sum": lambda: ops.sum(empty(LONG, 0), axis=1),
    "eigh": lambda: ops.eigh(empty(0, 2**30, 2**30)),
    "outer": lambda: ops.matmul(empty(LONG, 0), empty(0, LONG)),
    "adaptive_pool": lambda: rv.layers.AdaptiveAveragePooling1D(2**31)(np.ones((2, 3, 4), "float32")),
    "take": lambda: ops.take(empty(LONG, 0), [0, 1], axis=1),
    "kron": lambda: ops.kron(empty(0, LONG), empty(0, LONG)),
    "one_hot": lambda: ops.one_hot(np.zeros((0, LONG), "int32"), LONG),
}


@pytest.mark.parametrize("name", TOO_LARGE)
def test_what_no_memory_holds_is_refused_with_its_size(name: str) -> None:
    with pytest.raises(MemoryError, match=r"too large|cannot allocate"):
        TOO_LARGE[name]()


ROWS = np.broadcast_to(np.float32(1), (2**31, 0))
TOO_MANY = {
    "array_split": lambda: ops.array_split(np.ones((3, 4)), 2**31),
    "unstack": lambda: ops.unstack(ROWS),
    "stack": lambda: ops.stack(ROWS),
    "hstack": lambda: ops.hstack(ROWS),
    "vstack": lambda: ops.vstack(ROWS),
    "concatenate": lambda: ops.concatenate(ROWS),
    "vander": lambda: ops.vander(np.ones(3), N=2**31),
}


@pytest.mark.parametrize("name", TOO_MANY)
def test_too_many_parts_are_refused_before_one_is_made(name: str) -> None:
    with pytest.raises((ValueError, MemoryError), match=r"too many|cannot allocate"):
        TOO_MANY[name]()


def test_differences_of_differences_end_where_nothing_is_left() -> None:
    assert ops.diff(np.arange(3), n=2**40).shape == (0,)


def test_an_integer_beyond_64_bits_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="does not fit 64 bits"):
        _core.eager("reshape", [np.ones(3, "float32")], {"shape": [2**70]})
