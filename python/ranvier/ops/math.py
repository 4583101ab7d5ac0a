"""`keras.ops`'s mathematical operations that are not NumPy's."""

from __future__ import annotations

from typing import Any

from ranvier.ops._common import Value, as_float, canonical_axes, float_unary, operand, reshape_to, where3
from ranvier.ops._emit import emit
from ranvier.ops.comparison import greater, less, logical_and
from ranvier.ops.cumulative import segment_sum
from ranvier.ops.elementwise import add, exp, isfinite, log, rsqrt, subtract
from ranvier.ops.encoding import one_hot
from ranvier.ops.linalg import norm
from ranvier.ops.reductions import any, count_nonzero, max, sum

__all__ = ["erf", "in_top_k", "logsumexp", "norm", "rsqrt", "segment_sum"]


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


def in_top_k(targets: Any, predictions: Any, k: int) -> Value:
    """Whether the prediction for each target is among the k largest of its row (bool).

    Args:
        targets: class indices, of the predictions' shape without the last axis; others are never in.
        predictions: a score for each class, along the last axis.
        k: how many count. Equal scores count together: a target that ties with the k-th is in.
    """
    scores = operand(predictions)
    is_target = one_hot(targets, scores.shape[-1], dtype="bool")
    own = sum(where3(is_target, scores, 0), -1, keepdims=True)
    return logical_and(any(is_target, -1), less(count_nonzero(greater(scores, own), -1), k))
