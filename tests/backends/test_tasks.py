"""Large steps are cut into tasks: no element is lost, the first bad index named, an interrupt answered."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pytest

from ranvier import _core, ops
from ranvier.core.trace import Trace

# Tiles with and without ragged ones; lines that become columns, lines that stay, and axes of extent 1.
TRANSPOSES = [
    ((300, 1000), (1, 0)),
    ((1025, 129), (1, 0)),
    ((40, 100, 37), (0, 2, 1)),
    ((40, 100, 37), (2, 1, 0)),
    ((40, 100, 37), (1, 0, 2)),
    ((7, 1, 90, 3, 60), (4, 3, 1, 2, 0)),
    ((3, 70_001), (1, 0)),
]


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("dtype", ["float32", "float64", "bool"])
def test_moves(dtype: str) -> None:
    rng = np.random.default_rng(0)
    for shape, axes in TRANSPOSES:
        x = (rng.normal(size=shape) > 0 if dtype == "bool" else rng.normal(size=shape)).astype(dtype)
        np.testing.assert_array_equal(ops.transpose(x, axes), x.transpose(axes), str((shape, axes)))
    x = rng.normal(size=(500, 700)).astype(dtype)
    np.testing.assert_array_equal(ops.concatenate([x, x[:, :33]], 1), np.concatenate([x, x[:, :33]], 1))
    np.testing.assert_array_equal(ops.flip(x, 1), x[:, ::-1])
    np.testing.assert_array_equal(ops.pad(x, ((1, 2), (3, 0))), np.pad(x, ((1, 2), (3, 0))))


@pytest.mark.usefixtures("threads")
def test_rows() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3000, 100)).astype("float32")
    at = rng.integers(0, 3000, 5000).astype("int32")
    np.testing.assert_array_equal(ops.take(x, at, axis=0), x[at])
    np.testing.assert_array_equal(ops.one_hot(at, 3000), np.eye(3000, dtype="float32")[at])
    whole = np.asarray(ops.softmax(x))
    pieces = np.concatenate([np.asarray(ops.softmax(x[i : i + 7])) for i in range(0, 3000, 7)])
    np.testing.assert_array_equal(whole, pieces)


@pytest.mark.usefixtures("threads")
def test_the_first_bad_index_is_named() -> None:
    x = np.zeros((3000, 100), "float32")
    at = np.zeros(5000, "int32")
    at[[1700, 1701, 4900]] = 3000, 3001, 3002
    with pytest.raises(ValueError, match=r"index 3000 \(at position 1700\)"):
        _core.eager("take", [x, at], {})
    labels = np.zeros(3000, "int32")
    labels[[1400, 2900]] = 100, 101
    with pytest.raises(ValueError, match="label 100 "):
        _core.eager("sparse_softmax_cross_entropy", [x, labels], {})


@pytest.mark.usefixtures("threads")
def test_one_long_step_answers_an_interrupt() -> None:
    with Trace() as trace:
        y = x = trace.input((1 << 22,))
        for _ in range(90):
            y = ops.tanh(y + x)
        program = trace.compile([y[:1]])
    data = np.zeros(1 << 22, "float32")
    start = time.perf_counter()
    program.run([data])
    whole = time.perf_counter() - start
    sent: list[float] = []

    def send() -> None:
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(whole / 10, send)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        for _ in range(5):
            program.run([data])
    late = time.perf_counter() - sent[0]
    timer.join()
    assert late < whole / 2, f"{late:.3f} s after the interrupt, of a step of {whole:.3f} s"
