"""`keras.ops`'s mathematical operations that are not NumPy's."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from ranvier.ops._common import (
    Value,
    as_float,
    canonical_axes,
    canonical_axis,
    float_unary,
    operand,
    reshape_to,
    where3,
)
from ranvier.ops._emit import emit
from ranvier.ops.comparison import greater, less, logical_and
from ranvier.ops.elementwise import (
    abs,
    add,
    divide,
    exp,
    isfinite,
    log,
    multiply,
    rsqrt,
    sqrt,
    square,
    subtract,
)
from ranvier.ops.encoding import one_hot
from ranvier.ops.fourier import fft, fft2, ifft2, irfft, istft, rfft, stft
from ranvier.ops.layout import extract_sequences
from ranvier.ops.linalg import logdet, norm
from ranvier.ops.reductions import any, count_nonzero, max, sum
from ranvier.ops.scatter import segment_max, segment_min, segment_prod, segment_sum
from ranvier.ops.sorting import top_k

__all__ = [
    "cdist",
    "erf",
    "erfc",
    "erfinv",
    "extract_sequences",
    "fft",
    "fft2",
    "i0",
    "ifft2",
    "in_top_k",
    "irfft",
    "istft",
    "logdet",
    "logsumexp",
    "norm",
    "rfft",
    "rsqrt",
    "segment_max",
    "segment_min",
    "segment_prod",
    "segment_sum",
    "stft",
    "top_k",
]


def erf(x: Any) -> Value:
    """The error function, 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x."""
    return float_unary("erf", x)


def erfc(x: Any) -> Value:
    """1 - erf(x), with all digits where erf(x) is near 1."""
    return float_unary("erfc", x)


def erfinv(x: Any) -> Value:
    """The inverse of `erf` on [-1, 1]; infinite at the ends, NaN beyond."""
    return float_unary("erfinv", x)


_BESSEL_SPLIT = 8.0


@functools.cache
def _bessel_series() -> tuple[np.ndarray, np.ndarray]:
    """Chebyshev series of exp(-x) I0(x) in x on [0, 8], and of that times sqrt(x) in 8 / x on (0, 1].

    Interpolated from I0's integral: the mean of exp(x (cos t - 1)) over t in [0, pi], which the trapezoidal
    rule gives to all digits, for it is periodic.
    """
    angles = np.cos(np.linspace(0.0, np.pi, 4097)) - 1.0

    def scaled(x: np.ndarray) -> np.ndarray:
        heights = np.exp(x[:, None] * angles)
        return (heights[:, 1:-1].sum(1) + 0.5 * (heights[:, 0] + heights[:, -1])) / 4096

    def near(t: np.ndarray) -> np.ndarray:
        return scaled((t + 1.0) * (_BESSEL_SPLIT / 2))

    def far(t: np.ndarray) -> np.ndarray:
        x = 2 * _BESSEL_SPLIT / (t + 1.0)
        return scaled(x) * np.sqrt(x)

    interpolate = np.polynomial.chebyshev.chebinterpolate
    return interpolate(near, 29), interpolate(far, 24)


def _chebyshev(series: np.ndarray, t: Value) -> Value:
    """A Chebyshev series by Clenshaw's recurrence."""
    before: Any = 0.0
    current: Any = float(series[-1])
    double = multiply(2.0, t)
    for coefficient in series[-2:0:-1]:
        before, current = current, subtract(add(multiply(double, current), float(coefficient)), before)
    return subtract(add(multiply(t, current), float(series[0])), before)


def i0(x: Any) -> Value:
    """The modified Bessel function of the first kind and order 0; a float."""
    size = abs(as_float(x))
    is_near = less(size, _BESSEL_SPLIT)
    near, far = _bessel_series()
    inner = where3(is_near, size, 0.0)
    outer = where3(is_near, _BESSEL_SPLIT, size)
    by_near = _chebyshev(near, subtract(multiply(2 / _BESSEL_SPLIT, inner), 1.0))
    by_far = divide(_chebyshev(far, subtract(divide(2 * _BESSEL_SPLIT, outer), 1.0)), sqrt(outer))
    # The exponential in two halves: with all of it at once the product would overflow too soon.
    half = exp(multiply(0.5, size))
    return multiply(multiply(where3(is_near, by_near, by_far), half), half)


def cdist(x: Any, y: Any) -> Value:
    """The Euclidean distances between the rows of two tensors; a float.

    Args:
        x: [..., m, d].
        y: [..., n, d]; the leading axes broadcast.

    Returns:
        [..., m, n].

    Raises:
        ValueError: for fewer than 2 axes, or rows of different lengths.
    """
    first, second = as_float(x), as_float(y)
    if first.ndim < 2 or second.ndim < 2 or first.shape[-1] != second.shape[-1]:
        raise ValueError(
            "cdist: expected [..., m, d] and [..., n, d], got shapes "
            f"{tuple(first.shape)} and {tuple(second.shape)}."
        )
    rows = reshape_to(first, (*first.shape[:-1], 1, first.shape[-1]))
    others = reshape_to(second, (*second.shape[:-2], 1, *second.shape[-2:]))
    return sqrt(sum(square(subtract(rows, others)), -1))


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Value:
    """log(sum(exp(x))) without overflow: the maximum is taken out first.

    Args:
        x: a tensor.
        axis: the axes to reduce; None: all.
        keepdims: whether they stay, with size 1.

    Returns:
        A float tensor; -inf where every element is, and of nothing.

    Raises:
        ValueError: for an axis that is out of range.
    """
    value = as_float(x)
    top = emit("stop_gradient", max(value, axis, True, initial=-math.inf))
    top = where3(isfinite(top), top, 0)  # an infinite maximum must not be subtracted from itself
    result = add(log(sum(exp(subtract(value, top)), axis, True)), top)
    if keepdims:
        return result
    axes = canonical_axes(axis, value.ndim)
    return reshape_to(result, [dim for i, dim in enumerate(value.shape) if i not in axes])


def in_top_k(targets: Any, predictions: Any, k: int) -> Value:
    """Whether the prediction for each target is among the k largest of its row (bool).

    Args:
        targets: class indices, of the predictions' shape without the last axis; others are never in.
        predictions: a score for each class, along the last axis.
        k: how many count. Equal scores count together: a target that ties with the k-th is in.
    """
    scores = operand(predictions)
    canonical_axis(-1, scores.ndim)
    is_target = one_hot(targets, scores.shape[-1], dtype="bool")
    own = sum(where3(is_target, scores, 0), -1, keepdims=True)
    return logical_and(any(is_target, -1), less(count_nonzero(greater(scores, own), -1), k))
