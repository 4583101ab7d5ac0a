"""Sparsemax: the point of the simplex that is nearest, in which small scores become exact zeros."""

from __future__ import annotations

from typing import Any

import numpy as np

from ranvier.ops._common import (
    Value,
    as_float,
    canonical_axis,
    cast_to,
    dtype_of,
    move_from_last,
    move_last,
    where3,
)
from ranvier.ops._emit import emit
from ranvier.ops.comparison import greater, greater_equal
from ranvier.ops.elementwise import add, divide, subtract
from ranvier.ops.reductions import max, sum


def sparsemax(x: Any, axis: int = -1) -> Value:
    """`max(x - tau, 0)` with the tau for which it sums to 1 (Martins & Astudillo, 2016).

    tau is found by halving an interval to the dtype's precision, then computed from the elements above it.

    Args:
        x: a tensor.
        axis: the axis that sums to 1.

    Raises:
        ValueError: for an axis that is empty or out of range.
    """
    value = as_float(x)
    place = canonical_axis(axis, value.ndim)
    rows = move_last(value, place)
    rows = subtract(rows, emit("stop_gradient", max(rows, -1, keepdims=True)))
    scores = emit("stop_gradient", rows)
    # The sum of max(x - tau, 0) falls from at least 1 at tau = -1 to 0 at the maximum, 0.
    low = cast_to(np.full((1,) * value.ndim, -1.0), dtype_of(value))
    low = emit("broadcast_to", low, shape=(*rows.shape[:-1], 1))
    for k in range(1, int(np.finfo(dtype_of(value)).nmant) + 3):
        middle = add(low, 2.0**-k)
        excess = sum(emit("relu", subtract(scores, middle)), -1, keepdims=True)
        low = where3(greater_equal(excess, 1), middle, low)
    support = greater(scores, low)
    size = sum(cast_to(support, dtype_of(value)), -1, keepdims=True)
    tau = divide(subtract(sum(where3(support, rows, 0), -1, keepdims=True), 1), size)
    return move_from_last(emit("relu", subtract(rows, tau)), place)
