"""How the tests run one function in both worlds: at once on arrays, and as a compiled trace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ranvier import ops
from ranvier.core.trace import Trace


def run_traced(fn: Callable[..., Any], *arrays: np.ndarray) -> np.ndarray:
    """fn(*arrays), traced, compiled and run."""
    with Trace() as trace:
        inputs = [trace.input(a.shape, a.dtype.name) for a in arrays]
        program = trace.compile([fn(*inputs)])
    return program.run(list(arrays))[0]


def traced_gradient(fn: Callable[..., Any], arrays: Sequence[np.ndarray], wrt: int = 0) -> np.ndarray | None:
    """The derivatives of the sum of fn(*arrays) by one of the arrays; None where there are none."""
    with Trace() as trace:
        inputs = [trace.input(a.shape, a.dtype.name) for a in arrays]
        (gradient,) = trace.gradients(ops.sum(fn(*inputs)), [inputs[wrt]])
        if gradient is None:
            return None
        program = trace.compile([gradient])
    return program.run(list(arrays))[0]


def numeric_gradient(
    fn: Callable[..., Any], arrays: Sequence[np.ndarray], wrt: int = 0, step: float = 1e-6
) -> np.ndarray:
    """The same by central differences; the arrays are float64."""
    x = arrays[wrt]
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        values = []
        for shift in (step, -step):
            moved = x.copy()
            moved[index] += shift
            values.append(fn(*arrays[:wrt], moved, *arrays[wrt + 1 :]))
        # Subtracted before they are added up: elements that do not move drop out without rounding.
        gradient[index] = np.sum(values[0] - values[1]) / (2 * step)
    return gradient
