"""Losses for continuous targets.

The functions map `y_true` and `y_pred` of the same shape (a last axis of size 1 may be missing in one of
them) to the mean over the last axis: one value per sample. The classes reduce these over the batch; their
arguments `reduction`, `name` and `dtype` are those of `Loss`.
"""

from __future__ import annotations

import math
from typing import Any

from ranvier import ops
from ranvier.core import dtypes
from ranvier.core.user_code import short_traceback
from ranvier.losses.loss import NamedLoss, squeeze_or_expand_to_same_rank


def match(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Targets and predictions as values of the predictions' dtype and of one rank."""
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, dtype=y_pred.dtype)
    return squeeze_or_expand_to_same_rank(y_true, y_pred)


@short_traceback
def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """`mean((y_true - y_pred)^2)` over the last axis."""
    y_true, y_pred = match(y_true, y_pred)
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


@short_traceback
def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """`mean(|y_true - y_pred|)` over the last axis."""
    y_true, y_pred = match(y_true, y_pred)
    return ops.mean(ops.abs(y_true - y_pred), axis=-1)


@short_traceback
def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """`100 * mean(|y_true - y_pred| / max(|y_true|, epsilon()))` over the last axis."""
    y_true, y_pred = match(y_true, y_pred)
    scale = ops.maximum(ops.abs(y_true), dtypes.epsilon())
    return 100.0 * ops.mean(ops.abs((y_true - y_pred) / scale), axis=-1)


@short_traceback
def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """`mean((log(y_true + 1) - log(y_pred + 1))^2)` over the last axis; values are raised to epsilon()."""
    y_true, y_pred = match(y_true, y_pred)
    log_true = ops.log(ops.maximum(y_true, dtypes.epsilon()) + 1.0)
    log_pred = ops.log(ops.maximum(y_pred, dtypes.epsilon()) + 1.0)
    return ops.mean(ops.square(log_true - log_pred), axis=-1)


@short_traceback
def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """Squared for small errors, linear for large ones (Huber, 1964).

    Args:
        y_true: targets.
        y_pred: predictions.
        delta: where it changes: with e = |y_true - y_pred|, the mean over the last axis of e^2 / 2 where
            e <= delta, and of delta * e - delta^2 / 2 elsewhere.
    """
    y_true, y_pred = match(y_true, y_pred)
    error = ops.abs(y_pred - y_true)
    values = ops.where(
        ops.less_equal(error, delta), 0.5 * ops.square(error), delta * error - 0.5 * delta * delta
    )
    return ops.mean(values, axis=-1)


@short_traceback
def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """`mean(log(cosh(y_pred - y_true)))` over the last axis, computed without overflow."""
    y_true, y_pred = match(y_true, y_pred)
    error = y_pred - y_true
    return ops.mean(error + ops.softplus(-2.0 * error) - math.log(2.0), axis=-1)


@short_traceback
def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Minus the cosine of the angle between targets and predictions: -1 where they point the same way.

    Args:
        y_true: targets.
        y_pred: predictions.
        axis: the axis along which they are vectors. A vector of zeros has the cosine 0.
    """
    y_true, y_pred = match(y_true, y_pred)
    return -ops.sum(unit(y_true, axis) * unit(y_pred, axis), axis=axis)


def unit(x: Any, axis: int) -> Any:
    """The vectors along `axis` scaled to length 1; shorter ones than epsilon() are divided by epsilon()."""
    # The limit on the reciprocal, not on the length, is Keras's; a zero vector's gradient is finite
    # either way.
    squares = ops.sum(ops.square(x), axis=axis, keepdims=True)
    return x * ops.minimum(ops.rsqrt(squares), 1.0 / dtypes.epsilon())


class MeanSquaredError(NamedLoss):
    """The mean of `(y_true - y_pred)^2`. Arguments: see `Loss`."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_squared_error, reduction, name, dtype)


class MeanAbsoluteError(NamedLoss):
    """The mean of `|y_true - y_pred|`. Arguments: see `Loss`."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_absolute_error, reduction, name, dtype)


class MeanAbsolutePercentageError(NamedLoss):
    """The mean of `100 * |y_true - y_pred| / |y_true|`. Arguments: see `Loss`."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_percentage_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_absolute_percentage_error, reduction, name, dtype)


class MeanSquaredLogarithmicError(NamedLoss):
    """The mean of `(log(y_true + 1) - log(y_pred + 1))^2`. Arguments: see `Loss`."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_squared_logarithmic_error, reduction, name, dtype)


class Huber(NamedLoss):
    """Squared for errors up to `delta`, linear beyond. Arguments: see `huber` and `Loss`."""

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(huber, reduction, name, dtype, delta=delta)


class LogCosh(NamedLoss):
    """The mean of `log(cosh(y_pred - y_true))`. Arguments: see `Loss`."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "log_cosh",
        dtype: Any = None,
    ) -> None:
        super().__init__(log_cosh, reduction, name, dtype)


class CosineSimilarity(NamedLoss):
    """Minus the cosine between targets and predictions along `axis`. The other arguments: see `Loss`."""

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: Any = None,
    ) -> None:
        super().__init__(cosine_similarity, reduction, name, dtype, axis=axis)
