"""Metrics for continuous targets: means of the loss functions, and the coefficient of determination.

The arguments `name` and `dtype` of the classes are those of `Metric`.
"""

from __future__ import annotations

from typing import Any

from ranvier import ops
from ranvier.core.variable import Variable
from ranvier.losses import regression as losses
from ranvier.metrics.metric import Metric
from ranvier.metrics.reduction import Mean, NamedMetric


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """The cosine between targets and predictions along `axis`: 1 where they point the same way."""
    return -losses.cosine_similarity(y_true, y_pred, axis)


class MeanSquaredError(NamedMetric):
    """The mean of `(y_true - y_pred)^2`. Arguments: see `Metric`."""

    def __init__(self, name: str | None = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_squared_error, name, dtype)


class MeanAbsoluteError(NamedMetric):
    """The mean of `|y_true - y_pred|`. Arguments: see `Metric`."""

    def __init__(self, name: str | None = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_absolute_error, name, dtype)


class MeanAbsolutePercentageError(NamedMetric):
    """The mean of `100 * |y_true - y_pred| / |y_true|`. Arguments: see `Metric`."""

    def __init__(self, name: str | None = "mean_absolute_percentage_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_absolute_percentage_error, name, dtype)


class MeanSquaredLogarithmicError(NamedMetric):
    """The mean of `(log(y_true + 1) - log(y_pred + 1))^2`. Arguments: see `Metric`."""

    def __init__(self, name: str | None = "mean_squared_logarithmic_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_squared_logarithmic_error, name, dtype)


class LogCoshError(NamedMetric):
    """The mean of `log(cosh(y_pred - y_true))`. Arguments: see `Metric`."""

    def __init__(self, name: str | None = "logcosh", dtype: Any = None) -> None:
        super().__init__(losses.log_cosh, name, dtype)


class CosineSimilarity(NamedMetric):
    """The mean cosine between targets and predictions along `axis`. The other arguments: see `Metric`."""

    def __init__(self, name: str | None = "cosine_similarity", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(cosine_similarity, name, dtype, axis=axis)


class RootMeanSquaredError(Mean):
    """The square root of the mean of `(y_true - y_pred)^2`. Arguments: see `Metric`."""

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Counts a batch in.

        Args:
            y_true: targets.
            y_pred: predictions.
            sample_weight: None, a number, or weights that broadcast to the values.
        """
        y_true, y_pred = losses.match(y_true, ops.convert_to_tensor(y_pred, dtype=self.dtype))
        super().update_state(ops.square(y_pred - y_true), sample_weight)

    def result(self) -> Any:
        return ops.sqrt(super().result())


class R2Score(Metric):
    """The coefficient of determination: 1 minus the squared errors over the targets' squared deviations.

    Targets and predictions have the shape (batch, outputs).

    Args:
        class_aggregation: how the outputs' scores are joined: "uniform_average" (their mean),
            "variance_weighted_average" (weighted with the targets' deviations), or None (one score per
        output).
        num_regressors: the number of regressors p for the adjusted score `1 - (1 - R2) (n - 1) / (n - p -
            1)`; 0: no adjustment. As in Keras, n counts every element of the targets.
        name: see `Metric`.
        dtype: see `Metric`.

    Raises:
        ValueError: for any other argument; when called, for shapes of another rank.
    """

    _AGGREGATIONS = (None, "uniform_average", "variance_weighted_average")

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        if class_aggregation not in self._AGGREGATIONS:
            raise ValueError(
                "Invalid value for argument `class_aggregation`. Expected one of "
                f"{self._AGGREGATIONS}. Received: class_aggregation={class_aggregation!r}"
            )
        if num_regressors < 0:
            raise ValueError(
                "Invalid value for argument `num_regressors`: expected at least 0. "
                f"Received: num_regressors={num_regressors!r}"
            )
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        self.num_samples = self.add_variable((), "zeros", name="num_samples")
        self._sums: list[Variable] = []

    def _build(self, outputs: int) -> None:
        names = ("squared_sum", "sum", "residual", "count")
        self._sums = [self.add_variable((outputs,), "zeros", name=name) for name in names]

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts a batch in.

        Args:
            y_true: targets, shape (batch, outputs).
            y_pred: predictions of the same shape.
            sample_weight: None or one weight per sample.
        """
        y_true = ops.convert_to_tensor(y_true, dtype=self._rv_float_dtype)
        y_pred = ops.convert_to_tensor(y_pred, dtype=self._rv_float_dtype)
        y_true, y_pred = losses.match(y_true, y_pred)
        if len(y_true.shape) != 2 or y_true.shape != y_pred.shape:
            raise ValueError(
                "R2Score expects 2D inputs with shape (batch_size, output_dim). Received input shapes: "
                f"y_pred.shape={tuple(y_pred.shape)} and y_true.shape={tuple(y_true.shape)}."
            )
        if not self._sums:
            self._build(y_true.shape[1])
        weight = ops.convert_to_tensor(
            1.0 if sample_weight is None else sample_weight, dtype=self._rv_float_dtype
        )
        weight = ops.reshape(weight, (-1, 1)) if len(weight.shape) == 1 else weight
        weight = ops.broadcast_to(weight, y_true.shape)
        weighted = y_true * weight
        terms = (y_true * weighted, weighted, ops.square(y_true - y_pred) * weight, weight)
        for variable, term in zip(self._sums, terms, strict=True):
            variable.assign_add(ops.sum(term, axis=0))
        self.num_samples.assign_add(ops.cast(y_true.shape[0] * y_true.shape[1], self._rv_float_dtype))

    def result(self) -> Any:
        if not self._sums:
            return ops.cast(0.0, self._rv_float_dtype)
        squared_sum, total, residual, count = self._sums
        deviation = squared_sum - total * (total / count)
        scores = 1.0 - residual / deviation
        scores = ops.where(ops.isinf(scores), 0.0, scores)
        if self.class_aggregation == "uniform_average":
            scores = ops.mean(scores)
        elif self.class_aggregation == "variance_weighted_average":
            scores = ops.sum(scores * deviation) / ops.sum(deviation)
        if self.num_regressors == 0:
            return scores
        free = self.num_samples - (self.num_regressors + 1.0)
        return 1.0 - (1.0 - scores) * (self.num_samples - 1.0) / free

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "class_aggregation": self.class_aggregation,
            "num_regressors": self.num_regressors,
        }
