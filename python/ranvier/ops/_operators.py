"""Gives tensors and variables their operators, and NumPy's basic indexing."""

from __future__ import annotations

from typing import Any

import numpy as np

from ranvier.core import operators
from ranvier.core.tensor import Tensor
from ranvier.ops import comparison, elementwise, indexing, products
from ranvier.ops._common import operand
from ranvier.ops._emit import emit


def getitem(x: Any, key: Any) -> Any:
    """x[key] for integers, slices, `None`, `...`, and one integer array or tensor.

    Raises:
        IndexError: if an index is out of range, or there are more than the tensor has axes.
        TypeError: for other kinds of keys (boolean masks have no static shape: use `ops.where`).
    """
    x = operand(x)
    keys = _expand(key if isinstance(key, tuple) else (key,), len(x.shape))
    begin, size, stride, shape, gathers = [], [], [], [], []
    axis = 0
    for k in keys:
        if k is None:
            shape.append(1)
            continue
        dim = x.shape[axis]
        if isinstance(k, slice):
            start, stop, step = k.indices(dim)
            count = len(range(start, stop, step))
            begin.append(start if count else 0)
            size.append(count)
            stride.append(step)
            shape.append(count)
        elif isinstance(k, (int, np.integer)) and not isinstance(k, (bool, np.bool_)):
            if not -dim <= k < dim:
                raise IndexError(f"Index {k} is out of range for axis {axis} of shape {tuple(x.shape)}.")
            begin.append(int(k) % dim)
            size.append(1)
            stride.append(1)
        else:
            gathers.append((len(shape), _index_array(k)))
            begin.append(0)
            size.append(dim)
            stride.append(1)
            shape.append(dim)
        axis += 1
    if len(gathers) > 1:
        raise TypeError("At most one index may be an array or a tensor.")
    if size != list(x.shape) or any(s != 1 for s in stride):
        x = emit("slice", x, begin=begin, size=size, stride=stride)
    if shape != size:
        x = emit("reshape", x, shape=shape)
    return indexing.take(x, gathers[0][1], axis=gathers[0][0]) if gathers else x


def _expand(keys: tuple[Any, ...], ndim: int) -> list[Any]:
    """The keys with `...` written out, one for each axis."""
    used = sum(k is not None and k is not Ellipsis for k in keys)
    if used > ndim:
        raise IndexError(f"Too many indices: {used} for a tensor of {ndim} axes.")
    if sum(k is Ellipsis for k in keys) > 1:
        raise IndexError("An index can only have a single ellipsis ('...').")
    fill = [slice(None)] * (ndim - used)
    result: list[Any] = []
    for k in keys:
        result.extend(fill if k is Ellipsis else [k])
    return result if any(k is Ellipsis for k in keys) else [*result, *fill]


def _index_array(k: Any) -> Any:
    value = k if isinstance(k, Tensor) else np.asarray(k)
    if "int" not in str(value.dtype):
        raise TypeError(
            "Indices must be integers, slices, None, '...' or integer arrays. "
            f"Received: {type(k).__name__} of dtype {value.dtype}"
        )
    return value


operators.bind(
    {
        "add": elementwise.add,
        "subtract": elementwise.subtract,
        "multiply": elementwise.multiply,
        "true_divide": elementwise.true_divide,
        "floor_divide": elementwise.floor_divide,
        "mod": elementwise.mod,
        "power": elementwise.power,
        "negative": elementwise.negative,
        "absolute": elementwise.absolute,
        "matmul": products.matmul,
        "equal": comparison.equal,
        "not_equal": comparison.not_equal,
        "less": comparison.less,
        "less_equal": comparison.less_equal,
        "greater": comparison.greater,
        "greater_equal": comparison.greater_equal,
        "logical_and": comparison.logical_and,
        "logical_or": comparison.logical_or,
        "logical_xor": comparison.logical_xor,
        "logical_not": comparison.logical_not,
        "getitem": getitem,
    }
)
