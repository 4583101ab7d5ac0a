"""Products that sum: matmul, dot, tensordot and their relatives.

Operands are promoted to one dtype; integers are multiplied in 32 or 64 bits, booleans give "or of ands".
"""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from ranvier.core import dtypes
from ranvier.core.arguments import integer, integers
from ranvier.core.unknown_size import agree
from ranvier.ops._common import (
    Value,
    canonical_axes,
    canonical_axis,
    cast_to,
    dtype_of,
    promote,
    reshape_to,
    size_of,
    transpose_to,
)
from ranvier.ops._emit import emit
from ranvier.ops.elementwise import multiply, subtract
from ranvier.ops.indexing import diagonal, take
from ranvier.ops.reductions import sum
from ranvier.ops.shaping import concatenate, diff, expand_dims, moveaxis, ravel


def factors(*xs: Any, sums_are_wide: bool = False) -> tuple[list[Value], str]:
    """Operands in a dtype that products exist for, and the dtype of the result.

    Args:
        *xs: the operands.
        sums_are_wide: whether the result of int8 operands is int32, as for Keras's `matmul` and `einsum`.
    """
    values, dtype = promote(*xs)
    if dtype == "int8" and sums_are_wide and all(dtypes.promotion_type(x) == "int8" for x in xs):
        dtype = "int32"
    if dtype == "bool":
        values = [cast_to(value, "int32") for value in values]
    return values, dtype


def product(a: Value, b: Value, transpose_a: bool = False, transpose_b: bool = False) -> Value:
    """The graph's matrix product: [..., m, k] by [..., k, n]."""
    return emit("matmul", a, b, transpose_a=transpose_a, transpose_b=transpose_b)


def matmul(x1: Any, x2: Any) -> Value:
    """The matrix product over the last axis of x1 and the last but one of x2.

    Args:
        x1: [..., m, k], or a vector [k], which counts as one row.
        x2: [..., k, n], or a vector [k], which counts as one column.

    Returns:
        [..., m, n] with the leading axes broadcast; the axis of a vector is left out. Of two int8 tensors it
        is int32.

    Raises:
        ValueError: for a scalar, or if the shapes do not fit.
    """
    (a, b), dtype = factors(x1, x2, sums_are_wide=True)
    if a.ndim == 0 or b.ndim == 0:
        raise ValueError(f"matmul: expected at least 1 axis each, got shapes {a.shape} and {b.shape}.")
    rows = reshape_to(a, (1, *a.shape)) if a.ndim == 1 else a
    columns = reshape_to(b, (*b.shape, 1)) if b.ndim == 1 else b
    result = product(rows, columns)
    shape = list(result.shape)
    if b.ndim == 1:
        shape.pop(-1)
    if a.ndim == 1:
        shape.pop(-1 if b.ndim == 1 else -2)
    return cast_to(reshape_to(result, shape), dtype)


def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Value:
    """The sum of products over chosen axes of two tensors.

    Args:
        x1: a tensor.
        x2: a tensor.
        axes: an int n: the last n axes of x1 with the first n of x2, in order; or a pair (axes of x1, axes of
        x2).

    Returns:
        A tensor with the other axes of x1, then those of x2.

    Raises:
        ValueError: if the axes do not pair up.
    """
    (a, b), dtype = factors(x1, x2)
    if isinstance(axes, (list, tuple, np.ndarray)):
        sides = zip(axes, (a, b), strict=True)
        first, second = (canonical_axes(integers(side, "axes"), v.ndim) for side, v in sides)
    else:
        count = integer(axes, "axes")
        if not 0 <= count <= builtins.min(a.ndim, b.ndim):
            raise ValueError(f"tensordot: axes={count} exceeds the rank of shape {a.shape} or {b.shape}.")
        first, second = tuple(range(a.ndim - count, a.ndim)), tuple(range(count))
    sizes, same = [a.shape[i] for i in first], [b.shape[i] for i in second]
    if not agree(sizes, same):
        raise ValueError(f"tensordot: shapes {a.shape} and {b.shape} do not fit along axes={axes}.")
    free_a = [i for i in range(a.ndim) if i not in first]
    free_b = [i for i in range(b.ndim) if i not in second]
    out_a, out_b = [a.shape[i] for i in free_a], [b.shape[i] for i in free_b]
    left = reshape_to(transpose_to(a, [*free_a, *first]), (size_of(out_a), size_of(sizes)))
    right = reshape_to(transpose_to(b, [*second, *free_b]), (size_of(same), size_of(out_b)))
    return cast_to(reshape_to(product(left, right), out_a + out_b), dtype)


def dot(x1: Any, x2: Any) -> Value:
    """NumPy's dot: the sum over the last axis of x1 and the last but one (or only) axis of x2.

    With a scalar it is `multiply`.

    Raises:
        ValueError: if the shapes do not fit.
    """
    (a, b), dtype = factors(x1, x2)
    if a.ndim == 0 or b.ndim == 0:
        return multiply(x1, x2)
    return cast_to(tensordot(a, b, [[-1], [-1 if b.ndim == 1 else -2]]), dtype)


def inner(x1: Any, x2: Any) -> Value:
    """The sum of products over the last axis of both; with a scalar it is `multiply`.

    Raises:
        ValueError: if the last axes differ.
    """
    (a, b), dtype = factors(x1, x2)
    if a.ndim == 0 or b.ndim == 0:
        return multiply(x1, x2)
    return cast_to(tensordot(a, b, [[-1], [-1]]), dtype)


def vdot(x1: Any, x2: Any) -> Value:
    """The sum of the products of all elements, a scalar.

    Raises:
        ValueError: if the sizes differ.
    """
    (a, b), dtype = factors(x1, x2)
    return cast_to(tensordot(ravel(a), ravel(b), 1), dtype)


def outer(x1: Any, x2: Any) -> Value:
    """The products of all pairs of elements: [size of x1, size of x2]."""
    (a, b), dtype = promote(x1, x2)
    return cast_to(multiply(expand_dims(ravel(a), 1), expand_dims(ravel(b), 0)), dtype)


def kron(x1: Any, x2: Any) -> Value:
    """The Kronecker product: x1 with each element replaced by its product with x2.

    The tensor with fewer axes is given leading ones of size 1.
    """
    (a, b), dtype = promote(x1, x2)
    rank = builtins.max(a.ndim, b.ndim)
    shape_a = (1,) * (rank - a.ndim) + tuple(a.shape)
    shape_b = (1,) * (rank - b.ndim) + tuple(b.shape)
    wide_a = reshape_to(a, [dim for d in shape_a for dim in (d, 1)])
    wide_b = reshape_to(b, [dim for d in shape_b for dim in (1, d)])
    spread = multiply(wide_a, wide_b)
    return cast_to(reshape_to(spread, [p * q for p, q in zip(shape_a, shape_b, strict=True)]), dtype)


def cross(
    x1: Any, x2: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Value:
    """The cross product of vectors of 3 components (2 count as 3 with a last one of 0).

    Args:
        x1: the first vectors.
        x2: the second vectors; the other axes broadcast.
        axisa: the axis of x1 that holds the components.
        axisb: the axis of x2 that does.
        axisc: the axis of the result that does. Two vectors of 2 components give the third component alone.
        axis: if given, it replaces the three.

    Raises:
        ValueError: for vectors of another length.
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    (a, b), dtype = promote(x1, x2)
    a, b = moveaxis(a, axisa, -1), moveaxis(b, axisb, -1)
    if a.shape[-1] not in (2, 3) or b.shape[-1] not in (2, 3):
        raise ValueError(f"cross: expected vectors of 2 or 3 components, got shapes {a.shape} and {b.shape}.")
    if a.shape[-1] == b.shape[-1] == 2:
        return cast_to(_minor(a, b, 0, 1), dtype)
    a, b = (_third_component(v) if v.shape[-1] == 2 else v for v in (a, b))
    parts = [expand_dims(_minor(a, b, i, j), -1) for i, j in ((1, 2), (2, 0), (0, 1))]
    return cast_to(moveaxis(concatenate(parts, -1), -1, axisc), dtype)


def _minor(a: Value, b: Value, i: int, j: int) -> Value:
    return subtract(multiply(take(a, i, -1), take(b, j, -1)), multiply(take(a, j, -1), take(b, i, -1)))


def _third_component(v: Value) -> Value:
    return concatenate([v, np.zeros((*v.shape[:-1], 1), dtype_of(v))], -1)


def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Value:
    """The sum of a diagonal of the matrices that two axes form; arguments as for `diagonal`."""
    return sum(diagonal(x, offset, axis1, axis2), -1)


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Value:
    """The integral of y by the trapezoidal rule; a float.

    Args:
        y: the values.
        x: the places of the values, 1-D or of y's shape; None: `dx` apart.
        dx: the distance between neighbours, if `x` is None.
        axis: the axis along which to integrate.
    """
    (value,), _ = promote(y, with_types=(float,))
    place = canonical_axis(axis, value.ndim)
    count = value.shape[place]
    later = take(value, np.arange(1, count), place)
    earlier = take(value, np.arange(0, builtins.max(count - 1, 0)), place)
    width: Any = dx
    if x is not None:
        (points,), _ = promote(x)
        if points.ndim == 1:
            points = reshape_to(points, [count if i == place else 1 for i in range(value.ndim)])
        width = diff(points, axis=place)
    return sum(multiply(multiply(emit("add", later, earlier), width), 0.5), place)
