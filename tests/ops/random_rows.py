"""Rows of the op table: random numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from tests.ops.philox import oracle_integers, oracle_normal, oracle_truncated, oracle_uniform
from tests.ops.rows import Case, Row, ulps

_SEED = lambda *args: np.array([0x0123_4567_89AB, 3], "int64")  # noqa: E731


def _random(shapes: Sequence[tuple[int, ...]], **attributes: Any) -> tuple[Case, ...]:
    return tuple(Case(((2,),), {"shape": list(shape), **attributes}) for shape in shapes)


_RANDOM_SHAPES = ((), (0,), (1,), (3,), (7, 9), (257,))
_BAD_SEED = (([1, 2, 3],), {"shape": [2], "dtype": "float32"}, ValueError, "seed")


def _law(expected: Any, eps: float, *inputs: Any, **attributes: Any) -> Any:
    """The angle and the quantile are right to a few eps of the largest value, the logarithm to a few ulp."""
    return 16 * eps * (1 + np.abs(expected))


ROWS: tuple[Row, ...] = (
    *(
        Row(
            op, oracle, _random(_RANDOM_SHAPES, dtype=dtype), (_SEED,), dtypes=("int64",), result="attribute",
            allowed=allowed, large=_random(((300_007,),), dtype=dtype), refused=(_BAD_SEED,),
        )
        for dtype in ("float32", "float64")
        for op, oracle, allowed in (
            ("random_uniform", oracle_uniform, ulps(0)),
            ("random_normal", oracle_normal, _law),
            ("truncated_normal", oracle_truncated, _law),
        )
    ),
    *(
        Row("random_integers", oracle_integers, _random(_RANDOM_SHAPES, low=low, high=high), (_SEED,),
            dtypes=("int64",), large=_random(((300_007,),), low=low, high=high),
            refused=(((np.array([1, 2]),), {"shape": [2], "low": 3, "high": 3}, ValueError, "low < high"),))
        for low, high in ((0, 10), (-5, 6), (0, 2**62), (-(2**62), 2**62))
    ),
)  # fmt: skip
