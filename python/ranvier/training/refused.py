"""What is said of data that the engine refuses in the middle of an epoch: which layer, which row."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from ranvier.layers import Embedding

_LABEL = re.compile(r"sparse_categorical_crossentropy: label (-?\d+) is outside \[0, (\d+)\)")
_INDEX = re.compile(r"take: index (-?\d+) \(at position \d+\) is outside \[0, (\d+)\)")


def located(error: ValueError, model: Any, arrays: Sequence[np.ndarray]) -> ValueError:
    """The error of a step, with the layer and the row that it comes from where these can be told.

    Args:
        error: what the engine raised.
        model: the model that ran.
        arrays: the data that it ran on.
    """
    label = _LABEL.search(str(error))
    if label is not None:
        return ValueError(f"{error} {_advice_on_label(int(label[1]), int(label[2]))}")
    found = _INDEX.search(str(error))
    if found is None:
        return error
    index, size = int(found[1]), int(found[2])
    layers = [layer for layer in model._flatten_layers() if isinstance(layer, Embedding)]
    names = [f'"{layer.name}"' for layer in layers if layer.input_dim == size]
    if not names:
        return error
    given = index if index >= 0 else index - size  # indices below 0 count from the end
    limits = f"input_dim={size}, so its indices go from 0 to {size - 1}"
    rows = [int(np.argwhere(array == given)[0, 0]) for array in arrays if np.any(array == given)]
    row = f" in row {rows[0]} of the data" if rows else ""
    return ValueError(
        f"Layer {' or '.join(names)} (Embedding) has {limits}. Received: {given}{row}. Make `input_dim` "
        "larger than the largest index."
    )


def _advice_on_label(label: int, classes: int) -> str:
    """What to do about a class number that a crossentropy refuses."""
    if classes == 1:
        return "For two classes and one unit use 'binary_crossentropy' and a sigmoid."
    if label < 0:
        return "Class numbers count from 0; labels of -1 and 1 become `(y + 1) // 2`."
    return (
        "Class numbers count from 0: take 1 from labels that begin at 1, or make the last layer one of "
        f"{label + 1} units. Other numbers become 0, 1, 2, ... with `np.unique(y, return_inverse=True)[1]`."
    )
