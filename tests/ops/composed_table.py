"""The second table: every public function of `ranvier.ops`, called in several ways, against NumPy.

A call is a function of (the op or its oracle, arrays), so that both are called in the same words:
`lambda f, x: f(x, axis=1)`. `test_composed.py` drives every entry through both float dtypes,
at once and compiled,
and through gradients; a public function without an entry fails there.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from tests.activations.test_activations import sparsemax
from tests.ops import oracles
from tests.ops.composed import CUBE, ONE, PAIR, REDUCED, TWO, Call, Entry, of_one, of_two, same
from tests.ops.draws import apart, between, booleans, distinct, integers, probabilities, with_nan

_POSITIVE = (between(0.2, 4),)
_NOT_0 = (apart((0.0,), 0.1, -3, 3),)
_INTEGERS = (integers(-3, 3),)

ARITHMETIC = (
    of_two("add"), of_two("subtract"), of_two("multiply"),
    of_two("divide", draws=(between(-3, 3), *_NOT_0)),
    of_two("true_divide", draws=(between(-3, 3), *_NOT_0)),
    of_two("divide_no_nan", lambda x, y: np.where(y == 0, 0, x / np.where(y == 0, 1, y)), draws=_INTEGERS,
    smooth=(0,)),
    of_two("floor_divide", draws=_NOT_0, smooth=()),
    of_two("mod", draws=_NOT_0, smooth=()), of_two("fmod", draws=_NOT_0, smooth=()),
    Entry("power", np.power, (lambda f, x, y: f(x, y), lambda f, x, y: f(x, 2), lambda f, x, y: f(x, 0.5),
          lambda f, x, y: f(x, 3), lambda f, x, y: f(x, 4), lambda f, x, y: f(x, -1)),
          PAIR, (between(0.3, 3),), smooth=(0,), ulps=64),
    of_one("negative"), of_one("abs", draws=_NOT_0), of_one("absolute", draws=_NOT_0), of_one("fabs",
    draws=_NOT_0),
    of_one("sign", smooth=()), of_one("signbit", smooth=()), of_one("square"),
    of_two("maximum", draws=(distinct(0.0), distinct(0.05))), of_two("minimum", draws=(distinct(0.0),
    distinct(0.05))),
    of_two("fmax", draws=(with_nan(distinct(0.0), 0.2), distinct(0.05)), smooth=(1,)),
    of_two("fmin", draws=(with_nan(distinct(0.0), 0.2), distinct(0.05)), smooth=(1,)),
    Entry("clip", np.clip, (lambda f, x: f(x, -1, 1), lambda f, x: f(x, None, 0.5), lambda f, x: f(x, -0.5,
    None)),
          draws=(apart((-1, -0.5, 0.5, 1), 0.01, -3, 3),), smooth=(0,)),
    of_one("sqrt", draws=_POSITIVE), of_one("rsqrt", lambda x: 1 / np.sqrt(x), draws=_POSITIVE),
    of_one("cbrt", draws=_NOT_0), of_one("reciprocal", lambda x: 1 / x, draws=_NOT_0),
    of_one("exp"), of_one("exp2"), of_one("expm1"), of_one("log", draws=_POSITIVE), of_one("log1p",
    draws=_POSITIVE),
    of_one("log2", draws=_POSITIVE), of_one("log10", draws=_POSITIVE),
    of_two("logaddexp"), of_two("logaddexp2"), of_two("hypot", draws=_NOT_0),
    of_one("sin"), of_one("cos"), of_one("tan", draws=(between(-1, 1),)),
    of_one("sinh", draws=(apart((-1, 1), 0.01, -9, 9),), ulps=16), of_one("cosh", draws=(between(-9, 9),),
    ulps=16),
    of_one("tanh"), of_one("sinc", draws=_INTEGERS, dtypes=("float",), smooth=()), of_one("deg2rad"),
    of_one("rad2deg"),
    of_one("floor", smooth=()), of_one("ceil", smooth=()), of_one("trunc", smooth=()),
    Entry("round", np.round, (lambda f, x: f(x), lambda f, x: f(x, 2), lambda f, x: f(x * 100, -1))),
    of_one("isnan", draws=(with_nan(between(-1, 1)),), smooth=()), of_one("isinf", smooth=()),
    of_one("isposinf", smooth=()), of_one("isneginf", smooth=()), of_one("isfinite", smooth=()),
    of_two("heaviside", draws=_INTEGERS, smooth=(1,)), of_two("ldexp", lambda x, y: x * np.exp2(y),
    draws=_INTEGERS, dtypes=("float", "int32"), smooth=(0,)),
    of_one("erf", oracles.erf),
    of_two("isclose", draws=_INTEGERS, smooth=()), of_two("allclose", draws=_INTEGERS, smooth=()),
    Entry("isin", np.isin, (lambda f, x, y: f(x, y), lambda f, x, y: f(x, y, invert=True)), PAIR, _INTEGERS),
)  # fmt: skip

# --- comparison and logic ---

COMPARISON = (
    *(
        of_two(name, draws=_INTEGERS, smooth=())
        for name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal",
                     "logical_and", "logical_or", "logical_xor")
    ),
    of_one("logical_not", draws=_INTEGERS, smooth=()),
    Entry("where", np.where, (lambda f, c, x, y: f(c, x, y), lambda f, c, x, y: f(c, x, 2.0)),
          ((3, 1), (3, 4), (4,)), (booleans(), between(-3, 3)), ("bool", "float"), smooth=(1,)),
    Entry("select", np.select, (lambda f, x, y: f([x > 1, x > 0], [x, y], 7.0),), ((3, 4), (3, 4)), _NOT_0,
          smooth=(0, 1)),
)  # fmt: skip

# --- reductions ---


def _average(x: Any, axis: Any = None, weights: Any = None) -> Any:
    return np.average(x, axis, weights)


def _count_nonzero(x: Any, axis: Any = None) -> Any:
    return np.asarray(np.count_nonzero(x, axis)).astype("int32")


def _arg(name: str) -> Any:
    return lambda x, axis=None, keepdims=False: np.asarray(
        getattr(np, name)(x, axis, keepdims=keepdims)
    ).astype("int32")


_NAN = (with_nan(between(-3, 3), 0.3),)
_SHORT: tuple[Call, ...] = (lambda f, x: f(x), lambda f, x: f(x, axis=1))

REDUCTIONS = (
    Entry("cumsum", np.cumsum, (ONE[0], lambda f, x: f(x, axis=1), lambda f, x: f(x, axis=-1)), ((2, 7, 3),),
          smooth=(0,), ulps=32),
    *(Entry(name, same(name), REDUCED, CUBE, smooth=(0,), ulps=32) for name in ("sum", "mean", "var", "std")),
    Entry("prod", np.prod, REDUCED, CUBE, (between(1, 2),), smooth=(0,), ulps=64),
    Entry("prod", np.prod, (lambda f, x: f(x, dtype="int32"),), draws=(integers(1, 3),)),
    *(
        Entry(name, same(name), REDUCED, CUBE, (distinct(0.0),), smooth=(0,))
        for name in ("max", "min", "amax", "amin", "ptp")
    ),
    Entry("max", np.max, (lambda f, x: f(x, initial=1.0), lambda f, x: f(x, axis=1, initial=1.0)), ((3, 0),)),
    Entry("min", np.min, (lambda f, x: f(x, axis=0, initial=0.0),), ((3, 4),)),
    Entry("average", _average, (lambda f, x, w: f(x), lambda f, x, w: f(x, axis=1), lambda f, x, w: f(x,
    axis=1, weights=w),
                                lambda f, x, w: f(x, weights=x)), PAIR, (between(0.5, 2),), smooth=(0,)),
    Entry("any", np.any, REDUCED, CUBE, (integers(0, 1),)), Entry("all", np.all, REDUCED, CUBE, (integers(0,
    1),)),
    Entry("count_nonzero", _count_nonzero, (*_SHORT, lambda f, x: f(x, axis=(0, 1))), draws=_INTEGERS),
    *(
        Entry(name, _arg(name), (*_SHORT, lambda f, x: f(x, keepdims=True), lambda f, x: f(x, axis=0,
        keepdims=True)),
              draws=(integers(-9, 9),))
        for name in ("argmax", "argmin")
    ),
    *(
        Entry(name, same(name), REDUCED, CUBE, _NAN, ulps=32)
        for name in ("nansum", "nanprod", "nanmax", "nanmin", "nanmean", "nanvar", "nanstd")
    ),
    Entry("norm", np.linalg.norm,
          (lambda f, x: f(x), *(lambda f, x, o=o: f(x, ord=o, axis=1) for o in (None, 1, 2, 3, 0.5, math.inf,
          -math.inf)),
           *(lambda f, x, o=o: f(x, ord=o, axis=(0, 1), keepdims=True) for o in ("fro", 1, -1, math.inf,
           -math.inf))),
          draws=(apart((0.0,), 0.2, -3, 3),), smooth=(0,), ulps=64),
    Entry("norm", np.linalg.norm, (lambda f, x: f(x, ord=0, axis=0),), draws=_INTEGERS),
    Entry("logsumexp", oracles.logsumexp, REDUCED, CUBE, (between(-30, 30),), ulps=32),
    Entry("logsumexp", oracles.logsumexp, REDUCED, CUBE, smooth=(0,)),
)  # fmt: skip

# --- products ---

_MATRICES = ((3, 4), (4, 5))

PRODUCTS = (
    *(
        Entry("matmul", np.matmul, TWO, shapes, smooth=(0, 1), ulps=64)
        for shapes in (_MATRICES, ((4,), (4,)), ((3, 4), (4,)), ((4,), (4, 5)), ((2, 1, 3, 4), (2, 4, 2)),
        ((4,), (2, 4, 3)))
    ),
    *(
        Entry("dot", np.dot, TWO, shapes, smooth=(0, 1), ulps=64)
        for shapes in (_MATRICES, ((4,), (4,)), ((2, 3, 4), (2, 4, 2)), ((), (3,)), ((3, 4), (4,)))
    ),
    *(
        Entry("inner", np.inner, TWO, shapes, smooth=(0, 1), ulps=64)
        for shapes in (((3, 4), (2, 4)), ((4,), (4,)), ((), (3,)))
    ),
    Entry("tensordot", np.tensordot, (TWO[0], lambda f, x, y: f(x, y, axes=2), lambda f, x, y: f(x, y, [[1,
    2], [0, 1]])),
          ((2, 3, 4), (3, 4, 5)), smooth=(0, 1), ulps=128),
    Entry("tensordot", np.tensordot, (lambda f, x, y: f(x, y, 0), lambda f, x, y: f(x, y, [0, 1])), ((2, 3),
    (4, 2)),
          smooth=(0, 1), ulps=64),
    Entry("vdot", np.vdot, TWO, ((3, 4), (3, 4)), smooth=(0, 1), ulps=64),
    Entry("outer", np.outer, TWO, ((2, 3), (4,)), smooth=(0, 1)),
    *(Entry("kron", np.kron, TWO, shapes, smooth=(0, 1)) for shapes in (((2, 3), (3, 2)), ((2,), (2, 2)))),
    Entry("cross", np.cross, TWO, ((2, 3), (3,)), smooth=(0, 1)),
    Entry("cross", np.cross, (lambda f, x, y: f(x, y, axis=0),), ((3, 2), (3, 2)), smooth=(0, 1)),
    Entry("trace", np.trace, (ONE[0], lambda f, x: f(x, 1), lambda f, x: f(x, 0, 1, 2)), ((3, 4, 5),),
    smooth=(0,)),
    Entry("trapezoid", oracles.trapezoid,
          (ONE[0], lambda f, x: f(x, dx=0.5, axis=0), lambda f, x: f(x, x=np.array([0.0, 1.0, 3.0, 4.0],
          "float32"))),
          smooth=(0,)),
    Entry("einsum", np.einsum,
          tuple(lambda f, x, y, s=s: f(s, x, y) for s in ("ij,jk->ik", "ij,jk", "ij,jk->", "ij,jk->ki",
          "ij,jl->ijl")),
          _MATRICES, smooth=(0, 1), ulps=128),
    Entry("einsum", np.einsum,
          (lambda f, x: f("ijk->kj", x), lambda f, x: f("...i->...", x), lambda f, x: f("ijk,ilk,imk->jlm", x,
          x, x),
           lambda f, x: f("ij...,ij...->...", x, x)), CUBE, smooth=(0,), ulps=256),
    Entry("einsum", np.einsum, (lambda f, x: f("ii->i", x), lambda f, x: f("ii", x), lambda f,
    x: f("ij,ji->ij", x, x)),
          ((3, 3),), smooth=(0,), ulps=64),
)  # fmt: skip

# --- shapes ---


def _shape_call(
    name: str, *calls: Call, oracle: Any = None, shape: tuple[int, ...] = (3, 4), smooth: bool = True
) -> Entry:
    """A function that only moves elements: exact, and differentiable by what it moves."""
    return Entry(name, oracle or same(name), calls, (shape,), smooth=(0,) if smooth else (), ulps=0)


def _split(x: Any, sections: Any, axis: int = 0) -> Any:
    return np.split(x, sections, axis)


def _unstack(x: Any, num: Any = None, axis: int = 0) -> Any:
    return [np.take(x, i, axis) for i in range(x.shape[axis])]


def _block(x: Any, start: Any, shape: Any) -> Any:
    return x[tuple(slice(s, s + n) for s, n in zip(start, shape, strict=True))]


SHAPES = (
    _shape_call("reshape", lambda f, x: f(x, (2, 6)), lambda f, x: f(x, (-1, 2)), lambda f, x: f(x, 12)),
    _shape_call("ravel", *ONE), _shape_call("transpose", *ONE, lambda f, x: f(x, (1, 0))),
    _shape_call("expand_dims", lambda f, x: f(x, 1), lambda f, x: f(x, (0, -1))),
    _shape_call("squeeze", *ONE, lambda f, x: f(x, 0), lambda f, x: f(x, (0, 2)), shape=(1, 3, 1)),
    _shape_call("swapaxes", lambda f, x: f(x, 0, -1), shape=(2, 3, 4)),
    _shape_call("moveaxis", lambda f, x: f(x, 0, -1), lambda f, x: f(x, (0, 1), (2, 0)), shape=(2, 3, 4)),
    _shape_call("broadcast_to", lambda f, x: f(x, (2, 3, 4))),
    _shape_call("concatenate", lambda f, x: f([x, x], 0), lambda f, x: f([x, x], axis=-1), lambda f, x: f([x,
    x], None)),
    _shape_call("stack", lambda f, x: f([x, x]), lambda f, x: f([x, x], axis=-1)),
    _shape_call("append", lambda f, x: f(x, x), lambda f, x: f(x, x, 1)),
    _shape_call("hstack", lambda f, x: f([x, x])), _shape_call("vstack", lambda f, x: f([x, x])),
    _shape_call("dstack", lambda f, x: f([x, x])), _shape_call("dstack", lambda f, x: f([x, x]), shape=(3,)),
    _shape_call("hstack", lambda f, x: f([x, x]), shape=(3,)), _shape_call("vstack", lambda f, x: f([x, x]),
    shape=(3,)),
    _shape_call("split", lambda f, x: f(x, 2, 1), lambda f, x: f(x, [1, 3], 1), oracle=_split),
    _shape_call("array_split", lambda f, x: f(x, 3, 1), lambda f, x: f(x, 5, 0)),
    _shape_call("hsplit", lambda f, x: f(x, 2)), _shape_call("vsplit", lambda f, x: f(x, 3)),
    _shape_call("dsplit", lambda f, x: f(x, 2), shape=(2, 3, 4)),
    _shape_call("unstack", *ONE, lambda f, x: f(x, axis=-1), oracle=_unstack),
    _shape_call("slice", lambda f, x: f(x, (1, 2), (2, 1)), lambda f, x: f(x, (0, 0), (3, 0)), oracle=_block),
    _shape_call("get_item", lambda f, x: f(x, (slice(None), 1)), lambda f, x: f(x, -1), lambda f, x: f(x,
    (None, ..., 2)),
                oracle=lambda x, key: x[key]),
    Entry("diff", np.diff, (ONE[0], lambda f, x: f(x, 2), lambda f, x: f(x, axis=0)), smooth=(0,)),
    _shape_call("tile", lambda f, x: f(x, 2), lambda f, x: f(x, (2, 1, 3))),
    _shape_call("repeat", lambda f, x: f(x, 2), lambda f, x: f(x, 2, 1), lambda f, x: f(x, [1, 0, 2], 0)),
    _shape_call("flip", *ONE, lambda f, x: f(x, 1), lambda f, x: f(x, (0, 1))), _shape_call("fliplr", *ONE),
    _shape_call("flipud", *ONE), _shape_call("rot90", *ONE, *(lambda f, x, k=k: f(x, k) for k in (2, 3, 4,
    -1))),
    _shape_call("roll", lambda f, x: f(x, 1), lambda f, x: f(x, -5, 1), lambda f, x: f(x, (1, 2), (0, 1))),
    _shape_call("pad", lambda f, x: f(x, 1), lambda f, x: f(x, ((1, 0), (0, 2))),
                lambda f, x: f(x, ((1, 2), (0, 1)), constant_values=5.0),
                *(lambda f, x, m=m: f(x, ((2, 1), (1, 3)), mode=m) for m in ("reflect", "symmetric",
                "edge"))),
    _shape_call("take", lambda f, x: f(x, [0, -1, 5]), lambda f, x: f(x, np.array([[0, 2], [1, -1]]), axis=1),
                lambda f, x: f(x, 1, axis=0)),
    _shape_call("take_along_axis", lambda f, x: f(x, np.array([[0, -1], [1, 2], [3, 0]]), axis=1),
                lambda f, x: f(x, np.array([[2, 0, 1, 1]]), axis=0)),
    _shape_call("diagonal", *ONE, lambda f, x: f(x, 1), lambda f, x: f(x, -1, 1, 2), shape=(3, 4, 5)),
    _shape_call("diag", *ONE, lambda f, x: f(x, 1), lambda f, x: f(x, -2)),
    _shape_call("diag", *ONE, lambda f, x: f(x, 1), lambda f, x: f(x, -2), shape=(3,)),
    _shape_call("diagflat", *ONE, lambda f, x: f(x, 1), shape=(2, 2)),
    _shape_call("tril", *ONE, lambda f, x: f(x, 1), lambda f, x: f(x, -1), shape=(2, 3, 4)),
    _shape_call("triu", *ONE, lambda f, x: f(x, 1), lambda f, x: f(x, -1), shape=(2, 3, 4)),
    _shape_call("copy", *ONE),
    _shape_call("meshgrid", lambda f, x: f(x, x), lambda f, x: f(x, x, x, indexing="ij"), shape=(3,)),
    Entry("vander", np.vander, (ONE[0], lambda f, x: f(x, 3, increasing=True)), ((4,),), smooth=(0,),
    ulps=32),
    Entry("nan_to_num", np.nan_to_num, (ONE[0], lambda f, x: f(x, nan=1.0, posinf=2.0, neginf=3.0)),
    draws=_NAN, ulps=0),
)  # fmt: skip

# --- creation and inspection ---


def _like(name: str) -> Any:
    return lambda x, *args, dtype=None: getattr(np, name)(x, *args, dtype=dtype or x.dtype)


def _float32(function: Any) -> Any:
    """A NumPy function of no arrays, with the library's default dtypes."""

    def made(*args: Any, dtype: Any = "float32", **options: Any) -> Any:
        return np.asarray(function(*args, **options)).astype(dtype)

    return made


CREATION = (
    Entry("zeros", _float32(np.zeros), (lambda f: f((2, 3)), lambda f: f(2, dtype="int32")), ()),
    Entry("ones", _float32(np.ones), (lambda f: f((2, 3)), lambda f: f((), dtype="bool")), ()),
    Entry("empty", _float32(np.zeros), (lambda f: f((2, 3)),), ()),
    Entry("full", _float32(np.full), (lambda f: f((2, 3), 7), lambda f: f((2, 2), np.array([1, 2]),
    dtype="int64")), ()),
    Entry("zeros_like", _like("zeros_like"), (ONE[0], lambda f, x: f(x, dtype="int32"))),
    Entry("ones_like", _like("ones_like"), (ONE[0], lambda f, x: f(x, dtype="bool"))),
    Entry("empty_like", _like("zeros_like"), ONE),
    Entry("full_like", _like("full_like"), (lambda f, x: f(x, 3), lambda f, x: f(x, 3, dtype="int32"))),
    Entry("arange", _float32(np.arange), (lambda f: f(0, 1, 0.3), lambda f: f(3.0), lambda f: f(5, 1, -2,
    dtype="int32")), ()),
    Entry("linspace", _float32(np.linspace), (lambda f: f(0, 1, 5), lambda f: f(0, 1, 5, endpoint=False)),
    ()),
    Entry("logspace", _float32(np.logspace), (lambda f: f(0, 2, 5), lambda f: f(0, 3, 4, base=2)), ()),
    Entry("geomspace", _float32(np.geomspace), (lambda f: f(1, 1000, 4),), ()),
    Entry("eye", _float32(np.eye), (lambda f: f(3), lambda f: f(2, 4, 1), lambda f: f(3, k=-1,
    dtype="int32")), ()),
    Entry("identity", _float32(np.identity), (lambda f: f(3),), ()),
    Entry("tri", _float32(np.tri), (lambda f: f(3), lambda f: f(2, 4, 1, dtype="bool")), ()),
    Entry("array", np.array, (lambda f, x: f(x, "float32"),)),
    Entry("convert_to_tensor", np.array, (lambda f, x: f(x, "float32"),)),
    Entry("cast", oracles.cast_to, (lambda f, x: f(x, "int32"), lambda f, x: f(x, "bool"), lambda f, x: f(x,
    "float32"))),
    Entry("saturate_cast", oracles.cast_to, (lambda f, x: f(x * 200, "int8"), lambda f, x: f(x, "uint8"))),
    Entry("stop_gradient", lambda x: x, ONE),
)  # fmt: skip

# --- activations ---

_KINKS = (apart((-6, -3, -1, -0.5, 0, 0.5, 1, 3, 6), 0.02, -7, 7),)


def _elu(x: Any, alpha: float = 1.0) -> Any:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _gelu(x: Any, approximate: bool = True) -> Any:
    if approximate:
        return x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return x / 2 * (1 + oracles.erf(x / math.sqrt(2)))


def _along_axes(function: Any) -> Any:
    """A function of the last axis, along an axis or several."""

    def along(x: Any, axis: Any = -1) -> Any:
        axes = tuple(range(x.ndim)) if axis is None else (axis if isinstance(axis, tuple) else (axis,))
        moved = np.moveaxis(x, axes, range(-len(axes), 0))
        flat = function(moved.reshape(*moved.shape[: x.ndim - len(axes)], -1))
        return np.moveaxis(flat.reshape(moved.shape), range(-len(axes), 0), axes)

    return along


def _glu(x: Any, axis: int = -1) -> Any:
    first, second = np.split(x, 2, axis)
    return first * oracles.sigmoid(second)


_AXES: tuple[Call, ...] = (
    lambda f, x: f(x), lambda f, x: f(x, axis=0), lambda f, x: f(x, axis=(0, 2)), lambda f, x: f(x,
    axis=None),
)  # fmt: skip

ACTIVATIONS = (
    of_one("relu", oracles.relu, draws=_KINKS), of_one("relu6", lambda x: np.clip(x, 0, 6), draws=_KINKS),
    Entry("leaky_relu", lambda x, negative_slope=0.2: np.where(x >= 0, x, negative_slope * x),
          (ONE[0], lambda f, x: f(x, negative_slope=0.01)), draws=_KINKS, smooth=(0,)),
    Entry("elu", _elu, (ONE[0], lambda f, x: f(x, alpha=0.5)), draws=_KINKS, smooth=(0,)),
    of_one("selu", lambda x: 1.0507009873554805 * _elu(x, 1.6732632423543772), draws=_KINKS, ulps=16),
    Entry("celu", lambda x, alpha=1.0: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0) / alpha)),
          (ONE[0], lambda f, x: f(x, alpha=0.5)), draws=_KINKS, smooth=(0,)),
    Entry("gelu", _gelu, (ONE[0], lambda f, x: f(x, approximate=False)), smooth=(0,), ulps=16),
    of_one("sigmoid", oracles.sigmoid), of_one("log_sigmoid", lambda x: -np.log1p(np.exp(-x))),
    of_one("silu", lambda x: x * oracles.sigmoid(x)), of_one("swish", lambda x: x * oracles.sigmoid(x)),
    of_one("hard_sigmoid", lambda x: np.clip(x / 6 + 0.5, 0, 1), draws=_KINKS),
    of_one("hard_silu", lambda x: x * np.clip(x / 6 + 0.5, 0, 1), draws=_KINKS),
    of_one("hard_swish", lambda x: x * np.clip(x / 6 + 0.5, 0, 1), draws=_KINKS),
    of_one("hard_tanh", lambda x: np.clip(x, -1, 1), draws=_KINKS),
    Entry("hard_shrink", lambda x, threshold=0.5: np.where(np.abs(x) > threshold, x, 0),
          (ONE[0], lambda f, x: f(x, threshold=3)), draws=_KINKS, smooth=(0,)),
    Entry("soft_shrink", lambda x, threshold=0.5: np.sign(x) * np.maximum(np.abs(x) - threshold, 0),
          (ONE[0], lambda f, x: f(x, threshold=3)), draws=_KINKS, smooth=(0,)),
    of_one("tanh_shrink", lambda x: x - np.tanh(x)), of_one("softplus", lambda x: np.log1p(np.exp(x))),
    of_one("softsign", lambda x: x / (1 + np.abs(x)), draws=_KINKS), of_one("tanh"),
    of_one("mish", lambda x: x * np.tanh(np.log1p(np.exp(x))), ulps=16),
    Entry("squareplus", lambda x, b=4: (x + np.sqrt(x * x + b)) / 2, (ONE[0], lambda f, x: f(x, b=1)),
    smooth=(0,)),
    Entry("sparsemax", lambda x, axis=-1: np.moveaxis(sparsemax(np.moveaxis(x, axis, -1)), -1, axis),
          (ONE[0], lambda f, x: f(x, axis=0), lambda f, x: f(x * 9)), ((5, 7),), smooth=(0,), ulps=16),
    of_one("sparse_plus", lambda x: np.where(x <= -1, 0, np.where(x >= 1, x, (x + 1) ** 2 / 4)),
    draws=_KINKS),
    of_one("sparse_sigmoid", lambda x: np.clip((x + 1) / 2, 0, 1), draws=_KINKS),
    Entry("threshold", lambda x, t, v: np.where(x > t, x, v), (lambda f, x: f(x, 0.5, -2.0),), draws=_KINKS,
    smooth=(0,)),
    of_one("binary_step", lambda x: (x >= 0).astype(x.dtype), draws=_INTEGERS, smooth=()),
    Entry("softmax", _along_axes(oracles.softmax), _AXES, CUBE, smooth=(0,), ulps=32),
    Entry("log_softmax", _along_axes(oracles.log_softmax), _AXES, CUBE, smooth=(0,), ulps=32),
    Entry("glu", _glu, (ONE[0], lambda f, x: f(x, axis=0)), ((4, 6),), smooth=(0,)),
)  # fmt: skip

# --- encodings, losses, normalizations ---


def _one_hot(x: Any, num_classes: int, axis: int = -1, dtype: str = "float32") -> Any:
    return np.moveaxis(x[..., None] == np.arange(num_classes), -1, axis).astype(dtype)


def _multi_hot(x: Any, num_classes: int, axis: int = -1, dtype: str = "float32") -> Any:
    return _one_hot(x, num_classes, axis, dtype).max(1 if x.ndim > 1 else 0)


_EPSILON = 1e-7


def _binary_crossentropy(t: Any, p: Any, from_logits: bool = False) -> Any:
    p = oracles.sigmoid(p) if from_logits else np.clip(p, _EPSILON, 1 - _EPSILON)
    return -(t * np.log(p) + (1 - t) * np.log(1 - p))


def _categorical_crossentropy(t: Any, p: Any, from_logits: bool = False, axis: int = -1) -> Any:
    t, p = np.moveaxis(t, axis, -1), np.moveaxis(p, axis, -1)
    logarithms = (
        oracles.log_softmax(p)
        if from_logits
        else np.log(np.clip(p / p.sum(-1, keepdims=True), _EPSILON, 1 - _EPSILON))
    )
    return -(t * logarithms).sum(-1)


def _sparse_categorical_crossentropy(t: Any, p: Any, from_logits: bool = False, axis: int = -1) -> Any:
    p = np.moveaxis(p, axis, -1)
    t = t[..., 0] if t.ndim == p.ndim else t
    return _categorical_crossentropy(_one_hot(t, p.shape[-1], dtype="float64"), p, from_logits)


def _in_top_k(targets: Any, predictions: Any, k: int) -> Any:
    inside = (targets >= 0) & (targets < predictions.shape[-1])
    own = np.take_along_axis(predictions, np.where(inside, targets, 0)[:, None], 1)
    return inside & ((predictions > own).sum(1) < k)


def _ctc_loss(target: Any, output: Any, lengths: Any, frames: Any, mask_index: int = 0) -> Any:
    """By the recursion on probabilities instead of their logarithms."""
    losses = []
    for labels, size, logits, steps in zip(target, lengths, output, frames, strict=True):
        states = [mask_index, *(i for label in labels[:size] for i in (label, mask_index))]
        p = np.exp(oracles.log_softmax(logits[:steps]))[:, states]
        alpha = np.where(np.arange(len(states)) < 2, p[0], 0)
        for row in p[1:]:
            new = np.array(alpha)
            new[1:] += alpha[:-1]
            for s in range(2, len(states)):
                if states[s] != mask_index and states[s] != states[s - 2]:
                    new[s] += alpha[s - 2]
            alpha = new * row
        losses.append(-np.log(alpha[-2:].sum()))
    return np.array(losses)


_CTC_LENGTHS = (np.array([2, 3, 0]), np.array([6, 5, 1]))


def _segment_sum(x: Any, ids: Any, num_segments: int, sorted: bool = False) -> Any:
    return np.stack([x[ids == i].sum(0) for i in range(num_segments)]).astype(x.dtype)


def _layer_normalization(
    x: Any, gamma: Any = 1.0, beta: Any = 0.0, axis: Any = -1, epsilon: float = _EPSILON
) -> Any:
    centred = x - x.mean(axis, keepdims=True)
    return centred / np.sqrt(x.var(axis, keepdims=True) + epsilon) * gamma + beta


def _batch_normalization(
    x: Any, mean: Any, variance: Any, axis: int, offset: Any = 0.0, scale: Any = 1.0, epsilon: float = 1e-3
) -> Any:
    return (x - mean) / np.sqrt(variance + epsilon) * scale + offset


_LABELS = (integers(0, 3), between(0.1, 1))
_LOGITS = (integers(0, 3), between(-3, 3))
_BOTH_WAYS: tuple[Call, ...] = (*TWO, lambda f, t, p: f(t, p, from_logits=True))

LEARNING = (
    Entry("one_hot", _one_hot, (lambda f, x: f(x, 4), lambda f, x: f(x, 3, axis=0, dtype="int32")), ((2, 3),),
    _INTEGERS,
          ("int32",)),
    Entry("multi_hot", _multi_hot, (lambda f, x: f(x, 4), lambda f, x: f(x, 3, dtype="int32")), ((2, 3),),
    _INTEGERS,
          ("int64",)),
    Entry("binary_crossentropy", _binary_crossentropy, _BOTH_WAYS, ((3, 4), (3, 4)), (between(0, 1),
    between(0.1, 0.9)),
          smooth=(0, 1), ulps=16),
    Entry("categorical_crossentropy", _categorical_crossentropy,
          (*_BOTH_WAYS, lambda f, t, p: f(t, p, axis=0), lambda f, t, p: f(t, p, from_logits=True, axis=0)),
          ((3, 4), (3, 4)), (probabilities(), between(0.1, 1)), smooth=(0, 1), ulps=32),
    *(
        Entry("sparse_categorical_crossentropy", _sparse_categorical_crossentropy, (call,), (labels, (3, 4)),
        draws,
              ("int32", "float"), smooth=(1,), ulps=32)
        for labels in ((3,), (3, 1))
        for call, draws in ((TWO[0], _LABELS), (_BOTH_WAYS[1], _LOGITS))
    ),
    Entry("in_top_k", _in_top_k, tuple(lambda f, t, p, k=k: f(t, p, k) for k in (1, 2, 9)), ((5,), (5, 4)),
          (integers(-1, 4), integers(-2, 2)), ("int32", "float")),
    Entry("ctc_loss", _ctc_loss,
          (lambda f, t, x: f(t, x, *_CTC_LENGTHS), lambda f, t, x: f(t, x, *_CTC_LENGTHS, mask_index=3),
           lambda f, t, x: f(np.array([[1, 1, 0], [2, 1, 2], [0, 0, 0]]), x, *_CTC_LENGTHS)),
          ((3, 3), (3, 6, 4)), (integers(1, 2), between(-3, 3)), ("int32", "float"), smooth=(1,), ulps=64),
    Entry("segment_sum", _segment_sum,
          (lambda f, x, i: f(x, i, num_segments=3), lambda f, x, i: f(x, i, num_segments=9, sorted=True)),
          ((6, 2), (6,)), (between(-3, 3), integers(-1, 4)), ("float", "int32"), smooth=(0,)),
    Entry("segment_sum", _segment_sum, (lambda f, x, i: f(x, i, num_segments=3),), ((6,), (6,)),
          (integers(-9, 9), integers(-1, 4)), ("int32",)),
    Entry("moments", lambda x, axes, keepdims=False: [x.mean(axes, keepdims=keepdims), x.var(axes,
    keepdims=keepdims)],
          (lambda f, x: f(x, 0), lambda f, x: f(x, (0, 2), keepdims=True)), CUBE, smooth=(0,), ulps=32),
    Entry("normalize", lambda x, axis=-1, order=2: x / np.linalg.norm(x, order, axis, keepdims=True),
          (ONE[0], lambda f, x: f(x, axis=0), lambda f, x: f(x, order=1), lambda f, x: f(x, order=3)),
          draws=_NOT_0,
          smooth=(0,), ulps=32),
    Entry("batch_normalization", _batch_normalization,
          (lambda f, x, a, b: f(x, a, b, -1), lambda f, x, a, b: f(x, a, b, 1, offset=b, scale=a,
          epsilon=0.1)),
          ((3, 4), (4,), (4,)), (between(-3, 3), between(0.5, 2)), smooth=(0, 1, 2), ulps=32),
    Entry("layer_normalization", _layer_normalization,
          (lambda f, x, g: f(x), lambda f, x, g: f(x, g, g), lambda f, x, g: f(x, axis=(0, 1), epsilon=0.1)),
          PAIR, smooth=(0,), ulps=64),
    Entry("rms_normalization",
          lambda x, scale=1.0, axis=-1, epsilon=_EPSILON: x / np.sqrt((x * x).mean(axis,
          keepdims=True) + epsilon) * scale,
          (lambda f, x, g: f(x), lambda f, x, g: f(x, g), lambda f, x, g: f(x, axis=0, epsilon=0.1)), PAIR,
          smooth=(0,),
          ulps=32),
)  # fmt: skip

ENTRIES: tuple[Entry, ...] = (
    *ARITHMETIC,
    *COMPARISON,
    *REDUCTIONS,
    *PRODUCTS,
    *SHAPES,
    *CREATION,
    *ACTIVATIONS,
    *LEARNING,
)
# Functions that do not return tensors; test_composed.py tests them one by one.
PLAIN = ("convert_to_numpy", "dtype", "is_tensor", "ndim", "shape", "size")
