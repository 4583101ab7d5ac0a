"""Metrics of decisions at thresholds: counts of the confusion matrix, precision and recall.

Predictions are probabilities in [0, 1] of the same shape as the targets, which are 0 or 1. The arguments
`name` and `dtype` of the classes are those of `Metric`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ranvier import ops
from ranvier.core.arguments import integer, number
from ranvier.metrics import confusion
from ranvier.metrics.metric import Metric


class _Counting(Metric):
    """Adds up cells of the confusion matrix, each at all thresholds."""

    thresholds: list[float]
    top_k: int | None = None
    class_id: int | None = None

    def _make_counts(self, cells: Sequence[str], names: Sequence[str]) -> None:
        self._cells = tuple(cells)
        shape = (len(self.thresholds),)
        self._counts = [self.add_variable(shape, "zeros", name=name) for name in names]

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts a batch in.

        Args:
            y_true: targets, 0 or 1.
            y_pred: predictions of the same shape.
            sample_weight: None, a number, or weights for the first axes of the targets.
        """
        counts = confusion.count(
            y_true,
            y_pred,
            self.thresholds,
            self._cells,
            dtype=self._rv_float_dtype,
            sample_weight=sample_weight,
            top_k=self.top_k,
            class_id=self.class_id,
        )
        for variable, value in zip(self._counts, counts, strict=True):
            variable.assign_add(value)


class _Count(_Counting):
    """The weighted number in one cell of the confusion matrix."""

    _cell = ""

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.init_thresholds = thresholds
        self.thresholds = confusion.check_thresholds(thresholds, 0.5)
        self._make_counts([self._cell], ["accumulator"])
        (self.accumulator,) = self._counts

    def result(self) -> Any:
        return _single(ops.convert_to_tensor(self.accumulator))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "thresholds": self.init_thresholds}


class TruePositives(_Count):
    """The number of positives predicted as such.

    Args:
        thresholds: a number in [0, 1], or several; None: 0.5. Larger predictions are positive.
        name: see `Metric`.
        dtype: see `Metric`.

    Raises:
        ValueError: for a threshold outside [0, 1].
    """

    _cell = "true_positives"


class FalsePositives(_Count):
    """The number of negatives predicted as positive. Arguments: see `TruePositives`."""

    _cell = "false_positives"


class TrueNegatives(_Count):
    """The number of negatives predicted as such. Arguments: see `TruePositives`."""

    _cell = "true_negatives"


class FalseNegatives(_Count):
    """The number of positives predicted as negative. Arguments: see `TruePositives`."""

    _cell = "false_negatives"


def _index(value: Any, name: str) -> int | None:
    return None if value is None else integer(value, name)


class _Share(_Counting):
    """The true positives over them and another cell."""

    _other = ""

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        self.init_thresholds = thresholds
        self.top_k = _index(top_k, "top_k")
        self.class_id = _index(class_id, "class_id")
        self.thresholds = confusion.check_thresholds(thresholds, 0.5 if top_k is None else confusion.LOWEST)
        cells = ("true_positives", self._other)
        self._make_counts(cells, cells)
        self.true_positives, self._rest = self._counts

    def result(self) -> Any:
        right = ops.convert_to_tensor(self.true_positives)
        return _single(ops.divide_no_nan(right, right + self._rest))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "thresholds": self.init_thresholds,
            "top_k": self.top_k,
            "class_id": self.class_id,
        }


class Precision(_Share):
    """Of what was predicted positive, the share that is; 0 if there is nothing.

    Args:
        thresholds: a number in [0, 1], or several (the result has one value each); None: 0.5, or with
            `top_k` none.
        top_k: if given, only the `top_k` largest predictions along the last axis can be positive.
        class_id: if given, only this index of the last axis counts.
        name: see `Metric`.
        dtype: see `Metric`.

    Raises:
        ValueError: for a threshold outside [0, 1]; when called, if shapes do not fit or `top_k` or
            `class_id` is out of range.
    """

    _other = "false_positives"

    @property
    def false_positives(self) -> Any:
        """The variable that counts negatives predicted as positive."""
        return self._rest


class Recall(_Share):
    """Of the positives, the share predicted as such; 0 if there are none. Arguments: see `Precision`."""

    _other = "false_negatives"

    @property
    def false_negatives(self) -> Any:
        """The variable that counts positives predicted as negative."""
        return self._rest


class _BestAt(_Counting):
    """The best of one rate over thresholds at which another rate is at least a given value."""

    _argument = ""

    def __init__(
        self, value: float, num_thresholds: int, class_id: int | None, name: str | None, dtype: Any
    ) -> None:
        super().__init__(dtype, name)
        if not 0 <= number(value, self._argument) <= 1:
            raise ValueError(
                f"Argument `{self._argument}` must be in the range [0, 1]. Received: {self._argument}={value}"
            )
        confusion.check_number(num_thresholds, 1)
        self.value = value
        self.num_thresholds = num_thresholds
        self.class_id = _index(class_id, "class_id")
        inner = num_thresholds - 1
        self.thresholds = [i / inner for i in range(num_thresholds)] if inner else [0.5]
        self._make_counts(confusion.CELLS, confusion.CELLS)
        self.true_positives, self.false_positives, self.true_negatives, self.false_negatives = self._counts

    def _best(self, wanted: Any, given: Any) -> Any:
        return ops.max(ops.where(ops.greater_equal(given, self.value), wanted, 0.0))

    def _precision(self) -> Any:
        return _rate(self.true_positives, self.false_positives)

    def _sensitivity(self) -> Any:
        return _rate(self.true_positives, self.false_negatives)

    def _specificity(self) -> Any:
        return _rate(self.true_negatives, self.false_positives)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "class_id": self.class_id,
            "num_thresholds": self.num_thresholds,
            self._argument: self.value,
        }


class SensitivityAtSpecificity(_BestAt):
    """The best sensitivity, tp / (tp + fn), where the specificity, tn / (tn + fp), is at least a value.

    Args:
        specificity: the value, in [0, 1].
        num_thresholds: how many thresholds from 0 to 1 are tried; 1: the threshold 0.5. Default 200.
        class_id: if given, only this index of the last axis counts.
        name: see `Metric`.
        dtype: see `Metric`.

    Raises:
        ValueError: for a value outside [0, 1], or no thresholds.
    """

    _argument = "specificity"

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(specificity, num_thresholds, class_id, name, dtype)
        self.specificity = specificity

    def result(self) -> Any:
        return self._best(self._sensitivity(), self._specificity())


class SpecificityAtSensitivity(_BestAt):
    """The best specificity where the sensitivity is at least `sensitivity`.

    The other arguments: see `SensitivityAtSpecificity`.
    """

    _argument = "sensitivity"

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)
        self.sensitivity = sensitivity

    def result(self) -> Any:
        return self._best(self._specificity(), self._sensitivity())


class PrecisionAtRecall(_BestAt):
    """The best precision where the recall is at least `recall`.

    The other arguments: see `SensitivityAtSpecificity`.
    """

    _argument = "recall"

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(recall, num_thresholds, class_id, name, dtype)
        self.recall = recall

    def result(self) -> Any:
        return self._best(self._precision(), self._sensitivity())


class RecallAtPrecision(_BestAt):
    """The best recall where the precision is at least `precision`.

    The other arguments: see `SensitivityAtSpecificity`.
    """

    _argument = "precision"

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(precision, num_thresholds, class_id, name, dtype)
        self.precision = precision

    def result(self) -> Any:
        return self._best(self._sensitivity(), self._precision())


def _rate(part: Any, rest: Any) -> Any:
    return ops.divide_no_nan(part, part + rest)


def _single(values: Any) -> Any:
    """One value for one threshold."""
    return values[0] if values.shape[0] == 1 else values
