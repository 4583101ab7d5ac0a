"""What an entry of the table of functions holds.

An entry names the function, its oracle, and calls. A call is a function of (the op or its oracle, arrays), so
that both are called in the same words: `lambda f, x: f(x, axis=1)`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from tests.ops.draws import Draw, between

Call = Callable[..., Any]


@dataclass(frozen=True)
class Entry:
    """One function.

    Attributes:
        name: in `ranvier.ops`.
        oracle: the same in NumPy.
        calls: ways to call both.
        shapes: of the arrays that the calls take.
        draws: where their values come from; the last serves all further arrays.
        dtypes: for each array a dtype, or "float": both float dtypes are tried, or "number": int32 too.
        smooth: the arrays by which it is differentiated; gradients are compared with differences in float64.
        ulps: the error allowed, in eps of 1 + |result|: two or three for each operation that is composed.
    """

    name: str
    oracle: Callable[..., Any]
    calls: tuple[Call, ...]
    shapes: tuple[tuple[int, ...], ...] = ((3, 4),)
    draws: tuple[Draw, ...] = (between(-3, 3),)
    dtypes: tuple[str, ...] = ("float",)
    smooth: tuple[int, ...] = ()
    ulps: float = 8.0

    def inputs(self, floats: str) -> list[np.ndarray]:
        """The arrays, with the float dtype `floats` where "float" stands."""
        rng = np.random.default_rng(sum(map(ord, self.name)))
        arrays = []
        for i, shape in enumerate(self.shapes):
            dtype = self.dtypes[min(i, len(self.dtypes) - 1)]
            draw = self.draws[min(i, len(self.draws) - 1)]
            arrays.append(np.asarray(draw(rng, shape, floats if dtype == "float" else dtype, None)))
        return arrays

    def __str__(self) -> str:
        return self.name


def same(name: str) -> Callable[..., Any]:
    """NumPy's function of the same name."""
    return getattr(np, name)


ONE: tuple[Call, ...] = (lambda f, x: f(x),)
TWO: tuple[Call, ...] = (lambda f, x, y: f(x, y),)
REDUCED: tuple[Call, ...] = (
    lambda f, x: f(x),
    lambda f, x: f(x, axis=0),
    lambda f, x: f(x, axis=-1, keepdims=True),
    lambda f, x: f(x, axis=(0, 2)),
)
CUBE = ((2, 3, 4),)
PAIR = ((3, 4), (4,))


def of_one(name: str, oracle: Callable[..., Any] | None = None, **options: Any) -> Entry:
    """An elementwise function of one array, differentiable unless said otherwise."""
    return Entry(name, oracle or same(name), ONE, **{"smooth": (0,), **options})


def of_two(name: str, oracle: Callable[..., Any] | None = None, **options: Any) -> Entry:
    """An elementwise function of two arrays that broadcast."""
    return Entry(name, oracle or same(name), TWO, **{"shapes": PAIR, "smooth": (0, 1), **options})
