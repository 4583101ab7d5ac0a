"""Tensors made from shapes and numbers. Of plain numbers they are constants: arrays, in traces as outside."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ranvier.core import dtypes
from ranvier.core.arguments import integer, shown
from ranvier.core.tensor import Tensor
from ranvier.ops._common import Value, canonical_axis, cast_to, dtype_of, operand, promote, to_shape
from ranvier.ops._emit import emit
from ranvier.ops.comparison import less, logical_and, where
from ranvier.ops.elementwise import add, divide, exp, floor, isclose, log, multiply, round, subtract
from ranvier.ops.shaping import broadcast_to, concatenate, expand_dims, moveaxis


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Value:
    """A tensor whose elements are all `fill_value`.

    Args:
        shape: an int or a sequence of them.
        fill_value: a number, or a tensor that broadcasts to `shape`.
        dtype: the dtype; None: `floatx()`.

    Raises:
        ValueError: if a dimension is negative or the value does not broadcast.
        MemoryError: if it does not fit into memory.
    """
    name = dtypes.standardize_dtype(dtype)
    dims = to_shape(shape)
    dtypes.check_size(dims, name)
    if isinstance(fill_value, (bool, int, float)):
        if name in dtypes.INT_DTYPES and not isinstance(fill_value, float):
            fill_value = dtypes.as_array(fill_value, name)  # refuses what does not fit
        return np.full(dims, fill_value, name)
    return emit("broadcast_to", operand(fill_value, name), shape=dims)


def zeros(shape: Any, dtype: Any = None) -> Value:
    """Zeros of a shape; `dtype` None: `floatx()`."""
    return full(shape, 0, dtype)


def ones(shape: Any, dtype: Any = None) -> Value:
    """Ones of a shape; `dtype` None: `floatx()`."""
    return full(shape, 1, dtype)


def empty(shape: Any, dtype: Any = None) -> Value:
    """A tensor of a shape whose values are not promised; they are zeros here. `dtype` None: `floatx()`."""
    return full(shape, 0, dtype)


def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Value:
    """A tensor of x's shape whose elements are all `fill_value`; `dtype` None: x's."""
    value = operand(x)
    return full(value.shape, fill_value, value.dtype if dtype is None else dtype)


def zeros_like(x: Any, dtype: Any = None) -> Value:
    """Zeros of x's shape; `dtype` None: x's."""
    return full_like(x, 0, dtype)


def ones_like(x: Any, dtype: Any = None) -> Value:
    """Ones of x's shape; `dtype` None: x's."""
    return full_like(x, 1, dtype)


def empty_like(x: Any, dtype: Any = None) -> Value:
    """A tensor of x's shape whose values are not promised; they are zeros here. `dtype` None: x's."""
    return full_like(x, 0, dtype)


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Value:
    """The numbers start, start + step, ... before `stop`.

    Args:
        start: the first number; without `stop`, the end, and the first is 0.
        stop: the end, not included.
        step: the distance; None: 1.
        dtype: the dtype; None: "int32" for integers, `floatx()` if one of the three is a float.

    Raises:
        TypeError: for anything that is not a number.
        ValueError: if `step` is 0.
    """
    for name, value in (("start", start), ("stop", stop), ("step", step)):
        if isinstance(value, (np.ndarray, np.generic)) and (value.ndim or value.dtype.kind not in "biuf"):
            raise TypeError(f"`{name}` must be a number. Received: {name}={shown(value)}")
    if step is not None and step == 0:
        raise ValueError("arange: a `step` of 0 comes to no end.")
    if dtype is None:
        dtype = dtypes.result_type(*(dtypes.promotion_type(v) for v in (start, stop, step) if v is not None))
    if all(isinstance(v, (int, np.integer)) for v in (start, stop, step) if v is not None):
        first, end = (0, start) if stop is None else (start, stop)
        dtypes.check_size((max(0, (int(end) - int(first)) // int(step or 1)),), "int64")
    return np.arange(start, stop, 1 if step is None else step).astype(dtypes.standardize_dtype(dtype))


def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Evenly spaced numbers.

    Args:
        start: the first number, or an array of them.
        stop: the last number (not included unless `endpoint`), or an array of them.
        num: how many.
        endpoint: whether `stop` is the last of them.
        retstep: whether to return (numbers, step) instead of the numbers.
        dtype: the dtype; None: the promoted float dtype of `start` and `stop`.
        axis: where the new axis stands, if `start` or `stop` is an array.
    """
    name = _spaced_dtype(start, stop, dtype)
    count, first, last = integer(num, "num"), _double(start), _double(stop)
    dtypes.check_size((count,), "float64")
    axis = canonical_axis(axis, max(first.ndim, last.ndim) + 1)
    numbers, step = _spaced(first, last, count, endpoint, axis)
    if name in dtypes.INT_DTYPES:
        numbers = floor(numbers)
    return (cast_to(numbers, name), cast_to(step, name)) if retstep else cast_to(numbers, name)


def _spaced(first: Value, last: Value, num: int, endpoint: bool, axis: int) -> tuple[Value, Value]:
    """The numbers and their distance."""
    if isinstance(first, Tensor) or isinstance(last, Tensor):
        return _traced_linspace(first, last, num, endpoint, axis)
    numbers, step = np.linspace(first, last, num, endpoint=endpoint, retstep=True, axis=axis)
    return numbers, np.asarray(step)


def _spaced_dtype(start: Any, stop: Any, dtype: Any) -> str:
    if dtype is None:
        return dtypes.result_type(dtypes.promotion_type(start), dtypes.promotion_type(stop), float)
    return dtypes.standardize_dtype(dtype)


def _double(x: Any) -> Value:
    """x in float64, Python's numbers with all their digits."""
    value = operand(x)
    return cast_to(value, "float64") if isinstance(value, Tensor) else np.asarray(x, np.float64)


def _traced_linspace(first: Value, last: Value, num: int, endpoint: bool, axis: int) -> tuple[Value, Value]:
    """What NumPy computes, with the same bits."""
    if num < 0:
        raise ValueError(f"linspace: expected num >= 0, got num={num}.")
    distance = subtract(last, first)
    count = num - 1 if endpoint else num
    step = divide(distance, count) if count else multiply(distance, math.nan)
    line = np.arange(num, dtype=np.float64).reshape(num, *[1] * distance.ndim)
    numbers = add(multiply(line, step if count else distance), first)
    if endpoint and num > 1:
        end = emit("broadcast_to", last, shape=(1, *distance.shape))
        numbers = concatenate([numbers[:-1], end], 0)
    return moveaxis(numbers, 0, axis), step


def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10,
    dtype: Any = None,
    axis: int = 0,
) -> Value:
    """`base` to the power of evenly spaced exponents from `start` to `stop`; arguments as for `linspace`."""
    exponents = linspace(start, stop, num, endpoint, dtype="float64", axis=axis)
    return cast_to(emit("power", np.asarray(float(base)), exponents), _spaced_dtype(start, stop, dtype))


def geomspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Value:
    """Numbers from `start` to `stop` in equal ratios; arguments as for `linspace`.

    Raises:
        ValueError: if a number that is known is 0.
    """
    name = _spaced_dtype(start, stop, dtype)
    first, last = _double(start), _double(stop)
    if any(isinstance(end, np.ndarray) and not end.all() for end in (first, last)):
        raise ValueError("geomspace: a geometric sequence cannot include zero.")
    signs = where(logical_and(less(first, 0), less(last, 0)), -1.0, 1.0)
    exponents = linspace(log(multiply(first, signs)), log(multiply(last, signs)), num, endpoint, axis=axis)
    place = canonical_axis(axis, exponents.ndim)
    shape = tuple(dim for i, dim in enumerate(exponents.shape) if i != place)
    first, last, signs = (expand_dims(broadcast_to(v, shape), place) for v in (first, last, signs))
    numbers = multiply(exp(exponents), signs)
    # The ends are those given, to the last digit.
    index = np.arange(num).reshape([num if i == place else 1 for i in range(exponents.ndim)])
    numbers = where(index == 0, first, numbers)
    if endpoint and num > 1:
        numbers = where(index == num - 1, last, numbers)
    if name in dtypes.INT_DTYPES:
        # The logarithms' rounding must not make 9 of 10.
        numbers = where(isclose(numbers, round(numbers), 1e-12, 0.0), round(numbers), numbers)
    return cast_to(numbers, name)


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Value:
    """Ones on a diagonal, zeros elsewhere.

    Args:
        N: the number of rows.
        M: the number of columns; None: N.
        k: the diagonal; 0 is the main one, positive ones lie above it.
        dtype: the dtype; None: `floatx()`.

    Raises:
        TypeError: if a size is not an integer.
        MemoryError: if it does not fit into memory.
    """
    return _matrix(np.eye, N, M, k, dtype)


def _matrix(make: Any, rows: int, columns: int | None, k: int, dtype: Any) -> np.ndarray:
    name = dtypes.standardize_dtype(dtype)
    shape = (integer(rows, "N"), integer(rows if columns is None else columns, "M"))
    dtypes.check_size(shape, name)
    return make(*shape, _diagonal(k), dtype=name)


def _diagonal(k: Any) -> int:
    """A diagonal's number; all that lie outside of every matrix are alike."""
    return min(max(integer(k, "k"), -(2**62)), 2**62)


def identity(n: int, dtype: Any = None) -> Value:
    """The n x n identity matrix; `dtype` None: `floatx()`."""
    return eye(n, dtype=dtype)


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Value:
    """Ones on and below a diagonal, zeros above; arguments as for `eye`."""
    return _matrix(np.tri, N, M, k, dtype)


def _lower_mask(value: Value, k: int, name: str) -> np.ndarray:
    if value.ndim < 2:
        raise ValueError(f"{name}: expected at least 2 axes, got shape {value.shape}.")
    rows, columns = value.shape[-2:]
    if not rows or not columns:  # NumPy would count the rows of nothing
        return np.zeros((rows, columns), bool)
    return np.tri(rows, columns, _diagonal(k), dtype=bool)


def tril(x: Any, k: int = 0) -> Value:
    """x with the elements above diagonal `k` of its last two axes set to 0.

    Raises:
        ValueError: for fewer than 2 axes.
    """
    value = operand(x)
    return cast_to(where(_lower_mask(value, k, "tril"), value, 0), dtype_of(value))


def triu(x: Any, k: int = 0) -> Value:
    """x with the elements below diagonal `k` of its last two axes set to 0.

    Raises:
        ValueError: for fewer than 2 axes.
    """
    value = operand(x)
    return cast_to(where(_lower_mask(value, integer(k, "k") - 1, "triu"), 0, value), dtype_of(value))


def meshgrid(*x: Any, indexing: str = "xy") -> list[Value]:
    """The coordinates of a grid: for n 1-D tensors, n tensors of n axes.

    Args:
        *x: 1-D tensors (scalars count as one element).
        indexing: "xy": the first two axes are swapped, as in a picture; "ij": axis i belongs to tensor i.

    Raises:
        ValueError: for another `indexing`.
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f"Valid values for `indexing` are 'xy' and 'ij', but received {indexing}.")
    values = [operand(v) for v in x]
    count = len(values)
    places = list(range(count))
    if indexing == "xy" and count >= 2:
        places[:2] = [1, 0]
    sizes = [int(np.prod(value.shape, dtype=int)) for value in values]
    shape = tuple(sizes[places.index(axis)] for axis in range(count))
    grids = []
    for value, place, size in zip(values, places, sizes, strict=True):
        line = emit("reshape", value, shape=tuple(size if axis == place else 1 for axis in range(count)))
        grids.append(emit("broadcast_to", line, shape=shape))
    return grids


def vander(x: Any, N: int | None = None, increasing: bool = False) -> Value:
    """The Vandermonde matrix: row i holds the powers N-1, ..., 0 of x[i] (0, ..., N-1 if `increasing`).

    Args:
        x: a 1-D tensor.
        N: the number of columns; None: the length of x.
        increasing: the order of the powers.

    Raises:
        ValueError: if x is not 1-D.
    """
    (value,), dtype = promote(x)
    if value.ndim != 1:
        raise ValueError(f"vander: expected a 1-D tensor, got shape {value.shape}.")
    count = value.shape[0] if N is None else integer(N, "N")
    if count < 0:
        raise ValueError(f"vander: expected N >= 0, got N={N}.")
    if count > 1 << 16:
        raise ValueError(f"vander: {count} columns are too many; {1 << 16} is the most.")
    column = emit("reshape", value, shape=(value.shape[0], 1))
    power = emit("broadcast_to", np.ones((1, 1), dtype_of(value)), shape=(value.shape[0], 1))
    columns = []
    for _ in range(count):
        columns.append(power)
        power = emit("multiply", power, column)
    if not columns:
        return np.zeros((value.shape[0], 0), dtype)
    return cast_to(emit("concatenate", *(columns if increasing else columns[::-1]), axis=1), dtype)
