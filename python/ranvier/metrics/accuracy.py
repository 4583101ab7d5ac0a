"""Accuracies: how often the predicted class is the right one.

The functions return one value per sample, 1 or 0 in `floatx()`. The classes average these; their
arguments `name` and `dtype` are those of `Metric`.
"""

from __future__ import annotations

from typing import Any

from ranvier import ops
from ranvier.core import dtypes
from ranvier.core.arguments import canonical_axis
from ranvier.core.user_code import short_traceback
from ranvier.losses.regression import match
from ranvier.metrics.reduction import NamedMetric


def accuracy(y_true: Any, y_pred: Any) -> Any:
    """Whether each element of `y_pred` equals that of `y_true`: 1 or 0."""
    y_true, y_pred = match(y_true, y_pred)
    return ops.cast(ops.equal(y_true, y_pred), dtypes.floatx())


@short_traceback
def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """Whether each prediction is on the target's side of a threshold.

    Args:
        y_true: targets, 0 or 1.
        y_pred: predicted probabilities of the same shape.
        threshold: predictions above it count as 1.

    Returns:
        1 or 0 for every element.
    """
    y_true, y_pred = match(y_true, y_pred)
    predicted = ops.cast(ops.greater(y_pred, threshold), y_true.dtype)
    return ops.cast(ops.equal(y_true, predicted), dtypes.floatx())


@short_traceback
def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """Whether the largest prediction is at the largest target.

    Args:
        y_true: one-hot targets, shape (..., classes).
        y_pred: predictions of the same shape.

    Returns:
        1 or 0, shape (...).
    """
    return _matches(ops.argmax(y_true, axis=-1), y_pred)


@short_traceback
def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """Whether the largest prediction is at the target.

    Args:
        y_true: class numbers, shape (...) or (..., 1).
        y_pred: predictions, shape (..., classes).

    Returns:
        1 or 0, shape (...).
    """
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    return _matches(_without_class_axis(y_true, y_pred), y_pred)


@short_traceback
def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """Whether the largest target is among the `k` largest predictions.

    Args:
        y_true: one-hot targets, shape (..., classes).
        y_pred: predictions of the same shape.
        k: how many predictions count. Equal predictions count together.

    Returns:
        1 or 0, shape (...).
    """
    return _among_top(ops.argmax(y_true, axis=-1), ops.convert_to_tensor(y_pred), k)


@short_traceback
def sparse_top_k_categorical_accuracy(
    y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False
) -> Any:
    """Whether the target is among the `k` largest predictions.

    Args:
        y_true: class numbers, shape (...) or (..., 1).
        y_pred: predictions, shape (..., classes); or class numbers, best first, with `from_sorted_ids`.
        k: how many predictions count. Equal predictions count together.
        from_sorted_ids: whether `y_pred` holds class numbers.

    Returns:
        1 or 0, shape (...).
    """
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    y_true = _without_class_axis(y_true, y_pred)
    if not from_sorted_ids:
        return _among_top(y_true, y_pred, k)
    hits = ops.equal(ops.expand_dims(ops.cast(y_true, y_pred.dtype), axis=-1), y_pred[..., :k])
    return ops.cast(ops.any(hits, axis=-1), dtypes.floatx())


def _without_class_axis(y_true: Any, y_pred: Any) -> Any:
    canonical_axis(-1, len(y_pred.shape))
    same_rank = len(y_true.shape) == len(y_pred.shape)
    return ops.squeeze(y_true, axis=-1) if same_rank and y_true.shape[-1] == 1 else y_true


def _matches(classes: Any, y_pred: Any) -> Any:
    predicted = ops.argmax(y_pred, axis=-1)
    if dtypes.standardize_dtype(classes.dtype) in ("bool", "int8", "uint8", "int16", "uint16"):
        classes = ops.cast(classes, "int32")  # a class number need not fit in the targets' dtype
    return ops.cast(ops.equal(classes, ops.cast(predicted, classes.dtype)), dtypes.floatx())


def _among_top(classes: Any, y_pred: Any, k: int) -> Any:
    return ops.cast(ops.in_top_k(ops.cast(classes, "int32"), y_pred, k), dtypes.floatx())


class Accuracy(NamedMetric):
    """How often predictions equal targets. Arguments: see `Metric`."""

    def __init__(self, name: str | None = "accuracy", dtype: Any = None) -> None:
        super().__init__(accuracy, name, dtype)


class BinaryAccuracy(NamedMetric):
    """How often predictions are on the target's side of `threshold`. Other arguments: see `Metric`."""

    def __init__(
        self, name: str | None = "binary_accuracy", dtype: Any = None, threshold: float = 0.5
    ) -> None:
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)


class CategoricalAccuracy(NamedMetric):
    """How often the largest prediction is at the one-hot target. Arguments: see `Metric`."""

    def __init__(self, name: str | None = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(NamedMetric):
    """How often the largest prediction is at the class number. Arguments: see `Metric`."""

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(sparse_categorical_accuracy, name, dtype)


class TopKCategoricalAccuracy(NamedMetric):
    """How often the one-hot target is among the `k` largest predictions."""

    def __init__(
        self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: Any = None
    ) -> None:
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)


class SparseTopKCategoricalAccuracy(NamedMetric):
    """How often the class number is among the `k` largest predictions; see the function."""

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids)
