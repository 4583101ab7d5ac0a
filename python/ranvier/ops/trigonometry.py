"""Inverse trigonometric and hyperbolic functions, elementwise, and the parts of a number that is not complex.

Integers and booleans become `floatx()`. All rest on the core's arctan and logarithms, and are written so that
neither large nor small arguments lose digits or overflow.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ranvier.ops._common import Value, as_float, dtype_of, float_unary, operand, promote, where3
from ranvier.ops.comparison import equal, greater, less, logical_and
from ranvier.ops.creation import zeros_like
from ranvier.ops.elementwise import (
    abs,
    add,
    divide,
    isinf,
    log,
    log1p,
    multiply,
    negative,
    signbit,
    sqrt,
    square,
    subtract,
)

_LARGE = 1e8  # x^2 + 1 = x^2 in float64, and x^2 does not overflow float32


def arctan(x: Any) -> Value:
    """The angle in (-pi / 2, pi / 2) whose tangent is x."""
    return float_unary("arctan", x)


def arctan2(x1: Any, x2: Any) -> Value:
    """The angle in [-pi, pi] of the point (x2, x1), counted from the first axis.

    Args:
        x1: the second coordinates.
        x2: the first coordinates.

    Zeros keep their signs, and infinities count as equal, as in C's `atan2`. At (0, 0), where it has no
    gradient, 0 is given.
    """
    (y, x), _ = promote(x1, x2, with_types=(float,))
    y_size, x_size = abs(y), abs(x)
    is_steep = greater(y_size, x_size)
    low, high = where3(is_steep, x_size, y_size), where3(is_steep, y_size, x_size)
    low = where3(isinf(low), 1.0, low)  # both are infinite: they count as equal
    high = where3(logical_and(isinf(y_size), isinf(x_size)), 1.0, high)
    angle = arctan(divide(low, where3(equal(high, 0), 1.0, high)))
    angle = where3(is_steep, subtract(math.pi / 2, angle), angle)
    angle = where3(signbit(x), subtract(math.pi, angle), angle)
    return where3(signbit(y), negative(angle), angle)


def arcsin(x: Any) -> Value:
    """The angle in [-pi / 2, pi / 2] whose sine is x; NaN where |x| > 1."""
    value = as_float(x)
    # Two roots, so that the gradient at -1 and 1 is infinite and not 0 times infinity.
    cosine = multiply(sqrt(subtract(1.0, value)), sqrt(add(1.0, value)))
    return multiply(2.0, arctan(divide(value, add(1.0, cosine))))


def arccos(x: Any) -> Value:
    """The angle in [0, pi] whose cosine is x; NaN where |x| > 1."""
    value = as_float(x)
    is_below = less(value, 0)
    left, right = add(1.0, value), subtract(1.0, value)
    near, far = where3(is_below, left, right), where3(is_below, right, left)
    angle = multiply(2.0, arctan(divide(sqrt(near), sqrt(far))))
    return where3(is_below, subtract(math.pi, angle), angle)


def arcsinh(x: Any) -> Value:
    """The number whose hyperbolic sine is x."""
    value = as_float(x)
    size = abs(value)
    is_large = greater(size, _LARGE)
    small = where3(is_large, 1.0, size)
    root = sqrt(add(square(small), 1.0))
    near = log1p(add(small, divide(square(small), add(1.0, root))))
    result = where3(is_large, add(log(where3(is_large, size, 1.0)), math.log(2.0)), near)
    return where3(less(value, 0), negative(result), result)


def arccosh(x: Any) -> Value:
    """The number >= 0 whose hyperbolic cosine is x; NaN where x < 1."""
    value = as_float(x)
    is_large = greater(value, _LARGE)
    above = subtract(where3(is_large, 2.0, value), 1.0)
    near = log1p(add(above, multiply(sqrt(above), sqrt(add(above, 2.0)))))
    return where3(is_large, add(log(where3(is_large, value, 1.0)), math.log(2.0)), near)


def arctanh(x: Any) -> Value:
    """The number whose hyperbolic tangent is x; infinite at -1 and 1, NaN beyond."""
    value = as_float(x)
    return multiply(0.5, subtract(log1p(value), log1p(negative(value))))


# --- parts of a number: tensors are real, so these are what NumPy gives for real arrays ---


def real(x: Any) -> Value:
    """x itself: tensors are real."""
    return operand(x)


def imag(x: Any) -> Value:
    """Zeros of x's shape and dtype: tensors are real."""
    return zeros_like(x)


def conjugate(x: Any) -> Value:
    """x itself: tensors are real."""
    return operand(x)


def conj(x: Any) -> Value:
    """The same as `conjugate`."""
    return conjugate(x)


def isreal(x: Any) -> Value:
    """True for every element: tensors are real."""
    return np.ones(operand(x).shape, bool)


def angle(x: Any) -> Value:
    """The angle of x in the complex plane: pi where it is negative (-0.0 is), else 0; a float."""
    value = as_float(x)
    turned = where3(signbit(value), np.asarray(math.pi, dtype_of(value)), 0.0)
    return where3(equal(value, value), turned, value)  # NaN stays
