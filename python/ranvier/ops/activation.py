"""Activation functions. Integers become floats first, unless said otherwise.

At a kink the gradient is that of the side where the formula's condition holds, unless said otherwise; these
are JAX's choices.
"""

from __future__ import annotations

import math
from typing import Any

from ranvier.ops._common import (
    Value,
    as_float,
    canonical_axes,
    cast_to,
    dtype_of,
    float_unary,
    move_from_last,
    move_last,
    operand,
    reshape_to,
    size_of,
    transpose_to,
    unary,
    where3,
)
from ranvier.ops._emit import emit
from ranvier.ops.comparison import greater, greater_equal, less, less_equal
from ranvier.ops.elementwise import (
    abs,
    add,
    clip,
    divide,
    expm1,
    multiply,
    negative,
    sqrt,
    square,
    subtract,
    tanh,
)
from ranvier.ops.math import erf
from ranvier.ops.shaping import split

# Klambauer et al., 2017: the fixed point with mean 0 and variance 1.
_SELU_ALPHA = 1.6732632423543772
_SELU_SCALE = 1.0507009873554805


# --- rectifiers ---


def relu(x: Any) -> Value:
    """max(x, 0), in x's dtype (booleans become int32). The gradient at 0 is 0."""
    value = operand(x)
    return unary("relu", cast_to(value, "int32") if value.dtype == "bool" else value)


def relu6(x: Any) -> Value:
    """min(max(x, 0), 6). The gradient at both kinks is 0."""
    value = as_float(x)
    return where3(greater_equal(value, 6), 6.0, relu(value))


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Value:
    """x where x >= 0, else negative_slope * x."""
    value = as_float(x)
    return where3(greater_equal(value, 0), value, multiply(value, negative_slope))


def elu(x: Any, alpha: float = 1.0) -> Value:
    """x where x > 0, else alpha * (exp(x) - 1) (Clevert et al., 2015)."""
    value = as_float(x)
    return _exponential_unit(value, value, alpha)


def _exponential_unit(value: Value, scaled: Value, alpha: float) -> Value:
    """value where it is above 0, else alpha * expm1(scaled), kept from overflow where it is not taken."""
    is_positive = greater(value, 0)
    return where3(is_positive, value, multiply(alpha, expm1(where3(is_positive, 0, scaled))))


def selu(x: Any) -> Value:
    """scale * elu(x, alpha) with alpha = 1.67326324 and scale = 1.05070098 (Klambauer et al., 2017)."""
    return multiply(_SELU_SCALE, elu(x, _SELU_ALPHA))


def celu(x: Any, alpha: float = 1.0) -> Value:
    """x where x > 0, else alpha * (exp(x / alpha) - 1) (Barron, 2017)."""
    value = as_float(x)
    return _exponential_unit(value, divide(value, alpha), alpha)


def gelu(x: Any, approximate: bool = True) -> Value:
    """x times the normal distribution function of x (Hendrycks and Gimpel, 2016).

    Args:
        x: a tensor.
        approximate: whether to use x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) instead of erf.
    """
    value = as_float(x)
    if approximate:
        cubic = add(value, multiply(0.044715, multiply(value, square(value))))
        distribution = add(1.0, tanh(multiply(math.sqrt(2.0 / math.pi), cubic)))
    else:
        distribution = add(1.0, erf(multiply(value, math.sqrt(0.5))))
    return multiply(multiply(0.5, value), distribution)


# --- sigmoids and steps ---


def sigmoid(x: Any) -> Value:
    """1 / (1 + exp(-x))."""
    return float_unary("sigmoid", x)


def log_sigmoid(x: Any) -> Value:
    """log(sigmoid(x)) = -softplus(-x), without overflow."""
    return negative(softplus(negative(as_float(x))))


def hard_sigmoid(x: Any) -> Value:
    """relu6(x + 3) / 6: x / 6 + 1 / 2, limited to [0, 1]."""
    return divide(relu6(add(as_float(x), 3.0)), 6.0)


def sparse_sigmoid(x: Any) -> Value:
    """(x + 1) / 2, limited to [0, 1]. The gradient at both kinks is halfway."""
    return clip(multiply(0.5, add(as_float(x), 1.0)), 0.0, 1.0)


def hard_tanh(x: Any) -> Value:
    """x limited to [-1, 1], in x's dtype (booleans become int32). The gradient at both kinks is 1."""
    value = operand(x)
    value = cast_to(value, "int32") if value.dtype == "bool" else value
    inside = where3(less(value, -1), -1, value)
    return cast_to(where3(greater(value, 1), 1, inside), dtype_of(value))


def binary_step(x: Any) -> Value:
    """1 where x >= 0, else 0, as a float: the perceptron's activation (Rosenblatt, 1958).

    It is not part of Keras. Its gradient is stated as zero everywhere, so that a network with it trains its
    other parts only. NaN gives 0.
    """
    value = as_float(x)
    return cast_to(greater_equal(value, 0), dtype_of(value))


def threshold(x: Any, threshold: float, default_value: float) -> Value:
    """x where x > threshold, else default_value."""
    value = operand(x)
    return where3(greater(value, threshold), value, default_value)


# --- smooth ---


def softplus(x: Any) -> Value:
    """log(1 + exp(x)), without overflow."""
    return float_unary("softplus", x)


def softsign(x: Any) -> Value:
    """x / (1 + |x|)."""
    value = as_float(x)
    return divide(value, add(1.0, abs(value)))


def silu(x: Any) -> Value:
    """x * sigmoid(x), also called swish (Ramachandran et al., 2017)."""
    value = as_float(x)
    return multiply(value, sigmoid(value))


def swish(x: Any) -> Value:
    """The same as `silu`."""
    return silu(x)


def hard_silu(x: Any) -> Value:
    """x * hard_sigmoid(x), also called hard swish (Howard et al., 2019)."""
    value = as_float(x)
    return multiply(value, hard_sigmoid(value))


def hard_swish(x: Any) -> Value:
    """The same as `hard_silu`."""
    return hard_silu(x)


def mish(x: Any) -> Value:
    """x * tanh(softplus(x)) (Misra, 2019)."""
    value = as_float(x)
    return multiply(value, tanh(softplus(value)))


def squareplus(x: Any, b: float = 4) -> Value:
    """(x + sqrt(x^2 + b)) / 2 (Barron, 2021).

    Args:
        x: a tensor.
        b: how smooth the bend is.
    """
    value = as_float(x)
    return multiply(0.5, add(value, sqrt(add(square(value), b))))


def sparse_plus(x: Any) -> Value:
    """0 where x <= -1, x where x >= 1, else (x + 1)^2 / 4."""
    value = as_float(x)
    bend = multiply(0.25, square(add(value, 1.0)))
    return where3(less_equal(value, -1), 0.0, where3(less(value, 1), bend, value))


# --- shrinkage ---


def hard_shrink(x: Any, threshold: float = 0.5) -> Value:
    """x where |x| > threshold, else 0."""
    value = as_float(x)
    return where3(greater(abs(value), threshold), value, 0.0)


def soft_shrink(x: Any, threshold: float = 0.5) -> Value:
    """x - threshold where x > threshold, x + threshold where x < -threshold, else 0."""
    value = as_float(x)
    low = where3(less(value, -threshold), add(value, threshold), 0.0)
    return where3(greater(value, threshold), subtract(value, threshold), low)


def tanh_shrink(x: Any) -> Value:
    """x - tanh(x)."""
    value = as_float(x)
    return subtract(value, tanh(value))


# --- over an axis ---


def softmax(x: Any, axis: Any = -1) -> Value:
    """exp(x) / sum(exp(x)) along an axis, without overflow.

    Args:
        x: a tensor of at least one axis.
        axis: the axis, several of them (they count as one), or None for all.

    Raises:
        ValueError: if the axis is out of range.
    """
    return _along("softmax", x, axis)


def log_softmax(x: Any, axis: Any = -1) -> Value:
    """log(softmax(x)) along an axis, without overflow; arguments as for `softmax`."""
    return _along("log_softmax", x, axis)


def _along(op: str, x: Any, axis: Any) -> Value:
    value = as_float(x)
    axes = canonical_axes(axis, value.ndim)
    if len(axes) == 1:
        return move_from_last(emit(op, move_last(value, axes[0])), axes[0])
    rest = [i for i in range(value.ndim) if i not in axes]
    order = rest + list(axes)
    lead = [value.shape[i] for i in rest]
    moved = transpose_to(value, order)
    rows = emit(op, reshape_to(moved, [*lead, size_of(value.shape[i] for i in axes)]))
    return transpose_to(reshape_to(rows, moved.shape), [order.index(i) for i in range(value.ndim)])


def glu(x: Any, axis: int = -1) -> Value:
    """The first half along an axis times the sigmoid of the second (Dauphin et al., 2017).

    Raises:
        ValueError: if the axis is out of range or its size odd.
    """
    value = as_float(x)
    first, second = split(value, 2, axis)
    return multiply(first, sigmoid(second))
