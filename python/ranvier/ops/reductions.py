"""Reductions: sums, products, extremes, averages and counts over some or all axes.

`axis` is an axis, a sequence of axes, or None for all; `keepdims` leaves the reduced axes in place with size
1. An axis that is out of range or named twice raises ValueError.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ranvier.core import dtypes
from ranvier.core.unknown_size import agree
from ranvier.ops._common import (
    Value,
    as_float,
    canonical_axes,
    canonical_axis,
    cast_to,
    dtype_of,
    operand,
    promote,
    reshape_to,
    size_of,
    to_bool,
    where3,
)
from ranvier.ops._emit import emit
from ranvier.ops.elementwise import divide, isclose, isnan, maximum, minimum, multiply, sqrt, square, subtract


def _reduce(op: str, x: Value, axis: Any, keepdims: bool) -> Value:
    axes = canonical_axes(axis, x.ndim)
    return emit(op, x, axes=list(axes), keepdims=bool(keepdims)) if axes else x


def _count(x: Value, axis: Any) -> int:
    return size_of(x.shape[a] for a in canonical_axes(axis, x.ndim))


def _total_dtype(dtype: str) -> str:
    """The dtype of a sum or product: narrow integers widen to 32 bits."""
    if dtype in ("bool", "int8", "int16"):
        return "int32"
    return "uint32" if dtype in dtypes.UNSIGNED_DTYPES else dtype


def _total(op: str, x: Any, axis: Any, keepdims: bool) -> Value:
    value = operand(x)
    dtype = _total_dtype(dtype_of(value))
    return cast_to(_reduce(op, cast_to(value, dtypes.compute_dtype(dtype)), axis, keepdims), dtype)


def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Value:
    """The sum; 0 of nothing. Booleans and narrow integers are summed as 32-bit integers."""
    return _total("sum", x, axis, keepdims)


def prod(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Value:
    """The product; 1 of nothing.

    Args:
        x: a tensor.
        axis: the axes to reduce; None: all.
        keepdims: whether they stay, with size 1.
        dtype: the dtype of the result; None: x's, narrow integers widened to 32 bits.
    """
    result = _total(
        "prod", x if dtype is None else operand(x, dtypes.standardize_dtype(dtype)), axis, keepdims
    )
    return result if dtype is None else cast_to(result, dtypes.standardize_dtype(dtype))


def _extreme(op: str, x: Any, axis: Any, keepdims: bool, initial: Any) -> Value:
    value = operand(x)
    dtype = dtype_of(value)
    is_empty = _count(value, axis) == 0
    if is_empty and initial is None:
        raise ValueError(f"{op}: an empty axis has no {op}imum: axis={axis}, shape {value.shape}.")
    if is_empty:
        # The sum of nothing has the right shape, and zeros are replaced by `initial`.
        zeros = _reduce("sum", cast_to(value, "int32"), axis, keepdims)
        return emit("broadcast_to", cast_to(operand(initial), dtype), shape=tuple(zeros.shape))
    if dtype == "bool":
        result = _reduce("any" if op == "max" else "all", value, axis, keepdims)
    else:
        result = cast_to(_reduce(op, cast_to(value, dtypes.compute_dtype(dtype)), axis, keepdims), dtype)
    if initial is None or _changes_nothing(op, initial):
        return result
    bound = cast_to(operand(initial), dtype)
    return maximum(result, bound) if op == "max" else minimum(result, bound)


def _changes_nothing(op: str, initial: Any) -> bool:
    return isinstance(initial, float) and initial == (-math.inf if op == "max" else math.inf)


def max(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Value:
    """The largest element; NaN if there is one. Equal largest elements share the gradient.

    Args:
        x: a tensor.
        axis: the axes to reduce; None: all.
        keepdims: whether they stay, with size 1.
        initial: a value, cast to x's dtype, that the result is not below; it is the result of an empty
            reduction.

    Raises:
        ValueError: for an empty reduction without `initial`.
    """
    return _extreme("max", x, axis, keepdims, initial)


def min(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Value:
    """The smallest element; NaN if there is one. Equal smallest elements share the gradient.

    Args:
        x: a tensor.
        axis: the axes to reduce; None: all.
        keepdims: whether they stay, with size 1.
        initial: a value, cast to x's dtype, that the result is not above; it is the result of an empty
            reduction.

    Raises:
        ValueError: for an empty reduction without `initial`.
    """
    return _extreme("min", x, axis, keepdims, initial)


def amax(x: Any, axis: Any = None, keepdims: bool = False) -> Value:
    """The same as `max` without `initial`."""
    return max(x, axis, keepdims)


def amin(x: Any, axis: Any = None, keepdims: bool = False) -> Value:
    """The same as `min` without `initial`."""
    return min(x, axis, keepdims)


def ptp(x: Any, axis: Any = None, keepdims: bool = False) -> Value:
    """The largest minus the smallest element."""
    return subtract(max(x, axis, keepdims), min(x, axis, keepdims))


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Value:
    """The arithmetic mean, a float; NaN of nothing."""
    value = as_float(x)
    return divide(_reduce("sum", value, axis, keepdims), _count(value, axis))


def average(x: Any, axis: Any = None, weights: Any = None) -> Value:
    """The weighted mean, a float.

    Args:
        x: a tensor.
        axis: the axes to reduce; None: all.
        weights: of x's shape, or 1-D along a single `axis`; None: all equal.

    Raises:
        ValueError: if the weights do not fit.
    """
    if weights is None:
        return mean(x, axis)
    (value, weight), _ = promote(x, weights, with_types=(float,))
    if not agree(weight.shape, value.shape):
        axes = canonical_axes(axis, value.ndim)
        if len(axes) != 1 or weight.shape != (value.shape[axes[0]],):
            raise ValueError(
                f"average: weights of shape {weight.shape} do not fit shape {value.shape}, axis={axis!r}."
            )
        weight = reshape_to(weight, [dim if i == axes[0] else 1 for i, dim in enumerate(value.shape)])
        weight = emit("broadcast_to", weight, shape=tuple(value.shape))
    return divide(_reduce("sum", multiply(value, weight), axis, False), _reduce("sum", weight, axis, False))


def var(x: Any, axis: Any = None, keepdims: bool = False) -> Value:
    """The variance, the mean of the squared distance from the mean (divided by n, not n - 1); a float."""
    value = as_float(x)
    return mean(square(subtract(value, mean(value, axis, True))), axis, keepdims)


def std(x: Any, axis: Any = None, keepdims: bool = False) -> Value:
    """The standard deviation, the square root of `var`. Its gradient is not finite where it is 0."""
    return sqrt(var(x, axis, keepdims))


def any(x: Any, axis: Any = None, keepdims: bool = False) -> Value:
    """Whether some element is not zero (bool); False of nothing."""
    return _reduce("any", to_bool(x), axis, keepdims)


def all(x: Any, axis: Any = None, keepdims: bool = False) -> Value:
    """Whether no element is zero (bool); True of nothing."""
    return _reduce("all", to_bool(x), axis, keepdims)


def count_nonzero(x: Any, axis: Any = None) -> Value:
    """How many elements are not zero (int32)."""
    return _reduce("sum", cast_to(to_bool(x), "int32"), axis, False)


def allclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Value:
    """Whether all elements are close in the sense of `isclose`: one boolean."""
    return all(isclose(x1, x2, rtol, atol, equal_nan))


def isin(x1: Any, x2: Any, assume_unique: bool = False, invert: bool = False) -> Value:
    """Whether each element of x1 is among those of x2 (bool, of x1's shape).

    Args:
        x1: a tensor.
        x2: the values to look among, of any shape. Every pair is compared.
        assume_unique: accepted for compatibility; it changes nothing.
        invert: whether to answer the opposite.
    """
    del assume_unique
    (a, b), _ = promote(x1, x2)
    column = emit("reshape", a, shape=(*a.shape, 1))
    row = emit("reshape", b, shape=(size_of(b.shape),))
    found = emit("any", emit("equal", column, row), axes=[a.ndim], keepdims=False)
    return emit("logical_not", found) if invert else found


def _arg(op: str, x: Any, axis: Any, keepdims: bool) -> Value:
    value = operand(x)
    value = cast_to(value, dtypes.compute_dtype(dtype_of(value)))
    if axis is None:
        flat = reshape_to(value, (size_of(value.shape),))
        index = emit(op, flat, axis=0, keepdims=False, dtype="int32")
        return reshape_to(index, (1,) * value.ndim) if keepdims else index
    return emit(op, value, axis=canonical_axis(axis, value.ndim), keepdims=bool(keepdims), dtype="int32")


def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Value:
    """The index of the first largest element (int32), NaN counting as the largest.

    Args:
        x: a tensor.
        axis: the axis to search along; None: the flattened tensor.
        keepdims: whether the axis stays, with size 1.

    Raises:
        ValueError: if the axis is empty.
    """
    return _arg("argmax", x, axis, keepdims)


def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Value:
    """The index of the first smallest element (int32), NaN counting as the smallest; see `argmax`."""
    return _arg("argmin", x, axis, keepdims)


# --- without NaN ---


def nansum(x: Any, axis: Any = None, keepdims: bool = False) -> Value:
    """The sum of the elements that are not NaN."""
    return sum(without_nan(x, 0), axis, keepdims)


def nanprod(x: Any, axis: Any = None, keepdims: bool = False) -> Value:
    """The product of the elements that are not NaN."""
    return prod(without_nan(x, 1), axis, keepdims)


def nanmax(x: Any, axis: Any = None, keepdims: bool = False) -> Value:
    """The largest element that is not NaN; NaN where there is none."""
    return _nan_extreme(max, -math.inf, x, axis, keepdims)


def nanmin(x: Any, axis: Any = None, keepdims: bool = False) -> Value:
    """The smallest element that is not NaN; NaN where there is none."""
    return _nan_extreme(min, math.inf, x, axis, keepdims)


def nanmean(x: Any, axis: Any = None, keepdims: bool = False) -> Value:
    """The mean of the elements that are not NaN, a float; NaN where there is none."""
    value = as_float(x)
    present = cast_to(emit("logical_not", isnan(value)), dtype_of(value))
    return divide(nansum(value, axis, keepdims), _reduce("sum", present, axis, keepdims))


def nanvar(x: Any, axis: Any = None, keepdims: bool = False) -> Value:
    """The variance of the elements that are not NaN, a float; NaN where there is none."""
    value = as_float(x)
    present = cast_to(emit("logical_not", isnan(value)), dtype_of(value))
    # The NaN that an infinite mean makes counts: only those of x do not.
    squares = where3(isnan(value), 0, square(subtract(value, nanmean(value, axis, True))))
    return divide(_reduce("sum", squares, axis, keepdims), _reduce("sum", present, axis, keepdims))


def nanstd(x: Any, axis: Any = None, keepdims: bool = False) -> Value:
    """The standard deviation of the elements that are not NaN, a float."""
    return sqrt(nanvar(x, axis, keepdims))


def nanargmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Value:
    """The index (int32) of the first largest element that is not NaN, or -1; see `argmax`."""
    return _nan_arg(argmax, -math.inf, x, axis, keepdims)


def nanargmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Value:
    """The index (int32) of the first smallest element that is not NaN, or -1; see `argmax`."""
    return _nan_arg(argmin, math.inf, x, axis, keepdims)


def _nan_arg(search: Any, replacement: float, x: Any, axis: int | None, keepdims: bool) -> Value:
    value = operand(x)
    if value.dtype not in dtypes.FLOAT_DTYPES:
        return search(value, axis, keepdims)
    none_left = _reduce("all", isnan(value), axis, keepdims)
    return where3(none_left, -1, search(without_nan(value, replacement), axis, keepdims))


def without_nan(x: Any, replacement: float) -> Value:
    """x with another value in place of NaN."""
    value = operand(x)
    if value.dtype not in dtypes.FLOAT_DTYPES:
        return value
    return where3(isnan(value), replacement, value)


def _nan_extreme(extreme: Any, replacement: float, x: Any, axis: Any, keepdims: bool) -> Value:
    value = operand(x)
    if value.dtype not in dtypes.FLOAT_DTYPES:
        return extreme(value, axis, keepdims)
    none_left = _reduce("all", isnan(value), axis, keepdims)
    return where3(none_left, np.nan, extreme(without_nan(value, replacement), axis, keepdims))
