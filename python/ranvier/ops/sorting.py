"""Order: sorting, ranks, searching, and what has as many results as the values decide.

Sorting is stable, NaN is the largest value, and indices are int32. `nonzero` and `unique` have results whose
size depends on values, which a graph of static shapes cannot hold: inside a trace they refuse (`unique`,
unless it has a `size`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ranvier.core.arguments import integer
from ranvier.core.tensor import Tensor
from ranvier.ops._common import (
    Value,
    canonical_axis,
    cast_to,
    dtype_of,
    known,
    move_from_last,
    move_last,
    operand,
    promote,
    reshape_to,
    size_of,
    where3,
)
from ranvier.ops._emit import emit
from ranvier.ops.comparison import less, not_equal, places
from ranvier.ops.cumulative import cumsum
from ranvier.ops.indexing import take, take_along_axis
from ranvier.ops.reductions import any, sum
from ranvier.ops.shaping import concatenate, moveaxis, part, ravel


def _rows(x: Any, axis: int | None) -> tuple[Value, int]:
    """x, flattened if `axis` is None, and the axis."""
    value = operand(x)
    if axis is None or value.ndim == 0:
        return ravel(value), 0
    return value, canonical_axis(axis, value.ndim)


def _order(value: Value, place: int, descending: bool = False, count: int | None = None) -> Value:
    """The indices that sort an axis."""
    (work,), _ = promote(value)
    count = value.shape[place] if count is None else count
    found = emit("argsort", move_last(work, place), descending=descending, count=count)
    return move_from_last(found, place)


def argsort(x: Any, axis: int | None = -1) -> Value:
    """The indices (int32) that sort x; equal elements keep their order, NaN comes last.

    Args:
        x: a tensor.
        axis: the axis; None: the flattened tensor.

    Raises:
        ValueError: for an axis out of range.
    """
    return _order(*_rows(x, axis))


def sort(x: Any, axis: int | None = -1) -> Value:
    """x in increasing order along an axis; NaN comes last.

    Args:
        x: a tensor.
        axis: the axis; None: the flattened tensor.

    Raises:
        ValueError: for an axis out of range, as any is of a scalar.
    """
    if axis is not None:
        canonical_axis(axis, operand(x).ndim)
    value, place = _rows(x, axis)
    return take_along_axis(value, _order(value, place), place)


def argpartition(x: Any, kth: int, axis: int | None = -1) -> Value:
    """Indices (int32) that put element `kth` where sorting would, smaller ones before, larger ones after it.

    Args:
        x: a tensor.
        kth: the place.
        axis: the axis; None: the flattened tensor.

    Both sides keep the order that they have in x.

    Raises:
        ValueError: for an axis or a place out of range.
    """
    value, place = _rows(x, axis)
    length = value.shape[place]
    if not -length <= integer(kth, "kth") < length:
        raise ValueError(f"argpartition: kth={kth} is out of range for an axis of {length} elements.")
    rank = argsort(_order(value, place), place)
    pivot = integer(kth, "kth") % length
    side = where3(less(rank, pivot), 0, where3(less(pivot, rank), 2, 1))
    return argsort(side, place)


def top_k(x: Any, k: int, sorted: bool = True) -> list[Value]:
    """The k largest elements of the last axis, the largest first, and their indices (int32).

    Args:
        x: a tensor.
        k: how many.
        sorted: whether they must be in order; they always are.

    Returns:
        [values, indices]; of equal elements the first ones are taken.

    Raises:
        ValueError: if there are fewer than k elements.
    """
    del sorted  # a permission that nothing is gained from
    value = operand(x)
    if value.ndim == 0 or not 0 <= integer(k, "k") <= value.shape[-1]:
        raise ValueError(f"top_k: cannot take k={k} elements of the last axis of shape {tuple(value.shape)}.")
    indices = _order(value, value.ndim - 1, True, integer(k, "k"))
    return [take_along_axis(value, indices, -1), indices]


def searchsorted(sorted_sequence: Any, values: Any, side: str = "left") -> Value:
    """Where values would be put into a sorted sequence so that it stays sorted: places as int32.

    Args:
        sorted_sequence: a 1-D tensor in increasing order.
        values: a tensor of any shape.
        side: "left": before equal elements; "right": after them.

    Raises:
        ValueError: for another `side`, or a sequence that is not 1-D.
    """
    if side not in ("left", "right"):
        raise ValueError(f"searchsorted: expected side='left' or 'right', got {side!r}.")
    (row, wanted), _ = promote(sorted_sequence, values)
    if row.ndim != 1:
        raise ValueError(
            "`searchsorted` only supports 1-D sorted sequences. "
            f"Received: sorted_sequence.shape={tuple(row.shape)}"
        )
    return emit("searchsorted", row, wanted, right=side == "right")


def digitize(x: Any, bins: Any) -> Value:
    """The number (int32) of the bin of each element: i where bins[i - 1] <= x < bins[i].

    Args:
        x: a tensor.
        bins: the edges, a 1-D sequence in increasing order.

    Raises:
        ValueError: if `bins` is not 1-D.
    """
    edges = operand(bins)
    if edges.ndim != 1:
        raise ValueError(f"`bins` must be a 1D array. Received: bins={bins!r}")
    return searchsorted(edges, x, side="right")


def nonzero(x: Any) -> tuple[np.ndarray, ...]:
    """The places of the elements that are not 0: for each axis an int32 array of indices.

    Raises:
        ValueError: inside a trace, where the number of places is not known (`ops.where(x, a, b)` may serve).
    """
    return places(x, "nonzero")


def unique(
    x: Any,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The different values of a tensor, in increasing order.

    Args:
        x: a tensor.
        sorted: whether they must be in order; they always are.
        return_index: whether to return where each value occurs first.
        return_inverse: whether to return, for each element, the number of its value.
        return_counts: whether to return how often each value occurs.
        axis: the axis whose slices are compared; None: the elements are.
        size: how many values to return: others are left out, and missing ones are filled up. None: as many as
            there are, which is possible outside of a trace only.
        fill_value: what to fill up with; None: the smallest value. Their indices are the first value's, their
            counts 0.

    Returns:
        The values, or a tuple (values, indices, inverse, counts) of those that were asked for; all but the
        values are int32.

    Raises:
        ValueError: inside a trace without `size`, or for an axis out of range.
    """
    del sorted
    value = operand(x)
    if isinstance(value, Tensor) and size is not None:
        found = _unique_of_size(value, axis, integer(size, "size"), fill_value)
    else:
        array = known(value, "unique", "without `size` the result's shape")
        axis = None if axis is None else canonical_axis(axis, array.ndim)
        found = _unique_of_array(array, axis, size, fill_value)
    wanted = (True, return_index, return_inverse, return_counts)
    result = tuple(item for item, is_wanted in zip(found, wanted, strict=True) if is_wanted)
    return result[0] if len(result) == 1 else result


def _unique_of_array(
    array: np.ndarray, axis: int | None, size: int | None, fill_value: Any
) -> tuple[Any, ...]:
    values, index, inverse, counts = np.unique(
        array, return_index=True, return_inverse=True, return_counts=True, axis=axis
    )
    inverse = inverse.reshape(array.shape if axis is None else -1)
    if size and not index.size:
        raise ValueError("unique: an empty tensor has no values to fill up with.")
    if size is not None:
        along = 0 if axis is None else axis
        missing = size - len(index)
        values = np.take(values, np.arange(min(size, len(index))), along)
        index, counts = index[:size], counts[:size]
        if missing > 0:
            first = np.take(values, [0], along)
            filler = first if fill_value is None else np.full_like(first, fill_value)
            values = np.concatenate([values, np.repeat(filler, missing, along)], along)
            index = np.concatenate([index, np.full(missing, index[0])])
            counts = np.concatenate([counts, np.zeros(missing, counts.dtype)])
    return values, index.astype("int32"), inverse.astype("int32"), counts.astype("int32")


def _unique_of_size(value: Value, axis: int | None, size: int, fill_value: Any) -> tuple[Value, ...]:
    """The same in a graph: the sorted elements that differ from the one before them, moved together."""
    whole = ravel(value) if axis is None else moveaxis(value, axis, 0)
    length = whole.shape[0]
    shape_of_inverse = value.shape if axis is None else (length,)
    if length == 0 and size == 0:
        nothing = np.zeros(0, "int32")
        return value if axis is not None else whole, nothing, np.zeros(shape_of_inverse, "int32"), nothing
    if length == 0:
        raise ValueError("unique: an empty tensor has no values to fill up with.")
    table = reshape_to(whole, (length, size_of(whole.shape[1:])))
    order = _order_of_rows(table)
    (work,), _ = promote(take(table, order, 0))
    is_new = any(not_equal(part(work, 0, 1, length - 1), part(work, 0, 0, length - 1)), 1)
    number = concatenate([np.zeros(1, "int32"), cumsum(cast_to(is_new, "int32"))])
    # The first element of each run goes to its run's row; others, and runs beyond `size`, to one more row.
    is_first = concatenate([np.ones(1, bool), is_new])
    row = where3(less(number, size), where3(is_first, number, size), size)
    place = _moved(order, row, np.zeros(size + 1, "int32"))
    is_given = less(np.arange(size, dtype="int32"), part(number, 0, length - 1, 1) + 1)
    first = take(order, 0)
    index = where3(is_given, part(place, 0, 0, size), first)
    values = take(whole, index, 0)
    if fill_value is not None:
        filled = reshape_to(is_given, (size, *[1] * (whole.ndim - 1)))
        values = where3(filled, values, cast_to(operand(fill_value), dtype_of(whole)))
    inverse = _moved(number, order, np.zeros(length, "int32"))
    is_own = emit("equal", reshape_to(number, (1, length)), np.arange(size, dtype="int32")[:, None])
    counts = sum(cast_to(is_own, "int32"), 1)
    values = cast_to(values, dtype_of(whole))
    values = values if axis is None else moveaxis(values, 0, axis)
    return values, index, reshape_to(inverse, shape_of_inverse), counts


def _order_of_rows(table: Value) -> Value:
    """The indices that sort the rows of a matrix by the first column, equal ones by the second, and so on."""
    if table.shape[1] == 0:
        return np.arange(table.shape[0], dtype="int32")
    order = argsort(part(table, 1, table.shape[1] - 1, 1), 0)
    order = reshape_to(order, (table.shape[0],))
    for column in reversed(range(table.shape[1] - 1)):
        keys = reshape_to(part(table, 1, column, 1), (table.shape[0],))
        order = take(order, argsort(take(keys, order, 0)), 0)
    return order


def _moved(values: Value, rows: Value, base: np.ndarray) -> Value:
    """`base` with its rows replaced."""
    return emit("scatter_update", base, rows, values, mode=0)
