"""Loops and maps on KerasTensors: operations of functional models, as in Keras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import ranvier as rv
from ranvier import ops

X = np.arange(12, dtype="float32").reshape(3, 4)

# (a function of x, the shape of its first output for x of shape (None, 4))
CALLS: dict[str, tuple[Callable[[Any], Any], tuple[int | None, ...]]] = {
    "map": (lambda x: ops.map(lambda row: row[:2] * 2.0, x), (None, 2)),
    "vectorized_map": (lambda x: ops.vectorized_map(lambda row: row - ops.sum(row), x), (None, 4)),
    "scan": (lambda x: ops.scan(lambda c, row: (c + row, c), ops.sum(x, 0) * 0.0, x), (4,)),
    "scan backwards": (
        lambda x: ops.scan(lambda c, row: (c - row, c), 1.0, xs=x[:, 0], reverse=True)[1],
        (None,),
    ),
    "associative_scan": (lambda x: ops.associative_scan(lambda a, b: a + b, x, axis=1), (None, 4)),
    "fori_loop": (lambda x: ops.fori_loop(0, 3, lambda i, y: y + i, x), (None, 4)),
    "while_loop": (lambda x: ops.while_loop(lambda y: ops.sum(y) < 1e3, lambda y: y * 2.0, x), (None, 4)),
    "switch": (lambda x: ops.switch(1, [lambda y: y, lambda y: -y], x), (None, 4)),
}


@pytest.mark.parametrize("name", CALLS)
def test_in_a_functional_model(name: str) -> None:
    call, shape = CALLS[name]
    inputs = rv.Input((4,))
    outputs = call(inputs)
    assert rv.tree.flatten(outputs)[0].shape == shape
    model = rv.Model(inputs, outputs)
    for found, expected in zip(rv.tree.flatten(model(X)), rv.tree.flatten(call(X)), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-6)
