"""Entries of the table of functions: bits, inverse functions, order, statistics, segments, scatters."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from tests.ops import special_rows
from tests.ops.composed import CUBE, ONE, REDUCED, TWO, Call, Entry, of_one, of_two, same
from tests.ops.draws import apart, between, booleans, distinct, integers, with_nan

_INTEGERS = (integers(-9, 9),)
_NOT_0 = (apart((0.0,), 0.1, -3, 3),)
_NAN = (with_nan(distinct(0.0), 0.3),)


def _erfc(x: Any) -> Any:
    return np.vectorize(math.erfc, otypes=[np.float64])(np.asarray(x, np.float64))


def _nextafter(x: Any, y: Any) -> Any:
    """Of the inputs' own type: the oracle's is wider."""
    own = np.float32 if x.dtype == np.float64 else np.float64
    return np.nextafter(x.astype(own), y.astype(own)).astype(x.dtype)


INVERSES = (
    of_one("arcsin", draws=(between(-0.98, 0.98),)),
    of_one("arccos", draws=(between(-0.98, 0.98),)),
    of_one("arctan"),
    of_two("arctan2", draws=(distinct(0.03), distinct(0.05)), shapes=((3, 4), (3, 4))),
    of_one("arcsinh", draws=(apart((0.0,), 0.1, -9, 9),)),
    of_one("arccosh", draws=(between(1.05, 30),), ulps=32),
    of_one("arctanh", draws=(between(-0.95, 0.95),)),
    of_one("erfc", _erfc),
    of_one("erfinv", special_rows.erfinv, draws=(between(-0.9, 0.9),), ulps=32),
    Entry("i0", np.i0, ONE, ((3, 8),), (between(-12, 12),), smooth=(0,), ulps=64),
    of_one("angle", lambda x: np.where(x < 0, np.pi, 0.0), smooth=()),
    of_one("real"),
    of_one("imag", lambda x: np.zeros_like(x), smooth=()),
    of_one("isreal", smooth=()),
    of_one("conj"),
    of_one("conjugate"),
    of_two("nextafter", _nextafter, smooth=(), ulps=0),
)


_BITWISE = ("bitwise_and", "bitwise_or", "bitwise_xor")
_SHIFTS = {
    "left_shift": np.left_shift,
    "bitwise_left_shift": np.left_shift,
    "right_shift": np.right_shift,
    "bitwise_right_shift": np.right_shift,
}

BITS = (
    *(
        of_two(name, draws=(draw,), dtypes=(dtype,), smooth=())
        for name in _BITWISE
        for draw, dtype in ((integers(-99, 99), "int32"), (integers(0, 99), "uint8"), (booleans(), "bool"))
    ),
    *(
        of_two(name, oracle, draws=(integers(-99, 99), integers(0, 6)), dtypes=(dtype, "int32"), smooth=())
        for name, oracle in _SHIFTS.items()
        for dtype in ("int32", "int64")
    ),
    *(
        of_one(name, np.invert, draws=(draw,), dtypes=(dtype,), smooth=())
        for name in ("bitwise_not", "bitwise_invert")
        for draw, dtype in ((integers(0, 99), "uint8"), (booleans(), "bool"))
    ),
    of_two("gcd", draws=_INTEGERS, dtypes=("int32",), smooth=()),
    of_two("lcm", draws=_INTEGERS, dtypes=("int64",), smooth=()),
    Entry(
        "view",
        lambda x, dtype=None: x if dtype is None else np.ascontiguousarray(x).view(dtype),
        (ONE[0], lambda f, x: f(x, "int64"), lambda f, x: f(x, "uint8")),
        ((3, 4),),
        _INTEGERS,
        ("int32",),
    ),
)


def _whole(name: str) -> Any:
    """NumPy's search where it finds something; -1 elsewhere."""

    def search(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        filled = np.where(np.isnan(x), -np.inf if name == "argmax" else np.inf, x)
        found = getattr(np, name)(filled, axis=axis, keepdims=keepdims)
        return np.where(np.isnan(x).all(axis=axis, keepdims=keepdims), -1, found).astype("int32")

    return search


def _argpartition(x: Any, kth: int, axis: int = -1) -> Any:
    """Both sides in the order that they have."""
    rank = np.argsort(np.argsort(x, axis, kind="stable"), axis, kind="stable")
    kth %= x.shape[axis]
    return np.argsort(np.sign(rank - kth), axis, kind="stable").astype("int32")


def _top_k(x: Any, k: int) -> Any:
    order = np.argsort(-x, -1, kind="stable")[..., :k]
    return [np.take_along_axis(x, order, -1), order.astype("int32")]


def _places(name: str) -> Any:
    return lambda *args, **kwargs: np.asarray(getattr(np, name)(*args, **kwargs)).astype("int32")


_SORTED: tuple[Call, ...] = (ONE[0], lambda f, x: f(x, axis=0), lambda f, x: f(x, axis=None))
_STEPS = np.array([-2.0, -1.0, 0.0, 2.0], "float32")

ORDER = (
    Entry("sort", np.sort, _SORTED, ((3, 7),), (distinct(0.0),), smooth=(0,), ulps=0),
    Entry("sort", np.sort, _SORTED, ((3, 7),), (with_nan(integers(-3, 3)),), ulps=0),
    Entry(
        "argsort",
        lambda x, axis=-1: np.argsort(x, axis, kind="stable").astype("int32"),
        _SORTED,
        ((3, 7),),
        (integers(-3, 3),),
    ),
    Entry(
        "argpartition",
        _argpartition,
        (lambda f, x: f(x, 2), lambda f, x: f(x, -1, axis=0)),
        ((3, 7),),
        (distinct(0.0),),
    ),
    Entry(
        "top_k",
        _top_k,
        (lambda f, x: f(x, 3), lambda f, x: f(x, 0)),
        ((3, 7),),
        (distinct(0.0),),
        smooth=(0,),
        ulps=0,
    ),
    Entry(
        "searchsorted",
        _places("searchsorted"),
        (lambda f, x: f(_STEPS, x), lambda f, x: f(_STEPS, x, side="right")),
        draws=(integers(-4, 4),),
    ),
    Entry("digitize", _places("digitize"), (lambda f, x: f(x, _STEPS),), draws=(integers(-4, 4),)),
    Entry(
        "nanargmax",
        _whole("argmax"),
        (lambda f, x: f(x, axis=None), lambda f, x: f(x, axis=1), lambda f, x: f(x, axis=0, keepdims=True)),
        ((2, 9),),
        _NAN,
    ),
    Entry(
        "nanargmin",
        _whole("argmin"),
        (lambda f, x: f(x, axis=None), lambda f, x: f(x, axis=1)),
        ((2, 9),),
        _NAN,
    ),
    Entry(
        "cumprod",
        np.cumprod,
        (ONE[0], lambda f, x: f(x, axis=1), lambda f, x: f(x, axis=-1)),
        ((2, 7, 3),),
        (between(0.8, 1.2),),
        smooth=(0,),
        ulps=64,
    ),
    Entry(
        "nancumsum",
        np.nancumsum,
        (ONE[0], lambda f, x: f(x, axis=1)),
        ((3, 7),),
        (with_nan(between(-2, 2), 0.3),),
        ulps=32,
    ),
    Entry(
        "nancumprod",
        np.nancumprod,
        (ONE[0], lambda f, x: f(x, axis=1)),
        ((3, 7),),
        (with_nan(between(0.5, 2), 0.3),),
        ulps=32,
    ),
    Entry(
        "unravel_index",
        lambda x, shape: [i.astype("int32") for i in np.unravel_index(x, shape)],
        (lambda f, x: f(x, (4, 5)), lambda f, x: f(x, (2, 2, 5))),
        ((3, 4),),
        (integers(0, 19),),
        ("int32",),
    ),
)

# --- statistics ---


def _quantiles(scale: float) -> tuple[Call, ...]:
    methods = ("linear", "lower", "higher", "midpoint", "nearest")
    return (
        lambda f, x: f(x, 0.3 * scale),
        lambda f, x: f(x, np.array([0.0, 0.25, 1.0], "float32") * scale, axis=1),
        lambda f, x: f(x, 0.7 * scale, axis=(0, 2), keepdims=True),
        *(lambda f, x, m=m: f(x, 0.35 * scale, axis=-1, method=m) for m in methods),
    )


def _nan_quantile(name: str) -> Any:
    return lambda x, *args, **kwargs: getattr(np, name)(np.asarray(x, np.float64), *args, **kwargs)


_SPREAD = ((2, 5, 3),)

STATISTICS = (
    *(
        Entry(name, same(name), _quantiles(scale), _SPREAD, (distinct(0.0),), smooth=(0,), ulps=64)
        for name, scale in (("quantile", 1.0), ("percentile", 100.0))
    ),
    *(
        Entry(name, _nan_quantile(name), _quantiles(scale), _SPREAD, (with_nan(distinct(0.0), 0.2),), ulps=64)
        for name, scale in (("nanquantile", 1.0), ("nanpercentile", 100.0))
    ),
    Entry("median", np.median, REDUCED, CUBE, (distinct(0.0),), smooth=(0,)),
    Entry("nanmedian", np.nanmedian, REDUCED, CUBE, _NAN),
    Entry(
        "bincount",
        lambda x, weights=None, minlength=0: np.bincount(
            x, None if weights is None else np.asarray(weights, float), minlength
        ),
        (lambda f, x, w: f(x, weights=w, minlength=7),),
        ((9,), (9,)),
        (integers(0, 6), between(-2, 2)),
        ("int32", "float"),
        smooth=(1,),
    ),
    Entry(
        "bincount",
        lambda x, minlength=0: np.bincount(x, minlength=minlength),
        (lambda f, x: f(x, minlength=7),),
        ((9,),),
        (integers(0, 6),),
        ("int32",),
    ),
    Entry(
        "histogram",
        lambda x, bins=10, range=None: [
            np.histogram(x, bins, range)[0].astype(x.dtype),
            np.asarray(np.histogram(x, bins, range)[1], x.dtype),
        ],
        (lambda f, x: f(x, 5, range=(-2.0, 2.0)), lambda f, x: f(x, bins=4)),
        ((33,),),
        (between(-3, 3),),
        ulps=16,
    ),
    Entry("corrcoef", np.corrcoef, ONE, ((3, 7),), smooth=(0,), ulps=64),
    *(
        Entry(
            "correlate",
            np.correlate,
            tuple(lambda f, x, y, m=m: f(x, y, mode=m) for m in ("valid", "same", "full")),
            shapes,
            smooth=(0, 1),
            ulps=64,
        )
        for shapes in (((5,), (3,)), ((4,), (2,)), ((2,), (5,)), ((3,), (3,)))
    ),
)

# --- segments and scatters ---


def _segments(reduce: Any, nothing: float) -> Any:
    def over(x: Any, ids: Any, num_segments: int, sorted: bool = False) -> Any:
        parts = [x[ids == i] for i in range(num_segments)]
        return np.stack([reduce(part, 0) if len(part) else np.full(x.shape[1:], nothing) for part in parts])

    return over


def _scatter(indices: Any, values: Any, shape: Any) -> Any:
    result = np.zeros(shape, values.dtype)
    np.add.at(result, tuple(np.moveaxis(indices, -1, 0)), values)
    return result


def _scatter_update(x: Any, indices: Any, updates: Any, reduction: Any = None) -> Any:
    combine = {None: lambda a, b: b, "add": np.add, "mul": np.multiply, "max": np.maximum, "min": np.minimum}[
        reduction
    ]
    result = x.copy()
    for at in np.ndindex(indices.shape[:-1]):
        place = tuple(indices[at])
        if all(-d <= i < d for i, d in zip(place, x.shape, strict=False)):
            result[place] = combine(result[place], updates[at])
    return result


def _slice_update(x: Any, start: Any, updates: Any) -> Any:
    result = x.copy()
    result[tuple(slice(s, s + n) for s, n in zip(start, updates.shape, strict=True))] = updates
    return result


_CELLS = np.array([[0, 1], [2, 3], [0, 1], [-1, 0], [3, 0]])
_ROWS = np.array([[2], [0], [2]])
_SEGMENT_CALLS: tuple[Call, ...] = (
    lambda f, x, i: f(x, i, num_segments=3),
    lambda f, x, i: f(x, i, num_segments=9, sorted=True),
)

SCATTERED = (
    *(
        Entry(
            f"segment_{name}",
            _segments(reduce, nothing),
            _SEGMENT_CALLS,
            ((6, 2), (6,)),
            (distinct(0.03), integers(-1, 4)),
            ("float", "int32"),
            smooth=(0,) if name == "prod" else (),
        )
        for name, reduce, nothing in (
            ("prod", np.prod, 1.0),
            ("max", np.max, -math.inf),
            ("min", np.min, math.inf),
        )
    ),
    Entry(
        "scatter",
        _scatter,
        (lambda f, v: f(_CELLS[:4], v, (3, 4)), lambda f, v: f(np.array([[0], [2], [2], [1]]), v, (3,))),
        ((4,),),
        smooth=(0,),
    ),
    Entry(
        "scatter_update",
        _scatter_update,
        tuple(lambda f, x, u, r=r: f(x, _CELLS, u, reduction=r) for r in (None, "add", "mul", "max", "min")),
        ((3, 4), (5,)),
        (distinct(0.03), distinct(0.07)),
        smooth=(0, 1),
    ),
    Entry(
        "scatter_update",
        _scatter_update,
        (lambda f, x, u: f(x, _ROWS, u), lambda f, x, u: f(x, _ROWS, u, "add")),
        ((3, 4), (3, 4)),
        smooth=(0, 1),
    ),
    Entry(
        "slice_update",
        _slice_update,
        (lambda f, x, u: f(x, (1, 0), u), lambda f, x, u: f(x, np.array([0, 2]), u)),
        ((3, 4), (2, 2)),
        smooth=(0, 1),
        ulps=0,
    ),
    Entry(
        "cdist",
        lambda x, y: np.sqrt(np.square(x[..., :, None, :] - y[..., None, :, :]).sum(-1)),
        TWO,
        ((3, 4), (2, 5, 4)),
        smooth=(0, 1),
        ulps=16,
    ),
    Entry(
        "extract_sequences",
        lambda x, n, s: np.stack([x[..., i : i + n] for i in range(0, x.shape[-1] - n + 1, s)], -2),
        (lambda f, x: f(x, 3, 2), lambda f, x: f(x, 8, 1)),
        ((2, 8),),
        smooth=(0,),
        ulps=0,
    ),
)

ENTRIES: tuple[Entry, ...] = (*INVERSES, *BITS, *ORDER, *STATISTICS, *SCATTERED)
# Public functions without an entry, because they take no tensors or have no static shape.
PLAIN = ("bartlett", "blackman", "hamming", "hanning", "kaiser", "nonzero", "unique", "vectorize")
