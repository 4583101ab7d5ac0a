"""Sums and products over prefixes of an axis."""

from __future__ import annotations

from typing import Any

from ranvier.core import dtypes
from ranvier.ops._common import Value, canonical_axis, cast_to, operand, promote
from ranvier.ops._emit import emit
from ranvier.ops.reductions import without_nan
from ranvier.ops.shaping import part, ravel


def cumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Value:
    """The sums of the elements up to each place along an axis.

    Added in a tree: the k-th sum has at most log2(k) + 1 roundings on the way of any element, instead of k.

    Args:
        x: a tensor.
        axis: the axis; None: the flattened tensor.
        dtype: the dtype; None: x's own, "int32" for bool.

    Raises:
        ValueError: for an axis out of range.
    """
    return _prefixes("add", operand(x), axis, dtype)


def cumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Value:
    """The products of the elements up to each place along an axis; arguments as for `cumsum`."""
    return _prefixes("multiply", operand(x), axis, dtype)


def nancumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Value:
    """`cumsum` with NaN counting as 0."""
    return _prefixes("add", without_nan(x, 0), axis, dtype)


def nancumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Value:
    """`cumprod` with NaN counting as 1."""
    return _prefixes("multiply", without_nan(x, 1), axis, dtype)


def _prefixes(op: str, value: Value, axis: int | None, dtype: Any) -> Value:
    if dtype is not None:
        value = cast_to(value, dtypes.standardize_dtype(dtype))
    elif value.dtype == "bool":
        value = cast_to(value, "int32")
    if axis is None:
        value, axis = ravel(value), 0
    place = canonical_axis(axis, value.ndim)
    if value.dtype == "bool":
        op = "logical_or" if op == "add" else "logical_and"
    (work,), name = promote(value)
    size, distance = work.shape[place], 1
    while distance < size:
        begun = part(work, place, 0, distance)
        joined = emit(op, part(work, place, distance, size - distance), part(work, place, 0, size - distance))
        work = emit("concatenate", begun, joined, axis=place)
        distance *= 2
    return cast_to(work, name)
