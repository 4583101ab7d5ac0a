"""Margin losses for classification.

The functions return one value per sample. The classes reduce these over the batch; their arguments
`reduction`, `name` and `dtype` are those of `Loss`.
"""

from __future__ import annotations

from typing import Any

from ranvier import ops
from ranvier.core.user_code import short_traceback
from ranvier.losses.loss import NamedLoss


def _signs(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Targets as -1 or 1. Targets that are all 0 or 1 are converted; others are taken as they are."""
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, dtype=y_pred.dtype)
    are_binary = ops.all(ops.logical_or(ops.equal(y_true, 0), ops.equal(y_true, 1)))
    return ops.where(are_binary, 2.0 * y_true - 1.0, y_true), y_pred


@short_traceback
def hinge(y_true: Any, y_pred: Any) -> Any:
    """`mean(max(1 - y_true * y_pred, 0))` over the last axis.

    Args:
        y_true: targets, -1 or 1. If all are 0 or 1, they are converted.
        y_pred: predictions of the same shape.
    """
    y_true, y_pred = _signs(y_true, y_pred)
    return ops.mean(ops.maximum(1.0 - y_true * y_pred, 0.0), axis=-1)


@short_traceback
def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """`mean(max(1 - y_true * y_pred, 0)^2)` over the last axis. Arguments: see `hinge`."""
    y_true, y_pred = _signs(y_true, y_pred)
    return ops.mean(ops.square(ops.maximum(1.0 - y_true * y_pred, 0.0)), axis=-1)


@short_traceback
def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """By how much the best wrong class comes within 1 of the right one: `max(wrong - right + 1, 0)`.

    Args:
        y_true: one-hot targets, shape (..., classes).
        y_pred: predictions of the same shape.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, dtype=y_pred.dtype)
    right = ops.sum(y_true * y_pred, axis=-1)
    wrong = ops.max((1.0 - y_true) * y_pred, axis=-1)
    return ops.maximum(wrong - right + 1.0, 0.0)


class Hinge(NamedLoss):
    """The mean of `max(1 - y_true * y_pred, 0)`. Arguments: see `Loss`."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(hinge, reduction, name, dtype)


class SquaredHinge(NamedLoss):
    """The mean of `max(1 - y_true * y_pred, 0)^2`. Arguments: see `Loss`."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "squared_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(squared_hinge, reduction, name, dtype)


class CategoricalHinge(NamedLoss):
    """The hinge over classes: see `categorical_hinge`. Arguments: see `Loss`."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(categorical_hinge, reduction, name, dtype)
