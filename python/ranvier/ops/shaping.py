"""Shapes, joins and splits: operations that move elements and compute nothing.

Sizes are known when a graph is built, so results have static shapes; an axis that is out of range raises
ValueError.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from ranvier.core.arguments import integer, integers, shown
from ranvier.core.tensor import Tensor
from ranvier.core.unknown_size import agree, fits, is_known
from ranvier.ops._common import (
    Value,
    canonical_axes,
    canonical_axis,
    cast_to,
    is_multiple,
    operand,
    promote,
    reshape_to,
    size_of,
    to_shape,
    transpose_to,
)
from ranvier.ops._emit import emit

_MOST_PARTS = 1 << 16  # tensors that one call takes or gives: as many as an operation of the core has inputs

# --- shape ---


def reshape(x: Any, newshape: Any) -> Value:
    """x with another shape, its elements in row-major order.

    Args:
        x: a tensor.
        newshape: an int or a sequence of them; one may be -1 and is computed from the size.

    Raises:
        ValueError: if the sizes differ or more than one dimension is -1.
    """
    value = operand(x)
    shape = list(to_shape(newshape))
    if shape.count(-1) > 1:
        raise ValueError(
            f"There must be at most one unknown dimension (-1) in `newshape`. Received: newshape={newshape}."
        )
    if -1 in shape:
        known = size_of(dim for dim in shape if dim != -1)
        size = size_of(value.shape)
        if known <= 0 or not is_multiple(size, known):
            raise ValueError(f"reshape: shape {value.shape} of {size} elements cannot become {tuple(shape)}.")
        shape[shape.index(-1)] = size // known
    return reshape_to(value, shape)


def ravel(x: Any) -> Value:
    """x as one axis."""
    return reshape(x, -1 if size_of(operand(x).shape) else 0)


def expand_dims(x: Any, axis: Any) -> Value:
    """x with axes of size 1 put in.

    Args:
        x: a tensor.
        axis: where they stand in the result: an int or a sequence of them.

    Raises:
        TypeError: if the axis is None.
        ValueError: if an axis is out of range or named twice.
    """
    value = operand(x)
    if axis is None:
        raise TypeError("expand_dims: expected an axis or a sequence of them, got None.")
    count = len(integers(axis, "axis"))
    axes = canonical_axes(axis, value.ndim + count)
    dims = iter(value.shape)
    return reshape_to(value, [1 if i in axes else next(dims) for i in range(value.ndim + count)])


def squeeze(x: Any, axis: Any = None) -> Value:
    """x without axes of size 1.

    Args:
        x: a tensor.
        axis: those to drop: an int or a sequence of them; None: all of size 1.

    Raises:
        ValueError: if one is not of size 1.
    """
    value = operand(x)
    if axis is None:
        return reshape_to(value, [dim for dim in value.shape if dim != 1])
    axes = canonical_axes(axis, value.ndim)
    for a in axes:
        if value.shape[a] != 1:
            raise ValueError(f"squeeze: axis {a} of shape {value.shape} does not have size 1.")
    return reshape_to(value, [dim for i, dim in enumerate(value.shape) if i not in axes])


def transpose(x: Any, axes: Any = None) -> Value:
    """x with its axes permuted.

    Args:
        x: a tensor.
        axes: for each axis of the result, the axis of x; None: reversed.

    Raises:
        ValueError: if `axes` is not a permutation.
    """
    value = operand(x)
    if axes is None:
        order = tuple(range(value.ndim))[::-1]
    else:
        order = canonical_axes(axes if isinstance(axes, np.ndarray) else tuple(axes), value.ndim)
    if len(order) != value.ndim:
        raise ValueError(f"transpose: axes={axes} is not a permutation of those of shape {value.shape}.")
    return transpose_to(value, order)


def swapaxes(x: Any, axis1: int, axis2: int) -> Value:
    """x with two axes exchanged."""
    value = operand(x)
    order = list(range(value.ndim))
    first, second = canonical_axis(axis1, value.ndim), canonical_axis(axis2, value.ndim)
    order[first], order[second] = second, first
    return transpose_to(value, order)


def moveaxis(x: Any, source: Any, destination: Any) -> Value:
    """x with axes moved; the others keep their order.

    Args:
        x: a tensor.
        source: an axis or a sequence of them.
        destination: where each of them stands in the result.

    Raises:
        ValueError: if the two are of different lengths.
    """
    value = operand(x)
    sources = canonical_axes(source, value.ndim) if source is not None else ()
    targets = canonical_axes(destination, value.ndim) if destination is not None else ()
    if len(sources) != len(targets):
        raise ValueError(f"moveaxis: source={source} and destination={destination} have different lengths.")
    order = [i for i in range(value.ndim) if i not in sources]
    for target, axis in sorted(zip(targets, sources, strict=True)):
        order.insert(target, axis)
    return transpose_to(value, order)


def broadcast_to(x: Any, shape: Any) -> Value:
    """x repeated along axes of size 1, and along new leading axes, to a shape.

    Raises:
        ValueError: if x's shape does not broadcast to it.
    """
    return emit("broadcast_to", operand(x), shape=to_shape(shape))


def size(x: Any) -> int:
    """The number of elements, a Python int."""
    return size_of(operand(x).shape)


def ndim(x: Any) -> int:
    """The number of axes, a Python int."""
    return len(x.shape) if hasattr(x, "shape") else operand(x).ndim


def copy(x: Any) -> Value:
    """x, in memory of its own when it is an array."""
    value = operand(x)
    return value if isinstance(value, Tensor) else value.copy()


# --- joining ---


def concatenate(xs: Sequence[Any], axis: int = 0) -> Value:
    """Tensors one after another along an axis that they have; promoted to one dtype.

    Args:
        xs: tensors whose shapes differ along `axis` only.
        axis: the axis; None: the flattened tensors.

    Raises:
        ValueError: if there are none, or the shapes do not fit.
    """
    xs = _several(xs, "concatenate")
    if not xs:
        raise ValueError("concatenate: expected at least one tensor.")
    dtype = promote(*xs)[1]
    values = [operand(x, dtype) for x in xs]
    if axis is None:
        values, axis = [ravel(value) for value in values], 0
    return emit("concatenate", *values, axis=canonical_axis(axis, values[0].ndim))


def _several(xs: Any, name: str) -> Sequence[Any]:
    """The tensors that an argument holds; those of an array are its slices."""
    if not hasattr(xs, "__iter__"):
        raise TypeError(f"{name}: expected a sequence of tensors. Received: {shown(xs)}")
    if hasattr(xs, "__len__") and len(xs) > _MOST_PARTS:
        raise ValueError(f"{name}: {len(xs)} tensors are too many; {_MOST_PARTS} is the most.")
    return xs if isinstance(xs, (list, tuple)) else list(xs)


def stack(x: Sequence[Any], axis: int = 0) -> Value:
    """Tensors of one shape along a new axis; promoted to one dtype.

    Args:
        x: the tensors.
        axis: where the new axis stands in the result.

    Raises:
        ValueError: if there are none, or the shapes differ.
    """
    values = [operand(item) for item in _several(x, "stack")]
    if not values:
        raise ValueError("stack: expected at least one tensor.")
    shapes = [value.shape for value in values]
    if not all(agree(shape, shapes[0]) for shape in shapes):
        raise ValueError(f"stack: all tensors must have the same shape. Got {', '.join(map(str, shapes))}.")
    place = canonical_axis(axis, values[0].ndim + 1)
    return concatenate([expand_dims(value, place) for value in values], place)


def append(x1: Any, x2: Any, axis: int | None = None) -> Value:
    """x2 after x1 along an axis; None: both flattened."""
    return concatenate([x1, x2], axis)  # type: ignore[arg-type]


def _at_least(x: Any, ndim: int) -> Value:
    """x with the axes of size 1 that NumPy's atleast_1d, _2d, _3d add."""
    value = operand(x)
    missing = ndim - value.ndim
    if missing <= 0:
        return value
    after = 1 if ndim == 3 and value.ndim >= 1 else 0
    return reshape_to(value, (1,) * (missing - after) + tuple(value.shape) + (1,) * after)


def hstack(xs: Sequence[Any]) -> Value:
    """Tensors side by side: along axis 1, vectors along axis 0."""
    values = [_at_least(x, 1) for x in _several(xs, "hstack")]
    return concatenate(values, 0 if values and values[0].ndim == 1 else 1)


def vstack(xs: Sequence[Any]) -> Value:
    """Tensors on top of each other: along axis 0, vectors as rows."""
    return concatenate([_at_least(x, 2) for x in _several(xs, "vstack")], 0)


def dstack(xs: Sequence[Any]) -> Value:
    """Tensors behind each other: along axis 2, which vectors and matrices are given."""
    return concatenate([_at_least(x, 3) for x in _several(xs, "dstack")], 2)


# --- parts ---


def part(value: Value, axis: int, begin: int, length: int, stride: int = 1) -> Value:
    """`length` elements from `begin` on along one axis."""
    begins, sizes, strides = [0] * value.ndim, list(value.shape), [1] * value.ndim
    begins[axis], sizes[axis], strides[axis] = begin, length, stride
    if stride == 1 and length == value.shape[axis]:
        return value
    return emit("slice", value, begin=begins, size=sizes, stride=strides)


def slice(inputs: Any, start_indices: Any, shape: Any) -> Value:
    """The block of a given shape that starts at given indices.

    Args:
        inputs: a tensor.
        start_indices: one integer for each axis. A negative one counts from the end; one from which the block
        would
            not fit is moved back until it does.
        shape: the block's size along each axis.

    Raises:
        ValueError: if the block is larger than the tensor or an index is missing.
    """
    value = operand(inputs)
    starts, sizes = to_shape(start_indices), to_shape(shape)
    if len(starts) != value.ndim or len(sizes) != value.ndim:
        raise ValueError(
            f"slice: shape {value.shape} needs {value.ndim} start indices and sizes, got {starts}, {sizes}."
        )
    begin = []
    for start, length, dim in zip(starts, sizes, value.shape, strict=True):
        if length < 0 or not fits(length, dim):
            raise ValueError(f"slice: a block of shape {sizes} does not fit into shape {value.shape}.")
        begin.append(builtins.min(builtins.max(start + dim if start < 0 else start, 0), dim - length))
    return emit("slice", value, begin=begin, size=list(sizes), stride=[1] * value.ndim)


def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Value]:
    """The parts of x along an axis.

    Args:
        x: a tensor.
        indices_or_sections: an int: so many equal parts; a sequence: the indices at which parts begin.
        axis: the axis.

    Raises:
        ValueError: if the axis does not divide into so many parts.
    """
    value = operand(x)
    place = canonical_axis(axis, value.ndim)
    dim = value.shape[place]
    if isinstance(indices_or_sections, (list, tuple)) or np.ndim(indices_or_sections):
        marks = [
            builtins.min(builtins.max(m + dim if m < 0 else m, 0), dim) for m in to_shape(indices_or_sections)
        ]
        edges = [0, *marks, dim]
    else:
        count = integer(indices_or_sections, "indices_or_sections")
        if count <= 0 or not is_multiple(dim, count):
            raise ValueError(
                f"split: axis {place} of shape {value.shape} does not divide into {count} equal parts."
            )
        _check_parts(count, "split")
        edges = [i * (dim // count) for i in range(count + 1)]
    return [part(value, place, a, builtins.max(b - a, 0)) for a, b in zip(edges, edges[1:], strict=False)]


def _check_parts(count: int, name: str) -> None:
    if count > _MOST_PARTS:
        raise ValueError(f"{name}: {count} parts are too many; {_MOST_PARTS} is the most.")


def array_split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Value]:
    """As `split`, but the parts need not be equal: the first ones get one element more."""
    value = operand(x)
    if isinstance(indices_or_sections, (list, tuple)) or np.ndim(indices_or_sections):
        return split(value, indices_or_sections, axis)
    count = integer(indices_or_sections, "indices_or_sections")
    if count <= 0:
        raise ValueError(f"array_split: the number of parts must be positive, got {count}.")
    _check_parts(count, "array_split")
    short, longer = divmod(value.shape[canonical_axis(axis, value.ndim)], count)
    return split(value, [i * short + builtins.min(i, longer) for i in range(1, count)], axis)


def hsplit(x: Any, indices_or_sections: Any) -> list[Value]:
    """`split` along axis 1; of a vector, along axis 0."""
    return split(x, indices_or_sections, 0 if ndim(x) == 1 else 1)


def vsplit(x: Any, indices_or_sections: Any) -> list[Value]:
    """`split` along axis 0."""
    return split(x, indices_or_sections, 0)


def dsplit(x: Any, indices_or_sections: Any) -> list[Value]:
    """`split` along axis 2."""
    return split(x, indices_or_sections, 2)


def unstack(x: Any, num: int | None = None, axis: int = 0) -> list[Value]:
    """The slices of x along an axis, without it.

    Args:
        x: a tensor.
        num: the size of the axis, if given.
        axis: the axis.

    Raises:
        ValueError: if the axis has another size than `num`, or its size is not known and no `num` given.
    """
    value = operand(x)
    place = canonical_axis(axis, value.ndim)
    size = value.shape[place]
    if num is not None and num != size and is_known(size):
        raise ValueError(f"unstack: expected num={size}, the size of axis {axis}; got num={num}.")
    if num is None and not is_known(size):
        raise ValueError(f"unstack: axis {axis} of shape {value.shape} is not known yet: give `num`.")
    count = integer(size if num is None else num, "num")
    _check_parts(count, "unstack")
    return [squeeze(part(value, place, i, 1), place) for i in range(count)]


def diff(a: Any, n: int = 1, axis: int = -1) -> Value:
    """The differences of neighbours along an axis, taken `n` times.

    Raises:
        TypeError: if n is no integer.
        ValueError: if n is negative or x a scalar.
    """
    value, n = operand(a), integer(n, "n")
    if n < 0 or value.ndim == 0:
        raise ValueError(f"diff: expected n >= 0 and at least one axis, got n={n} and shape {value.shape}.")
    place = canonical_axis(axis, value.ndim)
    for _ in range(builtins.min(n, value.shape[place])):
        length = builtins.max(value.shape[place] - 1, 0)
        later, earlier = (
            part(value, place, builtins.min(1, value.shape[place]), length),
            part(value, place, 0, length),
        )
        if value.dtype == "bool":
            value = emit("logical_xor", later, earlier)
        else:
            (later, earlier), dtype = promote(later, earlier)
            value = cast_to(emit("subtract", later, earlier), dtype)
    return value
