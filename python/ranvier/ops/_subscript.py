"""NumPy's indexing of tensors: integers, slices, `None`, `...`, and arrays of integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ranvier.core.arguments import shown
from ranvier.core.tensor import Tensor
from ranvier.core.unknown_size import UnknownSize, broadcast_shapes, is_known
from ranvier.core.user_code import user_line
from ranvier.ops import indexing
from ranvier.ops._common import Value, cast_to, dtype_of, operand, reshape_to, size_of, transpose_to, where3
from ranvier.ops._emit import emit
from ranvier.ops.comparison import greater_equal, less, logical_and
from ranvier.ops.elementwise import add, multiply


def getitem(x: Any, key: Any) -> Value:
    """x[key] as in NumPy.

    The places of several arrays in a key are those of one block of axes, which stands where the first of them
    did, or in front if a slice, `None` or `...` is between them; integers beside arrays count as arrays.

    Args:
        x: a tensor, or an array, which NumPy indexes.
        key: integers, slices, `None`, `...`, arrays or tensors of integers, or a tuple of these. An array of
            booleans stands for the places where it is true; a tensor of booleans is refused.

    Raises:
        IndexError: if an index is out of range, or there are more than the tensor has axes.
        TypeError: for other kinds of keys (boolean tensors have no static shape: use `ops.where`).
        ValueError: if arrays do not broadcast; when it runs, for an index out of range in a tensor.
    """
    x = operand(x)
    given = key if isinstance(key, tuple) else (key,)
    if isinstance(x, np.ndarray) and not any(isinstance(k, Tensor) for k in given):
        try:
            return np.asarray(x[key])
        except OverflowError:
            raise IndexError(f"An index does not fit 64 bits: {shown(key)}") from None
    keys = _expand(_places(given), len(x.shape))
    # Where an array is in the key, integers count as arrays of no axes.
    has_arrays = any(_is_array(k) for k in keys)
    begin, size, stride, shape = [], [], [], []
    chosen: list[tuple[int, Any]] = []  # axis of what the slices leave, indices
    axis = 0
    for k in keys:
        if k is None:
            shape.append(1)
            continue
        dim = x.shape[axis]
        if isinstance(k, slice):
            start, stop, step = k.indices(dim)
            count = _length(k, range(start, stop, step), dim)
            begin.append(start if count else 0)
        elif not _is_array(k) and not has_arrays:
            begin.append(_checked(int(k), dim, axis, x))
            count, step = 1, 1
        else:
            chosen.append((len(shape), k if _is_array(k) else np.asarray(_checked(int(k), dim, axis, x))))
            begin.append(0)
            count, step = dim, 1
        size.append(count)
        stride.append(step)
        if isinstance(k, slice) or has_arrays:
            shape.append(count)
        axis += 1
    if size != list(x.shape) or any(s != 1 for s in stride):
        x = emit("slice", x, begin=begin, size=size, stride=stride)
    x = reshape_to(x, shape)
    return _gathered(x, chosen) if chosen else x


def get_item(x: Any, key: Any) -> Value:
    """x[key] as in NumPy: integers, slices, None, Ellipsis, arrays of integers, and tuples of these.

    Args:
        x: a tensor.
        key: what would stand between the brackets.

    Raises:
        IndexError: if an index is out of range, or there are more than the tensor has axes.
        TypeError: for other kinds of keys.
    """
    return getitem(x, key)


def _checked(k: int, dim: int, axis: int, x: Value) -> int:
    if not -dim <= k < dim:
        raise IndexError(f"Index {k} is out of range for axis {axis} of shape {tuple(x.shape)}.")
    return k % dim


def _length(k: slice, chosen: range, dim: int) -> int:
    """How many a slice takes: not known yet if it goes from one end of an unknown axis towards the other."""
    first_at_front = k.start is None or k.start >= 0
    last_at_front = k.stop is not None and k.stop >= 0
    if is_known(dim) or first_at_front == last_at_front:
        return len(chosen)
    return UnknownSize(len(chosen))


def _is_array(k: Any) -> bool:
    return isinstance(k, (Tensor, np.ndarray))


def _places(keys: tuple[Any, ...]) -> list[Any]:
    """The keys with arrays as arrays of integers: those of booleans by the places that they name."""
    result: list[Any] = []
    for k in keys:
        if k is None or k is Ellipsis or isinstance(k, slice):
            result.append(k)
        elif isinstance(k, (int, np.integer)) and not isinstance(k, (bool, np.bool_)):
            result.append(k)
        elif isinstance(k, Tensor):
            result.append(_integers(k))
        else:
            array = operand(k) if not isinstance(k, list) or k else np.zeros(0, "int32")
            if isinstance(array, np.ndarray) and array.dtype == bool and array.ndim:
                result.extend(i.astype("int32") for i in np.nonzero(array))
            else:
                result.append(_integers(array))
    return result


def _integers(k: Value) -> Value:
    if str(k.dtype) == "bool":
        raise TypeError(
            f"{user_line()}: A boolean index would give a tensor whose shape depends on its numbers, and "
            "shapes are fixed when a step is traced. Use `ops.where(condition, x, 0)`, or weights of 0 and 1."
        )
    if "int" not in str(k.dtype):
        raise TypeError(
            f"Indices must be integers, slices, None, '...' or integer arrays. Received: dtype {k.dtype}"
        )
    return k


def _expand(keys: list[Any], ndim: int) -> list[Any]:
    """The keys with `...` written out, one for each axis."""
    used = sum(k is not None and k is not Ellipsis for k in keys)
    if used > ndim:
        raise IndexError(f"Too many indices: {used} for a tensor of {ndim} axes.")
    ellipses = [i for i, k in enumerate(keys) if k is Ellipsis]
    if len(ellipses) > 1:
        raise IndexError("An index can only have a single ellipsis ('...').")
    at = ellipses[0] if ellipses else len(keys)
    return [*keys[:at], *[slice(None)] * (ndim - used), *keys[at + 1 :]]


def _gathered(x: Value, chosen: list[tuple[int, Any]]) -> Value:
    """x with some of its axes replaced by arrays of places along them."""
    axes = [axis for axis, _ in chosen]
    for axis, k in chosen:
        dim = x.shape[axis]
        if isinstance(k, np.ndarray) and k.size and not -dim <= k.min() <= k.max() < dim:
            raise IndexError(f"An index is out of range for axis {axis} of shape {tuple(x.shape)}.")
    if len(chosen) == 1:
        return indexing.take(x, chosen[0][1], axis=axes[0])
    shape = broadcast_shapes(*(tuple(k.shape) for _, k in chosen))
    sizes = [x.shape[axis] for axis in axes]
    place: Value = np.zeros((), "int32" if size_of(sizes) < 2**31 else "int64")
    inside: Value = np.ones((), bool)
    for (_, k), dim in zip(chosen, sizes, strict=True):
        index = cast_to(operand(k), dtype_of(place))
        index = where3(less(index, 0), add(index, dim), index)
        inside = logical_and(inside, logical_and(greater_equal(index, 0), less(index, dim)))
        place = add(multiply(place, dim), index)
    # What lies outside of one axis may be a place in the whole: it is sent out of it, and refused there.
    place = emit("broadcast_to", where3(inside, place, size_of(sizes)), shape=shape)
    rest = [i for i in range(x.ndim) if i not in axes]
    moved = transpose_to(x, [*axes, *rest])
    rows = emit("take", reshape_to(moved, (size_of(sizes), *(x.shape[i] for i in rest))), place)
    if axes != list(range(axes[0], axes[0] + len(axes))):
        return rows
    count, front = len(shape), axes[0]
    order = [*range(count, count + front), *range(count), *range(count + front, rows.ndim)]
    return transpose_to(rows, order)
