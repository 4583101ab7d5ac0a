"""Correlations of targets and predictions along an axis, averaged over the others.

The arguments `name` and `dtype` of the classes are those of `Metric`.
"""

from __future__ import annotations

from typing import Any

from ranvier import ops
from ranvier.core import dtypes
from ranvier.core.user_code import short_traceback
from ranvier.losses.regression import match
from ranvier.metrics.reduction import NamedMetric


@short_traceback
def pearson_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """The covariance over the product of the standard deviations: 1 on a rising line, -1 on a falling one.

    Args:
        y_true: targets.
        y_pred: predictions of the same shape.
        axis: the axis of the values to correlate. Where all are equal the result is NaN.

    Returns:
        The shape without the axis.
    """
    y_true, y_pred = (_centred(y, axis) for y in match(y_true, y_pred))
    lengths = ops.sum(ops.square(y_true), axis=axis) * ops.sum(ops.square(y_pred), axis=axis)
    return ops.sum(y_true * y_pred, axis=axis) / ops.sqrt(lengths)


@short_traceback
def concordance_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Twice the covariance over the variances and the squared difference of the means (Lin, 1989).

    1 only where predictions equal targets: also shift and scale count.

    Args:
        y_true: targets.
        y_pred: predictions of the same shape.
        axis: the axis of the values to correlate.

    Returns:
        The shape without the axis.
    """
    y_true, y_pred = match(y_true, y_pred)
    shift = ops.mean(y_true, axis=axis) - ops.mean(y_pred, axis=axis)
    y_true, y_pred = _centred(y_true, axis), _centred(y_pred, axis)
    covariance = ops.mean(y_true * y_pred, axis=axis)
    variances = ops.mean(ops.square(y_true), axis=axis) + ops.mean(ops.square(y_pred), axis=axis)
    return 2.0 * covariance / (variances + ops.square(shift) + dtypes.epsilon())


def _centred(x: Any, axis: int) -> Any:
    return x - ops.mean(x, axis=axis, keepdims=True)


class PearsonCorrelation(NamedMetric):
    """The mean of `pearson_correlation`. The other arguments: see `Metric`."""

    def __init__(self, name: str | None = "pearson_correlation", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(pearson_correlation, name, dtype, axis=axis)


class ConcordanceCorrelation(NamedMetric):
    """The mean of `concordance_correlation`. The other arguments: see `Metric`."""

    def __init__(
        self, name: str | None = "concordance_correlation", dtype: Any = None, axis: int = -1
    ) -> None:
        super().__init__(concordance_correlation, name, dtype, axis=axis)
