"""Gives tensors and variables their operators, and NumPy's basic indexing."""

from __future__ import annotations

from typing import Any

import numpy as np

from ranvier.core import operators
from ranvier.core.keras_tensor import KerasTensor
from ranvier.core.tensor import Tensor
from ranvier.core.user_code import user_line
from ranvier.ops import indexing
from ranvier.ops._common import operand
from ranvier.ops._emit import emit
from ranvier.ops._symbolic import symbolic


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
    if str(value.dtype) == "bool":
        raise TypeError(
            f"{user_line()}: A boolean index would give a tensor whose shape depends on its numbers, and "
            "shapes are fixed when a step is traced. Use `ops.where(condition, x, 0)`, or weights of 0 and 1."
        )
    if "int" not in str(value.dtype):
        raise TypeError(
            "Indices must be integers, slices, None, '...' or integer arrays. "
            f"Received: {type(k).__name__} of dtype {value.dtype}"
        )
    return value


def get_item(x: Any, key: Any) -> Any:
    """`x[key]` as an operation; a key that was read from a config is a list and stands for a tuple."""
    return getitem(x, tuple(key) if isinstance(key, list) else key)


_get_item = symbolic(get_item, "numpy")  # type: ignore[arg-type]


def _index(x: Any, key: Any) -> Any:
    if isinstance(x, KerasTensor):
        return _get_item(x, np.asarray(key) if isinstance(key, list) else key)
    return getitem(x, key)


_NAMES = (
    "add subtract multiply true_divide floor_divide mod power negative absolute matmul equal not_equal less "
    "less_equal greater greater_equal logical_and logical_or logical_xor logical_not round"
).split()


def give_operators(functions: Any) -> None:
    """Makes tensors' operators out of the functions of a module."""
    operators.bind({"getitem": _index} | {name: getattr(functions, name) for name in _NAMES})
