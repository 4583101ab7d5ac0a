"""Arithmetic, powers, exponentials, trigonometry, rounding and the tests for NaN, elementwise.

Operands broadcast as in NumPy and are promoted as `core.dtypes.result_type` says; Python numbers keep the
other operand's dtype. Functions of real numbers turn integers and booleans into `floatx()`. Every function
takes tensors, arrays, variables, numbers and nested sequences of them, and returns a tensor inside a trace,
an array outside.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ranvier.core import dtypes
from ranvier.ops._common import (
    Value,
    as_float,
    binary,
    cast_to,
    dtype_of,
    float_unary,
    integers,
    operand,
    promote,
    unary,
    where3,
)
from ranvier.ops._emit import emit
from ranvier.ops.comparison import equal, greater, less, less_equal, logical_and, logical_or, not_equal

# --- arithmetic ---


def add(x1: Any, x2: Any) -> Value:
    """x1 + x2. Of two booleans: or."""
    values, dtype = promote(x1, x2)
    return cast_to(emit("logical_or" if dtype == "bool" else "add", *values), dtype)


def subtract(x1: Any, x2: Any) -> Value:
    """x1 - x2.

    Raises:
        TypeError: for two booleans.
    """
    return binary("subtract", x1, x2)


def multiply(x1: Any, x2: Any) -> Value:
    """x1 * x2. Of two booleans: and."""
    values, dtype = promote(x1, x2)
    return cast_to(emit("logical_and" if dtype == "bool" else "multiply", *values), dtype)


def divide(x1: Any, x2: Any) -> Value:
    """x1 / x2, always a float; x / 0 is infinite and 0 / 0 is NaN."""
    values, _ = promote(x1, x2, with_types=(float,))
    return emit("divide", *values)


def true_divide(x1: Any, x2: Any) -> Value:
    """The same as `divide`."""
    return divide(x1, x2)


def divide_no_nan(x1: Any, x2: Any) -> Value:
    """x1 / x2, and 0 where x2 is 0; always a float. The gradient is 0 there too."""
    (a, b), _ = promote(x1, x2, with_types=(float,))
    is_zero = equal(b, 0)
    return where3(is_zero, 0, emit("divide", a, where3(is_zero, 1, b)))


def floor_divide(x1: Any, x2: Any) -> Value:
    """The largest integer not above x1 / x2, in the promoted dtype; booleans count as int32."""
    return _integral("floor_divide", x1, x2)


def mod(x1: Any, x2: Any) -> Value:
    """The remainder x1 - x2 * floor(x1 / x2): it has the sign of x2. Booleans count as int32."""
    return _integral("mod", x1, x2)


def fmod(x1: Any, x2: Any) -> Value:
    """The remainder of the division rounded towards zero: it has the sign of x1. Booleans count as int32."""
    (a, b), dtype = promote(x1, x2)
    if dtype in dtypes.FLOAT_DTYPES:
        remainder = mod(abs(a), abs(b))
        return where3(less(a, 0), negative(remainder), remainder)
    # Without absolute values: the least integer has none.
    remainder = mod(a, b)
    is_other = logical_and(not_equal(remainder, 0), not_equal(less(remainder, 0), less(a, 0)))
    return cast_to(where3(is_other, subtract(remainder, b), remainder), "int32" if dtype == "bool" else dtype)


def _integral(op: str, x1: Any, x2: Any) -> Value:
    values, dtype = promote(x1, x2)
    if dtype == "bool":
        values, dtype = [cast_to(value, "int32") for value in values], "int32"
    return cast_to(emit(op, *values), dtype)


def power(x1: Any, x2: Any) -> Value:
    """x1 to the power x2.

    Floats: NaN for a negative x1 with a fractional x2. Integers stay integers and wrap; a negative exponent
    then gives the quotient without its fraction (0 beyond 1 and -1). The numbers 2, 3 and 4 as x2 are
    products, and -1 is a division of floats: faster by an order of magnitude, and so are their derivatives.
    """
    values, dtype = promote(x1, x2)
    is_float = dtype in dtypes.FLOAT_DTYPES
    if isinstance(x2, (int, float)) and not isinstance(x2, bool) and x2 in (2, 3, 4):
        squared = square(values[0])
        whole = squared if x2 == 2 else square(squared) if x2 == 4 else multiply(squared, values[0])
        return cast_to(whole, dtype)
    if isinstance(x2, (int, float)) and x2 == -1 and is_float:
        return emit("reciprocal", values[0])
    if is_float:
        return emit("power", *values)
    if dtype == "bool":
        values, dtype = [cast_to(value, "int32") for value in values], "int32"
    return cast_to(_integer_power(*values), dtype)


def _integer_power(base: Value, exponent: Value) -> Value:
    """Products of the squares of squares that the exponent's bits name, as many as it may have."""
    limit = int(np.iinfo(dtype_of(base)).max)
    most = int(exponent.max(initial=0)) if isinstance(exponent, np.ndarray) else limit
    result: Value = np.ones((), dtype_of(base))
    squared = base
    for bit in range(most.bit_length()):
        if bit:
            squared = square(squared)
        is_set = not_equal(emit("bitwise_and", exponent, np.asarray(1 << bit, dtype_of(exponent))), 0)
        result = where3(is_set, multiply(result, squared), result)
    is_odd = not_equal(emit("bitwise_and", exponent, np.ones((), dtype_of(exponent))), 0)
    unit = where3(logical_or(equal(base, 1), logical_and(equal(base, -1), is_odd)), base, equal(base, -1))
    return where3(less(exponent, 0), cast_to(unit, dtype_of(base)), result)


def negative(x: Any) -> Value:
    """-x.

    Raises:
        TypeError: for booleans.
    """
    return unary("neg", x)


def abs(x: Any) -> Value:
    """The absolute value, in x's dtype."""
    value = operand(x)
    return value if value.dtype == "bool" else unary("abs", value)


def absolute(x: Any) -> Value:
    """The same as `abs`."""
    return abs(x)


def fabs(x: Any) -> Value:
    """The absolute value as a float."""
    return float_unary("abs", x)


def sign(x: Any) -> Value:
    """-1, 0 or 1 by the sign of x, in x's dtype; NaN stays NaN. The gradient is 0.

    Raises:
        TypeError: for booleans.
    """
    return unary("sign", x)


def signbit(x: Any) -> Value:
    """Whether x's sign bit is set (bool): it is negative, -0.0, or a NaN with that sign."""
    value = operand(x)
    if value.dtype not in dtypes.FLOAT_DTYPES:
        return less(value, 0)
    return less(emit("bitcast", value, dtype="int32" if value.dtype == "float32" else "int64"), 0)


def square(x: Any) -> Value:
    """x * x, in x's dtype; booleans become int32."""
    value = operand(x)
    return unary("square", cast_to(value, "int32") if value.dtype == "bool" else value)


def maximum(x1: Any, x2: Any) -> Value:
    """The larger of the two; NaN if either is NaN. Where they are equal the gradient is shared by halves."""
    values, dtype = promote(x1, x2)
    return cast_to(emit("logical_or" if dtype == "bool" else "maximum", *values), dtype)


def minimum(x1: Any, x2: Any) -> Value:
    """The smaller of the two; NaN if either is NaN. Where they are equal the gradient is shared by halves."""
    values, dtype = promote(x1, x2)
    return cast_to(emit("logical_and" if dtype == "bool" else "minimum", *values), dtype)


def fmax(x1: Any, x2: Any) -> Value:
    """The larger of the two; a NaN gives way to a number. Where they are equal, x2 has the gradient."""
    values, dtype = promote(x1, x2)
    if dtype not in dtypes.FLOAT_DTYPES:
        return maximum(x1, x2)
    return emit("select", logical_or(greater(*values), isnan(values[1])), *values)


def fmin(x1: Any, x2: Any) -> Value:
    """The smaller of the two; a NaN gives way to a number. Where they are equal, x2 has the gradient."""
    values, dtype = promote(x1, x2)
    if dtype not in dtypes.FLOAT_DTYPES:
        return minimum(x1, x2)
    return emit("select", logical_or(less(*values), isnan(values[1])), *values)


def clip(x: Any, x_min: Any, x_max: Any) -> Value:
    """x limited to [x_min, x_max]; a limit of None is left out. Booleans become int32.

    The dtype is promoted from all three: integers clipped by a float become floats.
    """
    limits = [limit for limit in (x_min, x_max) if limit is not None]
    values, dtype = promote(x, *limits)
    if dtype == "bool":
        values, dtype = [cast_to(value, "int32") for value in values], "int32"
    result = values.pop(0)
    if x_min is not None:
        result = emit("maximum", result, values.pop(0))
    if x_max is not None:
        result = emit("minimum", result, values.pop(0))
    return cast_to(result, dtype)


# --- powers, exponentials, logarithms ---


def sqrt(x: Any) -> Value:
    """The square root; NaN below 0."""
    return float_unary("sqrt", x)


def rsqrt(x: Any) -> Value:
    """1 / sqrt(x); infinite at 0, NaN below."""
    return float_unary("rsqrt", x)


def cbrt(x: Any) -> Value:
    """The real cube root, negative for negative x."""
    value = as_float(x)
    # In float64, where a third has digits enough; by a sign without a gradient, which at 0 would make NaN of
    # an infinite slope.
    wide = cast_to(value, "float64")
    side = where3(signbit(value), np.asarray(-1.0), np.asarray(1.0))
    root = emit("power", emit("multiply", wide, side), np.asarray(1.0 / 3.0))
    return cast_to(emit("multiply", root, side), dtype_of(value))


def reciprocal(x: Any) -> Value:
    """1 / x."""
    return float_unary("reciprocal", x)


def exp(x: Any) -> Value:
    """e to the power x."""
    return float_unary("exp", x)


def exp2(x: Any) -> Value:
    """2 to the power x."""
    value = as_float(x)
    return emit("power", np.asarray(2.0, dtype_of(value)), value)


def expm1(x: Any) -> Value:
    """exp(x) - 1, accurate near 0."""
    return float_unary("expm1", x)


def log(x: Any) -> Value:
    """The natural logarithm; -inf at 0, NaN below."""
    return float_unary("log", x)


def log1p(x: Any) -> Value:
    """log(1 + x), accurate near 0."""
    return float_unary("log1p", x)


def log2(x: Any) -> Value:
    """The logarithm to base 2."""
    return divide(log(x), math.log(2.0))


def log10(x: Any) -> Value:
    """The logarithm to base 10."""
    return divide(log(x), math.log(10.0))


def logaddexp(x1: Any, x2: Any) -> Value:
    """log(exp(x1) + exp(x2)) without overflow; always a float."""
    (a, b), _ = promote(x1, x2, with_types=(float,))
    # Where both are the same infinity their difference is NaN and must not be looked at.
    distance = where3(emit("equal", a, b), 0, emit("abs", emit("subtract", a, b)))
    return emit("add", emit("maximum", a, b), emit("log1p", emit("exp", emit("neg", distance))))


def logaddexp2(x1: Any, x2: Any) -> Value:
    """log2(2**x1 + 2**x2) without overflow; always a float."""
    return divide(logaddexp(multiply(x1, math.log(2.0)), multiply(x2, math.log(2.0))), math.log(2.0))


def hypot(x1: Any, x2: Any) -> Value:
    """sqrt(x1**2 + x2**2), scaled so that the squares cannot overflow; always a float."""
    (a, b), _ = promote(x1, x2, with_types=(float,))
    large, small = maximum(abs(a), abs(b)), minimum(abs(a), abs(b))
    usable = logical_and(isfinite(large), not_equal(large, 0))
    ratio = divide(where3(usable, small, 0), where3(usable, large, 1))
    return multiply(large, sqrt(add(square(ratio), 1)))


# --- trigonometry ---


def sin(x: Any) -> Value:
    """The sine of x radians."""
    return float_unary("sin", x)


def cos(x: Any) -> Value:
    """The cosine of x radians."""
    return float_unary("cos", x)


def tan(x: Any) -> Value:
    """The tangent of x radians."""
    value = as_float(x)
    return emit("divide", emit("sin", value), emit("cos", value))


def sinh(x: Any) -> Value:
    """The hyperbolic sine.

    Near 0 it is (t + t / (t + 1)) / 2 with t = expm1(x); elsewhere (h^2 - h^-2) / 2 with h = exp(x / 2),
    which overflows where sinh does and not before.
    """
    value = as_float(x)
    is_small = less(abs(value), 1)
    t = expm1(where3(is_small, value, 0))
    near = multiply(0.5, add(t, divide(t, add(t, 1))))
    h = exp(multiply(value, 0.5))
    far = subtract(multiply(multiply(0.5, h), h), divide(divide(0.5, h), h))
    return where3(is_small, near, far)


def cosh(x: Any) -> Value:
    """The hyperbolic cosine: (h^2 + h^-2) / 2 with h = exp(x / 2), which overflows where cosh does."""
    h = exp(multiply(as_float(x), 0.5))
    return add(multiply(multiply(0.5, h), h), divide(divide(0.5, h), h))


def tanh(x: Any) -> Value:
    """The hyperbolic tangent."""
    return float_unary("tanh", x)


def sinc(x: Any) -> Value:
    """sin(pi x) / (pi x), and 1 at 0."""
    value = as_float(x)
    is_zero = equal(value, 0)
    angle = multiply(value, math.pi)
    other = where3(is_zero, 1, angle)
    # At 0 the series, whose derivatives are those of the function.
    return where3(is_zero, subtract(1, divide(square(angle), 6)), divide(sin(other), other))


def deg2rad(x: Any) -> Value:
    """Degrees to radians."""
    return multiply(as_float(x), math.pi / 180.0)


def rad2deg(x: Any) -> Value:
    """Radians to degrees."""
    return multiply(as_float(x), 180.0 / math.pi)


# --- rounding ---


def floor(x: Any) -> Value:
    """The largest integer not above x, as a float. The gradient is 0, as for all of the rounding."""
    return float_unary("floor", x)


def ceil(x: Any) -> Value:
    """The smallest integer not below x, as a float."""
    return float_unary("ceil", x)


def trunc(x: Any) -> Value:
    """x rounded towards zero, in x's dtype."""
    value = operand(x)
    if value.dtype not in dtypes.FLOAT_DTYPES:
        return value
    return where3(less(value, 0), emit("ceil", value), emit("floor", value))


def round(x: Any, decimals: int = 0) -> Value:
    """x rounded to `decimals` places after the point (before it, if negative), halves to even; in x's dtype.

    Raises:
        ValueError: for booleans.
    """
    value = operand(x)
    if value.dtype == "bool":
        raise ValueError("round: expected numbers, got bool.")
    if value.dtype in dtypes.FLOAT_DTYPES:
        if decimals == 0:
            return emit("round", value)
        if decimals > np.finfo(dtype_of(value)).maxexp * math.log10(2):
            return value
        factor = 10.0 ** (decimals if decimals > 0 else -decimals)
        if decimals > 0:
            return divide(emit("round", multiply(value, factor)), factor)
        return multiply(emit("round", divide(value, factor)), factor)
    if decimals >= 0:
        return value
    return cast_to(round(cast_to(value, "float64"), decimals), dtype_of(value))


# --- tests and repairs ---


def isnan(x: Any) -> Value:
    """Whether x is NaN (bool)."""
    return float_unary("isnan", x)


def isinf(x: Any) -> Value:
    """Whether x is infinite (bool)."""
    return float_unary("isinf", x)


def isposinf(x: Any) -> Value:
    """Whether x is +infinity (bool)."""
    return equal(as_float(x), math.inf)


def isneginf(x: Any) -> Value:
    """Whether x is -infinity (bool)."""
    return equal(as_float(x), -math.inf)


def isfinite(x: Any) -> Value:
    """Whether x is neither infinite nor NaN (bool)."""
    return float_unary("isfinite", x)


def nan_to_num(x: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Value:
    """x with NaN and the infinities replaced, in x's dtype; other values are kept.

    Args:
        x: any tensor; one that is not floating is returned as it is.
        nan: for NaN.
        posinf: for +infinity; None: the largest finite number of the dtype.
        neginf: for -infinity; None: the lowest finite number of the dtype.
    """
    value = operand(x)
    if value.dtype not in dtypes.FLOAT_DTYPES:
        return value
    limits = np.finfo(dtype_of(value))
    value = where3(isnan(value), nan, value)
    value = where3(isposinf(value), limits.max if posinf is None else posinf, value)
    return where3(isneginf(value), limits.min if neginf is None else neginf, value)


def heaviside(x1: Any, x2: Any) -> Value:
    """0 below 0, x2 at 0, 1 above, as a float; NaN stays NaN. The gradient with respect to x1 is 0."""
    (a, b), _ = promote(x1, x2, with_types=(float,))
    step = cast_to(greater(a, 0), dtype_of(a))
    return where3(isnan(a), a, where3(equal(a, 0), b, step))


def ldexp(x1: Any, x2: Any) -> Value:
    """x1 * 2**x2, as a float.

    Args:
        x1: a tensor.
        x2: integers.

    Raises:
        TypeError: if x2 is a float.
    """
    exponent = integers(x2)
    if exponent.dtype in dtypes.FLOAT_DTYPES:
        raise TypeError(f"ldexp: expected integers as exponents, got x2 of dtype {dtype_of(exponent)}.")
    (a, _), dtype = promote(x1, exponent, with_types=(float,))
    # In three steps, so that no power of 2 is infinite or 0 where the product is neither.
    step = 126 if dtype == "float32" else 1020
    rest = clip(cast_to(exponent, "int32"), -3 * step, 3 * step)
    for parts in (3, 2, 1):
        part = floor_divide(rest, parts)
        a, rest = multiply(a, exp2(cast_to(part, dtype))), subtract(rest, part)
    return a


def isclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Value:
    """Where |x1 - x2| <= atol + rtol * |x2|; infinities of the same sign are close.

    Args:
        x1: a tensor.
        x2: the reference that `rtol` relates to.
        rtol: the relative tolerance.
        atol: the absolute tolerance.
        equal_nan: whether NaN is close to NaN.
    """
    (a, b), dtype = promote(x1, x2)
    if dtype == "bool":
        return equal(a, b)
    if dtype not in dtypes.FLOAT_DTYPES:
        a, b = cast_to(a, "float64"), cast_to(b, "float64")  # integers far apart have no distance
    bound = add(atol, multiply(rtol, abs(b)))
    near = less_equal(abs(subtract(a, b)), bound)
    close = logical_or(equal(a, b), logical_and(near, isfinite(b)))
    if equal_nan:
        close = logical_or(close, logical_and(isnan(a), isnan(b)))
    return close
