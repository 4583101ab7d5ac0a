"""Decompositions and linear systems, of stacks of matrices (the last two axes).

Matrices are computed on in float64 and rounded once. The core's operations pack several factors into one
result; here they are taken apart. Gradients follow the core's rules (`csrc/ops/linalg*.cpp`).
"""

from __future__ import annotations

import builtins
import math
from typing import Any, NamedTuple

import numpy as np

from ranvier.core.unknown_size import broadcast_shapes
from ranvier.ops._common import Value, as_float, cast_to, dtype_of, promote, reshape_to, transpose_to, where3
from ranvier.ops._emit import emit
from ranvier.ops.comparison import greater, not_equal
from ranvier.ops.creation import eye
from ranvier.ops.elementwise import abs, divide, log, maximum, multiply, sign
from ranvier.ops.indexing import diagonal, take_along_axis
from ranvier.ops.products import matmul
from ranvier.ops.reductions import max, min, prod, sum
from ranvier.ops.shaping import expand_dims, part
from ranvier.ops.sorting import known


def _matrices(name: str, x: Any, is_square: bool = False) -> Value:
    value = as_float(x)
    if value.ndim < 2:
        raise ValueError(
            f"{name}: Expected input to have rank >= 2. Received input with shape {tuple(value.shape)}."
        )
    if is_square and value.shape[-1] != value.shape[-2]:
        raise ValueError(
            f"{name}: Expected a square matrix. Received non-square input with shape {tuple(value.shape)}"
        )
    return value


def _transposed(x: Value) -> Value:
    """x with its last two axes exchanged."""
    return transpose_to(x, [*range(x.ndim - 2), x.ndim - 1, x.ndim - 2])


def _factor(packed: Value, begin: int, shape: tuple[int, ...]) -> Value:
    """A factor of a packed result: part of its last axis under a shape."""
    size = math.prod(shape)
    return reshape_to(part(packed, packed.ndim - 1, begin, size), (*packed.shape[:-1], *shape))


class _LU(NamedTuple):
    factors: Value
    pivots: Value
    permutation: Value


def _lu(value: Value) -> _LU:
    n, rows = value.shape[-1], value.ndim - 2
    packed = emit("lu", value)
    lead = value.shape[:-2]
    pivots, permutation = (
        cast_to(reshape_to(part(packed, rows, n + i, 1), (*lead, n)), "int32") for i in range(2)
    )
    return _LU(part(packed, rows, 0, n), pivots, permutation)


def lu_factor(x: Any) -> tuple[Value, Value]:
    """The LU decomposition P A = L U with partial pivoting.

    Args:
        x: [..., n, n], a float.

    Returns:
        (lu, pivots): L below the diagonal of lu (its own diagonal is 1), U on and above it; pivots [..., n]
        (int32): the row that was exchanged with row i in step i.

    Raises:
        ValueError: if the matrices are not square.
    """
    found = _lu(_matrices("lu_factor", x, True))
    return found.factors, found.pivots


def _permutation_sign(found: _LU) -> Value:
    steps = np.arange(found.pivots.shape[-1], dtype="int32")
    return prod(where3(not_equal(found.pivots, steps), -1.0, 1.0), -1)


def det(x: Any) -> Value:
    """The determinants: [...].

    Args:
        x: [..., n, n], a float. The gradient exists where the determinant is not 0.

    Raises:
        ValueError: if the matrices are not square.
    """
    value = _matrices("det", x, True)
    found = _lu(value)
    return multiply(
        cast_to(_permutation_sign(found), dtype_of(value)), prod(diagonal(found.factors, 0, -2, -1), -1)
    )


def slogdet(x: Any) -> tuple[Value, Value]:
    """The sign and the logarithm of the magnitude of determinants, which themselves may overflow.

    Args:
        x: [..., n, n], a float.

    Returns:
        (sign, logarithm): [...] each; 0 and -inf of singular matrices.

    Raises:
        ValueError: if the matrices are not square.
    """
    value = _matrices("slogdet", x, True)
    found = _lu(value)
    scale = diagonal(found.factors, 0, -2, -1)
    signs = multiply(cast_to(_permutation_sign(found), dtype_of(value)), prod(sign(scale), -1))
    return signs, sum(log(abs(scale)), -1)


def logdet(x: Any) -> Value:
    """The logarithm of the determinants of positive definite matrices: [...].

    Args:
        x: [..., n, n], symmetric and positive definite; others are refused as by `cholesky`.

    Raises:
        ValueError: if the matrices are not square.
    """
    scale = diagonal(cholesky(x), 0, -2, -1)
    return multiply(2.0, sum(log(scale), -1))


def _system(name: str, a: Any, b: Any) -> tuple[Value, Value, bool]:
    """The two sides of a system, the leading axes broadcast, and whether the right one was a vector."""
    (left, right), _ = promote(a, b, with_types=(float,))
    _matrices(name, left, True)
    is_vector = right.ndim == 1 or (right.ndim == left.ndim - 1 and right.shape == left.shape[:-1])
    columns = expand_dims(right, -1) if is_vector else right
    if columns.ndim < 2 or columns.shape[-2] != left.shape[-1]:
        raise ValueError(
            f"{name}: Incompatible shapes between `a` {tuple(left.shape)} and `b` {tuple(right.shape)}"
        )
    lead = broadcast_shapes(tuple(left.shape[:-2]), tuple(columns.shape[:-2]))
    left = emit("broadcast_to", left, shape=(*lead, *left.shape[-2:]))
    columns = emit("broadcast_to", columns, shape=(*lead, *columns.shape[-2:]))
    return left, columns, is_vector


def _triangular(a: Value, b: Value, lower: bool, transpose: bool = False, unit: bool = False) -> Value:
    return emit("triangular_solve", a, b, lower=lower, transpose=transpose, unit=unit)


def solve(a: Any, b: Any) -> Value:
    """The solution x of a x = b.

    Args:
        a: [..., n, n], a float, not singular.
        b: [..., n, m], or vectors [..., n].

    Returns:
        A tensor of b's shape, the leading axes broadcast; infinite or NaN for singular matrices.

    Raises:
        ValueError: if the matrices are not square or the shapes do not fit.
    """
    left, right, is_vector = _system("solve", a, b)
    found = _lu(left)
    permuted = take_along_axis(right, expand_dims(found.permutation, -1), -2)
    result = _triangular(found.factors, _triangular(found.factors, permuted, True, unit=True), False)
    return reshape_to(result, result.shape[:-1]) if is_vector else result


def solve_triangular(a: Any, b: Any, lower: bool = False) -> Value:
    """The solution x of a x = b for triangular matrices.

    Args:
        a: [..., n, n], a float; what is on the other side of the diagonal is not read.
        b: [..., n, m], or vectors [..., n].
        lower: whether the matrices are lower triangular.

    Raises:
        ValueError: if the matrices are not square or the shapes do not fit.
    """
    left, right, is_vector = _system("solve_triangular", a, b)
    result = _triangular(left, right, bool(lower))
    return reshape_to(result, result.shape[:-1]) if is_vector else result


def inv(x: Any) -> Value:
    """The inverses of matrices [..., n, n]; infinite or NaN for singular ones.

    Raises:
        ValueError: if the matrices are not square.
    """
    value = _matrices("inv", x, True)
    return solve(value, eye(value.shape[-1], dtype=dtype_of(value)))


def cholesky(x: Any, upper: bool = False) -> Value:
    """The Cholesky factors L of A = L L^T.

    Args:
        x: [..., n, n], symmetric and positive definite (in a graph, others give NaN); of a matrix that is not
            symmetric, the mean of it and its transpose counts.
        upper: whether to return L^T instead.

    Raises:
        ValueError: if the matrices are not square; outside of graphs also, if one is not positive definite.
    """
    factor = emit("cholesky", _matrices("cholesky", x, True))
    if isinstance(factor, np.ndarray) and np.isnan(factor).any():
        raise ValueError(
            "Cholesky decomposition failed. The input might not be a valid positive definite matrix."
        )
    return _transposed(factor) if upper else factor


def cholesky_inverse(x: Any, upper: bool = False) -> Value:
    """The inverses of A = L L^T, from L.

    Args:
        x: [..., n, n], the Cholesky factors.
        upper: whether they are upper triangular: A = U^T U.

    Raises:
        ValueError: if the matrices are not square.
    """
    factor = _matrices("cholesky_inverse", x, True)
    unit = emit("broadcast_to", eye(factor.shape[-1], dtype=dtype_of(factor)), shape=tuple(factor.shape))
    inverse = _triangular(factor, unit, not upper)
    return matmul(inverse, _transposed(inverse)) if upper else matmul(_transposed(inverse), inverse)


def qr(x: Any, mode: str = "reduced") -> tuple[Value, Value]:
    """The decomposition A = Q R into orthonormal columns and an upper triangular matrix.

    Args:
        x: [..., m, n], a float.
        mode: "reduced": Q is [..., m, min(m, n)]; "complete": Q is [..., m, m].

    Returns:
        (Q, R). There is a gradient if Q is [..., m, n].

    Raises:
        ValueError: for another mode, or fewer than 2 axes.
    """
    if mode not in ("reduced", "complete"):
        raise ValueError(
            "`mode` argument value not supported. Expected one of {'reduced', 'complete'}. "
            f"Received: mode={mode!r}"
        )
    value = _matrices("qr", x)
    m, n = value.shape[-2:]
    columns = m if mode == "complete" else builtins.min(m, n)
    packed = emit("qr", value, complete=mode == "complete")
    return _factor(packed, 0, (m, columns)), _factor(packed, m * columns, (columns, n))


def eigh(x: Any) -> tuple[Value, Value]:
    """Eigenvalues and eigenvectors of symmetric matrices.

    Args:
        x: [..., n, n], symmetric; of others the mean of the matrix and its transpose counts.

    Returns:
        (w, v): [..., n] in increasing order, and the unit eigenvectors as columns [..., n, n], each with its
        largest component positive. Of equal eigenvalues the vectors have no derivative, and give none.

    Raises:
        ValueError: if the matrices are not square.
    """
    value = _matrices("eigh", x, True)
    n = value.shape[-1]
    packed = emit("eigh", value)
    return _factor(packed, 0, (n,)), _factor(packed, n, (n, n))


def eig(x: Any) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues and eigenvectors of matrices of any kind: complex numbers, so outside of graphs only.

    Args:
        x: [..., n, n], an array.

    Returns:
        (w, v): complex NumPy arrays [..., n] and [..., n, n]; the eigenvectors are columns. LAPACK computes
        them.

    Raises:
        ValueError: inside a trace, or if the matrices are not square.
    """
    value = _matrices("eig", x, True)
    array = known(value, "eig", "whether the result is real")
    w, v = np.linalg.eig(array)
    dtype = "complex64" if array.dtype == np.float32 else "complex128"
    return w.astype(dtype), v.astype(dtype)


def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """The singular value decomposition A = U diag(s) V^T.

    Args:
        x: [..., m, n], a float.
        full_matrices: whether U and V are square, with vectors that belong to no singular value.
        compute_uv: whether to return the vectors.

    Returns:
        (U, s, V^T), or s alone: s [..., min(m, n)] in falling order, U [..., m, m or min(m, n)], V^T
        [..., n or min(m, n), n]; the largest component of each column of U is positive. There is a gradient
        unless the vectors are more than the singular values.

    Raises:
        ValueError: for fewer than 2 axes.
    """
    value = _matrices("svd", x)
    m, n = value.shape[-2:]
    k = builtins.min(m, n)
    is_full = bool(full_matrices and compute_uv)
    left, right = (m, n) if is_full else (k, k)
    packed = emit("svd", value, full=is_full)
    s = _factor(packed, m * left, (k,))
    if not compute_uv:
        return s
    return _factor(packed, 0, (m, left)), s, _factor(packed, m * left + k, (right, n))


def _inverted(s: Value, limit: Value) -> Value:
    """1 / s where s is above a limit, else 0."""
    counts = greater(s, limit)
    return where3(counts, divide(1.0, where3(counts, s, 1.0)), 0.0)


def _precision(value: Value) -> float:
    return float(np.finfo(dtype_of(value)).eps)


def pinv(x: Any, rcond: Any = None) -> Value:
    """The Moore-Penrose pseudo-inverses: [..., n, m].

    Args:
        x: [..., m, n], a float.
        rcond: singular values up to this share of the largest count as 0; None: 10 max(m, n) times the
            dtype's precision.

    Raises:
        ValueError: for fewer than 2 axes.
    """
    value = _matrices("pinv", x)
    if rcond is None:
        rcond = 10.0 * builtins.max(value.shape[-2:]) * _precision(value)
    u, s, vt = svd(value, full_matrices=False)
    inverse = _inverted(s, multiply(rcond, max(s, -1, True, initial=0)))
    return matmul(multiply(_transposed(vt), expand_dims(inverse, -2)), _transposed(u))


def matrix_rank(x: Any, tol: Any = None) -> Value:
    """The number of singular values above a limit: [...], int32.

    Args:
        x: [..., m, n], a float.
        tol: the limit; None: max(m, n) times the dtype's precision times the largest singular value.

    Raises:
        ValueError: for fewer than 2 axes.
    """
    value = _matrices("matrix_rank", x)
    s = svd(value, compute_uv=False)
    limit = (
        multiply(max(s, -1, True, initial=0), builtins.max(value.shape[-2:]) * _precision(value))
        if tol is None
        else tol
    )
    return sum(cast_to(greater(s, limit), "int32"), -1)


def lstsq(a: Any, b: Any, rcond: Any = None) -> Value:
    """The x of least norm that minimizes the Euclidean norm of b - a x.

    Args:
        a: [m, n], a float.
        b: [m] or [m, k].
        rcond: singular values below this share of the largest count as 0; None: max(m, n) times the dtype's
            precision.

    Returns:
        [n] or [n, k].

    Raises:
        ValueError: if the shapes do not fit.
    """
    (left, right), _ = promote(a, b, with_types=(float,))
    if left.ndim != 2 or right.ndim not in (1, 2) or right.shape[0] != left.shape[0]:
        raise ValueError(
            "lstsq: expected `a` [m, n] and `b` [m] or [m, k], got shapes "
            f"{tuple(left.shape)} and {tuple(right.shape)}."
        )
    if rcond is None:
        rcond = builtins.max(left.shape) * _precision(left)
    u, s, vt = svd(left, full_matrices=False)
    # A limit that is not 0: of a matrix of zeros nothing counts.
    limit = multiply(rcond, max(s, -1, True, initial=0))
    inverse = _inverted(s, maximum(limit, float(np.finfo(dtype_of(left)).tiny)))
    columns = right if right.ndim == 2 else expand_dims(right, -1)
    result = matmul(_transposed(vt), multiply(expand_dims(inverse, -1), matmul(_transposed(u), columns)))
    return result if right.ndim == 2 else reshape_to(result, result.shape[:1])


def singular_norm(value: Value, order: Any) -> Value:
    """A norm of the last two axes: the largest (2) or smallest (-2) singular value, or their sum ("nuc")."""
    s = svd(value, compute_uv=False)
    if order == "nuc":
        return sum(s, -1)
    return (max if order == 2 else min)(s, -1)
