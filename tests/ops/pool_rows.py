"""Rows of the op table: pooling and its transposes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from tests.ops.draws import between, distinct, integers, with_nan
from tests.ops.rows import Case, Row

Place = tuple[slice, ...]


def _ends(size: int, axis: int, attributes: dict[str, Any]) -> list[slice]:
    """The windows along an axis, without padding."""
    if "output" in attributes:
        n = attributes["output"][axis]
        return [slice(i * size // n, -(-(i + 1) * size // n)) for i in range(n)]
    window, stride = attributes["window"][axis], attributes["stride"][axis]
    before, after = attributes["before"][axis], attributes["after"][axis]
    starts = range(-before, size + after - window + 1, stride) if size else ()
    return [slice(max(s, 0), min(s + window, size)) for s in starts]


def _places(shape: Any, attributes: dict[str, Any]) -> tuple[tuple[int, ...], Iterator[tuple[Any, Place]]]:
    """How many windows there are along each axis; for each its number and where it lies."""
    axes = [_ends(size, i, attributes) for i, size in enumerate(shape[1:-1])]
    counts = tuple(len(axis) for axis in axes)
    return counts, zip(np.ndindex(counts), itertools.product(*axes), strict=True)


def max_pool(x: Any, **attributes: Any) -> Any:
    counts, windows = _places(x.shape, attributes)
    out = np.empty((x.shape[0], *counts, x.shape[-1]), x.dtype)
    for i, place in windows:
        out[(slice(None), *i)] = x[(slice(None), *place)].max(axis=tuple(range(1, x.ndim - 1)))
    return out


def average_pool(x: Any, **attributes: Any) -> Any:
    counts, windows = _places(x.shape, attributes)
    out = np.empty((x.shape[0], *counts, x.shape[-1]), x.dtype)
    for i, place in windows:
        out[(slice(None), *i)] = x[(slice(None), *place)].mean(axis=tuple(range(1, x.ndim - 1)))
    return out


def average_pool_grad(g: Any, *, shape: Any, **attributes: Any) -> Any:
    dx = np.zeros(shape, g.dtype)
    for i, place in _places(shape, attributes)[1]:
        at = (slice(None), *place)
        share = g[(slice(None), *i)] / math.prod(p.stop - p.start for p in place)
        dx[at] += share.reshape(len(g), *[1] * len(place), g.shape[-1])
    return dx


def _chosen(x: Any, place: Place) -> Any:
    """[batch, elements of a window, channels], True at the one that gradients go to.

    The first of the largest; a NaN gives way to whatever comes after it, as in XLA's select_and_scatter.
    """
    window = x[(slice(None), *place)]
    window = window.reshape(len(x), math.prod(p.stop - p.start for p in place), x.shape[-1])
    best, number = window[:, 0], np.zeros((len(x), x.shape[-1]), int)
    for k in range(window.shape[1]):
        moves = ~(best >= window[:, k])
        best, number = np.where(moves, window[:, k], best), np.where(moves, k, number)
    return number[:, None] == np.arange(window.shape[1])[None, :, None]


def max_pool_pick(x: Any, h: Any, **attributes: Any) -> Any:
    counts, windows = _places(x.shape, attributes)
    out = np.empty((x.shape[0], *counts, x.shape[-1]), h.dtype)
    for i, place in windows:
        chosen = _chosen(x, place)
        out[(slice(None), *i)] = (chosen * h[(slice(None), *place)].reshape(chosen.shape)).sum(axis=1)
    return out


def max_pool_grad(x: Any, g: Any, **attributes: Any) -> Any:
    dx = np.zeros(x.shape, g.dtype)
    for i, place in _places(x.shape, attributes)[1]:
        at = (slice(None), *place)
        dx[at] += (_chosen(x, place) * g[(slice(None), *i)][:, None]).reshape(dx[at].shape)
    return dx


def _mean_error(expected: Any, eps: float, x: Any, **attributes: Any) -> Any:
    """One rounding for each element of a row, one for each row, and the division."""
    window = attributes.get("window") or [
        -(-size // n) + 1 for size, n in zip(x.shape[1:-1], attributes["output"], strict=True)
    ]
    roundings = window[-1] + math.prod(window[:-1]) + 1
    return roundings * eps * average_pool(np.abs(x), **attributes)


def _overlaps(attributes: dict[str, Any]) -> int:
    """How many windows an element lies in at most."""
    if "output" in attributes:
        return 2 ** len(attributes["output"]) * 8
    return math.prod(-(-w // s) for w, s in zip(attributes["window"], attributes["stride"], strict=True))


def _shares_error(expected: Any, eps: float, g: Any, **attributes: Any) -> Any:
    """A quotient for each window, and one rounding for each that is added."""
    return (_overlaps(attributes) + 1) * eps * average_pool_grad(np.abs(g), **attributes)


def _added_error(expected: Any, eps: float, x: Any, g: Any, **attributes: Any) -> Any:
    """One rounding for each window that is added."""
    return _overlaps(attributes) * eps * max_pool_grad(x, np.abs(g), **attributes)


def _equal(window: list[int], stride: list[int], before: Any = None, after: Any = None) -> dict[str, Any]:
    none = [0] * len(window)
    return {"window": window, "stride": stride, "before": before or none, "after": after or none}


# Shape and windows: whole and ragged vectors of channels, 1 to 3 axes; windows that touch, overlap, leave
# gaps, reach into padding; one element, one window, no batch, no channels; axes that are divided.
WINDOWS: tuple[tuple[tuple[int, ...], dict[str, Any]], ...] = (
    ((1, 1, 1), _equal([1], [1])),
    ((0, 4, 2), _equal([2], [2])),
    ((2, 4, 0), _equal([2], [2])),
    ((2, 0, 3), _equal([2], [2])),
    ((2, 5, 3), _equal([2], [2])),
    ((1, 6, 1), _equal([3], [1], [1], [1])),
    ((2, 7, 1), _equal([2], [3])),
    ((1, 9, 17), _equal([4], [3], [1], [2])),
    ((1, 4, 4, 2), _equal([2, 2], [2, 2])),
    ((1, 3, 5, 3), _equal([3, 2], [1, 2], [1, 0], [1, 1])),
    ((2, 3, 4, 1), _equal([2, 3], [1, 1])),
    ((1, 4, 5, 1), _equal([2, 2], [2, 2])),
    ((2, 9, 8, 33), _equal([3, 3], [2, 2], [0, 1], [1, 0])),
    ((1, 5, 4, 131), _equal([5, 4], [1, 1])),
    ((1, 2, 3, 3, 2), _equal([2, 2, 2], [1, 1, 1])),
    ((2, 3, 4, 5, 7), _equal([2, 3, 2], [2, 2, 3], [1, 1, 0], [0, 1, 1])),
    ((2, 7, 3), {"output": [3]}),
    ((1, 5, 1), {"output": [4]}),
    ((1, 2, 3), {"output": [5]}),
    ((1, 5, 6, 2), {"output": [2, 4]}),
)
LARGE = (
    ((3, 61, 47, 16), _equal([3, 3], [2, 2], [1, 1], [1, 1])),
    ((2, 4001, 9), _equal([4], [2])),
    ((1, 97, 203, 1), _equal([2, 2], [2, 2])),
    ((2, 40, 301, 1), _equal([3, 4], [2, 3], [1, 2], [1, 1])),
)


def _out(shape: tuple[int, ...], attributes: dict[str, Any]) -> tuple[int, ...]:
    return (shape[0], *_places(shape, attributes)[0], shape[-1])


def _cases(windows: Any, *inputs: str) -> tuple[Case, ...]:
    """Cases whose inputs have the shape of the images ("x") or of what comes of them ("y")."""
    return tuple(
        Case(tuple(shape if i == "x" else _out(shape, attributes) for i in inputs), attributes)
        for shape, attributes in windows
    )


def _from_result(windows: Any) -> tuple[Case, ...]:
    return tuple(Case((_out(s, a),), {**a, "shape": list(s)}) for s, a in windows)


_TWO = _equal([2, 2], [2, 2])
_IMAGE = np.zeros((1, 4, 4, 1), np.float32)
_REFUSED = (
    ((_IMAGE.astype(np.int32),), _TWO, TypeError, "expected float32 or float64, got int32"),
    ((_IMAGE[0, 0],), _TWO, ValueError, "at least 3 axes"),
    ((_IMAGE[0],), _TWO, ValueError, "expected a tensor of 4 axes"),
    ((np.zeros((1, 1, 1, 1, 1, 1), np.float32),), _equal([1] * 4, [1] * 4), ValueError, "1 to 3 axes"),
    ((_IMAGE,), _equal([5, 2], [1, 1]), ValueError, "does not fit an axis of 4"),
    ((_IMAGE,), _equal([0, 2], [1, 1]), ValueError, "at least one element, got a size of 0"),
    ((_IMAGE,), _equal([2, 2], [1, 0]), ValueError, "got a stride of 0"),
    ((_IMAGE,), _equal([2, 2], [1, 1], [2, 0]), ValueError, "padding of 2 and 0"),
    ((_IMAGE,), {**_TWO, "before": [0]}, ValueError, "expected 2 numbers for before"),
    ((_IMAGE,), {"output": [0, 1]}, ValueError, "cannot be divided into 0"),
)
_MISFIT = (((_IMAGE, np.zeros((1, 2, 3, 1), np.float32)), _TWO, ValueError, "expected shape"),)

# Ties and NaN: what is chosen among them shows.
_TIED = with_nan(integers(-2, 2), 0.1)
_WHY = "Whole numbers, so that many are equal, and some NaN."

ROWS = (
    Row(
        "max_pool", max_pool, _cases(WINDOWS, "x"), (with_nan(between(-3, 3)),), smooth=(0,),
        smooth_draws=(distinct(0.03),), large=_cases(LARGE, "x"), refused=_REFUSED,
    ),
    Row(
        "max_pool_grad", max_pool_grad, _cases(WINDOWS, "x", "y"), (_TIED, between(-3, 3)), why=_WHY,
        allowed=_added_error, smooth=(1,), large=_cases(LARGE, "x", "y"), refused=_MISFIT,
    ),
    Row(
        "max_pool_pick", max_pool_pick, _cases(WINDOWS, "x", "x"), (_TIED, between(-3, 3)), why=_WHY,
        smooth=(1,), large=_cases(LARGE, "x", "x"), refused=_MISFIT,
    ),
    Row(
        "average_pool", average_pool, _cases(WINDOWS, "x"), (between(-3, 3),), allowed=_mean_error,
        smooth=(0,), large=_cases(LARGE, "x"), refused=_REFUSED,
    ),
    Row(
        "average_pool_grad", average_pool_grad, _from_result(WINDOWS), (between(-3, 3),),
        allowed=_shares_error, smooth=(0,), large=_from_result(LARGE),
        refused=(
            ((_IMAGE,), {**_TWO, "shape": [1, 6, 8, 1]}, ValueError, "expected shape"),
            ((_IMAGE,), {**_TWO, "shape": [1, 8]}, ValueError, "at least 3 axes"),
        ),
    ),
)  # fmt: skip
