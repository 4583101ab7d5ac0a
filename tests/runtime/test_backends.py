"""A backend with a memory that the host may not share: the same bits, and what crosses is asked for there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import ranvier as rv
from ranvier import _core, ops
from ranvier.core.trace import Trace

APART = _core.apart
TABLE = np.arange(24, dtype="float32").reshape(4, 6)


def pooled(x: Any) -> list[Any]:
    return [ops.relu(ops.average_pool(ops.reshape(x, (2, 4, 6, 1)), 2) + 0.5)]


def scanned(x: Any) -> list[Any]:
    def inner(carry: Any, row: Any) -> tuple[Any, Any]:
        carry = ops.cond(ops.sum(row) > 0, lambda: carry + row, lambda: carry - row)
        return carry, carry

    return list(ops.scan(inner, x[0], x))


CASES: dict[str, Callable[[Any], list[Any]]] = {
    "a constant": lambda x: [ops.matmul(x, ops.transpose(TABLE)) * TABLE[0, 2]],
    "a constant and an input as outputs": lambda x: [ops.convert_to_tensor(TABLE), x, x + 1.0],
    "a pooling with its chain": pooled,
    "a loop around a branch": scanned,
    "a loop that passes its carry on": lambda x: [ops.fori_loop(0, 5, lambda i, v: v, x)],
    "a loop of unknown length": lambda x: [
        ops.while_loop(lambda i, v: i < 4, lambda i, v: (i + 1, v * 2.0), (0, x))[1]
    ],
    "nothing": lambda x: [x[:0] + 1.0],
}


@pytest.mark.parametrize("fuse", [True, False])
@pytest.mark.parametrize("name", CASES)
def test_the_same_bits_in_another_memory(name: str, fuse: bool) -> None:
    x = np.random.default_rng(0).normal(size=(8, 6)).astype("float32")
    with Trace() as trace:
        outputs = [ops.convert_to_tensor(value) for value in CASES[name](trace.input(x.shape))]
        ids = [trace.graph.constant(o)[0] if isinstance(o, np.ndarray) else o.id for o in outputs]
        here = _core.Program(trace.graph, ids, fuse)
        APART.counts()
        apart = APART.program(trace.graph, ids, fuse)
        constants = APART.counts()["written"]
    expected, results = here.run([x]), apart.run([x])
    for one, other in zip(expected, results, strict=True):
        np.testing.assert_array_equal(one, other)
    counts = APART.counts()
    assert counts["written"] == x.nbytes and counts["read"] >= sum(r.nbytes for r in results)
    if "constant" in name:
        assert constants >= TABLE.nbytes // 6
    if name == "a loop of unknown length":
        assert counts["read"] == results[0].nbytes + 5  # its condition, each time
    if "passes" in name:
        assert counts["copied"] > 0


def test_variables_lie_there_and_are_not_shared() -> None:
    storage = APART.storage("float32", [3])
    with pytest.raises(RuntimeError, match="The host cannot share the memory of apart"):
        storage.array()
    graph = _core.Graph()
    value = graph.variable(storage)[0]
    graph.store(storage, graph.emit("add", [value, graph.constant(np.array(2, "float32"))[0]], {})[0])
    program = APART.program(graph, [value], True)
    assert [program.run([])[0].tolist() for _ in range(3)] == [[0] * 3, [2] * 3, [4] * 3]


def test_rows_are_gathered_and_measured_steps_waited_for() -> None:
    data = np.arange(30, dtype="float32").reshape(10, 3)
    with Trace() as trace:
        x = trace.input((4, 3))
        full = APART.program(trace.graph, [(x * 2.0 + ops.sum(x, -1, keepdims=True)).id], True)
    with Trace() as trace:
        x = trace.input((2, 3))
        tail = APART.program(trace.graph, [(x * 2.0 + ops.sum(x, -1, keepdims=True)).id], True)
    APART.counts()
    epoch = _core.Epoch(full, tail, [data], 4, None, True)
    with rv.profile():
        epoch.advance()
    np.testing.assert_array_equal(epoch.results[0], data * 2 + data.sum(-1, keepdims=True))
    counts = APART.counts()
    assert counts["gathered"] == 10 and counts["read"] == data.nbytes
    assert counts["synchronized"] == 2 * full.step_count + tail.step_count
