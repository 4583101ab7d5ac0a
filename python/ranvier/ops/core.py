"""`keras.ops`'s core operations: conversion between tensors, arrays and dtypes, and inspection."""

from __future__ import annotations

from typing import Any

import numpy as np

from ranvier.core import dtypes
from ranvier.core.keras_tensor import KerasTensor
from ranvier.core.tensor import Tensor
from ranvier.core.variable import Variable
from ranvier.ops._common import Value, cast_to, dtype_of, operand
from ranvier.ops._emit import emit
from ranvier.ops.elementwise import clip
from ranvier.ops.layout import rearrange
from ranvier.ops.scatter import scatter, scatter_update, slice_update
from ranvier.ops.shaping import slice, unstack

__all__ = [
    "array",
    "cast",
    "convert_to_numpy",
    "convert_to_tensor",
    "dtype",
    "is_tensor",
    "rearrange",
    "saturate_cast",
    "scatter",
    "scatter_update",
    "shape",
    "slice",
    "slice_update",
    "stop_gradient",
    "unstack",
]


def shape(x: Any) -> tuple[int, ...]:
    """x's shape: a tuple of Python ints."""
    return tuple(x.shape) if hasattr(x, "shape") else tuple(operand(x).shape)


def dtype(x: Any) -> str:
    """x's dtype by name; of Python numbers, the one that they would be converted to."""
    return str(x.dtype if isinstance(x, KerasTensor) else operand(x).dtype)


def is_tensor(x: Any) -> bool:
    """Whether x is a value that ops return: a tensor of a graph, or an array. Variables are not."""
    return isinstance(x, (Tensor, np.ndarray))


def cast(x: Any, dtype: Any) -> Value:
    """x in another dtype.

    Floats become integers by cutting off the fraction; what does not fit becomes the nearest limit, and NaN
    0. Integers that do not fit a narrower type keep their low bits. To "bool": whether it is not zero. The
    gradient passes between float dtypes and stops at others.

    Args:
        x: a tensor.
        dtype: the dtype.

    Raises:
        ValueError: for an unknown dtype.
    """
    return cast_to(operand(x), dtypes.standardize_dtype(dtype))


def saturate_cast(x: Any, dtype: Any) -> Value:
    """x in another dtype, values that do not fit becoming the nearest limit; as "bool", what is above 0.

    Raises:
        ValueError: for an unknown dtype.
    """
    value, name = operand(x), dtypes.standardize_dtype(dtype)
    if value.dtype != "bool":
        (low, high), (least, most) = _limits(dtype_of(value)), _limits(name)
        value = cast_to(clip(value, max(low, least), min(high, most)), dtype_of(value))
    return cast_to(value, name)


def _limits(dtype: str) -> tuple[Any, Any]:
    """The least and the largest number of a dtype."""
    if dtype == "bool":
        return 0, 1
    if dtype in dtypes.FLOAT_DTYPES:
        return float(np.finfo(dtype).min), float(np.finfo(dtype).max)
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)


def convert_to_tensor(
    x: Any, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None
) -> Value:
    """x as a value that ops work on.

    Args:
        x: a tensor, variable, array, number, or nested sequences of these.
        dtype: the dtype; None: x's own, of Python numbers `floatx()`, "int32" or "bool".
        sparse: must not be True; sparse tensors are not offered.
        ragged: must not be True; ragged tensors are not offered.

    Returns:
        A tensor if x is or holds one, else an array.

    Raises:
        TypeError: if x is not made of numbers.
        ValueError: if x is None, ragged, or of an unknown dtype.
    """
    if sparse or ragged:
        raise ValueError("Sparse and ragged tensors are not offered.")
    return operand(x, None if dtype is None else dtypes.standardize_dtype(dtype))


def array(x: Any, dtype: Any = None) -> Value:
    """The same as `convert_to_tensor` with a dtype alone."""
    return convert_to_tensor(x, dtype)


def convert_to_numpy(x: Any) -> np.ndarray:
    """x as a NumPy array of its own.

    Raises:
        TypeError: for a tensor of a step that is being traced, which has no value.
    """
    return np.array(operand(x.numpy() if isinstance(x, (Tensor, Variable)) else x))


def stop_gradient(variable: Any) -> Value:
    """The value itself, through which no gradient flows.

    Args:
        variable: a tensor or a variable.
    """
    return emit("stop_gradient", operand(variable))
