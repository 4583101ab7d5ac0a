"""F-scores: the weighted harmonic mean of precision and recall."""

from __future__ import annotations

from typing import Any

from ranvier import ops
from ranvier.core import dtypes
from ranvier.core.variable import Variable
from ranvier.metrics.metric import Metric

_AVERAGES = (None, "micro", "macro", "weighted")


class FBetaScore(Metric):
    """`(1 + beta^2) * precision * recall / (beta^2 * precision + recall)`.

    Targets and predictions have the shape (batch, classes).

    Args:
        average: None (one score per class), "micro" (one score of all counts together), "macro" (the mean of
            the classes' scores) or "weighted" (their mean weighted with the targets' counts).
        beta: how much more recall weighs than precision, a float larger than 0. Default 1.
        threshold: predictions above it are positive; None: the largest prediction of a sample is.
        name: see `Metric`.
        dtype: see `Metric`.

    Raises:
        ValueError: for any other argument; when called, for shapes of another rank.
    """

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        if average not in _AVERAGES:
            raise ValueError(
                f"Invalid `average` argument value. Expected one of: {_AVERAGES}. "
                f"Received: average={average!r}"
            )
        if not isinstance(beta, float):
            raise ValueError(
                "Invalid `beta` argument value. It should be a Python float. "
                f"Received: beta={beta!r} of type '{type(beta)}'"
            )
        if beta <= 0.0:
            raise ValueError(f"Invalid `beta` argument value. It should be > 0. Received: beta={beta!r}")
        if threshold is not None and not isinstance(threshold, float):
            raise ValueError(
                "Invalid `threshold` argument value. It should be a Python float. "
                f"Received: threshold={threshold!r} of type '{type(threshold)}'"
            )
        if threshold is not None and not 0.0 < threshold <= 1.0:
            raise ValueError(
                "Invalid `threshold` argument value. It should verify 0 < threshold <= 1. "
                f"Received: threshold={threshold!r}"
            )
        self.average = average
        self.beta = beta
        self.threshold = threshold
        self._counts: list[Variable] = []

    def _build(self, classes: int) -> None:
        shape = () if self.average == "micro" else (classes,)
        names = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")
        self._counts = [self.add_variable(shape, "zeros", name=name) for name in names]

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts a batch in.

        Args:
            y_true: targets, 0 or 1, shape (batch, classes).
            y_pred: predictions of the same shape.
            sample_weight: None, a number, or one weight per sample.
        """
        y_true = ops.convert_to_tensor(y_true, dtype=self.dtype)
        y_pred = ops.convert_to_tensor(y_pred, dtype=self.dtype)
        if len(y_true.shape) != 2 or y_true.shape != y_pred.shape:
            raise ValueError(
                "FBetaScore expects 2D inputs with shape (batch_size, output_dim). Received input shapes: "
                f"y_pred.shape={tuple(y_pred.shape)} and y_true.shape={tuple(y_true.shape)}."
            )
        if not self._counts:
            self._build(y_true.shape[-1])
        predicted = ops.cast(self._decide(y_pred), self.dtype)
        terms = (
            predicted * y_true,
            predicted * (1.0 - y_true),
            (1.0 - predicted) * y_true,
            y_true,
        )
        if sample_weight is not None:
            weights = ops.convert_to_tensor(sample_weight, dtype=self.dtype)
            if tuple(weights.shape) not in ((), (1,), y_true.shape[:1], (y_true.shape[0], 1)):
                raise ValueError(
                    f"{type(self).__name__} takes one weight per sample. Received: sample_weight of shape "
                    f"{tuple(weights.shape)} for targets of shape {tuple(y_true.shape)}."
                )
            weights = ops.reshape(weights, (-1, 1))
            terms = tuple(term * weights for term in terms)
        axis = None if self.average == "micro" else 0
        for variable, term in zip(self._counts, terms, strict=True):
            variable.assign_add(ops.sum(term, axis=axis))

    def _decide(self, y_pred: Any) -> Any:
        if self.threshold is not None:
            return ops.greater(y_pred, self.threshold)
        largest = ops.greater_equal(y_pred, ops.max(y_pred, axis=-1, keepdims=True))
        return ops.logical_and(largest, ops.greater(ops.abs(y_pred), 1e-9))

    def result(self) -> Any:
        if not self._counts:
            return ops.cast(0.0, self.dtype)
        right, wrong, missed, weights = (ops.convert_to_tensor(v) for v in self._counts)
        epsilon = dtypes.epsilon()
        precision, recall = right / (right + wrong + epsilon), right / (right + missed + epsilon)
        square = self.beta**2
        scores = (1.0 + square) * precision * recall / (square * precision + recall + epsilon)
        if self.average == "weighted":
            return ops.sum(scores * (weights / (ops.sum(weights) + epsilon)))
        return scores if self.average is None else ops.mean(scores)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "average": self.average,
            "beta": self.beta,
            "threshold": self.threshold,
        }


class F1Score(FBetaScore):
    """The harmonic mean of precision and recall. Arguments: see `FBetaScore`."""

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average=average, beta=1.0, threshold=threshold, name=name, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        return {key: value for key, value in super().get_config().items() if key != "beta"}
