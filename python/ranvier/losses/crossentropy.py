"""Cross-entropies: losses for predicted probabilities, or for the logits these come from.

With `from_logits=False` probabilities are kept within [epsilon(), 1 - epsilon()] before the logarithm,
and the gradient outside is zero, as in Keras. In a trace, probabilities that came straight from
`activations.softmax` or `activations.sigmoid` are not exponentiated and logged again: the same value is
computed from their logits, which is faster and keeps its precision where a probability rounds to 1.

The functions return one value per sample. The classes reduce these over the batch; their arguments
`reduction`, `name` and `dtype` are those of `Loss`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ranvier import ops
from ranvier.core import dtypes
from ranvier.core.arguments import number
from ranvier.core.tensor import Tensor
from ranvier.core.user_code import short_traceback, warn
from ranvier.losses.loss import NamedLoss, takes_class_numbers
from ranvier.ops._common import canonical_axis


@short_traceback
def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """`mean(-y_true * log(y_pred) - (1 - y_true) * log(1 - y_pred))` over an axis.

    Args:
        y_true: targets in [0, 1].
        y_pred: predicted probabilities, or logits, of the same shape.
        from_logits: whether `y_pred` holds logits: numbers whose sigmoid is the probability.
        label_smoothing: in [0, 1]: how far targets are moved towards 1/2.
        axis: the axis of the mean.

    Raises:
        ValueError: if the shapes differ.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, dtype=y_pred.dtype)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    return ops.mean(_binary_values(y_true, y_pred, from_logits), axis=axis)


@short_traceback
def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """`-sum(y_true * log(y_pred))` over the class axis.

    Args:
        y_true: target probabilities: one-hot, usually.
        y_pred: predicted probabilities (scaled to a sum of 1), or logits, of the same shape.
        from_logits: whether `y_pred` holds logits: numbers whose softmax are the probabilities.
        label_smoothing: in [0, 1]: how far targets are moved towards 1 / classes.
        axis: the class axis.

    Raises:
        ValueError: if the shapes differ.

    Warns:
        SyntaxWarning: for predictions of one class only: their loss is always 0.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, dtype=y_pred.dtype)
    canonical_axis(axis, len(y_pred.shape))
    if y_pred.shape[axis] == 1:
        warn(
            "Loss categorical_crossentropy needs predictions of more than one class: their shape should be "
            f"(batch_size, num_classes) with num_classes > 1, but is {tuple(y_pred.shape)}. For two classes "
            "and one output use 'binary_crossentropy'.",
            SyntaxWarning,
        )
    if label_smoothing:
        canonical_axis(axis, len(y_true.shape))
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / (y_true.shape[axis] or 1)
    logits = None if from_logits else _logits(y_pred, "softmax", axis)
    if logits is None or y_true.shape != y_pred.shape:
        return ops.categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)
    low, high = _probability_limits(y_pred.dtype)
    log_p = ops.clip(ops.log_softmax(logits, axis=axis), float(np.log(low)), float(np.log(high)))
    return -ops.sum(y_true * log_p, axis=axis)


@takes_class_numbers
@short_traceback
def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Any:
    """`-log(y_pred[class])`.

    Args:
        y_true: class numbers from 0 to the number of classes - 1, of y_pred's shape without the class
            axis (or with a last axis of size 1).
        y_pred: predicted probabilities (scaled to a sum of 1), or logits.
        from_logits: whether `y_pred` holds logits.
        ignore_class: a class number that does not count: its loss is 0. It may lie outside the classes.
        axis: the class axis of `y_pred`.

    Raises:
        ValueError: if the shapes do not fit, or, when it runs, for a class number out of range.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    canonical_axis(-1, len(y_pred.shape))
    y_true = _class_numbers(y_true, y_pred)
    counts = None
    if ignore_class is not None:
        counts = ops.not_equal(y_true, ignore_class)
        y_true = ops.where(counts, y_true, 0)
    logits = None if from_logits else _logits(y_pred, "softmax", axis)
    if logits is None:
        values = ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)
    else:
        low, high = _probability_limits(y_pred.dtype)
        values = ops.sparse_categorical_crossentropy(y_true, logits, from_logits=True, axis=axis)
        values = ops.clip(values, -float(np.log(high)), -float(np.log(low)))
    return values if counts is None else ops.where(counts, values, 0.0)


@takes_class_numbers
@short_traceback
def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> Any:
    """`(1 - y_pred[class]^q) / q`, between cross-entropy (q near 0) and error (Zhang & Sabuncu, 2018).

    Args:
        y_true: class numbers, of y_pred's shape without the class axis (or with a last axis of size 1).
        y_pred: predicted probabilities, shape (..., classes).
        q: in (0, 1]; the larger, the less wrong labels count.

    Returns:
        One value per sample.

    Raises:
        ValueError: if the shapes do not fit, or, when it runs, for a class number out of range.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    canonical_axis(-1, len(y_pred.shape))
    y_true = _class_numbers(y_true, y_pred)
    if tuple(y_true.shape) != tuple(y_pred.shape)[:-1]:
        raise ValueError(
            f"Class numbers of shape {tuple(y_true.shape)} do not fit predictions of shape "
            f"{tuple(y_pred.shape)}."
        )
    # A negative number must not count from the end.
    index = ops.where(ops.less(y_true, 0), y_pred.shape[-1], y_true)
    p = ops.squeeze(ops.take_along_axis(y_pred, ops.expand_dims(index, axis=-1), axis=-1), axis=-1)
    return (1.0 - ops.power(p, q)) / q


@short_traceback
def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """The binary cross-entropy times `(1 - p)^gamma`, p the probability of the target (Lin et al., 2018).

    Args:
        y_true: targets in [0, 1].
        y_pred: predicted probabilities, or logits, of the same shape.
        apply_class_balancing: whether the classes 1 and 0 are weighted with `alpha` and `1 - alpha`.
        alpha: the weight of class 1.
        gamma: how much easy samples are discounted.
        from_logits: whether `y_pred` holds logits.
        label_smoothing: in [0, 1]: how far targets are moved towards 1/2.
        axis: the axis of the mean.

    Raises:
        TypeError: if `alpha` is needed and no number.
        ValueError: if the shapes differ.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, dtype=y_pred.dtype)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    if from_logits:
        y_pred = ops.sigmoid(y_pred)
    values = _binary_values(y_true, y_pred, from_logits=False)
    p = y_true * y_pred + (1.0 - y_true) * (1.0 - y_pred)
    values = ops.power(1.0 - p, gamma) * values
    if apply_class_balancing:
        alpha = number(alpha, "alpha")
        values = (y_true * alpha + (1.0 - y_true) * (1.0 - alpha)) * values
    return ops.mean(values, axis=axis)


@short_traceback
def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """`-sum(alpha * (1 - y_pred)^gamma * y_true * log(y_pred))` over the class axis (Lin et al., 2018).

    Args:
        y_true: target probabilities: one-hot, usually.
        y_pred: predicted probabilities (scaled to a sum of 1), or logits, of the same shape.
        alpha: a weight, or one per class.
        gamma: how much easy samples are discounted.
        from_logits: whether `y_pred` holds logits.
        label_smoothing: in [0, 1]: how far targets are moved towards 1 / classes.
        axis: the class axis.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, dtype=y_pred.dtype)
    canonical_axis(axis, len(y_pred.shape))
    if label_smoothing:
        canonical_axis(axis, len(y_true.shape))
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / (y_true.shape[axis] or 1)
    if from_logits:
        y_pred = ops.softmax(y_pred, axis=axis)
    p = y_pred / ops.sum(y_pred, axis=axis, keepdims=True)
    p = ops.clip(p, dtypes.epsilon(), 1.0 - dtypes.epsilon())
    weights = ops.multiply(ops.power(1.0 - p, gamma), alpha)
    return ops.sum(weights * (-y_true * ops.log(p)), axis=axis)


@short_traceback
def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """`sum(y_true * log(y_true / y_pred))` over the last axis; both are kept within [epsilon(), 1]."""
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, dtype=y_pred.dtype)
    y_true = ops.clip(y_true, dtypes.epsilon(), 1.0)
    y_pred = ops.clip(y_pred, dtypes.epsilon(), 1.0)
    return ops.sum(y_true * ops.log(y_true / y_pred), axis=-1)


@short_traceback
def poisson(y_true: Any, y_pred: Any) -> Any:
    """`mean(y_pred - y_true * log(y_pred + epsilon()))` over the last axis, for counts and their rates."""
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, dtype=y_pred.dtype)
    return ops.mean(y_pred - y_true * ops.log(y_pred + dtypes.epsilon()), axis=-1)


def _logits(y_pred: Any, kind: str, axis: int) -> Any:
    """The logits that `y_pred` is the softmax or sigmoid of, or None where that is not known."""
    producer = y_pred.producer if isinstance(y_pred, Tensor) else None
    if producer is None or producer[0] != kind or axis not in (-1, len(y_pred.shape) - 1):
        return None
    return producer[1][0]


def _probability_limits(dtype: str) -> tuple[Any, Any]:
    """The smallest and largest probability that is told from 0 and 1, as NumPy scalars of `dtype`."""
    number = np.dtype(dtype).type
    return number(dtypes.epsilon()), number(1.0 - dtypes.epsilon())


def _binary_values(y_true: Any, y_pred: Any, from_logits: bool) -> Any:
    logits = None if from_logits else _logits(y_pred, "sigmoid", -1)
    if logits is None or y_true.shape != y_pred.shape:
        return ops.binary_crossentropy(y_true, y_pred, from_logits=from_logits)
    low, high = _probability_limits(y_pred.dtype)
    # log(p) = -softplus(-x) and log(1 - p) = -softplus(x) for p = sigmoid(x).
    if_one = ops.clip(ops.softplus(-logits), -float(np.log(high)), -float(np.log(low)))
    if_zero = ops.clip(ops.softplus(logits), -float(np.log(1 - low)), -float(np.log(1 - high)))
    return y_true * if_one + (1.0 - y_true) * if_zero


def _class_numbers(y_true: Any, y_pred: Any) -> Any:
    y_true = ops.convert_to_tensor(y_true)
    if not dtypes.is_int(y_true.dtype):
        y_true = ops.cast(y_true, "int64")
    if len(y_true.shape) == len(y_pred.shape) and len(y_true.shape) > 0 and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, axis=-1)
    return y_true


class BinaryCrossentropy(NamedLoss):
    """The cross-entropy of two classes. Arguments: see `binary_crossentropy` and `Loss`."""

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            binary_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class CategoricalCrossentropy(NamedLoss):
    """The cross-entropy of one-hot targets. Arguments: see `categorical_crossentropy` and `Loss`."""

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            categorical_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class SparseCategoricalCrossentropy(NamedLoss):
    """The cross-entropy of class numbers. Arguments: see `sparse_categorical_crossentropy` and `Loss`.

    Samples of the class `ignore_class` do not count in the mean either.
    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            sparse_categorical_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )
        self.ignore_class = ignore_class

    def output_mask(self, y_true: Any, y_pred: Any) -> Any:
        return class_mask(y_true, y_pred, self.ignore_class)


def class_mask(y_true: Any, y_pred: Any, ignore_class: int | None) -> Any:
    """Which class numbers are not `ignore_class`, in the shape of the loss's values; None where all count."""
    if ignore_class is None:
        return None
    return ops.not_equal(_class_numbers(y_true, ops.convert_to_tensor(y_pred)), ignore_class)


class BinaryFocalCrossentropy(NamedLoss):
    """The focal cross-entropy of two classes. Arguments: see `binary_focal_crossentropy` and `Loss`."""

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            binary_focal_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
            apply_class_balancing=apply_class_balancing,
            alpha=alpha,
            gamma=gamma,
        )


class CategoricalFocalCrossentropy(NamedLoss):
    """The focal cross-entropy of one-hot targets. See `categorical_focal_crossentropy` and `Loss`."""

    def __init__(
        self,
        alpha: Any = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            categorical_focal_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
            alpha=alpha,
            gamma=gamma,
        )


class CategoricalGeneralizedCrossEntropy(NamedLoss):
    """The generalized cross-entropy of class numbers, for labels that may be wrong.

    Arguments: see `categorical_generalized_cross_entropy` and `Loss`; q lies between 0 and 1.

    Raises:
        ValueError: for another q.
    """

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ) -> None:
        if not 0 < q < 1:
            raise ValueError(f"q must be in the interval (0, 1). Received: q={q!r}")
        super().__init__(categorical_generalized_cross_entropy, reduction, name, dtype, q=q)


class KLDivergence(NamedLoss):
    """The Kullback-Leibler divergence of the prediction from the target. Arguments: see `Loss`."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "kl_divergence",
        dtype: Any = None,
    ) -> None:
        super().__init__(kl_divergence, reduction, name, dtype)


class Poisson(NamedLoss):
    """The Poisson loss of counts. Arguments: see `Loss`."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "poisson",
        dtype: Any = None,
    ) -> None:
        super().__init__(poisson, reduction, name, dtype)
