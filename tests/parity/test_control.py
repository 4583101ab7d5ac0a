"""Control flow: the same functions through Keras and through ours, traced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.parity.oracle import assert_agrees, jax, keras

import ranvier as rv
from ranvier.core import tree

X = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
W = np.random.default_rng(1).normal(size=(3, 3)).astype("float32")

# A function of an `ops` module gives a function of arrays.
TABLE: dict[str, Callable[[Any], Callable[..., Any]]] = {
    "cond": lambda ops: lambda x, w: ops.cond(ops.sum(x) > 0, lambda: x @ w, lambda: x - 1.0),
    "switch": lambda ops: lambda x, w: ops.switch(1, [lambda a: a, lambda a: a @ w], x),
    "switch below": lambda ops: lambda x, w: ops.switch(-4, [lambda a: a * 2.0, lambda a: a @ w], x),
    "scan": lambda ops: lambda x, w: ops.scan(lambda h, v: (ops.tanh(v + h @ w), ops.sum(h)), x[0], x),
    "scan in reverse": lambda ops: lambda x, w: ops.scan(lambda h, v: (v + h @ w, h), x[0], x, reverse=True),
    "scan of a length": lambda ops: lambda x, w: ops.scan(lambda h, _: (ops.sin(h @ w), None), x, length=4),
    "fori_loop": lambda ops: lambda x, w: ops.fori_loop(1, 5, lambda i, v: ops.sin(v @ w), x),
    "map": lambda ops: lambda x, w: ops.map(lambda row: {"a": row @ w, "b": ops.max(row)}, x),
    "vectorized_map": lambda ops: lambda x, w: ops.vectorized_map(lambda row: ops.tanh(row @ w), x),
    "associative_scan": lambda ops: lambda x, w: ops.associative_scan(lambda a, b: a + b, x, axis=1),
    "associative_scan in reverse": lambda ops: (
        lambda x, w: ops.associative_scan(ops.maximum, x, reverse=True)
    ),
    "stop_gradient": lambda ops: lambda x, w: ops.stop_gradient(x @ w) * x,
    "unstack": lambda ops: lambda x, w: ops.unstack(x @ w, axis=1),
}
FORWARD_ONLY: dict[str, Callable[[Any], Callable[..., Any]]] = {
    "while_loop": lambda ops: (
        lambda x, w: ops.while_loop(lambda i, v: ops.sum(v) < 1e3, lambda i, v: (i + 1, v * v + 1.0), (0, x))
    ),
    "while_loop with a limit": lambda ops: (
        lambda x, w: ops.while_loop(
            lambda v: ops.sum(v) < 1e3, lambda v: v * v + 1.0, x, maximum_iterations=2
        )
    ),
    "jvp": lambda ops: lambda x, w: ops.jvp(lambda v: ops.tanh(v @ w), (x,), (x + 1.0,)),
    **TABLE,
}


def leaves(nest: Any) -> list[Any]:
    return [leaf for leaf in tree.flatten(nest) if leaf is not None]


@pytest.mark.parametrize("name", list(FORWARD_ONLY))
def test_values(name: str) -> None:
    theirs = leaves(jax.jit(FORWARD_ONLY[name](keras.ops))(X, W))
    for ours in (rv.jit(FORWARD_ONLY[name](rv.ops)), FORWARD_ONLY[name](rv.ops)):
        for a, b in zip(leaves(ours(X, W)), theirs, strict=True):
            assert_agrees(a, b)


@pytest.mark.parametrize("name", list(TABLE))
def test_gradients(name: str) -> None:
    def loss(ops: Any) -> Callable[..., Any]:
        fn = TABLE[name](ops)
        return lambda x, w: sum(ops.sum(ops.cast(y, "float32") ** 2) for y in leaves(fn(x, w)))

    theirs = jax.grad(loss(keras.ops), (0, 1))(X, W)
    for a, b in zip(rv.jit(rv.grad(loss(rv.ops), (0, 1)))(X, W), theirs, strict=True):
        assert_agrees(a, b)
