"""Arrays of labels and of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ranvier.core import arguments, dtypes
from ranvier.core.arguments import canonical_axis, integer, shown
from ranvier.core.user_code import short_traceback


@short_traceback
def to_categorical(x: Any, num_classes: int | None = None) -> np.ndarray:
    """Class numbers as one-hot rows.

    Args:
        x: integers from 0 to `num_classes - 1`, of any shape; a last axis of size 1 is dropped.
        num_classes: the number of classes; None: the greatest number plus 1.

    Returns:
        A float array of shape `x.shape + (num_classes,)`, float64 as in Keras.

    Raises:
        IndexError: if a number is negative or not below `num_classes`.
        MemoryError: if the rows do not fit into memory.
    """
    try:
        labels = np.array(x, dtype="int64")
    except OverflowError:
        raise ValueError(f"Class numbers must fit 64 bits. Received: {shown(x)}") from None
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels.reshape(labels.shape[:-1])
    if num_classes is None:
        num_classes = int(labels.max(initial=-1)) + 1
    num_classes = integer(num_classes, "num_classes")
    outside = labels[(labels < 0) | (labels >= num_classes)]
    if outside.size:
        raise IndexError(f"Class {outside.flat[0]} is out of range: there are {num_classes} classes, from 0.")
    dtypes.check_size((*labels.shape, num_classes), "float64")
    rows = np.zeros((labels.size, num_classes))  # never the identity matrix, which grows with the square
    rows[np.arange(labels.size), labels.reshape(-1)] = 1
    return rows.reshape(*labels.shape, num_classes)


@short_traceback
def normalize(x: Any, axis: int = -1, order: int = 2) -> np.ndarray:
    """Divides by the norm along an axis; vectors of norm 0 stay 0.

    Args:
        x: an array.
        axis: the axis.
        order: the order of the norm: 1, 2, ...

    Raises:
        ValueError: for an order that is not a positive integer.
    """
    order = arguments.plain(order)
    if not arguments.is_integer(order) or order < 1:
        raise ValueError(f"Argument `order` must be an int >= 1. Received: order={order!r}")
    array = np.asarray(x) if hasattr(x, "dtype") else dtypes.as_array(x)
    canonical_axis(axis, array.ndim)
    norm = np.linalg.norm(array, order, axis, keepdims=True)
    return np.asarray(array / np.where(norm == 0, 1, norm))
