"""The one table of graph operations: what each computes, on what, and how exactly.

A row names an operation of the core, its oracle in NumPy, the inputs to try and why, and the error that is
allowed with the argument for it. `test_ops.py` drives every row through forward, gradient, threads,
instruction sets and fusion. An operation without a row fails there; several rows of one operation are fine.

The oracle gets the very inputs in a wider type (float64 for float32, NumPy's long double for float64), so
what is compared is the operation's own rounding, not the inputs'.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from tests.ops import linalg_rows, oracles, pool_rows, random_rows, special_rows
from tests.ops.draws import (
    apart,
    between,
    booleans,
    classes_of,
    distinct,
    integers,
    magnitudes,
    probabilities,
    rows_named,
    rows_of,
    with_nan,
)
from tests.ops.rows import (
    BIG,
    COMPUTE,
    EVERY,
    NUMBERS,
    TERNARY,
    UNARY,
    Case,
    Row,
    added,
    binary,
    contracted,
    log_rowwise,
    matrix_product,
    multiplied,
    rowwise,
    summed,
    ulps,
    unary,
)

# --- elementwise: one operand ---

_NOT_0 = (apart((0.0,), 0.05, -3, 3),)

ONE_OPERAND = (
    unary("neg", np.negative, magnitudes(30), dtypes=NUMBERS, specials=True, smooth=(0,)),
    unary("abs", np.abs, magnitudes(30), dtypes=NUMBERS, specials=True, smooth=(0,), smooth_draws=_NOT_0),
    unary("sign", np.sign, magnitudes(30), dtypes=NUMBERS, specials=True),
    unary(
        "square", np.square, magnitudes(18), dtypes=NUMBERS, specials=True, allowed=ulps(0.5),
        smooth=(0,), smooth_draws=(between(-3, 3),), why="One rounded product.",
    ),
    unary(
        "sqrt", np.sqrt, magnitudes(30, positive=True), specials=True, allowed=ulps(0.5),
        smooth=(0,), smooth_draws=(between(0.1, 4),), why="IEEE 754 demands the correctly rounded root.",
    ),
    unary(
        "rsqrt", lambda x: 1 / np.sqrt(x), magnitudes(30, positive=True), specials=True, allowed=ulps(1.5),
        smooth=(0,), smooth_draws=(between(0.2, 4),), why="A rounded root, then a rounded quotient.",
    ),
    unary(
        "reciprocal", lambda x: 1 / x, magnitudes(30), specials=True, allowed=ulps(0.5),
        smooth=(0,), smooth_draws=_NOT_0, why="One rounded quotient.",
    ),
    unary(
        "exp", np.exp, between(-104, 88.7), specials=True, allowed=ulps(2),
        smooth=(0,), smooth_draws=(between(-2, 2),),
        why="From 0 to overflow of float32. A polynomial right to 2^-28 (2^-58); three roundings, two of "
        "them of a fraction of the result.",
    ),
    unary(
        "expm1", np.expm1, between(-20, 88.7), specials=True, allowed=ulps(2),
        smooth=(0,), smooth_draws=(between(-2, 2),), why="As exp; carried in two parts until the end.",
    ),
    unary(
        "log", np.log, magnitudes(30, positive=True), specials=True, allowed=ulps(2),
        smooth=(0,), smooth_draws=(between(0.2, 4),), why="Exponent times ln 2 in two parts, plus a series.",
    ),
    unary(
        "log1p", np.log1p, magnitudes(20, positive=True), specials=True, allowed=ulps(2),
        smooth=(0,), smooth_draws=(between(-0.6, 3),), why="As log, with the rounding of 1 + x put back.",
    ),
    unary(
        "sin", np.sin, between(-1e4, 1e4), specials=True, allowed=ulps(2),
        smooth=(0,), smooth_draws=(between(-3, 3),), why="Thousands of periods: the reduction keeps digits.",
    ),
    unary(
        "cos", np.cos, between(-1e4, 1e4), specials=True, allowed=ulps(2),
        smooth=(0,), smooth_draws=(between(-3, 3),), why="As sin.",
    ),
    unary(
        "tanh", np.tanh, between(-20, 20), specials=True, allowed=ulps(2),
        smooth=(0,), smooth_draws=(between(-2, 2),),
        why="Saturates in 20. expm1 in two parts, a quotient.",
    ),
    unary(
        "sigmoid", oracles.sigmoid, between(-80, 40), specials=True, allowed=ulps(3),
        smooth=(0,), smooth_draws=(between(-3, 3),),
        why="The left tail has no floor, so its digits are tested. exp, a sum and a quotient.",
    ),
    unary(
        "softplus", lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))), between(-80, 40),
        specials=True,
        allowed=ulps(4), smooth=(0,), smooth_draws=(between(-3, 3),), why="exp, log1p and a sum.",
    ),
    unary(
        "erf", oracles.erf, between(-6, 6), specials=True, allowed=ulps(4),
        smooth=(0,), smooth_draws=(between(-2, 2),),
        why="Saturates within 6. A polynomial to 2^-29 (2^-62) below 1, exp of one above.",
    ),
    unary("relu", oracles.relu, magnitudes(30), dtypes=NUMBERS, specials=True, smooth=(0,),
    smooth_draws=_NOT_0),
    unary("floor", np.floor, between(-50, 50), specials=True),
    unary("ceil", np.ceil, between(-50, 50), specials=True),
    unary("round", np.round, lambda *args: between(-50, 50)(*args).round(1).astype(args[2]), specials=True,
          why="With one decimal: halves, which go to the even neighbour, are met."),
    unary("isnan", np.isnan, with_nan(between(-5, 5)), specials=True, result="bool"),
    unary("isinf", np.isinf, between(-5, 5), specials=True, result="bool"),
    unary("isfinite", np.isfinite, with_nan(between(-5, 5)), specials=True, result="bool"),
    unary("logical_not", np.logical_not, booleans(), dtypes=("bool",),
          refused=((([1.0],), {}, TypeError, "bool"),)),
)  # fmt: skip

# --- elementwise: two and three operands ---

_MISFIT = (([1.0, 2.0], [1.0, 2.0, 3.0]), {}, ValueError, r"\(2,?\).*\(3,?\)")
_MIXED = ((np.float32([1]), np.float64([1])), {}, TypeError, "float32.*float64")
_SMALL = between(-3, 3)

TWO_OPERANDS = (
    binary(
        "add", np.add, magnitudes(8), magnitudes(8), dtypes=NUMBERS, specials=True, allowed=ulps(0.5),
        smooth=(0, 1), smooth_draws=(_SMALL, _SMALL), why="One rounded sum.",
        refused=(_MISFIT, _MIXED, (([True], [True]), {}, TypeError, "bool")),
    ),
    binary(
        "subtract", np.subtract, magnitudes(8), magnitudes(8), dtypes=NUMBERS, specials=True,
        allowed=ulps(0.5),
        smooth=(0, 1), smooth_draws=(_SMALL, _SMALL), why="One rounded difference.", refused=(_MISFIT,
        _MIXED),
    ),
    binary(
        "multiply", np.multiply, magnitudes(15), magnitudes(15), dtypes=NUMBERS, specials=True,
        allowed=ulps(0.5), smooth=(0, 1), smooth_draws=(_SMALL, _SMALL), why="One rounded product.",
        refused=(_MISFIT, _MIXED),
    ),
    binary(
        "divide", np.divide, magnitudes(15), magnitudes(15), specials=True, allowed=ulps(0.5),
        smooth=(0, 1), smooth_draws=(_SMALL, apart((0.0,), 0.3, -3, 3)), why="One rounded quotient.",
        refused=(_MISFIT, (([1], [2]), {}, TypeError, "float")),
    ),
    binary(
        "floor_divide", np.floor_divide, between(-99, 99), apart((0.0,), 0.9, -9, 9), dtypes=NUMBERS,
        specials=True,
        why="Quotients with few digits, so that their floors are exact. Integers by 0 give 0.",
    ),
    binary(
        "mod", np.mod, between(-99, 99), apart((0.0,), 0.9, -9, 9), dtypes=NUMBERS, specials=True,
        allowed=ulps(0.5),
        smooth=(0, 1), smooth_draws=(between(5.1, 5.5), between(1.9, 2.1)),
        why="fmod is exact, and one sum makes the sign right. Between two jumps it is linear in both.",
    ),
    binary(
        "power", np.power, magnitudes(4, positive=True), between(-4, 4), specials=True, allowed=ulps(2),
        smooth=(0, 1), smooth_draws=(between(0.3, 3), between(-2, 2)),
        why="float32 in double with one rounding; float64 with a logarithm of 65 bits.",
    ),
    binary(
        "maximum", np.maximum, with_nan(magnitudes(30)), magnitudes(30), dtypes=NUMBERS, specials=True,
        smooth=(0, 1), smooth_draws=(distinct(0.0), distinct(0.05)),
        why="Differences need operands that differ.",
    ),
    binary(
        "minimum", np.minimum, with_nan(magnitudes(30)), magnitudes(30), dtypes=NUMBERS, specials=True,
        smooth=(0, 1), smooth_draws=(distinct(0.0), distinct(0.05)), why="As maximum.",
    ),
    *(
        binary(op, getattr(np, op), integers(-2, 2), integers(-2, 2), dtypes=dtypes, specials=True,
        result="bool",
               why="Few values, so that ties are met.", refused=(_MISFIT,))
        for op, dtypes in (
            ("equal", COMPUTE), ("not_equal", COMPUTE), ("less", NUMBERS), ("less_equal", NUMBERS),
            ("greater", NUMBERS), ("greater_equal", NUMBERS),
        )
    ),
    *(
        binary(op, getattr(np, op), booleans(), booleans(), dtypes=("bool",), specials=True)
        for op in ("logical_and", "logical_or", "logical_xor")
    ),
    Row(
        "select", np.where, TERNARY, (booleans(), with_nan(magnitudes(30)), magnitudes(30)), dtypes=COMPUTE,
        fixed={0: "bool"}, smooth=(1, 2), smooth_draws=(booleans(), _SMALL, _SMALL),
        large=(Case(((613, 491), (491,), (613, 1))),),
        refused=((([1.0], [1.0], [2.0]), {}, TypeError, "condition"), (([True], [1.0], [2]), {}, TypeError,
        "int")),
    ),
    *(
        Row(
            "cast", oracles.cast, tuple(Case(case.shapes, {"dtype": to}) for case in UNARY),
            (magnitudes(12),),
            dtypes=EVERY, result="attribute", smooth=(0,) if to in ("float32", "float64") else (),
            smooth_draws=(_SMALL,), step=1e-5 if to == "float64" else 0.125,
            large=(Case(((BIG,),), {"dtype": to}),),
        )
        for to in EVERY
    ),
    Row(
        "broadcast_to", lambda x, *, shape: np.broadcast_to(x, shape),
        (
            Case(((),), {"shape": [3]}), Case(((),), {"shape": []}), Case(((1,),), {"shape": [0]}),
            Case(((3,),), {"shape": [2, 3]}), Case(((2, 1),), {"shape": [2, 5]}),
            Case(((3, 1, 2),), {"shape": [4, 3, 5, 2]}), Case(((33, 65),), {"shape": [33, 65]}),
        ),
        (magnitudes(5),), dtypes=EVERY, smooth=(0,), large=(Case(((1, 491),), {"shape": [613, 491]}),),
        refused=((([1.0, 2.0],), {"shape": [3]}, ValueError, r"2.*3"),),
    ),
    Row(
        "stop_gradient", lambda x: x, UNARY, (magnitudes(5),), dtypes=EVERY,
        why="Stated as not differentiable: that is what it is for.",
    ),
)  # fmt: skip

# --- reductions ---


def _reductions(empty: bool) -> tuple[Case, ...]:
    cases = [
        Case((shape,), {"axes": list(axes), "keepdims": keep})
        for shape, axes, keep in (
            ((1,), (0,), False),
            ((5,), (0,), True),
            ((1031,), (0,), False),
            ((2, 3, 17), (2,), False),
            ((2, 3, 17), (1,), True),
            ((2, 3, 17), (0,), False),
            ((2, 3, 5), (0, 2), False),
            ((2, 3, 5), (1, 0), False),
            ((2, 3, 5), (0, 1, 2), True),
            ((3, 1), (1,), False),
            ((0, 4), (1,), False),
            ((33, 65), (0,), False),
            ((33, 65), (1,), True),
            ((4, 513, 3), (1,), False),
        )
    ]
    if empty:
        cases += [Case(((0,),), {"axes": [0], "keepdims": False}),
                  Case(((3, 0, 2),), {"axes": [1], "keepdims": True})]  # fmt: skip
    return tuple(cases)


_SPLIT = tuple(Case(((1201, 257),), {"axes": axes, "keepdims": False}) for axes in ([0], [1], [0, 1]))
_BAD_AXES = (
    (([1.0],), {"axes": [1], "keepdims": False}, ValueError, "axis 1"),
    (([1.0],), {"axes": [0, 0], "keepdims": False}, ValueError, "twice"),
)
_EMPTY = (np.zeros((3, 0), "float32"),)
_ARG_CASES = tuple(
    Case((shape,), {"axis": axis, "keepdims": keep, "dtype": dtype})
    for shape, axis, keep, dtype in (
        ((1,), 0, False, "int32"),
        ((5,), 0, True, "int64"),
        ((1031,), 0, False, "int32"),
        ((2, 3, 17), 2, False, "int32"),
        ((2, 3, 17), 1, True, "int64"),
        ((2, 3, 17), 0, False, "int32"),
        ((0, 4), 1, False, "int32"),
        ((33, 65), 0, False, "int32"),
        ((33, 65), 1, False, "int32"),
    )
)

REDUCTIONS = (
    Row(
        "sum", oracles.reduced(np.sum), _reductions(True), (magnitudes(3),), dtypes=NUMBERS, allowed=summed,
        smooth=(0,), smooth_draws=(_SMALL,), large=_SPLIT, refused=_BAD_AXES,
        why="Six magnitudes and both signs: terms cancel, so the bound is on the sum of magnitudes.",
    ),
    Row(
        "prod", oracles.reduced(np.prod), _reductions(True), (between(0.9, 1.1),), allowed=multiplied,
        smooth=(0,), smooth_draws=(between(0.5, 1.5),), large=_SPLIT, refused=_BAD_AXES,
        why="Near 1, so that a thousand factors neither overflow nor vanish.",
    ),
    Row(
        "prod", oracles.reduced(np.prod), _reductions(True), (apart((0.0,), 0.5, -1, 1),), dtypes=("int32",
        "int64"),
        large=_SPLIT, why="Of 1 and -1, which do not overflow.",
    ),
    Row(
        "prod", oracles.reduced(np.prod), _reductions(False)[:9], (integers(-1, 2),), dtypes=("float64",),
        allowed=multiplied, smooth=(0,),
        why="With one zero the gradient is the product of the others, with two 0.",
    ),
    *(
        Row(
            op, oracles.reduced(getattr(np, op)), _reductions(False), (with_nan(magnitudes(30), 0.02),),
            dtypes=NUMBERS,
            smooth=(0,), smooth_draws=(distinct(0.0),), large=_SPLIT, why="NaN is passed on.",
            refused=(*_BAD_AXES, (_EMPTY, {"axes": [1], "keepdims": False}, ValueError, "empty")),
        )
        for op in ("max", "min")
    ),
    *(
        Row(op, oracles.reduced(getattr(np, op)), _reductions(True), (booleans(),), dtypes=("bool",),
        large=_SPLIT,
            refused=((([1.0],), {"axes": [0], "keepdims": False}, TypeError, "bool"),))
        for op in ("any", "all")
    ),
    *(
        Row(
            op, oracles.arg(getattr(np, op)), _ARG_CASES, (with_nan(integers(-9, 9), 0.02),), dtypes=COMPUTE,
            result="attribute", why="Few values: the first of equals is taken. NaN is the extreme.",
            large=tuple(Case(((1201, 257),), {"axis": a, "keepdims": False, "dtype": "int32"}) for a in (0,
            1)),
            refused=(
                (_EMPTY, {"axis": 1, "keepdims": False, "dtype": "int32"}, ValueError, "empty"),
                (([1.0],), {"axis": 0, "keepdims": False, "dtype": "float32"}, TypeError, "int32 or int64"),
            ),
        )
        for op in ("argmax", "argmin")
    ),
)  # fmt: skip

# --- products ---

_PLAIN: dict[str, Any] = {"transpose_a": False, "transpose_b": False}


def _product_cases() -> tuple[Case, ...]:
    cases = []
    for m, k, n in ((1, 1, 1), (3, 5, 7), (0, 5, 3), (4, 0, 3), (3, 5, 0), (65, 130, 33), (1, 300, 1), (7,
    257, 1),
                    (1, 64, 100), (17, 3, 129)):  # fmt: skip
        for ta in (False, True):
            for tb in (False, True):
                shapes = ((k, m) if ta else (m, k), (n, k) if tb else (k, n))
                cases.append(Case(shapes, {"transpose_a": ta, "transpose_b": tb}))
    for a, b in (
        ((2, 3, 4), (2, 4, 5)),
        ((2, 1, 3, 4), (5, 4, 2)),
        ((3, 4), (2, 4, 2)),
        ((0, 3, 4), (0, 4, 2)),
    ):
        cases.append(Case((a, b), _PLAIN))
    cases.append(Case(((2, 4, 3), (2, 5, 4)), {"transpose_a": True, "transpose_b": True}))
    # Many matrices and one: a single product, unless the first are transposed.
    for a, b in (((2, 3, 4), (4, 5)), ((2, 1, 3, 4), (1, 4, 1)), ((0, 3, 4), (4, 2)), ((3, 4), (1, 1, 4, 2))):
        for ta in (False, True):
            for tb in (False, True):
                first, second = (x[:-2] + x[-1:] + x[-2:-1] if flip else x for x, flip in ((a, ta), (b, tb)))
                cases.append(Case((first, second), {"transpose_a": ta, "transpose_b": tb}))
    return tuple(cases)


PRODUCTS = (
    Row(
        "matmul", matrix_product, _product_cases(), (between(-1, 1),), allowed=contracted,
        smooth=(0, 1), why="Numbers of both signs cancel, so the bound is on the product of magnitudes.",
        large=(Case(((300, 257), (257, 190)), _PLAIN),
               Case(((257, 300), (190, 257)), {"transpose_a": True, "transpose_b": True}),
               Case(((40, 33, 65), (65, 70)), _PLAIN), Case(((9, 7, 31, 65), (7, 65, 40)), _PLAIN),
               Case(((3001, 129), (129, 1)), _PLAIN)),
        refused=(
            (([[1.0, 2.0]], [[1.0, 2.0]]), _PLAIN, ValueError, "inner"),
            (([1.0], [[1.0]]), _PLAIN, ValueError, "matrices"),
            (([[1.0]], [[1]]), _PLAIN, TypeError, "dtype"),
        ),
    ),
    Row("matmul", matrix_product, _product_cases(), (integers(-99, 99),), dtypes=("int32", "int64")),
)  # fmt: skip

# --- shapes ---

_ALONG = tuple(
    Case((shape,), {"begin": list(begin), "size": list(size), "stride": list(stride)})
    for shape, begin, size, stride in (
        ((5,), (1,), (3,), (1,)),
        ((5,), (4,), (5,), (-1,)),
        ((5,), (0,), (0,), (1,)),
        ((7,), (1,), (3,), (2,)),
        ((4, 5), (1, 0), (2, 5), (1, 1)),
        ((4, 5), (3, 4), (2, 3), (-2, -2)),
        ((3, 4, 5), (0, 1, 2), (3, 1, 3), (1, 1, 1)),
        ((1031,), (1030,), (344,), (-3,)),
    )
)

SHAPES = (
    Row(
        "identity", lambda x, *, tag: x,
        (Case(((),), {"tag": 0}), Case(((0, 3),), {"tag": 1}), Case(((2, 3),), {"tag": 2})),
        (magnitudes(5),), dtypes=EVERY, smooth=(0,),
    ),
    Row(
        "reshape", lambda x, *, shape: x.reshape(shape),
        (Case(((),), {"shape": [1, 1]}), Case(((0, 3),), {"shape": [5, 0]}), Case(((6,),), {"shape": [2, 3]}),
         Case(((2, 3, 4),), {"shape": [6, 4]})),
        (magnitudes(5),), dtypes=EVERY, smooth=(0,),
        refused=((([1.0, 2.0],), {"shape": [3]}, ValueError, r"2.*3"),),
    ),
    Row(
        "transpose", lambda x, *, axes: x.transpose(axes),
        (Case(((),), {"axes": []}), Case(((3,),), {"axes": [0]}), Case(((0, 3),), {"axes": [1, 0]}),
         Case(((3, 5),), {"axes": [1, 0]}), Case(((2, 3, 4),), {"axes": [2, 0, 1]}),
         Case(((2, 3, 4),), {"axes": [0, 2, 1]}), Case(((2, 3, 4, 5),), {"axes": [3, 1, 2, 0]}),
         Case(((65, 33),), {"axes": [1, 0]})),
        (magnitudes(5),), dtypes=EVERY, smooth=(0,), large=(Case(((613, 491),), {"axes": [1, 0]}),),
        refused=((([[1.0]],), {"axes": [0, 0]}, ValueError, "permutation"),
                 (([[1.0]],), {"axes": [0]}, ValueError, "2 axes")),
    ),
    Row(
        "concatenate", lambda *xs, axis: np.concatenate(xs, axis),
        (Case(((3,),), {"axis": 0}), Case(((3,), (0,), (2,)), {"axis": 0}), Case(((2, 3), (2, 1)),
        {"axis": 1}),
         Case(((2, 3), (4, 3), (1, 3)), {"axis": 0}), Case(((2, 3, 4), (2, 5, 4)), {"axis": 1}),
         Case(((33, 65), (33, 7)), {"axis": 1})),
        (magnitudes(5),), dtypes=EVERY, smooth=(0, 1), large=(Case(((613, 300), (613, 191)), {"axis": 1}),),
        refused=((([[1.0]], [[1.0, 2.0]]), {"axis": 0}, ValueError, "does not fit"),
                 (([1.0], [1]), {"axis": 0}, ValueError, "does not fit"),
                 (([1.0], [1.0]), {"axis": 1}, ValueError, "axis 1")),
    ),
    Row(
        "slice", oracles.slice, _ALONG, (magnitudes(5),), dtypes=EVERY, smooth=(0,),
        large=(Case(((613, 491),), {"begin": [612, 1], "size": [613, 163], "stride": [-1, 3]}),),
        refused=((([1.0, 2.0],), {"begin": [1], "size": [2], "stride": [1]}, ValueError, "outside"),),
    ),
    Row(
        "unslice", oracles.unslice,
        tuple(
            Case((tuple(c.attributes["size"]),), {"shape": list(c.shapes[0]), "begin": c.attributes["begin"],
                                                  "stride": c.attributes["stride"]})
            for c in _ALONG
        ),
        (magnitudes(5),), dtypes=EVERY, smooth=(0,),
        large=(Case(((613, 163),), {"shape": [613, 491], "begin": [612, 1], "stride": [-1, 3]}),),
        refused=((([1.0, 2.0],), {"shape": [2], "begin": [0], "stride": [0]}, ValueError, "stride"),
                 (([1.0, 2.0],), {"shape": [2], "begin": [1], "stride": [1]}, ValueError, "outside")),
    ),
)  # fmt: skip

# --- rows chosen by an index ---

_TAKE_SHAPES = (
    ((5,), (3,)),
    ((5, 2), ()),
    ((3, 4), (0,)),
    ((4, 3, 2), (2, 2)),
    ((1,), (7,)),
    ((65, 33), (129,)),
)


def _index_rows(index: str) -> tuple[Row, ...]:
    fixed = {1: index}
    return (
        Row(
            "take", lambda x, i: np.take(x, i, axis=0), tuple(Case(shapes) for shapes in _TAKE_SHAPES),
            (magnitudes(5), rows_of(0)), dtypes=EVERY, fixed=fixed, smooth=(0,),
            large=(Case(((1000, 33), (9001,))),),
            refused=(
                (([1.0, 2.0], np.array([2], index)), {}, ValueError, r"2.*\[0, 2\)"),
                (([1.0, 2.0], np.array([-1], index)), {}, ValueError, "-1"),
                (([1.0, 2.0], [0.0]), {}, TypeError, "int32 or int64"),
                ((1.0, np.array([0], index)), {}, ValueError, "scalar"),
            ),
        ),
        Row(
            "scatter_add", oracles.scatter_add,
            tuple(Case(shapes, {"rows": rows}) for shapes, rows in (
                (((5,), (5,)), 3), (((0, 2), (0,)), 3), (((2, 2, 3), (2, 2)), 4), (((4,), ()), 2),
                (((129, 33), (129,)), 10))),
            (magnitudes(2), rows_named("rows")), allowed=added, fixed=fixed, smooth=(0,),
            smooth_draws=(_SMALL, rows_named("rows")), large=(Case(((9001, 33), (9001,)), {"rows": 100}),),
            why="Several terms for most rows, added in the order of the source.",
            refused=((([1.0], np.array([3], index)), {"rows": 3}, ValueError, "3"),
                     (([1], np.array([0], index)), {"rows": 3}, TypeError, "float"),
                     (([1.0, 2.0], np.array([0], index)), {"rows": 3}, ValueError, "begin")),
        ),
        Row(
            "sparse_softmax_cross_entropy", oracles.cross_entropy,
            tuple(Case(shapes) for shapes in (((1, 1), (1,)), ((3, 5), (3,)), ((4,), ()), ((0, 3), (0,)),
                                              ((2, 3, 7), (2, 3)), ((65, 33), (65,)), ((3, 1031), (3,)))),
            (between(-15, 15), classes_of(0)), allowed=log_rowwise, fixed=fixed, smooth=(0,),
            smooth_draws=(_SMALL, classes_of(0)), large=(Case(((9001, 33), (9001,))),),
            why="Differences up to 30 make probabilities from 1e-13 to 1.",
            refused=((([[1.0, 2.0]], np.array([2], index)), {}, ValueError, "label 2.*2"),
                     (([[1.0, 2.0]], np.array([-1], index)), {}, ValueError, "label -1"),
                     (([[1.0, 2.0]], np.array([0, 1], index)), {}, ValueError, "shape"),
                     (([[1.0, 2.0]], [1.0]), {}, TypeError, "int32 or int64")),
        ),
        Row(
            "sparse_softmax_cross_entropy_grad", oracles.cross_entropy_grad,
            tuple(Case(shapes) for shapes in (((1, 1), (1,), (1,)), ((3, 5), (3,), (3,)), ((4,), (), ()),
                                              ((0, 3), (0,), (0,)), ((2, 3, 7), (2, 3), (2, 3)))),
            (between(-15, 15), classes_of(0), between(-2, 2)), allowed=log_rowwise, fixed=fixed, smooth=(0,
            2),
            smooth_draws=(_SMALL, classes_of(0), _SMALL), large=(Case(((9001, 33), (9001,), (9001,))),),
            why="The difference softmax - 1 cancels: its error is absolute, of the size of eps.",
        ),
        Row(
            "one_hot", oracles.one_hot,
            tuple(Case((shape,), {"num_classes": n, "dtype": dtype}) for shape, n, dtype in (
                ((), 4, "float32"), ((0,), 3, "float32"), ((5,), 0, "float32"), ((5,), 1, "float64"),
                ((2, 3), 4, "bool"), ((7,), 5, "int32"), ((129,), 33, "int64"))),
            (integers(-1, 5),), dtypes=(index,), result="attribute", why="Indices outside give zeros.",
            large=(Case(((9001,),), {"num_classes": 33, "dtype": "float32"}),),
            refused=((([1.0],), {"num_classes": 3, "dtype": "float32"}, TypeError, "int32 or int64"),
                     (([1],), {"num_classes": -1, "dtype": "float32"}, ValueError, "negative")),
        ),
    )  # fmt: skip


# --- softmax ---

_ROWS = tuple(Case((shape,)) for shape in ((1,), (5,), (3, 1), (0, 4), (2, 3, 7), (65, 33), (3, 1031)))
_TWO_ROWS = tuple(Case((shape, shape)) for shape in ((1,), (5,), (3, 1), (0, 4), (2, 3, 7), (65, 33)))


def _two_rows(expected: Any, eps: float, y: Any, g: Any) -> Any:
    """A sum over the row of products of magnitude |y g| or |g|, then one product: relative to the largest."""
    return 2 * (4 + y.shape[-1]) * eps * (np.abs(expected) + np.max(np.abs(g), initial=0.0))


SOFTMAX = (
    Row(
        "softmax", oracles.softmax, _ROWS, (between(-15, 15),), allowed=rowwise, smooth=(0,),
        smooth_draws=(_SMALL,),
        large=(Case(((9001, 33),)), Case(((33, 9001),))),
        why="Differences up to 30 make probabilities from 1e-13 to 1.",
        refused=(((1.0,), {}, ValueError, "axis"), (([1],), {}, TypeError, "float")),
    ),
    Row(
        "log_softmax", oracles.log_softmax, _ROWS, (between(-15, 15),), allowed=log_rowwise, smooth=(0,),
        smooth_draws=(_SMALL,), large=(Case(((9001, 33),)),), refused=(((1.0,), {}, ValueError, "axis"),),
    ),
    Row(
        "softmax_grad", oracles.softmax_grad, _TWO_ROWS, (probabilities(), between(-2, 2)), allowed=_two_rows,
        smooth=(0, 1), large=(Case(((9001, 33), (9001, 33))),), refused=(_MISFIT,),
    ),
    Row(
        "log_softmax_grad", oracles.log_softmax_grad, _TWO_ROWS, (between(-3, 0), between(-2, 2)),
        allowed=_two_rows,
        smooth=(0, 1), large=(Case(((9001, 33), (9001, 33))),), refused=(_MISFIT,),
    ),
)  # fmt: skip

ROWS: tuple[Row, ...] = (
    *ONE_OPERAND,
    *TWO_OPERANDS,
    *REDUCTIONS,
    *PRODUCTS,
    *SHAPES,
    *_index_rows("int32"),
    *_index_rows("int64"),
    *SOFTMAX,
    *random_rows.ROWS,
    *special_rows.ROWS,
    *linalg_rows.ROWS,
    *pool_rows.ROWS,
)
