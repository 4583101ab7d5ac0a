"""Random networks of operations: what fusion, threads and the memory plan must not change.

Each graph mixes elementwise chains, broadcasts, reductions, products and moves, with values used several
times, so that steps are fused in many ways and buffers are reused. Running each operation by itself gives the
bits to match.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.ops.dump_outputs import canonical_bits

from ranvier import _core, ops
from ranvier.core.trace import Trace

UNARY: tuple[Callable[[Any], Any], ...] = (
    ops.negative,
    ops.abs,
    ops.square,
    ops.exp,
    ops.tanh,
    ops.sigmoid,
    ops.relu,
    ops.softplus,
    ops.sin,
    lambda x: ops.sqrt(ops.add(ops.abs(x), 0.1)),
    lambda x: ops.leaky_relu(x, 0.1),
    lambda x: ops.where(ops.greater(x, 0), x, ops.multiply(x, x)),
    lambda x: ops.cast(ops.cast(x, "int32"), "float32"),
    lambda x: ops.stop_gradient(x),
    lambda x: ops.divide(x, 3.0),
    lambda x: ops.clip(x, -0.7, 0.9),
    lambda x: ops.gelu(x),
    lambda x: ops.softmax(x),
    lambda x: ops.flip(x, 1),
    lambda x: ops.multiply(x, ops.mean(x, axis=0)),
    lambda x: ops.subtract(x, ops.max(x, axis=1, keepdims=True)),
    lambda x: ops.add(x, ops.sum(x)),
    lambda x: ops.transpose(ops.multiply(ops.transpose(x), 0.5)),
    lambda x: ops.concatenate([x[:, 1:], x[:, :1]], axis=1),
    lambda x: ops.reshape(ops.tanh(ops.reshape(x, (-1,))), x.shape),
)
BINARY: tuple[Callable[[Any, Any], Any], ...] = (
    ops.add,
    ops.subtract,
    ops.multiply,
    ops.maximum,
    ops.minimum,
    lambda x, y: ops.divide(x, ops.add(ops.square(y), 1.0)),
    lambda x, y: ops.where(ops.less(x, y), x, ops.sin(y)),
    lambda x, y: ops.matmul(x, ops.multiply(ops.matmul(ops.transpose(x), y), 0.01)),
)


def _limited(x: Any) -> Any:
    """Keeps random chains from overflowing."""
    return ops.clip(x, -10.0, 10.0)


def network(seed: int, x: Any, w: Any, length: int = 25) -> list[Any]:
    """The last values of a random chain over x and w, of one shape, and a number."""
    rng = np.random.default_rng(seed)
    values = [x, w, ops.add(x, w)]
    for _ in range(length):
        if rng.random() < 0.5:
            fresh = UNARY[rng.integers(len(UNARY))](values[rng.integers(len(values))])
        else:
            first, second = (values[rng.integers(len(values))] for _ in range(2))
            fresh = BINARY[rng.integers(len(BINARY))](first, second)
        values.append(_limited(fresh))
    total = ops.mean(ops.multiply(values[-1], values[-2]))
    return [values[-1], values[-3], total]


def run(seed: int, shape: tuple[int, int], fuse: bool) -> list[np.ndarray]:
    """Values and gradients of a compiled network, as bits."""
    rng = np.random.default_rng(1)
    arrays = [rng.normal(size=shape).astype("float32") for _ in range(2)]
    with Trace() as trace:
        tensors = [trace.input(shape) for _ in range(2)]
        results = network(seed, *tensors)
        gradients = [g for g in trace.gradients(results[-1], tensors) if g is not None]
        program = trace.compile([*results, *gradients], fuse=fuse)
    return [canonical_bits(a) for a in program.run(arrays)]


def _equal(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    return len(a) == len(b) and all(np.array_equal(p, q) for p, q in zip(a, b, strict=True))


@pytest.mark.parametrize("seed", range(40))
def test_fusion_does_not_change_bits(seed: int) -> None:
    for shape in ((3, 5), (17, 33)):
        assert _equal(run(seed, shape, fuse=True), run(seed, shape, fuse=False))


@pytest.mark.parametrize("seed", range(12))
def test_compiled_is_as_at_once(seed: int) -> None:
    rng = np.random.default_rng(1)
    arrays = [rng.normal(size=(9, 14)).astype("float32") for _ in range(2)]
    with Trace() as trace:
        tensors = [trace.input((9, 14)) for _ in range(2)]
        program = trace.compile(network(seed, *tensors))
    at_once = network(seed, *arrays)
    assert _equal([canonical_bits(a) for a in program.run(arrays)], [canonical_bits(a) for a in at_once])


@pytest.mark.parametrize("seed", range(6))
def test_threads_do_not_change_bits(seed: int) -> None:
    kept = _core.num_threads()
    try:
        results = []
        for count in (1, 2, 4):
            _core.set_num_threads(count)
            results.append(run(seed, (257, 311), fuse=True))
    finally:
        _core.set_num_threads(kept)
    assert _equal(results[0], results[1]) and _equal(results[0], results[2])


def test_a_program_gives_the_same_bits_again() -> None:
    assert _equal(run(3, (65, 33), fuse=True), run(3, (65, 33), fuse=True))
