"""Sums over prefixes and over segments of an axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from ranvier.core import dtypes
from ranvier.ops._common import Value, canonical_axis, cast_to, dtype_of, operand, promote, where3
from ranvier.ops._emit import emit
from ranvier.ops.comparison import greater_equal, less, logical_and
from ranvier.ops.encoding import class_indices
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
    value = operand(x)
    if dtype is not None:
        value = cast_to(value, dtypes.standardize_dtype(dtype))
    elif value.dtype == "bool":
        value = cast_to(value, "int32")
    if axis is None:
        value, axis = ravel(value), 0
    place = canonical_axis(axis, value.ndim)
    (work,), name = promote(value)
    size, distance = work.shape[place], 1
    while distance < size:
        begun = part(work, place, 0, distance)
        added = emit(
            "add", part(work, place, distance, size - distance), part(work, place, 0, size - distance)
        )
        work = emit("concatenate", begun, added, axis=place)
        distance *= 2
    return cast_to(work, name)


def segment_sum(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Value:
    """The sums of the rows of `data` that have the same number.

    Args:
        data: a tensor; its first axis is summed. Integers are exact up to 2^53.
        segment_ids: a number for each row; rows whose number is outside [0, num_segments) do not count.
        num_segments: the number of sums; None: one more than the largest number, which must be known then.
        sorted: whether the numbers increase; the result is the same.

    Returns:
        A tensor of data's shape with the first axis of size `num_segments`.

    Raises:
        ValueError: if there is not one number for each row, or `num_segments` is missing in a trace.
        TypeError: for bool data.
    """
    del sorted  # a promise that nothing is gained from
    value, ids = operand(data), class_indices(segment_ids)
    if ids.ndim != 1 or value.ndim == 0 or ids.shape[0] != value.shape[0]:
        raise ValueError(
            "segment_sum: expected one segment number for each row of `data`. Received: segment_ids of shape "
            f"{tuple(ids.shape)} and data of shape {tuple(value.shape)}"
        )
    if num_segments is None:
        if not isinstance(ids, np.ndarray):
            raise ValueError(
                "segment_sum: `num_segments` must be given in a trace, where numbers are not known."
            )
        num_segments = int(ids.max(initial=-1)) + 1
    count = int(num_segments)
    name = dtype_of(value)
    if name == "bool":
        raise TypeError("segment_sum: expected numbers, got bool data.")
    # One more row takes what does not count.
    inside = logical_and(greater_equal(ids, 0), less(ids, count))
    rows = where3(inside, ids, np.array(count, dtype_of(ids)))
    work = value if name in ("float32", "float64") else cast_to(value, "float64")
    sums = emit("scatter_add", work, rows, rows=count + 1)
    return cast_to(part(sums, 0, 0, count), name)
