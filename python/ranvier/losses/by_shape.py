"""Which classification problem the shapes of targets and predictions speak of, read as Keras reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ranvier.losses.crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)
from ranvier.losses.loss import Loss


def problem(y_true_shape: Sequence[Any], y_pred_shape: Sequence[Any]) -> str:
    """One output is "binary"; targets without a class axis are "sparse_categorical"; others "categorical".

    Args:
        y_true_shape: the shape of the targets, with the batch axis.
        y_pred_shape: the shape of the predictions, with the batch axis.
    """
    outputs = y_pred_shape[-1] if len(y_pred_shape) else 1
    if outputs == 1:
        return "binary"
    if len(y_true_shape) < len(y_pred_shape) or y_true_shape[-1] == 1:
        return "sparse_categorical"
    return "categorical"


def crossentropy_by_shape(y_true_shape: Sequence[Any], y_pred_shape: Sequence[Any], **kwargs: Any) -> Loss:
    """The cross-entropy that the loss names "crossentropy" and "ce" stand for.

    Args:
        y_true_shape: the shape of the targets, with the batch axis.
        y_pred_shape: the shape of the predictions, with the batch axis.
        **kwargs: arguments of the loss.
    """
    losses: dict[str, type[Loss]] = {
        "binary": BinaryCrossentropy,
        "sparse_categorical": SparseCategoricalCrossentropy,
        "categorical": CategoricalCrossentropy,
    }
    return losses[problem(y_true_shape, y_pred_shape)](**kwargs)
