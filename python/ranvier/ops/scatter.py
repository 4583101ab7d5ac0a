"""Rows and blocks that are replaced or combined: segments, scatters, updates of slices.

Places count from the end where they are negative; what lies outside does not count.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ranvier.core.arguments import integer
from ranvier.core.unknown_size import fits
from ranvier.ops._common import (
    Value,
    cast_to,
    dtype_of,
    integers,
    operand,
    promote,
    reshape_to,
    to_shape,
    where3,
)
from ranvier.ops._emit import emit
from ranvier.ops.comparison import greater_equal, less, logical_and
from ranvier.ops.creation import full
from ranvier.ops.elementwise import add, clip, multiply
from ranvier.ops.encoding import class_indices
from ranvier.ops.indexing import take
from ranvier.ops.shaping import part

_MODES = {None: 0, "add": 1, "mul": 2, "max": 3, "min": 4}


def _combined(base: Value, rows: Value, updates: Value, mode: int) -> Value:
    """`base` with its rows combined with updates; a row's number outside the base's does not count."""
    count = base.shape[0]
    spare = np.zeros((1, *base.shape[1:]), dtype_of(base))
    whole = emit("concatenate", base, spare, axis=0)
    result = emit("scatter_update", whole, _inside_or_last(rows, count), updates, mode=mode)
    return part(result, 0, 0, count)


def _inside_or_last(rows: Value, count: int) -> Value:
    """The numbers of rows, those outside [0, count) as `count`: one more row takes what does not count."""
    inside = logical_and(greater_equal(rows, 0), less(rows, count))
    return where3(inside, rows, np.array(count, dtype_of(rows)))


# --- segments ---


def segment_sum(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Value:
    """The sums of the rows of `data` that have the same number; 0 where there is none.

    Args:
        data: a tensor; its first axis is summed.
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
    return _segments("segment_sum", data, segment_ids, num_segments, 1)


def segment_prod(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Value:
    """The products of the rows that have the same number; 1 where there is none. See `segment_sum`."""
    del sorted
    return _segments("segment_prod", data, segment_ids, num_segments, 2)


def segment_max(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Value:
    """The largest of the rows with the same number; the lowest value where there is none."""
    del sorted
    return _segments("segment_max", data, segment_ids, num_segments, 3)


def segment_min(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Value:
    """The smallest of the rows with the same number; the highest value where there is none."""
    del sorted
    return _segments("segment_min", data, segment_ids, num_segments, 4)


def _segments(name: str, data: Any, segment_ids: Any, num_segments: int | None, mode: int) -> Value:
    value, ids = operand(data), class_indices(segment_ids)
    if ids.ndim != 1 or value.ndim == 0 or ids.shape[0] != value.shape[0]:
        raise ValueError(
            f"{name}: expected one segment number for each row of `data`. Received: segment_ids of shape "
            f"{tuple(ids.shape)} and data of shape {tuple(value.shape)}"
        )
    if num_segments is None:
        if not isinstance(ids, np.ndarray):
            raise ValueError(f"{name}: `num_segments` must be given in a trace, where numbers are not known.")
        num_segments = int(ids.max(initial=-1)) + 1
    num_segments = integer(num_segments, "num_segments")
    if mode == 1 and value.dtype == "bool":
        raise TypeError(f"{name}: expected numbers, got bool data.")
    (work,), dtype = promote(value)
    if mode == 1 and dtype_of(work) in ("float32", "float64"):
        return _float_sums(work, ids, num_segments)
    nothing = np.full((num_segments, *value.shape[1:]), _neutral(mode, dtype_of(work)), dtype_of(work))
    return cast_to(_combined(nothing, ids, work, mode), dtype)


def _float_sums(value: Value, ids: Value, count: int) -> Value:
    """The sums of float rows, by a faster operation."""
    sums = emit("scatter_add", value, _inside_or_last(ids, count), rows=count + 1)
    return part(sums, 0, 0, count)


def _neutral(mode: int, dtype: str) -> Any:
    """What a combination with it leaves as it is."""
    if mode in (1, 2):
        return mode - 1
    if dtype == "bool":
        return mode == 4
    if dtype in ("float32", "float64"):
        return -math.inf if mode == 3 else math.inf
    limits = np.iinfo(dtype)
    return limits.min if mode == 3 else limits.max


# --- scatters ---


def _linear(name: str, indices: Any, shape: tuple[int, ...]) -> tuple[Value, int]:
    """Indices of elements (or blocks) as numbers of rows, and how many axes they name; -1: out of range."""
    index = integers(indices)
    if index.ndim == 0 or "int" not in dtype_of(index):
        raise TypeError(
            f"{name}: indices must be integers of at least 1 axis, got {dtype_of(index)} {index.shape}."
        )
    count = index.shape[-1]
    if count > len(shape):
        raise IndexError(f"{name}: Too many indices: {count} for shape {shape}.")
    (index,), _ = promote(index)
    total: Value = np.zeros(index.shape[:-1], dtype_of(index))
    inside: Value = np.ones(index.shape[:-1], bool)
    for axis in range(count):
        place = reshape_to(part(index, index.ndim - 1, axis, 1), index.shape[:-1])
        place = where3(less(place, 0), add(place, shape[axis]), place)
        inside = logical_and(inside, logical_and(greater_equal(place, 0), less(place, shape[axis])))
        total = add(multiply(total, shape[axis]), place)
    return where3(inside, total, -1), count


def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> Value:
    """`inputs` with elements (or blocks of the last axes) replaced by, or combined with, others.

    Args:
        inputs: a tensor.
        indices: integers [..., k]: each names a place on the first k axes. Those out of range do not count.
        updates: [..., *inputs.shape[k:]], converted to the inputs' dtype.
        reduction: None: replaces, the last of several updates of a place; or "add", "mul", "max", "min".

    Raises:
        ValueError: for another `reduction`, or updates of another shape.
        IndexError: if k is more than the inputs' axes.
    """
    if reduction not in _MODES:
        raise ValueError(
            f"Invalid reduction: {reduction}. Supported values are: None, 'add', 'max', 'min', 'mul'."
        )
    (work,), dtype = promote(inputs)
    shape = tuple(work.shape)
    rows, count = _linear("scatter_update", indices, shape)
    block = shape[count:]
    updates = cast_to(cast_to(operand(updates), dtype), dtype_of(work))
    updates = emit("broadcast_to", updates, shape=(*rows.shape, *block))
    table = reshape_to(work, (math.prod(shape[:count]), *block))
    return cast_to(reshape_to(_combined(table, rows, updates, _MODES[reduction]), shape), dtype)


def scatter(indices: Any, values: Any, shape: Any) -> Value:
    """Zeros of a shape with values added at places.

    Args:
        indices: integers [..., k]: each names a place on the first k axes. Those out of range do not count.
        values: [..., *shape[k:]]; several at one place are added.
        shape: the shape of the result, which has the values' dtype.

    Raises:
        ValueError: for values of another shape.
        IndexError: if k is more than the result's axes.
    """
    given = operand(values)
    return scatter_update(full(to_shape(shape), 0, dtype_of(given)), indices, given, "add")


def slice_update(inputs: Any, start_indices: Any, updates: Any) -> Value:
    """`inputs` with a block replaced.

    Args:
        inputs: a tensor.
        start_indices: where the block begins: for each axis an int, or a 1-D tensor of them. It is moved, so
            that it lies within the inputs.
        updates: the block, with as many axes as the inputs.

    Raises:
        ValueError: if there is not one start for each axis.
        TypeError: for a block that is larger than the inputs, or of another dtype.
    """
    whole, block = operand(inputs), operand(updates)
    starts = integers(start_indices)
    if starts.ndim != 1 or starts.shape[0] != whole.ndim:
        raise ValueError(
            f"slice_update: expected a start for each axis of shape {tuple(whole.shape)}, got start_indices "
            f"of shape {tuple(starts.shape)}."
        )
    if dtype_of(whole) != dtype_of(block):
        raise TypeError(f"slice_update: expected updates of dtype {dtype_of(whole)}, got {dtype_of(block)}.")
    if block.ndim != whole.ndim or not all(map(fits, block.shape, whole.shape)):
        raise TypeError(f"slice_update: shape {tuple(block.shape)} does not fit into {tuple(whole.shape)}.")
    if math.prod(block.shape) == 0:
        return whole
    inside: Value = np.ones((), bool)
    for axis, (size, length) in enumerate(zip(whole.shape, block.shape, strict=True)):
        start = reshape_to(part(starts, 0, axis, 1), ())
        start = clip(where3(less(start, 0), add(start, size), start), 0, size - length)
        place = emit("subtract", np.arange(size, dtype=dtype_of(start)), start)
        within = logical_and(greater_equal(place, 0), less(place, length))
        line = [size if i == axis else 1 for i in range(whole.ndim)]
        inside = logical_and(inside, reshape_to(within, line))
        block = take(block, clip(place, 0, length - 1), axis)
    return cast_to(where3(inside, block, whole), dtype_of(whole))
