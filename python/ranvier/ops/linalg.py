"""`keras.ops.linalg`: norms, decompositions and linear systems."""

from __future__ import annotations

import math
from typing import Any

from ranvier.ops._common import Value, as_float, canonical_axes, cast_to, dtype_of, reshape_to, transpose_to
from ranvier.ops.comparison import not_equal
from ranvier.ops.decompositions import (
    cholesky,
    cholesky_inverse,
    det,
    eig,
    eigh,
    inv,
    logdet,
    lstsq,
    lu_factor,
    matrix_rank,
    pinv,
    qr,
    singular_norm,
    slogdet,
    solve,
    solve_triangular,
    svd,
)
from ranvier.ops.derivatives import jvp
from ranvier.ops.elementwise import abs, power, sqrt, square
from ranvier.ops.reductions import max, min, sum

__all__ = [
    "cholesky",
    "cholesky_inverse",
    "det",
    "eig",
    "eigh",
    "inv",
    "jvp",
    "logdet",
    "lstsq",
    "lu_factor",
    "matrix_rank",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
]


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Value:
    """A vector or matrix norm; a float.

    Args:
        x: a tensor.
        ord: of vectors: None or 2 (Euclidean), inf, -inf (the largest, smallest magnitude), 0 (the number of
            elements that are not zero), or p: sum(|x|^p)^(1/p). Of matrices: None or "fro" (Frobenius), 1, -1
            (the largest, smallest column sum of magnitudes), inf, -inf (row sum), 2, -2 (the largest,
            smallest singular value), "nuc" (the sum of the singular values).
        axis: an int: vectors; a pair: matrices; None: a 1-D or 2-D x as such, and any x flattened if `ord` is
        None. keepdims: whether the axes stay, with size 1.

    Raises:
        ValueError: for an order that vectors or matrices do not have, or more than two axes.
    """
    value = as_float(x)
    axes = canonical_axes(axis, value.ndim)
    if ord is None:
        return sqrt(sum(square(value), axes, keepdims))
    if len(axes) == 1:
        return _vector_norm(value, ord, axes[0], keepdims)
    if len(axes) != 2:
        raise ValueError(
            f"Improper number of axes for norm: axis={axes}. Pass one axis to compute a vector-norm, or two "
            "axes to compute a matrix-norm."
        )
    return _matrix_norm(value, ord, axes, keepdims)


def _vector_norm(value: Value, ord: Any, axis: int, keepdims: bool) -> Value:
    if isinstance(ord, str):
        raise ValueError(f"Invalid order '{ord}' for vector norm.")
    if ord == 2:
        return sqrt(sum(square(value), axis, keepdims))
    if ord == 0:
        return sum(cast_to(not_equal(value, 0), dtype_of(value)), axis, keepdims)
    if math.isinf(ord):
        return (max if ord > 0 else min)(abs(value), axis, keepdims)
    if ord == 1:
        return sum(abs(value), axis, keepdims)
    return power(sum(power(abs(value), ord), axis, keepdims), 1.0 / ord)


def _matrix_norm(value: Value, ord: Any, axes: tuple[int, ...], keepdims: bool) -> Value:
    if ord == "fro":
        return sqrt(sum(square(value), axes, keepdims))
    rows, columns = axes
    if ord == "nuc" or ord in (2, -2):
        rest = [i for i in range(value.ndim) if i not in axes]
        result = singular_norm(transpose_to(value, [*rest, rows, columns]), ord)
        shape = [1 if i in axes else dim for i, dim in enumerate(value.shape)]
        return reshape_to(result, shape) if keepdims else result
    if isinstance(ord, str) or (abs_order := -ord if ord < 0 else ord) not in (1, math.inf):
        raise ValueError(f"Invalid order '{ord}' for matrix norm.")
    summed, searched = (rows, columns) if abs_order == 1 else (columns, rows)
    sums = sum(abs(value), summed, True)
    result = (max if ord > 0 else min)(sums, searched, True)
    if keepdims:
        return result
    return reshape_to(result, [dim for i, dim in enumerate(value.shape) if i not in axes])
