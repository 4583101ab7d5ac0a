"""Repetition, order, borders and indexing: operations that move or repeat elements and compute nothing.

Sizes are known when a graph is built, so results have static shapes; an axis that is out of range raises
ValueError.
"""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from ranvier.core import dtypes
from ranvier.core.arguments import integer
from ranvier.core.unknown_size import broadcast_shapes, is_known
from ranvier.ops._common import (
    Value,
    canonical_axes,
    canonical_axis,
    cast_to,
    dtype_of,
    integers,
    move_from_last,
    move_last,
    operand,
    reshape_to,
    size_of,
    to_shape,
    transpose_to,
    where3,
)
from ranvier.ops._emit import emit
from ranvier.ops.comparison import greater_equal, less, logical_and
from ranvier.ops.elementwise import add, clip, floor_divide, mod
from ranvier.ops.shaping import part, ravel, swapaxes

# --- repetition and order ---


def tile(x: Any, repeats: Any) -> Value:
    """x laid side by side.

    Args:
        x: a tensor.
        repeats: how often along each axis, an int or a sequence; missing leading axes of either are taken as
        1.
    """
    value = operand(x)
    counts = to_shape(repeats)
    rank = builtins.max(value.ndim, len(counts))
    counts = (1,) * (rank - len(counts)) + counts
    shape = (1,) * (rank - value.ndim) + tuple(value.shape)
    apart = [dim for d in shape for dim in (1, d)]
    spread = [dim for c, d in zip(counts, shape, strict=True) for dim in (c, d)]
    result = emit("broadcast_to", reshape_to(value, apart), shape=tuple(spread))
    return reshape_to(result, [c * d for c, d in zip(counts, shape, strict=True)])


def repeat(x: Any, repeats: Any, axis: int | None = None) -> Value:
    """Each element of x repeated.

    Args:
        x: a tensor.
        repeats: how often: an int, or one for each index along the axis (numbers, not tensors).
        axis: the axis; None: the flattened tensor.

    Raises:
        ValueError: if `repeats` has the wrong length.
    """
    value = operand(x)
    if axis is None:
        value, axis = ravel(value), 0
    place = canonical_axis(axis, value.ndim)
    counts = to_shape(repeats)
    dim = value.shape[place]
    if len(counts) == 1:
        wide = reshape_to(value, (*value.shape[: place + 1], 1, *value.shape[place + 1 :]))
        shape = (*value.shape[: place + 1], counts[0], *value.shape[place + 1 :])
        result = emit("broadcast_to", wide, shape=shape)
        return reshape_to(result, (*value.shape[:place], dim * counts[0], *value.shape[place + 1 :]))
    if len(counts) != dim:
        raise ValueError(f"repeat: {len(counts)} repeats do not fit axis {place} of shape {value.shape}.")
    return take(value, np.repeat(np.arange(dim), counts), place)


def flip(x: Any, axis: Any = None) -> Value:
    """x with the order of its elements reversed along some axes; None: all."""
    value = operand(x)
    for a in canonical_axes(axis, value.ndim):
        if value.shape[a]:
            begins, strides = [0] * value.ndim, [1] * value.ndim
            begins[a], strides[a] = value.shape[a] - 1, -1
            value = emit("slice", value, begin=begins, size=list(value.shape), stride=strides)
    return value


def fliplr(x: Any) -> Value:
    """x reversed along axis 1."""
    return flip(x, 1)


def flipud(x: Any) -> Value:
    """x reversed along axis 0."""
    return flip(x, 0)


def rot90(array: Any, k: int = 1, axes: Any = (0, 1)) -> Value:
    """x rotated by k quarter turns in the plane of two axes, from the first towards the second.

    Raises:
        ValueError: if the axes are not two different ones.
    """
    value = operand(array)
    first, second = canonical_axes(tuple(axes), value.ndim)
    turns = k % 4
    if turns == 2:
        return flip(flip(value, first), second)
    if turns == 1:
        return swapaxes(flip(value, second), first, second)
    return flip(swapaxes(value, first, second), second) if turns == 3 else value


def roll(x: Any, shift: Any, axis: Any = None) -> Value:
    """x with its elements moved along an axis; those that fall off the end come in at the beginning.

    Args:
        x: a tensor.
        shift: by how much, an int, or one for each axis.
        axis: an axis, or one for each shift; None: the flattened tensor, whose shape is then restored.

    Raises:
        ValueError: if there are several of each, and not as many shifts as axes.
    """
    value = operand(x)
    if axis is None:
        return reshape_to(roll(ravel(value), shift, 0), value.shape)
    axes = tuple(axis) if isinstance(axis, (list, tuple)) else (axis,)
    shifts = to_shape(shift)
    shifts = shifts * len(axes) if len(shifts) == 1 else shifts
    axes = axes * len(shifts) if len(axes) == 1 else axes
    if len(shifts) != len(axes):
        raise ValueError(f"roll: shift={shift} and axis={axis} have different lengths.")
    for step, a in zip(shifts, axes, strict=True):
        place = canonical_axis(a, value.ndim)
        dim = value.shape[place]
        if dim and step % dim:
            cut = dim - step % dim
            parts = (part(value, place, cut, dim - cut), part(value, place, 0, cut))
            value = emit("concatenate", *parts, axis=place)
    return value


# --- padding ---


def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Value:
    """x with a border.

    Args:
        x: a tensor.
        pad_width: (before, after) for each axis; one pair, or one int, stands for all axes.
        mode: "constant"; "reflect" (mirrored at the edge element), "symmetric" (mirrored, edge included), or
            "edge" (the edge element repeated).
        constant_values: the border's value in mode "constant"; None: 0.

    Raises:
        ValueError: for an unknown mode, a mirror wider than the axis, or a value in another mode.
    """
    value = operand(x)
    if mode != "constant" and constant_values is not None:
        raise ValueError(
            "Argument `constant_values` can only be provided when `mode == 'constant'`. "
            f"Received: mode={mode!r}"
        )
    if mode not in ("constant", "reflect", "symmetric", "edge"):
        raise ValueError(f"Invalid mode '{mode}': expected 'constant', 'reflect', 'symmetric' or 'edge'.")
    pairs = _pad_pairs(pad_width, value.ndim)
    if mode == "constant" and constant_values is None:
        return _with_zeros(value, pairs)
    for axis, (before, after) in enumerate(pairs):
        if before or after:
            border = _constant_border if mode == "constant" else _copied_border
            value = border(value, axis, before, after, constant_values if mode == "constant" else mode)
    return value


def _pad_pairs(pad_width: Any, rank: int) -> list[tuple[int, int]]:
    widths = np.asarray(pad_width)
    if widths.dtype.kind not in "iu" or (widths.size and widths.min() < 0):
        raise ValueError(f"pad: expected widths that are integers >= 0, got {pad_width}.")
    try:
        return [(int(a), int(b)) for a, b in np.broadcast_to(widths, (rank, 2))]
    except ValueError:
        raise ValueError(f"pad: pad_width={pad_width} does not fit a tensor of {rank} axes.") from None


def _with_zeros(value: Value, pairs: list[tuple[int, int]]) -> Value:
    if not any(before or after for before, after in pairs):
        return value
    shape = [size + before + after for size, (before, after) in zip(value.shape, pairs, strict=True)]
    return emit("unslice", value, shape=shape, begin=[before for before, _ in pairs], stride=[1] * value.ndim)


def _constant_border(value: Value, axis: int, before: int, after: int, fill: Any) -> Value:
    dtype = dtype_of(value)
    parts: list[Value] = [value]
    for width, place in ((before, 0), (after, 2)):
        if width:
            shape = (*value.shape[:axis], width, *value.shape[axis + 1 :])
            border = emit("broadcast_to", operand(0 if fill is None else fill, dtype), shape=shape)
            parts.insert(place, border)
    return emit("concatenate", *parts, axis=axis)


def _copied_border(value: Value, axis: int, before: int, after: int, mode: str) -> Value:
    dim = value.shape[axis]
    if mode == "edge":
        index = np.clip(np.arange(-before, dim + after), 0, dim - 1)
    else:
        index = np.pad(np.arange(dim), (before, after), mode=mode)  # type: ignore[call-overload]
    if dim == 0:
        raise ValueError(f"pad: mode '{mode}' has nothing to copy from axis {axis} of shape {value.shape}.")
    return take(value, index, axis)


# --- indexing ---


def _indices(indices: Any, dim: int) -> Value:
    """Indices as int32 or int64, negative ones counted from the end."""
    index = integers(indices)
    if index.dtype not in dtypes.INT_DTYPES:
        raise ValueError(f"indices must have an integer type, got {index.dtype}.")
    index = cast_to(index, dtypes.compute_dtype(dtype_of(index)))
    if isinstance(index, np.ndarray):
        return np.where(index < 0, index + dim, index).astype(index.dtype)
    return where3(less(index, 0), emit("add", index, operand(dim, dtype_of(index))), index)


def take(x: Any, indices: Any, axis: int | None = None) -> Value:
    """The slices of x at given indices along an axis.

    Args:
        x: a tensor.
        indices: integers of any shape; negative ones count from the end.
        axis: the axis; None: the flattened tensor.

    Returns:
        A tensor of x's shape with the axis replaced by the shape of the indices.

    Raises:
        ValueError: for an index out of range (Keras's backends differ here; JAX fills with NaN), or indices
        that are
            not integers.
    """
    value = operand(x)
    if axis is None:
        value, axis = ravel(value), 0
    place = canonical_axis(axis, value.ndim)
    index = _indices(indices, value.shape[place])
    if place == 0:
        return emit("take", value, index)
    others = [i for i in range(value.ndim) if i != place]
    rows = emit("take", transpose_to(value, [place, *others]), index)
    order = [index.ndim + i for i in range(place)] + list(range(index.ndim))
    return transpose_to(rows, order + [index.ndim + i for i in range(place, value.ndim - 1)])


def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Value:
    """The elements of x at given indices along an axis, one index for each result.

    Args:
        x: a tensor.
        indices: integers with as many axes as x; the other axes broadcast with x's. Negative ones count from
        the end. axis: the axis; None: the flattened tensor, with 1-D indices.

    Returns:
        A tensor of the broadcast shape with the axis of the indices.

    Raises:
        ValueError: for an index out of range, or indices that are not integers or have another number of
        axes.
    """
    value, index = operand(x), operand(indices)
    if axis is None:
        value, axis = ravel(value), 0
    if value.ndim != index.ndim:
        raise ValueError(
            f"take_along_axis: shape {value.shape} needs indices of {value.ndim} axes, got {index.shape}."
        )
    place = canonical_axis(axis, value.ndim)
    dim, count = value.shape[place], index.shape[place]
    value, index = move_last(value, place), move_last(_indices(index, dim), place)
    lead = broadcast_shapes(tuple(value.shape[:-1]), tuple(index.shape[:-1]))
    value = emit("broadcast_to", value, shape=(*lead, dim))
    index = emit("broadcast_to", index, shape=(*lead, count))
    # Row r of the flattened table begins at r * dim; an index beyond its row is sent out of the table.
    starts = (np.arange(size_of(lead), dtype=dtype_of(index)) * dim).reshape(*lead, 1)
    is_inside = logical_and(less(index, dim), greater_equal(index, 0))
    place_in_table = where3(is_inside, emit("add", index, starts), -1)
    flat = emit("take", reshape_to(value, (size_of(lead) * dim,)), place_in_table)
    return move_from_last(flat, place)


def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Value:
    """The diagonals of the matrices that two axes form, as a new last axis.

    Args:
        x: a tensor of at least 2 axes.
        offset: the diagonal; 0 is the main one, positive ones lie above it.
        axis1: the axis of the rows.
        axis2: the axis of the columns.

    Raises:
        ValueError: for fewer than 2 axes, or if the two are the same.
    """
    value = operand(x)
    if value.ndim < 2:
        raise ValueError(f"diagonal: expected at least 2 axes, got shape {value.shape}.")
    rows_at, columns_at = canonical_axes((axis1, axis2), value.ndim)
    value = transpose_to(
        value, [i for i in range(value.ndim) if i not in (rows_at, columns_at)] + [rows_at, columns_at]
    )
    rows, columns = value.shape[-2:]
    lead = tuple(value.shape[:-2])
    beyond = int(rows + columns)  # all diagonals outside of the matrix are alike
    offset = builtins.min(builtins.max(integer(offset, "offset"), -beyond), beyond)
    places = np.diagonal(np.arange(rows * columns).reshape(rows, columns), offset)
    unknown = [size for size in (rows, columns) if not is_known(size)]
    if unknown:  # so is the smaller of the two
        places = np.zeros(builtins.max(unknown[0] - builtins.abs(offset), 0), "int32")
    return take(reshape_to(value, (*lead, rows * columns)), places, -1)


def diag(x: Any, k: int = 0) -> Value:
    """Of a vector, the matrix that has it on diagonal `k`; of a matrix, its diagonal `k`.

    Raises:
        ValueError: for any other number of axes.
    """
    value = operand(x)
    k = integer(k, "k")
    if value.ndim == 2:
        return diagonal(value, k)
    if value.ndim != 1:
        raise ValueError(f"diag: expected 1 or 2 axes, got shape {value.shape}.")
    extent = value.shape[0] + builtins.abs(k)
    dtypes.check_size((extent, extent), dtype_of(value))
    first = builtins.max(-k, 0) * extent + builtins.max(k, 0)  # of the elements of the matrix, row by row
    spread = emit("unslice", value, shape=[extent * extent], begin=[first], stride=[extent + 1])
    return reshape_to(spread, (extent, extent))


def diagflat(x: Any, k: int = 0) -> Value:
    """The matrix that has the flattened x on diagonal `k`."""
    return diag(ravel(x), k)


def unravel_index(indices: Any, shape: Any) -> tuple[Value, ...]:
    """Indices into a flattened tensor as places in it: for each axis a tensor of indices.

    Args:
        indices: integers; negative ones count from the end, what is out of range becomes the nearest.
        shape: the tensor's shape.

    Raises:
        TypeError: if the indices are not integers.
    """
    index = integers(indices)
    if "int" not in dtype_of(index):
        raise TypeError(f"unravel_index: expected integers, got {dtype_of(index)}.")
    dims = to_shape(shape)
    size = size_of(dims)
    rest = clip(where3(less(index, 0), add(index, size), index), 0, builtins.max(size - 1, 0))
    places = []
    for dim in reversed(dims):
        places.append(mod(rest, dim))
        rest = floor_divide(rest, dim)
    return tuple(reversed(places))
