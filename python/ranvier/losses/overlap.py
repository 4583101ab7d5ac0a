"""Losses of overlap, for masks of segmentation: one minus a ratio of sums.

The arguments `reduction`, `name` and `dtype` of the classes are those of `Loss`.
"""

from __future__ import annotations

from typing import Any

from ranvier import ops
from ranvier.core import dtypes
from ranvier.core.arguments import number
from ranvier.core.user_code import short_traceback
from ranvier.losses.loss import NamedLoss
from ranvier.losses.regression import match


@short_traceback
def dice(y_true: Any, y_pred: Any, axis: Any = None) -> Any:
    """`1 - 2 |both| / (|y_true| + |y_pred|)`: 0 for equal masks, 1 for empty ones (Dice, 1945).

    Args:
        y_true: targets in [0, 1].
        y_pred: predictions in [0, 1], of the same shape.
        axis: the axes of a mask; None: all axes, the batch included.

    Returns:
        The shape without these axes.
    """
    y_true, y_pred = match(y_true, y_pred)
    both = ops.sum(y_true * y_pred, axis=axis)
    total = ops.sum(y_true, axis=axis) + ops.sum(y_pred, axis=axis)
    return 1.0 - 2.0 * both / (total + dtypes.epsilon())


@short_traceback
def tversky(y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Any = None) -> Any:
    """`1 - tp / (tp + alpha * fn + beta * fp)` (Salehi et al., 2017); the Dice loss for 0.5 and 0.5.

    Args:
        y_true: targets in [0, 1].
        y_pred: predictions in [0, 1], of the same shape.
        alpha: how much false negatives count.
        beta: how much false positives count.
        axis: the axes of a mask; None: all axes, the batch included.

    Returns:
        The shape without these axes.
    """
    y_true, y_pred = match(y_true, y_pred)
    alpha, beta = number(alpha, "alpha"), number(beta, "beta")
    both = ops.sum(y_true * y_pred, axis=axis)
    missed = ops.sum(y_true * (1.0 - y_pred), axis=axis)
    wrong = ops.sum((1.0 - y_true) * y_pred, axis=axis)
    total = both + alpha * missed + beta * wrong
    return 1.0 - both / (total + dtypes.epsilon())


class Dice(NamedLoss):
    """The Dice loss. Arguments: see `dice` and `Loss`."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "dice",
        axis: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dice, reduction, name, dtype, axis=axis)


class Tversky(NamedLoss):
    """The Tversky loss. Arguments: see `tversky` and `Loss`."""

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(tversky, reduction, name, dtype, alpha=alpha, beta=beta, axis=axis)
