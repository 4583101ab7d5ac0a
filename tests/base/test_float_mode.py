"""Results too small to be normal are zero in programs, whoever computes them; elsewhere nothing changes."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import numpy as np
import pytest

import ranvier as rv
from ranvier import _core, ops

CODE = """
import numpy as np
import ranvier as rv
from ranvier import layers, ops

small, tiny = np.full(1 << 20, 1e-30, "float32"), np.float32(1e-10)
assert not ops.multiply(small, tiny).any()
assert not rv.jit(lambda a: ops.exp(a * 0.0 - 100.0) + a * tiny)(small).any()
assert not ops.matmul(small.reshape(1024, 1024), np.full((1024, 1024), 1e-12, "float32")).any()
assert (small * tiny).all()  # NumPy's results are as they were

net = rv.Sequential([rv.Input((64,)), layers.Dense(64, use_bias=False, kernel_initializer="ones")])
net.compile("sgd", lambda y, p: ops.mean(p, axis=-1) * 1e-38)
net.fit(np.ones((512, 64), "float32"), np.zeros((512, 64), "float32"), batch_size=256, verbose=0)
assert (net.get_weights()[0] == 1.0).all() and (small * tiny).all()
print("done")
"""


@pytest.mark.parametrize("isa", _core.build_info()["isas_supported"])
@pytest.mark.parametrize("threads", ["1", "2"])
def test_tiny_results_are_zero(isa, threads):
    environment = {**os.environ, "RANVIER_ISA": isa, "RANVIER_NUM_THREADS": threads}
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, env=environment)
    assert done.stdout == "done\n", done.stderr


def test_normal_results_and_infinities_are_kept():
    limits = np.finfo("float32")
    x = np.array([limits.tiny, -limits.tiny, limits.max, np.inf, -0.0], "float32")
    np.testing.assert_array_equal(ops.multiply(x, np.float32(1.0)), x)
    assert np.signbit(ops.multiply(np.float32(-1e-30), np.float32(1e-30)))


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="arm64 flushes operands, too")
def test_operands_keep_their_value():
    least = np.finfo("float32").smallest_subnormal
    assert ops.multiply(least, np.float32(1e38)) == least * np.float32(1e38)
    assert ops.maximum(least, np.float32(0.0)) == least


def test_a_program_that_fails_leaves_the_callers_mode():
    with pytest.raises(ValueError):
        rv.jit(lambda a: ops.sparse_categorical_crossentropy(a, np.ones((1, 2), "float32")))(np.array([7]))
    assert np.float32(1e-30) * np.float32(1e-10) > 0
