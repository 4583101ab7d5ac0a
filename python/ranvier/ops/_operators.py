"""Gives tensors and variables their operators, and NumPy's indexing."""

from __future__ import annotations

from typing import Any

import numpy as np

from ranvier.core import operators
from ranvier.core.keras_tensor import KerasTensor
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


_NAMES = (
    "add subtract multiply true_divide floor_divide mod power negative absolute matmul equal not_equal less "
    "less_equal greater greater_equal logical_and logical_or logical_xor logical_not bitwise_and bitwise_or "
    "bitwise_xor bitwise_not left_shift right_shift round array"
).split()


def give_operators(functions: Any) -> None:
    """Makes tensors' operators out of the functions of a module."""
    operators.bind({"getitem": _index} | {name: getattr(functions, name) for name in _NAMES})
