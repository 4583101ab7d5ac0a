"""True and false positives and negatives at thresholds: what the metrics of decisions count.

A prediction is positive at a threshold if it is larger. With few thresholds all pairs are compared. With
many, each prediction is sorted into the bucket between two thresholds first, and sums over buckets give the
counts, so that memory does not grow with samples times thresholds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ranvier import ops
from ranvier.core import dtypes
from ranvier.core.allowance import take
from ranvier.core.arguments import is_number, plain_sequence
from ranvier.losses.loss import squeeze_or_expand_to_same_rank

CELLS = ("true_positives", "false_positives", "true_negatives", "false_negatives")
# What predictions outside the top k are set to, and the threshold that lets all others pass.
LOWEST = -1e10
_MOST_COMPARED = 16
_MOST_THRESHOLDS = 1 << 24
_BYTES_OF_A_THRESHOLD = 32  # a number and its place in a list


def check_number(num_thresholds: int, least: int) -> None:
    """Refuses a number of thresholds before there is a list of as many.

    Args:
        num_thresholds: the number.
        least: how many there must be.

    Raises:
        ValueError: if there are fewer, or more than float32 tells apart.
    """
    if not least <= num_thresholds <= _MOST_THRESHOLDS:
        raise ValueError(
            f"Argument `num_thresholds` must be an integer > {least - 1} and at most {_MOST_THRESHOLDS}, the "
            f"numbers in [0, 1] that float32 tells apart. Received: num_thresholds={num_thresholds!r}"
        )
    take((num_thresholds, _BYTES_OF_A_THRESHOLD), "uint8", "a list of thresholds")


def check_thresholds(thresholds: Any, default: float) -> list[float]:
    """The thresholds as a list.

    Args:
        thresholds: None, a number, or a sequence of them, each in [0, 1].
        default: what None stands for.

    Raises:
        ValueError: for a number outside [0, 1], or none at all.
    """
    if thresholds is None:
        return [default]
    values = plain_sequence(thresholds)
    values = list(values) if isinstance(values, (list, tuple)) else [values]
    wrong = [value for value in values if not is_number(value) or not 0 <= value <= 1]
    if wrong or not values:
        raise ValueError(f"Threshold values must be in [0, 1]. Received: {wrong if values else thresholds}")
    return values


def are_even(thresholds: Sequence[float]) -> bool:
    """Whether there are three thresholds or more, at equal distances from 0 to 1."""
    if len(thresholds) < 3:
        return False
    return np.allclose(thresholds, np.linspace(0.0, 1.0, len(thresholds)), atol=dtypes.epsilon())


def count(
    y_true: Any,
    y_pred: Any,
    thresholds: Sequence[float],
    cells: Sequence[str] = CELLS,
    *,
    dtype: str,
    sample_weight: Any = None,
    label_weights: Any = None,
    top_k: int | None = None,
    class_id: int | None = None,
    by_label: bool = False,
) -> list[Any]:
    """Weighted counts of a batch.

    Args:
        y_true: targets; every one that is not 0 is positive.
        y_pred: predictions of the same shape.
        thresholds: the thresholds.
        cells: which counts to return, names of `CELLS`.
        dtype: the dtype to compute in.
        sample_weight: None, a number, or weights for the first axes of the targets.
        label_weights: None or weights along the last axis.
        top_k: if given, only the `top_k` largest predictions along the last axis can be positive.
        class_id: if given, only this index of the last axis counts.
        by_label: whether each index of the last axis is counted by itself.

    Returns:
        For each cell a value of shape (thresholds,), or (thresholds, labels).

    Raises:
        ValueError: if the shapes do not fit, or `top_k` or `class_id` is out of range.
    """
    y_true, y_pred = _matched(y_true, y_pred, dtype)
    if top_k is not None:
        y_pred = ops.where(_in_top_k(y_pred, top_k), y_pred, LOWEST)
    if class_id is not None:
        y_true, y_pred = _only_class(y_true, y_pred, class_id)
    weights = _weights(y_true, sample_weight, label_weights, dtype)
    even = are_even(thresholds)
    y_true = ops.cast(ops.not_equal(y_true, 0), dtype)
    positive, negative = y_true, 1.0 - y_true
    if weights is not None:
        positive, negative = positive * weights, negative * weights
    if not by_label:
        positive, negative, y_pred = (ops.reshape(x, (-1, 1)) for x in (positive, negative, y_pred))
    if even or len(thresholds) > _MOST_COMPARED:
        found = _by_buckets(positive, negative, y_pred, thresholds, even, dtype)
    else:
        found = _by_comparison(positive, negative, y_pred, thresholds, cells, dtype)
    return [found[cell] if by_label else ops.reshape(found[cell], (-1,)) for cell in cells]


def _matched(y_true: Any, y_pred: Any, dtype: str) -> tuple[Any, Any]:
    y_true = ops.convert_to_tensor(y_true, dtype=dtype)
    y_pred = ops.convert_to_tensor(y_pred, dtype=dtype)
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    if y_true.shape != y_pred.shape:
        raise ValueError(
            "Targets and predictions must have the same shape. Received: "
            f"y_true.shape={tuple(y_true.shape)} and y_pred.shape={tuple(y_pred.shape)}"
        )
    return y_true, y_pred


def _in_top_k(y_pred: Any, k: int) -> Any:
    """Which predictions are among the k largest of the last axis; of equal ones the first."""
    size = y_pred.shape[-1] if len(y_pred.shape) else 0
    if not 0 <= k <= size:
        raise ValueError(
            f"`top_k` must not be larger than the number of classes. Received: top_k={k} and "
            f"y_pred.shape={tuple(y_pred.shape)}"
        )
    return ops.any(ops.one_hot(ops.top_k(y_pred, k)[1], size, dtype="bool"), axis=-2)


def _only_class(y_true: Any, y_pred: Any, class_id: int) -> tuple[Any, Any]:
    if len(y_pred.shape) < 2:
        raise ValueError(
            "When class_id is provided, y_pred must be a 2D array with shape (num_samples, num_classes), "
            f"found shape: {tuple(y_pred.shape)}"
        )
    classes = y_pred.shape[-1]
    if not -classes <= class_id < classes:
        raise ValueError(
            f"`class_id` is out of range: there are {classes} classes. Received: class_id={class_id!r}"
        )
    return y_true[..., class_id], y_pred[..., class_id]


def _weights(y_true: Any, sample_weight: Any, label_weights: Any, dtype: str) -> Any:
    """Weights that broadcast to the targets; None where all are 1."""
    weights = None
    if sample_weight is not None:
        weights = ops.expand_dims(ops.convert_to_tensor(sample_weight, dtype=dtype), axis=-1)
        while len(weights.shape) > len(y_true.shape) and weights.shape[-1] == 1:
            weights = ops.squeeze(weights, axis=-1)
        try:
            np.broadcast_shapes(tuple(weights.shape), tuple(y_true.shape))
        except ValueError:
            raise ValueError(
                f"`sample_weight` of shape {np.shape(sample_weight)} does not fit targets of shape "
                f"{tuple(y_true.shape)}."
            ) from None
    if label_weights is not None:
        by_label = ops.convert_to_tensor(label_weights, dtype=dtype)
        weights = by_label if weights is None else weights * by_label
    return weights


def _by_comparison(
    positive: Any, negative: Any, y_pred: Any, thresholds: Sequence[float], cells: Sequence[str], dtype: str
) -> dict[str, Any]:
    limits = np.asarray(thresholds, dtype).reshape(-1, 1, 1)
    above = ops.greater(ops.expand_dims(y_pred, axis=0), limits)
    found = {}
    for cell in cells:
        side = above if cell.endswith("positives") else ops.logical_not(above)
        weights = positive if cell in ("true_positives", "false_negatives") else negative
        found[cell] = ops.sum(ops.where(side, weights, 0.0), axis=1)
    return found


def _by_buckets(
    positive: Any, negative: Any, y_pred: Any, thresholds: Sequence[float], even: bool, dtype: str
) -> dict[str, Any]:
    size, labels = len(thresholds), y_pred.shape[1]
    order = np.argsort(thresholds, kind="stable")
    if even:
        # As Keras rounds it. Where the first threshold is just below 0, everything lies above it.
        passed = ops.cast(ops.ceil(ops.clip(y_pred, 0.0, 1.0) * float(size - 1)), "int32")
        passed = ops.maximum(passed, 1) if thresholds[0] < 0 else passed
    else:
        passed = _number_below(np.asarray(thresholds, dtype)[order], y_pred)
    rows = passed + np.arange(labels, dtype="int32") * (size + 1)
    pairs = ops.stack([ops.ravel(positive), ops.ravel(negative)], axis=-1)
    buckets = ops.segment_sum(pairs, ops.ravel(rows), num_segments=labels * (size + 1))
    buckets = ops.transpose(ops.reshape(buckets, (labels, size + 1, 2)), (1, 0, 2))
    below = ops.cumsum(buckets, axis=0)[:-1]
    above = ops.flip(ops.cumsum(ops.flip(buckets, axis=0), axis=0), axis=0)[1:]
    if (np.diff(order) < 0).any():
        places = np.argsort(order)
        below, above = ops.take(below, places, axis=0), ops.take(above, places, axis=0)
    return {
        "true_positives": above[..., 0],
        "false_positives": above[..., 1],
        "true_negatives": below[..., 1],
        "false_negatives": below[..., 0],
    }


def _number_below(limits: np.ndarray, x: Any) -> Any:
    """How many of the increasing limits are less than x: a binary search, unrolled."""
    step = 1 << (len(limits).bit_length() - 1)
    table = np.full(2 * step - 1, np.inf, limits.dtype)
    table[: len(limits)] = limits
    found = ops.zeros(x.shape, "int32")
    while step:
        probe = ops.take(table, found + (step - 1))
        found = found + ops.where(ops.less(probe, x), step, 0)
        step //= 2
    return found
