"""Means and variances, and what is divided by them."""

from __future__ import annotations

from typing import Any

from ranvier.core import dtypes
from ranvier.core.arguments import number
from ranvier.core.unknown_size import agree
from ranvier.ops._common import (
    Value,
    as_float,
    canonical_axes,
    canonical_axis,
    dtype_of,
    operand,
    promote,
    reshape_to,
)
from ranvier.ops.elementwise import add, divide, maximum, multiply, negative, rsqrt, square, subtract
from ranvier.ops.linalg import norm
from ranvier.ops.reductions import mean, sum, var


def moments(x: Any, axes: Any, keepdims: bool = False, synchronized: bool = False) -> tuple[Value, Value]:
    """The mean and the variance.

    Args:
        x: a tensor.
        axes: the axes to reduce.
        keepdims: whether they stay, with size 1.
        synchronized: must be False; there are no replicas to synchronize.

    Raises:
        NotImplementedError: for `synchronized=True`.
    """
    if synchronized:
        raise NotImplementedError("Argument `synchronized=True` is not supported: there are no replicas.")
    value = as_float(x)
    return mean(value, axes, keepdims), var(value, axes, keepdims)


def normalize(x: Any, axis: Any = -1, order: int = 2, epsilon: float | None = None) -> Value:
    """x divided by its norm along an axis.

    Args:
        x: a tensor.
        axis: the axis, or a sequence of them.
        order: the order of the norm, as for `norm`.
        epsilon: the least that is divided by; None: `epsilon()`.

    Raises:
        ValueError: if the order is not an integer of at least 1.
    """
    if not isinstance(order, int) or order < 1:
        raise ValueError(f"Argument `order` must be an int >= 1. Received: order={order!r}")
    value = as_float(x)
    least = dtypes.epsilon() if epsilon is None else number(epsilon, "epsilon")
    if order == 2:
        return multiply(value, rsqrt(maximum(sum(square(value), axis, True), least * least)))
    return divide(value, maximum(norm(value, order, axis, True), least))


def batch_normalization(
    x: Any, mean: Any, variance: Any, axis: int, offset: Any = None, scale: Any = None, epsilon: float = 1e-3
) -> Value:
    """(x - mean) / sqrt(variance + epsilon) * scale + offset (Ioffe and Szegedy, 2015).

    Args:
        x: a tensor.
        mean: the mean of each feature, 1-D.
        variance: its variance, 1-D.
        axis: the axis of the features.
        offset: added to each feature, 1-D; None: 0.
        scale: by which each is multiplied, 1-D; None: 1.
        epsilon: added to the variance.

    Raises:
        ValueError: if a vector does not have the size of the axis.
    """
    value = as_float(x)
    place = canonical_axis(axis, value.ndim)
    factor = rsqrt(add(_beside(variance, value, (place,)), epsilon))
    if scale is not None:
        factor = multiply(factor, _beside(scale, value, (place,)))
    shift = negative(multiply(_beside(mean, value, (place,)), factor))
    if offset is not None:
        shift = add(shift, _beside(offset, value, (place,)))
    return add(multiply(value, factor), shift)


def layer_normalization(
    x: Any, gamma: Any = None, beta: Any = None, axis: Any = -1, epsilon: float | None = None, **kwargs: Any
) -> Value:
    """(x - mean) / sqrt(variance + epsilon) * gamma + beta (Ba et al., 2016).

    Args:
        x: a tensor.
        gamma: by which it is multiplied, of the shape of x's normalized axes; None: 1.
        beta: added, of that shape; None: 0.
        axis: the axes over which mean and variance are taken.
        epsilon: added to the variance; None: `epsilon()`.
        **kwargs: `rms_scaling`: whether to leave out the mean and beta (not the root mean square: the
        variance is
            still about the mean; see `rms_normalization`).

    Raises:
        ValueError: for other keywords, or parameters of the wrong shape.
    """
    rms_scaling = kwargs.pop("rms_scaling", False)
    if kwargs:
        raise ValueError(f"layer_normalization: unknown arguments {sorted(kwargs)}.")
    value = as_float(x)
    axes = canonical_axes(axis, value.ndim)
    least = dtypes.epsilon() if epsilon is None else epsilon
    average, variance = moments(value, axes, keepdims=True)
    factor = rsqrt(add(variance, least))
    if gamma is not None:
        factor = multiply(factor, _beside(gamma, value, axes))
    if rms_scaling:
        return multiply(value, factor)
    result = multiply(subtract(value, average), factor)
    return result if beta is None else add(result, _beside(beta, value, axes))


def rms_normalization(x: Any, scale: Any = None, axis: Any = -1, epsilon: float | None = None) -> Value:
    """x / sqrt(mean(x^2) + epsilon) * scale (Zhang and Sennrich, 2019).

    Args:
        x: a tensor.
        scale: by which it is multiplied, of the shape of x's normalized axes; None: 1.
        axis: the axes over which the mean is taken.
        epsilon: added to the mean; None: `epsilon()`.

    Raises:
        ValueError: if `scale` has the wrong shape.
    """
    value = as_float(x)
    axes = canonical_axes(axis, value.ndim)
    least = dtypes.epsilon() if epsilon is None else epsilon
    result = multiply(value, rsqrt(add(mean(square(value), axes, True), least)))
    return result if scale is None else multiply(result, _beside(scale, value, axes))


def _beside(parameter: Any, value: Value, axes: tuple[int, ...]) -> Value:
    """A parameter over some of value's axes, with axes of size 1 for the others."""
    (p,), _ = promote(operand(parameter), with_types=(dtype_of(value),))
    wanted = tuple(value.shape[i] for i in sorted(axes))
    if p.ndim == value.ndim and len(axes) != value.ndim:
        return p
    if not agree(p.shape, wanted):
        raise ValueError(f"A parameter of shape {p.shape} does not fit axes {axes} of shape {value.shape}.")
    return reshape_to(p, [dim if i in axes else 1 for i, dim in enumerate(value.shape)])
