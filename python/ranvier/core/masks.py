"""Masks: which timesteps of a tensor count. A tensor carries its mask from layer to layer.

Tensors of a trace and KerasTensors hold it in an attribute, as Keras's tensors do. NumPy's arrays take no
attributes: theirs stand in a table of weak references.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from ranvier.core import tree
from ranvier.core.tensor import Tensor

_of_arrays: dict[int, tuple[weakref.ref[np.ndarray], Any]] = {}


def get_mask(x: Any) -> Any:
    """The mask of a tensor, or None."""
    if type(x) is np.ndarray:
        entry = _of_arrays.get(id(x)) if _of_arrays else None
        return entry[1] if entry is not None and entry[0]() is x else None
    return getattr(x, "_keras_mask", None)


def set_mask(x: Any, mask: Any) -> None:
    """Gives a tensor a mask."""
    if type(x) is not np.ndarray:
        x._keras_mask = mask
        return
    key = id(x)

    def forget(reference: weakref.ref[np.ndarray]) -> None:
        entry = _of_arrays.get(key)
        if entry is not None and entry[0] is reference:
            del _of_arrays[key]

    _of_arrays[key] = (weakref.ref(x, forget), mask)


def masked(x: Any, mask: Any) -> Any:
    """The tensor with a mask, as an object of its own: who holds `x` holds it without."""
    if isinstance(x, Tensor):
        same = Tensor(x.trace, x.node)
        same.born = x.born
    else:
        same = x.view() if type(x) is np.ndarray else x.value
    set_mask(same, mask)
    return same


def masks_of(structure: Any) -> Any:
    """The masks of a nest of tensors, built like it; None if there is not a single one."""
    if not tree.is_nested(structure):
        return get_mask(structure)
    masks = tree.map_structure(get_mask, structure)
    return masks if any(mask is not None for mask in tree.flatten(masks)) else None
