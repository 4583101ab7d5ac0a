"""Keras on JAX, if it is installed: what the parity tests compare with.

Install the `parity` extra, then `pytest tests/parity`. Keras's float32 is the oracle, so both sides
round: agreement is asked for to 1e-5 of the value, or of the largest value of an array where single
elements cancel to near zero.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
pytest.importorskip("jax")
keras = pytest.importorskip("keras")
if keras.backend.backend() != "jax":
    pytest.skip("Keras runs on another backend than JAX here", allow_module_level=True)

import jax  # noqa: E402

RTOL = 1e-5


def assert_agrees(ours: Any, theirs: Any, rtol: float = RTOL) -> None:
    """Equal shapes; values equal to `rtol`, absolutely to `rtol` times the largest of them."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape
    finite = np.abs(theirs[np.isfinite(theirs)])
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=rtol * finite.max(initial=0.0))


def value_and_gradient(fn: Callable[[Any], Any], x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A rank-0 function and its derivatives in Keras on JAX."""
    value, gradient = jax.value_and_grad(fn)(jax.numpy.asarray(x))
    return np.asarray(value), np.asarray(gradient)
