"""What a row of the op table holds, the cases that families share, and the bounds on rounding errors."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from tests.ops.draws import Draw, all_combinations, special_values

FLOATS = ("float32", "float64")
NUMBERS = (*FLOATS, "int32", "int64")
COMPUTE = (*NUMBERS, "bool")
EVERY = (*COMPUTE, "uint8", "int8", "uint16", "int16", "uint32")

# (expected, eps, *inputs, **attributes) -> the absolute error allowed; inputs and expected are wide.
Allowed = Callable[..., Any]
Refusal = tuple[Sequence[Any], dict[str, Any], type[Exception], str]


@dataclass(frozen=True)
class Case:
    """Shapes of the inputs, and attributes. `note` says what it is there for, where that is not plain."""

    shapes: tuple[tuple[int, ...], ...]
    attributes: dict[str, Any] = field(default_factory=dict)
    note: str = ""

    @property
    def size(self) -> int:
        """Elements of all inputs."""
        return sum(math.prod(shape) for shape in self.shapes)


@dataclass(frozen=True)
class Row:
    """One operation.

    Attributes:
        op: its name in the core.
        oracle: the NumPy function of the wide inputs and the attributes.
        cases: shapes and attributes: empty, one element, ragged tails, other axes, broadcasting.
        draws: for each input where its values come from; the last one serves all further inputs.
        dtypes: the dtypes of the value operands.
        allowed: the error bound.
        why: the reason for the inputs' range and the argument for the bound.
        smooth: the inputs that it can be differentiated by; empty: stated as not differentiable.
        smooth_draws: inputs for finite differences, which must keep away from kinks; None: `draws`.
        step: of the finite differences.
        specials: whether NaN, infinities, zeros and the dtype's limits are tried in all combinations.
        result: the result's dtype if it is not the inputs': a name, or "attribute" (that of the case).
        large: cases big enough to be split over threads.
        refused: (inputs, attributes, exception, pattern of the message).
        fixed: inputs of one dtype whatever is tried: position -> dtype.
    """

    op: str
    oracle: Callable[..., Any]
    cases: tuple[Case, ...]
    draws: tuple[Draw, ...]
    dtypes: tuple[str, ...] = FLOATS
    allowed: Allowed = lambda expected, eps, *inputs, **attributes: 0.0
    why: str = ""
    smooth: tuple[int, ...] = ()
    smooth_draws: tuple[Draw, ...] | None = None
    step: float = 1e-5
    specials: bool = False
    result: str | None = None
    large: tuple[Case, ...] = ()
    refused: tuple[Refusal, ...] = ()
    fixed: dict[int, str] = field(default_factory=dict)

    def inputs(self, case: Case, dtype: str, smooth: bool = False) -> list[np.ndarray]:
        """The arrays of a case: the same in every process."""
        draws = self.smooth_draws if smooth and self.smooth_draws is not None else self.draws
        key = [sum(map(ord, self.op)), *(dim for shape in case.shapes for dim in shape)]
        rng = np.random.default_rng(key)
        return [
            np.asarray(draws[min(i, len(draws) - 1)](rng, shape, self.fixed.get(i, dtype), case))
            for i, shape in enumerate(case.shapes)
        ]

    def special_inputs(self, dtype: str) -> list[np.ndarray]:
        """Every combination of special values."""
        count = len(self.cases[0].shapes)
        return all_combinations(special_values(dtype), count)

    def result_dtype(self, attributes: dict[str, Any], dtype: str) -> str:
        return attributes["dtype"] if self.result == "attribute" else self.result or dtype

    def __str__(self) -> str:
        return self.op


def widen(array: np.ndarray) -> np.ndarray:
    """The same values in the oracle's type: float64 for float32, long double for float64."""
    wider = {"float32": np.float64, "float64": np.longdouble}
    return array.astype(wider.get(array.dtype.name, array.dtype))


# --- error bounds ---


def ulps(count: float) -> Allowed:
    """`count` units in the last place of the result."""
    return lambda expected, eps, *inputs, **attributes: count * eps * np.abs(expected)


def summed(expected: Any, eps: float, x: Any, *, axes: Sequence[int], keepdims: bool) -> Any:
    """The rounding of a sum, relative to the sum of magnitudes (Higham, "Accuracy and stability", 2002, 4.2).

    Over the last axis: a tree of lanes and strips of 64 terms, as deep as log2 n. Over others: in increasing
    order, one rounding for each term.
    """
    n = max(1, math.prod(x.shape[a] for a in axes))
    depth = 64 + math.log2(n) if axes and max(axes) == x.ndim - 1 else n
    return min(n, depth) * eps * np.sum(np.abs(x), axis=tuple(axes), keepdims=keepdims)


def multiplied(expected: Any, eps: float, x: Any, *, axes: Sequence[int], keepdims: bool) -> Any:
    """One rounding for each factor, in whatever order."""
    return max(1, math.prod(x.shape[a] for a in axes)) * eps * np.abs(expected)


def matrix_product(a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False) -> Any:
    a = np.swapaxes(a, -1, -2) if transpose_a else a
    b = np.swapaxes(b, -1, -2) if transpose_b else b
    return np.matmul(a, b)


def contracted(expected: Any, eps: float, a: Any, b: Any, **attributes: bool) -> Any:
    """A chain of k fused multiply-adds: k roundings, relative to the product of magnitudes (Higham, 3.5)."""
    k = a.shape[-2] if attributes.get("transpose_a") else a.shape[-1]
    return max(1, k) * eps * matrix_product(np.abs(a), np.abs(b), **attributes)


def added(expected: Any, eps: float, source: Any, index: Any, *, rows: int) -> Any:
    """One rounding for each row that is added to the same place, relative to the sum of magnitudes."""
    total = np.zeros((rows, *source.shape[index.ndim :]), source.dtype)
    np.add.at(total, index, np.abs(source))
    return max(1, index.size) * eps * total


def _row_roundings(x: Any) -> float:
    """Of exp, sums and logarithms over a row of n: those of exp, and (64 + log2 n) at most of the sum.

    The argument x - max is rounded relative to the row's spread, which exp turns into a relative error.
    """
    columns = x.shape[-1]
    spread = float(np.ptp(x)) if x.size else 0.0
    return 8 + min(columns, 64 + math.log2(max(columns, 1))) + spread


def rowwise(expected: Any, eps: float, x: Any, *rest: Any) -> Any:
    """The error of a softmax, relative."""
    return _row_roundings(x) * eps * np.abs(expected)


def log_rowwise(expected: Any, eps: float, x: Any, *rest: Any) -> Any:
    """The error of its logarithm, absolute: so the logarithm of a sum near 1 turns relative errors."""
    return _row_roundings(x) * eps * (1 + np.abs(expected))


# --- shapes ---

UNARY = tuple(Case((shape,)) for shape in ((), (0,), (1,), (2, 0, 3), (7,), (3, 5), (16,), (1031,), (33, 65)))
BINARY = tuple(
    Case(shapes)
    for shapes in (
        ((), ()),
        ((0,), (0,)),
        ((1,), (1,)),
        ((5,), ()),
        ((), (5,)),
        ((2, 3, 17), (17,)),
        ((4, 1), (1, 3)),
        ((3, 1, 5), (1, 4, 1)),
        ((0, 3), (1, 3)),
        ((1031,), (1031,)),
        ((33, 65), (33, 1)),
        ((33, 1), (33, 65)),
    )
)
TERNARY = tuple(
    Case(shapes)
    for shapes in (
        ((), (), ()),
        ((0,), (0,), (0,)),
        ((5,), (), (5,)),
        ((4, 1), (1, 3), ()),
        ((2, 3), (2, 3), (3,)),
        ((1031,), (1031,), (1031,)),
    )
)
BIG = 300_007  # elements: several blocks for each of 4 threads, and a ragged end


def unary(op: str, oracle: Callable[..., Any], draw: Draw, **options: Any) -> Row:
    """A row of an elementwise operation on one operand."""
    return Row(op, oracle, UNARY, (draw,), large=(Case(((BIG,),)),), **options)


def binary(op: str, oracle: Callable[..., Any], a: Draw, b: Draw, **options: Any) -> Row:
    """A row of an elementwise operation on two operands."""
    return Row(op, oracle, BINARY, (a, b), large=(Case(((613, 491), (491,))),), **options)
