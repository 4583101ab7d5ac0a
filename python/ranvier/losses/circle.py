"""The circle loss of embeddings: samples of one class near each other, of others far apart."""

from __future__ import annotations

from typing import Any

import numpy as np

from ranvier import ops
from ranvier.core import dtypes
from ranvier.core.user_code import short_traceback
from ranvier.losses.loss import NamedLoss, takes_class_numbers

# Stands for the logarithm of 0; finite, so that gradients of rows without any pair stay finite.
_NEVER = -1e9


@takes_class_numbers
@short_traceback
def circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Any:
    """`softplus(logsumexp(of the class) + logsumexp(of the others))` over all pairs (Sun et al., 2020).

    With d the cosine distance of a pair, a pair of one class counts `-gamma * (margin + d) * (margin - d)`
    and any other `gamma * (1 + margin - d) * (1 - margin - d)`, factors in the first brackets at least 0.

    Args:
        y_true: class numbers, shape (batch,) or (batch, 1).
        y_pred: embeddings of length 1, shape (batch, size).
        ref_labels: the class numbers to compare with; None: `y_true`.
        ref_embeddings: the embeddings to compare with; None: `y_pred`.
        remove_diagonal: whether the i-th embedding is not compared with the i-th of the references.
        gamma: the scale.
        margin: the margin.

    Returns:
        One value per sample; 0 for one that has no pair of its class or no other.

    Raises:
        ValueError: if the shapes do not fit.
    """
    y_pred, refs, same, other = _pairs(y_true, y_pred, ref_labels, ref_embeddings, remove_diagonal)
    distance = ops.maximum(1.0 - ops.matmul(y_pred, ops.transpose(refs)), 0.0)
    near = -gamma * ops.maximum(margin + distance, 0.0) * (margin - distance)
    far = gamma * ops.maximum(1.0 + margin - distance, 0.0) * (1.0 - margin - distance)
    values = ops.softplus(
        ops.logsumexp(ops.where(same, near, _NEVER), axis=1)
        + ops.logsumexp(ops.where(other, far, _NEVER), axis=1)
    )
    return ops.where(_has_both(same, other), values, 0.0)


def _pairs(
    y_true: Any, y_pred: Any, ref_labels: Any, ref_embeddings: Any, remove_diagonal: bool
) -> tuple[Any, Any, Any, Any]:
    """Embeddings, what they are compared with, and which pairs are of one class and which are not."""
    y_pred = ops.convert_to_tensor(y_pred)
    labels = _labels("y_true", y_true, y_pred)
    refs = y_pred if ref_embeddings is None else ops.convert_to_tensor(ref_embeddings, dtype=y_pred.dtype)
    if len(refs.shape) != 2:
        raise ValueError(f"circle: `ref_embeddings` must have 2 axes. Received: shape {tuple(refs.shape)}")
    ref_labels = labels if ref_labels is None else _labels("ref_labels", ref_labels, refs)
    if labels.dtype != ref_labels.dtype:
        ref_labels = ops.cast(ref_labels, labels.dtype)
    if refs.shape[0] != ref_labels.shape[0] or refs.shape[1] != y_pred.shape[1]:
        raise ValueError(
            f"circle: references of shape {tuple(refs.shape)} do not fit embeddings of shape "
            f"{tuple(y_pred.shape)} and {ref_labels.shape[0]} labels."
        )
    same = ops.equal(ops.expand_dims(labels, axis=1), ops.expand_dims(ref_labels, axis=0))
    other = ops.logical_not(same)
    if remove_diagonal:
        rows, columns = same.shape
        same = ops.logical_and(same, np.arange(rows)[:, None] != np.arange(columns))
    return y_pred, refs, same, other


def _has_both(same: Any, other: Any) -> Any:
    return ops.logical_and(ops.any(same, axis=1), ops.any(other, axis=1))


def _labels(name: str, labels: Any, embeddings: Any) -> Any:
    labels = ops.convert_to_tensor(labels)
    if len(labels.shape) == 2 and labels.shape[1] == 1:
        labels = ops.squeeze(labels, axis=1)
    if len(embeddings.shape) != 2 or len(labels.shape) != 1:
        raise ValueError(
            f"circle: expected `{name}` of shape (batch,) and embeddings of shape (batch, size). Received: "
            f"{tuple(labels.shape)} and {tuple(embeddings.shape)}"
        )
    if labels.shape[0] != embeddings.shape[0] and name == "y_true":
        raise ValueError(
            f"circle: {labels.shape[0]} labels for embeddings of shape {tuple(embeddings.shape)}."
        )
    return ops.cast(labels, "int32") if not dtypes.is_int(labels.dtype) else labels


class Circle(NamedLoss):
    """The circle loss of a batch's embeddings. Arguments: see `circle` and `Loss`.

    Samples without a pair of their class, or without any other, do not count in the mean.
    """

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            circle, reduction, name, dtype, gamma=gamma, margin=margin, remove_diagonal=remove_diagonal
        )
        self.remove_diagonal = remove_diagonal

    def output_mask(self, y_true: Any, y_pred: Any) -> Any:
        return _has_both(*_pairs(y_true, y_pred, None, None, self.remove_diagonal)[2:])
