"""Operations on the bits of integers, common divisors, and the bits of floats.

Operands are promoted as for arithmetic; of two booleans, "and", "or", "xor" and "not" are the logical ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ranvier.core import dtypes
from ranvier.core.symbolic_scope import in_symbolic_scope
from ranvier.core.unknown_size import broadcast_shapes
from ranvier.ops._common import Value, cast_to, dtype_of, integers, operand, promote, where3
from ranvier.ops._emit import emit
from ranvier.ops.comparison import equal, greater, not_equal
from ranvier.ops.elementwise import abs, floor_divide, multiply


def _integers(op: str, x: Any, y: Any) -> tuple[list[Value], str]:
    values, dtype = promote(x, y)
    if dtype in dtypes.FLOAT_DTYPES:
        if in_symbolic_scope():
            return [integers(value) for value in values], dtype
        raise TypeError(f"{op}: expected integers, got {dtype_of(operand(x))} and {dtype_of(operand(y))}.")
    return values, dtype


def _bitwise(op: str, logical: str, x: Any, y: Any) -> Value:
    values, dtype = _integers(op, x, y)
    return cast_to(emit(logical if dtype == "bool" else op, *values), dtype)


def bitwise_and(x: Any, y: Any) -> Value:
    """The bits that are set in both.

    Raises:
        TypeError: for floats.
    """
    return _bitwise("bitwise_and", "logical_and", x, y)


def bitwise_or(x: Any, y: Any) -> Value:
    """The bits that are set in at least one.

    Raises:
        TypeError: for floats.
    """
    return _bitwise("bitwise_or", "logical_or", x, y)


def bitwise_xor(x: Any, y: Any) -> Value:
    """The bits that are set in exactly one.

    Raises:
        TypeError: for floats.
    """
    return _bitwise("bitwise_xor", "logical_xor", x, y)


def bitwise_not(x: Any) -> Value:
    """The bits that are not set.

    Raises:
        TypeError: for floats.
    """
    value = operand(x)
    return bitwise_xor(value, np.asarray(-1 if value.dtype != "bool" else True).astype(dtype_of(value)))


def bitwise_invert(x: Any) -> Value:
    """The same as `bitwise_not`."""
    return bitwise_not(x)


def _shift(op: str, x: Any, y: Any) -> Value:
    values, dtype = _integers(op, x, y)
    if dtype == "bool":
        values, dtype = [cast_to(value, "int32") for value in values], "int32"
    return cast_to(emit(op, *values), dtype)


def left_shift(x: Any, y: Any) -> Value:
    """x's bits moved up by y places; 0 where y is negative or at least the number of bits.

    Raises:
        TypeError: for floats.
    """
    return _shift("left_shift", x, y)


def right_shift(x: Any, y: Any) -> Value:
    """x's bits moved down by y places, the sign filling up; nothing but the sign if y is out of range.

    Raises:
        TypeError: for floats.
    """
    return _shift("right_shift", x, y)


def bitwise_left_shift(x: Any, y: Any) -> Value:
    """The same as `left_shift`."""
    return left_shift(x, y)


def bitwise_right_shift(x: Any, y: Any) -> Value:
    """The same as `right_shift`."""
    return right_shift(x, y)


def gcd(x1: Any, x2: Any) -> Value:
    """The greatest common divisor, >= 0; gcd(x, 0) = |x|.

    Raises:
        TypeError: for anything but integers.
    """
    values, dtype = _integers("gcd", x1, x2)
    return cast_to(emit("gcd", *values), dtype)


def lcm(x1: Any, x2: Any) -> Value:
    """The least common multiple, >= 0; 0 if one is 0.

    Raises:
        TypeError: for anything but integers.
    """
    (first, second), dtype = _integers("lcm", x1, x2)
    divisor = emit("gcd", first, second)
    safe = where3(equal(divisor, 0), 1, divisor)
    return cast_to(abs(multiply(floor_divide(first, safe), second)), dtype)


def view(x: Any, dtype: Any = None) -> Value:
    """The bits of x read as another dtype.

    Args:
        x: a tensor.
        dtype: the dtype; None: x's own. If its size is another, the last axis grows or shrinks accordingly.
            As "bool", each byte becomes whether it is not 0.

    Raises:
        ValueError: if the last axis is not a whole number of elements.
    """
    value = operand(x)
    name = dtype_of(value) if dtype is None else dtypes.standardize_dtype(dtype)
    if name == dtype_of(value):
        return value
    if name == "bool":
        return not_equal(emit("bitcast", value, dtype="uint8"), 0)
    return emit("bitcast", value, dtype=name)


def nextafter(x1: Any, x2: Any) -> Value:
    """The next float after x1 in the direction of x2; x2 where they are equal."""
    (start, end), dtype = promote(x1, x2, with_types=(float,))
    start, end = emit("broadcast_to", start, shape=broadcast_shapes(start.shape, end.shape)), end
    bits = emit("bitcast", start, dtype="int32" if dtype == "float32" else "int64")
    # The bits of floats of one sign are ordered like their magnitudes.
    is_outward = equal(greater(end, start), greater(start, 0))
    step = cast_to(where3(is_outward, 1, -1), dtype_of(bits))
    moved = emit("bitcast", emit("add", bits, step), dtype=dtype)
    smallest = np.asarray(np.finfo(dtype).smallest_subnormal)
    moved = where3(equal(start, 0), where3(greater(end, 0), smallest, -smallest), moved)
    result = where3(equal(start, end), end, moved)
    return where3(equal(start, start), where3(equal(end, end), result, end), start)
