"""Gradients where functions have kinks: the side is a choice, and it is JAX's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ranvier import ops
from ranvier.core.trace import Trace

# name -> (function, points, slopes there)
KINKS: dict[str, tuple[Callable[[Any], Any], list[float], list[float]]] = {
    "relu": (ops.relu, [0], [0]),
    "relu6": (ops.relu6, [0, 6], [0, 0]),
    "leaky_relu": (ops.leaky_relu, [0], [1]),
    "elu": (ops.elu, [0], [1]),
    "selu": (ops.selu, [0], [1.0507009873554805 * 1.6732632423543772]),
    "hard_sigmoid": (ops.hard_sigmoid, [-3, 3], [0, 0]),
    "hard_tanh": (ops.hard_tanh, [-1, 1], [1, 1]),
    "sparse_sigmoid": (ops.sparse_sigmoid, [-1, 1], [0.25, 0.25]),
    "sparse_plus": (ops.sparse_plus, [-1, 1], [0, 1]),
    "hard_shrink": (ops.hard_shrink, [-0.5, 0.5], [0, 0]),
    "soft_shrink": (ops.soft_shrink, [-0.5, 0.5], [0, 0]),
    "threshold": (lambda x: ops.threshold(x, 0.5, 0.0), [0.5], [0]),
    "binary_step": (ops.binary_step, [-1, 0, 1], [0, 0, 0]),
    "maximum of equals": (lambda x: ops.maximum(x, 1.0), [1], [0.5]),
    "clip": (lambda x: ops.clip(x, -1.0, 1.0), [-1, 1], [0.5, 0.5]),
    "max of equals": (lambda x: ops.max(x), [2, 2, 1], [0.5, 0.5, 0]),
    "sign": (ops.sign, [0], [0]),
    "round": (ops.round, [0.5], [0]),
    "elu far away": (ops.elu, [-1e3, 1e3], [0, 1]),
    "where guards its argument": (
        lambda x: ops.where(x > 0, ops.log(ops.where(x > 0, x, 1.0)), 0.0),
        [0],
        [0],
    ),
    "divide_no_nan by 0": (lambda x: ops.divide_no_nan(1.0, x), [0], [0]),
    "normalize": (lambda x: ops.normalize(x), [0, 0], [1e7, 1e7]),
    "norm of 1": (lambda x: ops.norm(x), [3, 4], [0.6, 0.8]),
    "logsumexp of equals": (lambda x: ops.logsumexp(x), [5, 5], [0.5, 0.5]),
    "logaddexp of equals": (lambda x: ops.logaddexp(x, x), [5], [1]),
    "prod with a zero": (lambda x: ops.prod(x), [0, 2, 3], [6, 0, 0]),
    "power 0": (lambda x: ops.power(x, 0.0), [0, 2], [0, 0]),
    "power 2": (lambda x: ops.power(x, 2), [0, -3], [0, -6]),
    "power 3": (lambda x: ops.power(x, 3), [0, -2], [0, 12]),
    "power 4": (lambda x: x**4, [0, -1], [0, -4]),
    "power -1": (lambda x: ops.power(x, -1), [2, -1], [-0.25, -1]),
    "fmax of equals": (lambda x: ops.fmax(x, 1.0), [1, 2], [0, 1]),
    "fmin of equals": (lambda x: ops.fmin(1.0, x), [1, 2], [1, 0]),
    "cbrt": (ops.cbrt, [0, -8], [np.inf, 1 / 12]),
    "arcsin": (ops.arcsin, [-1, 0, 1], [np.inf, 1, np.inf]),
    "arccos": (ops.arccos, [-1, 0, 1], [-np.inf, -1, -np.inf]),
    "arccosh": (ops.arccosh, [1], [np.inf]),
    "sinc": (ops.sinc, [0, 1], [0, -1]),
    "stop_gradient": (lambda x: ops.multiply(x, ops.stop_gradient(x)), [3], [3]),
}


@pytest.mark.parametrize("name", KINKS)
def test_slopes(name: str) -> None:
    function, points, slopes = KINKS[name]
    x = np.array(points, "float32")
    with Trace() as trace:
        tensor = trace.input(x.shape)
        (gradient,) = trace.gradients(ops.sum(function(tensor)), [tensor])
        # No gradient at all stands for one that is zero everywhere.
        result = np.zeros_like(x) if gradient is None else trace.compile([gradient]).run([x])[0]
    np.testing.assert_allclose(result, slopes, rtol=1e-6, atol=1e-7)


def test_second_derivative_where_sinc_is_a_limit() -> None:
    with Trace() as trace:
        x = trace.input((1,), "float64")
        (first,) = trace.gradients(ops.sum(ops.sinc(x)), [x])
        (second,) = trace.gradients(ops.sum(first), [x])
        found = trace.compile([first, second]).run([np.zeros(1)])
    np.testing.assert_allclose(np.ravel(found), [0, -(np.pi**2) / 3], rtol=1e-12)
