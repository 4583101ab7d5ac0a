"""`vectorized_map`: the bits of a loop, without the loop where each operation has a rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import ranvier as rv
from ranvier import ops
from ranvier.core.trace import Trace

RNG = np.random.default_rng(7)
X = RNG.normal(size=(6, 3, 4)).astype("float32")
W = RNG.normal(size=(4, 5)).astype("float32")
LABELS = RNG.integers(0, 4, (6, 3))


def softly(row: Any) -> Any:
    return ops.cond(ops.sum(row) > 0, lambda: ops.tanh(row), lambda: row)


# What lifts, by the rules that it uses.
LIFTED: dict[str, Callable[[Any], Any]] = {
    "elementwise": lambda x: ops.where(x > 0, ops.exp(x), x * 2.0 + 1.0),
    "a row beside a matrix": lambda x: x - ops.mean(x, 0) + x[:, 0][:, None],
    "reductions": lambda x: (ops.sum(x), ops.max(x, 1), ops.argmax(x, 0), ops.any(x > 1)),
    "variance": lambda x: ops.var(x, axis=(0, 1), keepdims=True),
    "shapes": lambda x: ops.concatenate([ops.transpose(x)[::-1], ops.zeros((4, 1))], 1),
    "parts": lambda x: ops.pad(x[1:, ::2], 1, constant_values=3.0),
    "products": lambda x: (ops.matmul(x, W), ops.matmul(W.T, ops.transpose(x)), x @ ops.transpose(x)),
    "vectors": lambda x: (ops.dot(x[0], x[1]), ops.matmul(W.T, x[0]), ops.outer(x[0], x[1])),
    "softmax": lambda x: (ops.softmax(x, 0), ops.log_softmax(x)),
    "order": lambda x: (ops.argsort(x, 0), ops.searchsorted(np.float32([-1, 0, 1]), x)),
    "gathers for all": lambda x: (ops.take(x, [2, 0, 0], 0), ops.take(W, ops.argmax(x, 1), 0)),
    "gathers of its own": lambda x: (ops.take(x, ops.argmax(x, 1), 1), ops.sort(x, 0), *ops.top_k(x, 2)),
    "indicators": lambda x: ops.one_hot(ops.argmax(x, -1), 4) * x,
    "of no slice": lambda x: (x[0, 0], W, 3.0),
    "signs": ops.signbit,
}
LOOPS: dict[str, Callable[[Any], Any]] = {
    "a branch": softly,
    "a search in its own row": lambda x: ops.searchsorted(ops.sort(x[0]), np.float32([-1, 0, 1])),
    "a decomposition": lambda x: ops.qr(x)[1],
}


def text_of(fn: Callable[[Any], Any]) -> str:
    with Trace() as trace:
        trace.compile(rv.tree.flatten(fn(trace.input(X.shape))))
        return trace.graph.text()


def agree(ours: Any, theirs: Any) -> None:
    for a, b in zip(rv.tree.flatten(ours), rv.tree.flatten(theirs), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", [*LIFTED, *LOOPS])
def test_the_bits_of_a_loop(name: str) -> None:
    fn = {**LIFTED, **LOOPS}[name]
    expected = ops.map(fn, X)
    agree(ops.vectorized_map(fn, X), expected)
    agree(rv.jit(lambda x: ops.vectorized_map(fn, x))(X), expected)
    assert ("loop" in text_of(lambda x: ops.vectorized_map(fn, x))) == (name in LOOPS)


def test_gradients_of_each_row() -> None:
    w = rv.Variable(W)

    def loss(nest: Any) -> Any:
        x, label = nest
        return rv.value_and_grad(
            lambda x: (
                ops.sum(ops.sparse_categorical_crossentropy(label, x, from_logits=True)) + ops.sum(x @ w)
            )
        )(x)

    expected = ops.map(loss, (X, LABELS))
    agree(ops.vectorized_map(loss, (X, LABELS)), expected)
    assert "loop" not in text_of(lambda x: ops.vectorized_map(loss, (x, LABELS)))


def test_gradients_flow_through_it() -> None:
    def total(x: Any, over: Any) -> Any:
        return ops.sum(
            over(lambda row: ops.sort(ops.softmax(row @ W) ** 2.0) * np.float32([1, 2, 3, 4, 5]), x)
        )

    gradients = [rv.jit(rv.grad(lambda x, o=over: total(x, o)))(X) for over in (ops.map, ops.vectorized_map)]
    np.testing.assert_allclose(*gradients, rtol=1e-5, atol=1e-6)


def test_variables_that_are_written_need_the_loop() -> None:
    x = X[:, 0, 0]
    for run in (
        lambda fn: rv.jit(lambda x: ops.vectorized_map(fn, x))(x),
        lambda fn: ops.vectorized_map(fn, x),
    ):
        count = rv.Variable(0)

        def counted(x: Any, count: rv.Variable = count) -> Any:
            count.assign_add(1)
            return x * ops.cast(count, "float32")

        np.testing.assert_allclose(run(counted), x * np.arange(1, 7))
        assert int(count) == 6


def test_a_function_that_looks_at_numbers_is_called_for_each_slice() -> None:
    found = ops.vectorized_map(lambda x: ops.add(x, float(x[0, 0]) > 0), X)
    np.testing.assert_allclose(found, X + (X[:, :1, :1] > 0))
    np.testing.assert_allclose(ops.vectorized_map(lambda x: x.sum(), X), X.sum((1, 2)), rtol=1e-5, atol=1e-6)


def test_slices_of_different_number_are_refused() -> None:
    with pytest.raises(ValueError, match="slices"):
        ops.vectorized_map(lambda xs: xs[0] + xs[1], (X, X[:2]))
    with pytest.raises(ValueError, match="scalar"):
        ops.vectorized_map(lambda x: x, 1.0)


def test_an_index_outside_of_its_own_table_is_refused() -> None:
    with pytest.raises(ValueError, match="outside"):
        ops.vectorized_map(lambda xs: ops.take(xs[0], xs[1]), (X[:, 0], np.array([0, 1, 4, 0, 0, 0])))


def test_gradients_of_gathers_of_its_own() -> None:
    def slopes(x: Any) -> Any:
        return rv.value_and_grad(lambda x: ops.sum(ops.sort(x)[:, -2:] ** 2.0))(x)

    agree(ops.vectorized_map(slopes, X), ops.map(slopes, X))
    assert "loop" not in text_of(lambda x: ops.vectorized_map(slopes, x))
