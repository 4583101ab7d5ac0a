"""More memory than there is: an exception that names the size, and a process that lives on."""

from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import pytest

import ranvier as rv

STATM = Path("/proc/self/statm")
ROW = np.ones((1, 10**6), "float32")


@pytest.mark.parametrize(
    "request_it",
    [
        lambda: rv.ops.matmul(ROW.T, ROW),
        lambda: rv.ops.tile(ROW, (10**6, 1)),
        lambda: rv.random.normal((10**6, 10**6)),
        lambda: rv.layers.Dense(10**6).build((None, 10**6)),
        lambda: rv.layers.Dense(10**6, use_bias=False)(ROW.T),
    ],
    ids=["product", "tile", "random", "weights", "activations"],
)
def test_beyond_the_machine(request_it):
    with pytest.raises(MemoryError, match=r"3\.6 TiB"):
        request_it()
    assert rv.ops.add(1.0, 2.0) == 3.0


@pytest.mark.parametrize(
    "request_it",
    [
        lambda: rv.ops.broadcast_to(np.ones(1, "float32"), (2**40, 2**40)),
        lambda: rv.layers.Dense(2**40).build((None, 2**30)),
    ],
    ids=["op", "weights"],
)
def test_beyond_the_address_space(request_it):
    with pytest.raises(MemoryError, match="too large"):
        request_it()
    assert rv.ops.add(1.0, 2.0) == 3.0


@pytest.mark.skipif(not STATM.exists(), reason="needs Linux's /proc")
def test_a_large_single_operation_keeps_no_memory():
    """Programs of single operations are kept for the next call, but not with arenas of any size."""
    value = np.ones(20 << 20, "float32")  # 84 MB, and the program has two arrays of it

    def resident() -> int:
        return int(STATM.read_text().split()[1]) * resource.getpagesize()

    before = resident()
    assert rv.ops.negative(value)[-1] == -1
    assert resident() - before < value.nbytes // 4
