"""The gamma law, and those that are made of it: beta and binomial."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ranvier.core import dtypes
from ranvier.core.tensor import Tensor
from ranvier.core.user_code import short_traceback
from ranvier.ops._common import Value, cast_to, operand, to_shape, where3
from ranvier.ops._emit import emit
from ranvier.ops.comparison import greater, less, less_equal, logical_and
from ranvier.ops.elementwise import add, divide, floor, log, maximum, multiply, power, sqrt, square, subtract
from ranvier.ops.indexing import take, take_along_axis
from ranvier.ops.reductions import argmax, sum
from ranvier.ops.shaping import expand_dims
from ranvier.random.seed_generator import draw_seed

# Of Marsaglia and Tsang's proposals at least 95 % are accepted: all of these fail once in 3e10 draws.
_PROPOSALS = 8
_FEW = 32  # trials that are drawn one by one
_STREAMS = 1 << 40  # between the streams of one draw: no generator is asked so often


class _Streams:
    """States for the several draws that one random number needs, from one seed."""

    def __init__(self, seed: Any) -> None:
        self._state = draw_seed(seed)
        self._count = 0

    def draw(self, op: str, shape: tuple[int, ...], dtype: str) -> Value:
        own = np.array([0, self._count * _STREAMS], "int64")
        self._count += 1
        return emit(op, emit("add", self._state, own), shape=shape, dtype=dtype)

    def uniform(self, shape: tuple[int, ...], dtype: str) -> Value:
        """Numbers in (0, 1): they have logarithms."""
        return maximum(self.draw("random_uniform", shape, dtype), float(np.finfo(dtype).tiny))


def _float_dtype(function: str, dtype: Any) -> str:
    name = dtypes.standardize_dtype(dtype)
    if name not in dtypes.FLOAT_DTYPES:
        raise ValueError(f"`random.{function}` requires a floating point `dtype`. Received: dtype={dtype!r}")
    return name


def _parameter(x: Any, shape: tuple[int, ...], dtype: str) -> Value:
    return emit("broadcast_to", operand(x, dtype), shape=shape)


def _gamma(streams: _Streams, alpha: Value, shape: tuple[int, ...], dtype: str) -> Value:
    """By Marsaglia and Tsang, "A simple method for generating gamma variables" (2000)."""
    is_small = less(alpha, 1.0)
    shift = subtract(where3(is_small, add(alpha, 1.0), alpha), 1.0 / 3.0)
    slope = divide(1.0 / 3.0, sqrt(shift))
    x = streams.draw("random_normal", (*shape, _PROPOSALS), dtype)
    u = streams.uniform((*shape, _PROPOSALS), dtype)
    d, c = expand_dims(shift, -1), expand_dims(slope, -1)
    root = add(1.0, multiply(c, x))
    is_inside = greater(root, 0.0)
    v = multiply(root, square(root))
    level = add(multiply(0.5, square(x)), multiply(d, add(subtract(1.0, v), log(where3(is_inside, v, 1.0)))))
    is_accepted = logical_and(is_inside, less(log(u), level))
    chosen = take_along_axis(v, expand_dims(argmax(cast_to(is_accepted, "int32"), -1), -1), -1)
    result = multiply(shift, take(chosen, 0, -1))
    # G(alpha) = G(alpha + 1) U^(1 / alpha)
    boost = power(streams.uniform(shape, dtype), divide(1.0, where3(is_small, alpha, 1.0)))
    return where3(is_small, multiply(result, boost), result)


@short_traceback
def gamma(shape: Any, alpha: Any, dtype: Any = None, seed: Any = None) -> Value:
    """Numbers of the gamma law with scale 1: the density x^(alpha - 1) exp(-x) / Gamma(alpha).

    Args:
        shape: the shape.
        alpha: the law's shape parameter, positive; a number or a tensor that broadcasts.
        dtype: a float dtype; None: `floatx()`.
        seed: an int, a `SeedGenerator`, or None for the global generator.

    Raises:
        ValueError: for a dtype that is not floating, or parameters that do not broadcast.
    """
    name, dims = _float_dtype("gamma", dtype), to_shape(shape)
    return _gamma(_Streams(seed), _parameter(alpha, dims, name), dims, name)


def _beta(streams: _Streams, alpha: Value, beta: Value, shape: tuple[int, ...], dtype: str) -> Value:
    first, second = _gamma(streams, alpha, shape, dtype), _gamma(streams, beta, shape, dtype)
    return divide(first, maximum(add(first, second), float(np.finfo(dtype).tiny)))


@short_traceback
def beta(shape: Any, alpha: Any, beta: Any, dtype: Any = None, seed: Any = None) -> Value:
    """Numbers of the beta law on [0, 1]: the density is proportional to x^(alpha - 1) (1 - x)^(beta - 1).

    Args:
        shape: the shape.
        alpha: the first parameter, positive; a number or a tensor that broadcasts.
        beta: the second parameter, likewise.
        dtype: a float dtype; None: `floatx()`.
        seed: an int, a `SeedGenerator`, or None for the global generator.

    Raises:
        ValueError: for a dtype that is not floating, or parameters that do not broadcast.
    """
    name, dims = _float_dtype("beta", dtype), to_shape(shape)
    return _beta(_Streams(seed), _parameter(alpha, dims, name), _parameter(beta, dims, name), dims, name)


@short_traceback
def binomial(shape: Any, counts: Any, probabilities: Any, dtype: Any = None, seed: Any = None) -> Value:
    """How many of a number of trials succeed.

    Of many trials, the middle one of their sorted uniform numbers is drawn (it has a beta law), which leaves
    half of them on one side (Relles, "A simple algorithm for generating binomial random variables when N is
    large", 1972); the last few are drawn one by one.

    Args:
        shape: the shape.
        counts: the numbers of trials, an int or integers that broadcast; not a tensor of a graph.
        probabilities: the probability of success, a number or a tensor that broadcasts.
        dtype: a float dtype; None: `floatx()`.
        seed: an int, a `SeedGenerator`, or None for the global generator.

    Returns:
        A tensor; NaN where a count is negative or a probability outside of [0, 1].

    Raises:
        ValueError: for a dtype that is not floating, parameters that do not broadcast, or counts that are a
            tensor of a graph: the number of steps depends on them.
    """
    name, dims = _float_dtype("binomial", dtype), to_shape(shape)
    given = operand(counts)
    if isinstance(given, Tensor):
        raise ValueError("binomial: `counts` must be known when the graph is built; it cannot be a tensor.")
    streams, p = _Streams(seed), _parameter(probabilities, dims, name)
    n: Value = np.broadcast_to(given, dims).astype(name)
    is_law = logical_and(logical_and(less_equal(0.0, p), less_equal(p, 1.0)), less_equal(0.0, n))
    most = float(np.max(n, initial=0.0))
    found: Value = np.zeros(dims, name)
    for _ in range(max(0, math.ceil(math.log2(max(most, 1.0) / _FEW)))):
        is_large = greater(n, _FEW)
        middle = floor(multiply(0.5, add(n, 1.0)))
        place = _beta(streams, maximum(middle, 1.0), maximum(subtract(add(n, 1.0), middle), 1.0), dims, name)
        is_below = less_equal(place, p)
        rest = divide(subtract(p, place), maximum(subtract(1.0, place), float(np.finfo(name).tiny)))
        found = where3(logical_and(is_large, is_below), add(found, middle), found)
        p = where3(is_large, where3(is_below, rest, divide(p, place)), p)
        n = where3(is_large, where3(is_below, subtract(n, middle), subtract(middle, 1.0)), n)
    trials = min(int(most), _FEW)
    successes = less(streams.draw("random_uniform", (*dims, trials), name), expand_dims(p, -1))
    counted = logical_and(successes, less(np.arange(trials, dtype=name), expand_dims(n, -1)))
    return where3(is_law, add(found, sum(cast_to(counted, name), -1)), math.nan)
