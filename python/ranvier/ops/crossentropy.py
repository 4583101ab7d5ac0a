"""Cross-entropies, from logits or from probabilities.

Probabilities are first limited to [epsilon, 1 - epsilon], epsilon = `core.dtypes.epsilon()`, 1e-7 by default,
and their logarithms are taken: this is Keras's formula. But where probabilities are a graph's own softmax or
sigmoid of logits, the logits are used. That is the same function without the limits: the loss of a certain
and wrong prediction goes on growing beyond -log(1e-7) = 16.1, and its gradient does not vanish.
"""

from __future__ import annotations

from typing import Any

from ranvier.core import dtypes
from ranvier.core.tensor import Tensor
from ranvier.core.unknown_size import agree
from ranvier.ops._common import (
    Value,
    as_float,
    canonical_axis,
    dtype_of,
    move_last,
    operand,
    reshape_to,
)
from ranvier.ops._emit import emit
from ranvier.ops.activation import log_softmax, softplus
from ranvier.ops.elementwise import add, clip, divide, log, multiply, negative, subtract
from ranvier.ops.encoding import class_indices
from ranvier.ops.math import logsumexp
from ranvier.ops.reductions import sum


def _logits_of(output: Value, op: str) -> Value | None:
    """What `op` was applied to, if `output` is its result in a graph."""
    producer = output.producer if isinstance(output, Tensor) else None
    if producer is None or producer[0] != op:
        return None
    return producer[1][0]


def _clipped(probabilities: Value) -> Value:
    limit = dtypes.epsilon()
    return clip(probabilities, limit, 1.0 - limit)


def _operands(target: Any, output: Any) -> tuple[Value, Value]:
    value = as_float(output)
    return operand(target, dtype_of(value)), value


def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Value:
    """-(target * log(output) + (1 - target) * log(1 - output)), elementwise.

    Args:
        target: what output should be, in [0, 1]; of output's shape.
        output: probabilities, or logits.
        from_logits: whether output holds logits, to which a sigmoid is applied first.

    Returns:
        A tensor of that shape and of output's float dtype.

    Raises:
        ValueError: if the shapes differ.
    """
    truth, value = _operands(target, output)
    if not agree(truth.shape, value.shape):
        raise ValueError(
            "Arguments `target` and `output` must have the same shape. Received: "
            f"target.shape={truth.shape}, output.shape={value.shape}"
        )
    logits = value if from_logits else _logits_of(value, "sigmoid")
    others = subtract(1.0, truth)
    if logits is not None:
        return add(multiply(truth, softplus(negative(logits))), multiply(others, softplus(logits)))
    value = _clipped(value)
    return negative(add(multiply(truth, log(value)), multiply(others, log(subtract(1.0, value)))))


def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Value:
    """-sum(target * log(output)) along the class axis.

    Args:
        target: the probability of each class; of output's shape.
        output: probabilities, which are divided by their sum first, or logits.
        from_logits: whether output holds logits, to which a softmax is applied first.
        axis: the axis of the classes.

    Returns:
        A tensor of that shape without the class axis, of output's float dtype.

    Raises:
        ValueError: if the shapes differ, or for scalars.
    """
    truth, value = _operands(target, output)
    if not agree(truth.shape, value.shape):
        raise ValueError(
            "Arguments `target` and `output` must have the same shape. Received: "
            f"target.shape={truth.shape}, output.shape={value.shape}"
        )
    if value.ndim < 1:
        raise ValueError(
            "Arguments `target` and `output` must be at least rank 1. Received: "
            f"target.shape={truth.shape}, output.shape={value.shape}"
        )
    place = canonical_axis(axis, value.ndim)
    is_last = place == value.ndim - 1
    logits = value if from_logits else (_logits_of(value, "softmax") if is_last else None)
    if logits is not None:
        logarithms = log_softmax(logits, place)
    else:
        logarithms = log(_clipped(divide(value, sum(value, place, True))))
    return negative(sum(multiply(truth, logarithms), place))


def sparse_categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Value:
    """-log(output[target]) along the class axis.

    Args:
        target: class indices; of output's shape without the class axis, or with a last axis of size 1 in its
        place. output: probabilities, which are divided by their sum first, or logits.
        from_logits: whether output holds logits, to which a softmax is applied first.
        axis: the axis of the classes.

    Returns:
        A tensor of output's shape without the class axis and of its float dtype.

    Raises:
        ValueError: if the shapes do not fit, or a label is outside [0, classes): at once for arrays, when the
            program runs for a graph (Keras's backends differ here: JAX's loss is 0).
    """
    value = as_float(output)
    labels = class_indices(target)
    if value.ndim < 1:
        raise ValueError(f"Argument `output` must be at least rank 1. Received: output.shape={value.shape}")
    if labels.ndim == value.ndim and labels.shape[-1] == 1:
        labels = reshape_to(labels, labels.shape[:-1])
    place = canonical_axis(axis, value.ndim)
    value = move_last(value, place)
    if not agree(labels.shape, value.shape[:-1]):
        raise ValueError(
            "Arguments `target` and `output` must have the same shape up until the last dimension: "
            f"target.shape={labels.shape}, output.shape={value.shape}"
        )
    logits = value if from_logits else _logits_of(value, "softmax")
    if logits is not None:
        return emit("sparse_softmax_cross_entropy", logits, labels)
    logarithms = log(_clipped(divide(value, sum(value, -1, True))))
    # The graph's operation checks the labels and takes logsumexp - x[label]; what it adds is taken off again.
    return subtract(emit("sparse_softmax_cross_entropy", logarithms, labels), logsumexp(logarithms, -1))
