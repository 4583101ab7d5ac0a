"""Order statistics, histograms, correlation.

`axis` is an axis, a sequence of axes, or None for all; `keepdims` leaves the reduced axes in place with size
1.
"""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from ranvier.core.arguments import integer
from ranvier.core.tensor import Tensor
from ranvier.core.unknown_size import agree
from ranvier.ops._common import (
    Value,
    as_float,
    canonical_axes,
    cast_to,
    dtype_of,
    operand,
    promote,
    reshape_to,
    size_of,
    transpose_to,
    where3,
)
from ranvier.ops._emit import emit
from ranvier.ops.comparison import equal, greater_equal, less_equal, logical_and
from ranvier.ops.creation import linspace
from ranvier.ops.elementwise import (
    add,
    ceil,
    clip,
    divide,
    floor,
    isnan,
    log10,
    maximum,
    minimum,
    multiply,
    sqrt,
    square,
    subtract,
)
from ranvier.ops.indexing import diagonal, take, take_along_axis
from ranvier.ops.products import matmul
from ranvier.ops.reductions import any, count_nonzero, max, mean, min
from ranvier.ops.scatter import segment_sum
from ranvier.ops.shaping import concatenate, expand_dims, moveaxis, transpose
from ranvier.ops.sorting import searchsorted, sort

_METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def quantile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Value:
    """The values below which a share q of the elements lies; a float.

    Args:
        x: a tensor.
        q: the share, a number or a 1-D tensor of them in [0, 1]; others count as the nearest of these.
        axis: the axes to reduce; None: all.
        method: what counts between two elements: "linear" interpolates, "lower" and "higher" take one of
            them, "midpoint" their mean, "nearest" the nearer one (halfway, the lower).
        keepdims: whether the axes stay, with size 1.

    Returns:
        A tensor of the reduced shape, with a first axis for the shares if q is 1-D; NaN where an element is.

    Raises:
        ValueError: for another method, or q of more than one axis.
    """
    return _quantile(x, q, 1.0, axis, method, keepdims)


def _quantile(x: Any, q: Any, whole: float, axis: Any, method: str, keepdims: bool) -> Value:
    values, count = _sorted_last(as_float(x), axis)
    found = _between(values, count, _shares(q, values, whole), method)
    found = where3(any(isnan(values), -1), np.asarray(np.nan, dtype_of(values)), found)
    return _restored(found, operand(x), axis, keepdims)


def _shares(q: Any, values: Value, whole: float) -> Value:
    shares = operand(q, dtype_of(values))
    if shares.ndim > 1:
        raise ValueError(f"q must have at most 1 axis, got shape {tuple(shares.shape)}.")
    return shares if whole == 1.0 else divide(shares, whole)


def _sorted_last(value: Value, axis: Any) -> tuple[Value, int]:
    """The reduced axes as one last axis, sorted, and its length."""
    axes = canonical_axes(axis, value.ndim)
    rest = [i for i in range(value.ndim) if i not in axes]
    count = size_of(value.shape[i] for i in axes)
    if count == 0:
        raise ValueError(f"An empty axis has no quantiles: axis={axis}, shape {tuple(value.shape)}.")
    moved = transpose_to(value, [*rest, *axes])
    return sort(reshape_to(moved, [*(value.shape[i] for i in rest), count])), count


def _between(values: Value, count: Any, shares: Value, method: str) -> Value:
    """The elements at a share of the way along the last axis, of which the first `count` count."""
    if method not in _METHODS:
        raise ValueError(f"method must be one of {_METHODS}, got {method!r}.")
    dtype = dtype_of(values)
    lead = tuple(values.shape[:-1])
    wide = reshape_to(shares, (*shares.shape, *([1] * len(lead))))
    last = cast_to(operand(subtract(count, 1)), dtype)
    place = clip(multiply(wide, last), 0, last)
    place = emit("broadcast_to", place, shape=(*shares.shape, *lead))
    low, high = floor(place), ceil(place)
    if method == "nearest":
        low = high = ceil(subtract(place, 0.5))
    weight = subtract(place, low)
    lower, upper = (_at(values, index) for index in (low, high))
    if method in ("lower", "nearest"):
        return lower
    if method == "higher":
        return upper
    if method == "midpoint":
        return multiply(0.5, add(lower, upper))
    # In this form two equal ends give themselves.
    mixed = add(multiply(lower, subtract(1.0, weight)), multiply(upper, weight))
    return where3(equal(low, high), lower, mixed)


def _at(values: Value, places: Value) -> Value:
    """values[..., places[..., ...]]: the shares' axis of `places`, if any, comes first."""
    indices = cast_to(places, "int32")
    if indices.ndim == values.ndim:  # with an axis of shares
        return moveaxis(take_along_axis(values, moveaxis(indices, 0, -1), -1), -1, 0)
    found = take_along_axis(values, expand_dims(indices, -1), -1)
    return reshape_to(found, indices.shape)


def _restored(found: Value, value: Value, axis: Any, keepdims: bool) -> Value:
    if not keepdims:
        return found
    axes = canonical_axes(axis, value.ndim)
    lead = found.shape[: found.ndim - (value.ndim - len(axes))]
    return reshape_to(found, [*lead, *(1 if i in axes else dim for i, dim in enumerate(value.shape))])


def percentile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Value:
    """`quantile` with q in per cent; arguments as there."""
    return _quantile(x, q, 100.0, axis, method, keepdims)


def median(x: Any, axis: Any = None, keepdims: bool = False) -> Value:
    """The middle element, of an even number the mean of the two; a float. NaN where an element is NaN."""
    return quantile(x, 0.5, axis, "midpoint", keepdims)


def nanquantile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Value:
    """`quantile` of the elements that are not NaN; NaN where there is none. Arguments as there."""
    return _nan_quantile(x, q, 1.0, axis, method, keepdims)


def _nan_quantile(x: Any, q: Any, whole: float, axis: Any, method: str, keepdims: bool) -> Value:
    values, length = _sorted_last(as_float(x), axis)  # NaN stands last
    count = subtract(length, count_nonzero(isnan(values), -1))
    found = _between(values, count, _shares(q, values, whole), method)
    return _restored(found, operand(x), axis, keepdims)


def nanpercentile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Value:
    """`nanquantile` with q in per cent; arguments as for `quantile`."""
    return _nan_quantile(x, q, 100.0, axis, method, keepdims)


def nanmedian(x: Any, axis: Any = None, keepdims: bool = False) -> Value:
    """`median` of the elements that are not NaN; NaN where there is none."""
    return nanquantile(x, 0.5, axis, "midpoint", keepdims)


# --- histograms ---


def bincount(x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False) -> Value:
    """How often each number 0, 1, ... occurs, or the sum of its weights.

    Args:
        x: integers, 1-D; negative ones count as 0.
        weights: of x's shape; None: each counts 1, and the result is int32.
        minlength: the least length of the result. Inside a trace it is the length, which must be given, and
            larger numbers do not count.
        sparse: must be False; sparse tensors are not offered.

    Raises:
        ValueError: if x is not 1-D, the weights do not fit, or `minlength` is missing in a trace.
    """
    if sparse:
        raise ValueError("bincount: sparse=True is not offered.")
    numbers = maximum(operand(x), 0)
    if numbers.ndim != 1:
        raise ValueError(f"bincount: expected a 1-D tensor, got shape {tuple(numbers.shape)}.")
    length = integer(minlength, "minlength")
    if not isinstance(numbers, Tensor):
        length = builtins.max(length, int(np.max(numbers)) + 1 if numbers.size else 0)
    elif length == 0:
        raise ValueError(
            "bincount: the result's length depends on values, which are not known while a graph is built: "
            "give `minlength`."
        )
    amounts = np.ones(numbers.shape, "int32") if weights is None else operand(weights)
    if not agree(amounts.shape, numbers.shape):
        raise ValueError(f"bincount: weights of shape {amounts.shape} do not fit x of shape {numbers.shape}.")
    return segment_sum(amounts, numbers, num_segments=length)


def histogram(x: Any, bins: int = 10, range: Any = None) -> tuple[Value, Value]:
    """How many elements fall into each of equal bins, and the bins' edges.

    Args:
        x: a 1-D tensor.
        bins: the number of bins.
        range: (lowest, highest) edge; None: the smallest and the largest element. If they are equal, they
            are moved apart by 1. Elements outside do not count; the highest edge belongs to the last bin.

    Returns:
        (counts, edges): floats [bins] and [bins + 1].

    Raises:
        TypeError: if `bins` is not an int.
        ValueError: if x is not 1-D, `bins` not positive, or `range` decreasing.
    """
    if not isinstance(bins, (int, np.integer)) or isinstance(bins, bool):
        raise TypeError(f"Argument `bins` must be of type `int`. Received: bins={bins!r}")
    if bins <= 0:
        raise ValueError(f"Argument `bins` should be a positive integer. Received: bins={bins!r}")
    value = as_float(x)
    if value.ndim != 1:
        raise ValueError(f"Input tensor must be 1-dimensional. Received: input.shape={tuple(value.shape)}")
    dtype = dtype_of(value)
    if range is not None:
        if len(range) != 2 or not range[0] <= range[1]:
            raise ValueError(
                f"Argument `range` must be (lowest, highest), lowest <= highest. Received: {range}"
            )
        half = 0.5 if range[0] == range[1] else 0.0
        edges: Value = linspace(range[0] - half, range[1] + half, bins + 1, dtype=dtype)
    elif value.shape[0] == 0:
        edges = linspace(0.0, 1.0, bins + 1, dtype=dtype)
    else:
        edges = _equal_bins(value, bins)
    last = take(edges, bins)
    inside = logical_and(greater_equal(value, take(edges, 0)), less_equal(value, last))
    number = minimum(subtract(searchsorted(edges, value, side="right"), 1), bins - 1)
    counts = segment_sum(cast_to(inside, "int32"), where3(inside, number, 0), num_segments=bins)
    return cast_to(counts, dtype), edges


def _equal_bins(value: Value, bins: int) -> Value:
    """Edges from the smallest to the largest element; one apart if they are equal."""
    low, high = min(value), max(value)
    is_one = equal(low, high)
    low, high = where3(is_one, subtract(low, 0.5), low), where3(is_one, add(high, 0.5), high)
    steps = linspace(0.0, 1.0, bins + 1, dtype=dtype_of(value))
    edges = add(multiply(low, subtract(1.0, steps)), multiply(high, steps))
    return concatenate([edges[:bins], reshape_to(high, (1,))])


# --- correlation ---


def corrcoef(x: Any) -> Value:
    """Pearson's correlation coefficients of the rows of a matrix: [rows, rows], each within [-1, 1]; a float.

    Args:
        x: [variables, observations]; of a single variable, and of a 1-D tensor, the result is a scalar.

    Raises:
        ValueError: for more than two axes.
    """
    value = as_float(x)
    if value.ndim > 2:
        raise ValueError(f"corrcoef: expected at most 2 axes, got shape {tuple(value.shape)}.")
    rows = reshape_to(value, (1, value.shape[0])) if value.ndim == 1 else value
    centred = subtract(rows, mean(rows, -1, True))
    products = matmul(centred, transpose(centred))
    spread = sqrt(diagonal(products))
    result = clip(divide(divide(products, expand_dims(spread, 1)), expand_dims(spread, 0)), -1, 1)
    return reshape_to(result, ()) if rows.shape[0] == 1 else result


def correlate(x1: Any, x2: Any, mode: str = "valid") -> Value:
    """The sums of x1[n + k] x2[n] over n, for each shift k; a float.

    Args:
        x1: a 1-D tensor.
        x2: a 1-D tensor.
        mode: "valid": the shifts at which one lies within the other; "same": as many as the longer one has
            elements, from the middle; "full": all at which they meet.

    Raises:
        ValueError: for another mode, or tensors that are not 1-D or are empty.
    """
    (first, second), _ = promote(x1, x2, with_types=(float,))
    if first.ndim != 1 or second.ndim != 1 or 0 in (*first.shape, *second.shape):
        raise ValueError(
            "correlate: expected two 1-D tensors that are not empty, got shapes "
            f"{tuple(first.shape)} and {tuple(second.shape)}."
        )
    n, m = first.shape[0], second.shape[0]
    longer, shorter = builtins.max(n, m), builtins.min(n, m)
    spans = {
        "full": (0, n + m - 1),
        "valid": (shorter - 1, longer - shorter + 1),
        "same": (m - 1 - m // 2 if n >= m else n // 2, longer),
    }
    if mode not in spans:
        raise ValueError(f"correlate: expected mode 'valid', 'same' or 'full', got {mode!r}.")
    begin, count = spans[mode]
    border = np.zeros(m - 1, dtype_of(first))
    padded = concatenate([border, first, border])
    windows = take(padded, begin + np.arange(count)[:, None] + np.arange(m))
    return matmul(windows, second)


def psnr(x1: Any, x2: Any, max_val: Any) -> Value:
    """The peak signal-to-noise ratio in decibels, 20 log10(max_val) - 10 log10(mean((x1 - x2)^2)); a scalar.

    Args:
        x1: a tensor.
        x2: a tensor of its shape.
        max_val: the largest value that they can have.

    Raises:
        ValueError: if the shapes differ.
    """
    (first, second), _ = promote(x1, x2, with_types=(float,))
    if not agree(first.shape, second.shape):
        raise ValueError(
            f"Input shapes {tuple(first.shape)} and {tuple(second.shape)} must match for PSNR calculation."
        )
    peak = cast_to(operand(max_val), dtype_of(first))
    error = mean(square(subtract(first, second)))
    return subtract(multiply(20.0, log10(peak)), multiply(10.0, log10(error)))
