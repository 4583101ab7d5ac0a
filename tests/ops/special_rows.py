"""Rows of the op table: special functions, bits of integers, order, scattered rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from tests.ops import oracles
from tests.ops.draws import apart, between, booleans, distinct, integers, magnitudes, rows_of, with_nan
from tests.ops.rows import FLOATS, NUMBERS, Case, Row, binary, ulps, unary

INTEGERS = ("int32", "int64")


def _erfc(x: Any) -> Any:
    return np.vectorize(math.erfc, otypes=[np.float64])(np.asarray(x, np.float64))


def erfinv(x: Any) -> Any:
    """Halley's method on erf or erfc, from Winitzki's approximation."""
    x = np.asarray(x, np.float64)
    size = np.abs(x)
    inside = np.where(size < 1, size, 0.5)
    w = np.log1p(-inside * inside)
    c = 2 / (np.pi * 0.147) + w / 2
    y = np.sqrt(np.sqrt(c * c - w / 0.147) - c)
    for _ in range(6):
        short = np.where(size < 0.5, oracles.erf(y) - inside, (1 - inside) - _erfc(y))
        step = short / (2 / np.sqrt(np.pi) * np.exp(-y * y))
        y = y - step / (1 + y * step)
    ends = np.where(size == 1, np.inf, np.nan)
    return np.copysign(np.where(size < 1, y, ends), x)


SPECIAL = (
    unary(
        "erfc",
        _erfc,
        between(-6, 9),
        specials=True,
        allowed=ulps(6),
        smooth=(0,),
        smooth_draws=(between(-2, 2),),
        why="The right tail down to 1e-36. A polynomial times exp, whose argument is kept in two parts.",
    ),
    unary(
        "erfinv",
        erfinv,
        between(-0.999, 0.999),
        specials=True,
        allowed=ulps(16),
        smooth=(0,),
        smooth_draws=(between(-0.9, 0.9),),
        why="3 ulp, and the oracle's own error, which 1 - |x| magnifies.",
    ),
    unary(
        "arctan",
        np.arctan,
        magnitudes(30),
        specials=True,
        allowed=ulps(3),
        smooth=(0,),
        smooth_draws=(between(-3, 3),),
        why="A quotient, a polynomial and a sum in two parts.",
    ),
)


def _shifted(shift: Any) -> Any:
    def by(x: Any, y: Any) -> Any:
        bits = 8 * x.dtype.itemsize
        inside = (y >= 0) & (y < bits)
        beyond = np.where(x < 0, -1, 0) if shift is np.right_shift else 0
        return np.where(inside, shift(x, np.where(inside, y, 0)), beyond).astype(x.dtype)

    return by


_FLOAT = (([1.0], [2.0]), {}, TypeError, "int32 or int64")

BITS = (
    *(
        binary(
            name,
            getattr(np, name),
            integers(-(2**30), 2**30),
            integers(-99, 99),
            dtypes=INTEGERS,
            specials=True,
            refused=(_FLOAT,),
        )
        for name in ("bitwise_and", "bitwise_or", "bitwise_xor")
    ),
    *(
        binary(
            name,
            _shifted(getattr(np, name)),
            integers(-(2**30), 2**30),
            integers(-2, 70),
            dtypes=INTEGERS,
            specials=True,
            refused=(_FLOAT,),
            why="Also by negative counts, and by more than there are bits.",
        )
        for name in ("left_shift", "right_shift")
    ),
    binary("gcd", np.gcd, integers(-9999, 9999), integers(-99, 99), dtypes=INTEGERS, refused=(_FLOAT,)),
    *(
        Row(
            "bitcast",
            lambda x, *, dtype: np.asarray(x).view(dtype),
            tuple(Case((shape,), {"dtype": to}) for shape in shapes),
            (integers(-9, 9),),
            dtypes=(own,),
            result="attribute",
            refused=(
                (([1, 2, 3],), {"dtype": "int64"}, ValueError, "whole number"),
                ((1,), {"dtype": "int64"}, ValueError, "scalar"),
                (([1],), {"dtype": "bool"}, TypeError, "booleans"),
            ),
        )
        for own, to, shapes in (
            ("int32", "int64", ((2,), (0,), (3, 4))),
            ("int64", "uint8", ((), (2,), (2, 3))[1:]),
            ("int32", "uint32", ((), (5,))),
        )
    ),
)

# --- order ---


def _argsort(x: Any, *, descending: bool, count: int) -> Any:
    """By Python's stable sort, NaN being the largest."""
    rows = x.reshape(int(np.prod(x.shape[:-1], dtype=int)), x.shape[-1])
    order = np.zeros((len(rows), count), np.int32)
    for row, result in zip(rows, order, strict=True):
        key = [(bool(v != v), 0 if v != v else v) for v in row.tolist()]
        # Reversing keeps equal elements in order.
        result[:] = sorted(range(len(key)), key=key.__getitem__, reverse=descending)[:count]
    return order.reshape(*x.shape[:-1], count)


def _sorted(shape: tuple[int, ...], count: int | None = None, descending: bool = False) -> Case:
    return Case((shape,), {"descending": descending, "count": shape[-1] if count is None else count})


_MANY = integers(-9, 9)


def _rising(rng: Any, shape: Any, dtype: str, case: Any) -> Any:
    return np.sort(integers(-20, 20)(rng, shape, dtype, case), axis=-1)


ORDER = (
    *(
        Row(
            "argsort",
            _argsort,
            (
                _sorted((5,)),
                _sorted((0,)),
                _sorted((2, 0, 3)),
                _sorted((3, 7), 2),
                _sorted((3, 7), 0),
                _sorted((33, 65), descending=True),
                _sorted((4, 31), 7, True),
                _sorted((1031,), 100),
            ),
            (draw,),
            dtypes=dtypes,
            result="int32",
            large=(_sorted((9001, 33)), _sorted((9, 20011), 50, True)),
            refused=(
                (([1, 2],), {"descending": False, "count": 3}, ValueError, "3 of 2"),
                ((1,), {"descending": False, "count": 0}, ValueError, "scalar"),
            ),
            why="Few different values, so that stability shows.",
        )
        for draw, dtypes in ((_MANY, NUMBERS), (with_nan(_MANY), FLOATS), (booleans(), ("bool",)))
    ),
    Row(
        "searchsorted",
        lambda row, x, *, right: np.searchsorted(row, x, "right" if right else "left").astype("int32"),
        tuple(
            Case((row, shape), {"right": right})
            for right in (False, True)
            for row, shape in (((9,), (5,)), ((0,), (3,)), ((1,), ()), ((257,), (31, 4)))
        ),
        (_rising, integers(-22, 22)),
        dtypes=NUMBERS,
        result="int32",
        refused=(
            (([[1]], [1]), {"right": True}, ValueError, "1 axis"),
            (([1], [1.0]), {"right": True}, TypeError, "one dtype"),
        ),
    ),
)

# --- scattered rows ---

_COMBINE = {0: None, 1: np.add, 2: np.multiply, 3: np.maximum, 4: np.minimum}


def _scatter_update(x: Any, index: Any, updates: Any, *, mode: int) -> Any:
    result = x.copy()
    for i, at in np.ndenumerate(index):
        result[at] = updates[i] if mode == 0 else _COMBINE[mode](result[at], updates[i])
    return result


def _combining(expected: Any, eps: float, x: Any, index: Any, updates: Any, *, mode: int) -> Any:
    """One rounding for each update that meets in a row."""
    if mode not in (1, 2):
        return 0.0
    sizes = _scatter_update(np.abs(x), index, np.abs(updates), mode=mode)
    return (index.size + 1) * eps * sizes


def _updates(mode: int) -> tuple[Case, ...]:
    shapes = (
        ((5,), (3,), (3,)),
        ((4, 3), (6,), (6, 3)),
        ((3, 2, 2), (2, 2), (2, 2, 2, 2)),
        ((3,), (0,), (0,)),
    )
    return tuple(Case(each, {"mode": mode}) for each in shapes)


SCATTERED = tuple(
    Row(
        "scatter_update",
        _scatter_update,
        _updates(mode),
        (draw, rows_of(0), draw),
        dtypes=dtypes,
        fixed={1: index},
        allowed=_combining,
        smooth=(0, 2) if dtypes != ("bool",) else (),
        smooth_draws=smooth,
        large=(Case(((613, 49), (2001,), (2001, 49)), {"mode": mode}),) if mode == 0 else (),
        refused=(
            (([1.0], np.array([1]), [2.0]), {"mode": mode}, ValueError, "index 1 .* outside"),
            (([1.0], np.array([0]), [2.0, 3.0]), {"mode": mode}, ValueError, "shape"),
            (([1.0], [0.0], [2.0]), {"mode": mode}, TypeError, "int32 or int64"),
        ),
    )
    for mode in range(5)
    for draw, dtypes, index, smooth in (
        (
            between(-2, 2),
            NUMBERS,
            "int32",
            (distinct(0.0), rows_of(0), distinct(0.05))
            if mode > 2
            else (apart((0.0,), 0.3, -2, 2), rows_of(0), apart((0.0,), 0.3, -2, 2)),
        ),
        (booleans(), ("bool",), "int64", None),
    )
    if mode in (0, 3) or dtypes != ("bool",)
)

ROWS: tuple[Row, ...] = (*SPECIAL, *BITS, *ORDER, *SCATTERED)
