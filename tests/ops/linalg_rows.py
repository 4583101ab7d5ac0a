"""Rows of the op table: decompositions and triangular systems.

The oracles are plain loops or LAPACK in float64, whatever the inputs' type; the core computes in float64 too.
So in float32 one rounding of the result is allowed beside what float64 leaves, in float64 some hundred eps of
the factors' size: all matrices are well-conditioned.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from tests.ops.rows import Case, Row

_SHAPES = ((0, 0), (1, 1), (2, 2), (5, 5), (3, 4, 4), (2, 0, 3, 3), (17, 17))
_LARGE = (Case(((301, 9, 9),)),)


def _batched(function: Any) -> Any:
    """A function of one matrix (or of several) over stacks."""

    def over(*arrays: Any, **attributes: Any) -> Any:
        lead = arrays[0].shape[:-2]
        count = int(np.prod(lead, dtype=int))
        wide = [np.asarray(a, np.float64).reshape(count, *a.shape[-2:]) for a in arrays]
        if count == 0:
            probe = function(*(np.eye(*a.shape[-2:]) for a in arrays), **attributes)
            return np.zeros((*lead, *probe.shape))
        results = [function(*(a[i] for a in wide), **attributes) for i in range(count)]
        return np.stack(results).reshape(*lead, *results[0].shape)

    return over


def _close(expected: Any, eps: float, *inputs: Any, **attributes: Any) -> Any:
    """Half a unit of the result, and what float64 leaves of well-conditioned matrices."""
    size = max(1.0, float(np.max(np.abs(expected), initial=0.0)))
    return eps * np.abs(expected) + 500 * np.finfo(np.float64).eps * size


def spread(rng: np.random.Generator, shape: tuple[int, ...], dtype: str, case: Any) -> np.ndarray:
    """Matrices with singular values from 1 to about the size, no two close; vectors of any kind."""
    if len(shape) < 2:
        return rng.uniform(-1, 1, shape).astype(dtype)
    rows, columns = shape[-2:]
    stack = rng.uniform(-0.3, 0.3, shape)
    k = min(rows, columns)
    stack[..., range(k), range(k)] += 1.0 + 0.7 * rng.permutation(k)
    return stack.astype(dtype)


def definite(rng: np.random.Generator, shape: tuple[int, ...], dtype: str, case: Any) -> np.ndarray:
    """Symmetric matrices with eigenvalues from 1 up, no two equal."""
    half = spread(rng, shape, "float64", case)
    return ((half @ np.swapaxes(half, -1, -2) + np.eye(shape[-1])) / 2).astype(dtype)


def _lu(a: Any) -> Any:
    n = len(a)
    a, pivots, permutation = a.copy(), np.zeros(n), np.arange(float(n))
    for k in range(n):
        pivots[k] = p = k + int(np.argmax(np.abs(a[k:, k])))
        a[[k, p]] = a[[p, k]]
        permutation[[k, p]] = permutation[[p, k]]
        a[k + 1 :, k] /= a[k, k]
        a[k + 1 :, k + 1 :] -= np.outer(a[k + 1 :, k], a[k, k + 1 :])
    return np.concatenate([a, pivots[None], permutation[None]])


def _triangular_solve(a: Any, b: Any, *, lower: bool, transpose: bool, unit: bool) -> Any:
    a = np.tril(a) if lower else np.triu(a)
    if unit:
        a = a - np.diag(np.diag(a)) + np.eye(len(a))
    return np.linalg.solve(a.T if transpose else a, b)


def _qr(a: Any, *, complete: bool) -> Any:
    return np.concatenate(
        [factor.ravel() for factor in np.linalg.qr(a, "complete" if complete else "reduced")]
    )


def _upward(columns: Any) -> Any:
    """1 or -1 for each column, so that its largest component becomes positive."""
    if not columns.size:
        return np.ones(columns.shape[1])
    largest = np.take_along_axis(columns, np.argmax(np.abs(columns), 0)[None], 0)[0]
    return np.where(largest < 0, -1.0, 1.0)


def _eigh(a: Any) -> Any:
    w, v = np.linalg.eigh((a + a.T) / 2)
    return np.concatenate([w, (v * _upward(v)).ravel()])


def _svd(a: Any, *, full: bool) -> Any:
    u, s, vt = np.linalg.svd(a, full_matrices=full)
    k = len(s)
    signs = _upward(u)
    vt[:k] *= signs[:k, None]
    if full and len(vt) > k:  # right vectors that belong to no left one
        vt[k:] *= _upward(vt[k:].T)[:, None]
    return np.concatenate([(u * signs).ravel(), s, vt.ravel()])


_NOT_SQUARE = ((np.ones((2, 3)),), {}, ValueError, r"square.*\(2, 3\)")
_VECTOR = (([1.0, 2.0],), {}, ValueError, "matrices")
_WHOLE = (([[1]],), {}, TypeError, "float32 or float64")
_RECTANGLES = ((4, 4), (5, 3), (2, 6, 4))


def _systems() -> tuple[Case, ...]:
    flags = [{"lower": bool(i & 1), "transpose": bool(i & 2), "unit": bool(i & 4)} for i in range(8)]
    shapes = (((4, 4), (4, 3)), ((2, 3, 3), (2, 3, 1)), ((0, 0), (0, 2)), ((2, 2), (2, 0)))
    return tuple(Case(shape, each) for each in flags for shape in shapes)


ROWS: tuple[Row, ...] = (
    Row(
        "lu",
        _batched(_lu),
        tuple(Case((s,)) for s in _SHAPES),
        (spread,),
        allowed=_close,
        smooth=(0,),
        large=_LARGE,
        refused=(_NOT_SQUARE, _VECTOR, _WHOLE),
    ),
    Row(
        "triangular_solve",
        _batched(_triangular_solve),
        _systems(),
        (spread, spread),
        allowed=_close,
        smooth=(0, 1),
        large=(Case(((301, 9, 9), (301, 9, 5)), {"lower": True, "transpose": False, "unit": False}),),
        refused=(
            (
                (np.eye(2), np.ones((3, 1))),
                {"lower": True, "transpose": False, "unit": False},
                ValueError,
                "do not fit",
            ),
        ),
    ),
    Row(
        "cholesky",
        _batched(lambda a: np.linalg.cholesky((a + a.T) / 2)),
        tuple(Case((s,)) for s in _SHAPES),
        (definite,),
        allowed=_close,
        smooth=(0,),
        large=_LARGE,
        refused=(_NOT_SQUARE, _VECTOR, _WHOLE),
    ),
    Row(
        "eigh",
        _batched(_eigh),
        tuple(Case((s,)) for s in _SHAPES),
        (definite,),
        allowed=_close,
        smooth=(0,),
        large=_LARGE,
        refused=(_NOT_SQUARE, _VECTOR, _WHOLE),
    ),
    *(
        Row(
            "qr",
            _batched(_qr),
            tuple(Case((s,), {"complete": complete}) for s in shapes),
            (spread,),
            allowed=_close,
            smooth=smooth,
            large=(Case(((301, 9, 6),), {"complete": complete}),) if large else (),
            refused=((([1.0],), {"complete": complete}, ValueError, "matrices"),),
        )
        for complete, shapes, smooth, large in (
            (False, (*_RECTANGLES, (1, 1), (0, 2, 2), (3, 0)), (0,), True),
            (False, ((3, 5), (2, 1, 4)), (), False),
            (True, (*_RECTANGLES, (3, 5)), (), False),
        )
    ),
    *(
        Row(
            "svd",
            _batched(_svd),
            tuple(Case((s,), {"full": full}) for s in shapes),
            (spread,),
            allowed=_close,
            smooth=smooth,
            large=(Case(((301, 9, 6),), {"full": full}),) if smooth else (),
            refused=((([1.0],), {"full": full}, ValueError, "matrices"),),
        )
        for full, shapes, smooth in (
            (False, ((4, 4), (5, 3), (3, 5), (2, 4, 2), (1, 1), (0, 2, 2), (3, 0)), (0,)),
            (True, ((4, 4), (4, 3), (3, 4), (1, 1)), ()),
        )
    ),
)
