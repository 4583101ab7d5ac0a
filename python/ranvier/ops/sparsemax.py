"""Sparsemax: the point of the simplex that is nearest, in which small scores become exact zeros."""

from __future__ import annotations

import math
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
from ranvier.ops.comparison import greater
from ranvier.ops.cumulative import cumsum
from ranvier.ops.elementwise import divide, subtract
from ranvier.ops.indexing import flip
from ranvier.ops.reductions import max, sum
from ranvier.ops.sorting import sort


def sparsemax(x: Any, axis: int = -1) -> Value:
    """`max(x - tau, 0)` with the tau for which it sums to 1 (Martins & Astudillo, 2016).

    tau is the largest of `(s_k - 1) / k`, s_k being the sum of the k largest elements; it is computed once
    more from the elements above it, through which its gradient goes.

    Args:
        x: a tensor.
        axis: the axis that sums to 1.

    Raises:
        ValueError: for an axis that is out of range.
    """
    value = as_float(x)
    place = canonical_axis(axis, value.ndim)
    rows = move_last(value, place)
    top = max(rows, -1, keepdims=True, initial=-math.inf)
    rows = subtract(rows, emit("stop_gradient", top))
    scores = emit("stop_gradient", rows)
    sums = cumsum(flip(sort(scores), -1), -1)
    counts = cast_to(np.arange(1, rows.shape[-1] + 1), dtype_of(value))
    threshold = max(divide(subtract(sums, 1), counts), -1, keepdims=True, initial=-math.inf)
    support = greater(scores, threshold)
    size = sum(cast_to(support, dtype_of(value)), -1, keepdims=True)
    tau = divide(subtract(sum(where3(support, rows, 0), -1, keepdims=True), 1), size)
    return move_from_last(emit("relu", subtract(rows, tau)), place)
