"""`keras.ops`'s mathematical operations that are not NumPy's."""

from __future__ import annotations

from typing import Any

from ranvier.ops._common import Value, as_float, canonical_axes, float_unary, reshape_to, where3
from ranvier.ops._emit import emit
from ranvier.ops.elementwise import add, exp, isfinite, log, rsqrt, subtract
from ranvier.ops.linalg import norm
from ranvier.ops.reductions import max, sum

__all__ = ["erf", "logsumexp", "norm", "rsqrt"]


def erf(x: Any) -> Value:
    """The error function, 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x."""
    return float_unary("erf", x)


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Value:
    """log(sum(exp(x))) without overflow: the maximum is taken out first.

    Args:
        x: a tensor.
        axis: the axes to reduce; None: all.
        keepdims: whether they stay, with size 1.

    Returns:
        A float tensor; -inf where every element is.

    Raises:
        ValueError: for an axis that is empty or out of range.
    """
    value = as_float(x)
    top = emit("stop_gradient", max(value, axis, True))
    top = where3(isfinite(top), top, 0)  # an infinite maximum must not be subtracted from itself
    result = add(log(sum(exp(subtract(value, top)), axis, True)), top)
    if keepdims:
        return result
    axes = canonical_axes(axis, value.ndim)
    return reshape_to(result, [dim for i, dim in enumerate(value.shape) if i not in axes])
