"""Gives tensors and variables their operators and methods, NumPy's indexing and functions."""

from __future__ import annotations

from types import FunctionType
from typing import Any

import numpy as np

from ranvier.core import operators
from ranvier.core.keras_tensor import KerasTensor
from ranvier.ops._numpy_protocol import array_function, array_ufunc
from ranvier.ops._subscript import getitem
from ranvier.ops._symbolic import symbolic


def get_item(x: Any, key: Any) -> Any:
    """`x[key]` as an operation; a key that was read from a config is a list and stands for a tuple."""
    return getitem(x, tuple(key) if isinstance(key, list) else key)


_get_item = symbolic(get_item, "numpy")  # type: ignore[arg-type]


def _index(x: Any, key: Any) -> Any:
    if isinstance(x, KerasTensor):
        return _get_item(x, np.asarray(key) if isinstance(key, list) else key)
    return getitem(x, key)


def give_operators(ops: Any) -> None:
    """Makes tensors' operators and methods out of the functions of a module."""
    values = {name: value for name, value in vars(ops).items() if name[0] != "_"}
    public = {name: value for name, value in values.items() if isinstance(value, FunctionType)}
    operators.bind(public | {"getitem": _index, "array_function": array_function, "array_ufunc": array_ufunc})
